"""Combinations of a coalition and the division of their votes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.catalog import Contest, Scope
from core.domain.contenders import (
    LAST_COLUMNS,
    Candidacy,
    Contender,
    ContenderKind,
    coalition_combinations,
    guess_contender,
)
from core.domain.fields import Mark, count_sum, valid_field
from core.domain.votes import by_candidacy, by_party, divide_combination

NAMES = ["PAN", "PRI", "PRD", "PVEM", "PT", "MORENA", "NA"]
MEMBERS = st.lists(st.sampled_from(NAMES), min_size=2, max_size=7, unique=True)


@given(MEMBERS)
def test_a_coalition_of_n_parties_has_two_to_the_n_less_n_less_one_combinations(parties: list[str]) -> None:
    combinations = coalition_combinations(parties)
    assert len(combinations) == 2 ** len(parties) - len(parties) - 1
    assert len({frozenset(c.parties) for c in combinations}) == len(combinations)
    for made in combinations:
        guessed = guess_contender(made.code)
        assert (guessed.kind, guessed.parties) == (ContenderKind.COMBINACION, made.parties)


@given(st.integers(0, 10**6), MEMBERS, st.data())
def test_the_shares_of_a_combination_add_up_and_are_equal_but_for_the_remainder(
    votes: int, members: list[str], data: st.DataObject
) -> None:
    own = {party: data.draw(st.integers(0, 5)) for party in members}
    shares = divide_combination(votes, members, own, NAMES)
    assert sum(shares.values()) == votes
    assert max(shares.values()) - min(shares.values()) <= 1
    more = [party for party in members if shares[party] > votes // len(members)]
    less = [party for party in members if party not in more]
    assert all(own[a] >= own[b] for a in more for b in less)


def test_what_is_left_over_goes_to_the_parties_with_most_votes_of_their_own() -> None:
    shares = divide_combination(11, ["PT", "MORENA", "PVEM"], {"PT": 50, "MORENA": 900, "PVEM": 10}, NAMES)
    assert shares == {"PT": 4, "MORENA": 4, "PVEM": 3}


def test_a_tie_in_the_remainder_follows_the_order_of_registration() -> None:
    shares = divide_combination(1, ["PT", "PVEM"], {"PT": 7, "PVEM": 7}, ["PVEM", "PT"])
    assert shares == {"PT": 0, "PVEM": 1}


def _contest() -> Contest:
    columns = (
        Contender("PVEM", ContenderKind.PARTIDO, "PVEM", ("PVEM",)),
        Contender("PT", ContenderKind.PARTIDO, "PT", ("PT",)),
        Contender("MORENA", ContenderKind.PARTIDO, "MORENA", ("MORENA",)),
        *coalition_combinations(["PVEM", "PT", "MORENA"]),
        Contender("CC_MC_NA", ContenderKind.COMUN, "MC-NA", ("MC", "NA")),
        *LAST_COLUMNS,
    )
    candidacies = (
        *(Candidacy(1, c.code, "Persona Uno") for c in columns[:7]),
        Candidacy(2, "PT", "Persona Dos"),
    )
    return Contest("DIP", "DIPUTACIONES", Scope.DISTRITO, columns, candidacies)


@given(st.lists(st.integers(0, 10**5), min_size=10, max_size=10))
def test_dividing_by_party_or_by_candidacy_loses_no_vote(numbers: list[int]) -> None:
    contest = _contest()
    totals = dict(zip(contest.codes, numbers, strict=True))
    assert sum(by_party(contest, totals).values()) == sum(numbers)
    assert sum(by_candidacy(contest, 1, totals).values()) == sum(numbers)


def test_combinations_are_divided_on_the_total_and_not_acta_by_acta() -> None:
    contest = _contest()
    totals = dict.fromkeys(contest.codes, 0) | {"PVEM": 3, "C_PVEM_PT_MORENA": 6}
    assert [by_party(contest, totals)[party] for party in ("PVEM", "PT", "MORENA")] == [5, 2, 2]
    # Six actas with one vote each would have given all six to PVEM.
    one = dict.fromkeys(contest.codes, 0) | {"PVEM": 3, "C_PVEM_PT_MORENA": 1}
    assert by_party(contest, one)["PVEM"] == 4


def test_a_candidatura_comun_is_not_divided() -> None:
    contest = _contest()
    result = by_party(contest, dict.fromkeys(contest.codes, 0) | {"CC_MC_NA": 9})
    assert result["CC_MC_NA"] == 9
    assert "MC" not in result


def test_votes_by_candidacy_join_the_parties_and_combinations_of_one_person() -> None:
    contest = _contest()
    totals = dict.fromkeys(contest.codes, 1)
    assert by_candidacy(contest, 1, totals)["Persona Uno"] == 7
    assert by_candidacy(contest, 2, totals)["Persona Dos"] == 1


def test_a_mark_adds_nothing_and_is_no_number() -> None:
    assert count_sum([3, Mark.ILEGIBLE, 4, Mark.SIN_DATO, Mark.NO_APLICA]) == 7
    assert not any(isinstance(mark, int) for mark in Mark)
    with pytest.raises(TypeError):
        sum([0, *Mark])


def test_a_field_is_a_mark_or_a_number_within_its_limits() -> None:
    assert [valid_field(x) for x in (0, 999_999, Mark.ILEGIBLE)] == [True] * 3
    assert [valid_field(x) for x in (-1, 1_000_000, True, 3.0, "3", None)] == [False] * 6
