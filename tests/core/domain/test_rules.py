"""Every row of the table of inconsistencies, its precedence and its text in every dialect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.fields import Field, Mark
from core.domain.rules import (
    FUERA_DE_CATALOGO,
    RULE_BY_CODE,
    RULES,
    SIN_ACTA_CODES,
    SITUATION_BY_CODE,
    SITUATIONS,
    ActaReading,
    Outcome,
    Severity,
    SinActaReason,
    Working,
    explain,
    judge,
)
from core.publication.dialects import DIALECTS, load_dialect

I, S, N = Mark.ILEGIBLE, Mark.SIN_DATO, Mark.NO_APLICA  # noqa: E741 - the letters of the table
LIMIT = 100

# name of the row in regulation §5, fields, contabilizada, in the percentage, codes,
# then the text in opl-2024, in ine-2024 and in qroo-2019.
Row = tuple[str, tuple[Field, ...], bool, bool, tuple[str, ...], str, str, str]
ROWS: list[Row] = [
    ("1 normal", (40, 30, 0), True, False, (), " - ", "-", ""),
    (
        "2 some unreadable", (40, I, 0), True, True, ("V5",),
        "ALGUN CAMPO ILEGIBLE O SIN DATO", "Ilegible", "ALGUN DATO ILEGIBLE O SIN DATO",
    ),
    (
        "3 some empty", (40, S, 0), True, True, ("V6",),
        "ALGUN CAMPO ILEGIBLE O SIN DATO", "Sin dato", "ALGUN DATO ILEGIBLE O SIN DATO",
    ),
    (
        "4 both", (40, S, I), True, True, ("V5", "V6"),
        "ALGUN CAMPO ILEGIBLE O SIN DATO", "Ilegible, Sin dato", "ALGUN DATO ILEGIBLE O SIN DATO",
    ),
    (
        "5 exceeds", (90, 30, 0), False, True, ("V4",),
        "EXCEDE LISTA NOMINAL", "Excede Lista Nominal", "EXCEDE LISTA NOMINAL",
    ),
    (
        "5+2 exceeds, unreadable", (90, 30, I), False, True, ("V4", "V5"),
        "EXCEDE LISTA NOMINAL", "Excede Lista Nominal, Ilegible", "EXCEDE LISTA NOMINAL",
    ),
    (
        "5+3 exceeds, empty", (90, 30, S), False, True, ("V4", "V6"),
        "EXCEDE LISTA NOMINAL", "Excede Lista Nominal, Sin dato", "EXCEDE LISTA NOMINAL",
    ),
    (
        "5+4 exceeds, both", (120, I, S), False, True, ("V4", "V5", "V6"),
        "EXCEDE LISTA NOMINAL", "Excede Lista Nominal, Ilegible, Sin dato", "EXCEDE LISTA NOMINAL",
    ),
    (
        "6 all unreadable", (I, I, I), False, True, ("V1",),
        "TODOS ILEGIBLES O SIN DATO", "Todos los campos ilegibles", "TODOS ILEGIBLES O SIN DATO",
    ),
    (
        "7 all empty", (S, S, S), False, True, ("V2",),
        "TODOS ILEGIBLES O SIN DATO", "Todos los campos vacíos", "TODOS ILEGIBLES O SIN DATO",
    ),
    (
        "6+7 a mix", (I, S, I), False, True, ("V3",),
        "TODOS ILEGIBLES O SIN DATO", "Ilegible, Sin dato", "TODOS ILEGIBLES O SIN DATO",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_of_the_table_is_judged_and_written_as_it_says(row: Row) -> None:
    _, votes, contabilizada, inconsistent, codes, opl, ine, qroo = row
    verdict = judge(ActaReading(votes, LIMIT))
    assert (verdict.contabilizada, verdict.inconsistent, verdict.codes) == (
        contabilizada,
        inconsistent,
        codes,
    )
    for dialect, text in (("opl-2024", opl), ("ine-2024", ine), ("qroo-2019", qroo)):
        assert load_dialect(dialect).observations.text(verdict.codes) == text
    accented = load_dialect("opl-2024-acentos").observations.text(verdict.codes)
    assert accented == opl.replace("ALGUN", "ALGÚN")


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_dialect_declares_the_same_inconsistencies_as_the_rules(row: Row) -> None:
    verdict = judge(ActaReading(row[1], LIMIT))
    for name in DIALECTS:
        dialect = load_dialect(name)
        assert (dialect.observations.text(verdict.codes) in dialect.inconsistent) is verdict.inconsistent


def test_identified_later_is_counted_and_is_no_inconsistency() -> None:
    verdict = judge(ActaReading((40, 30, 0), LIMIT, identified_later=True))
    assert (verdict.contabilizada, verdict.inconsistent, verdict.codes) == (True, False, ("I1",))
    assert (
        load_dialect("ine-2024").observations.text(("I1",)) == "Identificación por proceso técnico operativo"
    )
    assert load_dialect("opl-2024").observations.text(("V4", "I1")) == "EXCEDE LISTA NOMINAL"


@pytest.mark.parametrize(
    ("reason", "code", "ending"),
    [
        (SinActaReason.PAQUETE_NO_ENTREGADO, "S1", "paquete no entregado"),
        (SinActaReason.CASILLA_NO_INSTALADA, "S2", "casilla no instalada"),
        (SinActaReason.PAQUETE_SIN_SOBRE, "S3", "paquete entregado sin sobre"),
        (SinActaReason.CONTINGENCIA_URNA, "S4", "contingencia en urna electrónica"),
    ],
)
def test_each_reason_for_sin_acta_has_its_text_and_is_not_counted(
    reason: SinActaReason, code: str, ending: str
) -> None:
    assert SIN_ACTA_CODES[reason] == code
    assert SITUATION_BY_CODE[code].contabilizada == "0"
    assert load_dialect("ine-2024").observations.text((code,)) == f"Sin acta por {ending}"
    for name in DIALECTS:
        text = load_dialect(name).observations.text((code,))
        assert text.upper().startswith("SIN ACTA POR")
        assert text not in load_dialect(name).inconsistent


def test_the_opl_structure_says_bolsa_where_the_others_say_sobre() -> None:
    assert load_dialect("opl-2024").observations.text(("S3",)) == "SIN ACTA POR PAQUETE ENTREGADO SIN BOLSA"
    assert load_dialect("qroo-2019").observations.text(("S3",)) == "SIN ACTA POR PAQUETE ENTREGADO SIN SOBRE"


def test_fuera_de_catalogo_is_written_and_never_counted_nor_inconsistent() -> None:
    assert SITUATION_BY_CODE[FUERA_DE_CATALOGO].contabilizada == "2"
    for name in DIALECTS:
        dialect = load_dialect(name)
        text = dialect.observations.text((FUERA_DE_CATALOGO,))
        assert text.upper().replace("Á", "A") == "FUERA DE CATALOGO"
        assert text not in dialect.inconsistent


def test_a_sum_equal_to_the_limit_is_counted_and_one_more_is_not() -> None:
    assert judge(ActaReading((60, 40), LIMIT)).contabilizada
    assert not judge(ActaReading((60, 41), LIMIT)).contabilizada


def test_nulos_and_no_registradas_enter_the_sum_that_may_exceed() -> None:
    assert judge(ActaReading((60, 30, 8, 9), LIMIT)).codes == ("V4",)


def test_the_written_total_never_decides_whether_the_acta_exceeds() -> None:
    verdict = judge(ActaReading((60, 30), LIMIT, total_asentado=5_000))
    assert verdict.contabilizada
    assert verdict.notices == ("A3",)
    assert verdict.total == 90


def _working(reading: ActaReading, code: str) -> Working:
    return next(working for working in explain(reading) if working.rule == code)


def test_without_a_limit_the_acta_cannot_exceed_and_the_rule_says_it_was_not_evaluated() -> None:
    reading = ActaReading((900_000, 5), None)
    assert judge(reading).contabilizada
    assert _working(reading, "V4").outcome is Outcome.NOT_EVALUABLE


def test_a_rule_returns_its_working() -> None:
    assert _working(ActaReading((90, 30, I), LIMIT), "V4") == Working(
        "V4", Outcome.FAILS, (("suma", 120), ("limite", 100))
    )
    assert _working(ActaReading((9, 3, I), LIMIT), "V5").seen == (("campos", 3), ("ilegibles", 1))
    assert [working.rule for working in explain(ActaReading((1,), 1))] == [rule.code for rule in RULES]


def test_columns_that_do_not_exist_are_neither_empty_nor_unreadable() -> None:
    assert judge(ActaReading((40, N, 0), LIMIT)).codes == ()
    assert judge(ActaReading((I, N, I), LIMIT)).codes == ("V1",)
    assert judge(ActaReading((S, N, S), LIMIT)).codes == ("V2",)


def test_an_acta_with_no_field_at_all_is_not_counted() -> None:
    verdict = judge(ActaReading((N, N), LIMIT))
    assert not verdict.contabilizada
    assert verdict.codes == ()


def test_all_zeros_are_numbers_and_are_counted() -> None:
    verdict = judge(ActaReading((0, 0, 0), LIMIT))
    assert verdict.contabilizada
    assert verdict.codes == ()


def test_a_single_legible_field_is_enough_to_be_counted() -> None:
    verdict = judge(ActaReading((I, S, 0), LIMIT))
    assert verdict.contabilizada
    assert verdict.total == 0


@pytest.mark.parametrize(
    ("reading", "notice"),
    [
        (ActaReading((10,), LIMIT, 10, letter_differs=2), "A1"),
        (ActaReading((10,), LIMIT, 10, only_letter_or_number=1), "A2"),
        (ActaReading((10,), LIMIT, 11), "A3"),
        (ActaReading((10,), LIMIT, 10, 9, 2, 10), "A4"),
    ],
)
def test_notices_are_recorded_but_change_nothing_published(reading: ActaReading, notice: str) -> None:
    verdict = judge(reading)
    assert verdict.notices == (notice,)
    assert (verdict.contabilizada, verdict.inconsistent, verdict.codes) == (True, False, ())


def test_missing_totals_are_neither_a_pass_nor_a_failure() -> None:
    reading = ActaReading((10,), LIMIT)
    assert _working(reading, "A3").outcome is Outcome.NOT_EVALUABLE
    assert _working(reading, "A4").outcome is Outcome.NOT_EVALUABLE
    assert judge(reading).notices == ()


FIELDS = st.one_of(st.integers(0, 60), st.sampled_from([I, S, N]))


@given(st.lists(FIELDS, min_size=1, max_size=8), st.one_of(st.none(), st.integers(0, 150)), st.booleans())
def test_marks_are_never_zero_and_every_verdict_can_be_written(
    votes: list[Field], limit: int | None, later: bool
) -> None:
    verdict = judge(ActaReading(votes, limit, identified_later=later))
    numbers = [field for field in votes if not isinstance(field, Mark)]
    applicable = [field for field in votes if field is not N]
    assert verdict.total == sum(numbers)
    exceeds = limit is not None and bool(numbers) and sum(numbers) > limit
    assert verdict.contabilizada is (bool(numbers) and not exceeds)
    assert verdict.inconsistent is (exceeds or any(field in (I, S) for field in applicable))
    assert ("V4" in verdict.codes) is exceeds
    precedence = [RULE_BY_CODE[code].precedence for code in verdict.codes]
    assert precedence == sorted(precedence)
    for name in DIALECTS:
        dialect = load_dialect(name)
        text = dialect.observations.text(verdict.codes)
        assert (text in dialect.inconsistent) is verdict.inconsistent
        if exceeds:
            assert text.upper().startswith("EXCEDE LISTA NOMINAL")


def test_only_five_groups_of_situations_exist_and_codes_are_not_repeated() -> None:
    codes = [rule.code for rule in RULES] + [situation.code for situation in SITUATIONS]
    assert len(codes) == len(set(codes))
    assert {rule.series for rule in RULES} | {s.series for s in SITUATIONS} == {"V", "I", "A", "S", "C"}


def test_the_text_for_the_capturista_never_hints_at_a_value() -> None:
    for rule in RULES:
        assert not any(character.isdigit() for character in rule.text_capturista)
        assert rule.text_capturista != rule.text_supervisor


def test_only_the_exceed_and_unreadable_rules_enter_the_percentage() -> None:
    entering = {rule.code for rule in RULES if rule.in_inconsistency_percentage}
    assert entering == {"V1", "V2", "V3", "V4", "V5", "V6"}
    assert all(rule.severity is not Severity.NOTICE for rule in RULES if rule.code in entering)
