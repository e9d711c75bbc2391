"""What a person of the portal does with the clock: when a question was due, and when the test ends."""

from __future__ import annotations

import json
import subprocess
import sys

CHILD = """
import json, time
from types import SimpleNamespace
import gevent
from locust.event import EventHook
from locust.exception import StopUser
from loadtests.people.base import SCENE
from loadtests.people.portal import Citizen

one = Citizen.__new__(Citizen)
one.settings, one.tally = {"sondeo_s": 1, "variacion_pct": 0}, SCENE.tally
one.random = __import__("random").Random(1)

begun = time.monotonic()
one.due = begun + 0.3
late = [one.turn()]
waited = time.monotonic() - begun
one.due = time.monotonic() - 2.5  # the answer before took long: three questions are due
late += [one.turn() for _ in range(3)]

SCENE.ends_at = time.monotonic() + 0.05
try:
    one.think(60)
    ended = "not"
except StopUser:
    ended = "left"
one.apart(one.think, 60).join()

fired = []
one.environment = SimpleNamespace(events=SimpleNamespace(request=EventHook()))
one.environment.events.request.add_listener(lambda **said: fired.append(
    [said["request_type"], said["name"], said["response_time"] >= 60, said["exception"] is not None]))

def hang(name, late_ms):
    with one.waited("POST", name, late_ms):
        gevent.sleep(60)

SCENE.patience_ms = 50
hung = [gevent.spawn(hang, "entrar", 0.0), gevent.spawn(hang, "acción", 6000.0)]
gevent.sleep(0.07)
gevent.killall(hung)
SCENE.patience_ms = 60_000
patient = gevent.spawn(hang, "a tiempo", 0.0)
gevent.sleep(0)
patient.kill()

Citizen.__new__(Citizen).on_stop()  # told to leave before it came

print(json.dumps([late, waited, ended, dict(SCENE.tally.faults), fired]))
"""


def test_the_clock_of_a_person_is_that_of_the_questions_it_owes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=120
    )
    late, waited, ended, faults, fired = json.loads(done.stdout)
    assert late[0] == 0 and waited >= 0.3, "it waits for its hour"
    for found, wanted in zip(late[1:], (2500, 1500, 500), strict=True):
        assert wanted <= found < wanted + 2000, "it counts from the hour it was due"
    assert (ended, faults) == ("left", {}), "nobody waits past the end"
    left = [["POST", "acción", True, True], ["POST", "entrar", True, False]]
    assert sorted(fired) == left, "what was never answered counts, and fails when it took too long"
