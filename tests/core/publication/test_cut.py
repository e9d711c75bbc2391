"""A cut goes out whole or not at all, whatever happens in the middle."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import update

from core.domain.events import EventKind
from core.engine import Engine
from core.operations.check import check
from core.publication.cut import CutNotRecordedError, Publisher
from core.publication.package import PackageBuilder
from core.storage import schema
from core.storage.database import open_database
from core.storage.reading import ledger_events, reading
from core.storage.store import Store
from tests.core.domain.small import CATALOG, MINUTE, START, Orders

AT = START + 30 * MINUTE


class Office:
    """An open operation with some actas verified, and its publisher."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database: Database = open_database(str(folder / "prep.db"))
        self.store = Store(self.database)
        self.engine = Engine(self.store, CATALOG, "simulacro")
        self.orders = Orders()
        self.send(self.orders.open(), *self.orders.agreed(0), *self.orders.agreed(5))
        self.publisher = Publisher(self.engine, self.database, folder)

    def send(self, *commands: object) -> None:
        answers = self.engine.execute(list(commands), AT)  # type: ignore[arg-type]
        assert all(answer.accepted for answer in answers)

    def kinds(self) -> list[EventKind]:
        with reading(self.database) as connection:
            return [event.kind for _, event, _ in ledger_events(connection)]

    def last(self) -> dict[str, object]:
        index: dict[str, object] = json.loads((self.folder / "ultimo" / "indice.json").read_bytes())
        return index


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.store.close()
    office.database.dispose()


def whole(directory: Path) -> bool:
    """Every file of a cut is there and is what its manifest says."""
    manifest = json.loads((directory / "manifiesto.json").read_bytes())
    return all(
        hashlib.sha256((directory / item["ruta"]).read_bytes()).hexdigest() == item["sha256"]
        for item in manifest["archivos"]
    )


def test_a_cut_is_recorded_and_the_pointer_leads_to_it(office: Office) -> None:
    report = office.publisher.cut(AT)
    assert report.refused is None
    assert office.kinds()[-1] is EventKind.CUT_PUBLISHED
    assert (office.folder / "ultimo").resolve() == (office.folder / "cortes" / "0001").resolve()
    assert report.headers["GUB"]["ACTAS_CAPTURADAS"] == "1"
    assert whole(office.folder / "ultimo")


def test_what_was_captured_after_a_cut_waits_for_the_next(office: Office) -> None:
    office.publisher.cut(AT)
    office.send(*office.orders.agreed(1))
    assert office.publisher.cut(AT + MINUTE).headers["GUB"]["ACTAS_CAPTURADAS"] == "2"
    assert json.loads((office.folder / "cortes/0001/indice.json").read_bytes())["corte"] == 1


def test_a_header_that_its_rows_do_not_give_is_refused_and_the_previous_cut_stays(office: Office) -> None:
    office.publisher.cut(AT)
    office.send(*office.orders.agreed(1))
    with office.database.begin() as connection:
        # Somebody changes a sum in the database: the row no longer adds up to its own total.
        connection.execute(update(schema.result).where(schema.result.c.acta == 1).values(total=999))
    report = office.publisher.cut(AT + MINUTE)
    assert report.refused is not None
    assert report.directory is None
    assert office.kinds()[-1] is EventKind.CUT_REFUSED
    assert office.last()["corte"] == 1
    assert sorted(path.name for path in (office.folder / "cortes").iterdir()) == ["0001"]


def test_after_a_refused_cut_a_sound_one_takes_its_number(office: Office) -> None:
    with office.database.begin() as connection:
        connection.execute(update(schema.result).where(schema.result.c.acta == 0).values(total=999))
    assert office.publisher.cut(AT).refused is not None
    with office.database.begin() as connection:
        connection.execute(update(schema.result).where(schema.result.c.acta == 0).values(total=83))
    fresh = Publisher(office.engine, office.database, office.folder)
    assert fresh.cut(AT + MINUTE).number == 1
    assert office.last()["corte"] == 1


def test_a_publisher_that_dies_before_recording_leaves_the_previous_cut(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.publisher.cut(AT)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(office.engine, "execute", die)
        office.publisher.cut(AT + MINUTE)
    assert office.last()["corte"] == 1
    again = Publisher(office.engine, office.database, office.folder)
    assert again.cut(AT + 2 * MINUTE).number == 2
    assert office.last()["corte"] == 2


def test_a_publisher_that_dies_before_pointing_is_finished_by_the_next_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.publisher.cut(AT)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PackageBuilder, "point", die)
        office.publisher.cut(AT + MINUTE)
    assert office.last()["corte"] == 1
    Publisher(office.engine, office.database, office.folder)
    assert office.last()["corte"] == 2


def test_a_database_can_be_published_into_another_folder(office: Office, tmp_path: Path) -> None:
    office.publisher.cut(AT)
    elsewhere = tmp_path / "otro"
    elsewhere.mkdir()
    assert Publisher(office.engine, office.database, elsewhere).cut(AT + MINUTE).number == 2
    assert (elsewhere / "ultimo").resolve().name == "0002"


def test_a_closed_operation_takes_no_cut(office: Office) -> None:
    office.send(office.orders.close(at=START + 24 * 60 * MINUTE))
    with pytest.raises(CutNotRecordedError):
        office.publisher.cut(AT)


def test_a_reader_never_sees_half_a_cut_while_the_publisher_is_killed_again_and_again(tmp_path: Path) -> None:
    seen: set[int] = set()
    for round_number in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.core.publication.cutting", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        acknowledged = int(child.stdout.readline())
        deadline = time.monotonic() + 0.7 + 0.13 * round_number
        while time.monotonic() < deadline:
            directory = (tmp_path / "ultimo").resolve()
            assert whole(directory)
            number = json.loads((directory / "indice.json").read_bytes())["corte"]
            assert number >= max(seen, default=0)
            seen.add(number)
        child.kill()
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.strip())])
        child.wait()
        database = open_database(str(tmp_path / "prep.db"))
        assert [finding.message for finding in check(database).findings.listed] == []
        engine = Engine(Store(database), CATALOG, "simulacro")
        assert engine.operation.last_cut >= acknowledged
        Publisher(engine, database, tmp_path)
        assert whole(tmp_path / "ultimo")
        assert int((tmp_path / "ultimo").resolve().name) == engine.operation.last_cut
        database.dispose()
    assert len(seen) > 2
