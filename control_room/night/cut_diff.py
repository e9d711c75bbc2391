"""What one cut added to the one before it, and what is registered and still in none.

For the page Publicación: it reads the stretch of the ledger between two cuts. It says what was registered,
corrected or withdrawn, by contest and distrito, with the first actas by name; votes are not its business.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from core.domain.catalog import Catalog
from core.domain.events import EventKind
from core.storage import schema

MOST_ACTAS = 300
"""Actas told by name; the counts are of all of them."""
_REGISTER = (EventKind.ACTA_VERIFIED.value, EventKind.SIN_ACTA_MARKED.value)
_WITHDRAW = (EventKind.RECALL_APPROVED.value, EventKind.OUTSIDE_IDENTIFIED.value)
_LEDGER = schema.ledger.c


@dataclass(slots=True)
class _Change:
    """What happened to one acta in the stretch."""

    was_registered: bool = False
    registered: bool = False
    sin_acta: bool = False
    at: int = 0


@dataclass(slots=True)
class _Changes:
    by_acta: dict[int, _Change] = field(default_factory=dict)
    outside: int = 0


def cut_diff(connection: Connection, catalog: Catalog, number: int | None) -> dict[str, Any] | None:
    """What cut `number` added to the previous one; with None, what no cut includes yet.

    None when there is no such cut. `agregadas` were in no earlier cut, `corregidas` were and changed,
    `retiradas` were and are no longer registered.
    """
    cuts = _cuts(connection)
    if number is None:
        previous = max(cuts, default=None)
        low = cuts[previous]["seq_high"] if previous is not None else 0
        high = connection.execute(select(func.max(_LEDGER.seq))).scalar() or 0
        head: dict[str, Any] = {"numero": None, "hora_ms": None, "manifiesto": None}
    elif number not in cuts:
        return None
    else:
        cut = cuts[number]
        previous = max((one for one in cuts if one < number), default=None)
        low = cuts[previous]["seq_high"] if previous is not None else 0
        high = cut["seq_high"]
        head = {"numero": number, "hora_ms": cut["at"], "manifiesto": cut["manifest_sha256"]}
    changes = _changes(connection, low, high)
    return {**head, "anterior": previous, "seq_desde": low + 1, "seq_high": high, **_told(catalog, changes)}


def _cuts(connection: Connection) -> dict[int, dict[str, Any]]:
    rows = connection.execute(
        select(_LEDGER.at, _LEDGER.data).where(_LEDGER.kind == EventKind.CUT_PUBLISHED.value)
    )
    found = ({**orjson.loads(data), "at": at} for at, data in rows)
    return {int(cut["number"]): cut for cut in found}


def _changes(connection: Connection, low: int, high: int) -> _Changes:
    rows = connection.execute(
        select(_LEDGER.seq, _LEDGER.kind, _LEDGER.acta, _LEDGER.at)
        .where(
            _LEDGER.seq > low,
            _LEDGER.seq <= high,
            _LEDGER.kind.in_((*_REGISTER, *_WITHDRAW, EventKind.OUTSIDE_RECEIVED.value)),
        )
        .order_by(_LEDGER.seq)
    ).all()
    changes = _Changes()
    for seq, kind, acta, at in rows:
        if acta is None:
            changes.outside += 1
            continue
        change = changes.by_acta.get(acta)
        if change is None:
            change = changes.by_acta[acta] = _Change()
            # What begins by being withdrawn may have been registered before this stretch.
            change.was_registered = kind in _WITHDRAW and _registered_before(connection, acta, seq)
        change.registered = kind in _REGISTER
        change.sin_acta = kind == EventKind.SIN_ACTA_MARKED
        change.at = at
    return changes


def _registered_before(connection: Connection, acta: int, seq: int) -> bool:
    last = connection.execute(
        select(_LEDGER.kind)
        .where(_LEDGER.acta == acta, _LEDGER.seq < seq, _LEDGER.kind.in_((*_REGISTER, *_WITHDRAW)))
        .order_by(_LEDGER.seq.desc())
        .limit(1)
    ).scalar()
    return last in _REGISTER


def _told(catalog: Catalog, changes: _Changes) -> dict[str, Any]:
    contests: Counter[str] = Counter()
    distritos: Counter[int | None] = Counter()
    told: list[dict[str, Any]] = []
    kinds: Counter[str] = Counter()
    for acta, change in changes.by_acta.items():
        if not change.registered and not change.was_registered:
            continue
        what = "agregada" if not change.was_registered else "corregida" if change.registered else "retirada"
        kinds[what] += 1
        kinds["sin_acta"] += change.sin_acta and what == "agregada"
        entry = catalog.actas[acta]
        casilla = catalog.casilla_of(entry)
        if what == "agregada":
            contests[entry.contest] += 1
            distritos[casilla.distrito] += 1
        if len(told) < MOST_ACTAS:
            told.append(
                {
                    "clave": entry.key, "contienda": entry.contest, "distrito": casilla.distrito,
                    "catd": casilla.catd, "ms": change.at, "que": what, "sin_acta": change.sin_acta,
                }
            )  # fmt: skip
    listed = sum(kinds[what] for what in ("agregada", "corregida", "retirada"))
    return {
        "agregadas": kinds["agregada"],
        "sin_acta": kinds["sin_acta"],
        "corregidas": kinds["corregida"],
        "retiradas": kinds["retirada"],
        "fuera_catalogo": changes.outside,
        "contiendas": [
            [key, contest.name, contests[key]] for key, contest in catalog.contests.items() if contests[key]
        ],
        "distritos": [
            [number, catalog.distritos[number].name if number in catalog.distritos else "", count]
            for number, count in sorted(distritos.items(), key=lambda item: (item[0] is None, item[0]))
        ],
        "actas": told,
        "hay_mas": listed > len(told),
    }
