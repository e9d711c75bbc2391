"""The forecast of the room: a process of its own that keeps `pronostico.json`, and what-ifs on demand.

`ForecastWorker` starts the process and looks after it; `read_forecast` reads what it left; `what_if`
answers a question in another process and waits for it. The forecasting is `simulator.forecast` and the
picture of it `forecast_picture`. What cannot be forecast is said with its reason, never left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from control_room.files import read_json, write_atomic
from core.errors import UsageError

FORMAT = 1
FILE = "pronostico.json"
EVERY_S = 60.0
"""Real seconds from the start of a forecast to that of the next, at least."""
REPLICAS = 200
WHAT_IF_S = 60.0
"""How long a what-if may take before it is given up."""
MOST_WHAT_IFS = 6
LONGEST = 120
NICE = 10
"""The forecast waits for everything else where the machine is short."""

_KEYS = ("hecho_ms", "motivo", "curva", "final_pct", "catd_riesgo", "cierre", "eta_p90_ms")

COMING = "El primer pronóstico viene en camino."

_one_question = threading.Lock()


def read_forecast(folder: Path) -> dict[str, Any] | None:
    """What the process left in the room's folder; None while it has left nothing.

    `hecho_ms`, `curva`, `final_pct`, `catd_riesgo` and `cierre` are those of the snapshot, None when there
    is no forecast; `motivo` says why there is none, or why it is not renewed. Also `hecho_real_ms`,
    `duracion_s`, `notas`, `eta_p90_ms`, `meta_pct`, `metas`, `silencio` and `resumen`.
    """
    data = read_json(folder / FILE)
    return data if data is not None and data.get("formato") == FORMAT else None


def forecast_for_snapshot(folder: Path) -> dict[str, Any] | None:
    """The same, or None when there is no forecast in it."""
    data = read_forecast(folder)
    return data if data is not None and data.get("curva") else None


class ForecastWorker:
    """The process that forecasts. `start` once, `watch` now and then, `close` at the end.

    `base` is the URL of the database; `folder` the room's; `run_folder` that of a rehearsal, for its clock.
    """

    def __init__(
        self,
        base: str,
        folder: Path,
        scenario: Path | None = None,
        run_folder: Path | None = None,
        *,
        every_s: float = EVERY_S,
        replicas: int = REPLICAS,
    ) -> None:
        self._asked = {
            "base": base,
            "sala": str(folder),
            "escenario": None if scenario is None else str(scenario),
            "corrida": None if run_folder is None else str(run_folder),
            "cada_s": every_s,
            "replicas": replicas,
        }
        self._folder = folder
        self._every_s = every_s
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._started = float("-inf")

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process. It ends by itself when this one does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._wanted:
            # What is there may be of another night.
            leave(self._folder, {"motivo": COMING})
        self._wanted, self._started = True, time.monotonic()
        self._process = spawn(subprocess.DEVNULL)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(orjson.dumps(self._asked) + b"\n")
            self._process.stdin.flush()

    def watch(self) -> bool:
        """Is the process alive? The file says when it died, and it is started again when its turn comes."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return True
            self._let_go()
            reason = f"El proceso del pronóstico terminó (código {code}); se reinicia."
            leave(self._folder, {"motivo": reason}, keep=True)
        # Not in a loop: one that dies at once waits like any other forecast.
        if self._wanted and time.monotonic() - self._started >= self._every_s:
            self.start()
        return self._process is not None

    def close(self) -> None:
        """End the process."""
        self._wanted = False
        process = self._process
        if process is None:
            return
        self._let_go()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()

    def _let_go(self) -> None:
        assert self._process is not None
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._process = None


def what_if(
    words: Sequence[str],
    base: str,
    scenario: Path | None = None,
    *,
    run_folder: Path | None = None,
    at_ms: int | None = None,
    replicas: int = REPLICAS,
) -> dict[str, Any]:
    """Forecast with some changes, each compared with changing nothing on the same luck.

    `words` are those of `prep pronostico --si`. `at_ms` is the moment of the night it is made from; that of
    its clock without it. The answer has `hecho_ms`, `resumen`, `notas`, `base` (`curva`, `final_pct`) and
    `si`: a list with `si`, `desde_ms`, `curva`, `final_pct`, `diferencia_pp`, `actas_al_cierre`,
    `mayor_diferencia` and `minutos_antes_al_80`. Raises UsageError with its reason when it cannot be made,
    or while another one is.
    """
    asked = [" ".join(one.split()) for one in words if one.strip()]
    if len(asked) > MOST_WHAT_IFS:
        raise UsageError(f"Se admiten hasta {MOST_WHAT_IFS} cambios a la vez.")
    if any(len(one) > LONGEST for one in asked):
        raise UsageError(f"Un cambio se escribe en menos de {LONGEST} caracteres.")
    if not _one_question.acquire(blocking=False):
        raise UsageError("Hay otro pronóstico en curso; intenta de nuevo en unos segundos.")
    try:
        return _ask(
            {
                "base": base,
                "escenario": None if scenario is None else str(scenario),
                "corrida": None if run_folder is None else str(run_folder),
                "ahora_ms": at_ms,
                "replicas": replicas,
                "si": asked,
            }
        )
    finally:
        _one_question.release()


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    process = spawn(subprocess.PIPE)
    try:
        said, _ = process.communicate(orjson.dumps(question) + b"\n", WHAT_IF_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise UsageError(f"El pronóstico no terminó en {WHAT_IF_S:.0f} segundos.") from error
    try:
        answer = json.loads(said)
    except ValueError as error:
        raise UsageError(
            f"El proceso del pronóstico terminó sin responder (código {process.returncode})."
        ) from error
    if "motivo" in answer:
        raise UsageError(str(answer["motivo"]))
    return dict(answer)


def spawn(stdout: int) -> subprocess.Popen[bytes]:
    """A process of `control_room.sources.forecast_process`, which is told what to do by its input."""
    # What it is asked goes by its input: a URL with a password is not for the list of processes.
    return subprocess.Popen(
        [sys.executable, "-m", "control_room.sources.forecast_process"],
        stdin=subprocess.PIPE,
        stdout=stdout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def leave(folder: Path, data: dict[str, Any], *, keep: bool = False) -> None:
    """Write the file: a forecast, or the reason why there is none.

    `keep` leaves the forecast there was under the reason: it is no worse for the base being away, and its
    `hecho_ms` says how old it is.
    """
    whole: dict[str, Any] = {"formato": FORMAT, **dict.fromkeys(_KEYS), "notas": []}
    if keep:
        whole |= read_forecast(folder) or {}
    whole |= {"hecho_real_ms": time.time_ns() // 1_000_000} | data
    write_atomic(folder / FILE, orjson.dumps(whole))
