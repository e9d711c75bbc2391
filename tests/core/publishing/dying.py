"""A process that makes others which die with SIGKILL in the middle of something, for the crash tests.

It imports once and forks for each line it is asked: `{"folder", "what", "step", "at"}`; it answers with the
signal that ended the child, 0 when nothing did.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from core.publication.cut import Publisher
from core.publication.interference import CutStep, Interference
from core.publishing.office import PublicationOffice
from tests.publication_sample import STEP, Night


class Kills(Interference):
    """Kills its own process when a step of a cut is done."""

    def __init__(self, step: str) -> None:
        self.step = step

    def at(self, step: str, about: CutStep) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def cut(folder: Path, at: int, step: str) -> None:
    """Make the cut of an instant and die at a step of it."""
    night = Night(folder, interfere=Kills(step))
    night.publisher.cut(at, next_ms=at + STEP)


def notice(folder: Path, at: int, step: str) -> None:
    """Tell a slot as missed and die once it is in the ledger, before it is in the public log."""
    night = Night(folder)

    def die(self: Publisher) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    Publisher.notices = die  # type: ignore[method-assign]
    PublicationOffice(night.engine, night.database, night.publisher, folder).missed([at], at, "no salió")


def main() -> None:
    """Answer until nobody asks."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            {"cut": cut, "notice": notice}[asked["what"]](
                Path(asked["folder"]), asked["at"], asked.get("step", "")
            )
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    main()
