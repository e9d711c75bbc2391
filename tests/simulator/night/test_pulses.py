"""Pulses of a simulated night: who sends them, what they say, and that the night is the same without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.operations.pulses import Pulse, pulses_after
from core.storage.reading import reading
from simulator.night.pulses import start_pulses
from simulator.scenario.document import Scenario
from simulator.scenario.people import Staff
from tests.conftest import Prep
from tests.simulator.conftest import DATA, RunNight
from tests.simulator.field import MINUTE, Field, link_fault, power_fault

MakeField = Callable[..., Field]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[MakeField]:
    made: list[Field] = []

    def make(**values: Any) -> Field:
        made.append(Field(tmp_path, lambda scenario: scenario.model_copy(update=values)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def listening(night: Field) -> list[Pulse]:
    heard: list[Pulse] = []
    start_pulses(night.model, night.centres, night.capture, heard.extend)
    return heard


def minutes_of(night: Field, heard: list[Pulse], catd: int) -> dict[int, Pulse]:
    return {night.ms(pulse.at) // MINUTE: pulse for pulse in heard if pulse.catd == catd}


def test_a_catd_without_link_is_silent_and_one_with_little_says_how_much(field: MakeField) -> None:
    night = field(
        link_faults=(
            link_fault(at_min=10.0, minutes=20.0),
            link_fault("ancho_de_banda", at_min=50.0, bandwidth=0.004, catds=(1,)),
        )
    )
    heard = listening(night)
    night.run_until(90 * MINUTE)
    first, second = (minutes_of(night, heard, catd) for catd in (0, 1))
    assert sorted(set(range(90)) - set(first)) == list(range(10, 30))
    assert {pulse.link for pulse in first.values()} == {100}
    assert sorted(second) == list(range(90))
    # Next to nothing is not the same as nothing.
    assert {at for at, pulse in second.items() if pulse.link == 1} == set(range(50, 60))
    assert all(pulse.at == pulse.recorded_at for pulse in heard)


def test_a_catd_without_light_is_silent_until_its_equipment_works(field: MakeField) -> None:
    night = field(power_faults=(power_fault(at_min=10.0),))
    heard = listening(night)
    night.run_until(60 * MINUTE)
    assert sorted(set(range(60)) - set(minutes_of(night, heard, 0))) == list(range(10, 25))
    assert sorted(minutes_of(night, heard, 1)) == list(range(60))


def test_a_pulse_says_what_waits_in_the_link_and_who_is_there(field: MakeField) -> None:
    night = field(link_faults=(link_fault("ancho_de_banda", minutes=60.0, bandwidth=0.1),))
    heard = listening(night)
    for _ in range(4):
        night.send_from(0, MINUTE)
    night.centres[0].add_staff("digitalizadores", 2)
    before = night.centres[0].staff["digitalizadores"]
    night.run_until(25 * MINUTE)
    first = minutes_of(night, heard, 0)
    # Each takes ten minutes; the one that is going out does not wait.
    assert [first[at].waiting for at in (1, 9, 11, 21)] == [3, 3, 2, 1]
    assert first[1].staff == {
        "acopiadores": night.centres[0].staff["acopiadores"], "digitalizadores": before,
    }  # fmt: skip


def test_where_capture_is_by_catd_its_people_are_told_too(field: MakeField) -> None:
    def by_catd(scenario: Scenario) -> Staff:
        return scenario.staff.model_copy(update={"capture_place": "por_catd"})

    plain = field()
    night = field(staff=by_catd(plain.model.scenario))
    heard = listening(night)
    night.run_until(5 * MINUTE)
    for pulse in heard:
        assert pulse.staff["capturistas"] == len(night.capture.clerks.present(pulse.catd)) > 0


def test_with_pulses_it_is_the_same_night_and_twice_the_same_pulses(run: RunNight, tmp_path: Path) -> None:
    plain = run("chica", seed=4)
    ended = [run("chica", seed=4, pulses=True) for _ in range(2)]
    kept = []
    for one in ended:
        assert one.fingerprint == plain.fingerprint
        assert one.night.feed.events == plain.night.feed.events
        with reading(one.database) as connection:
            kept.append(list(pulses_after(connection, 0)))
    assert kept[0] == kept[1]
    silent = {pulse.catd for pulse in kept[0]}
    assert silent == {catd.id for catd in plain.night.catalog.catds}
    assert 0 < len(kept[0]) < 240 * len(silent)
    assert {(pulse.at - plain.night.model.start_ms) % MINUTE for pulse in kept[0]} == {0}
    with reading(plain.database) as connection:
        assert list(pulses_after(connection, 0)) == []


def test_the_option_keeps_them(prep: Prep, tmp_path: Path) -> None:
    from core.storage.database import open_existing

    done = prep(
        "simular", DATA / "perfecta.toml", "--salida", "s", "--semilla", "1", "--sin-cortes", "--latidos"
    )
    assert done.returncode == 0, done.stderr
    database = open_existing(str(tmp_path / "s" / "prep.db"))
    with reading(database) as connection:
        assert next(pulses_after(connection, 0)).staff["acopiadores"] > 0
    database.dispose()
