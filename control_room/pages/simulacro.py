"""Simulacro: the instructor's desk of a live rehearsal. It does not exist in an official night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import html

from control_room import simulacro_control as drill
from control_room.pages.pieces import aria, button, data, figures, folded, page, panel, slot, text
from control_room.pages.registry import ApiRoute, Page
from control_room.web.context import Room, current_room
from control_room.web.roles import require
from core.errors import PrepError

SPEEDS = (1, 10, 60, 120, 300, 600, 1800, 3600)


def layout() -> html.Div:
    """The skeleton."""
    require("simulacro")
    return page(
        "simulacro",
        html.H1("Simulacro", className="hoja-titulo"),
        slot("sim-aviso"),
        figures(
            data("sim-hora", "Hora de la noche"),
            data("sim-estado", "Estado"),
            data("sim-velocidad", "Velocidad"),
            data("sim-avance", "Registradas"),
            data("sim-retraso", "Retraso de la base"),
        ),
        html.Div(
            [
                panel(
                    "Escenario",
                    slot("sim-escenario"),
                    html.Div(
                        [
                            button("Pausar", "sim-pausa", "principal accion"),
                            html.Div(
                                [_speed_button(speed) for speed in SPEEDS],
                                id="sim-velocidades",
                                role="group",
                                className="fila-campos",
                                **aria("Velocidad"),
                            ),
                        ],
                        className="mandos",
                    ),
                    text("A ×3,600 cada segundo es una hora; la base puede ir detrás del reloj y lo dice."),
                ),
                panel(
                    "Inyectar",
                    html.Div(
                        id="sim-formas",
                        role="tablist",
                        className="fila-campos pestanas",
                        **aria("Qué se inyecta"),
                    ),
                    html.Div(html.Form(id="sim-forma", className="forma"), id="sim-panel", role="tabpanel"),
                    html.Div(id="sim-respuesta", role="status"),
                ),
                panel("Lo inyectado", slot("sim-lista"), note="con la hora de la noche en que surtió efecto"),
                panel(
                    "Medidas del plan: qué siente la simulación",
                    text(
                        "Una medida que se autoriza en la sala queda asentada siempre. Algunas, además, "
                        "cambian la noche simulada desde la hora en que quedan activas:"
                    ),
                    slot("sim-efectos"),
                    folded(
                        "Qué no se simula",
                        text(
                            "Las que solo se asientan: el modelo no puede sentirlas (planta de luz, equipo, "
                            "almacén y sitio alternos, marcado) o ya hace lo mismo (guarda las imágenes y "
                            "las envía cuando vuelve el enlace). Terminar una medida no deshace su efecto. "
                            "Un efecto pendiente se pierde si la sala se reinicia antes de su hora; "
                            "entonces se inyecta aquí a mano."
                        ),
                    ),
                ),
            ],
            className="hojas-rejilla",
        ),
    )


def _speed_button(speed: int) -> html.Button:
    return button(f"×{speed:,}", f"sim-velocidad-{speed}", "accion", **{"data-velocidad": str(speed)})


def desk() -> Any:
    """GET: how the run goes, its scenario, what may be named in a form, and what was injected."""
    room = current_room()
    answer: dict[str, Any] = {
        "estado": None,
        "motivo": None,
        "escenario": scenario_of(room),
        "contiendas": [[key, contest.name] for key, contest in room.catalog.contests.items()],
        "distritos": sorted({catd.distrito for catd in room.catalog.catds if catd.distrito is not None}),
        "efectos": [
            {
                "clave": measure.key,
                "titulo": measure.title,
                "texto": drill.effect_text(measure.key),
                "siente": measure.key in drill.EFFECTS,
            }
            for measure in room.plan.measures
        ],
        "inyectado": [],
    }
    folder = room.run_folder
    if folder is None:
        answer["motivo"] = "La sala no vigila ninguna corrida en vivo: mira una base que ya está hecha."
        return answer
    answer["inyectado"] = drill.injected(folder, {catd.id: catd.name for catd in room.catalog.catds})
    try:
        answer["estado"] = drill.state(folder)
    except PrepError as error:
        answer["motivo"] = str(error)
    return answer


def scenario_of(room: Room) -> dict[str, Any] | None:
    """Name, title and description of the scenario the room was started with; None when it has none."""
    path: Path | None = room.options.scenario
    if path is None:
        return None
    known: dict[Path, dict[str, Any]] = room.shared.setdefault("escenario", {})
    if path not in known:
        from simulator.scenario.file import load_scenario

        scenario = load_scenario(path).scenario
        known[path] = {
            "nombre": scenario.name,
            "titulo": scenario.title,
            "descripcion": scenario.description,
            "inicio": scenario.calendar.start.isoformat(),
            "fin": scenario.calendar.end.isoformat(),
        }
    return known[path]


PAGE = Page(
    path="/simulacro",
    name="simulacro",
    title="Simulacro",
    permission="simulacro",
    layout=layout,
    api=(ApiRoute("/api/simulacro.json", "simulacro", desk),),
    only_rehearsal=True,
)
