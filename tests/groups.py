"""Which tests go together to one worker, because they share something slow to build, and which go first.

It only says names; the scheduler is made in conftest.
"""

from __future__ import annotations

BROWSER = "tests/control_room/browser/"
PORTAL = ("tests/portal/", "tests/core/portal/test_nginx.py")
"""Tests that use the same published nights, browser and nginx."""
S3 = ("tests/core/destinations/", "tests/core/images/test_images_s3.py")
"""Tests that use the same S3 server."""
ALONE = ("test_rehearsal.py", "test_never_lies.py")
"""Files of the browser's tests with rooms of their own. The others look at the same one."""


def group_of(nodeid: str) -> str:
    """The group of a test: its file, whose fixtures are then built once, or several files."""
    if nodeid.startswith(S3):
        return "S3"
    if nodeid.startswith(PORTAL):
        return PORTAL[0]
    file = nodeid.split("::")[0]
    if file.startswith(BROWSER) and not file.endswith(ALONE):
        return BROWSER
    return file


FIRST = (
    # Its rooms and its browser take both processors: beside it, what measures no time.
    BROWSER,
    PORTAL[0],
    "tests/simulator/scenario/test_jalisco_2021.py",
    "tests/simulator/night/test_restart.py",
    "tests/simulator/scenario/test_jalisco_2027.py",
    "tests/simulator/night/test_acta_images.py",
    f"{BROWSER}test_rehearsal.py",
    "tests/simulator/night/test_verb_simulate.py",
    f"{BROWSER}test_never_lies.py",
    "tests/core/evidence/test_constancia.py",
    "tests/real/test_replay.py",
    "tests/loadtests/faults/test_rehearsal.py",
    "tests/simulator/scenario/test_jalisco_2024.py",
    "tests/control_room/test_verb_sala.py",
    "tests/loadtests/test_carga.py",
    "tests/simulator/live/test_control.py",
    "tests/core/publishing/test_verb.py",
    "tests/test_room_script.py",
    "tests/test_room_benchmarks.py",
    "tests/test_benchmarks.py",
    "tests/simulator/fast/test_replication.py",
    "S3",
)
"""The groups that last longest, so that none is left for the end. The others follow by their names."""
_PLACE = {group: place for place, group in enumerate(FIRST)}


def in_order(nodeid: str) -> int:
    """The place of a test's group among all: sorting by it keeps the order inside a group."""
    return _PLACE.get(group_of(nodeid), len(FIRST))
