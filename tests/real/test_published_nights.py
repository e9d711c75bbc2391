"""The analysis of the real nights against the figures profiled from them by other means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.published import analysis
from core.published.night import Night, build_night
from core.published.reader import read_published

PUEBLA = ("PUE_GUB_2024.csv", "PUE_DIP_LOC_2024.csv", "PUE_AYUN_2024.csv")


@pytest.fixture(scope="module")
def gub(shared_data: Path) -> Night:
    return build_night([read_published(shared_data / "puebla2024" / PUEBLA[0])])


@pytest.fixture(scope="module")
def puebla(shared_data: Path) -> Night:
    return build_night([read_published(shared_data / "puebla2024" / name) for name in PUEBLA])


@pytest.fixture(scope="module")
def qroo(shared_data: Path) -> Night:
    return build_night([read_published(shared_data / "qroo2019" / "QROO_DIP_LOC_2019.csv")])


GUB_CURVE = {
    "02 21": (0.17, 0.16, 0.07, 1),
    "02 22": (0.91, 0.83, 0.73, 7),
    "02 23": (3.74, 3.52, 2.84, 18),
    "03 00": (8.97, 8.71, 7.20, 22),
    "03 01": (11.57, 11.21, 9.48, 30),
    "03 02": (22.56, 18.54, 17.19, 336),
    "03 03": (33.35, 25.15, 24.49, 684),
    "03 04": (40.88, 32.21, 31.62, 724),
    "03 05": (46.96, 38.80, 38.14, 681),
    "03 06": (52.65, 45.22, 44.20, 620),
    "03 08": (59.86, 55.70, 54.24, 347),
    "03 10": (65.12, 64.88, 64.65, 20),
    "03 14": (79.55, 76.79, 75.93, 230),
    "03 18": (87.02, 86.77, 86.62, 21),
    "03 20": (87.80, 87.66, 87.66, 12),
}
"""Shares over the 8,346 rows, and the backlog with the actas fuera de catálogo in it."""


def test_the_curve_of_puebla_is_the_profiled_one(gub: Night) -> None:
    table = {f"{gub.local(row['at']):%d %H}": row for row in analysis.curve(gub).to_dict("records")}
    outside = gub.frame[gub.frame["status"] == "outside"]["acopio"]
    for hour, (acopio, captura, verificacion, backlog) in GUB_CURVE.items():
        row = table[hour]
        seen = [row[phase] * 100 / len(gub.frame) for phase in ("acopio", "captura", "verificacion")]
        assert seen == pytest.approx([acopio, captura, verificacion], abs=0.006), hour
        assert row["waiting_captura"] + int((outside <= row["at"]).sum()) == backlog, hour


def test_the_delays_of_puebla_are_the_profiled_ones(gub: Night) -> None:
    expected = {
        "acopio_captura": (1.35, 3.80, 28.2, 74.8, 79.4, 80.6, 82.9),
        "captura_verificacion": (0.98, 2.13, 4.08, 12.7, 35.1, 52.7, 84.4),
        "acopio_verificacion": (3.75, 11.2, 44.2, 81.3, 97.4, 106, 128),
    }
    found = analysis.delays(gub)
    for stage, values in expected.items():
        assert [found[stage][f"p{q}"] for q in analysis.QUANTILES] == pytest.approx(values, rel=0.005)


def test_the_queue_of_puebla_shows_by_hour_of_acopio(gub: Night) -> None:
    table = analysis.delays_by_hour(gub)
    medians = {f"{gub.local(row['at']):%d %H}": row["p50"] for row in table.to_dict("records")}
    expected = {"03 01": 9, "03 02": 61, "03 03": 78, "03 04": 80, "03 05": 78, "03 07": 62, "03 08": 25}
    assert {hour: round(medians[hour]) for hour in expected} == expected


def test_the_peaks_of_puebla_are_those_of_the_three_elections_together(gub: Night, puebla: Night) -> None:
    one = analysis.peaks(gub)
    assert (one["acopio"]["minuto"][0], one["acopio"]["diez_minutos"][0]) == (27, 193)
    assert f"{gub.local(one['acopio']['diez_minutos'][1]):%H:%M}" == "02:30"
    assert (one["captura"]["minuto"][0], one["captura"]["diez_minutos"][0]) == (21, 119)
    top = analysis.peaks(puebla)
    assert {p: tuple(top[p][n][0] for n in ("minuto", "diez_minutos", "hora")) for p in top} == {
        "acopio": (69, 570, 2773),
        "captura": (51, 338, 1853),
        "verificacion": (48, 354, 1947),
    }


def test_the_stop_of_puebla_is_found_to_the_second_with_the_three_files(puebla: Night) -> None:
    total = [stop for stop in analysis.stops(puebla) if stop.phase == "total"]
    assert [(f"{puebla.local(s.start):%H:%M:%S}", f"{puebla.local(s.end):%H:%M:%S}") for s in total] == [
        ("00:22:08", "00:54:34")
    ]
    # And no phase stopped at any other time.
    assert {f"{puebla.local(s.start):%H:%M}" for s in analysis.stops(puebla)} == {"00:22"}


def test_the_observations_of_puebla_are_the_profiled_ones(gub: Night) -> None:
    found = dict(analysis.observations(gub)[["observation", "actas"]].itertuples(index=False, name=None))
    assert found == {
        "SIN OBSERVACION": 5796,
        "ALGUN CAMPO ILEGIBLE O SIN DATO": 1052,
        "SIN ACTA POR PAQUETE NO ENTREGADO": 693,
        "TODOS ILEGIBLES O SIN DATO": 431,
        "SIN ACTA POR PAQUETE ENTREGADO SIN BOLSA": 236,
        "NO CAPTURADA": 75,
        "EXCEDE LISTA NOMINAL": 37,
        "SIN ACTA POR CASILLA NO INSTALADA": 14,
        "FUERA DE CATALOGO": 12,
    }


QROO_CURVE = {
    "02 19": (3.8, 0.6, 0.3),
    "02 20": (28.8, 15.4, 13.8),
    "02 21": (50.3, 29.8, 28.9),
    "02 22": (66.4, 48.5, 46.9),
    "02 23": (77.3, 65.2, 63.6),
    "03 00": (80.7, 74.3, 73.1),
    "03 01": (83.2, 81.0, 79.7),
    "03 02": (86.8, 85.6, 85.4),
    "03 03": (89.7, 90.4, 89.9),
    "03 04": (94.5, 95.3, 94.2),
    "03 05": (95.2, 98.9, 98.9),
    "03 06": (95.4, 100, 100),
}
"""Shares over 2,136, with the 22 acopio stamps before 18:00 in them."""


def test_the_curve_of_quintana_roo_is_the_profiled_one_once_the_bad_stamps_are_put_back(qroo: Night) -> None:
    table = {f"{qroo.local(row['at']):%d %H}": row for row in analysis.curve(qroo).to_dict("records")}
    aside = qroo.frame[qroo.frame["reason"] != ""]["acopio_written"]
    for hour, (acopio, captura, verificacion) in QROO_CURVE.items():
        row = table[hour]
        with_bad = row["acopio"] + int((aside <= row["at"]).sum())
        seen = [100 * n / 2136 for n in (with_bad, row["captura"], row["verificacion"])]
        assert seen == pytest.approx([acopio, captura, verificacion], abs=0.06), hour


def test_the_bad_stamps_of_quintana_roo_are_set_aside_by_cause(qroo: Night) -> None:
    assert qroo.set_aside() == {
        "un_dia_antes": 11,
        "doce_horas_antes": 11,
        "doce_horas_despues": 23,
        "fuera_de_la_operacion": 0,
        "despues_de_su_captura": 1,
        "total": 46,
    }
    assert analysis.stops(qroo) == []


def test_the_bad_stamps_of_quintana_roo_do_not_reach_its_delays(qroo: Night) -> None:
    # The profile was made of every stamp as published, negative delays included.
    minutes = ((qroo.frame["captura"] - qroo.frame["acopio_written"]) / analysis.MINUTE_MS).dropna()
    profiled = (3.2, 8.3, 21.5, 61.9, 132, 198, 729)
    assert np.percentile(minutes, analysis.QUANTILES) == pytest.approx(profiled, rel=0.02)
    found = analysis.delays(qroo)
    assert found["acopio_captura"]["p99"] < 320
    values = [found["captura_verificacion"][f"p{q}"] for q in analysis.QUANTILES]
    assert values == pytest.approx((0.9, 2.2, 3.7, 7.1, 13.4, 19.9, 34.4), abs=0.05)


def test_the_peaks_of_quintana_roo_are_the_profiled_ones(qroo: Night) -> None:
    top = analysis.peaks(qroo)["captura"]
    assert (top["minuto"][0], top["diez_minutos"][0]) == (13, 85)


def test_the_rehearsal_and_the_night_of_puebla_can_be_compared(shared_data: Path, puebla: Night) -> None:
    folder = shared_data / "puebla2024" / "simulacro_1"
    rehearsal = build_night([read_published(folder / name) for name in PUEBLA[:2]])
    mine, theirs = analysis.indicators(puebla), analysis.indicators(rehearsal)
    assert (mine["minutos_parados"], theirs["minutos_parados"]) == (32.4, 0)
    assert (theirs["porcentaje_capturadas"] or 0) < 500_000 < (mine["porcentaje_capturadas"] or 0)
    assert rehearsal.set_aside()["total"] > 0
