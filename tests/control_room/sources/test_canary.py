"""What is public against what is verified, on a night that ran and was spoilt in every way we know."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine as Database

from control_room.night.facts import CanaryFacts, CanaryState
from control_room.sources.canary import Canary, CanaryWatch, check
from control_room.sources.public_files import FolderFiles
from core.operations.header_recount import HeaderRecount
from core.storage.database import open_existing
from core.storage.reading import read_catalog
from tests.control_room.night_folder import copy, database, play, write_behind_the_engine


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play(tmp_path_factory.mktemp("noche") / "corrida")


@pytest.fixture
def night(played: Path, tmp_path: Path) -> Path:
    return copy(played, tmp_path / "corrida")


@pytest.fixture
def base(night: Path) -> Iterator[Database]:
    opened = database(night)
    yield opened
    opened.dispose()


def look(night: Path, base: Database) -> CanaryFacts:
    return check(night / "ultimo", base, 1000, 2000)


def last_number(night: Path) -> int:
    return int((night / "ultimo").resolve().name)


def a_csv(night: Path) -> Path:
    return min((night / "ultimo").resolve().glob("*.csv"))


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_a_healthy_publication_is_equal_to_what_was_verified(night: Path, base: Database) -> None:
    assert look(night, base) == CanaryFacts(CanaryState.EQUAL, "", last_number(night), 1000, 2000)


def test_the_recount_from_the_ledger_gives_the_header_of_every_cut(night: Path, base: Database) -> None:
    with base.connect() as connection:
        recount = HeaderRecount(read_catalog(connection))
        recount.read(connection)
    folders = sorted((night / "cortes").iterdir())
    assert [cut for cut in recount.cuts] == [int(folder.name) for folder in folders]
    assert len(folders) > 5
    for folder in folders:
        index = orjson.loads((folder / "indice.json").read_bytes())
        for contest, published in index["contiendas"].items():
            assert recount.header(index["corte"])[contest] == published["encabezado"]
    final = recount.header(recount.cuts[last_number(night)].number)
    assert all(int(header["ACTAS_CAPTURADAS"]) > 0 for header in final.values())


def test_one_changed_byte_in_a_public_csv_is_named(night: Path, base: Database) -> None:
    flip_a_byte(a_csv(night))
    found = look(night, base)
    assert found.state is CanaryState.DIVERGENT
    assert f"{a_csv(night).name} cambió después de verificarse" in found.reason
    assert found.number == last_number(night)


def test_an_old_pointer_is_behind_and_says_by_how_much(night: Path, base: Database) -> None:
    last = last_number(night)
    (night / "ultimo").unlink()
    (night / "ultimo").symlink_to(f"cortes/{last - 3:04d}")
    found = look(night, base)
    assert found.state is CanaryState.BEHIND
    assert found.reason == f"Lo público es el corte {last - 3} y ya salió el {last}."


def test_an_old_cut_with_changed_data_is_divergent_and_not_only_behind(night: Path, base: Database) -> None:
    last = last_number(night)
    (night / "ultimo").unlink()
    (night / "ultimo").symlink_to(f"cortes/{last - 1:04d}")
    flip_a_byte(a_csv(night))
    assert look(night, base).state is CanaryState.DIVERGENT


@pytest.mark.parametrize("pattern", ["*.csv", "*.zip", "*.xlsx", "indice.json", "manifiesto.json"])
def test_a_missing_file_is_named(night: Path, base: Database, pattern: str) -> None:
    gone = min((night / "ultimo").resolve().glob(pattern))
    gone.unlink()
    found = look(night, base)
    assert found.state is CanaryState.DIVERGENT
    assert "alta el archivo" in found.reason
    assert gone.name in found.reason


def test_a_file_nobody_verified_is_named(night: Path, base: Database) -> None:
    (night / "ultimo" / "JAL_GUB_2021.csv").write_text("inventado")
    found = look(night, base)
    assert found.state is CanaryState.DIVERGENT
    assert "nadie verificó: JAL_GUB_2021.csv" in found.reason


def test_a_rewritten_package_is_told_by_the_hash_in_the_ledger(night: Path, base: Database) -> None:
    """Files and manifest agree with each other, and not with what was verified."""
    lie_in_the_header(night)
    found = look(night, base)
    assert found.state is CanaryState.DIVERGENT
    assert "el manifiesto.json no es el que se verificó" in found.reason


def test_a_header_that_lies_with_a_hash_in_order_is_told_by_the_recount(night: Path) -> None:
    """The publisher itself was wrong: the ledger holds the hash of what it wrote."""
    number, digest, real, said = lie_in_the_header(night)
    write_behind_the_engine(
        night,
        "UPDATE ledger SET data = json_set(data, '$.manifest_sha256', :digest) "
        "WHERE kind = 'cut_published' AND json_extract(data, '$.number') = :number",
        digest=digest,
        number=number,
    )
    opened = database(night)
    found = look(night, opened)
    opened.dispose()
    assert found.state is CanaryState.DIVERGENT
    assert f"ACTAS_CONTABILIZADAS dice {said} y la base cuenta {real}." in found.reason


def lie_in_the_header(night: Path) -> tuple[int, str, str, str]:
    """Count one acta more, in the index and in the manifest. (cut, hash of the manifest, real, said)."""
    folder = (night / "ultimo").resolve()
    index = orjson.loads((folder / "indice.json").read_bytes())
    contest = min(index["contiendas"])
    header = index["contiendas"][contest]["encabezado"]
    real = header["ACTAS_CONTABILIZADAS"]
    said = header["ACTAS_CONTABILIZADAS"] = str(int(real) + 1)
    raw = orjson.dumps(index)
    (folder / "indice.json").write_bytes(raw)
    manifest = orjson.loads((folder / "manifiesto.json").read_bytes())
    for one in manifest["archivos"]:
        if one["ruta"] == "indice.json":
            one.update(bytes=len(raw), sha256=sha256(raw).hexdigest())
    signed = orjson.dumps(manifest)
    (folder / "manifiesto.json").write_bytes(signed)
    return index["corte"], sha256(signed).hexdigest(), real, said


def test_a_changed_root_of_the_json_tree_is_told(night: Path, base: Database) -> None:
    index = orjson.loads((night / "ultimo" / "indice.json").read_bytes())
    root = index["contiendas"][min(index["contiendas"])]["raiz"]
    flip_a_byte(night / "objetos" / root[:2] / f"{root}.json")
    assert "la raíz de los JSON" in look(night, base).reason


def test_nothing_public_is_told_apart_from_nothing_due(night: Path, base: Database, tmp_path: Path) -> None:
    shutil.rmtree(night / "cortes")
    found = look(night, base)
    assert found.state is CanaryState.NOTHING_PUBLIC
    assert f"registra el corte {last_cut(base)}" in found.reason
    quiet = database(play(tmp_path / "sin cortes", cuts=False))
    before = check(tmp_path / "sin cortes" / "ultimo", quiet, 1, 2)
    quiet.dispose()
    assert before.state is CanaryState.NOTHING_PUBLIC
    assert before.reason == "Todavía no sale ningún corte."


def last_cut(base: Database) -> int:
    with base.connect() as connection:
        recount = HeaderRecount(read_catalog(connection))
        recount.read(connection)
    assert recount.last is not None
    return recount.last.number


def test_a_public_cut_the_database_does_not_know_is_divergent(played: Path, tmp_path: Path) -> None:
    quiet = database(play(tmp_path / "otra", cuts=False))
    found = check(played / "ultimo", quiet, 1, 2)
    quiet.dispose()
    assert found.state is CanaryState.DIVERGENT
    assert "no registra ninguno" in found.reason


def test_looking_again_at_what_did_not_change_reads_no_file(
    night: Path, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = Canary(night / "ultimo", base)
    first = canary.check(1000, 2000)
    read: list[str] = []
    digest = FolderFiles.digest

    def counted(self: FolderFiles, name: str) -> tuple[int, str]:
        read.append(name)
        return digest(self, name)

    monkeypatch.setattr(FolderFiles, "digest", counted)
    again = canary.check(5000, 6000)
    assert (again.state, again.since_ms, again.checked_real_ms) == (first.state, 1000, 6000)
    assert read == []
    flip_a_byte(a_csv(night))
    assert canary.check(7000, 8000).state is CanaryState.DIVERGENT
    assert a_csv(night).name in read
    read.clear()
    still = canary.check(9000, 9500)
    assert (still.state, still.since_ms) == (CanaryState.DIVERGENT, 7000)
    assert read == []
    flip_a_byte(a_csv(night))
    assert canary.check(10_000, 10_500).state is CanaryState.EQUAL


def test_a_byte_that_rots_without_touching_the_file_is_found_in_its_turn(
    night: Path, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    canary = Canary(night / "ultimo", base, reread_s=60.0, monotonic=lambda: now[0])
    monkeypatch.setattr(FolderFiles, "marks", lambda self, names: {name: 1 for name in names[:1]})
    assert canary.check(1, 1).state is CanaryState.EQUAL
    flip_a_byte(a_csv(night))
    assert canary.check(2, 2).state is CanaryState.EQUAL
    files = len(list((night / "ultimo").iterdir()))
    states = []
    for _ in range(files):
        now[0] += 60.0
        states.append(canary.check(3, 3).state)
    assert CanaryState.DIVERGENT in states


def test_a_new_cut_is_followed_without_starting_over(played: Path, tmp_path: Path) -> None:
    """As the night goes: the ledger grows, the pointer moves, the same canary looks."""
    night = copy(played, tmp_path / "viva")
    whole = database(played)
    with whole.connect() as connection:
        cuts = HeaderRecount(read_catalog(connection))
        cuts.read(connection)
    whole.dispose()
    earlier = cuts.cuts[3]
    rows = f"DELETE FROM ledger WHERE seq > {earlier.seq}"
    write_behind_the_engine(night, rows)
    (night / "ultimo").unlink()
    (night / "ultimo").symlink_to("cortes/0003")
    opened = database(night)
    canary = Canary(night / "ultimo", opened)
    assert canary.check(1, 1).number == 3
    attach = f"INSERT INTO ledger SELECT * FROM todo.ledger WHERE seq > {earlier.seq}"
    with opened.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("ATTACH DATABASE ? AS todo", (str(played / "prep.db"),))
        raw.execute(attach)
        raw.execute("DETACH DATABASE todo")
    assert canary.check(2, 2).state is CanaryState.BEHIND
    (night / "ultimo").unlink()
    (night / "ultimo").symlink_to(f"cortes/{cuts.last.number:04d}" if cuts.last else "")
    found = canary.check(3, 3)
    opened.dispose()
    assert (found.state, found.number, found.since_ms) == (CanaryState.EQUAL, last_number(played), 3)


def test_the_same_is_seen_with_postgresql(postgres_url: str, tmp_path: Path) -> None:
    night = play(tmp_path / "corrida", base=postgres_url)
    opened = open_existing(postgres_url)
    assert look(night, opened).state is CanaryState.EQUAL
    flip_a_byte(a_csv(night))
    assert look(night, opened).state is CanaryState.DIVERGENT
    opened.dispose()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_public_address_is_compared_as_a_folder_is(night: Path, base: Database) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(night / "ultimo")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    canary = Canary(f"http://127.0.0.1:{server.server_address[1]}", base)
    assert canary.check(1, 1).state is CanaryState.EQUAL
    assert canary.check(2, 2).state is CanaryState.EQUAL
    name = a_csv(night)
    name.unlink()
    gone = canary.check(3, 3)
    assert gone.state is CanaryState.DIVERGENT
    assert name.name in gone.reason
    server.shutdown()
    server.server_close()
    unreachable = canary.check(4, 4)
    assert unreachable.state is CanaryState.NOTHING_PUBLIC
    assert "No se pudo leer lo publicado" in unreachable.reason


def test_the_watch_tells_what_it_last_found_without_waiting(night: Path, base: Database) -> None:
    watch = CanaryWatch(Canary(night / "ultimo", base), lambda: 777, every_s=0.02)
    try:
        assert _until(lambda: watch.facts() is not None and watch.facts().state is CanaryState.EQUAL)  # type: ignore[union-attr]
        flip_a_byte(a_csv(night))
        assert _until(lambda: watch.facts().state is CanaryState.DIVERGENT)  # type: ignore[union-attr]
    finally:
        watch.close()


def test_what_does_not_have_the_shape_of_a_cut_is_divergent_and_the_watch_goes_on(
    night: Path, base: Database
) -> None:
    manifest = night / "ultimo" / "manifiesto.json"
    whole = manifest.read_bytes()
    watch = CanaryWatch(Canary(night / "ultimo", base), lambda: 777, every_s=0.02)
    try:
        broken = orjson.loads(whole)
        broken["archivos"][0]["bytes"] = "x"
        manifest.write_bytes(orjson.dumps(broken))
        assert _until(lambda: watch.facts() is not None and watch.facts().state is CanaryState.DIVERGENT)  # type: ignore[union-attr]
        manifest.write_bytes(whole)
        assert _until(lambda: watch.facts().state is CanaryState.EQUAL)  # type: ignore[union-attr]
    finally:
        watch.close()


def test_what_nobody_could_look_at_for_a_minute_is_not_known_any_more(night: Path, base: Database) -> None:
    real = [1_000_000]
    watch = CanaryWatch(Canary(night / "ultimo", base), lambda: 777, every_s=3600, real_ms=lambda: real[0])
    try:
        assert _until(lambda: watch.facts() is not None and watch.facts().state is CanaryState.EQUAL)  # type: ignore[union-attr]
        real[0] += 61_000
        found = watch.facts()
        assert found is not None
        assert (found.state, "desde hace 61 s" in found.reason) == (CanaryState.NOTHING_PUBLIC, True)
    finally:
        watch.close()


class _CutShort(BaseHTTPRequestHandler):
    """Answers in pieces and hangs up in the middle of one."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b'ff\r\n{"corte"')
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_an_answer_cut_short_is_told_as_what_cannot_be_read(base: Database) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _CutShort)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found = Canary(f"http://127.0.0.1:{server.server_address[1]}", base).check(1, 1)
    finally:
        server.shutdown()
        server.server_close()
    assert found.state is CanaryState.NOTHING_PUBLIC
    assert "No se pudo leer lo publicado" in found.reason


def _until(seen: object, tries: int = 500) -> bool:
    waiting = threading.Event()
    assert callable(seen)
    for _ in range(tries):
        if seen():
            return True
        waiting.wait(0.02)
    return False


def point(night: Path, base: object) -> None:
    """The pointer of the public tree."""
    (night / "corte.json").write_bytes(orjson.dumps({"formato": 1, "base": base}))


def test_a_publication_with_its_pointer_is_read_where_the_pointer_says(night: Path, base: Database) -> None:
    last = last_number(night)
    point(night, f"cortes/{last:04d}/")
    (night / "ultimo").unlink()
    assert check(night, base, 1000, 2000) == CanaryFacts(CanaryState.EQUAL, "", last, 1000, 2000)
    point(night, f"cortes/{last - 2:04d}/")
    behind = check(night, base, 1000, 2000)
    assert (behind.state, behind.number) == (CanaryState.BEHIND, last - 2)
    flip_a_byte(min((night / f"cortes/{last - 2:04d}").glob("*.csv")))
    assert check(night, base, 1000, 2000).state is CanaryState.DIVERGENT


def test_with_a_pointer_the_roots_of_the_tree_are_looked_at_too(night: Path, base: Database) -> None:
    last = last_number(night)
    point(night, f"cortes/{last:04d}/")
    index = orjson.loads((night / f"cortes/{last:04d}/indice.json").read_bytes())
    root = next(iter(index["contiendas"].values()))["raiz"]
    (night / f"objetos/{root[:2]}/{root}.json").unlink()
    assert check(night, base, 1000, 2000).state is CanaryState.DIVERGENT


@pytest.mark.parametrize("named", ["../prep.db", "/etc", "cortes/0001/../..", "", None, 7])
def test_a_pointer_that_names_anything_else_is_not_followed(
    night: Path, base: Database, named: object
) -> None:
    point(night, named)
    found = check(night, base, 1000, 2000)
    assert found.state is CanaryState.DIVERGENT
    assert "corte.json" in found.reason


def test_behind_an_address_the_pointer_is_followed_at_each_look(night: Path, base: Database) -> None:
    last = last_number(night)
    point(night, f"cortes/{last:04d}/")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(night)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/"
        canary = Canary(address, base)
        assert canary.check(1000, 2000).state is CanaryState.EQUAL
        point(night, f"cortes/{last - 1:04d}/")
        assert canary.check(3000, 4000).state is CanaryState.BEHIND
    finally:
        server.shutdown()
        server.server_close()
    assert canary.check(5000, 6000).state is CanaryState.NOTHING_PUBLIC
