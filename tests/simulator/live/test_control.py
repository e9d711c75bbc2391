"""The control channel, and a live night governed through it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.cli_output import Output
from core.cli_spanish import SpanishParser
from core.cli_verb import Answer
from core.domain.events import EventKind
from core.errors import InputError, PrepError, UsageError
from core.operations.check import check
from core.storage.database import open_existing
from core.storage.reading import ledger_events, reading
from simulator.live.control import CONTROL, HOST, ControlClient, ControlError, ControlServer, NoLiveNightError
from simulator.live.verb import VERB
from simulator.night.network import exercise_of
from simulator.night.restart import OtherRunError, check_same_run
from simulator.output import MARKER
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.conftest import Prep
from tests.simulator.night.test_restart import SMALL, killed

OUTAGE = """\
[[falla_enlace]]
tipo = "sin_enlace"
nombre = "Corte en vivo"
catd = [1]
dura_min = 40
variacion = 0.0
medidas = false
"""


def echo(order: dict[str, Any]) -> dict[str, Any]:
    if order["orden"] == "velocidad":
        raise UsageError("esa no")
    return order


@contextmanager
def serving(folder: Path) -> Iterator[ControlClient]:
    server = ControlServer(folder, echo)
    try:
        yield ControlClient(folder)
    finally:
        server.close()


def said(folder: Path, line: bytes) -> dict[str, Any]:
    port = json.loads((folder / CONTROL).read_text())["puerto"]
    with socket.create_connection((HOST, port), timeout=5) as connection:
        connection.sendall(line)
        with connection.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline())
    return answer


def control(folder: Path, *arguments: str | Path) -> Answer:
    """`prep control` without the process around it."""
    parser = SpanishParser(prog="prep control")
    VERB.add_arguments(parser)
    return VERB.run(parser.parse_args([str(folder), *map(str, arguments)]), Output(silent=True))


def test_orders_arrive_whole_and_refusals_come_back_as_errors(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        assert client.ask("eco", texto="ñandú\n", lista=[1, 2]) == {
            "orden": "eco", "texto": "ñandú\n", "lista": [1, 2]
        }  # fmt: skip
        with pytest.raises(ControlError, match="esa no"):
            client.set_speed(3)
        assert client.restore([12])["documento"] == {"restablecer": {"catd": [12]}}


def test_only_who_may_read_the_token_is_obeyed(tmp_path: Path) -> None:
    with serving(tmp_path):
        assert stat.S_IMODE((tmp_path / CONTROL).stat().st_mode) == 0o600
        for line in (b'{"orden": "eco"}\n', b'{"token": "otro", "orden": "eco"}\n'):
            answer = said(tmp_path, line)
            assert answer["ok"] is False
            assert "token" in answer["error"]["mensaje"]
    assert not (tmp_path / CONTROL).exists()


@pytest.mark.parametrize("line", [b"hola\n", b"[1]\n", b'"' + b"x" * (1 << 20) + b'"\n'])
def test_what_is_not_an_order_is_refused_and_the_channel_lives_on(tmp_path: Path, line: bytes) -> None:
    with serving(tmp_path) as client:
        assert "JSON" in said(tmp_path, line)["error"]["mensaje"]
        assert client.ask("eco") == {"orden": "eco"}


def test_without_a_live_night_it_says_so(tmp_path: Path) -> None:
    client = ControlClient(tmp_path)
    with pytest.raises(NoLiveNightError, match="no hay ninguna"):
        client.state()
    with serving(tmp_path):
        left = (tmp_path / CONTROL).read_text()
    (tmp_path / CONTROL).write_text(left)
    with pytest.raises(NoLiveNightError, match="no responde"):
        client.pause()
    (tmp_path / CONTROL).unlink()
    (tmp_path / "resumen.json").write_text("{}")
    with pytest.raises(NoLiveNightError, match="no fue en vivo"):
        client.state()
    (tmp_path / "resumen.json").write_text('{"en_vivo": {}}')
    assert client.state() == {"estado": "terminada"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pausa", "3"), "no lleva"),
        (("velocidad",), "Falta el número"),
        (("velocidad", "rápido"), "rápido"),
        (("inyectar",), "archivo TOML"),
        (("restablecer",), "--catd"),
        (("estado", "--catd", "3"), "restablecer"),
        (("trasladar",), "--capturistas"),
        (("pausa", "--capturistas", "3"), "trasladar"),
    ],
)
def test_an_order_with_what_it_does_not_use_is_a_mistake(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        control(tmp_path, *arguments)


class Live:
    """A live run in a process of its own, paused as soon as it answers."""

    def __init__(self, cwd: Path, *arguments: str | Path) -> None:
        self.folder = cwd / "s"
        self.process = subprocess.Popen(
            [
                Path(sys.executable).parent / "prep", "simular", SMALL, "--salida", self.folder,
                "--semilla", "4", *arguments,
            ],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            # Tests that run in the background inherit an ignored SIGINT; whoever types Ctrl-C does not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        self.client = ControlClient(self.folder)
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.client.state()["estado"] != "poniendose_al_corriente":
                    break
            except NoLiveNightError:
                time.sleep(0.02)
        self.client.pause()

    def reach(self, minute: float) -> None:
        """Go on until a minute of the night has passed, and pause."""
        self.client.set_speed(6_000)
        self.client.resume()
        while self.client.state()["minuto"] < minute:
            time.sleep(0.005)
        self.client.pause()

    def finish(self) -> str:
        """Go on to the end; what it wrote on stderr."""
        self.client.set_speed(100_000)
        self.client.resume()
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return errors

    def stop(self) -> None:
        """For the end of a test, whatever happened in it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    run = Live(tmp_path, "--velocidad", "60")
    yield run
    run.stop()


def head_of(folder: Path) -> str:
    database = open_existing(str(folder / "prep.db"))
    try:
        checked = check(database)
        assert checked.correct
        return checked.last_hash.hex()
    finally:
        database.dispose()


def replayed(prep: Prep, live: Live, name: str, *, point: tuple[str, int] | None = None) -> str:
    """The same night from its instructions, in virtual time, killed at a point if one is given."""
    folder = live.folder.parent / name
    folder.mkdir()
    for left in (MARKER, "instrucciones.jsonl"):
        shutil.copy(live.folder / left, folder / left)
    run = ("simular", SMALL, "--salida", folder, "--semilla", "4", "--continuar")
    if point is not None:
        killed(folder.parent, *point, *run)
    done = prep(*run)
    assert done.returncode == 0, done.stderr
    return head_of(folder)


def test_a_night_governed_live_is_repeated_from_its_instructions(prep: Prep, live: Live) -> None:
    fault = live.folder.parent / "falla.toml"
    fault.write_text(OUTAGE, encoding="utf-8")
    live.reach(100)
    state = control(live.folder, "estado").data
    assert state["estado"] == "pausada"
    assert 100 <= float(str(state["minuto"])) < 240
    before = live.client.state()["virtual_ms"]
    told = control(live.folder, "inyectar", fault).data
    assert abs(int(str(told["virtual_ms"])) - before) <= 1
    live.reach(115)
    control(live.folder, "trasladar", "--capturistas", "3")
    assert control(live.folder, "restablecer", "--catd", "1").data["restablecidos"] == [1]
    restored = control(live.folder, "restablecer", "--catd", "1", "3")
    assert restored.data["restablecidos"] == [3]
    assert restored.text.endswith("Terminan las fallas de enlace de CATD 3. No tenían ninguna: CATD 1.")
    with pytest.raises(ControlError, match=r"Ninguno de esos CATD \(1, 3\)"):
        control(live.folder, "restablecer", "--catd", "1", "3")
    live.finish()
    assert not (live.folder / CONTROL).exists()
    assert live.client.state() == {"estado": "terminada"}
    summary = json.loads((live.folder / "resumen.json").read_text(encoding="utf-8"))
    assert summary["en_vivo"]["instrucciones"] == 4
    recorded = (live.folder / "instrucciones.jsonl").read_text(encoding="utf-8")
    assert len(recorded.splitlines()) == 4
    assert "Corte en vivo" in {one["nombre"] for one in summary["incidentes"]}
    head = head_of(live.folder)
    database = open_existing(str(live.folder / "prep.db"))
    with reading(database) as connection:
        events = [event for _, event, _ in ledger_events(connection)]
    database.dispose()
    assert EventKind.INCIDENT_OPENED in {event.kind for event in events}
    measures = [event.data for event in events if event.kind is EventKind.MEASURE_APPLIED]
    assert [one["catds"] for one in measures if one["measure"] == "Enlace restablecido"] == [[1], [3]]
    assert replayed(prep, live, "otra") == head
    assert replayed(prep, live, "muerta", point=("recien_confirmado", 9)) == head
    # Without the instructions it is another night.
    assert prep("simular", SMALL, "--salida", "sola", "--semilla", "4").returncode == 0
    assert head_of(live.folder.parent / "sola") != head


def test_an_injection_that_is_wrong_says_file_line_and_key_and_changes_nothing(live: Live) -> None:
    wrong = live.folder.parent / "mala.toml"
    live.reach(30)
    for text, line, words in (
        (OUTAGE.replace("sin_enlace", "sin_luz"), 2, "sin_enlace"),
        (OUTAGE.replace("catd = [1]", "catd = [1, 999]"), 4, "CATD del catálogo"),
        (OUTAGE + "a_los_min = 3\n", 8, "ya pasó"),
        (OUTAGE + "dura = 3\n", 8, "no se conoce"),
        ("[personal]\nausencia = 0.5\n", 2, "no se conoce"),
        ("[restablecer]\ncatd = [999]\n", 2, "CATD del catálogo"),
        ("# nada\n", None, "no dice nada que hacer"),
    ):
        wrong.write_text(text, encoding="utf-8")
        with pytest.raises(ControlError) as refused:
            control(live.folder, "inyectar", wrong)
        assert refused.value.as_data()["linea"] == line
        assert refused.value.as_data()["archivo"] == str(wrong)
        assert words in str(refused.value)
    wrong.write_text("[[falla_enlace\n", encoding="utf-8")
    with pytest.raises(InputError, match="línea 1"):
        control(live.folder, "inyectar", wrong)
    with pytest.raises(PrepError, match="velocidad"):
        control(live.folder, "velocidad", "0")
    assert not (live.folder / "instrucciones.jsonl").exists()


def test_another_run_is_told_apart_in_spanish(tmp_path: Path) -> None:
    run = {"escenario_sha256": "a", "semilla": 4, "catalogo_sha256": "b", "cortes": False}
    marker = tmp_path / MARKER
    marker.write_text(json.dumps({"corrida": run}), encoding="utf-8")
    check_same_run(tmp_path, marker, {**run})
    with pytest.raises(OtherRunError, match=r"\(la de la carpeta: no; la pedida: sí\)"):
        check_same_run(tmp_path, marker, {**run, "cortes": True})


def test_an_exercise_says_its_percentage_as_spanish_writes_it() -> None:
    loaded = load_scenario(SMALL)
    exercise = loaded.scenario.continuity.exercises[0].model_copy(update={"capacity": 0.05})
    outage = exercise_of(open_scenario_catalog(loaded), exercise, "ejercicio/0", 0)
    assert outage.incident.measures[0].effect == "otro medio con 5 % del enlace"


def test_stopped_from_the_keyboard_it_can_be_continued(prep: Prep, live: Live) -> None:
    live.reach(90)
    live.process.send_signal(signal.SIGINT)
    _, errors = live.process.communicate(timeout=30)
    assert live.process.returncode == 130
    assert "--continuar" in errors
    assert not (live.folder / CONTROL).exists()
    assert_it_can_be_continued(prep, live.folder)


@pytest.mark.parametrize("whom", ["modelo", "escritor"])
def test_whichever_of_its_two_processes_is_killed_it_can_be_continued(
    prep: Prep, live: Live, whom: str
) -> None:
    live.reach(90)
    live.client.resume()
    if whom == "modelo":
        live.process.kill()
        live.process.communicate(timeout=30)
    else:
        number = live.process.pid
        (writer,) = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="utf-8").split()
        os.kill(int(writer), signal.SIGKILL)
        _, errors = live.process.communicate(timeout=30)
        assert live.process.returncode == 2
        assert "--continuar" in errors
    assert_it_can_be_continued(prep, live.folder)


def assert_it_can_be_continued(prep: Prep, folder: Path) -> None:
    run = ("simular", SMALL, "--semilla", "4", "--salida")
    done = prep(*run, folder, "--continuar", "--json")
    assert done.returncode == 0, done.stderr
    assert prep(*run, "entera").returncode == 0
    assert head_of(folder) == head_of(folder.parent / "entera")


def test_a_live_night_is_read_while_it_runs(live: Live) -> None:
    live.reach(120)
    until = time.monotonic() + 10
    database = open_existing(str(live.folder / "prep.db"))
    while time.monotonic() < until and live.client.state()["por_escribir"]:
        time.sleep(0.02)
    time.sleep(0.2)
    with reading(database) as connection:
        events = [event for _, event, _ in ledger_events(connection)]
    database.dispose()
    assert EventKind.ACTA_VERIFIED in {event.kind for event in events}
    assert max(event.recorded_at for event in events) <= live.client.state()["utc_ms"]
    assert len([event for event in events if event.kind is EventKind.CUT_PUBLISHED]) > 2
    assert (live.folder / "ultimo" / "indice.json").is_file()
