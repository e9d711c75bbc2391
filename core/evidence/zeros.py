"""The acta de ceros: the database holds what is expected and nothing of any result.

Source: constancias by a third party with public faith (deliverable 30), before the start. It says what is in
the database and whether that is zero; it erases nothing, and whoever zeroes a database is somebody else.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select

from core.domain.acta import Status
from core.domain.catalog import Catalog
from core.domain.events import EventKind, decode_data
from core.evidence.common import ZEROS, Constancia, chain_head, heading
from core.evidence.read_only import revision, table_counts
from core.publication.times import iso
from core.storage import schema

_EMPTY = ("result", "outside", "image")
"""Tables with a row only when something arrived."""


def zeros(connection: Connection, at_ms: int) -> Constancia:
    """The constancia; `en_ceros` is the answer and `motivos` why not.

    Zero is: every expected acta untouched, no result, image or acta fuera de catálogo, and a ledger that is
    empty or has only the opening. Telemetry (`pulse`) is counted and is no reason: it is no election data.
    """
    made, catalog = heading(connection, ZEROS, at_ms)
    counts = table_counts(connection)
    kinds = _kinds(connection)
    opening = _opening(connection, catalog)
    reasons = [*_catalog_faults(connection, made, catalog), *_data_faults(connection, counts, kinds)]
    made |= {
        "en_ceros": not reasons,
        "motivos": reasons,
        "actas_esperadas": sum(catalog.expected(name) for name in catalog.contests),
        "contiendas": [
            {
                "id": contest.id,
                "nombre": contest.name,
                "esperadas": catalog.expected(contest.id),
                "ambito": contest.scope.value,
                "territorios": _by_territory(catalog, contest.id),
            }
            for contest in catalog.contests.values()
        ],
        "catd": _by_catd(catalog),
        "tablas": counts,
        "eventos": sum(kinds.values()),
        "eventos_por_clase": dict(sorted(kinds.items())),
        "apertura": opening,
        "bitacora": chain_head(connection),
        "esquema": revision(connection),
    }
    return made


def _kinds(connection: Connection) -> dict[str, int]:
    ledger = schema.ledger.c
    query = select(ledger.kind, func.count()).group_by(ledger.kind)
    return {str(kind): int(number) for kind, number in connection.execute(query)}


def _opening(connection: Connection, catalog: Catalog) -> dict[str, Any] | None:
    """When it was opened and what there was before, in the ledger's order and by the clock."""
    ledger = schema.ledger.c
    row = connection.execute(
        select(ledger.seq, ledger["at"], ledger.actor, ledger.data)
        .where(ledger.kind == EventKind.OPERATION_OPENED.value)
        .order_by(ledger.seq)
        .limit(1)
    ).first()
    if row is None:
        return None
    seq, at, actor, raw = row
    data = decode_data(EventKind.OPERATION_OPENED, raw)
    first = connection.execute(select(func.min(ledger["at"])).where(ledger.acta.is_not(None))).scalar()
    minutes = catalog.entidad.utc_offset_minutes
    return {
        "evento": int(seq),
        "ms": int(at),
        "instante": iso(int(at), minutes),
        "quien": str(actor),
        "periodo_desde": iso(int(data["starts_at"]), minutes),
        "periodo_hasta": iso(int(data["ends_at"]), minutes),
        "eventos_antes": int(connection.execute(select(func.count()).where(ledger.seq < seq)).scalar_one()),
        "primera_acta": None if first is None else iso(int(first), minutes),
        "en_ceros_al_abrir": int(seq) == 1 and (first is None or int(first) >= int(data["starts_at"])),
    }


def _catalog_faults(connection: Connection, made: Constancia, catalog: Catalog) -> list[str]:
    faults = []
    if made["catalogo_sha256"] != made["catalogo_recalculado_sha256"]:
        faults.append("La huella del catálogo no es la que la base anotó al crearse.")
    acta = schema.acta.c
    found = {
        str(name): int(number)
        for name, number in connection.execute(select(acta.contest, func.count()).group_by(acta.contest))
    }
    wanted = {name: catalog.expected(name) for name in catalog.contests}
    if found != wanted:
        faults.append("La tabla de actas no tiene las actas esperadas del catálogo.")
    return faults


def _data_faults(connection: Connection, counts: dict[str, int], kinds: dict[str, int]) -> list[str]:
    faults = []
    more = {name: number for name, number in sorted(kinds.items()) if name != EventKind.OPERATION_OPENED}
    if more:
        total = sum(more.values())
        faults.append(
            f"La bitácora tiene {total:,} {'evento' if total == 1 else 'eventos'} además de la apertura."
        )
    acta = schema.acta.c
    moved = int(
        connection.execute(
            select(func.count()).where((acta.status != Status.EXPECTED.value) | (acta.seq != 0))
        ).scalar_one()
    )
    if moved:
        faults.append(f"{moved:,} actas ya no están como esperadas.")
    for name in _EMPTY:
        if counts.get(name):
            faults.append(f"La tabla {name} tiene {counts[name]:,} filas.")
    unknown = sorted(set(counts) - set(schema.metadata.tables) - {"alembic_version"})
    if unknown:
        faults.append(f"Hay tablas que este programa no conoce: {', '.join(unknown)}.")
    return faults


def _by_territory(catalog: Catalog, contest: str) -> list[dict[str, Any]]:
    found = Counter(catalog.territory_of(acta) for acta in catalog.actas_of(contest))
    names = catalog.territories(contest)
    return [
        {"id": number, "nombre": names[number].name if number in names else "", "esperadas": expected}
        for number, expected in sorted(found.items(), key=lambda one: (one[0] is None, one[0] or 0))
    ]


def _by_catd(catalog: Catalog) -> list[dict[str, Any]]:
    found = Counter(catalog.casilla_of(acta).catd for acta in catalog.actas)
    return [{"id": one.id, "nombre": one.name, "esperadas": found[one.id]} for one in catalog.catds]
