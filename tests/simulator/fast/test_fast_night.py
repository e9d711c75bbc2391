"""The fast night against the SimPy one: the same registration times, to the ms, acta by acta."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand, MarkSinActa
from core.domain.events import EventKind
from core.errors import UsageError
from core.storage.reading import ledger_events, reading
from simulator.fast.arrivals import Ground, plan_coming
from simulator.fast.compiled import compiled_here, kernels
from simulator.fast.draws import Draws, forget
from simulator.fast.kernel import NEVER
from simulator.fast.plan import plan_durations, unsupported
from simulator.fast.replication import Replicator
from simulator.night.arrivals import plan_arrivals
from simulator.night.feed import Feed
from simulator.night.keying import Typed
from simulator.night.model import Durations, NightModel
from simulator.night.run import prepare
from simulator.scenario.base import When
from simulator.scenario.document import Scenario
from simulator.scenario.faults import LinkFault, PowerFault
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.scenario.people import Rests
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA, Ran, RunNight

SHIPPED = Path(__file__).parents[3] / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
ENGINES = [False, True] if compiled_here() else [False]

Change = Callable[[Scenario], Scenario]


def replaced(scenario: Scenario, part: str, **changes: Any) -> Scenario:
    """The scenario with some values of one of its tables changed."""
    table = getattr(scenario, part).model_copy(update=changes)
    return scenario.model_copy(update={part: table})


def careful(scenario: Scenario) -> Scenario:
    """Nobody errs: in a catalogue of four columns two errors are too often the same one."""
    return replaced(scenario, "keying", per_capture=0.0, marks=0.0)


def tiring(scenario: Scenario) -> Scenario:
    rests = Rests(every_min=35, minutes=10, slower_per_hour=0.1, errors_per_hour=0.2)
    return replaced(careful(scenario), "staff", rests=rests)


def dark(scenario: Scenario) -> Scenario:
    cuts = (
        PowerFault(place="catd", name="a", at_min=70, minutes=40, jitter=0.3, plant_share=0.3),
        PowerFault(place="catd", name="b", at_min=90, minutes=30, jitter=0.3),
        PowerFault(place="captura", name="c", at_min=100, minutes=20),
        PowerFault(place="captura", name="d", at_min=140, minutes=10),
    )
    return careful(scenario).model_copy(update={"power_faults": cuts})


def slow_links(scenario: Scenario) -> Scenario:
    faults = (
        LinkFault(kind="latencia", name="a", at_min=60, minutes=100),
        LinkFault(kind="perdida", name="b", at_min=80, minutes=100),
        LinkFault(kind="ancho_de_banda", name="c", at_min=90, minutes=60, share=0.5),
    )
    backed = replaced(careful(scenario), "links", backup_share=0.5)
    return backed.model_copy(update={"link_faults": scenario.link_faults + faults})


def all_at_once(scenario: Scenario) -> Scenario:
    return tiring(dark(slow_links(scenario)))


def registered_by_the_engine(ran: Ran) -> np.ndarray[Any, np.dtype[np.int64]]:
    """By acta id, when the log says it was verified or marked sin acta, ms since the start."""
    times = np.full(len(ran.night.catalog.actas), NEVER, dtype=np.int64)
    with reading(ran.database) as connection:
        for _, event, _ in ledger_events(connection):
            if event.kind in (EventKind.ACTA_VERIFIED, EventKind.SIN_ACTA_MARKED):
                assert event.acta is not None
                times[event.acta] = event.recorded_at - ran.night.model.start_ms
    return times


@pytest.mark.parametrize(
    ("change", "seed"),
    [(careful, 1), (careful, 2), (tiring, 1), (dark, 1), (slow_links, 1), (all_at_once, 3)],
)
def test_the_engine_registers_every_acta_at_the_ms_of_the_fast_night(
    run: RunNight, change: Change, seed: int
) -> None:
    ran = run("chica", seed, change=change)
    slow = registered_by_the_engine(ran)
    scenario = ran.night.loaded.scenario
    for compiled in ENGINES:
        forget()
        replicator = Replicator(scenario, ran.night.catalog, compiled=compiled)
        fast = replicator.play(seed, until_ms=scenario.calendar.length_ms)
        assert np.nonzero(fast.registered_ms != slow)[0].tolist() == []
        assert fast.fingerprint() == hashlib.sha256(slow.astype("<i8").tobytes()).hexdigest()
        # The night must have been worth comparing.
        assert fast.sin_acta.sum() > 0
        assert 0 < fast.registered_at(fast.close_ms) < len(slow)


@pytest.fixture(scope="module")
def jalisco() -> tuple[Scenario, Catalog]:
    loaded = load_scenario(SHIPPED)
    return loaded.scenario, open_scenario_catalog(loaded)


class Silent(Feed):
    """A feed with nobody at the other end: it keeps when each acta was marked (ms UTC)."""

    def __init__(self) -> None:
        self.marked: dict[int, int] = {}

    def add(self, command: AnyCommand, recorded_at: int, *, provoked: bool = False) -> None:
        if isinstance(command, MarkSinActa):
            self.marked[command.acta] = recorded_at


class Settled(dict[int, Typed]):
    """The final captures of a model, and the ms at which each was settled."""

    def __init__(self, model: NightModel) -> None:
        super().__init__()
        self.model = model
        self.times: dict[int, int] = {}

    def __setitem__(self, acta: int, typed: Typed) -> None:
        self.times[acta] = int(self.model.env.now)
        super().__setitem__(acta, typed)


def test_a_state_night_with_errors_outages_and_phones_is_the_one_of_simpy(
    jalisco: tuple[Scenario, Catalog],
) -> None:
    catalog = jalisco[1]
    loaded = load_scenario(SHIPPED)
    feed = Silent()
    night = prepare(loaded, catalog, 7, feed, None)
    night.model.final = settled = Settled(night.model)
    length = night.model.length_ms
    night.model.env.run(until=length)
    slow = np.full(len(catalog.actas), NEVER, dtype=np.int64)
    for acta, at in feed.marked.items():
        slow[acta] = at - night.model.start_ms
    for acta, at in settled.times.items():
        slow[acta] = at
    fast = Replicator(loaded.scenario, catalog).play(7, until_ms=length)
    assert np.nonzero(fast.registered_ms != slow)[0].tolist() == []
    assert fast.disputes == night.model.disputes > 100
    assert fast.third_captures == night.model.third_captures > 0


def test_plain_and_compiled_loops_give_the_same_bytes(jalisco: tuple[Scenario, Catalog]) -> None:
    scenario = all_at_once(jalisco[0]).model_copy(update={"keying": jalisco[0].keying})
    nights = []
    for compiled in ENGINES:
        forget()
        nights.append(Replicator(scenario, jalisco[1], compiled=compiled).play(4))
    for night in nights[1:]:
        assert night.fingerprint() == nights[0].fingerprint()
        assert (night.captures, night.disputes, night.busy_ms) == (
            nights[0].captures,
            nights[0].disputes,
            nights[0].busy_ms,
        )
    assert nights[0].disputes > 100


def test_arrivals_are_those_of_the_simpy_night(jalisco: tuple[Scenario, Catalog]) -> None:
    scenario, catalog = jalisco
    scenario = replaced(scenario, "arrivals", special_factor=1.4, late_share=0.2)
    scenario = replaced(
        scenario, "envelopes", metropolitan_factor=2.0, not_delivered=0.02, not_installed=0.01
    )
    coming = plan_coming(Ground(catalog), scenario, Draws(9, kernels(False)))
    photo = np.full(len(catalog.actas), NEVER)
    travels = np.zeros(len(catalog.actas), dtype=bool)
    missing = travels.copy()
    for package in plan_arrivals(catalog, scenario, Seeds(9)):
        at = package.at_catd_ms
        assert coming.at_catd[package.casilla] == (NEVER if at is None else at)
        for one in package.photos:
            photo[one.acta] = one.arrives_ms
        travels[list(package.envelopes)] = True
        missing[[acta for acta, _ in package.missing]] = True
    assert (coming.photo == photo).all()
    assert (coming.travels == travels).all()
    assert (coming.missing == missing).all()
    assert missing.any()


def test_durations_are_those_of_the_simpy_night(jalisco: tuple[Scenario, Catalog]) -> None:
    scenario, catalog = jalisco
    fast = plan_durations(Ground(catalog), scenario, Draws(9, kernels(False)))
    slow = Durations(scenario, catalog, Seeds(9))
    assert fast.receive.tolist() == slow.receive
    assert fast.image.tolist() == slow.image
    assert fast.message.tolist() == slow.message
    twice = [ms * (2 if again else 1) for ms, again in zip(slow.scan, slow.rescan, strict=True)]
    assert fast.scan.tolist() == twice


def test_what_depends_on_how_the_night_goes_is_refused_in_words() -> None:
    loaded = load_scenario(DATA / "chica.toml")
    scenario = loaded.scenario
    assert unsupported(scenario) == []
    waiting = LinkFault(kind="sin_enlace", name="x", minutes=5, when=When(seen="registradas_pct", over=50))
    conditional = scenario.model_copy(update={"link_faults": (waiting,)})
    assert unsupported(conditional) == ["Hay fallas que empiezan al cumplirse una condición («cuando»)."]
    with pytest.raises(UsageError, match="al cumplirse una condición"):
        Replicator(conditional, open_scenario_catalog(loaded))
    assert unsupported(replaced(scenario, "staff", capture_place="por_catd")) == ["La captura es por CATD."]


def test_every_table_of_a_scenario_is_played_refused_or_moves_no_acta() -> None:
    played = {
        "metropolitan", "calendar", "phone", "arrivals", "plan", "envelopes", "staff", "times", "links",
        "link_faults", "power_faults", "continuity", "keying", "inconsistencies",
    }  # fmt: skip
    refused = {"contest_faults", "mass_markings", "duplicates"}
    still = {
        "schema_version", "name", "title", "description", "catalog", "mode", "votes", "clocks",
        "publication_faults", "probes", "expected",
    }  # fmt: skip
    assert played | refused | still == set(Scenario.model_fields)
