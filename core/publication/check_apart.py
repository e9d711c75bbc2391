"""Reads back the objects of a large cut in a process of its own, while this one makes its spreadsheets.

It is the same check, of the same files, to its end: a cut does not go out before its answer. Small cuts are
checked where they are made; what is checked, and how, is `object_check`.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from core.errors import PrepError
from core.publication.object_check import ObjectCheck, ObjectDefectError

APART_FROM = 4_000
"""Objects never read before from which the check goes to another process."""

_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from core.publication.check_apart import main; main()"


class CheckFailedError(PrepError):
    """The process that checked the objects ended without an answer."""


class Job(NamedTuple):
    """One contest to check: what knows what was checked before, its root and the header it must have."""

    check: ObjectCheck
    contest: str
    root: str
    header: Mapping[str, str]


@contextmanager
def checking(jobs: Sequence[Job], objects: int) -> Iterator[None]:
    """Check every contest; what is done inside may go on at the same time.

    `objects` is how many there are in all. Raises ObjectDefectError, at the latest at the end, whatever
    else failed inside: a defect on disk is the reason for what came of reading it.
    """
    process = _start(jobs) if objects >= APART_FROM and not any(job.check.read for job in jobs) else None
    if process is None:
        for job in jobs:
            job.check.check(job.contest, job.root, job.header)
        yield
        return
    try:
        yield
    except Exception:
        _finish(process, jobs)
        raise
    except BaseException:
        process.kill()
        process.communicate()
        raise
    _finish(process, jobs)


def _start(jobs: Sequence[Job]) -> subprocess.Popen[bytes] | None:
    """The process at work; None where there cannot be another."""
    root = Path(__file__).resolve().parents[2]
    asked = pickle.dumps([(job.check, job.contest, job.root, dict(job.header)) for job in jobs])
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    except OSError:
        return None
    assert process.stdin is not None
    # A few hundred bytes: they fit in the pipe whatever the other side does.
    try:
        process.stdin.write(asked)
        process.stdin.close()
    except BrokenPipeError:
        pass  # It ended at once: there will be no answer, and that is told where the answer is awaited.
    process.stdin = None
    return process


def _finish(process: subprocess.Popen[bytes], jobs: Sequence[Job]) -> None:
    """Wait for the answer and take it. Raises ObjectDefectError, CheckFailedError."""
    said, _ = process.communicate()
    if process.returncode != 0 or not said:
        raise CheckFailedError(f"la revisión de los objetos terminó con {process.returncode} y sin respuesta")
    answer = pickle.loads(said)
    if isinstance(answer, tuple):
        raise ObjectDefectError(*answer)
    for job, found in zip(jobs, answer, strict=True):
        job.check.take(found)


def main() -> None:
    """Be that process: the jobs on the input, and on the output the checks made or the first defect."""
    jobs = pickle.load(sys.stdin.buffer)
    answer: object
    try:
        for check, contest, root, header in jobs:
            check.check(contest, root, header)
        answer = [check for check, *_ in jobs]
    except ObjectDefectError as error:
        answer = (str(error.path), error.defect, error.name)
    sys.stdout.buffer.write(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
