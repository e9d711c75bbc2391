"""The forecast of `prep pronostico` scored on the three real nights, as docs/pronostico.md tells it.

What the bands do not reach is asserted too: whoever makes the model better must find out here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, UsageError
from simulator.forecast.score import PastCurve, Score, read_past, score

REPLICAS = 200


@pytest.fixture(scope="module")
def puebla(shared_data: Path) -> PastCurve:
    names = ("GUB", "DIP_LOC", "AYUN")
    return read_past([shared_data / "puebla2024" / f"PUE_{name}_2024.csv" for name in names])


@pytest.fixture(scope="module")
def qroo(shared_data: Path) -> PastCurve:
    return read_past([shared_data / "qroo2019" / "QROO_DIP_LOC_2019.csv"])


@pytest.fixture(scope="module")
def jalisco(shared_data: Path) -> PastCurve:
    return read_past([shared_data / "jalisco" / "jalisco_2018_gubernatura_snapshots.csv"])


@pytest.fixture(scope="module")
def scores(puebla: PastCurve, qroo: PastCurve, jalisco: PastCurve) -> dict[str, Score]:
    return {str(curve.key): score(curve, replicas=REPLICAS) for curve in (puebla, qroo, jalisco)}


def test_each_night_is_left_out_of_its_own_prior(scores: dict[str, Score]) -> None:
    assert set(scores) == {"puebla-2024", "qroo-2019", "jalisco-2018"}


def test_the_band_of_80_covers_about_that_on_each_of_the_three_nights(scores: dict[str, Score]) -> None:
    for name, scored in scores.items():
        assert 70 <= scored.coverage <= 95, name
        assert scored.honest
    assert 75 <= np.mean([scored.coverage for scored in scores.values()]) <= 92


def test_the_forecast_beats_the_ruler_on_each_night(scores: dict[str, Score]) -> None:
    for name, scored in scores.items():
        assert scored.error < scored.straight_error, name
    assert scores["puebla-2024"].error < 0.4 * scores["puebla-2024"].straight_error


def test_the_bands_narrow_as_the_night_goes_on(scores: dict[str, Score]) -> None:
    for name in ("puebla-2024", "qroo-2019"):
        widths = [one.width for one in scores[name].forecasts]
        assert np.mean(widths[:5]) > 3 * np.mean(widths[-10:])
        assert max(widths) < 60


def test_the_last_hours_are_where_the_bands_fall_short(scores: dict[str, Score]) -> None:
    # Known: the end of a night is not chance (it is closed when complete, or people stop sending).
    assert np.mean([one.inside for one in scores["puebla-2024"].forecasts[-4:]]) < 70
    assert all(one.width < 3 for one in scores["puebla-2024"].forecasts[-4:])


def test_a_curve_alone_does_not_tell_its_ceiling(scores: dict[str, Score]) -> None:
    # Jalisco 2018 published totals only and ended at 79 %: the medians expected over 85 %.
    finals = [one.middle[-1] for one in scores["jalisco-2018"].forecasts]
    assert scores["jalisco-2018"].curve.arrived is None
    assert np.median(finals) > 85


def test_a_forecast_does_not_know_what_came_after_it(qroo: PastCurve) -> None:
    half = len(qroo.at) // 2
    assert qroo.arrived is not None
    nothing_more = np.minimum(np.arange(len(qroo.at)), half)
    other = replace(qroo, registered=qroo.registered[nothing_more], arrived=qroo.arrived[nothing_more])
    now = int(qroo.at[half - 1])
    one = [f for f in score(qroo, replicas=60).forecasts if f.at_ms <= now]
    two = [f for f in score(other, replicas=60).forecasts if f.at_ms <= now]
    assert len(one) > 5
    for first, second in zip(one, two, strict=True):
        assert np.array_equal(first.low, second.low)
        assert np.array_equal(first.high, second.high)


def test_saved_cuts_are_known_only_when_they_were_published(jalisco: PastCurve) -> None:
    assert jalisco.expected == 9_775
    assert (jalisco.known_at >= jalisco.at).all()
    gap = jalisco.known_at - jalisco.at
    assert gap.max() > 3 * 3_600_000, "hay un hueco de varias horas en los cortes guardados"
    assert jalisco.truth[-1][1] == 7_740


def test_saved_cuts_are_not_mixed_with_other_files(shared_data: Path) -> None:
    path = shared_data / "jalisco" / "jalisco_2018_gubernatura_snapshots.csv"
    with pytest.raises(UsageError, match="uno solo"):
        read_past([path, path])


def test_a_broken_cut_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "jalisco_cortes.csv"
    header = "scraped_at,ultimo_corte,hora_local,actas_capturadas,actas_esperadas\n"
    path.write_text(header + "2018-07-01 20:50:07,x,las ocho,21,9775\n", encoding="utf-8")
    with pytest.raises(InputError, match="línea 2"):
        read_past([path])
