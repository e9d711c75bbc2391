"""The base library of the room in a real browser: it never shows old data as if they were live.

A small server stands for the room: it serves the library and a snapshot whose writer, database, session and
version a test can break. The pages' own tests and the real server's are elsewhere.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

ASSETS = Path(__file__).parents[2] / "control_room" / "assets"
LIBRARY = ("05-dom", "06-formatos", "10-sala", "11-barra", "12-dialogos", "13-tabla", "14-grafica")
STALE_S = 1.5
NIGHT_MS = 1_622_770_200_000
"""2021-06-03 20:30 in Jalisco."""

SHELL = """<!DOCTYPE html><html lang="es-MX"><head><meta charset="utf-8"><title>Sala</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/sala.css"></head><body>
<div id="sala"><header id="barra"><div id="barra-titulo"></div><nav id="menu" aria-label="Páginas"></nav>
<div id="barra-estado"></div></header><div id="franja"></div>
<main id="contenido"><div id="pagina" data-pagina="prueba"><p id="dato"></p><div id="tabla"></div></div>
</main></div>SCRIPTS<script>
PREP.register("prueba", {
  apply(s) {
    if (s.roto) throw new Error("roto");
    PREP.text(document.getElementById("dato"), s.eleccion);
    window.veces = (window.veces || 0) + 1;
  },
});
setInterval(() => dash_clientside.sala.pull(), 200);
</script></body></html>"""


@dataclass
class Room:
    """What the small server answers; a test changes it while the page is open."""

    url: str = ""
    seq: int = 0
    boot_id: str = "a"
    version: str = "1"
    writing: bool = True
    silent: bool = False
    signed: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    shift_ms: int = 0
    """How far the writer's clock is from this machine's."""
    written_real_ms: int = 0
    actions: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    fail_actions: int = 0
    refusal: str = ""
    page_loads: int = 0
    kept: dict[int, str] = field(default_factory=dict)
    not_modified: int = 0

    def write(self) -> None:
        """One turn of the writer, unless it is stopped."""
        if self.writing or not self.seq:
            self.seq += 1
            self.written_real_ms = int(time.time() * 1000) + self.shift_ms

    def snapshot(self) -> dict[str, Any]:
        return {
            "seq": self.seq, "boot_id": self.boot_id, "version": self.version, "tick_s": 0.2,
            "viejo_s": STALE_S, "generado_real_ms": self.written_real_ms, "titulo": "PREP de prueba",
            "eleccion": f"turno {self.seq}", "modo": "simulacro", "catd": [],
            "reloj": {"ahora_ms": NIGHT_MS, "velocidad": 60, "estado": "corriendo", "utc_min": -300},
            "base": {"ok": True, "error": None, "desde_real_ms": None, "seq": 1},
        } | self.changes  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Routes of the small server."""

    room: Room
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        room, path = self.room, self.path.split("?")[0]
        if path == "/":
            room.page_loads += 1
            scripts = "".join(f'<script src="/assets/{name}.js"></script>' for name in LIBRARY)
            self._send(SHELL.replace("SCRIPTS", scripts).encode(), "text/html; charset=utf-8")
        elif path.startswith("/assets/"):
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            self._send((ASSETS / path.rsplit("/", 1)[1]).read_bytes(), kind)
        elif not room.signed:
            self._json({"error": {"mensaje": "sin sesión"}}, 401)
        elif path == "/api/yo.json":
            self._json({"usuario": "ana", "nombre": "Ana", "csrf": "f1cha", "permisos": ["ver", "reconocer"]})
        elif path == "/api/historia.json":
            self._json({"momentos": sorted(room.kept)})
        elif path.startswith("/api/historia/"):
            moment = int(path.rsplit("/", 1)[1].removesuffix(".json"))
            clock = {**room.snapshot()["reloj"], "ahora_ms": moment}
            self._json(room.snapshot() | {"eleccion": room.kept[moment], "reloj": clock})
        elif path == "/api/sala.json":
            self._sala()
        else:
            self._send(b"<html>otra cosa</html>", "text/html")

    def _sala(self) -> None:
        if self.room.silent:
            time.sleep(1.0)
            self.close_connection = True
            return
        self.room.write()
        etag = f'"{self.room.boot_id}-{self.room.seq}"'
        if self.headers.get("If-None-Match") == etag:
            self.room.not_modified += 1
            self._send(b"", "application/json", 304, etag)
        else:
            self._json(self.room.snapshot(), 200, etag)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.room.actions.append((self.path.rsplit("/", 1)[1], body, self.headers.get("X-CSRF")))
        if self.room.fail_actions:
            self.room.fail_actions -= 1
            self._json({"error": {"mensaje": "ocupado"}}, 503)
        elif self.room.refusal:
            self._json({"error": {"mensaje": self.room.refusal, "linea": 3}}, 409)
        else:
            self._json({"ok": True, "datos": {"clave": "I-1"}})

    def _json(self, data: dict[str, Any], status: int = 200, etag: str = "") -> None:
        self._send(json.dumps(data).encode(), "application/json", status, etag)

    def _send(self, body: bytes, kind: str, status: int = 200, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what the page asked is looked at in the room."""


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"room": room}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    room.url = f"http://127.0.0.1:{server.server_port}/"
    yield room
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, room: Room) -> Iterator[Page]:
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.set_default_timeout(8000)
    yield page
    context.close()


def open_room(page: Page, room: Room, query: str = "") -> Page:
    """The page open and with its first snapshot on it."""
    page.goto(room.url + query)
    page.wait_for_function("document.getElementById('dato').textContent !== ''")
    return page


def wait(page: Page, expression: str) -> None:
    page.wait_for_function(expression)


def stale(page: Page) -> str | None:
    value: str | None = page.evaluate("document.documentElement.dataset.viejo || null")
    return value


STALE = "document.documentElement.dataset.viejo"
FRESH = "!document.documentElement.dataset.viejo"


def bar(page: Page) -> str:
    return page.locator(".franja-vieja").inner_text()


def test_the_age_of_the_data_is_on_screen_and_live_data_do_not_age(page: Page, room: Room) -> None:
    open_room(page, room)
    time.sleep(STALE_S * 1.6)
    assert page.locator("#insignia").inner_text() in ("Datos hace 0 s", "Datos hace 1 s")
    assert stale(page) is None
    assert not page.locator(".franja-vieja").is_visible()
    # The time of the night is the entidad's, whatever the zone of the computer.
    assert page.locator("#reloj").inner_text() == "20:30"


def test_a_frozen_writer_dims_the_page_in_time_and_says_so(page: Page, room: Room) -> None:
    open_room(page, room)
    room.writing = False
    began = time.monotonic()
    wait(page, STALE)
    assert time.monotonic() - began < STALE_S + 0.6
    assert "DATOS SIN ACTUALIZAR" in bar(page)
    assert "escritor" in bar(page)
    assert float(page.locator("#contenido").evaluate("node => getComputedStyle(node).opacity")) < 1
    room.writing = True
    wait(page, FRESH)


def test_a_frozen_server_dims_the_page_and_names_the_cause(page: Page, room: Room) -> None:
    open_room(page, room)
    room.silent = True
    wait(page, STALE)
    assert "el servidor no responde" in bar(page)
    room.silent = False
    wait(page, FRESH)


def test_a_lost_database_is_said_at_once_even_though_the_writer_goes_on(page: Page, room: Room) -> None:
    open_room(page, room)
    lost = {"ok": False, "error": "x", "desde_real_ms": room.written_real_ms - 90_000, "seq": 1}
    room.changes = {"base": lost}
    wait(page, STALE)
    assert "SIN BASE DE DATOS" in bar(page)
    seconds = int(bar(page).split("ACTUALIZAR ")[1].split(" s")[0])
    assert 90 <= seconds <= 95


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_wrong_clock_changes_nothing(page: Page, room: Room, hours: int) -> None:
    page.clock.install(time=int((time.time() + hours * 3600) * 1000))
    open_room(page, room)
    time.sleep(STALE_S)
    assert stale(page) is None
    assert page.locator("#insignia").inner_text() in ("Datos hace 0 s", "Datos hace 1 s")


def test_a_page_opened_on_a_writer_that_stopped_long_ago_knows_it(page: Page, room: Room) -> None:
    room.write()
    room.writing = False
    room.written_real_ms -= 60_000
    open_room(page, room)
    wait(page, STALE)
    seconds = int(bar(page).split("ACTUALIZAR ")[1].split(" s")[0])
    assert 59 <= seconds <= 66


def test_a_paused_rehearsal_is_not_old_data(page: Page, room: Room) -> None:
    room.changes = {"reloj": {"ahora_ms": NIGHT_MS, "velocidad": 60, "estado": "pausada", "utc_min": -300}}
    open_room(page, room)
    time.sleep(STALE_S * 1.3)
    assert stale(page) is None
    assert page.locator(".velocidad").inner_text() == "EN PAUSA"


def test_a_snapshot_the_page_could_not_show_is_not_taken_for_shown(page: Page, room: Room) -> None:
    open_room(page, room)
    room.writing = False
    wait(page, f"PREP.state.seq === {room.seq}")
    room.changes, room.seq = {"roto": True}, room.seq + 1
    wait(page, STALE)
    assert "no pudo mostrar" in bar(page)
    assert page.evaluate("PREP.state.seq") == room.seq - 1
    # The same seq, asked for again without its ETag, is shown when it can be.
    room.changes = {}
    wait(page, FRESH)
    assert page.locator("#dato").inner_text() == f"turno {room.seq}"


def test_nothing_is_applied_again_when_nothing_changed(page: Page, room: Room) -> None:
    open_room(page, room)
    room.writing = False
    wait(page, f"PREP.state.seq === {room.seq}")
    before = page.evaluate("window.veces")
    while room.not_modified < 3:
        time.sleep(0.05)
    assert page.evaluate("window.veces") == before


def test_a_restart_of_the_room_is_noticed_and_its_lower_seq_taken(page: Page, room: Room) -> None:
    open_room(page, room)
    room.seq = 500
    wait(page, "PREP.state.seq >= 500")
    room.boot_id, room.seq = "b", 1
    wait(page, "PREP.state.stats.restarts === 1 && PREP.state.seq < 100")
    assert "se reinició" in page.locator("#avisos").inner_text()
    assert stale(page) is None


def test_every_snapshot_written_is_seen(page: Page, room: Room) -> None:
    open_room(page, room)
    wait(page, "PREP.state.stats.seen.length >= 8")
    seen = page.evaluate("PREP.state.stats.seen")
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_another_version_reloads_the_page_once(page: Page, room: Room) -> None:
    open_room(page, room)
    room.version = "2"
    wait(page, "window.PREP && PREP.state.version === '2'")
    time.sleep(0.8)
    assert room.page_loads == 2


def test_the_end_of_the_session_reloads_the_page_once(page: Page, room: Room) -> None:
    open_room(page, room)
    room.signed = False
    while room.page_loads < 2:
        page.wait_for_timeout(50)
    page.wait_for_timeout(800)
    assert room.page_loads == 2


def test_a_web_page_in_place_of_data_is_refused(page: Page, room: Room) -> None:
    open_room(page, room)
    told = page.evaluate("PREP.get('/api/mal_escrito.json').catch((error) => error.message)")
    assert told == "El servidor no respondió con datos (200)"


def test_an_action_carries_its_token_and_is_sent_again_once_with_the_same_key(page: Page, room: Room) -> None:
    open_room(page, room)
    room.fail_actions = 1
    assert page.evaluate("PREP.act('abrir_incidente', {titulo: 'x'})") == {"clave": "I-1"}
    (_, first, token), (_, second, _) = room.actions
    assert token == "f1cha"
    assert first == second
    assert len(first.pop("llave")) == 32
    assert first == {"titulo": "x"}


def test_what_the_server_does_not_remember_is_never_sent_twice(page: Page, room: Room) -> None:
    open_room(page, room)
    for name in ("mi_contrasena", "usuario_alta", "simulacro_pausa"):
        room.fail_actions, room.actions = 1, []
        assert page.evaluate(f"PREP.act('{name}', {{}}).catch((error) => error.status)") == 503
        assert len(room.actions) == 1


def test_a_refusal_is_told_and_not_tried_again(page: Page, room: Room) -> None:
    open_room(page, room)
    room.refusal = "<b>ya</b> está cerrado"
    told = page.evaluate(
        "PREP.act('cerrar_incidente', {}).catch((error) => [error.status, error.datos.linea])"
    )
    assert told == [409, 3]
    assert len(room.actions) == 1
    # What the server says is text, never markup.
    assert "<b>ya</b> está cerrado" in page.locator("#avisos").inner_text()
    assert page.locator("#avisos b").count() == 0


def test_a_kept_moment_is_shown_with_its_banner_and_one_comes_back_to_live(page: Page, room: Room) -> None:
    room.kept = {NIGHT_MS - 120_000: "como a las 20:28", NIGHT_MS - 60_000: "como a las 20:29"}
    open_room(page, room, f"?momento={NIGHT_MS - 120_000}")
    assert page.locator("#dato").inner_text() == "como a las 20:28"
    assert page.locator("#momento").inner_text() == "20:28"
    page.get_by_role("button", name="Un momento después").click()
    wait(page, "document.getElementById('dato').textContent === 'como a las 20:29'")
    assert f"momento={NIGHT_MS - 60_000}" in page.url
    # A past moment does not age, and nothing can be done in it.
    time.sleep(STALE_S)
    assert stale(page) is None
    assert page.evaluate("PREP.act('cerrar_incidente', {}).catch((error) => error.message)").startswith(
        "Está viendo"
    )
    assert room.actions == []
    page.get_by_role("button", name="Volver a en vivo").click()
    wait(page, "document.getElementById('dato').textContent.startsWith('turno')")
    assert "momento" not in page.url


def test_a_dialog_is_answered_with_the_keyboard_or_cancelled_with_escape(page: Page, room: Room) -> None:
    open_room(page, room)
    ask = (
        "void PREP.dialog({titulo: 'Asignar', campos: [{nombre: 'a', etiqueta: 'A quién', requerido: true}]})"
        ".then((values) => { window.dijo = values; })"
    )
    page.evaluate(ask)
    page.keyboard.press("Enter")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.type("  luz  ")
    page.keyboard.press("Enter")
    wait(page, "window.dijo && window.dijo.a === 'luz'")
    page.evaluate(ask)
    page.keyboard.press("Escape")
    wait(page, "window.dijo === null")
    assert page.locator("dialog").count() == 0


def test_a_dialog_whose_answer_is_refused_stays_open_with_what_was_typed(page: Page, room: Room) -> None:
    open_room(page, room)
    room.refusal = "ya hay uno"
    page.evaluate(
        "void PREP.dialog({titulo: 'Abrir', campos: [{nombre: 'a', etiqueta: 'Qué pasa', maximo: 5}],"
        " hacer: (values) => PREP.act('abrir_incidente', values)})"
        ".then((values) => { window.dijo = values; })"
    )
    page.keyboard.type("sin luz en todo")
    page.keyboard.press("Enter")
    wait(page, "document.querySelector('dialog[open] #avisos .aviso') !== null")
    field = page.locator("dialog[open] input")
    assert field.input_value() == "sin l"
    assert page.evaluate("window.dijo") is None
    room.refusal = ""
    field.press("Enter")
    wait(page, "window.dijo && window.dijo.a === 'sin l'")
    assert page.locator("dialog").count() == 0
    assert [one[0] for one in room.actions] == ["abrir_incidente"] * 2


TABLE = """PREP.table(document.getElementById('tabla'), {caption: 'Casillas', key: 'id', rows: ROWS,
  columns: [{key: 'n', title: 'Nombre', text: (r) => r.n}, {key: 'v', title: 'Votos', value: (r) => r.v}]})"""


def test_a_table_keeps_the_order_and_the_nodes_of_who_is_reading_it(page: Page, room: Room) -> None:
    open_room(page, room)
    show: Callable[[str], Any] = lambda rows: page.evaluate(TABLE.replace("ROWS", rows))  # noqa: E731
    show("[{id: 1, n: '<i>a</i>', v: 10}, {id: 2, n: 'b', v: 9}, {id: 3, n: 'c', v: null}]")
    page.get_by_role("button", name="Votos").click()
    order = "[...document.querySelectorAll('#tabla tbody th')].map((cell) => cell.textContent)"
    assert page.evaluate(order) == ["b", "<i>a</i>", "c"]
    assert page.locator("#tabla th[aria-sort=ascending]").inner_text().startswith("Votos")
    page.evaluate("window.fila = document.querySelector('#tabla tbody tr')")
    show("[{id: 1, n: '<i>a</i>', v: 1}, {id: 2, n: 'b', v: 9}]")
    assert page.evaluate(order) == ["<i>a</i>", "b"]
    assert page.evaluate("window.fila === document.querySelectorAll('#tabla tbody tr')[1]")


def test_the_theme_is_remembered(page: Page, room: Room) -> None:
    open_room(page, room, "?tema=dark")
    dark = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    page.evaluate("PREP.setTheme('light')")
    light = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    assert dark != light
    open_room(page, room)
    assert page.evaluate("document.documentElement.dataset.tema") == "light"


def test_numbers_and_times_are_written_as_in_mexico_and_never_rounded_up(page: Page, room: Room) -> None:
    open_room(page, room)
    said = page.evaluate(
        "[PREP.pct('82.6599'), PREP.pct('99.99999', 0), PREP.pct(null), PREP.num(21860), PREP.num(1.26, 1),"
        " PREP.hhmm(1622770200000), PREP.dura(65 * 60000), PREP.dura(59999), PREP.cuenta(161000),"
        " PREP.cuenta(-30000)]"
    )
    assert said == ["82.65 %", "99 %", "—", "21,860", "1.3", "20:30", "1 h 05 min", "59 s", "2:41", "+0:30"]
