"""`sala_ocho_horas`: a whole rehearsal with the room open in a browser; what grows, and how much.

The night of a rehearsal goes by at ×120 with its cuts, the writer and the web process of the room watch it,
and Chromium has two of its pages open. Memory is looked at every few seconds, that of the pages after a
forced collection, and the end of the night compared with its first quarter.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.context import Context
from benchmarks.figures import Figure
from benchmarks.night_side import ROOT, ChildError
from benchmarks.room_browser import browser, page_of
from benchmarks.room_night import SCENARIO
from benchmarks.room_servers import Server, room_server, sessions
from core.errors import PrepError
from simulator.live.control import ControlClient

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPEED, QUICK_SPEED = 120, 20_000
EVERY_S = 5.0
MOST_GROWTH = 1.10
WALL, CATD = "/", "/catd"
FIRST, LAST = (0.20, 0.30), (0.90, 1.01)
"""Parts of the night that are compared."""


@dataclass
class Memory:
    """What one thing used along the night: (share of the night gone, MB)."""

    name: str
    samples: list[tuple[float, float]] = field(default_factory=list)

    def between(self, part: tuple[float, float]) -> float:
        """Median of the samples of a part of the night."""
        found = [mb for at, mb in self.samples if part[0] <= at <= part[1]]
        return median(found or [self.samples[-1][1]])


def sala_ocho_horas(context: Context) -> list[Figure]:
    """Growth of the pages and of the processes of the room."""
    place = context.room("ocho-horas")
    run = place / "noche"
    calibration = context.calibrate()
    speed = QUICK_SPEED if context.quick else SPEED
    context.note(f"sala_ocho_horas: simulacro-5 a ×{speed:,}, con la sala abierta")
    with browser() as opened, _rehearsal(run, speed) as process:
        if opened is None:
            context.note("sala_ocho_horas: no hay Chromium; no se mide")
            return []
        base, room = run / "prep.db", place / "sala"
        cookie = sessions(base, room, 1)[0]
        arguments = ("--corrida", str(run), "--escenario", SCENARIO)
        with room_server(base, room, *arguments) as server:
            pages = {path: page_of(opened, server, cookie, path) for path in (WALL, CATD)}
            found, ticks = _look(process, run, server, pages, 0.5 if context.quick else EVERY_S)
    figures = []
    for one in found:
        before, after = one.between(FIRST), one.between(LAST)
        figures.append(
            Figure(
                "sala_ocho_horas", f"{one.name}: final de la noche / su primer cuarto", after / before,
                calibration, None if context.quick else MOST_GROWTH, unit="MB",
                part=("final", after), whole=("primer cuarto", before),
                note=f"{len(one.samples)} muestras; {ticks} fotografías de la sala",
            )
        )  # fmt: skip
    return figures


@contextmanager
def _rehearsal(folder: Path, speed: int) -> Iterator[subprocess.Popen[bytes]]:
    """`prep simular` live, with its database ready to be looked at."""
    process = subprocess.Popen(
        [
            sys.executable, "-c", "import sys; from core.cli import main; sys.exit(main())", "simular",
            SCENARIO, "--salida", str(folder), "--semilla", "2021", "--velocidad", str(speed), "--silencio",
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while _minute(folder) is None:
            if process.poll() is not None or time.monotonic() > until:
                raise ChildError("El simulacro que se mira no arrancó.")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait()


def _minute(folder: Path) -> tuple[float, float] | None:
    """(minute of the night, its length); None when no run answers."""
    try:
        state = ControlClient(folder).state()
        return float(state["minuto"]), float(state["duracion_min"])
    except (PrepError, OSError, KeyError, ValueError):
        return None


def _look(
    process: subprocess.Popen[bytes], run: Path, server: Server, pages: dict[str, Page], every: float
) -> tuple[list[Memory], int]:
    """Sample until the night ends."""
    heaps = {path: Memory(f"memoria de la página {path}") for path in pages}
    sides = {name: Memory(f"memoria del {name}") for name in ("proceso web", "escritor")}
    tools = {path: page.context.new_cdp_session(page) for path, page in pages.items()}
    for tool in tools.values():
        tool.send("Performance.enable")
        tool.send("HeapProfiler.enable")
    gone = 0.0
    while process.poll() is None:
        at = _minute(run)
        if at is not None:
            gone = at[0] / at[1]
        for path, tool in tools.items():
            heaps[path].samples.append((gone, _heap_mb(tool)))
        for name, own in _processes(server).items():
            sides[name].samples.append((gone, own.memory_info().rss / 1e6))
        next(iter(pages.values())).wait_for_timeout(every * 1000)
    ticks = int(pages[WALL].evaluate("() => PREP.snapshot.seq"))
    return [*heaps.values(), *sides.values()], ticks


def _heap_mb(tool: Any) -> float:
    """JavaScript in use after everything that can be collected was."""
    tool.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in tool.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 1e6


def _processes(server: Server) -> dict[str, psutil.Process]:
    """The web worker and the writer of a room."""
    children = psutil.Process(server.process.pid).children()
    writer = next(one for one in children if "escritor" in one.cmdline())
    worker = max((one for one in children if one.pid != writer.pid), key=lambda one: one.memory_info().rss)
    return {"proceso web": worker, "escritor": writer}
