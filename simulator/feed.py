"""The one way from the model to the engine: commands in the order of the night, in batches.

A batch goes at its size limit or when somebody needs the database to be up to date (a cut, the
end). Every answer is looked at: refusals are counted by code, and those nobody provoked are told
apart. It decides nothing.
"""

from __future__ import annotations

from collections import Counter

from core.domain.commands import AnyCommand
from core.domain.events import EventKind
from core.engine import Engine

BATCH = 500


class Feed:
    """Commands waiting for the engine. `recorded_at` of each is the virtual time it is added at, ms UTC."""

    def __init__(self, engine: Engine, batch: int = BATCH) -> None:
        self._engine = engine
        self._batch = batch
        self._commands: list[AnyCommand] = []
        self._times: list[int] = []
        self._provoked: set[str] = set()
        self.sent = 0
        self.repeated = 0
        self.events: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        """Refusals nobody provoked, by code."""
        self.provoked: Counter[str] = Counter()
        self.examples: list[str] = []
        """The first refusals nobody provoked, in words."""

    def add(self, command: AnyCommand, recorded_at: int, *, provoked: bool = False) -> None:
        """Queue a command; with `provoked` the engine is expected to refuse it."""
        if provoked:
            self._provoked.add(command.key)
        self._commands.append(command)
        self._times.append(recorded_at)
        if len(self._commands) >= self._batch:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting; when it returns the database has it."""
        if not self._commands:
            return
        commands, times = self._commands, self._times
        self._commands, self._times = [], []
        self.sent += len(commands)
        for answer in self._engine.execute(commands, times):
            if answer.repeated:
                self.repeated += 1
            for event in answer.events:
                self.events[event.kind.value] += 1
                if event.kind in (EventKind.ACTA_RECEIVED, EventKind.ACTA_CAPTURED):
                    self.flags.update(event.data["flags"])
            if answer.refusal is not None:
                code = answer.refusal.value
                if answer.key in self._provoked:
                    self.provoked[code] += 1
                    self._provoked.discard(answer.key)
                else:
                    self.refusals[code] += 1
                    if len(self.examples) < 10:
                        self.examples.append(f"{answer.key}: {code} {answer.detail}".strip())

    @property
    def missed_provocations(self) -> int:
        """Commands the engine should have refused and accepted, or has not seen."""
        return len(self._provoked)
