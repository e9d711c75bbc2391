"""Where a verb writes: progress and notes on stderr, the answer on stdout.

For: the verbs of ``prep``. The answer is the only thing that ever reaches stdout, so that a script can
read it. Nothing here decides anything; the only clock read is the one that paces the progress.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from core.cli_verb import Answer

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

LINE_EVERY_SECONDS = 5.0
"""Pace of the progress lines where stderr is not a terminal."""
BAR_EVERY_SECONDS = 0.1
"""Pace at which a bar is told of the progress; the loops that report run much faster."""
WIDTH_WITHOUT_TERMINAL = 120
"""Columns of a table written to a file or a pipe."""


class Progress:
    """The advance of one long step; a context manager. This base class shows nothing.

    ``advance`` may be called for every acta: between two showings it costs one addition and one
    reading of the clock.
    """

    def __init__(
        self, label: str, total: int | None, pace: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.detail = ""
        self._pace = pace
        self._clock = clock
        self._started = clock()
        self._next = self._started + pace

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(completed=kind is None)

    def advance(self, count: int = 1, detail: str | None = None) -> None:
        """Adds ``count`` units done; ``detail`` replaces the words shown at the end («corte 14»)."""
        self.update(self.done + count, detail)

    def update(self, done: int, detail: str | None = None) -> None:
        """Sets the units done."""
        self.done = done
        if detail is not None:
            self.detail = detail
        now = self._clock()
        if now >= self._next:
            self._next = now + self._pace
            self._show(now - self._started)

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return self._clock() - self._started

    def _begin(self) -> None:
        """Hook: the step begins."""

    def _show(self, elapsed: float) -> None:
        """Hook: time to show the advance."""

    def _end(self, completed: bool) -> None:
        """Hook: the step ended, well or by an exception."""


class _Lines(Progress):
    """One plain line every few seconds, and one at the end."""

    def __init__(self, label: str, total: int | None, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(label, total, LINE_EVERY_SECONDS, clock)
        self._stream = stream

    def _show(self, elapsed: float) -> None:
        line = f"{self.label}: {self.done:,}"
        if self.total is not None:
            line += f" de {self.total:,}"
            if self.total > 0:
                line += f" ({self.done * 100 // self.total} %)"
        if self.detail:
            line += f", {self.detail}"
        print(f"{line}, {elapsed:.0f} s", file=self._stream, flush=True)

    def _end(self, completed: bool) -> None:
        if completed:
            self._show(self.elapsed)


class _Bar(Progress):
    """A live bar on a terminal."""

    def __init__(self, label: str, total: int | None, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(label, total, BAR_EVERY_SECONDS, clock)
        # Loading rich takes longer than most commands.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._rich: RichProgress = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("faltan"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=Console(file=stream),
        )
        self._task = self._rich.add_task(label, total=total, detail="")

    def _begin(self) -> None:
        self._rich.start()

    def _show(self, elapsed: float) -> None:
        self._rich.update(self._task, completed=self.done, detail=self.detail)

    def _end(self, completed: bool) -> None:
        self._show(self.elapsed)
        self._rich.stop()


class Output:
    """What a verb is given to write with.

    Args:
        as_json: the answer is written as one JSON object.
        silent: no progress and no notes; warnings are still written.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        silent: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.as_json = as_json
        self.silent = silent
        self._stdout = sys.stdout if stdout is None else stdout
        self._stderr = sys.stderr if stderr is None else stderr
        self._clock = clock

    def progress(self, label: str, total: int | None = None) -> Progress:
        """A context manager that shows the advance of one step; ``total`` None when it is not known."""
        if self.silent:
            return Progress(label, total, LINE_EVERY_SECONDS, self._clock)
        if self._stderr.isatty():
            return _Bar(label, total, self._stderr, self._clock)
        return _Lines(label, total, self._stderr, self._clock)

    def note(self, text: str) -> None:
        """One line for whoever is watching; nothing with ``--silencio``."""
        if not self.silent:
            print(text, file=self._stderr, flush=True)

    def warn(self, text: str) -> None:
        """One line that must be seen, also with ``--silencio``."""
        print(f"aviso: {text}", file=self._stderr, flush=True)

    def answer(self, answer: Answer) -> None:
        """Writes the answer on stdout: the JSON object, or the text and the tables."""
        if self.as_json:
            self.json(answer.data)
            return
        if answer.text:
            print(answer.text.rstrip("\n"), file=self._stdout)
        if answer.views:
            from rich.console import Console

            # Without a terminal rich would cut the tables at 80 columns.
            width = None if self._stdout.isatty() else WIDTH_WITHOUT_TERMINAL
            console = Console(file=self._stdout, width=width)
            for view in answer.views:
                console.print(view)
        self._stdout.flush()

    def json(self, data: dict[str, object]) -> None:
        """Writes one JSON object on stdout, in one line."""
        print(json.dumps(data, ensure_ascii=False, allow_nan=False, default=_plain), file=self._stdout)
        self._stdout.flush()


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def program() -> str:
    """How to call this command again: its bare name where it is on the PATH, otherwise its path."""
    invoked = Path(sys.argv[0])
    found = shutil.which(invoked.name)
    if found is not None and Path(found).resolve() == invoked.resolve():
        return invoked.name
    try:
        return str(invoked.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(invoked)
