"""A whole rehearsal played through the screens by four people, with a wall that watches it from start to end.

It does what a person would, and writes down what the screens showed; the tests judge it. What is done by
screens: the speed, an outage in two CATDs, an incident, a measure, the end of both. Nothing is done by API.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Locator

from simulator.live.control import ControlClient
from tests.control_room.browser.screens import Screen
from tests.control_room.browser.served import LiveNight, ServedRoom

FIRST, SECOND = "CATD A (D1)", "CATD C (D2)"
"""The first is mended by a measure of the plan; the second, by the instructor."""
TITLE = "Sin enlace en el CATD A"
MEASURE = "Llamada y reinicio del enrutador"
NOTE = "El proveedor dio el folio 4471"
REMEDY = "Volvió con el reinicio del enrutador"
CAUSE = "Enrutador colgado"
QUIET_MIN = 25
"""Minute of the night in which the outage begins: packages are arriving and nothing else has failed."""
OUTAGE_MIN = 120
SLOW, FAST = 60, 600
KEEP = """() => {
  window.vistas = [JSON.stringify(PREP.snapshot)];
  PREP.on('snapshot', one => window.vistas.push(JSON.stringify(one)));
}"""
REFUSED = "/api/acciones/autorizar_medida"
END_S = 90.0


@dataclass
class Record:
    """What happened, as the screens told it."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    """Every snapshot the wall showed, in order."""
    fired: list[str] = field(default_factory=list)
    """Alerts of the outage as the wall drew them."""
    waits: str = ""
    """What the proposer reads while his measure waits."""
    proposer_buttons: list[str] = field(default_factory=list)
    refusal: str = ""
    """What the engine answers to the proposer who authorises his own measure all the same."""
    active: str = ""
    """The measure, as the page shows it when it is in use."""
    story: str = ""
    """The incident once it is closed."""
    log: dict[str, str] = field(default_factory=dict)
    """The bitácora, by class."""
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    exit_code: int | None = None


class Rehearsal:
    """The people, the room and the night."""

    def __init__(self, browser: Browser, room: ServedRoom, night: LiveNight) -> None:
        self.night = night
        self.control = ControlClient(night.folder)
        self.record = Record()
        self.wall = Screen(browser, room, "muro", size="muro", path="/?muro=1")
        self.instructor = Screen(browser, room, "instructor", path="/simulacro")
        self.operator = Screen(browser, room, "operador", path="/incidentes")
        self.coordinator = Screen(browser, room, "coordinador", path="/continuidad")
        self.people = (self.wall, self.instructor, self.operator, self.coordinator)
        # From here on, and the night is still in its first minute: four browsers that start at once may
        # leave the wall without the processor for longer than a snapshot lives.
        self.wall.page.evaluate(KEEP)

    def play(self) -> Record:
        """From the first minute to the close."""
        self._speed(300)
        self._wait_minute(QUIET_MIN)
        self._speed(SLOW)
        self._outage()
        incident = self._open_incident()
        self._measure()
        self._mended()
        self._close_incident(incident)
        self._speed(FAST)
        self._to_the_end()
        self._read_log()
        self._leave()
        return self.record

    def _speed(self, speed: int) -> None:
        self.instructor.page.locator(f"#sim-velocidad-{speed}").click()
        self.instructor.until("la velocidad cambia", lambda: self.control.state().get("velocidad") == speed)

    def _wait_minute(self, minute: float) -> None:
        self.wall.until(f"el minuto {minute}", lambda: self.control.state()["minuto"] >= minute, 60)

    def _outage(self) -> None:
        page = self.instructor.page
        page.get_by_role("tab", name="Internet").click()
        page.get_by_label("Dura (minutos)").fill(str(OUTAGE_MIN))
        for name in (FIRST, SECOND):
            page.locator("#sim-forma").get_by_label(name).check()
        page.get_by_role("button", name="Inyectar ahora: Internet").click()
        page.locator("#sim-respuesta").get_by_text("Surte efecto").wait_for()
        alerts = """() => {
          const found = [...document.querySelectorAll('#alertas .alerta')]
            .filter(one => one.prepAlert && one.prepAlert.regla === 'A01');
          const touched = new Set(found.flatMap(one => one.prepAlert.catds));
          return touched.has(0) && touched.has(2) && found.map(one => one.textContent);
        }"""
        self.record.fired = self.wall.wait("las alertas de los dos CATD en el muro", alerts, seconds=40)

    def _open_incident(self) -> Locator:
        page = self.operator.page
        page.get_by_role("button", name="Abrir incidente").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Qué pasa").fill(TITLE)
        dialog.get_by_label(FIRST).check()
        dialog.get_by_role("button", name="Abrir incidente").click()
        page.locator("#inc-tablero").get_by_role("button").filter(has_text=TITLE).click()
        detail = page.locator("#inc-detalle")
        detail.get_by_role("button", name="Atender").click()
        self._state(detail, "Atendido")
        detail.get_by_label("Nota para la bitácora").fill(NOTE)
        detail.get_by_role("button", name="Guardar nota").click()
        detail.get_by_text(NOTE).wait_for()
        return detail

    def _state(self, detail: Locator, word: str) -> None:
        detail.locator(".detalle-cabeza .sello").filter(has_text=word).wait_for()

    def _measure(self) -> None:
        page = self.operator.page
        page.locator("#inc-detalle").get_by_role("button", name="Proponer medida").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Medida").select_option(label=MEASURE)
        dialog.get_by_role("button", name="Proponer").click()
        self.operator.go("/continuidad", "continuidad")
        mine = page.locator("#con-propuestas li.medida").filter(has_text=MEASURE)
        mine.wait_for()
        self.record.waits = mine.locator(".espera").inner_text()
        self.record.proposer_buttons = mine.get_by_role("button").all_inner_texts()
        self.record.refusal = page.evaluate(
            """async () => {
              const one = PREP.snapshot.continuidad.activaciones.find(one => one.estado === 'propuesta');
              const asked = PREP.act('autorizar_medida', {activacion: one.clave});
              return asked.then(() => '', error => error.message);
            }"""
        )
        other = self.coordinator.page
        proposal = other.locator("#con-propuestas li.medida").filter(has_text=MEASURE)
        proposal.get_by_role("button", name="Autorizar").click()
        other.get_by_role("dialog").get_by_role("button", name="Autorizo").click()
        active = other.locator("#con-activas li.medida").filter(has_text=MEASURE)
        active.get_by_role("button", name="Marcar como hecho").first.click()
        other.get_by_role("dialog").get_by_role("button", name="Está hecho").click()
        active.get_by_text("1 de 4 pasos hechos").wait_for()
        self.record.active = active.inner_text()

    def _mended(self) -> None:
        page = self.instructor.page
        page.get_by_role("tab", name="Volver el enlace").click()
        page.locator("#sim-forma").get_by_label(SECOND).check()
        page.get_by_role("button", name="Inyectar ahora: Volver el enlace").click()
        page.locator("#sim-respuesta").get_by_text("Vuelve el enlace de").wait_for()
        clear = """() => ![...document.querySelectorAll('#alertas .alerta')].some(one =>
          one.prepAlert && one.prepAlert.regla === 'A01'
            && one.prepAlert.catds.some(id => id === 0 || id === 2))"""
        self.wall.wait("el muro ya no tiene las alertas", clear, seconds=60)

    def _close_incident(self, detail: Locator) -> None:
        operator, coordinator = self.operator, self.coordinator
        key = next(one["clave"] for one in operator.snapshot()["incidentes"] if one["titulo"] == TITLE)
        operator.go(f"/incidentes?incidente={key}", "incidentes")
        detail.get_by_role("button", name="Resolver").click()
        dialog = operator.page.get_by_role("dialog")
        dialog.get_by_label("Qué lo resolvió").fill(REMEDY)
        dialog.get_by_role("button", name="Está resuelto").click()
        self._state(detail, "Resuelto")
        coordinator.go(f"/incidentes?incidente={key}", "incidentes")
        theirs = coordinator.page.locator("#inc-detalle")
        theirs.get_by_role("button", name="Cerrar", exact=True).click()
        dialog = coordinator.page.get_by_role("dialog")
        dialog.get_by_label("Causa, para el informe").fill(CAUSE)
        dialog.get_by_role("button", name="Cerrar").click()
        self._state(theirs, "Cerrado")
        self.record.story = theirs.inner_text()

    def _to_the_end(self) -> None:
        self.wall.wait("el muro dice que cerró", "() => PREP.snapshot.fase === 'cerrada'", seconds=END_S)
        self.record.exit_code = self.night.process.wait(END_S)
        self.record.seen = list(map(_parsed, self.wall.page.evaluate("() => window.vistas")))

    def _read_log(self) -> None:
        page = self.coordinator.page
        self.coordinator.go("/bitacora", "bitacora")
        for kind in ("incidentes", "continuidad", "alertas", "operacion"):
            page.get_by_label("Clase").select_option(kind)
            self.coordinator.settle()
            self.record.log[kind] = page.locator("#bit-tabla").inner_text()

    def _leave(self) -> None:
        for person in self.people:
            # The refusal that was looked for is the only fault.
            self.record.complaints += [one for one in person.log.complaints if REFUSED not in one]
            self.record.outside += person.log.outside()
            person.close()


def _parsed(text: str) -> dict[str, Any]:
    return dict(json.loads(text))
