"""Rebuilds everything from the ledger, in order, and judges it again on the way.

One pass over the rows, streamed; what stays in memory is the present state of every acta. It
trusts nothing but the catalogue: the chain, the persons and the verdicts are checked here. The
tables derived from the ledger are compared in `compare`.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from core.domain.acta import (
    EXPECTED,
    ActaState,
    AwaitingCapture,
    ImpossibleEventError,
    InDispute,
    RecallRequested,
    captures_of,
    evolve,
    published_in,
    value_of,
)
from core.domain.alerts import ALERT_EVENTS, alert_may_be
from core.domain.catalog import Catalog
from core.domain.continuity import applied_data, measure_may_follow, same_person
from core.domain.events import EVENT_FIELDS, Event, EventKind
from core.domain.holding import (
    HOLD_TABLE,
    PUBLICATION_EVENTS,
    held_by_same_person,
    hold_may_follow,
    notice_may_be,
)
from core.domain.incidents import INCIDENT_EVENTS, may_follow
from core.domain.operation import AFTER_CLOSING, ROOM_EVENTS, Operation, fold
from core.domain.rules import ActaReading, judge
from core.operations.check_findings import Findings
from core.storage import schema
from core.storage.store import EVENTS, GENESIS, chain, event_of

OUTSIDE_OWNER = -1
"""Owner of an image that belongs to an acta fuera de catálogo."""

_STEP = 2_000

_FEW_VALUES = ("origin", "mechanism", "medium", "document")
"""Keys of `data` with few different values: one copy of each is kept."""

_LEDGER = "ledger"
_APPLIED = "la aplicación de la medida autorizada"


class Rebuilt:
    """What the ledger says, after `read`.

    `states` and `seqs` are by acta id; `outside` by its number, with the columns of the table;
    `images` by contest and hash. `damaged` are the actas whose events cannot be followed.
    """

    def __init__(self, catalog: Catalog, findings: Findings) -> None:
        size = len(catalog.actas)
        self.catalog = catalog
        self.findings = findings
        self.states: list[ActaState] = [EXPECTED] * size
        self.seqs = array("q", bytes(8 * size))
        self.damaged: set[int] = set()
        self.outside: dict[int, list[Any]] = {}
        self.images: dict[str, dict[str, int]] = {contest: {} for contest in catalog.contests}
        self.operation = Operation()
        self._authorised: dict[str, object] | None = None
        """What the measure that was authorised in the row before must be applied with."""
        self.last_cut = False
        self.events = 0
        self.seq = 0
        self.hash = GENESIS

    def read(self, connection: Connection, advance: Callable[[int], None] = lambda _: None) -> None:
        """Read the whole ledger; `advance` is told how many rows were read each time."""
        for row in _rows(connection):
            self._row(row)
            if self.events % _STEP == 0:
                advance(_STEP)
        if self._authorised is not None:
            self.findings.add("K22", _LEDGER, self.seq + 1, "kind", _APPLIED, None)
        cut_including = self.operation.cut_including
        for acta, seq in enumerate(self.seqs):
            if seq:
                cut = cut_including(seq)
                if cut is not None:
                    self.states[acta] = published_in(self.states[acta], cut)

    # -- one row ---------------------------------------------------------------------------------

    def _row(self, row: Sequence[Any]) -> None:
        self.events += 1
        seq, recorded = int(row[0]), bytes(row[9])
        if seq == self.seq + 1:
            if chain(self.hash, (seq, *row[1:9])) != recorded:
                computed = chain(self.hash, (seq, *row[1:9])).hex()
                self.findings.add("K02", _LEDGER, seq, "hash", computed, recorded, self._what(row))
        else:
            self.findings.add("K01", _LEDGER, self.seq + 1, "seq", self.seq + 1, seq)
        # The recorded hash goes on, so that one bad row does not accuse all that follow.
        self.seq, self.hash = seq, recorded
        try:
            event = event_of(row)
            wanted = set(EVENT_FIELDS[event.kind])
        except (ValueError, KeyError, TypeError, orjson.JSONDecodeError) as error:
            self.findings.add("K03", _LEDGER, seq, "data", "un evento", row[8], str(error))
            self._damage(row[2])
            return
        if set(event.data) != wanted:
            keys = ", ".join(sorted(event.data))
            self.findings.add("K03", _LEDGER, seq, "data", ", ".join(sorted(wanted)), keys, row[1])
            self._damage(event.acta)
            return
        due, self._authorised = self._authorised, None
        if due is not None and (event.kind is not EventKind.MEASURE_APPLIED or event.data != due):
            self.findings.add("K22", _LEDGER, seq, "kind", _APPLIED, event.kind.value)
        if event.acta is None:
            self._whole(seq, event)
        elif not 0 <= event.acta < len(self.states):
            self.findings.add("K04", _LEDGER, seq, "acta", "un acta del catálogo", event.acta, row[1])
        elif event.acta not in self.damaged:
            self._of_acta(seq, event, event.acta)

    def _damage(self, acta: int | None) -> None:
        if acta is not None:
            self.damaged.add(acta)

    def _what(self, row: Sequence[Any]) -> str:
        acta = row[2]
        if acta is None or not 0 <= acta < len(self.states):
            return str(row[1])
        return f"{row[1]} del acta {self.catalog.actas[acta].key}"

    # -- events of the operation -----------------------------------------------------------------

    def _whole(self, seq: int, event: Event) -> None:
        kind, data, operation = event.kind, event.data, self.operation
        if kind is EventKind.OPERATION_OPENED:
            if operation.opened:
                self.findings.add("K05", _LEDGER, seq, "kind", "una sola apertura", kind.value)
        elif not operation.running and not (operation.opened and _may_come_late(operation, event)):
            self.findings.add("K05", _LEDGER, seq, "kind", "operación abierta", kind.value)
        if kind is EventKind.CUT_PUBLISHED:
            earlier = operation.cuts[-1][0] if operation.cuts else 0
            if not earlier <= data["seq_high"] < seq:
                self.findings.add("K06", _LEDGER, seq, "seq_high", f"{earlier} a {seq - 1}", data["seq_high"])
            if data["number"] <= operation.last_cut:
                wanted = f"más de {operation.last_cut}"
                self.findings.add("K06", _LEDGER, seq, "number", wanted, data["number"])
            if operation.finished or operation.held:
                why = "la publicación abierta"
                self.findings.add("K06", _LEDGER, seq, "kind", why, kind.value)
            self.last_cut = bool(data["last"])
        elif kind is EventKind.OUTSIDE_RECEIVED:
            self._in_period(seq, event)
            number = data["outside"]
            if number != len(self.outside) + 1:
                self.findings.add("K14", _LEDGER, seq, "outside", len(self.outside) + 1, number)
            self.outside[number] = [
                number, data["contest"], data["claimed"], data["origin"], data["medium"],
                data["document"], data["image_hash"], event.at, None,
            ]  # fmt: skip
            self._own(seq, data["contest"], data["image_hash"], OUTSIDE_OWNER)
        elif kind is EventKind.DUPLICATE_RECORDED:
            self._in_period(seq, event)
        elif kind in PUBLICATION_EVENTS:
            if not self._publication(seq, event):
                return
        elif kind in ROOM_EVENTS and not self._room(seq, event):
            return
        self.operation = fold(operation, event, seq)

    def _publication(self, seq: int, event: Event) -> bool:
        """Holds, missed cuts and notices; False when the event cannot even be followed."""
        operation, data = self.operation, event.data
        try:
            if event.kind in HOLD_TABLE:
                if held_by_same_person(operation.hold, event):
                    self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", event.actor, data["hold"])
                sound, column = hold_may_follow(operation.hold, operation.holds, event), "hold"
            elif event.kind is EventKind.CUT_MISSED:
                sound, column = data["slot"] > operation.last_missed, "slot"
            else:
                sound, column = notice_may_be(operation.notices, event), "number"
            if operation.finished or not sound:
                self.findings.add("K23", _LEDGER, seq, column, "uno que siga a los anteriores", data[column])
            fold(operation, event, seq)
        except (TypeError, ValueError) as error:
            self.findings.add("K03", _LEDGER, seq, "data", "un evento", event.kind.value, str(error))
            return False
        return True

    def _room(self, seq: int, event: Event) -> bool:
        """Incidents, measures and alerts; False when the event cannot even be followed."""
        operation, data = self.operation, event.data
        if operation.opened and not operation.allows(event.kind, event.at, event.recorded_at):
            period = f"{operation.starts_at} a {operation.ends_at}"
            self.findings.add("K05", _LEDGER, seq, "at", period, event.at)
        try:
            if event.kind in ALERT_EVENTS:
                if not alert_may_be(event):
                    self.findings.add("K22", _LEDGER, seq, "until", "un silencio que vence", data["until"])
            elif event.kind in INCIDENT_EVENTS:
                if not may_follow(operation.incidents, event):
                    wanted = "un incidente que lo permita"
                    self.findings.add("K21", _LEDGER, seq, "incident", wanted, data["incident"])
            else:
                self._measure(seq, event)
            fold(operation, event, seq)
        except (TypeError, ValueError) as error:
            self.findings.add("K03", _LEDGER, seq, "data", "un evento", event.kind.value, str(error))
            return False
        return True

    def _measure(self, seq: int, event: Event) -> None:
        operation, data = self.operation, event.data
        known = operation.activations
        if same_person(known, event):
            self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", event.actor, data["activation"])
        if not measure_may_follow(known, operation.incidents, event):
            wanted = "una activación que lo permita"
            self.findings.add("K22", _LEDGER, seq, "activation", wanted, data["activation"])
        elif event.kind is EventKind.MEASURE_AUTHORISED:
            self._authorised = applied_data(
                known, operation.incidents, data["activation"], event.actor, event.at, data["active_at"]
            )

    def _in_period(self, seq: int, event: Event) -> None:
        if self.operation.running and not self.operation.contains(event.at):
            period = f"{self.operation.starts_at} a {self.operation.ends_at}"
            self.findings.add("K05", _LEDGER, seq, "at", period, event.at)

    def _own(self, seq: int, contest: str, sha256: str, owner: int) -> None:
        images = self.images.get(contest)
        if images is None:
            self.findings.add("K14", _LEDGER, seq, "contest", "una contienda del catálogo", contest)
        elif images.setdefault(sha256, owner) != owner:
            self.findings.add("K15", _LEDGER, seq, "image_hash", images[sha256], owner, sha256)

    # -- events of one acta ----------------------------------------------------------------------

    def _of_acta(self, seq: int, event: Event, acta: int) -> None:
        if not self.operation.running:
            self.findings.add("K05", _LEDGER, seq, "kind", "operación abierta", event.kind.value)
        else:
            self._in_period(seq, event)
        event = _interned(event)
        state = self.states[acta]
        cut = self.operation.cut_including(self.seqs[acta], before=seq) if self.seqs[acta] else None
        if cut is not None:
            state = published_in(state, cut)
        self._persons(seq, event, state)
        if event.kind is EventKind.ACTA_VERIFIED:
            self._verdict(seq, event, state, acta)
        try:
            self.states[acta] = evolve(state, event)
        except (ImpossibleEventError, IndexError, ValueError, TypeError) as error:
            key = self.catalog.actas[acta].key
            wanted = f"un evento posible en «{state.status.value}»"
            self.findings.add("K04", _LEDGER, seq, "kind", wanted, event.kind.value, f"acta {key}: {error}")
            self.damaged.add(acta)
            return
        self.seqs[acta] = seq
        kind, data = event.kind, event.data
        if kind in (EventKind.ACTA_DIGITIZED, EventKind.IMAGE_REPLACED):
            self._own(seq, self.catalog.actas[acta].contest, data["image_hash"], acta)
        elif kind is EventKind.OUTSIDE_IDENTIFIED:
            known = self.outside.get(data["outside"])
            if known is None or known[8] is not None:
                wanted = "un acta fuera de catálogo sin identificar"
                self.findings.add("K14", _LEDGER, seq, "outside", wanted, data["outside"])
            else:
                known[8] = acta

    def _persons(self, seq: int, event: Event, state: ActaState) -> None:
        kind, actor = event.kind, event.actor
        key = f"acta {self.catalog.actas[event.acta or 0].key}"
        if kind is EventKind.ACTA_CAPTURED:
            if any(capture.actor == actor for capture in captures_of(state)):
                self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", actor, f"{key}, captura")
            if isinstance(state, AwaitingCapture) and state.resolver == actor:
                self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", actor, f"{key}, resolución")
        elif kind is EventKind.RECALL_APPROVED:
            if isinstance(state, RecallRequested) and state.requested_by == actor:
                self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", actor, f"{key}, retiro")
        elif kind is EventKind.SIN_ACTA_MARKED:
            if event.data["supervisor"] == actor:
                what = f"{key}, autorización"
                self.findings.add("K07", _LEDGER, seq, "supervisor", "otra persona", actor, what)
        elif kind is EventKind.ACTA_COLLATED:
            value = value_of(state)
            if value is not None and value.value.actor == actor:
                self.findings.add("K07", _LEDGER, seq, "actor", "otra persona", actor, f"{key}, cotejo")

    def _verdict(self, seq: int, event: Event, state: ActaState, acta: int) -> None:
        data, captures = event.data, captures_of(state)
        entry = self.catalog.actas[acta]
        chosen = data["chosen"]
        if not isinstance(state, InDispute) or type(chosen) is not int or not 0 <= chosen < len(captures):
            return  # evolve refuses it and names it
        value, last = captures[chosen], captures[-1]
        what = f"acta {entry.key}"
        if data["basis"] == "coincidencia":
            if chosen == len(captures) - 1 or value.actor == last.actor:
                self.findings.add(
                    "K07", _LEDGER, seq, "chosen", "capturas de dos personas", value.actor, what
                )
            if not value.agrees_with(last):
                self.findings.add("K09", _LEDGER, seq, "chosen", "dos capturas iguales", "distintas", what)
        elif data["basis"] != "resolucion":
            wanted = "coincidencia o resolucion"
            self.findings.add("K09", _LEDGER, seq, "basis", wanted, data["basis"], what)
        elif any(capture.actor == event.actor for capture in captures):
            self.findings.add(
                "K07", _LEDGER, seq, "actor", "otra persona", event.actor, f"{what}, resolución"
            )
        verdict = judge(
            ActaReading(
                value.votes, entry.limit, value.totals[4], value.totals[1], value.totals[2], value.totals[3],
                value.letter_differs, value.only_letter_or_number, state.arrival.identified_later,
            )
        )  # fmt: skip
        for column, wanted_value in (
            ("contabilizada", verdict.contabilizada),
            ("inconsistent", verdict.inconsistent),
            ("codes", list(verdict.codes)),
            ("notices", list(verdict.notices)),
            ("total", verdict.total),
        ):
            if data[column] != wanted_value:
                self.findings.add("K08", _LEDGER, seq, column, wanted_value, data[column], what)


def _may_come_late(operation: Operation, event: Event) -> bool:
    """True for what may be recorded once the operation is closed."""
    if event.kind is EventKind.CUT_PUBLISHED:
        return bool(event.data["last"]) and not operation.finished
    return event.kind in AFTER_CLOSING or event.kind in (*PUBLICATION_EVENTS, EventKind.CUT_REFUSED)


def _rows(connection: Connection) -> Iterator[Sequence[Any]]:
    streamed = connection.execution_options(stream_results=True, yield_per=_STEP)
    yield from streamed.execute(EVENTS.order_by(schema.ledger.c.seq))


def _interned(event: Event) -> Event:
    data: dict[str, Any] = dict(event.data)
    for key in _FEW_VALUES:
        value = data.get(key)
        if type(value) is str:
            data[key] = sys.intern(value)
    return event._replace(actor=sys.intern(event.actor), data=data)
