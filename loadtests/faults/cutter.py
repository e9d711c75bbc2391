"""`python -m loadtests.faults.cutter`: the process that makes the cuts, with a trap that kills it at a step.

The trap is a file: `{"paso", "a_quien"}`, a step of `core.publication.interference.STEPS` and whether the
process dies alone (`proceso`) or with the service that started it (`servicio`). It works once. Without the
file nothing happens; everything else is the process of the service.
"""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

from core.publication.interference import STEPS, CutStep, Interference
from core.publishing import assembly, worker

VARIABLE = "PREP_FALLAS_TRAMPA"
"""Where the trap is, in the environment."""
PROCESS, SERVICE = "proceso", "servicio"


class Trap(Interference):
    """Kills this process with SIGKILL when the step of the file comes; the file then says when."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def at(self, step: str, about: CutStep) -> None:
        """A step is done."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        if told["paso"] != step:
            return
        self._path.unlink()
        _place(sprung(self._path), {**told, "corte": about.number, "monotonico_s": time.monotonic()})
        if told["a_quien"] == SERVICE:
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def set_trap(path: Path, step: str, whom: str) -> None:
    """Leave a trap. Raises ValueError for a step that does not exist."""
    if step not in STEPS:
        raise ValueError(f"no such step: {step!r}")
    sprung(path).unlink(missing_ok=True)
    _place(path, {"paso": step, "a_quien": whom})


def remove_trap(path: Path) -> None:
    """Take away a trap that did not work: it would kill the cut of somebody else."""
    path.unlink(missing_ok=True)


def _place(path: Path, told: dict[str, object]) -> None:
    """Write a file that is never seen by half: whoever waits for it reads it at once."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(told), encoding="utf-8")
    temporary.replace(path)


def sprung(path: Path) -> Path:
    """Where a trap says that it worked, in which cut and when (monotonic seconds)."""
    return path.with_name(f"{path.name}.saltada")


def main() -> None:
    """Be the process."""
    setattr(  # noqa: B010 - a name of another module, for this process
        assembly, "publication", partial(assembly.publication, interfere=Trap(Path(os.environ[VARIABLE])))
    )
    worker.main()


if __name__ == "__main__":
    main()
