"""Links: what each kind of fault leaves of them, second links, and measures against an outage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogs import load_catalog
from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.night.continuity import BACKUP
from simulator.night.links import Limit, Link
from simulator.night.network import Places, backups, exercise_of, outage_of, plan_links
from simulator.scenario.document import Links, Scenario
from simulator.scenario.faults import Exercise, Where
from simulator.scenario.file import load_scenario
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA
from tests.simulator.field import MINUTE, link_fault, with_measures


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(DATA / "catalogo")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(Path(DATA / "perfecta.toml")).scenario


def link_with(*limits: Limit) -> Link:
    link = Link(list(limits))
    link.settle()
    return link


def hit(catalog: Catalog, scenario: Scenario, kind: str, *, backup: bool = False, **values: Any) -> Link:
    """The link of the first CATD with a fault of the whole hour from minute 10."""
    links = [Link(backup=backup) for _ in catalog.catds]
    fault = link_fault(kind, **({"at_min": 10.0, "minutes": 60.0} | values))
    for spell in outage_of(Places(catalog, scenario), fault, "falla_enlace/0", links, Seeds(1)).spells:
        links[spell.catd].add(spell.limits)
    return links[0]


def test_with_latency_every_shipment_takes_that_much_more(catalog: Catalog, scenario: Scenario) -> None:
    link = hit(catalog, scenario, "latencia", latency_s=7)
    assert link.finish(0, 1_000) == 1_000
    assert link.finish(10 * MINUTE, 1_000) == 10 * MINUTE + 8_000
    assert link.finish(70 * MINUTE, 1_000) == 70 * MINUTE + 1_000
    assert link.capacity(15 * MINUTE) == 1.0


def test_with_less_bandwidth_it_takes_longer_in_proportion(catalog: Catalog, scenario: Scenario) -> None:
    assert hit(catalog, scenario, "ancho_de_banda", bandwidth=0.2).finish(10 * MINUTE, 1_000) == 605_000


def test_what_is_lost_is_sent_again_and_takes_that_share_of_the_link(
    catalog: Catalog, scenario: Scenario
) -> None:
    assert hit(catalog, scenario, "perdida", loss=0.75).finish(10 * MINUTE, 1_000) == 604_000


def test_a_second_link_takes_over_when_the_first_is_down(catalog: Catalog, scenario: Scenario) -> None:
    plan = scenario.model_copy(update={"links": Links(backup_share=1, backup_capacity=0.5, switch_min=2)})
    link = hit(catalog, plan, "sin_enlace", backup=True)
    assert [link.capacity(at * MINUTE) for at in (9, 11, 12, 69, 70)] == [1.0, 0.0, 0.5, 0.5, 1.0]
    assert link.down_ms(100 * MINUTE) == 2 * MINUTE
    # It takes over from a link that is down, not from one that is slow.
    assert hit(catalog, plan, "ancho_de_banda", backup=True).capacity(20 * MINUTE) == 0.2


def test_a_measure_that_gives_no_more_than_the_second_link_is_not_taken(
    catalog: Catalog, scenario: Scenario
) -> None:
    plan = with_measures(scenario).model_copy(update={"links": Links(backup_capacity=0.6, switch_min=1)})
    links = [Link(backup=True) for _ in catalog.catds]
    fault = link_fault(at_min=10.0, minutes=60.0, measures=True)
    (spell,) = outage_of(Places(catalog, plan), fault, "falla_enlace/0", links, Seeds(1)).spells
    assert [one.measure for one in spell.applied] == [BACKUP]


def test_a_measure_works_when_the_plan_says_and_was_authorised_before(
    catalog: Catalog, scenario: Scenario
) -> None:
    links = [Link() for _ in catalog.catds]
    fault = link_fault(at_min=10.0, minutes=60.0, measures=True)
    outage = outage_of(Places(catalog, with_measures(scenario)), fault, "falla_enlace/0", links, Seeds(1))
    (applied,) = outage.incident.measures
    assert (applied.measure, applied.authorised_by, applied.catds) == ("Datos móviles", "Coordinación", (0,))
    assert (applied.authorised_ms, applied.active_ms) == (24 * MINUTE, 30 * MINUTE)
    assert outage.incident.remedy == "Datos móviles: 1"
    assert [(limit.start, limit.end, limit.capacity) for limit in outage.spells[0].limits] == [
        (10 * MINUTE, 30 * MINUTE, 0.0),
        (30 * MINUTE, 70 * MINUTE, 0.5),
    ]


def test_only_the_whole_link_remedies_latency(catalog: Catalog, scenario: Scenario) -> None:
    link = hit(catalog, with_measures(scenario), "latencia", measures=True)
    assert link.finish(40 * MINUTE, 1_000) == 40 * MINUTE + 6_000


def test_restoring_ends_what_it_is_told_and_nothing_else(catalog: Catalog, scenario: Scenario) -> None:
    link = hit(catalog, scenario, "sin_enlace")
    dark = Limit(15 * MINUTE, 40 * MINUTE, 0.0, source="falla_electrica/0")
    exercise = Exercise(distritos=(1,), at_min=0, activation_min=0, minutes=200, capacity=0.9)
    link.add([dark, *exercise_of(catalog, exercise, "ejercicio/0", 0).spells[0].limits])
    told: list[int] = []
    link.changed = lambda: told.append(1)
    link.restore(20 * MINUTE, {"falla_enlace/0"})
    assert told == [1]
    assert [link.capacity(at * MINUTE) for at in (12, 30, 50, 150)] == [0.0, 0.0, 0.9, 0.9]
    link.restore(21 * MINUTE, {"falla_enlace/0"})
    assert told == [1]


limits = st.lists(
    st.builds(
        lambda start, length, capacity: Limit(start, start + length, capacity),
        st.integers(0, 5_000),
        st.integers(1, 5_000),
        st.sampled_from([0.0, 0.1, 0.5]),
    ),
    max_size=4,
)


@given(limits, limits, st.integers(0, 4_000), st.integers(1, 5_000), st.integers(0, 5_000))
def test_a_change_on_the_way_ends_when_it_would_had_it_been_known(
    planned: list[Limit], added: list[Limit], begun: int, work: int, after: int
) -> None:
    link = link_with(*planned)
    before = link.finish(begun, work)
    now = begun + after
    late = [Limit(now + one.start, now + one.end, one.capacity) for one in added]
    known = link_with(*planned, *late)
    link.add(late)
    end = link.finish(begun, work)
    assert end == known.finish(begun, work)
    assert before is not None and end is not None
    # What ended before the change is not touched by it, and no change makes it end before it happens.
    assert end == before if before <= now else end >= max(before, now)


def test_a_fault_falls_on_the_catds_it_names(catalog: Catalog, scenario: Scenario) -> None:
    def on(**said: Any) -> list[int]:
        return Places(catalog, scenario).touched(Where(at_min=0, **said), "x", Seeds(1))

    assert on(catds=(1, 3)) == [1, 3]
    assert on(catds=(0, 1, 2), distritos=(1,)) == [0, 1]
    assert on(catds=(0, 1, 2, 3), share=0.0) == []
    with pytest.raises(UsageError, match="No hay un CATD con el número 9"):
        on(catds=(9,))


def test_second_links_are_a_share_of_the_catds(catalog: Catalog, scenario: Scenario) -> None:
    half = scenario.model_copy(update={"links": Links(backup_share=0.5)})
    assert len(backups(Places(catalog, half), Seeds(1))) == 2
    assert backups(Places(catalog, scenario), Seeds(1)) == set()
    links, _ = plan_links(catalog, half, Seeds(1))
    assert sum(link.backup for link in links) == 2


def test_a_fault_that_waits_for_a_condition_is_not_planned(catalog: Catalog, scenario: Scenario) -> None:
    waiting = link_fault(when={"dato": "registradas_pct", "llega_a": 50})
    links, incidents = plan_links(catalog, scenario.model_copy(update={"link_faults": (waiting,)}), Seeds(1))
    assert incidents == []
    assert not any(link.limits for link in links)
