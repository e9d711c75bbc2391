"""The log people read: what happened in the operation, the alerts, and who entered and was denied, together.

Three sources that only grow: the events of the ledger that are of no acta, the alert log and the access
log. It merges, filters, pages and exports them; it writes nothing. Newest first, by the time of the night.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from heapq import merge
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine as Database
from sqlalchemy import Table, select

from control_room.room_db import access_log, alert_log
from control_room.web.bitacora_text import ACCESS_WORDS, ALERT_WORDS, KINDS, event_text
from control_room.web.roles import allows
from core.domain.catalog import Catalog
from core.domain.events import EventKind, decode_data
from core.domain.spreadsheet import safe_cell
from core.errors import UsageError
from core.storage import schema

if TYPE_CHECKING:
    from control_room.web.context import Room

CLASSES = ("operacion", "cortes", "incidentes", "continuidad", "alertas", "accesos", "acciones")
PAGE = 100
MOST = 500
MOST_EXPORTED = 50_000
MOST_IN_PDF = 5_000
"""What takes about a second to draw, in a process that serves the walls; the CSV has the rest."""
COLUMNS = ("seq", "hora", "hora_real", "clase", "que", "quien", "desde", "texto", "huella")
_ACTED = ("accion", "exporta", "usuario")


class Entry(NamedTuple):
    """One line. `source` and `number` tell apart those of one moment; `seq` and `hash` are the ledger's."""

    ms: int
    source: int
    number: int
    ms_real: int | None
    kind: str
    what: str
    who: str
    origin: str
    text: str
    seq: int | None = None
    hash: str = ""

    def as_data(self) -> dict[str, Any]:
        """As the page gets it."""
        return {
            "id": f"{self.ms}.{self.source}.{self.number}",
            "ms": self.ms,
            "ms_real": self.ms_real,
            "clase": self.kind,
            "que": self.what,
            "quien": self.who,
            "desde": self.origin,
            "texto": self.text,
            "seq": self.seq,
            "huella": self.hash,
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody wants to see. `before` is the place of the last line of the page before."""

    since_ms: int | None
    until_ms: int | None
    classes: frozenset[str]
    text: str
    person: str
    before: tuple[int, int, int] | None
    count: int
    addresses: bool = True
    """Whether it may be seen from where people acted."""

    def admits(self, entry: Entry) -> bool:
        """Whether a line is wanted, its place aside."""
        if entry.kind not in self.classes:
            return False
        if self.person not in entry.who.casefold():
            return False
        return self.text in f"{entry.what} {entry.who} {entry.origin} {entry.text}".casefold()


def filter_of(arguments: Mapping[str, str], role: str, mode: str) -> Filter:
    """The filter of an address. Raises UsageError. Who entered from where is only for who may export."""
    wanted = [one for one in arguments.get("clase", "").split(",") if one] or list(CLASSES)
    for one in wanted:
        if one not in CLASSES:
            raise UsageError(f"No hay una clase «{one[:40]}»; las hay: {', '.join(CLASSES)}.")
    classes = set(wanted)
    addresses = allows(role, "bitacora_exportar", mode)
    if not addresses:
        classes -= {"accesos"}
    before = None
    if arguments.get("antes_de"):
        parts = arguments["antes_de"].split(".")
        if len(parts) != 3:
            raise UsageError("antes_de debe ser el «id» de un renglón.")
        before = (_integer(parts[0]), _integer(parts[1]), _integer(parts[2]))
    since = _integer(arguments["desde"]) if arguments.get("desde") else None
    until = _integer(arguments["hasta"]) if arguments.get("hasta") else None
    count = _integer(arguments.get("cuantos") or str(PAGE))
    if not 1 <= count <= MOST:
        raise UsageError(f"cuantos va de 1 a {MOST}.")
    text, person = (arguments.get(key, "").strip()[:200].casefold() for key in ("texto", "quien"))
    return Filter(since, until, frozenset(classes), text, person, before, count, addresses)


def _integer(text: str) -> int:
    digits = text.removeprefix("-")
    # Thirteen digits of ms are the year 2286: any more and the calendar ends.
    if not digits.isascii() or not digits.isdigit() or len(digits) > 13:
        raise UsageError(f"Se esperaba un número entero; se encontró «{text[:40]}».")
    return int(text)


class LedgerLog:
    """The events of the ledger that are of no acta, read once and then only the new ones."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog
        self._entries: list[Entry] = []
        self._seq = 0
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """Every line so far, oldest first by its place."""
        with self._lock:
            table = schema.ledger.c
            query = (
                select(
                    table.seq, table.kind, table["at"], table.recorded_at, table.actor, table.station,
                    table.data, table.hash,
                )
                .where(table.acta.is_(None), table.seq > self._seq)
                .order_by(table.seq)
            )  # fmt: skip
            with self._database.connect() as connection:
                rows = connection.execute(query).all()
            fresh = [entry for row in rows if (entry := self._entry(row)) is not None]
            if rows:
                # All of them or none: one that cannot be read is met again, never skipped.
                self._entries += fresh
                self._entries.sort()
                self._seq = int(rows[-1].seq)
            return list(self._entries)

    def _entry(self, row: Any) -> Entry | None:
        kind, seq = EventKind(row.kind), int(row.seq)
        known = KINDS.get(kind)
        if known is None:
            return None
        text = event_text(kind, decode_data(kind, row.data), self._catalog)
        return Entry(
            int(row[2]), 0, seq, None, known[0], known[1], row.actor, row.station, text, seq,
            bytes(row.hash).hex(),
        )  # fmt: skip


def page(room: Room, wanted: Filter) -> dict[str, Any]:
    """`filas` and, when there are more, `siguiente`: what to send in `antes_de`."""
    rows: list[Entry] = []
    more = False
    for entry in _select(room, wanted):
        if len(rows) == wanted.count:
            more = True
            break
        rows.append(entry)
    shown = [entry.as_data() for entry in rows]
    seq, digest = _head(room)
    return {
        "filas": shown,
        "siguiente": shown[-1]["id"] if more else None,
        "clases": sorted(wanted.classes),
        "cabeza": {"seq": seq, "huella": digest},
    }


def _select(room: Room, wanted: Filter) -> Iterator[Entry]:
    sources: list[Iterable[Entry]] = []
    if wanted.classes & {"operacion", "cortes", "incidentes", "continuidad", "alertas"}:
        log = room.shared.setdefault("bitacora", LedgerLog(room.database, room.catalog))
        sources.append(reversed(log.entries()))
    if "alertas" in wanted.classes:
        sources.append(_stored(room, alert_log, wanted, _alert))
    if wanted.classes & {"accesos", "acciones"}:
        entry_of = _access if wanted.addresses else _access_from_somewhere
        sources.append(_stored(room, access_log, wanted, entry_of))
    for entry in merge(*sources, key=lambda one: one[:3], reverse=True):
        if wanted.before is not None and entry[:3] >= wanted.before:
            continue
        if wanted.since_ms is not None and entry.ms < wanted.since_ms:
            return
        if wanted.until_ms is not None and entry.ms > wanted.until_ms:
            continue
        if wanted.admits(entry):
            yield entry


def _stored(room: Room, table: Table, wanted: Filter, entry_of: Any) -> Iterator[Entry]:
    query = select(table).order_by(table.c.ms.desc(), table.c.id.desc())
    if wanted.before is not None:
        query = query.where(table.c.ms <= wanted.before[0])
    with room.room_database.connect() as connection:
        for row in connection.execution_options(stream_results=True, yield_per=500).execute(query):
            yield entry_of(row)


def _alert(row: Any) -> Entry:
    text = f"{row.alerta}: {row.detalle}" if row.detalle else row.alerta
    what = ALERT_WORDS.get(row.que, row.que)
    return Entry(
        row.ms, 1, row.id, row.ms_real, "alertas", what, f"{row.regla} P{row.prioridad}", "sala", text
    )


def _access(row: Any) -> Entry:
    kind = "acciones" if row.que in _ACTED else "accesos"
    who = f"{row.usuario} ({row.rol})" if row.rol else row.usuario
    what = ACCESS_WORDS.get(row.que, row.que)
    return Entry(row.ms, 2, row.id, row.ms_real, kind, what, who, row.direccion, row.detalle)


def _access_from_somewhere(row: Any) -> Entry:
    return _access(row)._replace(origin="")


def _head(room: Room) -> tuple[int, str]:
    """Last sequence of the ledger and its hash, which seals everything before it."""
    table = schema.ledger.c
    with room.database.connect() as connection:
        row = connection.execute(select(table.seq, table.hash).order_by(table.seq.desc()).limit(1)).first()
    return (int(row[0]), bytes(row[1]).hex()) if row is not None else (0, "")


# -- files -----------------------------------------------------------------------------------------


_one_pdf = threading.Lock()


def export(room: Room, wanted: Filter, kind: str, who: str) -> tuple[bytes, str]:
    """The log with the filter: bytes and their type. `kind` is `csv` or `pdf`.

    The CSV has every line; the PDF the newest, and it says how many it leaves out. Raises UsageError for a
    CSV of too many lines, or while another PDF is being made.
    """
    if kind != "pdf":
        return _export(room, wanted, kind, who)
    if not _one_pdf.acquire(blocking=False):
        raise UsageError("Se está haciendo otro PDF de la bitácora; pídalo de nuevo en unos segundos.")
    try:
        return _export(room, wanted, kind, who)
    finally:
        _one_pdf.release()


def _export(room: Room, wanted: Filter, kind: str, who: str) -> tuple[bytes, str]:
    rows: list[Entry] = []
    left_out = 0
    for entry in _select(room, wanted):
        if kind == "pdf" and len(rows) == MOST_IN_PDF:
            left_out += 1
            continue
        if len(rows) == MOST_EXPORTED:
            raise UsageError(f"Son más de {MOST_EXPORTED:,} renglones: pida un periodo más corto.")
        rows.append(entry)
    seq, digest = _head(room)
    zone = timezone(timedelta(minutes=room.catalog.entidad.utc_offset_minutes))
    seal = f"Bitácora del motor hasta el evento {seq}; huella {digest}"
    made = f"Exportada por {who} el {_machine_hour(room.real_ms())} (hora de la máquina)"
    lines = [_cells(entry, zone) for entry in rows]
    if kind == "csv":
        return _csv(lines, seal, made), "text/csv; charset=utf-8"
    from control_room.web.bitacora_pdf import document

    title = room.config.title or f"PREP {room.catalog.entidad.name}"
    notes = [made, seal, _described(wanted, zone)]
    if left_out:
        notes.append(
            f"INCOMPLETA: trae los {len(lines):,} renglones más recientes. Quedan fuera {left_out:,} más "
            "antiguos: están en el CSV con el mismo filtro, o en el PDF de un periodo más corto."
        )
    return document(title, room.mode, lines, notes), "application/pdf"


def _described(wanted: Filter, zone: timezone) -> str:
    parts = [f"clases: {', '.join(sorted(wanted.classes))}"]
    if wanted.since_ms is not None:
        parts.append(f"desde {_hour(wanted.since_ms, zone)}")
    if wanted.until_ms is not None:
        parts.append(f"hasta {_hour(wanted.until_ms, zone)}")
    if wanted.text:
        parts.append(f"con «{wanted.text}»")
    if wanted.person:
        parts.append(f"de «{wanted.person}»")
    return f"Filtro: {'; '.join(parts)}"


def _machine_hour(ms: int | None) -> str:
    """A moment of the machine's clock in the machine's own zone: that of the night may be another year's."""
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().isoformat(" ", "seconds")


def _hour(ms: int | None, zone: timezone) -> str:
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).isoformat(" ", "seconds")


def _cells(entry: Entry, zone: timezone) -> tuple[str, ...]:
    return (
        "" if entry.seq is None else str(entry.seq), _hour(entry.ms, zone), _machine_hour(entry.ms_real),
        entry.kind, entry.what, entry.who, entry.origin, entry.text, entry.hash,
    )  # fmt: skip


def _csv(lines: Iterable[tuple[str, ...]], seal: str, made: str) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([safe_cell(cell) for cell in line])
    for text in (made, seal):
        writer.writerow(["", "", "", "exportacion", "", "", "", safe_cell(text), ""])
    # Spreadsheets only take it for UTF-8 with the mark.
    return ("﻿" + stream.getvalue()).encode("utf-8")
