"""A live night that begins in the middle: nothing waits until then, and it is the same night."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.operations.check import check
from core.storage.database import open_existing
from tests.conftest import Prep
from tests.simulator.live.test_control import Live
from tests.simulator.night.test_restart import SMALL, End, end_of

MINUTE = 60_000
RUN = ("simular", SMALL, "--semilla", "4", "--salida")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    run = Live(tmp_path, "--velocidad", "1", "--adelantar", "120")
    yield run
    run.stop()


def without_speed(end: End) -> End:
    end.summary.pop("en_vivo", None)
    return end


def recorded_until(folder: Path) -> int:
    database = open_existing(str(folder / "prep.db"))
    try:
        return check(database).events
    finally:
        database.dispose()


def test_it_waits_for_nothing_until_that_minute_and_then_keeps_the_pace(live: Live) -> None:
    state = live.client.state()
    assert state["estado"] == "pausada"
    # At the speed of life the two hours before it would have been two hours.
    assert 120 * MINUTE <= state["virtual_ms"] < 121 * MINUTE
    # The clock began when the database had everything: only what came afterwards may be waiting.
    assert state["por_escribir"] < 20
    known = recorded_until(live.folder)
    assert known > 100
    live.client.resume()
    assert live.client.state()["virtual_ms"] < 121 * MINUTE


def test_stopped_and_continued_from_an_earlier_minute_it_is_the_same_night(
    prep: Prep, tmp_path: Path, live: Live
) -> None:
    live.reach(140)
    live.process.send_signal(signal.SIGINT)
    live.process.communicate(timeout=60)
    # What the database has is later than the minute that is asked for, so the pace begins there.
    again = prep(*RUN, live.folder, "--continuar", "--velocidad", "20000", "--adelantar", "30")
    assert again.returncode == 0, again.stderr
    whole = prep(*RUN, "entera")
    assert whole.returncode == 0, whole.stderr
    assert without_speed(end_of(live.folder)) == without_speed(end_of(tmp_path / "entera"))


def test_it_is_refused_without_a_speed_and_beyond_the_night(prep: Prep, tmp_path: Path) -> None:
    done = prep(*RUN, "s", "--adelantar", "10")
    assert done.returncode == 2
    assert "va con --velocidad" in done.stderr
    for minute in ("-1", "240"):
        done = prep(*RUN, "s", "--velocidad", "60", "--adelantar", minute)
        assert done.returncode == 2
        assert "de 0 a 239" in done.stderr
    assert not (tmp_path / "s").exists()
