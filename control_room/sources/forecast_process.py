"""`python -m control_room.sources.forecast_process`: the process that forecasts for the room.

It is told what to do by one JSON object on its input: with `si` it answers a what-if on its output and
ends; otherwise it forecasts whenever something was recorded, and leaves `pronostico.json`, until its input
is closed. Everything it cannot forecast ends as a reason in Spanish. What the picture holds is
`forecast_picture`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine as Database
from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlalchemy.exc import SQLAlchemyError

from control_room.sources.clock import NightClock, clock_for
from control_room.sources.forecast_picture import finish_of, picture, what_ifs
from control_room.sources.forecast_worker import NICE, leave
from core.errors import PrepError
from core.storage import schema
from core.storage.database import open_existing
from core.storage.reading import read_meta
from simulator.forecast.ask import parse_what_if
from simulator.forecast.night import forecast
from simulator.forecast.plan import Plan, fit_plan
from simulator.forecast.state import NightState, state_as_of
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario

SEED = 1


class Asked:
    """One night to forecast: its database, its clock and its scenario. Raises PrepError."""

    def __init__(self, question: dict[str, Any]) -> None:
        self.question = question
        self.replicas = int(question["replicas"])
        self.notes: list[str] = []
        self.database: Database = open_existing(question["base"])
        self.scenario = self._scenario(question.get("escenario"))
        run = question.get("corrida")
        with self.database.connect() as connection:
            mode = read_meta(connection).get("mode", "")
        begins = None if self.scenario is None else self.scenario.calendar.start_ms
        self.clock: NightClock = clock_for(
            mode, None if run is None else Path(run), self.database, start_ms=begins
        )

    def _scenario(self, path: str | None) -> Scenario | None:
        if path is None:
            return None
        try:
            return load_scenario(Path(path)).scenario
        except PrepError as error:
            self.notes.append(f"Sin escenario: {error}")
            return None

    def last_seq(self) -> int:
        """The end of the ledger."""
        with self.database.connect() as connection:
            return int(connection.execute(sql_select(func.max(schema.ledger.c.seq))).scalar() or 0)

    def state(self) -> tuple[NightState, Plan | None, list[str]]:
        """The night now, with the plan of its scenario where that fits."""
        at = self.question.get("ahora_ms")
        state = state_as_of(self.database, int(at) if at is not None else self.clock.now_ms())
        notes = list(self.notes)
        plan = None
        if self.scenario is not None:
            try:
                plan = fit_plan(state, self.scenario, SEED)
            except PrepError as error:
                notes.append(f"Sin escenario: {error}")
        elif not notes:
            notes.append(
                "Sin escenario: las llegadas y la capacidad salen de lo observado y de otras noches."
            )
        return state, plan, notes


def answer_what_if(question: dict[str, Any]) -> dict[str, Any]:
    """The answer to a what-if. Raises PrepError."""
    asked = Asked(question)
    try:
        state, plan, notes = asked.state()
        changes = [parse_what_if(words, state) for words in question["si"]]
        made = forecast(state, what_ifs=changes, replicas=asked.replicas, seed=SEED, plan=plan)
        return {**what_ifs(made), "notas": notes}
    finally:
        asked.database.dispose()


def forecast_once(asked: Asked) -> dict[str, Any]:
    """One forecast, as the file has it. Raises PrepError."""
    began = time.monotonic()
    state, plan, notes = asked.state()
    made = forecast(state, replicas=asked.replicas, seed=SEED, plan=plan)
    finish = finish_of(made, plan, SEED)
    return {
        "motivo": None,
        "notas": notes,
        **picture(made, finish),
        "duracion_s": round(time.monotonic() - began, 2),
    }


def keep_forecasting(question: dict[str, Any]) -> None:
    """Forecast until nobody wants it: the input was closed, or whoever started this died."""
    folder, every_s = Path(question["sala"]), float(question["cada_s"])
    asked: Asked | None = None
    before: tuple[int, int] | None = None
    while True:
        began = time.monotonic()
        try:
            asked = asked or Asked(question)
            # Without anything recorded and with the clock standing still, there is nothing to say anew.
            found = (asked.last_seq(), asked.clock.now_ms())
            if found != before:
                leave(folder, forecast_once(asked))
                before = found
        except PrepError as error:
            leave(folder, {"motivo": str(error)})
            before = None
        except SQLAlchemyError:
            leave(folder, {"motivo": "La base no responde; se intenta de nuevo."}, keep=True)
            before = None
        if _nobody_wants_it(max(0.0, every_s - (time.monotonic() - began))):
            return


def _nobody_wants_it(wait_s: float) -> bool:
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(ready) and not sys.stdin.buffer.read(1)


def main() -> None:
    """Be the process."""
    # Ctrl-C is for whoever started this, which then lets it end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    question = orjson.loads(line)
    if "si" not in question:
        keep_forecasting(question)
        return
    try:
        answer = answer_what_if(question)
    except PrepError as error:
        answer = {"motivo": str(error)}
    except SQLAlchemyError:
        answer = {"motivo": "La base no responde; intenta de nuevo."}
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")


if __name__ == "__main__":
    main()
