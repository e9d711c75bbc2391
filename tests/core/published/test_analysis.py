"""The analysis of a night, on nights made by hand where every figure can be counted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.cli import main
from core.errors import UsageError
from core.published import analysis
from core.published.chart_html import SCRIPT
from core.published.charts import charts_of
from core.published.night import Night, build_night
from core.published.reader import read_published
from tests.core.published.sample import Row, Sample, acta, clean, not_captured, outside, without_acta

FORMAT = "%d/%m/%Y %H:%M:%S"
START = datetime(2024, 6, 2, 21, 0, 0)  # noqa: DTZ001 - the clock of the entity, as files write it


def timed(number: int, acopio: float, captura: float, verificacion: float, **cells: str) -> Row:
    """An acta whose times are minutes after 21:00."""
    times = [f"{START + timedelta(minutes=m):{FORMAT}}" for m in (acopio, captura, verificacion)]
    names = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")
    return acta(f"{number:04d}", **(dict(zip(names, times, strict=True)) | cells))


def write(rows: list[Row], folder: Path, name: str = "noche.csv", **changes: str) -> Path:
    sample: Sample = clean()
    sample.rows = rows
    for key, value in changes.items():
        setattr(sample, key, value)
    return sample.write(folder, name)


def night(rows: list[Row], folder: Path) -> Night:
    return build_night([read_published(write(rows, folder))])


def steady(count: int = 120, gap: tuple[int, int] | None = None) -> list[Row]:
    """One acta a minute, captured five minutes later and verified two after that, but for a silence."""
    minutes = [m for m in range(count) if gap is None or not gap[0] <= m < gap[1]]

    # A total stop: what would have been captured in the silence waits for its end.
    def after(minute: float) -> float:
        return float(gap[1]) if gap is not None and gap[0] <= minute < gap[1] else minute

    return [timed(m + 1, m, after(m + 5), after(m + 7)) for m in minutes]


def test_the_curve_counts_what_had_happened_by_each_hour(tmp_path: Path) -> None:
    rows = [*steady(120), *(not_captured(f"{n:04d}") for n in range(500, 580))]
    table = analysis.curve(night(rows, tmp_path)).set_index("at")
    made = night(rows, tmp_path)
    by_hour = {f"{made.local(float(str(at))):%H:%M}": row for at, row in table.iterrows()}
    assert made.expected == 200
    # 21:00 to 22:00 inclusive: 61 arrivals, 56 captures, 54 verifications, of 200.
    assert list(by_hour["22:00"][["acopio", "captura", "verificacion"]]) == [61, 56, 54]
    assert by_hour["22:00"]["share_captura"] == 280_000
    assert list(by_hour["22:00"][["waiting_captura", "waiting_verificacion"]]) == [5, 2]


def test_the_intervals_add_up_to_the_actas(tmp_path: Path) -> None:
    made = night(steady(120), tmp_path)
    for step in (analysis.MINUTE_MS, analysis.TEN_MINUTES_MS, analysis.HOUR_MS):
        table = analysis.rates(made, step)
        assert [int(table[phase].sum()) for phase in ("acopio", "captura", "verificacion")] == [120] * 3
    top = analysis.peaks(made)
    assert (top["acopio"]["minuto"][0], top["acopio"]["diez_minutos"][0], top["acopio"]["hora"][0]) == (
        1,
        10,
        60,
    )


def test_delays_are_measured_between_phases(tmp_path: Path) -> None:
    stages = analysis.delays(night(steady(120), tmp_path))
    assert stages["acopio_captura"]["p50"] == 5.0
    assert stages["captura_verificacion"]["p99"] == 2.0
    assert stages["acopio_verificacion"]["actas"] == 120
    by_hour = analysis.delays_by_hour(night(steady(120), tmp_path))
    assert by_hour["actas"].tolist() == [60, 60]


def test_a_total_stop_is_found_with_its_ends_and_a_steady_night_has_none(tmp_path: Path) -> None:
    assert analysis.stops(night(steady(180), tmp_path)) == []
    made = night(steady(180, gap=(60, 92)), tmp_path)
    total = [stop for stop in analysis.stops(made) if stop.phase == "total"]
    assert [(f"{made.local(s.start):%H:%M}", f"{made.local(s.end):%H:%M}") for s in total] == [
        ("21:59", "22:32")
    ]
    assert total[0].missed > 60


def test_a_quiet_hour_is_no_stop(tmp_path: Path) -> None:
    rows = [timed(n + 1, 40 * n, 40 * n + 5, 40 * n + 7) for n in range(12)]
    assert analysis.stops(night(rows, tmp_path)) == []


def test_mistyped_acopio_stamps_are_set_aside_and_counted(tmp_path: Path) -> None:
    rows = steady(120)
    rows[100]["FECHA_HORA_ACOPIO"] = "01/06/2024 22:40:00"
    rows[101]["FECHA_HORA_ACOPIO"] = "02/06/2024 10:41:00"
    rows[102]["FECHA_HORA_ACOPIO"] = "03/06/2024 10:42:00"
    rows[103]["FECHA_HORA_ACOPIO"] = "01/05/2024 10:42:00"
    rows[104]["FECHA_HORA_ACOPIO"] = "02/06/2024 22:50:00"
    made = night(rows, tmp_path)
    assert made.set_aside() == {
        "un_dia_antes": 1,
        "doce_horas_antes": 1,
        "doce_horas_despues": 1,
        "fuera_de_la_operacion": 1,
        "despues_de_su_captura": 1,
        "total": 5,
    }
    assert analysis.delays(made)["acopio_captura"] == {
        "actas": 115.0, **{f"p{q}": 5.0 for q in analysis.QUANTILES}
    }  # fmt: skip
    assert analysis.curve(made)["waiting_captura"].max() <= 6
    assert f"{made.local(analysis.curve(made)['at'].iloc[0]):%H:%M}" == "21:00"


def test_actas_outside_the_catalogue_never_wait_for_capture(tmp_path: Path) -> None:
    made = night([*steady(120), outside("una"), outside("otra")], tmp_path)
    assert made.expected == 120
    assert analysis.curve(made)["waiting_captura"].iloc[-1] == 0


def test_the_finish_is_what_is_left_at_the_rate_of_the_last_hour(tmp_path: Path) -> None:
    rows = [*steady(120), *(without_acta(f"{n:04d}") for n in range(300, 310))]
    rows += [not_captured(f"{n:04d}") for n in range(500, 530)]
    path = write(rows, tmp_path, cut="02/06/2024 23:05 (UTC-6)")
    made = build_night([read_published(path)])
    estimate = analysis.finish(made)
    assert (estimate.remaining, estimate.per_hour) == (30, 59.0)
    assert estimate.at is not None
    assert f"{made.local(estimate.at):%H:%M}" == "23:35"
    quiet = build_night([read_published(write(rows, tmp_path, cut="03/06/2024 12:00 (UTC-6)"))])
    assert analysis.finish(quiet).at is None
    finished = analysis.finish(night(steady(120), tmp_path))
    assert finished.remaining == 0 and finished.at is not None


def test_observations_and_channels_are_counted(tmp_path: Path) -> None:
    phone = {"ORIGEN": "CASILLA", "DIGITALIZACION": "MOVIL"}
    rows = [timed(n, n, n + 5, n + 7, **(phone if n % 4 == 0 else {})) for n in range(1, 41)]
    rows += [without_acta("0300"), not_captured("0500")]
    made = night(rows, tmp_path)
    listed = dict(analysis.observations(made)[["observation", "actas"]].itertuples(index=False, name=None))
    assert listed == {"SIN OBSERVACION": 40, "SIN ACTA POR PAQUETE NO ENTREGADO": 1, "NO CAPTURADA": 1}
    assert [(c["origen"], c["actas"], c["porcentaje"]) for c in analysis.channels(made)] == [
        ("CASILLA", 10, 250_000),
        ("CATD", 30, 750_000),
    ]


def test_files_of_different_nights_are_not_put_together(tmp_path: Path) -> None:
    one = read_published(write(steady(30), tmp_path, "a.csv"))
    other = read_published(write(steady(30), tmp_path, "b.csv", cut="12/05/2024 20:00 (UTC-6)"))
    with pytest.raises(UsageError, match="no son de la misma noche"):
        build_night([one, other])


def test_the_files_of_one_night_are_added(tmp_path: Path) -> None:
    paths = [write(steady(30), tmp_path, f"{n}.csv") for n in range(3)]
    assert build_night([read_published(path) for path in paths]).captured == 90


def test_a_night_without_times_is_analysed_all_the_same(tmp_path: Path) -> None:
    path = write([not_captured(f"{n:04d}") for n in range(1, 5)], tmp_path)
    assert main(["analizar", str(path), "--silencio", "--salida", str(tmp_path / "g")]) == 0
    assert (tmp_path / "g" / "observaciones.png").exists()


def test_the_command_writes_tables_json_and_charts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(steady(180, gap=(60, 92)), tmp_path)
    other = write(steady(90), tmp_path, "simulacro.csv", cut="12/05/2024 20:00 (UTC-6)")
    folder = tmp_path / "graficas"
    arguments = ["analizar", str(path), "--comparar", str(other), "--salida", str(folder), "--silencio"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "Paro total de 33 minutos: de 21:59:00 a 22:32:00" in shown
    assert "Avance por hora" in shown and "Comparación" in shown
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["paros"][0]["minutos"] == 33.0
    assert answer["comparacion"]["indicadores"][0]["indicador"] == "actas_esperadas"
    assert {Path(name).name for name in answer["graficas"]} == {
        "avance.png", "ritmo.png", "espera.png", "demora-por-hora.png", "demoras.png", "observaciones.png",
        "comparacion.png", "analisis.html",
    }  # fmt: skip
    for name in answer["graficas"]:
        assert Path(name).stat().st_size > 5_000


def test_the_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    path = write(steady(60), tmp_path)
    folder = tmp_path / "g"
    assert main(["analizar", str(path), "--salida", str(folder), "--silencio"]) == 0
    page = (folder / "analisis.html").read_text(encoding="utf-8")
    assert '"showSendToCloud": false' in page and "cloud.plotly" not in page
    assert f'<script src="{SCRIPT}">' in page
    assert (folder / SCRIPT).stat().st_size > 1_000_000
    assert "http://" not in page and "https://" not in page


def test_every_chart_names_its_axes_and_its_source(tmp_path: Path) -> None:
    charts = charts_of(night(steady(120), tmp_path))
    assert len(charts) == 6
    for chart in charts:
        assert chart.title and chart.x_label and "noche.csv" in chart.source
        assert chart.y_label or chart.horizontal
        colours = [(series.colour, series.dash, series.style) for series in chart.series]
        assert len(set(colours)) == len(colours)
        assert len({series.dash for series in chart.series}) == len(chart.series), "not by colour alone"
