"""The acta circunstanciada de cierre: what happened between the opening and the closing, from the ledger.

Source: deliverable 28. Counters are counted again from the events and every cached table is checked against
them; with the publication folder, what was published is compared too. It judges no incident.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, case, func, select

from core.domain.catalog import Catalog
from core.domain.events import Event, EventKind
from core.domain.operation import ROOM_EVENTS
from core.errors import UsageError
from core.evidence.common import CLOSING, Constancia, chain_head, heading
from core.evidence.published import published
from core.operations.check import check
from core.operations.header_recount import HeaderRecount
from core.publication.times import iso
from core.storage import schema
from core.storage.reading import reading
from core.storage.store import EVENTS, event_of

LEAST_CUTS = 3
"""Updates an hour (RE 339)."""
_HOUR_MS = 3_600_000
_INCIDENTS = frozenset(kind for kind in ROOM_EVENTS if kind.value.startswith(("incident_", "measure_")))
_ALERTS = frozenset(kind for kind in ROOM_EVENTS if kind.value.startswith("alert_"))
_OWN_PLACE = frozenset(
    {
        EventKind.OPERATION_OPENED,
        EventKind.OPERATION_CLOSED,
        EventKind.CUT_PUBLISHED,
        EventKind.OUTSIDE_RECEIVED,
        EventKind.OUTSIDE_IDENTIFIED,
        *_INCIDENTS,
        *_ALERTS,
    }
)
"""Whatever else happens to the operation as a whole is a notice: refused and missed cuts, holds."""


def closing(database: Engine, at_ms: int, work: Path | None = None) -> Constancia:
    """The constancia. `work` is the publication folder, to compare what was published.

    `conforme` is the answer: the database is what its ledger says and the folder what the ledger recorded.
    Raises UsageError while the operation is not closed.
    """
    with reading(database) as connection:
        made, catalog = heading(connection, CLOSING, at_ms)
        events = list(_operation_events(connection))
        opened = [event for _, event in events if event.kind is EventKind.OPERATION_OPENED]
        closed = [event for _, event in events if event.kind is EventKind.OPERATION_CLOSED]
        if not opened or not closed:
            raise UsageError("La operación no está cerrada: todavía no hay cierre que constatar.")
        when = _Times(catalog.entidad.utc_offset_minutes)
        recount = HeaderRecount(catalog)
        recount.read(connection)
        cuts = [
            {
                "corte": cut.number,
                **when.of(cut.at_ms),
                "evento": cut.seq,
                "hasta_evento": cut.seq_high,
                "ultimo": cut.last,
                "manifiesto_sha256": cut.manifest_sha256,
                "contadores": recount.header(cut.number),
            }
            for cut in recount.cuts.values()
        ]
        last_formula = bool(cuts) and bool(cuts[-1]["ultimo"])
        final = recount.at_end(connection, last_cut=last_formula)
        made |= {
            "apertura": {
                **when.of(opened[0].at),
                "quien": opened[0].actor,
                "periodo_desde": when.text(opened[0].data["starts_at"]),
                "periodo_hasta": when.text(opened[0].data["ends_at"]),
            },
            "cierre": {
                **when.of(closed[0].at),
                "quien": closed[0].actor,
                "pendientes": closed[0].data["pending"],
            },
            "cortes": cuts,
            "horas_con_menos_cortes": _thin_hours(cuts, when),
            "avisos": [_notice(event, when) for _, event in events if event.kind not in _OWN_PLACE],
            "incidentes": _incidents([event for _, event in events], when),
            "medidas": _measures([event for _, event in events], when),
            "contadores_finales": final,
            "sin_acta": _sin_acta(connection, catalog, when),
            "imagenes": _images(connection, catalog),
            "fuera_de_catalogo": _outside(connection),
            "bitacora": chain_head(connection),
        }
    checked = check(database)
    made["comprobacion"] = {
        "correcta": checked.correct,
        "hallazgos": checked.findings.total,
        "eventos": checked.events,
        "primeros": [f"{one.code} {one.message}" for one in checked.findings.listed[:20]],
    }
    notices = [event for _, event in events if event.kind is EventKind.NOTICE_ISSUED]
    made["publicado"] = None
    if work is not None:
        made["publicado"] = published(work, cuts, catalog, made["modo"], notices)
    faults = (
        [] if checked.correct else [f"La comprobación de la base da {checked.findings.total:,} hallazgos."]
    )
    made["faltas"] = [*faults, *(made["publicado"]["faltas"] if made["publicado"] else [])]
    made["conforme"] = not made["faltas"]
    return made


class _Times:
    """Instants as data and as people read them."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes

    def text(self, at: int) -> str:
        return iso(int(at), self._minutes)

    def of(self, at: int) -> dict[str, Any]:
        return {"ms": int(at), "instante": self.text(at)}


def _operation_events(connection: Connection) -> Iterator[tuple[int, Event]]:
    query = EVENTS.where(schema.ledger.c.acta.is_(None)).order_by(schema.ledger.c.seq)
    for row in connection.execute(query):
        yield int(row[0]), event_of(row)


def _notice(event: Event, when: _Times) -> dict[str, Any]:
    return {**when.of(event.at), "clase": event.kind.value, "quien": event.actor, "datos": dict(event.data)}


def _thin_hours(cuts: list[dict[str, Any]], when: _Times) -> list[dict[str, Any]]:
    """Complete hours from the first cut on with fewer cuts than they should have."""
    if not cuts:
        return []
    first, last = cuts[0]["ms"], cuts[-1]["ms"]
    found = Counter((cut["ms"] - first) // _HOUR_MS for cut in cuts)
    return [
        {"desde": when.text(first + hour * _HOUR_MS), "cortes": found[hour]}
        for hour in range((last - first) // _HOUR_MS)
        if found[hour] < LEAST_CUTS
    ]


def _incidents(events: list[Event], when: _Times) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind is EventKind.INCIDENT_OPENED:
            data = event.data
            found[data["incident"]] = {
                "incidente": data["incident"],
                "clase": data["kind"],
                "titulo": data["title"],
                "causa": data["cause"],
                "catd": list(data["catds"]),
                "detectado": when.text(event.at),
                "pasos": [],
                "terminado": None,
            }
        elif event.kind in _INCIDENTS and event.data.get("incident") in found:
            one = found[event.data["incident"]]
            words = next(
                (str(event.data[k]) for k in ("text", "remedy", "cause", "reason") if k in event.data), ""
            )
            one["pasos"].append(
                {
                    "instante": when.text(event.at),
                    "clase": event.kind.value,
                    "quien": event.actor,
                    "texto": words,
                }
            )
            if event.kind in (
                EventKind.INCIDENT_RESOLVED,
                EventKind.INCIDENT_CLOSED,
                EventKind.INCIDENT_MERGED,
            ):
                one["terminado"] = one["terminado"] or when.text(event.at)
            elif event.kind is EventKind.INCIDENT_REOPENED:
                one["terminado"] = None
    return list(found.values())


def _measures(events: list[Event], when: _Times) -> list[dict[str, Any]]:
    return [
        {
            "medida": event.data["measure"],
            "incidente": event.data["incident"],
            "autorizo": event.data["authorised_by"],
            "autorizada": when.text(event.data["authorised_at"]),
            "surte_efecto": when.text(event.data["active_at"]),
            "efecto": event.data["effect"],
            "catd": list(event.data["catds"]),
        }
        for event in events
        if event.kind is EventKind.MEASURE_APPLIED
    ]


def _sin_acta(connection: Connection, catalog: Catalog, when: _Times) -> list[dict[str, Any]]:
    """The actas that ended sin acta, with the reason and the authorisation of their last mark."""
    ledger, result = schema.ledger.c, schema.result.c
    rows = connection.execute(
        select(ledger.acta, ledger["at"], ledger.actor, ledger.data)
        .join_from(schema.ledger, schema.result, result.acta == ledger.acta)
        .where(ledger.kind == EventKind.SIN_ACTA_MARKED.value, result.marks == "")
        .order_by(ledger.acta, ledger.seq)
    )
    found = {}
    for acta, at, actor, raw in rows:
        data, entry = orjson.loads(raw), catalog.actas[acta]
        found[int(acta)] = {
            "acta": entry.key,
            "contienda": entry.contest,
            "motivo": data["reason"],
            "marco": str(actor),
            "autorizo": data["supervisor"],
            **when.of(int(at)),
        }
    return list(found.values())


def _images(connection: Connection, catalog: Catalog) -> dict[str, dict[str, int]]:
    """By contest, captured actas with the integrity code of their image. Whether it is published is in
    `publicado`: the ledger has the code, not the image."""
    result, acta = schema.result.c, schema.acta.c
    how = case((result.image_hash != "", "con_codigo"), (result.marks == "", "sin_acta"), else_="sin_codigo")
    # The case inside, the grouping outside: PostgreSQL takes two with parameters for two different ones.
    each = (
        select(acta.contest, how.label("how"))
        .join_from(schema.result, schema.acta, result.acta == acta.id)
        .subquery()
    )
    rows = connection.execute(
        select(each.c.contest, each.c.how, func.count()).group_by(each.c.contest, each.c.how)
    )
    found = {
        name: {"capturadas": 0, "con_codigo": 0, "sin_acta": 0, "sin_codigo": 0} for name in catalog.contests
    }
    for contest, kind, number in rows:
        found[contest]["capturadas"] += int(number)
        found[contest][kind] += int(number)
    return found


def _outside(connection: Connection) -> dict[str, int]:
    outside = schema.outside.c
    total = connection.execute(select(func.count()).select_from(schema.outside)).scalar_one()
    query = select(func.count()).where(outside.identified_as.is_not(None))
    return {"recibidas": int(total), "identificadas": int(connection.execute(query).scalar_one())}
