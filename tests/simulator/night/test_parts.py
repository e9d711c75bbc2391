"""The parts of the model one by one: streams, links, contents, keying."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogs import load_catalog
from core.domain.fields import Mark, count_sum
from core.domain.transitions import check_fields
from simulator.night.ballots import write_actas
from simulator.night.keying import Typist
from simulator.night.links import Limit, Link
from simulator.scenario.actas import Inconsistencies, Keying, Votes
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA

MINUTE = 60_000
GOLDEN = [98108, 107503, 47623, 81936]


def link_with(*limits: Limit) -> Link:
    link = Link(list(limits))
    link.settle()
    return link


def test_a_stream_depends_on_its_name_and_seed_only() -> None:
    seeds = Seeds(7)
    before = seeds.normals("a", 5)
    seeds.uniforms("b", 1000)
    assert seeds.normals("a", 5) == before
    assert seeds.normals("a", 3) == before[:3]
    assert Seeds(8).normals("a", 5) != before


def test_streams_are_the_same_in_every_version() -> None:
    assert Seeds(2021).lognormal_ms("prueba", 4, 60_000, 0.5) == GOLDEN


def test_a_quota_has_exactly_its_share() -> None:
    assert len(Seeds(1).quota("x", range(200), 0.295)) == 59


def test_a_transmission_waits_for_the_link_and_goes_on_where_it_was() -> None:
    link = link_with(Limit(10 * MINUTE, 20 * MINUTE, 0.0))
    assert link.finish(0, 5 * MINUTE) == 5 * MINUTE
    assert link.finish(8 * MINUTE, 5 * MINUTE) == 23 * MINUTE
    assert link.finish(15 * MINUTE, MINUTE) == 21 * MINUTE
    assert link.down_ms(15 * MINUTE) == 5 * MINUTE


def test_a_poorer_link_takes_longer_in_proportion() -> None:
    link = link_with(Limit(0, 60 * MINUTE, 0.25))
    assert link.finish(0, MINUTE) == 4 * MINUTE


def test_where_limits_overlap_the_worst_one_rules() -> None:
    link = link_with(Limit(0, 60 * MINUTE, 0.5), Limit(10 * MINUTE, 20 * MINUTE, 0.0))
    assert [link.capacity(at * MINUTE) for at in (5, 15, 25, 70)] == [0.5, 0.0, 0.5, 1.0]


limits = st.lists(
    st.builds(
        lambda start, length, capacity: Limit(start, start + length, capacity),
        st.integers(0, 10_000),
        st.integers(1, 5_000),
        st.sampled_from([0.0, 0.1, 0.5]),
    ),
    min_size=1,
    max_size=5,
)


@given(limits, st.integers(0, 20_000), st.integers(1, 5_000))
def test_a_link_never_delivers_early_nor_loses_time(found: list[Limit], at: int, work: int) -> None:
    link = link_with(*found)
    end = link.finish(at, work)
    assert end is not None
    assert end >= at + work
    delivered = sum(link.capacity(instant) for instant in range(at, end))
    assert work - 1 < delivered + 1e-6 and delivered - 1 < work + 1e-6


@pytest.fixture(scope="module")
def catalog_folder() -> Path:
    return DATA / "catalogo"


def test_the_truth_fits_the_ballots_and_the_lists(catalog_folder: Path) -> None:
    catalog = load_catalog(catalog_folder)
    none = Inconsistencies(
        some_illegible=0, some_empty=0, all_illegible=0, all_empty=0, exceeds=0, arithmetic=0
    )
    for entry, content in zip(catalog.actas, write_actas(catalog, Votes(), none, Seeds(1)), strict=True):
        assert check_fields(content.votes, content.totals, catalog.layouts[entry.layout].applies) is None
        total = count_sum(content.votes)
        assert entry.limit is not None and 0 < total <= entry.limit
        boletas, personas, representantes, sacados, asentado = content.totals
        assert total == sacados == asentado
        assert (personas, representantes) == (total - 4, 4)
        assert boletas == entry.limit - total


def test_an_acta_that_exceeds_its_list_really_does(catalog_folder: Path) -> None:
    catalog = load_catalog(catalog_folder)
    only = Inconsistencies(some_illegible=0, some_empty=0, all_illegible=0, all_empty=0, exceeds=1.0)
    for entry, content in zip(catalog.actas, write_actas(catalog, Votes(), only, Seeds(1)), strict=True):
        assert entry.limit is not None and count_sum(content.votes) > entry.limit


def test_neighbours_vote_more_alike_than_strangers(catalog_folder: Path) -> None:
    catalog = load_catalog(catalog_folder)
    contents = write_actas(catalog, Votes(spread=1.0, turnout_sigma=0.0), Inconsistencies(), Seeds(5))
    rojo = {}
    for entry in catalog.actas_of("DIP_LOC"):
        votes = contents[entry.id].votes
        if isinstance(votes[0], int) and count_sum(votes):
            rojo[entry.id] = (catalog.casillas[entry.casilla].seccion, votes[0] / count_sum(votes))
    same: list[float] = []
    apart: list[float] = []
    for one, (section, share) in rojo.items():
        for other, (other_section, other_share) in rojo.items():
            if one < other:
                (same if section == other_section else apart).append(abs(share - other_share))
    assert sum(same) / len(same) < 0.5 * sum(apart) / len(apart)


def test_a_capture_with_an_error_is_still_a_capture_the_engine_takes(catalog_folder: Path) -> None:
    catalog = load_catalog(catalog_folder)
    truth = write_actas(catalog, Votes(), Inconsistencies(some_illegible=0.3, some_empty=0.3), Seeds(2))
    typist = Typist(Keying(per_capture=1.0, marks=0.5), Seeds(2), len(truth))
    wrong = 0
    for entry, content in zip(catalog.actas, truth, strict=True):
        for attempt in range(3):
            typed = typist.type(entry.id, content, attempt, 1.0)
            assert check_fields(typed.votes, typed.totals, catalog.layouts[entry.layout].applies) is None
            wrong += typed.votes != content.votes
            assert typed == typist.type(entry.id, content, attempt, 1.0)
    assert wrong > 2 * len(truth)


def test_an_all_illegible_acta_has_no_number_to_mistake(catalog_folder: Path) -> None:
    catalog = load_catalog(catalog_folder)
    truth = write_actas(catalog, Votes(), Inconsistencies(all_illegible=1.0), Seeds(2))
    typist = Typist(Keying(per_capture=1.0, marks=0.0, shared=0.0), Seeds(2), len(truth))
    for entry, content in zip(catalog.actas, truth, strict=True):
        assert set(content.votes) <= {Mark.ILEGIBLE, Mark.NO_APLICA}
        assert typist.type(entry.id, content, 0, 1.0).votes == content.votes
