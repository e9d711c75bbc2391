"""What one cut added to the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import create_engine, select

from control_room.night.cut_diff import cut_diff
from core.domain.acta import Status
from core.domain.catalog import Catalog
from core.storage import schema
from core.storage.reading import read_catalog, reading
from tests.builders import small_catalog
from tests.control_room.conftest import Watched

REGISTERED = (Status.VERIFIED, Status.PUBLISHED, Status.COLLATED, Status.SIN_ACTA, Status.RECALL_REQUESTED)


class Ledger:
    """A ledger written by hand: (kind, acta) in order, `cut` closes a cut."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog: Catalog = small_catalog()
        self._seq = self._cuts = 0

    def add(self, *events: tuple[str, int | None]) -> None:
        for kind, acta in events:
            self._write(kind, acta, {})

    def cut(self) -> int:
        self._cuts += 1
        data = {"number": self._cuts, "seq_high": self._seq, "manifest_sha256": "a" * 64, "last": False}
        self._write("cut_published", None, data)
        return self._cuts

    def diff(self, number: int | None) -> dict[str, object] | None:
        with self.database.connect() as connection:
            return cut_diff(connection, self.catalog, number)

    def counts(self, number: int | None) -> tuple[object, ...]:
        found = self.diff(number)
        assert found is not None
        return found["agregadas"], found["corregidas"], found["retiradas"]

    def _write(self, kind: str, acta: int | None, data: dict[str, object]) -> None:
        self._seq += 1
        with self.database.begin() as connection:
            connection.execute(
                schema.ledger.insert().values(
                    seq=self._seq, kind=kind, acta=acta, at=self._seq * 1000, device_at=None, recorded_at=0,
                    actor="x", station="x", data=orjson.dumps(data).decode(), hash=b"",
                )
            )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    database = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    schema.ledger.create(database)
    yield Ledger(database)
    database.dispose()


def test_the_cuts_of_a_night_and_what_is_pending_add_up_to_what_is_registered(watched: Watched) -> None:
    with reading(watched.database) as connection:
        catalog = read_catalog(connection)
        ledger = schema.ledger.c
        numbers = [
            int(orjson.loads(data)["number"])
            for data in connection.execute(
                select(ledger.data).where(ledger.kind == "cut_published")
            ).scalars()
        ]
        assert len(numbers) > 5
        diffs = [cut_diff(connection, catalog, number) for number in (*numbers, None)]
        statuses = connection.execute(select(schema.acta.c.status)).scalars().all()
    told = [diff for diff in diffs if diff is not None]
    assert len(told) == len(numbers) + 1
    net = sum(diff["agregadas"] - diff["retiradas"] for diff in told)
    assert net == sum(status in REGISTERED for status in statuses) > 50
    for diff in told:
        assert sum(count for _, _, count in diff["contiendas"]) == diff["agregadas"]
        assert sum(count for _, _, count in diff["distritos"]) == diff["agregadas"]
    for earlier, later in pairwise(told):
        assert later["seq_desde"] == earlier["seq_high"] + 1


def test_what_no_cut_includes_is_told_apart(ledger: Ledger) -> None:
    ledger.add(("acta_verified", 0), ("sin_acta_marked", 1))
    first = ledger.cut()
    ledger.add(("acta_verified", 2), ("outside_received", None))
    found = ledger.diff(first)
    assert found is not None
    assert (found["agregadas"], found["sin_acta"], found["anterior"]) == (2, 1, None)
    pending = ledger.diff(None)
    assert pending is not None
    assert (pending["numero"], pending["anterior"], pending["agregadas"]) == (None, first, 1)
    assert pending["fuera_catalogo"] == 1


def test_an_acta_that_was_public_and_changed_is_corrected_not_added(ledger: Ledger) -> None:
    ledger.add(("acta_verified", 0), ("acta_verified", 1))
    ledger.cut()
    ledger.add(("recall_approved", 0), ("acta_captured", 0), ("acta_verified", 0), ("recall_approved", 1))
    second = ledger.cut()
    assert ledger.counts(second) == (0, 1, 1)
    ledger.add(("acta_verified", 1))
    assert ledger.counts(ledger.cut()) == (1, 0, 0), "it had left the cut before"


def test_an_acta_verified_and_recalled_between_two_cuts_was_never_public(ledger: Ledger) -> None:
    ledger.cut()
    ledger.add(("acta_verified", 0), ("recall_approved", 0))
    assert ledger.counts(ledger.cut()) == (0, 0, 0)


def test_one_identified_from_outside_is_a_correction_only_if_it_was_marked_sin_acta(ledger: Ledger) -> None:
    ledger.add(("sin_acta_marked", 0))
    ledger.cut()
    ledger.add(
        ("outside_identified", 0), ("acta_verified", 0), ("outside_identified", 1), ("acta_verified", 1)
    )
    assert ledger.counts(ledger.cut()) == (1, 1, 0)


def test_a_cut_that_was_not_published_is_none(ledger: Ledger) -> None:
    ledger.cut()
    assert ledger.diff(2) is None
