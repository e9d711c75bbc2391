"""Everything wrong with a catalogue, told at once.

Holds the faults found while a catalogue is read and turns them into one error. It reads no file
and decides nothing: the readers say what is wrong and where.
"""

from __future__ import annotations

from os import PathLike

from core.errors import InputError

MAX_PROBLEMS = 50
"""Faults told before giving up; a file in the wrong format has one in every line."""


class CatalogError(InputError):
    """A catalogue that was refused whole. `problems` has every fault found, this one's place first."""

    def __init__(self, problems: list[InputError], more: bool = False) -> None:
        first = problems[0]
        self.problems = tuple(problems)
        self.more = more
        super().__init__(
            first.file, first.line, first.column, first.expected, first.found, message=first.message
        )

    def __str__(self) -> str:
        lines = [InputError.__str__(self)]
        if len(self.problems) > 1:
            others = len(self.problems) - 1
            lines.append("y un problema más:" if others == 1 else f"y otros {others} problemas:")
            lines.extend(f"  {problem}" for problem in self.problems[1:])
        if self.more:
            lines.append(f"  … y hay más: se muestran los primeros {len(self.problems)}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (list(self.problems), self.more))

    def as_data(self) -> dict[str, object]:
        """Adds `problemas`: every fault with its place, and whether there are more than those."""
        return {
            **InputError.as_data(self),
            "problemas": [InputError.as_data(problem) for problem in self.problems],
            "hay_mas": self.more,
        }


class TooManyProblemsError(Exception):
    """Internal: the limit of faults was reached, reading stops."""


class Problems:
    """Collects faults in the order found. Raises `TooManyProblemsError` at `limit`."""

    def __init__(self, limit: int = MAX_PROBLEMS) -> None:
        self.found: list[InputError] = []
        self.limit = limit
        self.more = False

    def add(
        self,
        file: str | PathLike[str],
        line: int | None,
        column: str | int | None,
        expected: str = "",
        found: object = None,
        *,
        message: str = "",
    ) -> None:
        """Note one fault; arguments as in `InputError`."""
        if len(self.found) >= self.limit:
            self.more = True
            raise TooManyProblemsError
        self.found.append(InputError(file, line, column, expected, found, message=message))

    def raise_if_any(self) -> None:
        """Raise `CatalogError` when something was noted."""
        if self.found:
            raise CatalogError(self.found, self.more)
