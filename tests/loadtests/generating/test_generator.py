"""What a process that generates load never does, whatever Locust's page, a master or the clock say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loadtests import profile
from loadtests.generating.generator import LOCUSTFILE, Left
from loadtests.generating.plan import ENVIRONMENT, LOCAL, ROLE, load
from loadtests.judging.tally import Tally
from loadtests.run import Options, cut_short, write_plan
from loadtests.target import Permission, Target

SECONDS = 40
HERE = ("127.0.0.1",)


def listener(address: str = HERE[0]) -> socket.socket:
    """A port where nobody answers; who connects is waiting there."""
    one = socket.create_server((address, 0))
    one.setblocking(False)
    return one


def target_of(one: socket.socket, host: str = HERE[0], addresses: tuple[str, ...] = HERE) -> Target:
    """The listener as the target of a test."""
    return Target("http", host, int(one.getsockname()[1]), own=True, loopback=True, addresses=addresses)


def planned(
    tmp_path: Path, target: Target, seconds: int = SECONDS, permission: Permission | None = None
) -> Path:
    """The plan that a test of `target` leaves for its processes."""
    smoke, plan = profile.read(profile.find("humo")), tmp_path / "plan.json"
    options = Options(smoke, target, tmp_path, users=4, seconds=seconds, calibration_s=0.0)
    write_plan(options, "", plan, permission)
    return plan


def generated(tmp_path: Path, plan: Path, *more: str) -> dict[str, Any]:
    """The counts that a Locust process leaves with a plan; it has to end long before SECONDS."""
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", *more]
    begun = time.monotonic()
    environment = {**os.environ, ENVIRONMENT: str(plan), ROLE: LOCAL}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < SECONDS - 10, "it went on to the end"
    found: dict[str, Any] = json.loads((tmp_path / "cuentas.json").read_text(encoding="utf-8"))
    return found


def test_another_host_than_the_allowed_one_is_never_asked_and_ends_the_run(tmp_path: Path) -> None:
    with listener() as allowed, listener() as other:
        wrong = target_of(other).url
        found = generated(tmp_path, planned(tmp_path, target_of(allowed)), "--host", wrong)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert found["fallas"]["identidad"] == 1
    assert wrong in found["ejemplos"]["identidad"][0]


def test_nothing_goes_on_after_the_end_of_the_owners_word_and_the_run_says_how_short_it_was(
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)
    with listener() as allowed:
        word = Permission("Responsable", "", now - timedelta(hours=1), now, 4, SECONDS, abuse=False)
        found = generated(tmp_path, planned(tmp_path, target_of(allowed), permission=word))
    assert found["duro_s"] < 10


@pytest.mark.parametrize(
    ("lasted", "short"),
    [(None, False), (60.9, False), (58.6, False), (58.4, True), (12.0, True)],
    ids=["no_lo_dijo", "entera", "casi", "corta", "detenida"],
)
def test_a_run_that_somebody_stopped_is_not_one_of_all_its_seconds(lasted: float | None, short: bool) -> None:
    said = cut_short(Left([], [], [], Tally(), 1, lasted_s=lasted), 60)
    assert bool(said) is short
    assert said in ("", f"la prueba se detuvo a los {lasted:g} s de 60" if lasted else "")


def test_only_the_judged_address_is_asked_whatever_the_name_means_later(tmp_path: Path) -> None:
    # Only Linux answers for the whole of 127/8 without being told.
    address = "127.0.0.3" if sys.platform == "linux" else HERE[0]
    with listener(address) as judged:
        # The name does not resolve.
        where = target_of(judged, "sitio.invalid", (address,))
        plan = planned(tmp_path, where, seconds=1)
        assert load(plan).addresses == (address,)
        generated(tmp_path, plan)
        judged.setblocking(True)
        asked = judged.accept()[0].recv(4096)
    assert f"Host: sitio.invalid:{where.port}".encode() in asked
