"""What a process that generates load never does, whatever Locust's page, a master or the clock say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from loadtests import profile
from loadtests.generating.generator import LOCUSTFILE
from loadtests.generating.plan import ENVIRONMENT, LOCAL, ROLE, Plan
from loadtests.judging.content import Expected

SECONDS = 40


def listener() -> socket.socket:
    """A port where nobody answers; who connects is waiting there."""
    one = socket.create_server(("127.0.0.1", 0))
    one.setblocking(False)
    return one


def url_of(one: socket.socket) -> str:
    return f"http://127.0.0.1:{one.getsockname()[1]}"


def generated(tmp_path: Path, url: str, *more: str, seconds: int = SECONDS, **rest: Any) -> dict[str, Any]:
    """The counts that a Locust process leaves with a plan for `url`; it has to end long before SECONDS."""
    tally, plan = tmp_path / "cuentas.json", tmp_path / "plan.json"
    smoke = profile.read(profile.find("humo")).as_data()
    Plan(smoke, url, 4, seconds, asdict(Expected()), False, str(tally), "", "", 0.0, **rest).write(plan)
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", *more]
    begun = time.monotonic()
    environment = {**os.environ, ENVIRONMENT: str(plan), ROLE: LOCAL}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < SECONDS - 10, "it went on to the end"
    found: dict[str, Any] = json.loads(tally.read_text(encoding="utf-8"))
    return found


def test_another_host_than_the_allowed_one_is_never_asked_and_ends_the_run(tmp_path: Path) -> None:
    with listener() as allowed, listener() as other:
        wrong = url_of(other)
        found = generated(tmp_path, url_of(allowed), "--host", wrong)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert found["fallas"]["identidad"] == 1
    assert wrong in found["ejemplos"]["identidad"][0]


def test_nothing_goes_on_after_the_end_of_the_owners_word(tmp_path: Path) -> None:
    with listener() as allowed:
        generated(tmp_path, url_of(allowed), not_after=time.time())


def test_only_the_judged_address_is_asked_whatever_the_name_means_later(tmp_path: Path) -> None:
    with listener() as judged:
        port = int(judged.getsockname()[1])
        url = f"http://sitio.invalid:{port}"  # it does not resolve
        generated(tmp_path, url, seconds=1, addresses=("127.0.0.1",))
        judged.setblocking(True)
        asked = judged.accept()[0].recv(4096)
    assert f"Host: sitio.invalid:{port}".encode() in asked
