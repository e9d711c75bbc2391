"""A certified publisher killed with SIGKILL, in a process of its own: the cut before stays, nothing twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from core.domain.commands import OpenOperation
from core.domain.events import EventKind
from core.publication.interference import STEPS
from core.publication.public_tree import Kind, kind, public_keys
from core.publishing.assembly import publication
from core.publishing.failures import FolderBusyError
from core.publishing.office import PublicationOffice
from core.publishing.slots import SlotTable
from core.publishing.worker import signing_key, take_folder
from core.storage.database import open_existing
from core.storage.reading import ledger_events, reading
from core.transparency.log import LogReader
from core.verification import verificar
from tests.conftest import REPOSITORY, Prep
from tests.core.domain.small import open_engine
from tests.core.publishing.slow_worker import PREP_SLOW
from tests.publication_sample import STEP, Night

Kill = Callable[..., int]


@dataclass(frozen=True)
class Begun:
    """A night with one cut and something new for the next, which is due at `at`; and how that one ends."""

    folder: Path
    at: int
    published: dict[str, bytes]
    whole: dict[str, bytes]
    """What a publisher nobody kills leaves after the second cut."""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp("noche") / "w"
    night = Night(folder)
    night.first_part()
    night.cut()
    night.second_part()
    at = night.at + STEP
    night.close()
    whole = copy_of(folder, folder.parent / "entera")
    night = Night(whole)
    assert night.publisher.cut(at, next_ms=at + STEP).refused is None
    night.close()
    return Begun(folder, at, public(folder), public(whole))


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Has something done by a process that dies; the signal that ended it."""
    command = [sys.executable, "-m", "tests.core.publishing.dying"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdin is not None and process.stdout is not None
    asked, answered = process.stdin, process.stdout

    def ask(folder: Path, what: str, at: int, step: str = "") -> int:
        print(
            json.dumps({"folder": str(folder), "what": what, "at": at, "step": step}), file=asked, flush=True
        )
        return int(answered.readline())

    yield ask
    asked.close()
    process.wait(timeout=30)
    answered.close()


def copy_of(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to, symlinks=True))


def public(work: Path) -> dict[str, bytes]:
    return {key: (work / key).read_bytes() for key in public_keys(work)}


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {key: sha256(data).hexdigest() for key, data in files.items()}


def events(work: Path, what: EventKind) -> list[dict[str, Any]]:
    database = open_existing(str(work / "prep.db"))
    found = events_of(database, what)
    database.dispose()
    return found


def events_of(database: Database, what: EventKind) -> list[dict[str, Any]]:
    with reading(database) as connection:
        return [dict(event.data) for _, event, _ in ledger_events(connection) if event.kind is what]


def classes(work: Path) -> list[str]:
    entries = LogReader(lambda key: (work / key).read_bytes()).entries()
    assert len(set(entries)) == len(entries)
    return [json.loads(entry)["clase"] for entry in entries]


def verified(work: Path) -> bool:
    return verificar.main([str(work)]) == 0


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_cut_before_stays_and_the_next_start_ends_as_if_nothing_had_happened(
    begun: Begun, kill: Kill, tmp_path: Path, step: str
) -> None:
    work = copy_of(begun.folder, tmp_path / "w")
    assert kill(work, "cut", begun.at, step) == signal.SIGKILL
    seen = public(work)
    if STEPS.index(step) < STEPS.index("apuntado"):
        assert seen["corte.json"] == begun.published["corte.json"]
    assert all(seen[key] == data for key, data in begun.published.items() if kind(key) is Kind.IMMUTABLE)
    assert verified(work)
    night = Night(work)
    if night.engine.operation.last_cut < 2:
        assert night.publisher.cut(begun.at, next_ms=begun.at + STEP).refused is None
    night.close()
    assert digests(public(work)) == digests(begun.whole)
    assert classes(work) == ["apertura", "emision", "emision"]
    assert [one["number"] for one in events(work, EventKind.CUT_PUBLISHED)] == [1, 2]
    assert verified(work)


def test_killed_between_the_ledger_and_the_log_a_notice_is_told_once_and_in_its_place(
    begun: Begun, kill: Kill, tmp_path: Path
) -> None:
    work = copy_of(begun.folder, tmp_path / "w")
    whole = copy_of(begun.folder, tmp_path / "entera")
    assert kill(work, "notice", begun.at) == signal.SIGKILL
    assert len(events(work, EventKind.NOTICE_ISSUED)) == 1
    assert classes(work) == ["apertura", "emision"]
    assert verified(work)
    Night(work).close()
    assert classes(work) == ["apertura", "emision", "aviso"]
    for folder in (work, whole):
        night = Night(folder)
        office = PublicationOffice(night.engine, night.database, night.publisher, folder)
        office.missed([begun.at], begun.at, "no salió")
        assert office.cut(begun.at + STEP, next_ms=begun.at + 2 * STEP).refused is None
        night.close()
    assert classes(work) == ["apertura", "emision", "aviso", "emision"]
    assert len(events(work, EventKind.NOTICE_ISSUED)) == 1
    assert digests(public(work)) == digests(public(whole))
    assert verified(work)


def test_prep_publicar_killed_in_the_middle_of_a_cut_takes_its_process_along_and_the_next_one_goes_on(
    prep: Prep, tmp_path: Path
) -> None:
    now = round(time() * 1000)
    base, work = tmp_path / "noche.db", tmp_path / "pub"
    engine = open_engine(str(base))
    hour = 60 * 60_000
    opening = OpenOperation(
        key="a", actor="c", station="e", at=now - hour, starts_at=now - hour, ends_at=now + hour
    )
    assert engine.execute([opening], now)[0].accepted
    database = engine._store.database
    office = publication(
        engine, database, work, key=signing_key(engine.catalog, "simulacro", rehearsal="a mano")
    )
    assert office.cut(now - hour // 2).refused is None
    engine._store.close()
    marker = tmp_path / "marca"
    # It stops with the second cut in the ledger and nothing of it in the public log.
    how = {"PASO": "asentar:despues", "COMO": "cuelga", "MARCA": str(marker), "PYTHONPATH": str(REPOSITORY)}
    service = subprocess.Popen(
        [sys.executable, "-c", PREP_SLOW, "publicar", "--base", base, "--trabajo", work],
        cwd=tmp_path, env={**os.environ, **how}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until = monotonic() + 60
    while not marker.exists() and monotonic() < until:
        sleep(0.02)
    service.kill()
    service.wait()
    while monotonic() < until:
        with suppress(FolderBusyError):
            take_folder(work).close()
            break
        sleep(0.02)
    assert json.loads((work / "corte.json").read_bytes())["corte"] == 1
    assert verified(work)
    with database.begin() as connection:
        # Its lease would end by itself in 45 s.
        connection.exec_driver_sql("UPDATE lease SET until = 0")
    done = prep("publicar", "--base", base, "--trabajo", work, "--una-vez")
    assert done.returncode == 0, done.stderr
    assert "Se completó un corte que había quedado a medias." in done.stderr
    cuts = events_of(database, EventKind.CUT_PUBLISHED)
    published = [state for state in SlotTable(database).states().values() if state == "publicada"]
    assert [one["number"] for one in cuts] == list(range(1, len(published) + 2))
    assert classes(work).count("emision") == len(cuts)
    assert json.loads((work / "corte.json").read_bytes())["corte"] == len(cuts)
    assert verified(work)
    database.dispose()
