"""Two nights or rehearsals side by side, aligned by the minutes since each one began.

Curves, final counts, incidents and the hours at which each got to 50, 80 and 95 %, read from the ledger of
each. It draws nothing and judges nothing: two nights may be of different catalogues, and then the shares
are what can be compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, case, func, select
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url

from core.domain.catalog import Catalog
from core.domain.events import EventKind
from core.errors import UsageError
from core.storage import schema
from core.storage.database import open_existing
from core.storage.reading import read_catalog, read_meta, reading

MINUTE_MS = 60_000
MOST_POINTS = 400
"""Points of a curve: what a screen can show."""
STEPS_MIN = (1, 2, 5, 10, 15, 30)
GOALS = (50, 80, 95)
CURVES = ("acopiadas", "digitalizadas", "capturadas", "registradas", "publicadas")
DATABASE = "prep.db"

_WITHOUT_ACTA = (
    EventKind.OPERATION_OPENED.value,
    EventKind.OPERATION_CLOSED.value,
    EventKind.CUT_PUBLISHED.value,
    EventKind.CUT_REFUSED.value,
    EventKind.INCIDENT_OPENED.value,
    EventKind.INCIDENT_RESOLVED.value,
    EventKind.INCIDENT_CLOSED.value,
    EventKind.INCIDENT_MERGED.value,
    EventKind.INCIDENT_REOPENED.value,
    EventKind.MEASURE_APPLIED.value,
)
_OF_ACTAS = (
    EventKind.ACTA_RECEIVED.value,
    EventKind.ACTA_DIGITIZED.value,
    EventKind.OUTSIDE_IDENTIFIED.value,
    EventKind.ACTA_CAPTURED.value,
    EventKind.ACTA_VERIFIED.value,
    EventKind.SIN_ACTA_MARKED.value,
    EventKind.RECALL_APPROVED.value,
)


def compare(current: Path | str, other: Path | str) -> dict[str, Any]:
    """Two nights. Each is the folder of a run or of a room, the file of a database or its URL.

    The answer has `esta` and `otra` (`nombre`, `eleccion`, `modo`, `inicio_ms`, `fin_ms`, `esperadas`,
    `final`, `hitos` and `incidentes`), `paso_min`, `minutos` since the start, `curvas` (by name, the percent
    of the expected of each night at each minute, None after its last event) and `diferencias` (`nombre`,
    `esta`, `otra`, `diferencia`). Raises UsageError when one is not a night that began.
    """
    return side_by_side(read_night(current), read_night(other))


def side_by_side(first: Night, second: Night) -> dict[str, Any]:
    """The answer of `compare` for two nights that were read."""
    length = max(first.length_min, second.length_min)
    step = next((one for one in STEPS_MIN if length / one <= MOST_POINTS), STEPS_MIN[-1])
    minutes = list(range(0, length + step, step))
    return {
        "esta": first.as_data(),
        "otra": second.as_data(),
        "paso_min": step,
        "minutos": minutes,
        "curvas": {
            name: {"esta": first.shares(name, minutes), "otra": second.shares(name, minutes)}
            for name in CURVES
        },
        "diferencias": _differences(first, second),
        "mismo_catalogo": first.fingerprint == second.fingerprint,
    }


@dataclass
class Night:
    """One night as its ledger tells it. `times` are ms since the start, in order, by curve; `steps` the
    (ms, actas) of what also goes down or by jumps."""

    name: str
    election: str
    mode: str
    fingerprint: str
    expected: int
    starts_ms: int
    ends_ms: int
    last_ms: int = 0
    closed: bool = False
    times: dict[str, list[int]] = field(default_factory=dict)
    steps: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    final: dict[str, int] = field(default_factory=dict)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def length_min(self) -> int:
        """Minutes from the start to the last event."""
        return -(-(self.last_ms - self.starts_ms) // MINUTE_MS)

    def count_at(self, name: str, ms: int) -> int:
        """Actas of a curve up to a moment since the start."""
        if name in self.times:
            return bisect_right(self.times[name], ms)
        steps = self.steps.get(name, [])
        k = bisect_right(steps, ms, key=lambda one: one[0])
        return steps[k - 1][1] if k else 0

    def shares(self, name: str, minutes: list[int]) -> list[float | None]:
        """A curve in percent of the expected at some minutes; None from its last event on."""
        whole = max(1, self.expected)
        last = self.length_min
        return [
            round(self.count_at(name, minute * MINUTE_MS) * 100 / whole, 3) if minute <= last else None
            for minute in minutes
        ]

    def reached(self, percent: int) -> int | None:
        """Minute since the start at which a percent of the expected is registered; None if it never is."""
        goal = -(-percent * self.expected // 100)
        for at, count in self.steps.get("registradas", ()):
            if count >= goal:
                return at // MINUTE_MS
        return None

    def as_data(self) -> dict[str, Any]:
        """What is told of it besides its curves."""
        return {
            "nombre": self.name,
            "eleccion": self.election,
            "modo": self.mode,
            "inicio_ms": self.starts_ms,
            "fin_ms": self.ends_ms,
            "cerrada": self.closed,
            "duracion_min": self.length_min,
            "esperadas": self.expected,
            "final": dict(self.final),
            "hitos": {str(goal): self.reached(goal) for goal in GOALS},
            "incidentes": list(self.incidents),
        }


def read_night(place: Path | str) -> Night:
    """A night from the folder of a run or a room, the file of a database, or its URL. Raises UsageError."""
    url, name = database_of(place)
    database = open_existing(url)
    try:
        with reading(database) as connection:
            return _read(connection, name)
    finally:
        database.dispose()


def night_of(database: Database, name: str) -> Night:
    """A night from a database that is open."""
    with reading(database) as connection:
        return _read(connection, name)


def database_of(place: Path | str) -> tuple[str, str]:
    if isinstance(place, str) and "://" in place:
        return place, make_url(place).database or place
    path = Path(place)
    if path.is_dir():
        # The room's folder is beside the database of its night.
        of_a_room = path.name == "sala" or (path / "sala.db").is_file()
        for folder in (path, path.absolute().parent) if of_a_room else (path,):
            if (folder / DATABASE).is_file():
                return str(folder / DATABASE), folder.absolute().name
        raise UsageError(f"En «{path}» no hay ninguna noche: falta {DATABASE}.")
    if not path.is_file():
        raise UsageError(f"No existe «{path}».")
    return str(path), path.absolute().parent.name


def _read(connection: Connection, name: str) -> Night:
    catalog = read_catalog(connection)
    table = schema.ledger
    opened = connection.execute(
        select(table.c.data).where(table.c.acta.is_(None), table.c.kind == EventKind.OPERATION_OPENED.value)
    ).scalar()
    if opened is None:
        raise UsageError(f"En «{name}» la operación no se ha abierto: no hay qué comparar.")
    bounds = orjson.loads(opened)
    night = Night(
        name, catalog.election, read_meta(connection).get("mode", ""), catalog.fingerprint(),
        len(catalog.actas), int(bounds["starts_at"]), int(bounds["ends_at"]),
    )  # fmt: skip
    night.last_ms = night.starts_ms
    _Fold(night, catalog).read(connection)
    _final(connection, night)
    return night


class _Fold:
    """The ledger, once, into the curves of a night."""

    def __init__(self, night: Night, catalog: Catalog) -> None:
        size = len(catalog.actas)
        self._night = night
        self._first = {name: bytearray(size) for name in ("acopiadas", "digitalizadas", "capturadas")}
        self._registered = bytearray(size)
        self._count = 0
        self._incidents: dict[str, dict[str, Any]] = {}
        night.times = {name: [] for name in self._first}
        night.steps = {"registradas": [], "publicadas": []}
        self._by_seq: list[tuple[int, int]] = []

    def read(self, connection: Connection) -> None:
        """Read everything."""
        table = schema.ledger
        data = case((table.c.kind.in_(_WITHOUT_ACTA), table.c.data), else_="")
        rows = connection.execution_options(stream_results=True, yield_per=5000).execute(
            select(table.c.seq, table.c.kind, table.c.acta, table.c.recorded_at, data)
            .where(table.c.kind.in_((*_OF_ACTAS, *_WITHOUT_ACTA)))
            .order_by(table.c.seq)
        )
        start = self._night.starts_ms
        for seq, kind, acta, recorded, body in rows:
            self._night.last_ms = max(self._night.last_ms, recorded)
            if acta is None:
                self._whole(kind, recorded - start, body)
            else:
                self._acta(seq, kind, acta, recorded - start)
        for times in self._night.times.values():
            times.sort()
        self._night.incidents = list(self._incidents.values())

    def _acta(self, seq: int, kind: str, acta: int, at: int) -> None:
        if kind == EventKind.ACTA_RECEIVED:
            self._once("acopiadas", acta, at)
            self._register(seq, acta, at, registered=False)
        elif kind in (EventKind.ACTA_DIGITIZED, EventKind.OUTSIDE_IDENTIFIED):
            self._once("acopiadas", acta, at)
            self._once("digitalizadas", acta, at)
            if kind == EventKind.OUTSIDE_IDENTIFIED:
                self._register(seq, acta, at, registered=False)
        elif kind == EventKind.ACTA_CAPTURED:
            self._once("capturadas", acta, at)
        else:
            if kind == EventKind.SIN_ACTA_MARKED:
                # It waits for no step any more, as in the funnel of the room.
                for name in self._first:
                    self._once(name, acta, at)
            self._register(seq, acta, at, registered=kind != EventKind.RECALL_APPROVED)

    def _once(self, name: str, acta: int, at: int) -> None:
        seen = self._first[name]
        if not seen[acta]:
            seen[acta] = 1
            self._night.times[name].append(at)

    def _register(self, seq: int, acta: int, at: int, *, registered: bool) -> None:
        if bool(self._registered[acta]) is registered:
            return
        self._registered[acta] = registered
        self._count += 1 if registered else -1
        self._by_seq.append((seq, self._count))
        steps = self._night.steps["registradas"]
        if steps and steps[-1][0] == at:
            steps[-1] = (at, self._count)
        else:
            steps.append((at, self._count))

    def _whole(self, kind: str, at: int, body: str) -> None:
        night, data = self._night, orjson.loads(body)
        if kind == EventKind.OPERATION_CLOSED:
            night.closed = True
        elif kind == EventKind.CUT_PUBLISHED:
            k = bisect_right(self._by_seq, data["seq_high"], key=lambda one: one[0])
            night.steps["publicadas"].append((at, self._by_seq[k - 1][1] if k else 0))
            night.final["cortes"] = night.final.get("cortes", 0) + 1
        elif kind == EventKind.CUT_REFUSED:
            night.final["cortes_rechazados"] = night.final.get("cortes_rechazados", 0) + 1
        elif kind == EventKind.INCIDENT_OPENED:
            self._incidents[data["incident"]] = {
                "clave": data["incident"],
                "titulo": data["title"],
                "tipo": data["kind"],
                "catds": len(data["catds"]),
                "minuto": at // MINUTE_MS,
                "fin_min": None,
                "medidas": [],
            }
        elif kind == EventKind.MEASURE_APPLIED:
            if data["incident"] in self._incidents:
                minute = (data["active_at"] - night.starts_ms) // MINUTE_MS
                self._incidents[data["incident"]]["medidas"].append(
                    {"medida": data["measure"], "minuto": minute}
                )
        elif kind != EventKind.OPERATION_OPENED:
            incident = self._incidents.get(data["incident"])
            if incident is not None and kind == EventKind.INCIDENT_REOPENED:
                incident["fin_min"] = None
            elif incident is not None and incident["fin_min"] is None:
                incident["fin_min"] = at // MINUTE_MS


def _final(connection: Connection, night: Night) -> None:
    """Counts at the end, of the tables of results and of what was folded."""
    table = schema.result
    rows = connection.execute(
        select(
            func.count(),
            func.sum(case((table.c.contabilizada, 1), else_=0)),
            func.sum(case((table.c.inconsistent, 1), else_=0)),
            func.sum(case((table.c.marks == "", 1), else_=0)),
        )
    ).one()
    registered, counted, inconsistent, without = (int(value or 0) for value in rows)
    outside = connection.execute(
        select(func.count()).select_from(schema.outside).where(schema.outside.c.identified_as.is_(None))
    ).scalar_one()
    never = night.last_ms - night.starts_ms
    night.final = {
        **{name: night.count_at(name, never) for name in CURVES},
        "registradas": registered,
        "contabilizadas": counted,
        "inconsistentes": inconsistent,
        "sin_acta": without,
        "fuera_catalogo": int(outside),
        "cortes": night.final.get("cortes", 0),
        "cortes_rechazados": night.final.get("cortes_rechazados", 0),
        "incidentes": len(night.incidents),
    }


_TOLD: Mapping[str, str] = {
    "acopiadas": "Acopiadas",
    "digitalizadas": "Digitalizadas",
    "capturadas": "Capturadas",
    "registradas": "Registradas",
    "publicadas": "Publicadas",
    "contabilizadas": "Contabilizadas",
    "inconsistentes": "Inconsistentes",
    "sin_acta": "Sin acta",
}


def _differences(first: Night, second: Night) -> list[dict[str, Any]]:
    """What can be put beside one another: shares in points, goals in minutes, the rest in numbers."""
    rows: list[dict[str, Any]] = []
    for name, told in _TOLD.items():
        here, there = (
            round(night.final[name] * 100 / max(1, night.expected), 3) for night in (first, second)
        )
        rows.append(_row(told, here, there, "%"))
    for goal in GOALS:
        rows.append(
            _row(f"Minutos hasta {goal} % registrado", first.reached(goal), second.reached(goal), "min")
        )
    for name, told in (("cortes", "Cortes publicados"), ("cortes_rechazados", "Cortes rechazados"),
                       ("incidentes", "Incidentes"), ("fuera_catalogo", "Fuera de catálogo")):  # fmt: skip
        rows.append(_row(told, first.final[name], second.final[name], ""))
    return rows


def _row(name: str, here: float | None, there: float | None, unit: str) -> dict[str, Any]:
    gap = None if here is None or there is None else round(here - there, 3)
    return {"nombre": name, "esta": here, "otra": there, "diferencia": gap, "unidad": unit}
