"""The database of a night before it begins: its catalogue, its mode and the period of its operation.

`prep catalogo instalar` uses it; from then on `prep publicar` and `prep sala` have something to look at.
It brings no acta: those come through the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.catalog import Catalog
from core.domain.commands import OpenOperation
from core.engine import Engine
from core.errors import UsageError
from core.storage.database import open_database
from core.storage.store import Store
from core.transparency.keys import MODES


@dataclass(frozen=True)
class Opening:
    """The period of the operation (RE 353: at most 24 hours, ms UTC) and who opens it."""

    starts_at: int
    ends_at: int
    actor: str


@dataclass(frozen=True)
class Installed:
    """What the database holds: mode, expected actas, and the period if it was opened (ms UTC)."""

    mode: str
    actas: int
    period: tuple[int, int] | None
    ledger_head: int
    """The last entry of the ledger."""


def install(base: str, catalog: Catalog, mode: str, opening: Opening | None, at: int) -> Installed:
    """Put a catalogue into a database, and open its operation if asked; `at` is the present (ms UTC).

    Doing it again changes nothing. Raises UsageError for another mode than simulacro and oficial and for a
    period the engine refuses, OtherElectionError when the database is of another catalogue or mode.
    """
    if mode not in MODES:
        raise UsageError(f"El modo es {' u '.join(MODES)}; se pidió «{mode}».")
    database = open_database(base)
    store = Store(database)
    try:
        engine = Engine(store, catalog, mode)
        if opening is not None:
            _open(engine, opening, at)
        operation = engine.operation
        period = (operation.starts_at, operation.ends_at) if operation.opened else None
        return Installed(mode, len(catalog.actas), period, engine.seq)
    finally:
        store.close()
        database.dispose()


def _open(engine: Engine, opening: Opening, at: int) -> None:
    operation = engine.operation
    asked = (opening.starts_at, opening.ends_at)
    if operation.opened:
        if (operation.starts_at, operation.ends_at) != asked:
            raise UsageError("La operación de esa base ya se abrió, con otras horas; no se cambian.")
        return
    command = OpenOperation(
        key="apertura", actor=opening.actor, station="instalacion", at=at,
        starts_at=opening.starts_at, ends_at=opening.ends_at,
    )  # fmt: skip
    (answer,) = engine.execute([command], at)
    if not answer.accepted:
        raise UsageError(f"La operación no se abrió: {answer.refusal}. {answer.detail or ''}".rstrip())
