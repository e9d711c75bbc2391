"""Rebuilds the whole election from the ledger and compares it with what the database holds.

Reads one consistent point of the database and changes nothing. What is looked at is in `rebuild`
(the ledger itself) and `compare` (everything derived from it); the codes are in `check_findings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from core.domain.counters import Counters
from core.operations.check_findings import Findings
from core.operations.compare import Comparison
from core.operations.rebuild import Rebuilt
from core.storage import schema
from core.storage.reading import reading
from core.storage.store import read_catalog


@dataclass(frozen=True, slots=True)
class Check:
    """What the check of a database says. `last_hash` is that of the last row of the ledger."""

    findings: Findings
    events: int
    actas: int
    counters: dict[str, Counters]
    last_hash: bytes

    @property
    def correct(self) -> bool:
        """True when nothing was found."""
        return self.findings.total == 0


def count_events(database: Engine) -> int:
    """Rows of the ledger: how long a check will take."""
    with reading(database) as connection:
        return int(connection.execute(select(func.count()).select_from(schema.ledger)).scalar_one())


def check(database: Engine, advance: Callable[[int], None] = lambda _: None) -> Check:
    """Check a database of the present version.

    `advance` is told of the ledger rows read, some thousands at a time. Raises OtherElectionError
    when the database holds no election.
    """
    findings = Findings()
    with reading(database) as connection:
        catalog = read_catalog(connection)
        rebuilt = Rebuilt(catalog, findings)
        comparison = Comparison(connection, rebuilt, findings)
        # First, because encoding the catalogue takes memory that the states will need.
        comparison.fixed()
        rebuilt.read(connection, advance)
        counters = comparison.run()
    return Check(findings, rebuilt.events, len(catalog.actas), counters, rebuilt.hash)
