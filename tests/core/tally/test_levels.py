"""Sums by level: they add up, and keeping them up to date is the same as adding everything again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.domain.counters import count
from core.domain.fields import Mark
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot
from tests.builders import next_snapshot, random_snapshot, small_catalog

CATALOG = small_catalog(contests=("GUB", "DIP_LOC", "AYUN"))


def as_data(levels: Levels) -> object:
    """Everything a level holds, to compare."""
    return (
        {key: (sums.votes, sums.tally) for key, sums in levels.sections.items()},
        {key: (sums.votes, sums.tally) for key, sums in levels.territories.items()},
        (levels.whole.votes, levels.whole.tally),
    )


@given(seed=st.integers(0, 100_000), captured=st.sampled_from([0.0, 0.4, 1.0]))
def test_every_level_is_the_sum_of_its_children(seed: int, captured: float) -> None:
    snapshot = random_snapshot(CATALOG, seed, captured=captured)
    for contest in CATALOG.contests:
        levels = Levels(CATALOG, contest)
        levels.update(snapshot)
        for territory, sums in levels.territories.items():
            children = [levels.sections[key] for key in levels.sections_of[territory]]
            assert sums.votes == [sum(column) for column in zip(*(c.votes for c in children), strict=True)]
            assert sums.tally.capturadas == sum(c.tally.capturadas for c in children)
            assert sums.tally.votes == sum(sums.votes)
            assert sum(levels.by_party(territory).values()) == sum(sums.votes)
            assert sum(levels.by_candidacy(territory).values()) == sum(sums.votes)
        parts = levels.territories.values()
        assert levels.whole.votes == [sum(column) for column in zip(*(p.votes for p in parts), strict=True)]
        assert levels.whole.tally.esperadas == CATALOG.expected(contest)
        assert sum(levels.whole_by_party().values()) == sum(levels.whole.votes)


@given(seed=st.integers(0, 100_000), last=st.booleans())
def test_the_whole_is_what_counting_the_actas_one_by_one_gives(seed: int, last: bool) -> None:
    snapshot = random_snapshot(CATALOG, seed)
    for contest in CATALOG.contests:
        levels = Levels(CATALOG, contest)
        levels.update(snapshot)
        counted, votes = [], [0] * len(levels.contest.columns)
        for entry in CATALOG.actas_of(contest):
            acta, casilla = snapshot.actas[entry.id], CATALOG.casilla_of(entry)
            if acta is None:
                continue
            counted.append(acta.counted(casilla.lista_nominal, casilla.special))
            for column, field in enumerate(acta.votes if acta.contabilizada else ()):
                votes[column] += 0 if isinstance(field, Mark) else field
        outside = sum(1 for acta in snapshot.outside if acta.contest == contest)
        expected = count(counted, esperadas=CATALOG.expected(contest), fuera_catalogo=outside, last_cut=last)
        assert levels.counters(last_cut=last) == expected
        assert levels.whole.votes == votes


@given(seed=st.integers(0, 100_000), steps=st.integers(1, 4), share=st.sampled_from([0.02, 0.3, 1.0]))
def test_levels_kept_up_to_date_are_levels_built_anew(seed: int, steps: int, share: float) -> None:
    snapshot = random_snapshot(CATALOG, seed, captured=0.5)
    kept = {contest: Levels(CATALOG, contest) for contest in CATALOG.contests}
    for levels in kept.values():
        levels.update(snapshot)
    for step in range(steps):
        snapshot = next_snapshot(CATALOG, snapshot, seed + step, share=share)
        for contest, levels in kept.items():
            levels.update(snapshot)
            anew = Levels(CATALOG, contest)
            anew.update(replace(snapshot, changed=None))
            assert as_data(levels) == as_data(anew)


def test_only_the_sections_of_changed_actas_are_touched() -> None:
    before = random_snapshot(CATALOG, 1, captured=1.0)
    levels = Levels(CATALOG, "AYUN")
    levels.update(before)
    entry = next(entry for entry in CATALOG.actas_of("AYUN") if CATALOG.casilla_of(entry).seccion == 4)
    actas = list(before.actas)
    actas[entry.id] = None
    after = Snapshot(2000, actas, before.outside, frozenset({entry.id}))
    assert {(key.territory, key.seccion) for key in levels.update(after)} == {(2, 4)}
    assert levels.update(replace(after, changed=None)) == frozenset()
