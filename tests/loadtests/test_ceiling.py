"""The server's ceiling, with a real wrk and a real nginx: a ratio with its range, and what is no ceiling."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loadtests import target
from loadtests.ceiling import Ceiling, Turn, explained, judged, measure, nginx_path, started
from loadtests.processes import free_port

WITH = pytest.mark.skipif(shutil.which("wrk") is None or nginx_path() is None, reason="sin wrk o sin nginx")
SERVER = """
worker_processes 1; error_log {home}/error.log; pid {home}/nginx.pid; daemon off;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {home}/t; proxy_temp_path {home}/t; fastcgi_temp_path {home}/t;
    uwsgi_temp_path {home}/t; scgi_temp_path {home}/t;
    server {{
        listen 127.0.0.1:{port};
        location /roto {{ return 500; }}
        location /bien {{ return 200 '{{}}'; }}
    }}
}}
"""


@WITH
def test_the_ratio_is_that_of_pairs_and_errors_of_the_server_are_no_ceiling(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    port, nginx = free_port(), nginx_path()
    assert nginx is not None
    (tmp_path / "nginx.conf").write_text(SERVER.format(home=tmp_path, port=port), encoding="utf-8")
    with started([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], port) as process:
        assert process is not None
        here = target.parse(f"http://127.0.0.1:{port}")
        good, bad = measure(here, {"bien": "/bien", "roto": "/roto"}, 1, pairs=1)
    assert good.size == 2 and good.ratio is not None and 0 < good.ratio < 20
    assert good.between == (good.ratio, good.ratio) and f"{good.ratio:.2f} (" in good.text()
    assert bad.broken and "errores del servidor" in bad.why and bad.reaches(0.1) is False


@pytest.mark.parametrize(
    ("said", "broken"),
    [("estados 900 0", False), ("estados 900 3", True), ("estados 0 7", True), ("estados 0 0", True)],
    ids=["a limit", "both", "errors", "neither"],
)
def test_a_limit_is_one_thing_and_a_broken_server_another(said: str, broken: bool) -> None:
    why, found = explained(said)
    assert found is broken and ("limita" in why) is not broken


def ceiling(*ratios: float) -> Ceiling:
    return Ceiling("algo", 1, 1.0, 1.0, ratios=tuple(sorted(ratios)))


@pytest.mark.parametrize(
    ("ratios", "reached"),
    [
        ((0.95, 0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 0.5), True),
        ((0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87, 2.0), False),
        ((0.85, 0.86, 0.88, 0.9, 0.91, 0.92, 0.93, 0.95, 0.97), None),
        ((), None),
    ],
    ids=["all but one", "none but one", "noise", "not measured"],
)
def test_noise_does_not_decide(ratios: tuple[float, ...], reached: bool | None) -> None:
    assert ceiling(*ratios).reaches(0.9) is reached


@pytest.mark.parametrize(
    ("target_rates", "slowed"),
    [
        ([1647, 150, 150, 151, 150], True),
        ([425, 160, 150, 150, 150], True),
        ([21_000, 5_000, 22_000, 20_000, 23_000], False),
        ([1_500, 1_450, 1_600, 1_550, 1_500], False),
    ],
    ids=["a burst", "the end of a burst", "a bad second", "just slow"],
)
def test_a_server_that_slows_each_address_has_no_ceiling(target_rates: list[int], slowed: bool) -> None:
    mine = [Turn(float(rate), 0.0, 0.1) for rate in target_rates]
    theirs = [Turn(33_000.0 + rate % 7, 0.0, 0.4) for rate in target_rates]
    found = judged("algo", 100, mine, theirs)
    assert ("frena" in found.why) is slowed and (found.ratio is None) is slowed


def test_when_wrk_is_the_limit_it_is_said() -> None:
    found = judged("algo", 100, [Turn(50_000.0, 0.0, 0.97)] * 9, [Turn(52_000.0, 0.0, 0.96)] * 9)
    assert found.ratio is None and "wrk usó 96 %" in found.why and found.reaches(0.5) is None
