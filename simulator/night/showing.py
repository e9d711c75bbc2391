"""Takes the cuts of a run to its destinations and says in `publicador.json` how it goes, as the service does.

It lives in the process that publishes: that of the run in virtual time, the office when live. A
destination that fails stops nothing: at the end it is told. Which files go, and in which order, is
`core.destinations`; the hours of the file are those of the night.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from core.destinations import Destination, Distributor, Pace, open_destinations
from core.destinations.distributor import BEHIND, UP_TO_DATE
from core.errors import UsageError
from core.foreign_text import foreign_bytes
from core.publication.cut import CutReport
from core.publishing.config import iso
from core.publishing.office import HELD
from core.publishing.state import NAME, PublisherState, Status
from core.whole_file import write_whole

if TYPE_CHECKING:
    from core.domain.operation import Operation

REWRITE_S = 2.0
"""How often the file is written again."""
DRAIN_S = 0.5
MISSING_PCT = 5
"""Images that may be missing before it is an alarm, out of a hundred."""
REFUSED_S = 6.0
"""How long, at the end, one that answers and refuses is waited for without any progress: several attempts."""
SILENT_S = 30.0
"""The same of one that does not answer, or has not said what is wrong."""

Drain = Callable[[float], tuple[bool, list[dict[str, Any]]]]
"""Waits at most so many seconds for the destinations; whether all are up to date, and how each is."""


class Showing:
    """The public side of a run. `reported` after each cut; `close` at the end, whatever happened.

    `cut` and `at` are the last cut there is (ms UTC), of a run that is continued; `all_images`, whether the
    image of every acta is drawn, so that one that lacks is missing.
    """

    def __init__(
        self,
        work: Path,
        destinations: Sequence[Destination],
        mode: str,
        *,
        cut: int = 0,
        at: int = 0,
        all_images: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._work = Path(work)
        self._state = PublisherState(uuid.uuid4().hex, os.getpid(), mode, cut=cut, at=at or None)
        self._lock = threading.Lock()
        self._now = at
        self._all_images = all_images
        self._stop = threading.Event()
        self._distributor = Distributor(self._work, destinations, pace=pace)
        self._teller = threading.Thread(target=self._tell, name="publicador.json", daemon=True)
        self._teller.start()

    def hour(self, now: int) -> None:
        """It is that hour of the night (ms UTC)."""
        self._now = max(self._now, now)

    def begins(self, slot: int) -> None:
        """The cut of a slot (ms UTC) begins."""
        self.hour(slot)
        with self._lock:
            self._state.status = Status.PUBLISHING

    def reported(self, report: CutReport, next_ms: int | None, *, stopped: str = "") -> None:
        """What became of a cut, and when the next is due; the destinations are told. Never waits for them.

        `stopped`: why whoever publishes was stopped, as it was asked for.
        """
        at, state, why = report.at, self._state, report.refused
        self.hour(at)
        with self._lock:
            state.last_attempt = {
                "ranura_ms": at, "inicio_ms": at, "fin_ms": at,
                "corte": None if why else report.number, "error": why,
            }  # fmt: skip
            state.next_at = next_ms
            state.status = Status.WAITING if next_ms is not None else Status.CLOSED
            if why is None:
                state.cut, state.at = report.number, at
                state.clear("corte_fallido", "corte_perdido", "detenida")
                self._look_at_images(report)
            else:
                self._lost(at, why, failed=not stopped)
        self._distributor.announce()

    def _lost(self, at: int, why: str, *, failed: bool) -> None:
        """A cut did not go out: the alarms of the service."""
        state = self._state
        state.missed.append(at)
        if why.startswith(HELD):
            state.status = Status.HELD
            state.alarm("detenida", why, at)
            return
        if failed:
            state.alarm("corte_fallido", f"El corte de las {iso(at)} no salió: {why}", at)
        state.alarm("corte_perdido", f"No salió el corte de {iso(at)}: {why}", at)

    def _look_at_images(self, report: CutReport) -> None:
        about, key = report.emission, "imagenes_faltantes"
        if about is None or not self._all_images:
            return
        missing, wanted = about.missing_images, about.missing_images + about.with_image
        if missing * 100 > MISSING_PCT * wanted:
            text = f"Al corte {report.number} le faltan {missing:,} de {wanted:,} imágenes."
            self._state.alarm(key, text, report.at)
        else:
            self._state.clear(key)

    def as_data(self) -> dict[str, Any]:
        """What the file says."""
        with self._lock:
            self._state.destinations = self._distributor.states()
            return self._state.as_data(self._now)

    def drain(self, timeout_s: float) -> tuple[bool, list[dict[str, Any]]]:
        """Wait for the destinations, at most that long."""
        current = self._distributor.drain(timeout_s)
        return current, self._distributor.states()

    def finish(self) -> list[dict[str, Any]]:
        """Wait for those that still move (`wait_for`); how each destination is in the end."""
        return wait_for(self.drain)

    def close(self) -> None:
        """Stop sending and write the file for the last time; what a destination lacks it will lack."""
        self._stop.set()
        self._teller.join()
        if self._state.status is not Status.CLOSED:
            self._state.status = Status.OUTSIDE
        self._write()
        self._distributor.close()

    def _tell(self) -> None:
        self._write()
        # Also when nothing changes: a file that grows old is a publisher that is not there.
        while not self._stop.wait(REWRITE_S):
            self._write()

    def _write(self) -> None:
        # A full disk is told by whoever publishes; this one tries again.
        with suppress(OSError):
            write_whole(self._work / NAME, orjson.dumps(self.as_data()))


def specs_of(specs: Sequence[str], folder: Path, *, cuts: bool, marker: Path | None = None) -> list[str]:
    """The addresses of a run into `folder`: those asked for or, of one that goes on, those of its marker.

    Raises UsageError, before anything is made, for what will not do as a destination of that run.
    """
    found = list(specs)
    if not found and cuts and marker is not None:
        found = _recorded(marker)
    if not found:
        return []
    if not cuts:
        raise UsageError("--destino lleva lo publicado: no va con --sin-cortes.")
    open_destinations(folder, found)
    return found


def open_showing(
    folder: Path, specs: Sequence[str], mode: str, operation: Operation, *, all_images: bool = False
) -> Showing:
    """The public side of a run into `folder`, from what the ledger has of it."""
    destinations = open_destinations(folder, specs)
    return Showing(
        folder, destinations, mode, cut=operation.last_cut, at=operation.last_cut_at, all_images=all_images
    )  # fmt: skip


def wait_for(
    drain: Drain,
    *,
    refused_s: float = REFUSED_S,
    silent_s: float = SILENT_S,
    clock: Callable[[], float] = monotonic,
) -> list[dict[str, Any]]:
    """Wait until every destination is up to date or no one else will be; how each is in the end."""
    seen: dict[str, tuple[object, float]] = {}
    while True:
        current, states = drain(DRAIN_S)
        now, hope = clock(), False
        for state in states:
            name, mark = state["nombre"], (state["subidos"], state["bytes"], state["corte"])
            if name not in seen or seen[name][0] != mark:
                seen[name] = (mark, now)
            late = now - seen[name][1]
            refused = state["estado"] == BEHIND and state["error"]
            if state["estado"] != UP_TO_DATE and late < (refused_s if refused else silent_s):
                hope = True
        if current or not hope:
            return states


def sentences(states: Sequence[dict[str, Any]]) -> list[str]:
    """How the destinations of a run that ended are, a line each."""
    return [_sentence(state) for state in states]


def unfinished(states: Sequence[dict[str, Any]]) -> list[str]:
    """Names of the destinations that lack something."""
    return [state["nombre"] for state in states if state["estado"] != UP_TO_DATE]


def _sentence(state: dict[str, Any]) -> str:
    name, cut = state["nombre"], state["corte"]
    sent = f"{state['subidos']:,} archivos, {state['bytes'] / 1e6:,.1f} MB enviados"
    if state["estado"] == UP_TO_DATE:
        return f"{name}: al corriente, corte {cut or 'ninguno'} ({sent})"
    has = f"tiene el corte {cut}" if cut else "no tiene ningún corte"
    behind = state["atraso_cortes"]
    lacks = f"; le {'falta' if behind == 1 else 'faltan'} {behind}" if behind else ""
    why = f": {state['error']}" if state["error"] else ""
    return f"{name}: NO TERMINÓ, {has}{lacks} ({sent}){why}"


def _recorded(marker: Path) -> list[str]:
    """The destinations of the run of a folder; none when nothing says so, which `check_same_run` judges."""
    try:
        run = orjson.loads(foreign_bytes(marker))["corrida"]["destinos"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return [spec for spec in run if isinstance(spec, str)] if isinstance(run, list) else []
