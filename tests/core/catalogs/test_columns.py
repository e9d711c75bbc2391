"""Columns and ballots generated from who runs where."""

from __future__ import annotations

from collections.abc import Iterable

from core.catalogs.ballots import acta_limit, casilla_key, representatives_margin
from core.catalogs.columns import Coalition, Common, Field, Independent


def codes_on(field: Field, territory: int | None, rp: bool = False) -> list[str]:
    columns = field.columns()
    mask = field.mask(columns, territory, rp)
    return [column.code for column, here in zip(columns, mask, strict=True) if here]


def only(codes: Iterable[str], prefix: str) -> list[str]:
    return [code for code in codes if code.startswith(prefix)]


FIELD = Field(
    parties=("A", "B", "C", "D"),
    coalitions=(Coalition(("A", "B", "C"), frozenset({1, 2})), Coalition(("A", "B"), frozenset({3}))),
    commons=(Common("CC_C_D", "C y D", ("C", "D"), frozenset({3}), own_lines=False),),
    independents=(Independent("CAND_IND_1", "Una", frozenset({2})),),
)


def test_columns_go_parties_independents_combinations_comunes_and_the_last_two() -> None:
    assert [column.code for column in FIELD.columns()] == [
        "A", "B", "C", "D", "CAND_IND_1", "C_A_B_C", "C_A_B", "C_A_C", "C_B_C", "CC_C_D",
        "NO_REGISTRADAS", "NULOS",
    ]  # fmt: skip


def test_independents_can_go_after_the_combinations() -> None:
    field = Field(FIELD.parties, {}, FIELD.coalitions, (), FIELD.independents, independents_first=False)
    assert [column.code for column in field.columns()][-3:] == ["CAND_IND_1", "NO_REGISTRADAS", "NULOS"]


def test_a_combination_two_coalitions_share_is_one_column_on_the_ballots_of_both() -> None:
    assert only(codes_on(FIELD, 1), "C_") == ["C_A_B_C", "C_A_B", "C_A_C", "C_B_C"]
    assert only(codes_on(FIELD, 3), "C_") == ["C_A_B"]
    assert only(codes_on(FIELD, 4), "C_") == []


def test_a_candidatura_comun_can_take_the_place_of_its_parties() -> None:
    assert codes_on(FIELD, 3) == ["A", "B", "C_A_B", "CC_C_D", "NO_REGISTRADAS", "NULOS"]


def test_an_rp_ballot_has_every_party_and_nothing_else() -> None:
    for territory in (1, 2, 3, 4):
        assert codes_on(FIELD, territory, rp=True) == ["A", "B", "C", "D", "NO_REGISTRADAS", "NULOS"]


def test_a_party_that_does_not_run_takes_its_combinations_with_it() -> None:
    field = Field(("A", "B", "C"), coalitions=(Coalition(("A", "B", "C")),), only={"C": frozenset({5})})
    assert codes_on(field, 5)[3:7] == ["C_A_B_C", "C_A_B", "C_A_C", "C_B_C"]
    assert codes_on(field, 6) == ["A", "B", "C_A_B", "NO_REGISTRADAS", "NULOS"]


def test_a_coalition_can_be_limited_by_the_code_of_its_complete_combination() -> None:
    field = Field(("A", "B"), coalitions=(Coalition(("A", "B")),), only={"C_A_B": frozenset({1})})
    assert "C_A_B" in codes_on(field, 1)
    assert "C_A_B" not in codes_on(field, 2)


def test_representatives_are_two_per_party_or_independent_with_a_line() -> None:
    columns = FIELD.columns()
    assert representatives_margin(columns, FIELD.mask(columns, 2)) == 2 * 5
    assert representatives_margin(columns, FIELD.mask(columns, 3)) == 2 * 2


def test_the_limit_of_an_especial_is_its_ballots_and_types_without_seccion_have_none() -> None:
    assert acta_limit("B", 445, 20) == 465
    assert acta_limit("S", 0, 18, 1000) == 1018
    assert acta_limit("A", 5, 18) is None


def test_a_key_has_the_parts_of_the_leeme() -> None:
    assert casilla_key(1, 338, "B", 1, 0) == "010338B0100"
    assert casilla_key(21, None, "M", 0, 0) == "210000M0000"
