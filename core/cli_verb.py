"""What a verb of ``prep`` is: its declaration, its answer and the exit codes.

For: the modules that implement verbs, in core and in the packages that stand on it. Light on purpose
(argparse and dataclasses only), because it is imported on every start of the command.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.cli_output import Output

DONE = 0
"""The command did what it was asked, or the answer is yes."""
ANSWER_IS_NO = 1
"""The command worked and the answer is no: findings of severity error, a check that does not hold."""
BAD_INPUT = 2
"""Bad usage, or input that cannot be read."""
DEFECT = 70
"""A defect of the program itself. Never 1: nobody may take a crash for an answer."""
INTERRUPTED = 130
"""Stopped from the keyboard."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb answers.

    Attributes:
        exit_code: DONE or ANSWER_IS_NO; errors are raised as PrepError instead.
        data: the one JSON object written with ``--json``. Values are what JSON holds, and also
            Path, date and datetime (written as text).
        text: what a person reads on stdout without ``--json``, in Spanish; may be empty.
        views: rich renderables (tables) written after the text, in this order.
    """

    exit_code: int
    data: dict[str, object]
    text: str
    views: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of ``prep``.

    The module that declares it should import what is heavy inside ``run``, so that ``prep VERBO --help``
    answers at once.

    Attributes:
        name: the word typed after ``prep``.
        summary: one line in Spanish, without final period.
        add_arguments: adds the verb's own arguments; ``--json`` and ``--silencio`` are already there.
            Help texts are in Spanish. ``type=int`` and ``type=float`` give Spanish errors.
        run: does the work. Raises PrepError (told to the user, exit code 2).
        examples: command lines shown at the end of the verb's help.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Output], Answer]
    examples: tuple[str, ...] = field(default=())
