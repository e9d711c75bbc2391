"""What the room answers: the snapshot as it is, health for probes, history, one CATD, other nights."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from control_room.web.snapshot_file import SnapshotFile
from control_room.writing.history import History
from tests.builders import START_MS
from tests.control_room.web.rooms import TestRoom, make_night, make_room, take_turn


def test_the_snapshot_goes_byte_for_byte_and_packed_when_the_browser_takes_it(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("lectura")
    packed = browser.get("/api/sala.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.data == (shared_room.room.folder / "sala.json.gz").read_bytes()
    plain = browser.get("/api/sala.json", headers={"Accept-Encoding": "identity"})
    assert plain.data == gzip.decompress(packed.data)
    assert plain.mimetype == "application/json"
    assert packed.headers["Cache-Control"] == "private, no-cache"
    snapshot = plain.get_json()
    assert packed.headers["ETag"] == f'"{snapshot["boot_id"]}-{snapshot["seq"]}"'


def test_the_same_snapshot_again_is_a_304_with_the_same_tag_and_its_age(room: TestRoom) -> None:
    browser = room.as_role("lectura")
    tag = browser.get("/api/sala.json").headers["ETag"]
    room.machine.ms += 5_000
    again = browser.get("/api/sala.json", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == tag
    assert again.headers["X-Sala-Edad-Ms"] == "5000"
    take_turn(room.room.options.base, room.room.folder, room.machine)
    assert browser.get("/api/sala.json", headers={"If-None-Match": tag}).status_code == 200


def test_health_is_open_and_turns_bad_when_the_writer_stops(room: TestRoom) -> None:
    client = room.anonymous()
    good = client.get("/salud")
    assert good.status_code == 200
    assert good.get_json() == {"ok": True, "motivo": None, "edad_s": 0.0, "seq": 1}
    room.machine.ms += 12_100
    stale = client.get("/salud")
    assert stale.status_code == 503
    assert stale.get_json()["motivo"] == "datos viejos"


def test_health_says_when_the_database_was_lost(room: TestRoom) -> None:
    path = room.room.folder / "sala.json.gz"
    snapshot = json.loads(gzip.decompress(path.read_bytes()))
    snapshot["base"]["ok"] = False
    path.write_bytes(gzip.compress(json.dumps(snapshot).encode()))
    answer = room.anonymous().get("/salud")
    assert answer.status_code == 503
    assert answer.get_json()["motivo"] == "base de datos perdida"


def test_without_a_writer_nothing_is_made_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    room = make_room(tmp_path_factory.mktemp("sala"), write=False)
    assert room.anonymous().get("/salud").status_code == 503
    answer = room.as_role("lectura").get("/api/sala.json")
    assert answer.status_code == 503
    assert "escritor" in answer.get_json()["error"]["mensaje"]
    room.room.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"no es gzip", gzip.compress(b"{"), gzip.compress(b"{}")],
    ids=["empty", "not gzip", "half a JSON", "an empty JSON"],
)
def test_a_snapshot_that_cannot_be_read_is_no_snapshot(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "sala.json.gz").write_bytes(body)
    assert SnapshotFile(tmp_path).current() is None


def test_the_kept_moments_can_be_opened_as_they_were(room: TestRoom) -> None:
    history = History(room.room.folder / "historia")
    for minute in (1, 2, 3):
        history.keep(START_MS + minute * 60_000, minute, gzip.compress(b'{"minuto":%d}' % minute))
    browser = room.as_role("auditor")
    moments = browser.get("/api/historia.json").get_json()["momentos"]
    assert [START_MS + minute * 60_000 for minute in (1, 2, 3)] == moments[-3:] or set(moments) >= {
        START_MS + minute * 60_000 for minute in (1, 2)
    }
    between = browser.get(f"/api/historia/{START_MS + 150_000}.json")
    assert between.get_json() == {"minuto": 2}
    assert browser.get("/api/historia/1000.json").status_code == 404


def test_one_catd_is_read_from_the_database_and_one_that_is_not_there_is_404(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("lectura")
    detail = browser.get("/api/catd/1.json").get_json()
    assert len(detail["faltan"]) > 0
    missing = browser.get("/api/catd/99.json")
    assert missing.status_code == 404
    assert "99" in missing.get_json()["error"]["mensaje"]


def test_a_lost_database_is_a_503_without_the_words_of_the_driver(room: TestRoom) -> None:
    browser = room.as_role("auditor")
    assert browser.get("/api/catd/0.json").status_code == 200
    room.room.database.dispose()
    Path(room.room.options.base).rename(room.room.folder / "otra.db")
    for suffix in ("-wal", "-shm"):
        Path(room.room.options.base + suffix).unlink(missing_ok=True)
    Path(room.room.options.base).write_bytes(b"esto no es una base" * 100)
    for path in ("/api/catd/0.json", "/api/bitacora.json"):
        answer = browser.get(path)
        assert answer.status_code == 503, path
        assert answer.get_json()["error"]["mensaje"] == "La base de datos no contesta."


def test_the_map_is_drawn_once_and_kept(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("lectura")
    first = browser.get("/api/mapa.json")
    assert first.get_json()["formas"]
    again = browser.get("/api/mapa.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_only_nights_beside_this_one_can_be_compared(room: TestRoom) -> None:
    beside = Path(room.room.options.base).parent.parent / "otra-noche"
    beside.mkdir()
    (beside / "resumen.json").write_text("{}", encoding="utf-8")
    browser = room.as_role("auditor")
    assert "otra-noche" in browser.get("/api/comparables.json").get_json()["carpetas"]
    for name in ("../otra-noche", "/etc", "no-hay", ""):
        assert browser.get("/api/comparar.json", query_string={"con": name}).status_code == 404


def test_what_is_compared_is_the_night_the_room_shows_wherever_its_run_is(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("noches")
    (folder / "base").mkdir()
    (folder / "corridas" / "esta").mkdir(parents=True)
    other = folder / "corridas" / "otra"
    other.mkdir()
    make_night(other, "simulacro")
    (other / "resumen.json").write_text("{}", encoding="utf-8")
    room = make_room(folder / "base", run_folder=folder / "corridas" / "esta")
    # Were the folder of the run taken for that of a room, this would be the night.
    make_night(folder / "corridas", "oficial")
    answer = room.as_role("auditor").get("/api/comparar.json", query_string={"con": "otra"})
    assert answer.status_code == 200, answer.text
    assert (answer.get_json()["esta"]["nombre"], answer.get_json()["esta"]["modo"]) == ("esta", "simulacro")
    room.room.close()


def test_a_folder_that_cannot_be_looked_into_is_no_other_night(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Path(room.room.options.base).parent.parent / "ajena"
    closed.mkdir(exist_ok=True)
    look = Path.is_file

    def is_file(path: Path) -> bool:
        if path.parent == closed:
            raise PermissionError(13, "Permission denied")
        return look(path)

    # The tests may run as who may look everywhere.
    monkeypatch.setattr(Path, "is_file", is_file)
    answer = room.as_role("auditor").get("/api/comparables.json")
    assert answer.status_code == 200
    assert "ajena" not in answer.get_json()["carpetas"]


def test_a_forecast_that_cannot_be_made_says_why(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("coordinador")
    answer = browser.post("/api/pronostico", {"si": "enlace"})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["campo"] == "si"
