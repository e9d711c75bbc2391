"""`vivo`: a rehearsal against the wall clock: how late it runs, and how soon an injection takes effect."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.figures import Figure
from benchmarks.night_side import FOLDER, child
from simulator.live.control import ControlClient, ControlError, NoLiveNightError

PACED, INJECTED = 3_600, 7_200
"""Speeds: of the night that must not lag, and of the one that is injected."""
INJECTIONS = 200
EVERY_S = 0.015
MOST_LAG_MS, MOST_INJECTION_MS = 1_000.0, 5.0
ONE_MORE = {"personal": {"traslados": [{"personas": 1}]}}
"""What is injected: one capturista of the reserve."""


class _Injector(threading.Thread):
    """Injects through the control channel as soon as the night goes, until it ends or it is enough."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(daemon=True)
        self._client = ControlClient(folder)
        self._left = count
        self.ended = threading.Event()

    def run(self) -> None:
        """Do it."""
        while self._left and not self.ended.is_set():
            try:
                self._client.inject(ONE_MORE)
            except (NoLiveNightError, ControlError):
                # It has not begun yet, or it is over.
                time.sleep(0.01)
                continue
            self._left -= 1
            time.sleep(EVERY_S)


def vivo(context: Context) -> list[Figure]:
    """A state rehearsal with its cuts at ×3,600, and without them, injected, at ×7,200."""
    figures: list[Figure] = []
    calibration = context.calibrate()
    context.note(f"vivo: simulacro-5 con cortes a ×{PACED:,}")
    said = _live(context, "ritmo", PACED)
    lag, base, cuts = said["retraso"], said["base"], said["cortes"]
    figures.append(
        Figure(
            "vivo", f"retraso máximo del reloj a ×{PACED:,}, con cortes", lag["max_ms"], calibration,
            MOST_LAG_MS, unit="ms",
            note=f"p50 {lag['p50_ms']:.1f}, p99 {lag['p99_ms']:.1f} ms; la base sigue con p50 "
            f"{base['p50_ms'] / 1000:.1f} s y un corte tarda p50 {cuts['p50_ms'] / 1000:.2f} s",
        )
    )  # fmt: skip
    calibration = context.calibrate()
    context.note(f"vivo: simulacro-5 con inyecciones a ×{INJECTED:,}")
    said = _live(context, "inyeccion", INJECTED, "--sin-cortes", inject=20 if context.quick else INJECTIONS)
    injection, lag = said["inyeccion"], said["retraso"]
    figures.append(
        Figure(
            "vivo", f"inyección a ×{INJECTED:,}: p99 de la orden a su efecto", injection["p99_ms"],
            calibration, MOST_INJECTION_MS, unit="ms",
            note=f"{injection['medidas']} inyecciones por el canal; p50 {injection['p50_ms']:.2f}, máximo "
            f"{injection['max_ms']:.1f} ms; retraso p99 {lag['p99_ms']:.0f} ms",
        )
    )  # fmt: skip
    return figures


def _live(context: Context, name: str, speed: int, *arguments: str, inject: int = 0) -> dict[str, Any]:
    folder = context.room(f"vivo-{name}") / "salida"
    injector = _Injector(folder, inject)
    injector.start()
    try:
        child(
            "-c", "import sys; from core.cli import main; sys.exit(main())", "simular",
            f"{FOLDER}/simulacro-5.toml", "--salida", str(folder), "--semilla", "2021",
            "--velocidad", str(speed), "--silencio", "--json", *arguments,
        )  # fmt: skip
    finally:
        injector.ended.set()
        injector.join()
    live: dict[str, Any] = json.loads((folder / "resumen.json").read_text(encoding="utf-8"))["en_vivo"]
    return live
