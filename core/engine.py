"""The engine: the only thing that changes the data of an election.

`Engine.execute` takes a batch of commands, decides each one with the pure domain, and records
the events, the new states and the answers in one transaction; when it returns, what it accepted
is on disk. The simulator, the stations and the replay of a real night call it alike. It reads no
clock: the caller says when each command was recorded. Aggregates and packages are not its business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from core.domain.acta import EXPECTED, REGISTERED, ActaState, evolve, published_in
from core.domain.catalog import Catalog
from core.domain.commands import (
    ActaCommand,
    AnyCommand,
    ApplyMeasure,
    Command,
    Digitize,
    Identify,
    MarkSinActa,
    OpenIncident,
    ProposeMeasure,
    ReceiveOutside,
    ReplaceImage,
    SilenceAlert,
)
from core.domain.events import Event, EventKind
from core.domain.marking import MarkingLimits, MarkingRate
from core.domain.operation import Operation, decide_operation, fold
from core.domain.refusals import Refusal, Rejection
from core.domain.transitions import Facts, OutsideActa, decide, valid_hash
from core.domain.writable import unwritable
from core.storage.rows import acta_times, result_row
from core.storage.store import Answered, Batch, Store, Transaction, chain, ledger_row

OUTSIDE_OWNER = -1
"""Owner of an image that belongs to an acta fuera de catálogo."""

# A union in `isinstance` is built anew on every call.
_OF_ACTAS = (ActaCommand, ReceiveOutside)
_OF_CATDS = (OpenIncident, ApplyMeasure, ProposeMeasure)
_OF_IMAGES = (Digitize, ReplaceImage)
_WITH_IMAGE = (Digitize, ReplaceImage, ReceiveOutside)

CACHED_ACTAS = 40_000
"""States kept in memory; the rest are read back from the ledger when needed."""


class Answer(NamedTuple):
    """What the engine says to one command.

    `refusal` is None when it was accepted; `seq_first`/`seq_last` are then its events in the
    ledger. `repeated` means the key had been answered before and nothing was done. `events` are
    those of this very call.
    """

    key: str
    refusal: Refusal | None = None
    detail: str = ""
    seq_first: int | None = None
    seq_last: int | None = None
    repeated: bool = False
    events: tuple[Event, ...] = ()

    @property
    def accepted(self) -> bool:
        """True when the command took effect (now or the first time it was sent)."""
        return self.refusal is None


@dataclass(slots=True)
class _Held:
    """A state in memory, the sequence of its last event, and whether it is registered."""

    state: ActaState
    seq: int
    published: bool


def command_digest(command: Command) -> bytes:
    """16 bytes that tell two commands with the same key apart."""
    body = orjson.dumps(command)
    return hashlib.blake2b(type(command).__name__.encode() + body, digest_size=16).digest()


class Engine:
    """Commands in, events out. One instance per process; several processes may share a database.

    Raises OtherElectionError when the database belongs to another catalogue or mode.
    """

    def __init__(
        self, store: Store, catalog: Catalog, mode: str, limits: MarkingLimits | None = None
    ) -> None:
        self.catalog = catalog
        self.mode = mode
        self._store = store
        self._catds = {catd.id for catd in catalog.catds}
        self._applies = [layout.applies for layout in catalog.layouts]
        self._held: dict[int, _Held] = {}
        self._rate = MarkingRate(limits or MarkingLimits())
        self._operation = Operation()
        self._seq = 0
        self._hash = b""
        self._registered = 0
        self._outside_count = 0
        store.initialize(catalog, mode)
        with store.write() as transaction:
            self._reload(transaction)

    @property
    def operation(self) -> Operation:
        """What is known of the operation after the last batch."""
        return self._operation

    @property
    def seq(self) -> int:
        """Last sequence of the ledger this engine has seen."""
        return self._seq

    @property
    def pending(self) -> int:
        """Expected actas not registered yet."""
        return len(self.catalog.actas) - self._registered

    def state(self, acta: int) -> ActaState:
        """The present state of an acta."""
        with self._store.write() as transaction:
            self._catch_up(transaction)
            self._load(transaction, [acta])
        return self._held[acta].state

    def execute(self, commands: Sequence[AnyCommand], recorded_at: int | Sequence[int]) -> list[Answer]:
        """Decide and record a batch, in order, in one transaction.

        `recorded_at` is the engine's time in ms UTC, one for all or one per command. Returns one
        answer per command, in the same order. If the database fails nothing of the batch is
        recorded and the exception goes up; the same commands can be sent again.
        """
        times = [recorded_at] * len(commands) if isinstance(recorded_at, int) else recorded_at
        try:
            with self._store.write() as transaction:
                return self._run(transaction, commands, times)
        except BaseException:
            # The memory may be ahead of the database: the next batch reads it again.
            self._held.clear()
            self._seq = -1
            raise

    # -- one batch -----------------------------------------------------------------------------

    def _run(
        self, transaction: Transaction, commands: Sequence[AnyCommand], times: Sequence[int]
    ) -> list[Answer]:
        self._catch_up(transaction)
        problems = [unwritable(command) for command in commands]
        sound = [c for c, problem in zip(commands, problems, strict=True) if problem is None]
        answered = transaction.answers([command.key for command in sound])
        self._make_room()
        self._load(transaction, [c.acta for c in sound if c.acta is not None])
        images = transaction.images(
            self.catalog.contests, [c.image_hash for c in sound if isinstance(c, _WITH_IMAGE)]
        )
        wanted = [c.outside for c in sound if isinstance(c, Identify)]
        outside = transaction.outside(wanted) if wanted else {}
        batch = Batch()
        touched: dict[int, bool] = {}
        answers: list[Answer] = []
        for command, recorded_at, problem in zip(commands, times, problems, strict=True):
            if problem is not None:
                # Not even its key can be trusted to a table: the no leaves no trace.
                answers.append(Answer(command.key, Refusal.UNWRITABLE, problem))
                continue
            digest = command_digest(command)
            known = answered.get(command.key)
            if known is not None:
                answers.append(_repeat(command.key, digest, known))
                continue
            decision = self._decide(command, recorded_at, images, outside)
            if isinstance(decision, Rejection):
                answer = Answer(command.key, decision.code, decision.detail)
                batch.commands.append((command.key, digest, decision.code.value, decision.detail, None, None))
                answered[command.key] = Answered(digest, decision.code.value, decision.detail, None, None)
            else:
                first = self._seq + 1
                for event in decision:
                    self._record(event, batch, touched, images, outside)
                answer = Answer(command.key, None, "", first, self._seq, False, tuple(decision))
                batch.commands.append((command.key, digest, None, None, first, self._seq))
                answered[command.key] = Answered(digest, None, "", first, self._seq)
            answers.append(answer)
        self._settle(batch, touched)
        transaction.flush(batch)
        return answers

    def _decide(
        self,
        command: AnyCommand,
        recorded_at: int,
        images: dict[tuple[str, str], int],
        outside: dict[int, OutsideActa],
    ) -> list[Event] | Rejection:
        operation = self._operation
        if not isinstance(command, _OF_ACTAS):
            if isinstance(command, _OF_CATDS) and not self._catds.issuperset(command.catds):
                return Rejection(Refusal.UNKNOWN_CATD)
            if isinstance(command, SilenceAlert) and not (
                command.catd is None or command.catd in self._catds
            ):
                return Rejection(Refusal.UNKNOWN_CATD)
            return decide_operation(operation, command, recorded_at, self.pending, self._seq)
        if not operation.running:
            return Rejection(Refusal.OPERATION_CLOSED)
        if not operation.contains(command.at):
            return Rejection(Refusal.OUTSIDE_PERIOD)
        if isinstance(command, ReceiveOutside):
            return self._receive_outside(command, recorded_at, images)
        held = self._held.get(command.acta)
        if held is None:
            return Rejection(Refusal.UNKNOWN_ACTA)
        if isinstance(command, MarkSinActa):
            refused = self._rate.check(
                command.actor, command.station, command.at, command.supervisor is not None
            )
            if refused is not None:
                return refused
        entry = self.catalog.actas[command.acta]
        owner = None
        if isinstance(command, _OF_IMAGES):
            owner = images.get((entry.contest, command.image_hash))
        facts = Facts(
            self._applies[entry.layout],
            entry.limit,
            recorded_at,
            owner,
            outside.get(command.outside) if isinstance(command, Identify) else None,
        )
        if facts.outside is not None and facts.outside.contest != entry.contest:
            return Rejection(Refusal.UNKNOWN_ACTA, "Es de otra contienda.")
        return decide(held.state, command, facts)

    def _receive_outside(
        self, command: ReceiveOutside, recorded_at: int, images: dict[tuple[str, str], int]
    ) -> list[Event] | Rejection:
        if command.contest not in self.catalog.contests:
            return Rejection(Refusal.UNKNOWN_CONTEST)
        if not valid_hash(command.image_hash):
            return Rejection(Refusal.BAD_HASH)
        owner = images.get((command.contest, command.image_hash))
        if owner is not None:
            kind = EventKind.DUPLICATE_RECORDED
            data = {"what": "fuera_de_catalogo", "image_hash": command.image_hash, "owner": owner}
        else:
            kind = EventKind.OUTSIDE_RECEIVED
            data = {
                "outside": self._outside_count + 1,
                "contest": command.contest,
                "claimed": command.claimed,
                "origin": command.origin.value,
                "image_hash": command.image_hash,
                "medium": command.medium.value,
                "document": command.document,
            }
        return [
            Event(
                kind, None, command.at, command.device_at, recorded_at, command.actor, command.station, data
            )
        ]

    def _record(
        self,
        event: Event,
        batch: Batch,
        touched: dict[int, bool],
        images: dict[tuple[str, str], int],
        outside: dict[int, OutsideActa],
    ) -> None:
        self._seq += 1
        row = ledger_row(self._seq, event)
        self._hash = chain(self._hash, row)
        batch.ledger.append((*row, self._hash))
        kind, data = event.kind, event.data
        if event.acta is not None:
            held = self._held[event.acta]
            if event.acta not in touched:
                touched[event.acta] = held.published
            held.state = evolve(held.state, event)
            held.seq = self._seq
            registered = held.state.status in REGISTERED
            self._registered += registered - held.published
            held.published = registered
            if kind in (EventKind.ACTA_DIGITIZED, EventKind.IMAGE_REPLACED):
                contest = self.catalog.actas[event.acta].contest
                images[(contest, data["image_hash"])] = event.acta
                batch.images.append((contest, data["image_hash"], event.acta))
            elif kind is EventKind.SIN_ACTA_MARKED:
                self._rate.note(event.actor, event.station, event.at)
            elif kind is EventKind.OUTSIDE_IDENTIFIED:
                batch.outside_identified.append((event.acta, data["outside"]))
                known = outside[data["outside"]]
                outside[known.id] = OutsideActa(
                    known.id, known.contest, known.received_at, known.claimed, known.origin,
                    known.image_hash, known.medium, known.document, event.acta,
                )  # fmt: skip
        elif kind is EventKind.OUTSIDE_RECEIVED:
            self._outside_count = data["outside"]
            # A later command of the same batch may identify it.
            outside[data["outside"]] = OutsideActa(
                data["outside"], data["contest"], event.at, data["claimed"], data["origin"],
                data["image_hash"], data["medium"], data["document"],
            )  # fmt: skip
            images[(data["contest"], data["image_hash"])] = OUTSIDE_OWNER
            batch.images.append((data["contest"], data["image_hash"], OUTSIDE_OWNER))
            batch.outside.append(
                (
                    data["outside"], data["contest"], data["claimed"], data["origin"], data["medium"],
                    data["document"], data["image_hash"], event.at, None,
                )
            )  # fmt: skip
        elif kind is EventKind.CUT_PUBLISHED:
            self._operation = fold(self._operation, event, self._seq)
            batch.cut_seq_high = data["seq_high"]
            self._publish_held(data["seq_high"], data["number"])
        else:
            self._operation = fold(self._operation, event, self._seq)

    def _settle(self, batch: Batch, touched: dict[int, bool]) -> None:
        """Rows of the actas a batch touched, from the state each one ended in."""
        for acta, had_result in touched.items():
            held = self._held[acta]
            state = held.state
            batch.actas.append((state.status.value, held.seq, *acta_times(state), acta))
            row = result_row(acta, state)
            if had_result:
                batch.results_gone.append((acta,))
            if row is not None:
                batch.results.append(row)

    # -- memory --------------------------------------------------------------------------------

    def _catch_up(self, transaction: Transaction) -> None:
        """Take in what another process recorded since this engine last looked."""
        seq, digest = transaction.head()
        if seq == self._seq and digest == self._hash:
            return
        if 0 < self._seq < seq and transaction.hash_at(self._seq) == self._hash:
            self._follow(transaction)
        else:
            self._reload(transaction)

    def _follow(self, transaction: Transaction) -> None:
        """Take in only what came after the last event this engine knows."""
        for seq, event in transaction.events_after(self._seq):
            if event.acta is not None:
                self._held.pop(event.acta, None)
                if event.kind is EventKind.SIN_ACTA_MARKED:
                    self._rate.note(event.actor, event.station, event.at)
                continue
            self._operation = fold(self._operation, event, seq)
            if event.kind is EventKind.CUT_PUBLISHED:
                self._publish_held(event.data["seq_high"], event.data["number"])
        self._seq, self._hash = transaction.head()
        self._registered = transaction.result_count()
        self._outside_count = transaction.outside_count()

    def _publish_held(self, seq_high: int, number: int) -> None:
        """The states in memory that a cut includes become published."""
        for held in self._held.values():
            if held.seq <= seq_high:
                held.state = published_in(held.state, number)

    def _reload(self, transaction: Transaction) -> None:
        self._held.clear()
        self._seq, self._hash = transaction.head()
        self._operation = Operation()
        for seq, event in transaction.operation_events():
            self._operation = fold(self._operation, event, seq)
        self._registered = transaction.result_count()
        self._outside_count = transaction.outside_count()
        self._rate.forget()
        for actor, station, at in transaction.marks():
            self._rate.note(actor, station, at)

    def _make_room(self) -> None:
        """Let go of the actas that are done, and of the oldest when that is not enough."""
        if len(self._held) <= CACHED_ACTAS:
            return
        self._held = {acta: held for acta, held in self._held.items() if not held.published}
        if len(self._held) > CACHED_ACTAS * 3 // 4:
            for acta in list(self._held)[: CACHED_ACTAS // 4]:
                del self._held[acta]

    def _load(self, transaction: Transaction, actas: Sequence[int]) -> None:
        """Bring the states of some actas into memory, from the ledger."""
        size = len(self.catalog.actas)
        missing = sorted({acta for acta in actas if acta not in self._held and 0 <= acta < size})
        if not missing:
            return
        for acta in missing:
            self._held[acta] = _Held(EXPECTED, 0, False)
        for seq, event in transaction.events_of(missing):
            assert event.acta is not None
            held = self._held[event.acta]
            cut = self._operation.cut_including(held.seq, before=seq)
            if cut is not None:
                held.state = published_in(held.state, cut)
            held.state = evolve(held.state, event)
            held.seq = seq
        for acta in missing:
            held = self._held[acta]
            cut = self._operation.cut_including(held.seq)
            if cut is not None:
                held.state = published_in(held.state, cut)
            held.published = held.state.status in REGISTERED


def _repeat(key: str, digest: bytes, known: Answered) -> Answer:
    """The answer to a key that was answered before."""
    if known.digest != digest:
        return Answer(key, Refusal.KEY_REUSED, repeated=True)
    refusal = Refusal(known.refusal) if known.refusal is not None else None
    return Answer(key, refusal, known.detail, known.seq_first, known.seq_last, repeated=True)
