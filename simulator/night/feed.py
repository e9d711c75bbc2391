"""The one way from the model to the engine: commands in the order of the night, in batches.

A batch goes at its size limit or when somebody needs the database to be up to date (a cut, the
end); in a live night a thread of its own sends them. Every answer is looked at: refusals are counted by
code, and those nobody provoked are told apart. In a run that is continued, what the database already
has is taken as done. It decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain.commands import AnyCommand, ApplyMeasure, OpenIncident, ResolveIncident
from core.domain.events import EventKind
from core.domain.refusals import Refusal
from core.engine import Answer, Engine, command_digest
from simulator.night.restart import OtherRunError, Recorded

if TYPE_CHECKING:
    from simulator.live.writer import OrderedWriter

BATCH = 500
_OF_INCIDENTS = (OpenIncident, ApplyMeasure, ResolveIncident)


@dataclass
class Outcome:
    """What became of a batch: answers repeated, events and flags by name, and what was refused.

    `refusals` are (key, code, detail), in order.
    """

    repeated: int = 0
    events: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)


def outcome_of(answers: Sequence[Answer]) -> Outcome:
    """Add up the answers of a batch."""
    outcome = Outcome()
    for answer in answers:
        if answer.repeated:
            outcome.repeated += 1
        for event in answer.events:
            outcome.events[event.kind.value] += 1
            if event.kind in (EventKind.ACTA_RECEIVED, EventKind.ACTA_CAPTURED):
                outcome.flags.update(event.data["flags"])
        if answer.refusal is not None:
            outcome.refusals.append((answer.key, answer.refusal.value, answer.detail))
    return outcome


class Feed:
    """Commands waiting for the engine. `recorded_at` of each is the virtual time it is added at, ms UTC.

    With `done`, the first commands are those of an interrupted run and are not sent again; `caught_up`
    is called when the last of them has been seen (at once when there is none).
    """

    def __init__(
        self,
        engine: Engine,
        batch: int = BATCH,
        *,
        done: Recorded | None = None,
        caught_up: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._batch = batch
        self._done = done or Recorded()
        self._left = len(self._done.digests)
        self._seen: set[str] = set()
        self._caught_up = caught_up
        self.writer: OrderedWriter | None = None
        """Set by a live night: it sends what is added, in order."""
        self._commands: list[AnyCommand] = []
        self._times: list[int] = []
        self._provoked: set[str] = set()
        self.sent = 0
        self.repeated = 0
        self.events: Counter[str] = Counter(self._done.events)
        self.flags: Counter[str] = Counter(self._done.flags)
        self.refusals: Counter[str] = Counter()
        """Refusals nobody provoked, by code."""
        self.provoked: Counter[str] = Counter()
        self.examples: list[str] = []
        """The first refusals nobody provoked, in words."""
        self.overtaken: Counter[str] = Counter()
        """Refusals of what people of the control room had done already, by code."""
        self._of_incident: dict[str, str] = {}
        self._late: list[tuple[str, str, str]] = []
        self._catching_up = True

    def add(self, command: AnyCommand, recorded_at: int, *, provoked: bool = False) -> None:
        """Queue a command; with `provoked` the engine is expected to refuse it."""
        if provoked:
            self._provoked.add(command.key)
        if isinstance(command, _OF_INCIDENTS):
            self._of_incident[command.key] = command.incident
        if self._left and self._skip(command):
            return
        if self._catching_up:
            self._end_catching_up()
        self.sent += 1
        if self.writer is not None:
            self.writer.put(command, recorded_at)
            return
        self._commands.append(command)
        self._times.append(recorded_at)
        if len(self._commands) >= self._batch:
            self._send()

    def flush(self) -> None:
        """Send what is waiting; when it returns the database has it."""
        if self.writer is not None:
            self.writer.drain()
        else:
            self._send()

    def in_order(self, job: Callable[[], None]) -> None:
        """Do something when the database has everything added so far and nothing of what comes later."""
        if self.writer is not None:
            self.writer.call(job)
        else:
            self._send()
            job()

    def take(self, outcome: Outcome) -> None:
        """Count what became of a batch."""
        self.repeated += outcome.repeated
        self.events.update(outcome.events)
        self.flags.update(outcome.flags)
        for refused in outcome.refusals:
            self._refused(*refused)

    def set_apart(self, told_by_others: Callable[[], Collection[str]]) -> None:
        """Decide whose fault the refused commands about incidents are, once everything was sent.

        `told_by_others` gives the incidents that the control room has acted on: what the night still had to
        say of them came late, and that is no fault of the run.
        """
        late, self._late = self._late, []
        theirs = told_by_others() if late else ()
        for key, code, detail in late:
            if self._of_incident[key] in theirs:
                self.overtaken[code] += 1
            else:
                self._unprovoked(key, code, detail)

    def check_all_seen(self) -> None:
        """Raises OtherRunError when the database has commands that this night did not say."""
        if self._left:
            raise OtherRunError(
                f"La base no es de esta corrida: tiene {self._left:,} órdenes que esta noche no da."
            )

    def _send(self) -> None:
        if self._commands:
            commands, times = self._commands, self._times
            self._commands, self._times = [], []
            self.take(outcome_of(self._engine.execute(commands, times)))

    def _refused(self, key: str, code: str, detail: str) -> None:
        if key in self._provoked:
            self.provoked[code] += 1
            self._provoked.discard(key)
        elif code == Refusal.INCIDENT_STATE and key in self._of_incident:
            self._late.append((key, code, detail))
        else:
            self._unprovoked(key, code, detail)

    def _unprovoked(self, key: str, code: str, detail: str) -> None:
        self.refusals[code] += 1
        if len(self.examples) < 10:
            self.examples.append(f"{key}: {code} {detail}".strip())

    # -- what an interrupted run left ----------------------------------------------------------

    def _skip(self, command: AnyCommand) -> bool:
        """Take a command as done: its events and flags are counted already."""
        key = command.key
        digest = self._done.digests.get(key)
        if digest is None or digest != command_digest(command):
            raise OtherRunError(f"La base no es de esta corrida: su orden «{key}» no es la de esta noche.")
        self.sent += 1
        if key in self._seen:
            self.repeated += 1
        else:
            self._seen.add(key)
            self._left -= 1
        refusal = self._done.refusals.get(key)
        if refusal is not None:
            self._refused(key, *refusal)
        if not self._left:
            self._end_catching_up()
        return True

    def _end_catching_up(self) -> None:
        self._catching_up = False
        self._done.digests.clear()
        self._done.refusals.clear()
        self._seen.clear()
        if self._caught_up is not None:
            self._caught_up()

    @property
    def missed_provocations(self) -> int:
        """Commands the engine should have refused and accepted, or has not seen."""
        return len(self._provoked)
