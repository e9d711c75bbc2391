"""`prep comprobar` finds what nobody could have said of the publication."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.operations.check import check
from core.storage.database import open_existing
from tests.core.domain.small import START, Orders, open_engine
from tests.core.test_engine_check import _rewrite


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """A hold by two persons (2, 3), a missed slot (4), a notice (5), the release (6, 7) and a cut (8)."""
    url = str(tmp_path / "base.db")
    engine, orders = open_engine(url), Orders()
    answers = engine.execute(
        [
            orders.open(), *orders.held(), orders.miss(START), orders.notice(), orders.release(),
            orders.authorise_release(), orders.cut(1, 7, last=True),
        ],
        orders.at,
    )  # fmt: skip
    assert all(answer.accepted for answer in answers)
    engine._store.close()
    engine._store.database.dispose()
    yield url


def codes(url: str) -> set[tuple[str, str]]:
    database = open_existing(url)
    found = check(database).findings.listed
    database.dispose()
    return {(one.code, one.key) for one in found if one.code in ("K05", "K06", "K07", "K23", "K24")}


def test_a_publication_as_it_should_be_has_no_findings(base: str) -> None:
    assert codes(base) == set()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("UPDATE ledger SET actor = 'opera' WHERE seq = 3", ("K07", "3")),
        ("UPDATE ledger SET actor = 'opera' WHERE seq = 7", ("K07", "7")),
        ("UPDATE ledger SET data = replace(data, 'd1', 'd9') WHERE seq = 3", ("K23", "3")),
        ("UPDATE ledger SET data = replace(data, '\"number\":1,', '\"number\":2,') "
         "WHERE seq = 5", ("K23", "5")),
        ("UPDATE ledger SET kind = 'release_dismissed', data = '{\"hold\":\"d1\",\"reason\":\"x\"}' "
         "WHERE seq = 7", ("K06", "8")),
        ("INSERT INTO emission_slot (slot, state, attempts, holder, started_at, number) "
         "VALUES (1, 'publicada', 1, 'x', 1, 7)", ("K24", "1")),
    ],
)  # fmt: skip
def test_what_two_persons_did_not_do_is_named(base: str, change: str, wanted: tuple[str, str]) -> None:
    _rewrite(base, change)
    assert wanted in codes(base)
