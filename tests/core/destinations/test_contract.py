"""What a folder and a bucket must do alike: the same tests on both, the bucket on a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import obstore
import pytest

from core.destinations import Destination, Distributor, Pace
from core.destinations.directory import DirectoryDestination
from core.destinations.distributor import Courier
from core.destinations.s3 import S3Destination
from core.destinations.target import ConflictError, Item, VerificationError
from tests.core.destinations.work_tree import WorkTree, missing_of_the_shown_cut, shown

Opener = Callable[[], Destination]
QUICK = Pace(first_retry_s=0.05, last_retry_s=0.1, recheck_s=0.2, silent_s=0.3)
WAIT_S = 20.0


def item(work: WorkTree, key: str) -> Item:
    data = (work.root / key).read_bytes()
    return Item(key, work.root / key, sha256(data).hexdigest(), len(data))


def publish(work: WorkTree, destination: Destination, *, pace: Pace = QUICK) -> dict[str, object]:
    """Bring a destination up to date, and close; returns its state."""
    with Distributor(work.root, [destination], pace=pace) as distributor:
        distributor.drain(WAIT_S)
        (state,) = distributor.states()
    return state


def fails(work: WorkTree, destination: Destination, *, seconds: float = 0.5) -> dict[str, object]:
    """The state of a destination that must not be brought up to date."""
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert not distributor.drain(seconds)
        (state,) = distributor.states()
    return state


def test_an_immutable_file_is_written_once_and_read_back_whole(
    destination: Destination, work: WorkTree
) -> None:
    with destination.exclusive():
        for key in ("cortes/0001/JAL.csv", "emisiones/0001.json", "difusion/0001.zip"):
            thing = item(work, key)
            destination.put_new(thing)
            destination.verify(key, thing.sha256, thing.size)
            assert destination.put_new(thing) == 0, "the same file again is not sent again"
            stored = destination.get(key)
            assert stored is not None
            assert stored.data == thing.path.read_bytes()


def test_another_content_never_takes_the_place_of_an_immutable_file(
    destination: Destination, work: WorkTree
) -> None:
    publish(work, destination)
    key = "difusion/0001.zip"
    before = destination.get(key)
    work.write(key, b"PK otra cosa")
    with destination.exclusive(), pytest.raises(ConflictError, match="otro contenido"):
        destination.put_new(item(work, key))
    after = destination.get(key)
    assert before is not None
    assert after is not None
    assert after.data == before.data


def test_reading_back_notices_what_is_not_what_was_sent(destination: Destination, work: WorkTree) -> None:
    thing = item(work, "cortes/0001/JAL.csv")
    with destination.exclusive():
        destination.put_new(thing)
        with pytest.raises(VerificationError):
            destination.verify(thing.key, "0" * 64, thing.size)
        with pytest.raises(VerificationError):
            destination.verify(thing.key, thing.sha256, thing.size + 1)


def test_a_swap_over_a_version_that_changed_meanwhile_is_refused(reopen: Opener) -> None:
    one, other = reopen(), reopen()
    with one.exclusive():
        one.put_mutable("corte.json", b"1", replacing=None)
        read_by_one = one.get("corte.json")
    with other.exclusive():
        other.put_mutable("corte.json", b"2", replacing=other.get("corte.json"))
    with one.exclusive():
        with pytest.raises(ConflictError):
            one.put_mutable("corte.json", b"3", replacing=read_by_one)
        with pytest.raises(ConflictError):
            one.put_mutable("corte.json", b"3", replacing=None)
        stored = one.get("corte.json")
    assert stored is not None
    assert stored.data == b"2"


def test_an_empty_destination_gets_everything_public_and_nothing_else(
    destination: Destination, work: WorkTree
) -> None:
    work.publish()
    work.notice()
    state = publish(work, destination)

    assert state["estado"] == "al_corriente"
    assert (state["corte"], state["atraso_cortes"], state["atraso_s"], state["error"]) == (2, 0, 0, None)
    assert missing_of_the_shown_cut(destination) == []
    there = {entry.key for entry in destination.list()}
    for path in work.root.rglob("*"):
        key = str(path.relative_to(work.root))
        if path.is_file() and not key.startswith(".emision") and key != "prep.db":
            assert key in there, key
            stored = destination.get(key)
            assert stored is not None
            assert stored.data == path.read_bytes()
    assert destination.get("prep.db") is None
    assert state["subidos"] == len(there)


def test_only_what_is_new_is_sent_at_the_next_cut(destination: Destination, work: WorkTree) -> None:
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert distributor.drain(WAIT_S)
        (before,) = distributor.states()
        work.publish()
        distributor.announce()
        assert distributor.drain(WAIT_S)
        (after,) = distributor.states()
    # Objects, image and view, leaf tile, CSV, ZIP, index, manifest, emission, difusion, two tiles of the
    # log, checkpoint, pointer.
    assert after["subidos"] - before["subidos"] == 4 + 2 + 1 + 4 + 2 + 2 + 2


def test_a_destination_some_cuts_behind_catches_up_at_once(reopen: Opener, work: WorkTree) -> None:
    publish(work, reopen())
    for _ in range(3):
        work.publish()
    state = publish(work, reopen())
    assert state["corte"] == 4
    for number in range(1, 5):
        assert reopen().get(f"emisiones/{number:04d}.json") is not None
    assert missing_of_the_shown_cut(reopen()) == []


def test_an_older_work_folder_never_moves_the_pointer_back(
    reopen: Opener, work: WorkTree, tmp_path: Path
) -> None:
    old = WorkTree(tmp_path / "vieja")
    old.publish()
    work.publish()
    publish(work, reopen())
    state = fails(old, reopen())
    assert "más nuevo: corte 2" in str(state["error"])
    pointer = shown(reopen())
    assert pointer is not None
    assert pointer["corte"] == 2
    assert missing_of_the_shown_cut(reopen()) == []


def test_a_pointer_written_again_earlier_does_not_replace_a_later_one(
    destination: Destination, work: WorkTree
) -> None:
    work.point(generated_ms=5_000)
    publish(work, destination)
    work.point(generated_ms=4_000)
    state = publish(work, destination)
    assert state["estado"] == "al_corriente"
    pointer = shown(destination)
    assert pointer is not None
    assert pointer["generado_ms"] == 5_000


@pytest.mark.parametrize(
    ("mode", "origin"),
    [("oficial", "prep.jal.2021/simulacro"), ("simulacro", "prep.jal.2021/otro")],
)
def test_a_destination_of_another_publication_is_left_as_it_is(
    reopen: Opener, work: WorkTree, tmp_path: Path, mode: str, origin: str
) -> None:
    publish(work, reopen())
    other = WorkTree(tmp_path / "otra", mode=mode, origin=origin)
    for _ in range(3):
        other.publish()
    other.pages({"index.html": "<p>otra</p>"})
    state = fails(other, reopen())
    assert "de otra publicación" in str(state["error"])
    assert state["estado"] == "atrasado"
    found = reopen().get("index.html")
    assert found is not None
    assert found.data == (work.root / "index.html").read_bytes()


def test_a_log_that_is_not_the_one_there_is_never_sent(
    reopen: Opener, work: WorkTree, tmp_path: Path
) -> None:
    publish(work, reopen())
    fork = WorkTree(tmp_path / "bifurcada")
    fork.publish()
    fork.log_root = lambda size: "f" * 64  # type: ignore[method-assign]
    fork.point(generated_ms=10**13)
    assert "no es el principio" in str(fails(fork, reopen())["error"])


def test_the_checkpoint_with_more_signatures_stays(reopen: Opener, work: WorkTree) -> None:
    work.point(signatures=3)
    publish(work, reopen())
    work.point(signatures=1, generated_ms=10**13)
    publish(work, reopen())
    stored = reopen().get("checkpoint")
    assert stored is not None
    assert stored.data.count("— ".encode()) == 3


def test_what_the_pointer_does_not_announce_is_not_shown(destination: Destination, work: WorkTree) -> None:
    """The files of a cut that is being made, and the tiles of a log that grew, wait for their pointer."""
    work.prepare(2)
    work.write("avisos/0001.json", b'{"detalle":{}}')
    work.write("tile/0/000.p/9", b"\1" * 32 * 9)
    assert publish(work, destination)["estado"] == "al_corriente"
    there = {entry.key for entry in destination.list()}
    assert not [key for key in there if key.startswith(("cortes/0002", "emisiones/0002", "difusion/0002"))]
    assert "avisos/0001.json" not in there
    assert "tile/0/000.p/9" not in there


def test_the_portal_is_there_before_the_first_cut(destination: Destination, tmp_path: Path) -> None:
    work = WorkTree(tmp_path / "sin-cortes")
    publish(work, destination)
    there = {entry.key for entry in destination.list()}
    assert {"index.html", "llaves.json"} <= there
    assert any(key.startswith("sitio/") for key in there)
    assert shown(destination) is None


def test_a_work_folder_without_cuts_does_not_touch_a_destination_that_has_them(
    reopen: Opener, work: WorkTree, tmp_path: Path
) -> None:
    publish(work, reopen())
    empty = WorkTree(tmp_path / "vacia")
    empty.pages({"index.html": "<p>vacía</p>"})
    with Distributor(empty.root, [reopen()], pace=QUICK) as distributor:
        assert not distributor.drain(0.5)
    found = reopen().get("index.html")
    assert found is not None
    assert b"vac" not in found.data


@pytest.mark.parametrize("spoiled", ["objetos", "cortes/0001/JAL.csv", "cortes/0001/manifiesto.json"])
def test_a_damaged_file_of_the_work_folder_goes_nowhere(
    destination: Destination, work: WorkTree, spoiled: str
) -> None:
    path = next((work.root / spoiled).rglob("*.json")) if spoiled == "objetos" else work.root / spoiled
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    state = fails(work, destination)
    assert "No se publica" in str(state["error"])
    assert shown(destination) is None


def test_a_link_to_another_file_is_not_followed(destination: Destination, work: WorkTree) -> None:
    (work.root / "fuera.md").symlink_to(work.root / "prep.db")
    publish(work, destination)
    assert destination.get("fuera.md") is None
    assert shown(destination) is not None
    work.prepare(2)
    path = next((work.root / "cortes" / "0002").glob("*.csv"))
    path.rename(work.root / "otro.db")
    path.symlink_to(work.root / "otro.db")
    work.cut, work.entries = 2, work.entries + 1
    work.point()
    assert "enlace simbólico" in str(fails(work, destination)["error"])


def test_a_damaged_image_stays_behind_alone_until_it_is_whole(
    destination: Destination, work: WorkTree
) -> None:
    work.publish()
    path = min((work.root / "imagenes").rglob("*.jpg"))
    key, good = path.relative_to(work.root).as_posix(), path.read_bytes()
    path.write_bytes(good[:-3] + b"xyz")
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert distributor.drain(WAIT_S), "the results do not wait for it"
        (state,) = distributor.states()
        assert (state["estado"], state["corte"]) == ("al_corriente", 2)
        assert path.name in state["error"]
        there = {entry.key for entry in destination.list()}
        assert key not in there
        assert sum(one.startswith("imagenes/") for one in there) == 1
        path.write_bytes(good)
        distributor.announce()
        limit = time.monotonic() + WAIT_S
        while distributor.states()[0]["error"] and time.monotonic() < limit:
            time.sleep(0.01)
    found = destination.get(key)
    assert found is not None
    assert found.data == good


class Killed(BaseException):
    """The publisher died here: nothing after it runs."""


class Dying:
    """A destination whose publisher dies before its n-th write."""

    def __init__(self, inner: Destination, writes: int) -> None:
        self._inner = inner
        self._left = writes
        self.name, self.address, self.width = inner.name, inner.address, 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def _write(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed

    def put_new(self, item: Item) -> int:
        self._write()
        return self._inner.put_new(item)

    def put_mutable(self, key: str, data: bytes, **options: object) -> None:
        self._write()
        self._inner.put_mutable(key, data, **options)  # type: ignore[arg-type]


def test_dying_at_any_write_leaves_the_previous_cut_whole_and_the_next_one_finishes(
    reopen: Opener, work: WorkTree
) -> None:
    publish(work, reopen())
    work.publish(objects=2)
    work.pages({"index.html": "<p>otra portada</p>" * 100})
    writes = 0
    while True:
        try:
            Courier(work.root, Dying(reopen(), writes), QUICK).round()  # type: ignore[arg-type]
        except Killed:
            pointer = shown(reopen())
            assert pointer is not None
            assert pointer["corte"] == 1, f"after {writes} writes"
            assert missing_of_the_shown_cut(reopen()) == [], f"after {writes} writes"
            writes += 1
        else:
            break
    # Each attempt died before its n-th write and kept what the ones before had put.
    assert writes >= 3
    pointer = shown(reopen())
    assert pointer is not None
    assert pointer["corte"] == 2
    assert missing_of_the_shown_cut(reopen()) == []


def test_what_was_there_is_read_again_after_somebody_empties_the_destination(
    destination: Destination, work: WorkTree
) -> None:
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert distributor.drain(WAIT_S)
        empty(destination)
        assert wait(lambda: shown(destination) is not None)
        assert wait(lambda: missing_of_the_shown_cut(destination) == [])


def test_two_publishers_at_once_never_leave_a_mixture(reopen: Opener, work: WorkTree) -> None:
    """The one that has less stops, or finds everything done; nobody reads half of each."""
    first, second = reopen(), reopen()
    seen: set[int] = set()
    with (
        Distributor(work.root, [first], pace=QUICK) as one,
        Distributor(work.root, [second], pace=QUICK) as other,
    ):
        for _ in range(4):
            work.publish(objects=3)
            one.announce()
            other.announce()
            for _ in range(3):
                pointer = shown(first)
                if pointer is not None:
                    seen.add(pointer["corte"])
                    assert max(seen) == pointer["corte"], "the pointer never goes back"
        assert wait(lambda: one.drain(0.2))
        assert wait(lambda: other.drain(0.2))
    pointer = shown(reopen())
    assert pointer is not None
    assert pointer["corte"] == 5
    assert missing_of_the_shown_cut(reopen()) == []


def wait(condition: Callable[[], bool], seconds: float = WAIT_S) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return False


def empty(destination: Destination) -> None:
    """Take everything away, as somebody with the keys of the place would."""
    if isinstance(destination, DirectoryDestination):
        for entry in list(destination.list()):
            (destination.root / entry.key).unlink()
        return
    assert isinstance(destination, S3Destination)
    obstore.delete(destination._store, [entry.key for entry in destination.list()])
