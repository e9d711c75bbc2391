"""What the ledger and the heartbeats say of the night, kept up event by event.

One fold for the whole room: steps of every acta added up by CATD, distrito, municipio and contest, cuts,
the curve of the night by minute, recent rates, heartbeats, and the folds of incidents, continuity and
quality. It reads no clock and decides nothing; what is shown of it is `snapshot`, what alerts look at
`facts_of`.

A step counts the actas that wait for nothing in it any more: an acta marked sin acta has gone past all of
them, so every step is at most the one before and the difference is what waits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from control_room.night.continuity_plan import ContinuityPlan
from control_room.night.continuity_view import CONTINUITY_KINDS, ContinuityView
from control_room.night.incidents_view import INCIDENT_KINDS, IncidentsView
from control_room.night.ledger_rows import CHUNK, Row, read_rows
from control_room.night.quality import QualityFold
from control_room.night.values import (
    ContestCounts,
    CutRecord,
    Groups,
    PulseLike,
    PulseRecord,
    RefusedCut,
    Totals,
)
from core.domain.catalog import Catalog
from core.domain.events import Event, EventKind
from core.domain.holding import HOLD_TABLE, Hold, follow_hold

__all__ = ["CHUNK", "MS_PER_MINUTE", "NightState", "Row", "Totals", "read_new", "read_rows"]

MS_PER_MINUTE = 60_000
RECENT_MS = 60 * MS_PER_MINUTE
"""What counts as the recent rate of a CATD."""
ROOM_STATION = "sala"
"""The station of what is done in the room."""
STRIP_MINUTES = 30
"""Minutes of the heartbeat strip."""
SILENCE_MS = 3 * MS_PER_MINUTE
"""A gap longer than this between two heartbeats breaks the row of them."""

# Bits of an acta's flags. The first four are the steps.
_IN, _IMAGE, _CAPTURED, _REGISTERED, _SIN_ACTA, _DISPUTED, _COUNTED, _INCONSISTENT = (
    1 << n for n in range(8)
)
_ALL_STEPS = _IN | _IMAGE | _CAPTURED | _REGISTERED

_FROM_A_PHONE = ('"CASILLA"', '"MOVIL"')


class NightState:
    """The night so far. Events in the order of the ledger through `apply`, heartbeats through `pulse`."""

    def __init__(self, catalog: Catalog, plan: ContinuityPlan | None = None) -> None:
        """`plan` is the continuity plan, to say which measures come next."""
        self.catalog = catalog
        self.size = len(catalog.actas)
        self.seq = 0
        self.recorded_at = 0
        """The latest `recorded_at` seen."""
        self.heard_ms = 0
        """The latest `recorded_at` of a heartbeat."""
        self.opened = self.closed = False
        self.starts_ms = self.ends_ms = 0
        self.catds = Groups(len(catalog.catds))
        self.distritos: dict[int | None, list[int]] = {}
        """[expected, registered, published] by distrito; None for actas of no distrito."""
        self.municipios: dict[int | None, list[int]] = {}
        self.contests = {key: ContestCounts() for key in catalog.contests}
        self.cuts: list[CutRecord] = []
        self.refused: RefusedCut | None = None
        self.hold = Hold()
        """Whether cuts may go out, by who asked."""
        self.sin_acta = self.disputes = self.counted = self.inconsistent = 0
        self.quality = QualityFold()
        self.incidents = IncidentsView()
        self.continuity = ContinuityView(
            {catd.id: catd.distrito for catd in catalog.catds}, plan or ContinuityPlan()
        )
        self.pulses: dict[int, PulseRecord] = {}
        self._flags = bytearray(self.size)
        self._published = bytearray(self.size)
        # Half a million actas are of a third as many casillas: each is looked at once.
        distritos, municipios = self.distritos, self.municipios
        homes = [
            (
                one.catd,
                distritos.setdefault(one.distrito, [0, 0, 0]),
                municipios.setdefault(one.municipio, [0, 0, 0]),
            )
            for one in catalog.casillas
        ]
        self._catd: list[int] = []
        self._distrito: list[list[int]] = []
        self._municipio: list[list[int]] = []
        self._contest: list[ContestCounts] = []
        for entry in catalog.actas:
            catd, distrito, municipio = homes[entry.casilla]
            contest = self.contests[entry.contest]
            self._catd.append(catd)
            self._distrito.append(distrito)
            self._municipio.append(municipio)
            self._contest.append(contest)
            self.catds.expected[catd] += 1
            distrito[0] += 1
            municipio[0] += 1
            contest.expected += 1
        self.unpublished = 0
        """Actas registered that no cut includes."""
        self._received = self._digitized = self._captured = self._registered = self._published_total = 0
        self._since_cut: deque[tuple[int, int, bool]] = deque()
        self._outside_contest: dict[int, ContestCounts] = {}
        self._minutes: list[int] = []
        self._by_minute: list[Totals] = []
        self._next_minute = 0
        acta_kinds: dict[str, Callable[[int, int, str, str], None]] = {
            EventKind.ACTA_RECEIVED.value: self._on_received,
            EventKind.ACTA_DIGITIZED.value: self._on_digitized,
            EventKind.ACTA_CAPTURED.value: self._on_captured,
            EventKind.ACTA_DISPUTED.value: self._on_disputed,
            EventKind.ACTA_VERIFIED.value: self._on_verified,
            EventKind.SIN_ACTA_MARKED.value: self._on_sin_acta,
            EventKind.IMAGE_REPLACED.value: self._on_back_to_capture,
            EventKind.RECALL_APPROVED.value: self._on_back_to_capture,
            EventKind.OUTSIDE_IDENTIFIED.value: self._on_identified,
        }
        self._acta_kinds = acta_kinds
        self._people_kinds = INCIDENT_KINDS | CONTINUITY_KINDS

    # -- the fold ------------------------------------------------------------------------------

    def apply(
        self,
        seq: int,
        kind: str,
        acta: int | None,
        at: int,
        recorded_at: int,
        actor: str,
        station: str,
        data: bytes | str,
    ) -> None:
        """One event of the ledger, in order. `data` is its JSON, decoded only where it is needed.

        A sequence already seen changes nothing; a kind that is not known is passed over, so that a later
        engine does not stop an earlier room.
        """
        if seq <= self.seq:
            return
        self.seq = seq
        # What is done in the room bears the hour of the wall, which in a fast rehearsal is ahead of the
        # database: it says nothing of how far the night itself is known.
        if station != ROOM_STATION:
            if recorded_at >= self._next_minute:
                self._close_minute(recorded_at)
            if recorded_at > self.recorded_at:
                self.recorded_at = recorded_at
        if acta is not None:
            handler = self._acta_kinds.get(kind)
            if handler is not None:
                text = data if isinstance(data, str) else data.decode()
                self.quality.apply(kind, acta, actor, text)
                handler(acta, recorded_at, actor, text)
        else:
            self._whole(seq, kind, at, actor, data)

    def apply_rows(self, rows: list[Row]) -> None:
        """Many events, in order."""
        apply = self.apply
        for row in rows:
            apply(*row)

    def pulse(self, pulse: PulseLike) -> None:
        """One heartbeat; one already seen, or older than the last of its CATD, only fills the strip."""
        if pulse.recorded_at > self.heard_ms:
            self.heard_ms = pulse.recorded_at
        record = self.pulses.get(pulse.catd)
        minute = pulse.at // MS_PER_MINUTE
        if record is None:
            recent: deque[tuple[int, int]] = deque(((minute, pulse.link),), STRIP_MINUTES + 5)
            self.pulses[pulse.catd] = PulseRecord(
                pulse.at, pulse.link, pulse.waiting, pulse.staff, 1, recent
            )  # fmt: skip
        elif pulse.at > record.last_ms:
            record.in_a_row = record.in_a_row + 1 if pulse.at - record.last_ms <= SILENCE_MS else 1
            record.last_ms, record.link, record.waiting = pulse.at, pulse.link, pulse.waiting
            record.staff = pulse.staff
            record.recent.append((minute, pulse.link))
        elif all(minute != seen for seen, _ in record.recent):
            record.recent = deque(sorted((*record.recent, (minute, pulse.link))), STRIP_MINUTES + 5)

    def _close_minute(self, recorded_at: int) -> None:
        """Remember the totals as they were when the minute of an event began."""
        minute = recorded_at // MS_PER_MINUTE
        self._minutes.append(minute * MS_PER_MINUTE)
        self._by_minute.append(self.totals())
        self._next_minute = (minute + 1) * MS_PER_MINUTE

    def _move(self, acta: int, recorded_at: int, flags: int) -> None:
        """Put an acta where `flags` say, keeping every sum."""
        changed = self._flags[acta] ^ flags
        if not changed:
            return
        self._flags[acta] = flags
        groups, catd = self.catds, self._catd[acta]
        if changed & _IN:
            step = 1 if flags & _IN else -1
            groups.received[catd] += step
            self._received += step
        if changed & _IMAGE:
            step = 1 if flags & _IMAGE else -1
            groups.digitized[catd] += step
            self._digitized += step
        if changed & _CAPTURED:
            step = 1 if flags & _CAPTURED else -1
            groups.captured[catd] += step
            self._captured += step
        if changed & _REGISTERED:
            self._register(acta, catd, recorded_at, bool(flags & _REGISTERED))
        if changed & _SIN_ACTA:
            step = 1 if flags & _SIN_ACTA else -1
            groups.sin_acta[catd] += step
            self.sin_acta += step
        if changed & _DISPUTED:
            self.disputes += 1 if flags & _DISPUTED else -1
        if changed & _COUNTED:
            step = 1 if flags & _COUNTED else -1
            self._contest[acta].counted += step
            self.counted += step
        if changed & _INCONSISTENT:
            step = 1 if flags & _INCONSISTENT else -1
            self._contest[acta].inconsistent += step
            groups.inconsistent[catd] += step
            self.inconsistent += step

    def _register(self, acta: int, catd: int, recorded_at: int, now: bool) -> None:
        step = 1 if now else -1
        self.catds.registered[catd] += step
        self._registered += step
        self._distrito[acta][1] += step
        self._municipio[acta][1] += step
        self._contest[acta].registered += step
        if not self._published[acta]:
            self.unpublished += step
        self._since_cut.append((self.seq, acta, now))
        if now:
            times = self.catds.registered_at[catd]
            times.append(recorded_at)
            while times[0] < recorded_at - RECENT_MS:
                times.popleft()

    def _on_received(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, _IN)
        self._heard(acta, recorded_at, data)

    def _on_digitized(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, _IN | _IMAGE)
        self._heard(acta, recorded_at, data)

    def _heard(self, acta: int, recorded_at: int, data: str) -> None:
        # What a phone sends from the casilla does not pass through the CATD: it says nothing of it.
        if not any(mark in data for mark in _FROM_A_PHONE):
            self.catds.last_acta_ms[self._catd[acta]] = recorded_at

    def _on_captured(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, self._flags[acta] | _CAPTURED)

    def _on_disputed(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, self._flags[acta] | _DISPUTED)

    def _on_verified(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        flags = _ALL_STEPS
        # The canonical JSON has no spaces; decoding it here again would cost more than all the rest.
        if '"contabilizada":true' in data:
            flags |= _COUNTED
        if '"inconsistent":true' in data:
            flags |= _INCONSISTENT
        self._move(acta, recorded_at, flags)

    def _on_sin_acta(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, _ALL_STEPS | _SIN_ACTA)

    def _on_back_to_capture(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        self._move(acta, recorded_at, _IN | _IMAGE)

    def _on_identified(self, acta: int, recorded_at: int, actor: str, data: str) -> None:
        counts = self._outside_contest.pop(orjson.loads(data)["outside"], None)
        if counts is not None:
            counts.outside -= 1
        self._move(acta, recorded_at, _IN | _IMAGE)

    # -- events of the whole operation ---------------------------------------------------------

    def _whole(self, seq: int, kind: str, at: int, actor: str, data: bytes | str) -> None:
        if kind in self._people_kinds:
            decoded = orjson.loads(data)
            self.incidents.apply(seq, kind, at, actor, decoded)
            self.continuity.apply(seq, kind, at, actor, decoded)
        elif kind == EventKind.CUT_PUBLISHED:
            self._cut(at, orjson.loads(data))
        elif kind == EventKind.CUT_REFUSED:
            decoded = orjson.loads(data)
            self.refused = RefusedCut(int(decoded["number"]), at, str(decoded["reason"]))
        elif kind in HOLD_TABLE:
            event = Event(EventKind(kind), None, at, None, at, actor, "", orjson.loads(data))
            self.hold = follow_hold(self.hold, event)
        elif kind == EventKind.OPERATION_OPENED:
            decoded = orjson.loads(data)
            self.opened = True
            self.starts_ms, self.ends_ms = int(decoded["starts_at"]), int(decoded["ends_at"])
        elif kind == EventKind.OPERATION_CLOSED:
            self.closed = True
        elif kind == EventKind.OUTSIDE_RECEIVED:
            self.quality.apply(kind, None, actor, data)
            decoded = orjson.loads(data)
            counts = self.contests.get(decoded["contest"])
            if counts is not None:
                counts.outside += 1
                self._outside_contest[decoded["outside"]] = counts

    def _cut(self, at: int, data: Mapping[str, Any]) -> None:
        high = int(data["seq_high"])
        waiting, published = self._since_cut, self._published
        while waiting and waiting[0][0] <= high:
            _, acta, now = waiting.popleft()
            if published[acta] != now:
                published[acta] = now
                step = 1 if now else -1
                self.catds.published[self._catd[acta]] += step
                self._distrito[acta][2] += step
                self._municipio[acta][2] += step
                self._published_total += step
                if self._flags[acta] & _REGISTERED:
                    self.unpublished -= step
        number = int(data["number"])
        self.cuts.append(
            CutRecord(
                number, at, high, str(data["manifest_sha256"]), self._published_total, bool(data["last"])
            )
        )  # fmt: skip
        if self.refused is not None and number >= self.refused.number:
            self.refused = None

    # -- what it says --------------------------------------------------------------------------

    @property
    def known_ms(self) -> int:
        """The latest moment the database says anything of, ms UTC; 0 while it says nothing."""
        return max(self.recorded_at, self.heard_ms)

    def totals(self) -> Totals:
        """The steps of the whole election at the last event."""
        return Totals(
            self._received, self._digitized, self._captured, self._registered, self._published_total
        )  # fmt: skip

    def totals_at(self, ms: int) -> Totals:
        """The steps as they were at an instant, to the minute: exact when `ms` is a whole minute."""
        position = bisect_left(self._minutes, ms)
        return self._by_minute[position] if position < len(self._by_minute) else self.totals()

    def rate(self, now_ms: int, minutes: int = 15) -> float:
        """Actas registered a minute over the last `minutes` (fewer when the night is younger)."""
        start = max(now_ms - minutes * MS_PER_MINUTE, self.starts_ms or now_ms)
        start -= start % MS_PER_MINUTE
        if now_ms - start < MS_PER_MINUTE:
            return 0.0
        gained = self._registered - self.totals_at(start).registered
        return gained * MS_PER_MINUTE / (now_ms - start)

    def registered_recently(self, catd: int, now_ms: int) -> int:
        """Actas of a CATD registered in the last hour."""
        times = self.catds.registered_at[catd]
        while times and times[0] < now_ms - RECENT_MS:
            times.popleft()
        return len(times)

    def outside(self) -> int:
        """Actas fuera de catálogo that nobody has identified."""
        return sum(one.outside for one in self.contests.values())

    def strip(self, catd: int, now_ms: int) -> str:
        """The heartbeats of the last STRIP_MINUTES whole minutes, oldest first.

        «o» a heartbeat, «d» one with the link degraded, «.» none, «-» before the first or no data.
        """
        record = self.pulses.get(catd)
        if record is None:
            return "-" * STRIP_MINUTES
        by_minute = dict(record.recent)
        first = min(by_minute)
        # The present minute has not ended: that its heartbeat is not here yet means nothing.
        last = now_ms // MS_PER_MINUTE - 1
        return "".join(
            "-" if minute < first else "." if (link := by_minute.get(minute)) is None else _mark(link)
            for minute in range(last - STRIP_MINUTES + 1, last + 1)
        )


def _mark(link: int) -> str:
    return "d" if link < 100 else "o"


def read_new(connection: Connection, state: NightState) -> int:
    """Everything the ledger has after the state's last sequence, into it; how many events."""
    count = 0
    while True:
        rows = read_rows(connection, state.seq)
        state.apply_rows(rows)
        count += len(rows)
        if len(rows) < CHUNK:
            return count
