"""What Locust runs: the users and the shape of a plan, and the counts of all its processes in one file.

Loaded by `python -m locust` in every process of a run, never imported by the rest of the project: Locust
patches the whole process. The plan comes in a file named in the environment.
"""

from __future__ import annotations

import json
import os
import time
from itertools import count
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import LoadTestShape, events, runners
from locust.runners import MasterRunner, WorkerRunner

from loadtests.generating import shapes
from loadtests.generating.generator import BEGUN, MASTER_TRIES
from loadtests.generating.plan import ENVIRONMENT, MASTER, ROLE, load
from loadtests.judging.content import IDENTITY, UNREADABLE, Expected
from loadtests.judging.tally import Tally, from_data, merge, slot_of
from loadtests.people.base import LATE, SCENE, Person
from loadtests.people.calibration import measure
from loadtests.people.portal import Citizen, Difusor, Newspaper
from loadtests.people.room import Operator, Wall
from loadtests.reasons import why

runners.CONNECT_RETRY_COUNT = MASTER_TRIES
"""A worker tries for a minute (each time five seconds): who listens there may not be a master."""

CLASSES: dict[str, type[Person]] = {
    "ciudadano": Citizen,
    "difusor": Difusor,
    "medio": Newspaper,
    "muro": Wall,
    "operador": Operator,
}
LAG_EVERY_S = 0.05

PLAN = load(Path(os.environ[ENVIRONMENT]))
_begun: list[float] = []
"""When the run began. It does so once, whatever the page of Locust is asked."""
_others: dict[str, dict[str, Any]] = {}
"""Last counts of each worker, by its id; each message has them whole, so that a lost one does no harm."""
_heard_at: dict[str, float] = {}
"""When those came."""
_stopping: list[float] = []
"""When the run began to stop."""

SCENE.expected = Expected(**PLAN.expected)
SCENE.many_addresses = PLAN.many_addresses
SCENE.package_path = PLAN.package_path
SCENE.credentials = PLAN.credentials
SCENE.url = PLAN.url
SCENE.addresses = PLAN.addresses
SCENE.tally.slot_s = slot_of(PLAN.seconds)
SCENE.patience_ms = PLAN.profile["thresholds"].get("p95_max_ms", 1000)

for _place, _person in enumerate(PLAN.profile["people"]):
    _name = f"Profile{_place}{CLASSES[_person['kind']].__name__}"
    globals()[_name] = type(
        _name,
        (CLASSES[_person["kind"]],),
        {
            "host": PLAN.url,
            "weight": _person["weight"] or 1,
            "fixed_count": _person["fixed"],
            "settings": _person["settings"],
            "turns": count(),
        },
    )


class Shape(LoadTestShape):
    """The stages of the profile."""

    _steps = shapes.steps(
        [(one["until_pct"], one["users_pct"], one["ramp_s"]) for one in PLAN.profile["stages"]],
        PLAN.users,
        PLAN.seconds,
    )

    def tick(self) -> tuple[int, float] | None:
        """Users and how many per second; None ends the run."""
        moment = shapes.at(self._steps, float(self.get_run_time()))  # type: ignore[no-untyped-call]
        return None if moment is None else (moment.users, moment.rate)


if os.environ.get(ROLE) != MASTER and PLAN.trivial_url:
    # Before there is any runner: nothing else goes on in this process.
    SCENE.tally.ceiling_rps = measure(PLAN.trivial_url, PLAN.calibration_s)


def _watch() -> None:
    """Note, until the process ends, how busy it is and how late it wakes up."""
    busy, at, next_cpu = time.process_time(), time.monotonic(), time.monotonic() + 1
    while True:
        before = time.monotonic()
        gevent.sleep(LAG_EVERY_S)
        woke = time.monotonic()
        used = None
        if woke >= next_cpu:
            spent = time.process_time()
            used = 100 * (spent - busy) / (woke - at)
            busy, at, next_cpu = spent, woke, woke + 1
        SCENE.tally.strained((woke - before - LAG_EVERY_S) * 1000, used)


def _guard(environment: Any) -> None:
    """End the run when it goes beyond what was allowed, whoever asked for that: Locust's page or a master."""
    while True:
        over = PLAN.not_after is not None and time.time() > PLAN.not_after
        if environment.host not in (None, "", PLAN.url):
            SCENE.tally.fault(IDENTITY, f"se pidió probar {environment.host} y lo permitido es {PLAN.url}")
            over = True
        elif environment.runner.user_count > PLAN.users:
            SCENE.tally.fault(IDENTITY, f"se pidieron más de los {PLAN.users} usuarios permitidos")
            over = True
        if over:
            environment.runner.quit()
            return
        gevent.sleep(LAG_EVERY_S)


@events.request.add_listener  # type: ignore[untyped-decorator]
def _asked(
    name: str,
    response_time: float | None,
    response_length: int | None,
    exception: Exception | None,
    context: dict[str, Any] | None,
    **_: Any,
) -> None:
    late = float((context or {}).get(LATE, 0.0))
    since = time.time() - _begun[0] if _begun else 0.0
    SCENE.tally.note(
        name, (response_time or 0.0) + late, response_length or 0, failed=exception is not None, at_s=since
    )


@events.user_error.add_listener  # type: ignore[untyped-decorator]
def _broke(exception: Exception, **_: Any) -> None:
    SCENE.tally.fault(UNREADABLE, why(exception))


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Any, **_: Any) -> None:
    if _begun:
        SCENE.tally.fault(IDENTITY, "se pidió empezar otra vez la prueba")
        gevent.spawn(environment.runner.quit)
        return
    _begun.append(time.time())
    SCENE.ends_at = time.monotonic() + PLAN.seconds
    gevent.spawn(_guard, environment)
    if not isinstance(environment.runner, MasterRunner):
        gevent.spawn(_watch)
    if not isinstance(environment.runner, WorkerRunner):
        begun = Path(PLAN.tally_path).with_name(BEGUN)
        begun.write_text(str(time.time()), encoding="utf-8")


@events.report_to_master.add_listener  # type: ignore[untyped-decorator]
def _report(client_id: str, data: dict[str, Any]) -> None:
    data["prep"] = SCENE.tally.as_data()


@events.worker_report.add_listener  # type: ignore[untyped-decorator]
def _heard(client_id: str, data: dict[str, Any]) -> None:
    if "prep" in data:
        _others[client_id] = data["prep"]
        _heard_at[client_id] = time.time()


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    _stopping.append(time.time())


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _leave(environment: Any, **_: Any) -> None:
    environment.process_exit_code = 0  # the run judges, not Locust
    if isinstance(environment.runner, WorkerRunner):
        return
    tallies: list[Tally] = [from_data(one) for one in _others.values()]
    if not isinstance(environment.runner, MasterRunner):
        tallies.append(SCENE.tally)
    whole = merge(tallies)
    if isinstance(environment.runner, MasterRunner):
        whole.faults += SCENE.tally.faults
    end = _stopping[0] if _stopping else time.time()
    # Each worker reports every few seconds, and once more when it is told to stop.
    silent = [round(max(0.0, end - at), 1) for at in _heard_at.values()] or [0.0]
    lasted = round(end - _begun[0], 1) if _begun else None
    data = {"procesos": len(tallies), "silencio_s": silent, "duro_s": lasted, **whole.as_data()}
    Path(PLAN.tally_path).write_text(json.dumps(data), encoding="utf-8")
