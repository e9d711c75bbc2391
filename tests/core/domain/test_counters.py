"""The thirteen counters: truncation, format, both formulas of participation, real nights."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.counters import (
    COUNTER_NAMES,
    CountedActa,
    Counters,
    Tally,
    count,
    format_percent,
    participation,
    percent,
)

COUNTED = st.builds(
    CountedActa,
    contabilizada=st.booleans(),
    inconsistent=st.booleans(),
    special=st.booleans(),
    votes=st.integers(0, 900),
    lista_nominal=st.integers(0, 900),
)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_percentage_is_the_exact_fraction_cut_at_four_decimals(part: int, whole: int) -> None:
    exact = Fraction(part * 100, whole)
    cut = Fraction(percent(part, whole), 10_000)
    assert cut <= exact < cut + Fraction(1, 10_000)


def test_a_percentage_is_never_rounded_up() -> None:
    assert percent(2, 3) == 666_666
    assert format_percent(percent(999_999_999, 1_000_000_000)) == "99.9999"


def test_a_percentage_of_nothing_is_zero() -> None:
    assert format_percent(percent(5, 0)) == "0.0000"


@given(st.integers(0, 2 * 10**6))
def test_a_percentage_always_has_four_decimals(value: int) -> None:
    text = format_percent(value)
    units, _, decimals = text.partition(".")
    assert len(decimals) == 4
    assert int(units) * 10_000 + int(decimals) == value


def test_trailing_zeros_stay() -> None:
    assert [format_percent(n) for n in (392_260, 0, 1_000_000, 1)] == [
        "39.2260",
        "0.0000",
        "100.0000",
        "0.0001",
    ]


def test_participation_leaves_out_casillas_especiales_until_the_last_cut() -> None:
    assert participation(263_005, 262_600, 1_187_254, last_cut=True) == 221_523
    assert participation(263_005, 262_600, 1_187_254, last_cut=False) == percent(262_600, 1_187_254)


def test_quintana_roo_2019_comes_out_as_published() -> None:
    assert format_percent(percent(2_031, 2_136)) == "95.0842"
    assert format_percent(percent(462 + 30, 2_136)) == "23.0337"
    assert format_percent(percent(263_005, 1_187_254)) == "22.1523"


# esperadas, fuera, capturadas, contabilizadas, inconsistentes, lista nominal, C_CS, S_CS,
# and the published percentages: captured, counted, inconsistencias, participation.
PUEBLA_2024 = [
    (8334, 12, 8259, 6848, 1520, 4125717, 2658993, 2639492, "99.1000", "82.1694", "18.2385", "64.4492"),
    (8423, 12, 8240, 6944, 1435, 4143315, 2676439, 2659244, "97.8273", "82.4409", "17.0366", "64.5965"),
    (8352, 12, 7885, 6958, 1138, 4169515, 2687769, 2682757, "94.4085", "83.3093", "13.6254", "64.4623"),
]


@pytest.mark.parametrize("night", PUEBLA_2024, ids=["GUB", "DIP_LOC", "AYUN"])
def test_puebla_2024_comes_out_as_published(night: tuple[int | str, ...]) -> None:
    esperadas, fuera, capturadas, contabilizadas, inconsistentes, lista, with_special, without = (
        int(number) for number in night[:8]
    )
    tally = Tally(
        esperadas,
        fuera,
        capturadas,
        contabilizadas,
        inconsistentes,
        lista,
        with_special,
        with_special - without,
    )
    header = tally.counters(last_cut=True).as_header()
    assert [header[name] for name in COUNTER_NAMES if name.startswith("PORCENTAJE")] == list(night[8:])
    during = tally.counters(last_cut=False).porcentaje_participacion
    assert (
        format_percent(during)
        == {"64.4492": "63.9765", "64.5965": "64.1815", "64.4623": "64.3421"}[str(night[11])]
    )


@given(st.lists(COUNTED, max_size=40), st.integers(0, 9))
def test_the_counters_add_up(actas: list[CountedActa], outside: int) -> None:
    counters = count(actas, esperadas=40, fuera_catalogo=outside, last_cut=False)
    assert counters.registradas == counters.capturadas + counters.fuera_catalogo
    assert counters.capturadas == counters.contabilizadas + counters.no_contabilizadas
    assert counters.total_votos_c_cs >= counters.total_votos_s_cs
    assert counters.capturadas == len(actas)
    assert counters.total_votos_c_cs == sum(a.votes for a in actas if a.contabilizada)
    assert counters.lista_nominal_contabilizadas == sum(a.lista_nominal for a in actas if a.contabilizada)
    assert counters.porcentaje_inconsistencias == percent(sum(a.inconsistent for a in actas), 40)


@given(st.lists(COUNTED, max_size=30), st.integers(0, 30), st.booleans())
def test_levels_merged_give_the_counters_of_the_whole(
    actas: list[CountedActa], split: int, last_cut: bool
) -> None:
    parent = Tally()
    for part in (actas[:split], actas[split:]):
        child = Tally(esperadas=len(part))
        for acta in part:
            child.add(acta)
        parent.merge(child)
    assert parent.counters(last_cut=last_cut) == count(
        actas, esperadas=len(actas), fuera_catalogo=0, last_cut=last_cut
    )


@given(st.lists(COUNTED, max_size=20), st.lists(COUNTED, max_size=20))
def test_an_acta_taken_away_leaves_no_trace(kept: list[CountedActa], gone: list[CountedActa]) -> None:
    tally, plain = Tally(), Tally()
    for acta in (*kept, *gone):
        tally.add(acta)
    for acta in gone:
        tally.add(acta, -1)
    for acta in kept:
        plain.add(acta)
    assert tally == plain


def test_the_header_has_its_thirteen_names_in_order() -> None:
    header = Counters(*range(1, 14)).as_header()
    assert tuple(header) == COUNTER_NAMES
    assert len(header) == 13
    assert header["ACTAS_ESPERADAS"] == "1"
    assert header["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "0.0013"
