"""What the instructor tells a live rehearsal: the guided forms, free TOML, and what the plan's measures do.

For the actions of the room and the page Simulacro. It turns forms into fragments of a scenario and asks
`simulator.live.control.ControlClient`; whether a fragment makes sense the run itself decides, so that the
room and `prep control` refuse the same things. Nobody waits here for a run that hangs (`live_run`). It keeps
nothing and checks no permission.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from threading import Thread
from typing import Any

from control_room.drill_forms import Document, Values, catd_numbers, fragment_toml, number, to_toml
from control_room.live_run import SilentRunError, run_of
from core.catalogs.problems import CatalogError, Problems
from core.catalogs.toml_file import TomlFile
from core.errors import InputError, PrepError, UsageError
from core.foreign_text import foreign_bytes, json_of
from simulator.live.control import ControlClient
from simulator.live.instructions import RECORD

log = logging.getLogger(__name__)

NAME = "instrucción.toml"
"""How the text of the instructor is called in the errors."""
SLOWEST, FASTEST = 1, 3600
"""Speeds the room offers. `prep control` admits others."""
MOST_CHARACTERS = 20_000
"""Longest text admitted."""
MOST_NAMED = 6
"""CATDs named in a sentence; the rest are counted."""
MOST_SHOWN = 200
"""Instructions shown of a run: the last ones."""
LONGEST_WAIT_S = 1.0
"""How long it goes without looking at the clock of the run, which may be paused or sped up."""
FALLBACK_MIN = 240
"""Minutes that a link by another medium lasts when a measure of the plan puts it there."""


# -- the run ---------------------------------------------------------------------------------------


def state(run_folder: Path) -> Document:
    """How the run goes. Raises NoLiveNightError when there is none."""
    return run_of(run_folder).state()


def pause(run_folder: Path) -> Document:
    """Stop its clock; the state."""
    return run_of(run_folder).order(ControlClient.pause)


def resume(run_folder: Path) -> Document:
    """Let its clock go on; the state."""
    return run_of(run_folder).order(ControlClient.resume)


def set_speed(run_folder: Path, speed: object) -> Document:
    """Virtual seconds per real second, from 1 to 3,600; the state. Raises UsageError outside that."""
    value = number(speed, "La velocidad")
    if not SLOWEST <= value <= FASTEST:
        raise UsageError(f"La velocidad va de ×{SLOWEST} a ×{FASTEST:,}; se pidió ×{value:g}.")
    return run_of(run_folder).order(lambda client: client.set_speed(value))


def restore(run_folder: Path, catds: Sequence[int]) -> Document:
    """The links of some CATDs are mended; `restablecidos` are those that were cut."""
    numbers = catd_numbers(catds)
    return run_of(run_folder).order(lambda client: client.restore(numbers))


def inject(run_folder: Path, toml: str = "", form: str = "", values: Values | None = None) -> Document:
    """Tell the run what a text or a form says; when it takes effect, and `toml`, what was told.

    Raises InputError with line and key when the text is not what it must be, ControlError when the run
    refuses it, NoLiveNightError when there is no run.
    """
    text = fragment_toml(form, values or {}) if form else toml
    document, lines = read_toml(text)
    done = run_of(run_folder).order(lambda client: client.inject(document, NAME, lines))
    return {**done, "toml": text}


def read_toml(text: str) -> tuple[Document, dict[str, int]]:
    """The document of a text, and the line of each key. Raises InputError with the line."""
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"El texto es demasiado largo: hasta {MOST_CHARACTERS:,} caracteres.")
    if not text.strip():
        raise InputError(NAME, message="está vacío; se esperaba una falla, un ejercicio o un traslado")
    problems = Problems()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fragmento.toml"
        path.write_text(text, encoding="utf-8")
        file = TomlFile(path, problems)
    if file.root is None:
        # The user never saw the file it was read from.
        raise CatalogError(
            [
                InputError(NAME, one.line, one.column, one.expected, one.found, message=one.message)
                for one in problems.found
            ]
        )
    return dict(file.root.data), file.lines


# -- what was told ---------------------------------------------------------------------------------


def injected(run_folder: Path, names: Mapping[int, str] | None = None) -> list[Document]:
    """What was told to the run, the last first: `{"virtual_ms", "textos": […], "toml"}`.

    `names` are those of the CATDs; without them their numbers are told. A line without its end is being
    written and is not told yet.
    """
    path = run_folder / RECORD
    if not path.is_file():
        return []
    try:
        body = foreign_bytes(path)
    except OSError:
        return []
    whole = body[: body.rfind(b"\n") + 1].splitlines()[-MOST_SHOWN:]
    found: list[Document] = []
    for line in reversed(whole):
        try:
            entry = json_of(line)
            document, at = dict(entry["document"]), int(entry["virtual_ms"])
            told = {"virtual_ms": at, "textos": describe(document, names), "toml": to_toml(document)}
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            # What a damaged line told is the run's business, which will not go on with it.
            continue
        found.append(told)
    return found


def describe(document: Mapping[str, Any], names: Mapping[int, str] | None = None) -> list[str]:
    """A fragment in words, one sentence for each thing it does."""
    found = []

    def places(fault: Mapping[str, Any]) -> str:
        return _places(fault, names or {})

    def catds(numbers: Sequence[int]) -> str:
        return _named(numbers, names or {})

    for fault in document.get("falla_enlace", ()):
        kind = _KINDS.get(str(fault.get("tipo")), str(fault.get("tipo")))
        found.append(f"{fault.get('nombre', 'Falla de enlace')}: {kind} en {places(fault)}, {_for(fault)}")
    for fault in document.get("falla_electrica", ()):
        place = "el centro de captura" if fault.get("lugar") == "captura" else places(fault)
        found.append(f"{fault.get('nombre', 'Corte de luz')}: sin luz en {place}, {_for(fault)}")
    for fault in document.get("falla_contienda", ()):
        found.append(f"{fault.get('nombre', 'Falla')}: contienda {fault.get('contienda')}, {_for(fault)}")
    for fault in document.get("marcado_masivo", ()):
        found.append(f"{fault.get('nombre', 'Marcado masivo')}: marcas de sin acta en {places(fault)}")
    for one in _inside(document, "continuidad", "ejercicios"):
        districts = ", ".join(map(str, one.get("distritos", ())))
        found.append(f"Ejercicio del plan de continuidad en distritos {districts}, {_for(one)}")
    for move in _inside(document, "personal", "traslados"):
        origin = f"de {catds([move['de_catd']])}" if "de_catd" in move else "de la reserva"
        target = f"a {catds([move['a_catd']])}" if "a_catd" in move else "al centro estatal"
        found.append(f"Traslado: {move.get('personas')} {move.get('rol', 'capturistas')} {origin} {target}")
    for move in _inside(document, "personal", "traslados_captura"):
        found.append(f"La captura de {catds([move['de_catd']])} se hace en otro lugar")
    if "restablecer" in document:
        found.append(f"Enlace restablecido en {catds(document['restablecer'].get('catd', ()))}")
    return found


_KINDS = {
    "sin_enlace": "sin internet",
    "intermitente": "internet intermitente",
    "latencia": "internet con demora",
    "ancho_de_banda": "internet lento",
    "perdida": "internet con pérdidas",
}


def _named(numbers: Sequence[int], names: Mapping[int, str]) -> str:
    """CATDs by name where it is known, the first ones; the rest are counted."""
    told = [names.get(number, f"CATD {number}") for number in numbers[:MOST_NAMED]]
    left = len(numbers) - len(told)
    return ", ".join(told) + (f" y {left} más" if left else "")


def _places(fault: Mapping[str, Any], names: Mapping[int, str]) -> str:
    if fault.get("catd"):
        return _named(fault["catd"], names)
    if fault.get("distritos"):
        return "distritos " + ", ".join(map(str, fault["distritos"]))
    zone = fault.get("zona", "todas")
    return "todos los CATD" if zone == "todas" else f"los CATD de la zona {zone}"


def _for(fault: Mapping[str, Any]) -> str:
    return f"{float(fault.get('dura_min', 0)):g} min"


def _inside(document: Mapping[str, Any], table: str, name: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = (document.get(table) or {}).get(name, ())
    return found


# -- the measures of the plan, felt by the run ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What authorising a measure in the room does to the simulated night."""

    text: str
    documents: Callable[[Sequence[int]], tuple[Document, ...]]
    """The instructions, in order, for some CATDs."""


def _mend(catds: Sequence[int]) -> tuple[Document, ...]:
    return ({"restablecer": {"catd": list(catds)}},)


def _other_medium(name: str, share: float) -> Callable[[Sequence[int]], tuple[Document, ...]]:
    def documents(catds: Sequence[int]) -> tuple[Document, ...]:
        # Where several faults overlap the worst one rules: the cut ends, and then the poorer link begins.
        slow = {
            "tipo": "ancho_de_banda", "nombre": name, "catd": list(catds), "ancho_de_banda": share,
            "dura_min": FALLBACK_MIN, "variacion": 0.0, "medidas": False,
            "causa": "medida del plan de continuidad autorizada en la sala",
        }  # fmt: skip
        return (*_mend(catds), {"falla_enlace": [slow]})

    return documents


def _reinforce(catds: Sequence[int]) -> tuple[Document, ...]:
    def move(role: str, people: int, **target: int) -> Document:
        return {"rol": role, "personas": people, **target, "autoriza": "coordinación (sala)"}

    if not catds:
        return ({"personal": {"traslados": [move("capturistas", 10)]}},)
    moves = [move(role, 1, a_catd=catd) for catd in catds for role in ("digitalizadores", "acopiadores")]
    return ({"personal": {"traslados": moves}},)


def _capture_elsewhere(catds: Sequence[int]) -> tuple[Document, ...]:
    moves = [{"de_catd": catd, "autoriza": "coordinación (sala)"} for catd in catds]
    return ({"personal": {"traslados_captura": moves}},)


EFFECTS: Mapping[str, Effect] = {
    "reinicio_enrutador": Effect("termina la falla de enlace de esos CATD: el enlace vuelve completo", _mend),
    "enlace_satelital": Effect(
        f"termina el corte y esos CATD transmiten con 50 % de su enlace, hasta {FALLBACK_MIN} min",
        _other_medium("Transmisión por el enlace satelital", 0.5),
    ),
    "datos_moviles": Effect(
        f"termina el corte y esos CATD transmiten con 10 % de su enlace, hasta {FALLBACK_MIN} min",
        _other_medium("Transmisión por datos móviles", 0.1),
    ),
    "sede_alterna": Effect(
        "termina la falla de enlace: lo de esos CATD se transmite completo desde el otro", _mend
    ),
    "refuerzo_capturistas": Effect(
        "llegan un digitalizador y un acopiador a cada CATD; sin CATD, diez capturistas al centro estatal",
        _reinforce,
    ),
    "captura_alterna": Effect(
        "con captura por CATD, la de esos CATD se reparte entre los demás; con la estatal, nada cambia",
        _capture_elsewhere,
    ),
}
"""By key of the measure (`continuity_plan`). A measure that is not here is only recorded."""


def effect_of(measure: str, catds: Sequence[int]) -> tuple[Document, ...] | None:
    """The instructions a measure stands for, in order; None when the run cannot feel it."""
    effect = EFFECTS.get(measure)
    return None if effect is None else effect.documents(catds)


def effect_text(measure: str) -> str:
    """What a measure does to a simulated night, in a sentence for the page."""
    effect = EFFECTS.get(measure)
    if effect is None:
        return "Solo queda asentada: la simulación no la siente."
    return f"En la simulación: {effect.text}."


def apply_effect(
    run_folder: Path | None, measure: str, catds: Sequence[int], active_at: int = 0
) -> Document | None:
    """Make the run feel a measure that was authorised; None when it cannot feel that one.

    `active_at` is ms UTC of the night. Until then it waits, in a thread of this process: an effect that is
    still to come is lost if the process ends, and the measure stays on record. Gives `{"texto", "estado"}`
    with estado `aplicado`, `pendiente` (also when the run does not answer in time) or `sin_efecto`; it never
    raises a PrepError.
    """
    documents = effect_of(measure, catds)
    if documents is None or run_folder is None:
        return None
    try:
        try:
            left_ms = active_at - int(run_of(run_folder).state(fresh_s=0).get("utc_ms", active_at))
        except SilentRunError:
            _wait_apart(run_folder, documents, active_at)
            raise
        if left_ms > 0:
            _wait_apart(run_folder, documents, active_at)
            minutes = ceil(left_ms / 60_000)
            return {"estado": "pendiente", "texto": f"{effect_text(measure)} Surte efecto en {minutes} min."}
        run_of(run_folder).order(lambda client: _tell(client, documents))
    except SilentRunError as error:
        return {
            "estado": "pendiente",
            "texto": f"La medida quedó asentada; su efecto en la simulación está por verse. {error}",
        }
    except PrepError as error:
        return {
            "estado": "sin_efecto",
            "texto": f"La medida quedó asentada, sin efecto en la simulación: {error}",
        }
    return {"estado": "aplicado", "texto": effect_text(measure)}


def _wait_apart(run_folder: Path, documents: Sequence[Document], active_at: int) -> None:
    client = ControlClient(run_folder)
    Thread(
        target=_apply_when, args=(client, documents, active_at), name="efecto-simulado", daemon=True
    ).start()


def _tell(client: ControlClient, documents: Sequence[Document]) -> Document:
    for document in documents:
        client.inject(document, NAME)
    return {}


def _apply_when(client: ControlClient, documents: Sequence[Document], active_at: int) -> None:
    """Wait until the night gets there, whatever its speed and its pauses, and tell the run."""
    try:
        while True:
            now = client.state()
            left_ms = active_at - int(now.get("utc_ms", active_at))
            if left_ms <= 0:
                break
            time.sleep(min(LONGEST_WAIT_S, max(0.05, left_ms / 1000 / float(now["velocidad"]))))
        _tell(client, documents)
    except PrepError as error:
        log.warning("Una medida autorizada no tuvo efecto en la simulación: %s", error)
