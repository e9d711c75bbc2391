"""`sala`: what a viewer of the control room costs, beside the application of the Dash documentation.

Both show the same snapshots, from the same kind of server, in the same run, by turns. The writer is measured
apart, piece by piece, with a state and with a nation.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.figures import Calibration, Figure
from benchmarks.night_side import ROOT, child
from benchmarks.room_browser import browser_pages
from benchmarks.room_night import Player, frames, night
from benchmarks.room_servers import Server, room_server, sessions, textbook_server

VIEWERS, TEXTBOOK_VIEWERS = (1, 10, 50, 200), (1, 10, 50)
BOUNDED = 50
SECONDS, EVERY_S = 24.0, 2.0
LATE_S = 0.5
"""An update is delivered when its viewer has it, or a later one, one beat and this much after it was put."""
LEAST_TIMES, MOST_CORE_PCT, PAGES = 300.0, 10.0, 10
STATE_MS, NATION_MS = 100.0, 1_000.0
NATION_ACTAS, QUICK_ACTAS = 510_000, 1_800


@dataclass(frozen=True, slots=True)
class Watched:
    """What some viewers got, and what it cost the server."""

    viewers: int
    cpu_ms: float
    """Of the server, per update received."""
    core_pct: float
    bytes: float
    """Per update received, with its headers."""
    delivered: float
    """Share of the updates of every viewer that came in time."""
    seen: float
    """Share that came one by one, without a later one in their place."""
    p50_ms: float
    p95_ms: float
    errors: int


def sala(context: Context) -> list[Figure]:
    """Viewers, pages of a browser, and the writer."""
    folder, room = night(context), context.room("sala")
    player = Player(room, frames(folder, context.quick), 0.5 if context.quick else EVERY_S)
    player.start()
    try:
        figures = [_inside(context, folder)]
        ours, theirs, more = _viewers(context, folder, room, player)
        figures += more + _compared(context, ours, theirs)
        cookie = sessions(folder / "prep.db", room, 1)[0]
        with room_server(folder / "prep.db", room, "--sin-escritor") as server:
            calibration = context.calibrate()
            context.note(f"sala: {PAGES} páginas de Chromium")
            pages = browser_pages(server, cookie, player, context.quick)
    finally:
        player.stop()
    if pages is None:
        context.note("sala: no hay Chromium; no se miden las páginas")
    else:
        figures.append(
            Figure(
                "sala", f"{pages.pages} páginas de Chromium: proceso web", pages.core_pct, calibration,
                MOST_CORE_PCT, unit="% de un núcleo",
                note=f"{pages.seconds:.0f} s; cambios vistos por todas: {pages.seen:.1%}",
            )
        )  # fmt: skip
    return figures + _writer(context, folder)


def _viewers(
    context: Context, folder: Path, room: Path, player: Player
) -> tuple[dict[int, Watched], dict[int, Watched], list[Figure]]:
    ours: dict[int, Watched] = {}
    theirs: dict[int, Watched] = {}
    figures: list[Figure] = []
    seconds = 3.0 if context.quick else SECONDS
    for viewers in (1, 3) if context.quick else VIEWERS:
        calibration = context.calibrate()
        cookies = sessions(folder / "prep.db", room, viewers)
        with room_server(folder / "prep.db", room, "--sin-escritor") as server:
            context.note(f"sala: {viewers} espectadores de la sala")
            asked = {"metodo": "GET", "ruta": "/api/sala.json", "galletas": cookies}
            ours[viewers] = one = _watch(server, player, asked, viewers, seconds)
        figures.append(_plain("sala", "la sala", one, calibration))
        if not context.quick and viewers not in TEXTBOOK_VIEWERS:
            continue
        calibration = context.calibrate()
        with textbook_server(room) as server:
            context.note(f"sala: {viewers} espectadores de la aplicación de libro")
            asked = {"metodo": "POST", "ruta": "/_dash-update-component", "galletas": [], "cuerpo": _body()}
            theirs[viewers] = one = _watch(server, player, asked, viewers, seconds)
        figures.append(_plain("sala", "la aplicación de libro", one, calibration))
    return ours, theirs, figures


def _body() -> str:
    # Dash takes a second to import, which the other benchmarks need not wait for.
    from benchmarks.textbook_app import request_body

    return request_body("N_INTERVALS").replace('"N_INTERVALS"', "N_INTERVALS")


def _watch(server: Server, player: Player, asked: dict[str, Any], viewers: int, seconds: float) -> Watched:
    """Have a process of viewers watch a server, and look at what it spends meanwhile."""
    every = 0.5 if seconds < SECONDS else EVERY_S
    order = asked | {"puerto": server.port, "espectadores": viewers, "segundos": seconds, "cada_s": every}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.room_viewers"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        process.stdout.readline()
        spent, begun = server.cpu_s(), time.monotonic()
        said = json.loads(process.stdout.readline())
        spent, lasted = server.cpu_s() - spent, time.monotonic() - begun
    in_time, seen = delivered(player.published, said["visto"], begun, begun + lasted, every)
    new = max(1, said["nuevas"])
    return Watched(
        viewers, 1000 * spent / new, 100 * spent / lasted, said["bytes_nuevas"] / new, in_time, seen,
        said["p50_ms"], said["p95_ms"], said["errores"],
    )  # fmt: skip


def delivered(
    published: Sequence[tuple[float, int]],
    seen: Sequence[Sequence[tuple[float, int]]],
    begun: float,
    ended: float,
    every: float,
) -> tuple[float, float]:
    """Share of the updates put while they watched that came in time, and that came one by one."""
    wait = every + LATE_S
    window = [(at, seq) for at, seq in published if begun + wait <= at <= ended - wait]
    total = len(window) * len(seen)
    in_time = one_by_one = 0
    for arrivals in seen:
        got = {seq for _, seq in arrivals}
        for at, seq in window:
            one_by_one += seq in got
            in_time += any(at <= when <= at + wait and found >= seq for when, found in arrivals)
    return (in_time / total, one_by_one / total) if total else (0.0, 0.0)


def _plain(name: str, which: str, one: Watched, calibration: Calibration) -> Figure:
    people = "espectador" if one.viewers == 1 else "espectadores"
    errors = f"; {one.errors} errores" if one.errors else ""
    return Figure(
        name, f"{which}, {one.viewers} {people}: CPU por actualización", one.cpu_ms, calibration, unit="ms",
        note=f"{one.core_pct:.1f} % de un núcleo; {one.bytes:,.0f} bytes; a tiempo {one.delivered:.1%}, "
        f"una por una {one.seen:.1%}; p50 {one.p50_ms:.1f}, p95 {one.p95_ms:.1f} ms{errors}",
    )  # fmt: skip


def _inside(context: Context, folder: Path) -> Figure:
    """What an update costs inside both applications."""
    context.note("sala: una actualización por dentro, la sala y la de libro por turnos")
    calibration = context.calibrate()
    more = ("--rapido",) if context.quick else ()
    arguments = ("--noche", str(folder), "--sala", str(context.room("sala-por-dentro")))
    said = child("-m", "benchmarks.room_inside", *arguments, *more).said
    times = said["libro_ms"] / said["sala_ms"]
    return Figure(
        "sala", "CPU de una actualización en el servidor, de libro / sala", times, calibration,
        None if context.quick else LEAST_TIMES, at_least=True, unit="ms",
        part=("de libro", said["libro_ms"]), whole=("sala", said["sala_ms"]),
        note=f"bytes: {said['libro_bytes']:,.0f} y {said['sala_bytes']:,.0f}, "
        f"{said['libro_bytes'] / said['sala_bytes']:.1f} veces; sin el servidor HTTP, que las dos comparten",
    )  # fmt: skip


def _compared(context: Context, ours: dict[int, Watched], theirs: dict[int, Watched]) -> list[Figure]:
    calibration = context.calibrate()
    figures = [
        Figure(
            "sala", f"con HTTP, {viewers} a la vez: CPU por actualización, de libro / sala",
            book.cpu_ms / ours[viewers].cpu_ms, calibration, unit="ms",
            part=("de libro", book.cpu_ms), whole=("sala", ours[viewers].cpu_ms),
            note=f"llegan a tiempo {book.delivered:.0%} de las de libro y {ours[viewers].delivered:.0%} "
            "de las de la sala",
        )
        for viewers, book in theirs.items()
    ]  # fmt: skip
    bounded = ours.get(BOUNDED, ours[max(ours)])
    figures.append(
        Figure(
            "sala", f"{bounded.viewers} espectadores: actualizaciones entregadas a tiempo",
            100 * bounded.delivered, calibration, 100.0, exact=True, unit="%",
            note=f"a lo más un turno y {LATE_S:g} s después de escritas",
        )
    )  # fmt: skip
    return figures


def _writer(context: Context, folder: Path) -> list[Figure]:
    figures = []
    for name, arguments, bound in (
        ("estatal", ("--base", str(folder / "prep.db")), STATE_MS),
        ("nacional", ("--actas", str(QUICK_ACTAS if context.quick else NATION_ACTAS)), NATION_MS),
    ):
        context.note(f"sala: el escritor, escala {name}")
        calibration = context.calibrate()
        said = child("-m", "benchmarks.room_writer", *arguments, "--carpeta", str(context.folder)).said
        pieces = ", ".join(f"{piece} {ms:.1f}" for piece, ms in said["piezas_ms"].items())
        figures.append(
            Figure(
                "sala", f"un turno del escritor, escala {name}", said["turno_ms"], calibration,
                None if context.quick else bound, unit="ms",
                note=f"{said['actas']:,} actas, {said['catd']} CATD, {said['eventos']:,} eventos; ms: "
                f"{pieces}; {said['bytes']:,} bytes ({said['comprimidos']:,} comprimidos); leer la noche, "
                f"una vez: {said['empezar_s']:.1f} s, {said['mb']:.0f} MB",
            )
        )  # fmt: skip
    return figures
