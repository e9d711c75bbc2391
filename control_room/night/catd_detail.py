"""What one CATD still owes, casilla by casilla, read from the database on demand.

For the page of a CATD: what stage each acta that is not finished waits for, the last movements and the last
heartbeats. It names no person: who captured what is in the log, for those who may see it. The counts of the
funnel, its alerts and its incidents are in the snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from core.domain.acta import Status
from core.domain.catalog import Casilla, Catalog, Territory
from core.storage import schema

LAST_EVENTS = 25
LAST_PULSES = 60

STAGES = ("acopio", "digitalizacion", "captura", "resolucion", "publicacion")
"""What an acta that is not finished waits for, in the order of the funnel."""

_WAITS: dict[str, str] = {
    Status.EXPECTED: "acopio",
    Status.RECEIVED: "digitalizacion",
    Status.DIGITIZED: "captura",
    Status.CAPTURED_ONCE: "captura",
    Status.AWAITING_CAPTURE: "captura",
    Status.RECALLED: "captura",
    Status.IN_DISPUTE: "resolucion",
    Status.RECALL_REQUESTED: "resolucion",
    Status.VERIFIED: "publicacion",
}
_TYPES = {
    "B": "Básica", "C": "Contigua", "E": "Extraordinaria", "S": "Especial", "U": "Urna electrónica",
    "A": "Voto anticipado", "M": "Mesa del extranjero", "P": "Prisión preventiva", "V": "Prisión preventiva",
}  # fmt: skip


def catd_detail(connection: Connection, catalog: Catalog, catd_id: int, now_ms: int) -> dict[str, Any]:
    """The detail of a CATD at `now_ms` (ms UTC), as JSON values.

    `faltan` has one row per casilla with something missing, the ones with the earliest stage first; `actas`
    of a row says what each of its actas waits for (None when it is finished). Raises LookupError when the
    catalogue has no such CATD.
    """
    if not 0 <= catd_id < len(catalog.catds):
        raise LookupError(f"No hay un CATD {catd_id} en el catálogo.")
    catd = catalog.catds[catd_id]
    table = schema.acta.c
    rows = connection.execute(
        select(
            table.id, table.casilla, table.contest, table.status, table.seq, table.received_at,
            table.digitized_at, table.captured_at,
        ).where(table.catd == catd_id)
    ).all()  # fmt: skip
    by_casilla: dict[int, list[Any]] = {}
    for row in rows:
        by_casilla.setdefault(int(row.casilla), []).append(row)
    owing = [
        _casilla_row(catalog.casillas[number], some)
        for number, some in by_casilla.items()
        if any(row.status in _WAITS for row in some)
    ]
    owing.sort(key=lambda one: (STAGES.index(one["falta"]), one["seccion"] or 0, one["casilla"]))
    return {
        "id": catd_id,
        "nombre": catd.name,
        "ahora_ms": now_ms,
        "distrito": _territory(catalog.distritos, catd.distrito),
        "municipio": _territory(catalog.municipios, catd.municipio),
        "contiendas": [[one.id, one.name] for one in catalog.contests.values()],
        "casillas": len(by_casilla),
        "casillas_completas": len(by_casilla) - len(owing),
        "sin_acta": sum(row.status == Status.SIN_ACTA for row in rows),
        "por_etapa": _by_stage(rows),
        "faltan": owing,
        "movimientos": _last_events(connection, catalog, rows),
        "pulsos": _pulses(connection, catd_id),
    }


def _territory(territories: dict[int, Territory], number: int | None) -> dict[str, Any] | None:
    found = territories.get(number) if number is not None else None
    return {"id": found.id, "nombre": found.name} if found else None


def _by_stage(rows: Sequence[Any]) -> dict[str, int]:
    counts = Counter(_WAITS[row.status] for row in rows if row.status in _WAITS)
    return {stage: counts[stage] for stage in STAGES}


def casilla_name(casilla: Casilla) -> str:
    """How people say a casilla: «Sección 24, Contigua 1»."""
    kind = _TYPES.get(casilla.tipo, casilla.tipo)
    if casilla.seccion is None:
        return kind
    # There is one básica in a section; every other kind is told apart by its number.
    name = kind if casilla.tipo == "B" else f"{kind} {casilla.numero}"
    if casilla.ext_contigua:
        name += f" Contigua {casilla.ext_contigua}"
    return f"Sección {casilla.seccion}, {name}"


def _casilla_row(casilla: Casilla, rows: Sequence[Any]) -> dict[str, Any]:
    # An especial has two actas of a contest, one of each principle: what either owes is owed.
    waits: dict[str, str | None] = {}
    for row in rows:
        stages = [one for one in (waits.get(row.contest), _WAITS.get(row.status)) if one is not None]
        waits[row.contest] = min(stages, key=STAGES.index, default=None)
    missing = [stage for stage in waits.values() if stage is not None]
    since = [
        at for row in rows if row.status in _WAITS
        if (at := row.captured_at or row.digitized_at or row.received_at) is not None
    ]  # fmt: skip
    return {
        "casilla": casilla.key,
        "nombre": casilla_name(casilla),
        "seccion": casilla.seccion,
        "lista_nominal": casilla.lista_nominal,
        "falta": min(missing, key=STAGES.index),
        "desde_ms": min(since, default=None),
        "actas": waits,
    }


def _last_events(connection: Connection, catalog: Catalog, rows: Sequence[Any]) -> list[dict[str, Any]]:
    # The last event of each acta is in its row: no need to look for the others.
    last = sorted((int(row.seq) for row in rows if row.seq), reverse=True)[:LAST_EVENTS]
    ledger = schema.ledger.c
    found = connection.execute(
        select(ledger.seq, ledger.kind, ledger.acta, ledger.at, ledger.recorded_at)
        .where(ledger.seq.in_(last))
        .order_by(ledger.seq.desc())
    )
    events = []
    for row in found:
        entry = catalog.actas[row.acta]
        events.append(
            {
                "ms": row.at,
                "registrado_ms": row.recorded_at,
                "clase": row.kind,
                "acta": entry.key,
                "contienda": entry.contest,
                "casilla": casilla_name(catalog.casillas[entry.casilla]),
            }
        )
    return events


def _pulses(connection: Connection, catd_id: int) -> list[dict[str, Any]]:
    """The last heartbeats, oldest first."""
    table = schema.pulse.c
    found = connection.execute(
        select(table.at, table.link, table.waiting, table.staff)
        .where(table.catd == catd_id)
        .order_by(table.at.desc())
        .limit(LAST_PULSES)
    ).all()
    return [
        {"ms": row.at, "enlace": row.link, "en_enlace": row.waiting, "personal": orjson.loads(row.staff)}
        for row in reversed(found)
    ]
