"""`noche` and `nacional`: whole nights in a process of their own, by the clock and by their memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.context import Context
from benchmarks.figures import Calibration, Figure
from core.errors import PrepError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "scenarios/jalisco-2021"
SMALL, NATIONAL = 20_001, 510_000
"""Actas of the two national nights: what one acta costs must not depend on how many there are."""


class ChildError(PrepError):
    """A measured process ended badly."""


class Ended(NamedTuple):
    """A process that ended well: seconds by the clock and of CPU, peak memory in MB, what it printed."""

    seconds: float
    cpu: float
    peak_mb: float
    said: dict[str, Any]


def child(*arguments: str) -> Ended:
    """Run the interpreter with some arguments and wait for it. Raises ChildError."""
    before = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout as stream:
        said = stream.read()
    # The process itself and its own peak: the total of all children would mix them.
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise ChildError(f"«{' '.join(arguments)}» terminó con {process.returncode}.")
    peak = usage.ru_maxrss / 1e6 if sys.platform == "darwin" else usage.ru_maxrss * 1024 / 1e6
    return Ended(taken, usage.ru_utime + usage.ru_stime, peak, json.loads(said))


def noche(context: Context) -> list[Figure]:
    """Rehearsals of two contests with every cut published, three an hour, all packages, durable."""
    figures: list[Figure] = []
    for scenario in ("simulacro-5",) if context.quick else ("simulacro-5", "jornada"):
        context.note(f"noche: prep simular {FOLDER}/{scenario}.toml")
        calibration = context.calibrate()
        ended = child(
            "-c", "import sys; from core.cli import main; sys.exit(main())", "simular",
            f"{FOLDER}/{scenario}.toml", "--salida", str(context.room(f"noche-{scenario}")),
            "--semilla", "2021", "--reemplazar", "--silencio", "--json",
        )  # fmt: skip
        cuts = len(ended.said["cortes"])
        what = f"{scenario}: noche completa con {cuts} cortes"
        note = f"{ended.cpu:.0f} s de CPU; {ended.seconds / max(1, cuts):.2f} s por corte en promedio"
        figures += [
            Figure("noche", what, ended.seconds, calibration, 120.0, unit="s", note=note),
            Figure("noche", f"{scenario}: memoria máxima", ended.peak_mb, calibration, 500.0, unit="MB"),
        ]
    return figures


def nacional(context: Context) -> list[Figure]:
    """A generated night of national size through the engine, and one complete cut of it."""
    small, large = (600, 3_000) if context.quick else (SMALL, NATIONAL)
    before = _national(context, "antes", small, cut=False)
    calibration = context.calibrate()
    context.note(f"nacional: {large:,} actas")
    said = _national(context, "grande", large, cut=True)
    after = _national(context, "despues", small, cut=False)
    cost = said["motor_s"] / said["actas"] * 1e6
    base = (before["motor_s"] + after["motor_s"]) / (before["actas"] + after["actas"]) * 1e6
    return [*_night_figures(said, calibration), _cost(said, before, cost, base, calibration)]


def _night_figures(said: dict[str, Any], calibration: Calibration) -> list[Figure]:
    steps = ", ".join(f"{name} {taken:.1f}" for name, taken in said["corte_pasos"].items() if taken >= 0.05)
    size = f"{said['actas']:,} actas de tres contiendas"
    return [
        Figure(
            "nacional", "noche generada por el motor, sin cortes", said["noche_s"], calibration, 900.0,
            unit="s", note=f"{size}, {said['eventos']:,} eventos; en el motor {said['motor_s']:.0f} s",
        ),
        Figure(
            "nacional", "memoria máxima de esa noche", said["noche_mb"], calibration, 2000.0, unit="MB",
        ),
        Figure(
            "nacional", "un corte completo y certificado de ella", said["corte_s"], calibration, 60.0,
            unit="s",
            note=f"{said['corte_cpu_s']:.1f} s de CPU entre todos sus procesos; pasos en s: {steps}; "
            f"preparar el publicador, una vez: {said['publicador_s']:.1f} s",
        ),
        Figure(
            "nacional", "el corte siguiente, sin nada nuevo", said["sin_novedad_s"] / said["corte_s"],
            calibration, unit="s", part=("siguiente", said["sin_novedad_s"]),
            whole=("completo", said["corte_s"]),
        ),
        Figure("nacional", "memoria máxima con el corte", said["corte_mb"], calibration, unit="MB"),
    ]  # fmt: skip


def _cost(
    said: dict[str, Any], small: dict[str, Any], cost: float, base: float, calibration: Calibration
) -> Figure:
    return Figure(
        "nacional", "costo por acta en el motor: nacional / noche chica", cost / base, calibration, 1.5,
        unit="µs por acta", part=(f"{said['actas']:,} actas", cost),
        whole=(f"{small['actas']:,} actas", base),
        note="la noche chica se corre antes y después de la nacional",
    )  # fmt: skip


def _national(context: Context, name: str, actas: int, *, cut: bool) -> dict[str, Any]:
    place = context.room(f"nacional-{name}")
    arguments = ["-m", "benchmarks.national_child", "--actas", str(actas), "--carpeta", str(place)]
    said = child(*arguments, *([] if cut else ["--sin-corte"])).said
    if said["rechazos"] or said["pendientes"] or said.get("corte_rechazado"):
        raise ChildError(f"La noche de {actas:,} actas no terminó completa: {said}")
    return said
