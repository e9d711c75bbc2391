"""The score against the sealed truth: what it calls an error, and what it says of a whole night."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.counters import COUNTER_NAMES
from core.domain.fields import Field, Mark
from simulator.night.score import (
    KINDS,
    LOST_DIGIT,
    MARK,
    OMISSION,
    OTHER,
    ROW,
    SWAP,
    errors_between,
    write_score,
)
from simulator.scenario.actas import Keying
from simulator.scenario.document import Scenario
from tests.simulator.conftest import RunNight


@pytest.mark.parametrize(
    ("true", "typed", "kinds"),
    [
        ((120, 7), (120, 7), []),
        ((120, 7), (12, 7), [LOST_DIGIT]),
        ((10, 7), (0, 7), [LOST_DIGIT]),
        ((120, 7), (210, 7), [SWAP]),
        ((120, 7, 5), (7, 120, 5), [ROW]),
        ((120, 7), (Mark.SIN_DATO, 7), [OMISSION]),
        ((Mark.ILEGIBLE, 7), (Mark.SIN_DATO, 7), [MARK]),
        ((120, 7), (999, 7), [OTHER]),
        ((120, 45), (12, 54), [LOST_DIGIT, SWAP]),
        ((12, 21), (21, 12), [ROW]),
    ],
)
def test_each_error_is_called_by_its_kind(
    true: tuple[Field, ...], typed: tuple[Field, ...], kinds: list[str]
) -> None:
    assert errors_between(true, typed) == kinds


@given(st.lists(st.one_of(st.integers(0, 999), st.sampled_from(Mark)), min_size=1, max_size=6), st.data())
def test_there_is_an_error_exactly_where_a_field_differs(true: list[Field], data: st.DataObject) -> None:
    typed = data.draw(
        st.lists(
            st.one_of(st.integers(0, 999), st.sampled_from(Mark)), min_size=len(true), max_size=len(true)
        )
    )
    different = sum(a != b for a, b in zip(true, typed, strict=True))
    kinds = errors_between(true, typed)
    assert len(kinds) + kinds.count(ROW) == different
    assert set(kinds) <= set(KINDS)


def with_keying(keying: Keying) -> Any:
    def change(scenario: Scenario) -> Scenario:
        return scenario.model_copy(update={"keying": keying})

    return change


def test_what_was_caught_and_let_through_adds_up(run: RunNight) -> None:
    ran = run("chica")
    score = ran.results.score
    double = score.double
    settled = double.caught + double.both_alike + double.chosen_wrong
    assert settled + double.unsettled == double.with_error > 0
    assert double.caught > 0
    assert double.both_alike > 0
    # An acta that passed with an error is one of those the comparison with the truth finds wrong.
    assert double.both_alike + double.chosen_wrong == ran.results.accuracy.wrong_actas
    assert double.disputes == ran.night.model.disputes
    assert sum(person.wrong for person in score.people.values()) == ran.night.model.wrong_captures
    assert sum(person.captures for person in score.people.values()) == ran.night.feed.events["acta_captured"]


def test_an_error_everybody_makes_is_let_through_and_never_disputed(run: RunNight) -> None:
    double = run(
        "perfecta", change=with_keying(Keying(per_capture=0.0, marks=0.0, shared=0.2))
    ).results.score.double
    assert double.both_alike == double.with_error > 0
    assert (double.caught, double.chosen_wrong, double.disputes) == (0, 0, 0)


def test_errors_of_one_person_are_caught_when_the_resolver_is_always_right(run: RunNight) -> None:
    keying = Keying(
        per_capture=0.08, marks=0.0, shared=0.0, resolver_right=1.0,
        weights={"digito": 1.0, "transposicion": 0.0, "renglon": 0.0, "omision": 0.0},
    )  # fmt: skip
    score = run("perfecta", change=with_keying(keying)).results.score
    assert score.double.caught > 0
    assert score.double.chosen_wrong == 0
    kinds = {kind for person in score.people.values() for kind in person.kinds}
    assert kinds == {LOST_DIGIT}


def test_counters_of_the_same_actas_tell_errors_from_what_did_not_arrive(run: RunNight) -> None:
    ran = run("chica")
    score, truth = ran.results.score, ran.results.truth_headers
    for contest, header in score.headers.items():
        same = score.right_headers[contest]
        assert tuple(same) == COUNTER_NAMES
        assert same["ACTAS_CAPTURADAS"] == header["ACTAS_CAPTURADAS"]
        assert int(truth[contest]["ACTAS_CAPTURADAS"]) > int(same["ACTAS_CAPTURADAS"])
    assert any(
        score.headers[c]["TOTAL_VOTOS_C_CS"] != score.right_headers[c]["TOTAL_VOTOS_C_CS"] for c in truth
    )


def test_a_night_without_errors_scores_a_hundred(run: RunNight) -> None:
    data: dict[str, Any] = run("perfecta").results.score.as_data()
    assert data["exactitud_publicada_pct"] == data["exactitud_tecleada_pct"] == 100.0
    actas = data["actas"]
    assert actas["contabilizada_correcta"] == actas["observaciones_correctas"] == actas["publicadas"]
    for counters in data["contadores"].values():
        assert all(one["registrado"] == one["verdad_de_las_mismas"] for one in counters.values())


def test_every_acta_marked_in_the_simulator_has_its_cause(run: RunNight) -> None:
    decisions = run("chica").results.score.decisions
    assert decisions.sin_acta == decisions.sin_acta_right > 0


def test_the_table_of_people_is_written_with_a_row_each(run: RunNight, tmp_path: Path) -> None:
    score = run("chica").results.score
    path = write_score(tmp_path, score)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["capturista"] for row in rows] == list(score.people)
    assert sum(int(row["con_error"]) for row in rows) == sum(one.wrong for one in score.people.values())
    assert all(0 <= float(row["exactitud_pct"]) <= 100 for row in rows)
