"""The process that makes the cuts, with one step in which it stops or dies the first time. For the tests.

PASO says the step (a method of the publisher's world, and before or after it) and COMO what happens there:
«cuelga», «lento», «lleno» (no room on the disk) or it is killed.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.engine import Engine
from core.publication.cut import Publisher
from core.publication.package import PackageBuilder
from core.publishing import worker

PREP_SLOW = """
import sys
from core.publishing import watchdog
watchdog.Watchdog.__init__.__defaults__ = (("-m", "tests.core.publishing.slow_worker"),)
from core.cli import main
sys.exit(main())
"""
"""`prep` whose `publicar` uses this process."""

STEPS: dict[str, tuple[type, str]] = {
    "antes": (Publisher, "cut"),
    "armar": (PackageBuilder, "build"),
    "colocar": (PackageBuilder, "commit"),
    "apuntar": (PackageBuilder, "point"),
    "asentar": (Engine, "execute"),
}


def main() -> None:
    """Be the process."""
    marker = Path(os.environ["MARCA"])
    step, when = os.environ["PASO"].split(":")
    owner, name = STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        cut = name != "execute" or any(type(one).__name__ == "PublishCut" for one in args[1])
        first = cut and _in_a_cut() and not marker.exists()
        if first and when == "antes":
            _stop(marker)
        result = original(*args, **kwargs)
        if first and when == "despues":
            _stop(marker)
        return result

    setattr(owner, name, broken)
    worker.main()


def _in_a_cut() -> bool:
    """Not while it starts: what is broken is the cut."""
    import inspect

    return any(frame.function == "answer" for frame in inspect.stack())


def _stop(marker: Path) -> None:
    marker.touch()
    if os.environ.get("COMO") == "lento":
        time.sleep(0.7)
        return
    if os.environ.get("COMO") == "cuelga":
        time.sleep(600)
    if os.environ.get("COMO") == "lleno":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
