"""The Locust processes of a run: started, waited for, and what they left read.

Locust lives only in those processes. Here they are commands, files and exit codes.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.generating.plan import ENVIRONMENT, LOCAL, MASTER, ROLE, WORKER
from loadtests.judging.tally import Tally, from_data
from loadtests.tied import tied

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
START_S = 90.0
"""Longest time from the start of a process to the first user, its measure of itself included."""
FINISH_S = 60.0
"""Longest time after the last user for the main process to write what it has and end."""
MASTER_TRIES = 12
"""Times, of five seconds, that a worker tries to be taken by its master."""
LEAVE_S = 15.0
"""Longest time after that for the others to end by themselves."""
BEGUN = "empezo"
LEFT = ("locust.json", "locust_stats_history.csv", "locust_failures.csv")
"""What Locust leaves and is read, so that a former run's is never taken for this one's."""


@dataclass(frozen=True, slots=True)
class Processes:
    """How the load is spread: `workers` of this machine, or `awaited` from any; neither: one process."""

    workers: int = 0
    awaited: int = 0
    port: int = 5557
    web_port: int | None = None

    @property
    def distributed(self) -> bool:
        """Whether there is a master."""
        return bool(self.workers or self.awaited)


@dataclass(slots=True)
class Left:
    """What the processes left: Locust's statistics, its history, our counts."""

    stats: list[dict[str, Any]]
    history: list[dict[str, str]]
    failures: list[tuple[str, str, int]]
    tally: Tally
    processes: int
    trouble: str = ""
    begun: float | None = None
    silent_s: list[float] = field(default_factory=list)
    """Of each process, seconds from its last report to the end of the run; a report at the end is 0."""
    lasted_s: float | None = None
    """How long the run was, by the clock of the main process; None when it did not say."""


def run(plan: Path, folder: Path, processes: Processes, seconds: int, when_begun: Callable[[], None]) -> Left:
    """Run Locust to its end. `when_begun` is called when the first users are about to come.

    However it ends, none of its processes is left.
    """
    begun = folder / BEGUN
    begun.unlink(missing_ok=True)
    tally = folder / "cuentas.json"
    tally.unlink(missing_ok=True)
    for name in LEFT:
        (folder / name).unlink(missing_ok=True)
    with (folder / "locust.log").open("wb") as log, _ended() as started:
        main = _process(_main_arguments(folder, processes), plan, _role(processes), log)
        started.append(main)
        for _ in range(processes.workers):
            started.append(_process(_worker_arguments("127.0.0.1", processes.port), plan, WORKER, log))
        others = started[1:]
        wait = START_S + (600 if processes.awaited else 0)
        trouble = _wait(main, others, begun, wait, seconds, when_begun)
        if not trouble and not all(_left(one, LEAVE_S) for one in others):
            trouble = "un trabajador de Locust no terminó con la prueba"
    return _read(folder, tally, trouble, begun)


def run_worker(plan: Path, folder: Path, host: str, port: int) -> int:
    """Work for a master elsewhere until it says to end; returns Locust's exit code."""
    with (folder / "locust.log").open("wb") as log, _ended() as started:
        process = _process(_worker_arguments(host, port), plan, WORKER, log)
        started.append(process)
        return process.wait()


@contextmanager
def _ended() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are there no longer than this, whatever happens."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        yield started
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


def _role(processes: Processes) -> str:
    return MASTER if processes.distributed else LOCAL


def _main_arguments(folder: Path, processes: Processes) -> list[str]:
    prefix = str(folder / "locust")
    arguments = ["--csv", prefix, "--html", f"{prefix}.html", "--json-file", prefix, "--only-summary"]
    if processes.web_port is None:
        arguments.append("--headless")
    else:
        arguments += ["--autostart", "--autoquit", "3", "--web-host", "127.0.0.1", "--web-port"]
        arguments.append(str(processes.web_port))
    if processes.distributed:
        host = "*" if processes.awaited else "127.0.0.1"
        arguments += ["--master", "--master-bind-host", host, "--master-bind-port", str(processes.port)]
        arguments += ["--expect-workers", str(processes.workers or processes.awaited)]
    return arguments


def _worker_arguments(host: str, port: int) -> list[str]:
    return ["--worker", "--master-host", host, "--master-port", str(port)]


def _process(arguments: list[str], plan: Path, role: str, log: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--loglevel", "WARNING", *arguments]
    environment = {**os.environ, ENVIRONMENT: str(plan), ROLE: role}
    return subprocess.Popen(tied(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def _wait(
    main: subprocess.Popen[bytes],
    others: list[subprocess.Popen[bytes]],
    begun: Path,
    start_s: float,
    seconds: int,
    when_begun: Callable[[], None],
) -> str:
    """Until the main process ends. Returns what went wrong, in Spanish; empty when nothing did."""
    until = time.monotonic() + start_s
    while not begun.exists():
        if main.poll() is not None or any(one.poll() is not None for one in others):
            return "un proceso de Locust terminó antes de empezar (locust.log dice por qué)"
        if time.monotonic() > until:
            return "Locust no empezó a tiempo, o no llegaron los trabajadores que se esperaban"
        time.sleep(0.05)
    when_begun()
    until = time.monotonic() + seconds + FINISH_S
    trouble = ""
    while main.poll() is None:
        if any(one.poll() not in (None, 0) for one in others):
            trouble = "murió un trabajador de Locust a media prueba"
        if time.monotonic() > until:
            return "Locust no terminó a tiempo"
        time.sleep(0.1)
    if main.returncode != 0:
        return f"Locust terminó con {main.returncode} (locust.log dice por qué)"
    return trouble


def _left(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process ends by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(folder: Path, tally: Path, trouble: str, begun: Path) -> Left:
    since = float(begun.read_text()) if begun.exists() else None
    if not tally.is_file() or not (folder / "locust.json").is_file():
        return Left([], [], [], Tally(), 0, trouble or "Locust no dejó sus cuentas", since)
    data = json.loads(tally.read_text(encoding="utf-8"))
    return Left(
        json.loads((folder / "locust.json").read_text(encoding="utf-8")),
        _table(folder / "locust_stats_history.csv"),
        [
            (row["Name"], row["Error"], int(row["Occurrences"]))
            for row in _table(folder / "locust_failures.csv")
        ],
        from_data(data),
        int(data["procesos"]),
        trouble,
        since,
        [float(one) for one in data.get("silencio_s", ())],
        data.get("duro_s"),
    )


def _table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
