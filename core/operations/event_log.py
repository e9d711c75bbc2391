"""The ledger as an event log that process-mining and animation libraries read: XES and CSV.

A case is an acta; an event is what happened to it, with its time, who did it and where. Two more columns
say the same in the words of animation libraries (`entity_id`, `event_type`, `event`, `time`). The ledger
has the end of each step and not its beginning, so there are arrivals, queues and departures but no spells
of work. It reads one point of the ledger and writes nothing in it.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, NamedTuple
from xml.sax.saxutils import quoteattr

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from core.domain.catalog import Catalog
from core.domain.events import Event, EventKind
from core.domain.spreadsheet import safe_cell
from core.storage.reading import ledger_events, read_catalog, read_meta, reading

WORDS: dict[EventKind, str] = {
    EventKind.ACTA_RECEIVED: "acopio",
    EventKind.ACTA_DIGITIZED: "digitalizacion",
    EventKind.ACTA_CAPTURED: "captura",
    EventKind.ACTA_DISPUTED: "diferencia",
    EventKind.CAPTURE_REQUESTED: "otra captura",
    EventKind.ACTA_VERIFIED: "verificacion",
    EventKind.SIN_ACTA_MARKED: "sin acta",
    EventKind.IMAGE_REPLACED: "cambio de imagen",
    EventKind.DUPLICATE_RECORDED: "duplicado",
    EventKind.RECALL_REQUESTED: "retiro solicitado",
    EventKind.RECALL_APPROVED: "retiro aprobado",
    EventKind.RECALL_DISMISSED: "retiro desechado",
    EventKind.ACTA_COLLATED: "cotejo",
    EventKind.OUTSIDE_IDENTIFIED: "identificacion",
}
"""The activity of every event of an acta, as a process map shows it."""

QUEUES = {
    EventKind.ACTA_RECEIVED: "espera digitalizacion",
    EventKind.ACTA_DIGITIZED: "espera captura",
    EventKind.ACTA_CAPTURED: "espera segunda captura",
    EventKind.ACTA_DISPUTED: "espera resolucion",
    EventKind.CAPTURE_REQUESTED: "espera otra captura",
    EventKind.RECALL_APPROVED: "espera captura",
}
"""What an acta waits for after an event; animation libraries draw it."""
ENDS = (EventKind.ACTA_VERIFIED, EventKind.SIN_ACTA_MARKED)

CASE_COLUMNS = ("case:concept:name", "case:contienda", "case:casilla", "case:distrito", "case:catd")
COLUMNS = (
    *CASE_COLUMNS, "concept:name", "time:timestamp", "lifecycle:transition", "org:resource", "estacion",
    "registrado", "seq",
)  # fmt: skip
"""Columns of the CSV, named as process-mining libraries expect them."""
ANIMATION_COLUMNS = ("entity_id", "pathway", "event_type", "event", "time", "resource_id")
"""Columns of the animation CSV; `time` is seconds since the operation opened."""


class Step(NamedTuple):
    """One event of an acta, with its case."""

    seq: int
    acta: int
    event: Event


class Written(NamedTuple):
    """How much was written."""

    actas: int
    events: int
    path: Path


class _Log:
    """The ledger read once, in the order of cases."""

    def __init__(self, connection: Connection) -> None:
        self.catalog: Catalog = read_catalog(connection)
        self.mode = read_meta(connection).get("mode", "")
        self.opened_at = 0
        self.steps: list[Step] = []
        for seq, event, _ in ledger_events(connection):
            if event.kind is EventKind.OPERATION_OPENED:
                self.opened_at = event.data["starts_at"]
            if event.acta is not None and event.kind in WORDS:
                self.steps.append(Step(seq, event.acta, event))
        # Captured before it was received is a fact of real nights: order is by when each was recorded.
        self.steps.sort(key=lambda step: (step.acta, step.seq))
        offset = timedelta(minutes=self.catalog.entidad.utc_offset_minutes)
        self._zone = timezone(offset)

    def local(self, at: int) -> str:
        """ISO 8601 with milliseconds and the difference with UTC."""
        return datetime.fromtimestamp(at / 1000, self._zone).isoformat(timespec="milliseconds")

    def case(self, acta: int) -> tuple[str, str, str, str, str]:
        """Values of CASE_COLUMNS."""
        entry = self.catalog.actas[acta]
        casilla = self.catalog.casillas[entry.casilla]
        distrito = "" if casilla.distrito is None else str(casilla.distrito)
        return (
            f"{entry.contest}/{entry.key}/{acta}",
            entry.contest,
            casilla.key,
            distrito,
            str(casilla.catd),
        )


def write_csv(database: Database, path: Path) -> Written:
    """One row per event of an acta; gzip when the name ends in .gz."""
    with reading(database) as connection, ExitStack() as stack:
        log = _Log(connection)
        table = csv.writer(stack.enter_context(_text(path)), lineterminator="\n")
        table.writerow(COLUMNS)
        for step in log.steps:
            event = step.event
            table.writerow(
                (
                    *log.case(step.acta), WORDS[event.kind], log.local(event.at), "complete",
                    safe_cell(event.actor), safe_cell(event.station), log.local(event.recorded_at), step.seq,
                )
            )  # fmt: skip
    return Written(len({step.acta for step in log.steps}), len(log.steps), path)


def write_animation(database: Database, path: Path) -> Written:
    """Arrivals, queues and departures of every acta, for animation libraries."""
    with reading(database) as connection, ExitStack() as stack:
        log = _Log(connection)
        table = csv.writer(stack.enter_context(_text(path)), lineterminator="\n")
        table.writerow(ANIMATION_COLUMNS)
        rows = 0
        for row in _animation(log):
            table.writerow(row)
            rows += 1
    return Written(len({step.acta for step in log.steps}), rows, path)


def _animation(log: _Log) -> Iterator[tuple[str, str, str, str, str, str]]:
    last = -1
    for step in log.steps:
        event = step.event
        name, contest = log.case(step.acta)[:2]
        time = f"{(event.at - log.opened_at) / 1000:.3f}"
        if step.acta != last:
            last = step.acta
            yield name, contest, "arrival_departure", "arrival", time, ""
        if event.kind in QUEUES:
            yield name, contest, "queue", QUEUES[event.kind], time, ""
        elif event.kind in ENDS:
            yield name, contest, "arrival_departure", "depart", time, ""


_XES_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <global scope="trace">
    <string key="concept:name" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
    <string key="lifecycle:transition" value="complete"/>
  </global>
  <classifier name="actividad" keys="concept:name"/>
"""


def write_xes(database: Database, path: Path) -> Written:
    """IEEE 1849 (XES): a trace per acta; gzip when the name ends in .gz."""
    with reading(database) as connection, ExitStack() as stack:
        log = _Log(connection)
        out = stack.enter_context(_text(path))
        out.write(_XES_HEAD)
        out.write(f'  <string key="concept:name" value={quoteattr(log.catalog.election)}/>\n')
        out.write(f'  <string key="modo" value={quoteattr(log.mode)}/>\n')
        last = -1
        for step in log.steps:
            if step.acta != last:
                if last >= 0:
                    out.write("  </trace>\n")
                last = step.acta
                out.write("  <trace>\n")
                for name, value in zip(CASE_COLUMNS, log.case(step.acta), strict=True):
                    key = name.removeprefix("case:")
                    out.write(f'    <string key="{key}" value={quoteattr(value)}/>\n')
            event = step.event
            out.write(
                "    <event>\n"
                f'      <string key="concept:name" value={quoteattr(WORDS[event.kind])}/>\n'
                f'      <date key="time:timestamp" value="{log.local(event.at)}"/>\n'
                '      <string key="lifecycle:transition" value="complete"/>\n'
                f'      <string key="org:resource" value={quoteattr(event.actor)}/>\n'
                f'      <string key="estacion" value={quoteattr(event.station)}/>\n'
                "    </event>\n"
            )
        if last >= 0:
            out.write("  </trace>\n")
        out.write("</log>\n")
    return Written(len({step.acta for step in log.steps}), len(log.steps), path)


def _text(path: Path) -> IO[str]:
    if path.name.endswith(".gz"):
        # No name and no time inside: the same log gives the same bytes.
        raw = gzip.GzipFile(filename="", mode="wb", fileobj=path.open("wb"), mtime=0)
        return io.TextIOWrapper(raw, encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")
