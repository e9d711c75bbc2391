"""The log of emissions: what it admits, what it proves, and what is left when the process dies."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.publication.public_tree import is_public
from core.transparency import files as disk
from core.transparency import keyring, log
from core.transparency.entries import Cierre, Llave
from core.transparency.errors import (
    ForkError,
    FrozenLogError,
    LogBusyError,
    LogError,
    NoteError,
    RetiredKeyError,
)
from core.transparency.files import locked
from core.transparency.keys import WitnessKey, rehearsal_key
from core.transparency.log import LOCK, PENDING, EmissionLog, LogReader, handover_key
from core.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from core.transparency.notes import open_checkpoint, parse_note, witnesses_of
from core.transparency.tiles import tile_path, tiles_for, unbundle
from tests.core.transparency.samples import KEY, ORIGIN, emission, files, notice, opening, reader


def opened(folder: Path, cuts: int = 0) -> EmissionLog:
    made = EmissionLog(folder, KEY, durable=False)
    for entry in [opening(), *(emission(number) for number in range(1, cuts + 1))]:
        made.append(entry)
    return made


def test_a_stranger_with_only_the_files_checks_every_entry_and_every_extension(tmp_path: Path) -> None:
    written = EmissionLog(tmp_path, KEY, durable=False)
    roots = []
    for entry in [opening(), *(emission(number) for number in range(1, 260))]:
        written.append(entry)
        roots.append(written.root)
    read = LogReader(reader(tmp_path))
    checkpoint = read.checkpoint([KEY.verifier])
    assert checkpoint.size == 260
    assert read.entries() == written.entries()
    assert read.entries(254, 258) == written.entries()[254:258]
    for index in (0, 1, 127, 128, 255, 256, 259):
        leaf = leaf_hash(read.entries()[index])
        verify_inclusion(leaf, index, 260, read.inclusion(index), checkpoint.root)
    for size in (1, 2, 128, 255, 256, 257, 259, 260):
        proof = read.consistency(size)
        assert proof == written.consistency(size)
        verify_consistency(size, 260, roots[size - 1], checkpoint.root, proof)


def test_every_past_size_still_has_its_own_tiles(tmp_path: Path) -> None:
    written = EmissionLog(tmp_path, KEY, durable=False)
    for entry in [opening(), *(emission(number) for number in range(1, 8))]:
        written.append(entry)
        size = written.size
        assert LogReader(reader(tmp_path), size).root() == written.root
    assert LogReader(reader(tmp_path), 3).entries() == written.entries()[:3]


def test_names_of_tiles_are_those_of_the_published_format() -> None:
    assert tile_path(0, 0, 17) == "tile/0/000.p/17"
    assert tile_path(1, 1234067) == "tile/1/x001/x234/067"
    assert tile_path("entries", 5, 256) == "tile/entries/005"
    assert tiles_for(255, 256) == [(0, 0, 256), (1, 0, 1)]
    assert tiles_for(256, 257) == [(0, 1, 1)]
    with pytest.raises(LogError, match="cortado"):
        unbundle(b"\x00\x05abc")


def test_the_same_entry_again_is_the_same_leaf(tmp_path: Path) -> None:
    written = opened(tmp_path, 2)
    before = files(tmp_path)
    assert written.append(emission(1)) == 1
    assert EmissionLog(tmp_path, KEY).append(emission(2)) == 2
    assert files(tmp_path) == before


def test_another_content_for_the_same_number_is_a_fork(tmp_path: Path) -> None:
    written = opened(tmp_path, 2)
    before = files(tmp_path)
    for wrong in (emission(2, root="e" * 64), emission(0)):
        with pytest.raises(ForkError):
            written.append(wrong)
    assert files(tmp_path) == before


def test_a_log_that_is_closed_refuses_everything_else(tmp_path: Path) -> None:
    written = opened(tmp_path, 2)
    with pytest.raises(LogError, match="dice 1 emisiones"):
        written.append(Cierre("simulacro", 2, 1, 9000).encode())
    closing = Cierre("simulacro", 2, 2, 9000).encode()
    written.append(closing)
    assert written.frozen
    again = EmissionLog(tmp_path, KEY)
    assert again.append(closing) == 3
    for late in (emission(3), notice(1)):
        with pytest.raises(FrozenLogError):
            again.append(late)


def test_a_log_begins_with_its_own_opening(tmp_path: Path) -> None:
    empty = EmissionLog(tmp_path, KEY)
    with pytest.raises(LogError, match="vacío"):
        empty.checkpoint()
    official = opening().replace(b"simulacro", b"oficial")
    for wrong in (emission(1), official, opening().replace(b"jal", b"col")):
        with pytest.raises(LogError):
            empty.append(wrong)
    empty.append(opening())
    with pytest.raises(LogError, match="empieza"):
        empty.append(opening().replace(b"Proceso 2021", b"Proceso 2024"))


def test_a_folder_of_another_origin_or_key_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(LogError, match="el registro es de"):
        EmissionLog(tmp_path, rehearsal_key("prep.col.2021/simulacro", "semilla"))
    with pytest.raises(NoteError, match="ninguna llave conocida"):
        EmissionLog(tmp_path, rehearsal_key(ORIGIN, "ajena"))


def test_an_altered_entry_is_found_on_opening(tmp_path: Path) -> None:
    opened(tmp_path, 3)
    path = tmp_path / tile_path("entries", 0, 4)
    path.write_bytes(path.read_bytes().replace(b'"corte":2', b'"corte":9'))
    with pytest.raises(LogError, match="alteradas"):
        EmissionLog(tmp_path, KEY)
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(LogError, match="falta su «checkpoint»"):
        EmissionLog(tmp_path, KEY)


def test_a_log_cut_back_to_an_earlier_moment_is_a_fork_for_who_knew_it(tmp_path: Path) -> None:
    written = opened(tmp_path, 3)
    (tmp_path / "checkpoint").write_text(written.note_at(2), "utf-8")
    with pytest.raises(ForkError):
        written.append(emission(4))


def test_a_reading_that_fails_does_not_make_a_process_forget_the_log_it_knew(tmp_path: Path) -> None:
    """Otherwise a tile that is not there for an instant would let a fork in."""
    mine, folder = opened(tmp_path / "a", 2), tmp_path / "a"
    known, root = mine.entries(), mine.root
    other = EmissionLog(tmp_path / "b", KEY, durable=False)
    for entry in [opening(), *(emission(number, root="e" * 64) for number in range(1, 5))]:
        other.append(entry)
    shutil.rmtree(folder / "tile")
    shutil.copytree(tmp_path / "b/tile", folder / "tile")
    shutil.copy(tmp_path / "b/checkpoint", folder / "checkpoint")
    bundle = folder / "tile/entries/000.p/5"
    bundle.rename(tmp_path / "ausente")
    with pytest.raises(LogError):
        mine.append(emission(3))
    assert (mine.entries(), mine.root) == (known, root)
    (tmp_path / "ausente").rename(bundle)
    with pytest.raises(ForkError):
        mine.append(emission(3))


def test_the_checkpoint_of_any_moment_can_be_signed_again_with_the_same_bytes(tmp_path: Path) -> None:
    written = EmissionLog(tmp_path, KEY, durable=False)
    past = []
    for entry in (opening(), emission(1), emission(2)):
        written.append(entry)
        past.append(written.checkpoint())
    assert [written.note_at(size) for size in (1, 2, 3)] == past


class Died(BaseException):
    """Stands for the death of the process: nothing catches it."""


def appended_through_a_death(folder: Path, at: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Append the third cut dying at the write number `at`, before or after it; True when it died."""
    written = opened(folder, 2)
    count = 0
    real: Callable[..., None] = disk.write_whole

    def dying(path: Path, data: bytes, *, durable: bool = True) -> None:
        nonlocal count
        count += 1
        if count == at and not after:
            # What a kill in the middle of a write leaves: a piece, under the temporary name.
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.1.tmp").write_bytes(data[: len(data) // 2])
            raise Died
        real(path, data, durable=durable)
        if count == at:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(log, "write_whole", dying)
        try:
            written.append(emission(3))
        except Died:
            return True
    return False


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 5))
def test_a_death_at_any_step_of_an_append_leaves_the_same_bytes_once_it_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    opened(tmp_path / "sano", 3)
    broken = tmp_path / "roto"
    assert appended_through_a_death(broken, at, after=after, monkeypatch=monkeypatch)
    # Whatever a reader sees in the middle is a whole log of the past or the new one.
    seen = LogReader(reader(broken))
    assert seen.root() == seen.checkpoint([KEY.verifier]).root
    again = EmissionLog(broken, KEY, durable=False)
    assert again.append(emission(3)) == 3
    assert files(broken) == files(tmp_path / "sano")
    assert not (broken / PENDING).exists()


def test_an_append_has_exactly_the_steps_that_the_deaths_cover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not appended_through_a_death(tmp_path, 5, after=False, monkeypatch=monkeypatch)


def test_the_process_that_failed_goes_on_by_itself_once_the_disk_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = opened(tmp_path / "roto", 2)
    opened(tmp_path / "sano", 3)

    def full(path: Path, data: bytes, *, durable: bool = True) -> None:
        if path.name == "checkpoint":
            raise OSError(28, "No space left on device")
        real(path, data, durable=durable)

    real = disk.write_whole
    with monkeypatch.context() as patch:
        patch.setattr(log, "write_whole", full)
        with pytest.raises(OSError, match="space"):
            written.append(emission(3))
        assert written.size == 3
    assert written.append(emission(3)) == 3
    assert files(tmp_path / "roto") == files(tmp_path / "sano")


KILLED = """
import sys
from pathlib import Path
from core.transparency.log import EmissionLog
from tests.core.transparency.samples import KEY, emission, opening
log = EmissionLog(sys.argv[1], KEY)
log.append(opening())
for number in range(1, 100000):
    log.append(emission(number))
    print(number, flush=True)
"""


def test_a_real_kill_leaves_a_log_that_goes_on_with_the_same_bytes(tmp_path: Path, repository: Path) -> None:
    place = tmp_path / "muerto"
    for target in (3, 11):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(place)], cwd=repository, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= target:
                break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert child.returncode == -signal.SIGKILL
        alive = EmissionLog(place, KEY, durable=False)
        assert alive.size > target
    healthy = opened(tmp_path / "sano", alive.size)
    alive.append(emission(alive.size))
    assert files(place) == files(tmp_path / "sano")
    assert healthy.checkpoint() == alive.checkpoint()


def append_many(folder: str, numbers: list[int]) -> None:
    written = EmissionLog(folder, KEY, durable=False)
    for number in numbers:
        written.append(emission(number))


def test_two_processes_that_append_the_same_cuts_leave_one_log(tmp_path: Path) -> None:
    opened(tmp_path / "dos")
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=append_many, args=(str(tmp_path / "dos"), list(range(1, 31)))) for _ in "ab"
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    opened(tmp_path / "sano", 30)
    assert files(tmp_path / "dos") == files(tmp_path / "sano")


def test_while_another_holds_the_log_an_append_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = opened(tmp_path)
    monkeypatch.setattr(log, "PATIENCE_S", 0.05)
    with locked(tmp_path / LOCK, 1), pytest.raises(LogBusyError):
        written.append(emission(1))
    assert written.append(emission(1)) == 1


def test_what_another_process_appended_is_seen_before_appending(tmp_path: Path) -> None:
    one = opened(tmp_path)
    two = EmissionLog(tmp_path, KEY, durable=False)
    two.append(emission(1))
    assert one.append(emission(2)) == 2
    assert two.append(emission(3)) == 3


def test_after_a_change_of_key_the_old_one_signs_no_more_and_its_past_still_verifies(tmp_path: Path) -> None:
    keyring.ensure(tmp_path, KEY.vkey, 0)
    written = opened(tmp_path, 1)
    past = written.checkpoint()
    new = rehearsal_key(ORIGIN, "nueva")
    assert written.rotate(new, "Cambio programado.", 5000) == 2
    handover = parse_note(written.checkpoint())
    assert [one.key_id for one in handover.signatures] == [KEY.verifier.key_id, new.verifier.key_id]
    assert json.loads(written.entries()[2]) == {
        "clase": "llave", "anterior": KEY.vkey, "nueva": new.vkey, "motivo": "Cambio programado.",
        "instante_ms": 5000,
    }  # fmt: skip
    with pytest.raises(RetiredKeyError):
        EmissionLog(tmp_path, KEY)
    written.append(emission(2))
    assert len(parse_note(written.checkpoint()).signatures) == 1
    later = EmissionLog(tmp_path, new)
    both = [KEY.verifier, new.verifier]
    before, after = open_checkpoint(past, both)[0], open_checkpoint(later.checkpoint(), both)[0]
    verify_consistency(before.size, after.size, before.root, after.root, later.consistency(before.size))


def test_the_note_of_a_change_of_key_stays_after_the_log_goes_on(tmp_path: Path) -> None:
    written = opened(tmp_path, 1)
    new = rehearsal_key(ORIGIN, "nueva")
    index = written.rotate(new, "Cambio programado.", 5000)
    note = (tmp_path / handover_key(index)).read_bytes()
    assert note == (tmp_path / "checkpoint").read_bytes()
    written.append(emission(2))
    assert (tmp_path / "relevos/0002.txt").read_bytes() == note
    assert is_public("relevos/0002.txt")
    for key in (KEY, new):
        assert open_checkpoint(note, [key.verifier])[0].size == index + 1


@pytest.mark.parametrize("at", range(1, 6))
def test_a_death_in_a_change_of_key_leaves_both_the_note_and_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    new = rehearsal_key(ORIGIN, "nueva")
    healthy, broken = opened(tmp_path / "sano", 1), opened(tmp_path / "roto", 1)
    healthy.rotate(new, "Cambio.", 5000)
    count = 0
    real: Callable[..., None] = disk.write_whole

    def dying(path: Path, data: bytes, *, durable: bool = True) -> None:
        nonlocal count
        count += 1
        real(path, data, durable=durable)
        if count == at:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(log, "write_whole", dying)
        with pytest.raises(Died):
            broken.rotate(new, "Cambio.", 5000)
    assert EmissionLog(tmp_path / "roto", new).size == 3
    assert files(tmp_path / "roto") == files(tmp_path / "sano")


def test_a_change_of_key_cannot_be_slipped_in_as_an_entry(tmp_path: Path) -> None:
    written = opened(tmp_path)
    with pytest.raises(LogError, match="prep llave rotar"):
        written.append(Llave(KEY.vkey, "otra", "x", 1).encode())
    with pytest.raises(LogError, match="otra"):
        written.rotate(KEY, "x", 1)
    with pytest.raises(LogError, match="mismo origen"):
        written.rotate(rehearsal_key("prep.col.2021/simulacro", "x"), "x", 1)


def test_cosignatures_are_added_once_and_only_those_that_hold(tmp_path: Path) -> None:
    witness = WitnessKey("universidad.mx", rehearsal_key(ORIGIN, "testigo").private)
    keyring.ensure(tmp_path, KEY.vkey, 0, witnesses=[("Universidad", witness.vkey)], threshold=1)
    written = opened(tmp_path, 1)
    text = parse_note(written.checkpoint()).text
    line = witness.cosign(text, 1_700_000_000)
    assert written.add_cosignatures([line], of=written.checkpoint()) == 1
    assert written.add_cosignatures([line]) == 0
    note = parse_note((tmp_path / "checkpoint").read_bytes())
    assert witnesses_of(note, [witness.verifier]) == ["universidad.mx"]
    with pytest.raises(NoteError, match="no es de este checkpoint"):
        written.add_cosignatures([witness.cosign(text + "x\n", 1)])
    stranger = WitnessKey("otra.mx", KEY.private)
    with pytest.raises(NoteError, match="no es un testigo"):
        written.add_cosignatures([stranger.cosign(text, 1)])
    stale = written.checkpoint()
    written.append(emission(2))
    assert written.add_cosignatures([line], of=stale) == 0
    assert EmissionLog(tmp_path, KEY).size == 3
