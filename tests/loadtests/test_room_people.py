"""What a screen of the room counts as seen, new and missed. In a child: Locust patches who imports it."""

from __future__ import annotations

import json
import subprocess
import sys

CHILD = """
import json, sys
from loadtests.people.base import SCENE
from loadtests.people.room import Wall

screens = []
for numbers in json.loads(sys.argv[1]):
    screen = Wall.__new__(Wall)
    screen.tally, screen.tag, screen.seq, screen.boot = SCENE.tally, "", None, ""
    for number in numbers:
        screen.take({"seq": number, "boot_id": "a"}, "")
    screens.append(screen)
for screen in screens:
    screen.on_stop()
print(json.dumps(SCENE.tally.counts))
"""


def counted(*screens: list[int]) -> dict[str, int]:
    """The counts of some screens, each with the numbers of the snapshots it got."""
    command = [sys.executable, "-c", CHILD, json.dumps(screens)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return {name.removeprefix("fotografias_"): count for name, count in found.items()}


def test_a_screen_that_stops_getting_snapshots_missed_those_that_others_saw() -> None:
    # 4 and 5 were missed by the second; 6, the last, may have been on its way.
    found = counted([3, 4, 5, 6], [3], [])
    assert found == {"vistas": 5, "nuevas": 3, "perdidas": 2}


def test_a_writer_that_is_frozen_gives_no_new_snapshots() -> None:
    assert counted([3], [3, 3]).get("nuevas", 0) == 0
