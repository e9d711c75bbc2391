"""`prep pronostico` on a small night that ran: what it knew at each moment and what it said of the rest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, UsageError
from simulator.forecast.ask import parse_moment, parse_what_if
from simulator.forecast.night import Forecast, WhatIf, forecast
from simulator.forecast.plan import fit_plan
from simulator.forecast.report import charts, forecast_data, reach
from simulator.forecast.silence import silences
from simulator.forecast.state import NightState, state_as_of
from simulator.forecast.verb import VERB
from simulator.scenario.document import Scenario
from tests.simulator.conftest import Ran, RunNight

MINUTE = 60_000
REPLICAS = 80


@pytest.fixture
def ran(run: RunNight) -> Ran:
    return run("chica")


def at(ran: Ran, minutes: int) -> NightState:
    start = ran.night.model.start_ms
    return state_as_of(ran.database, start + minutes * MINUTE)


def ask(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    VERB.add_arguments(parser)
    return parser.parse_args(words)


def test_the_steps_add_up_to_the_actas_expected_at_any_moment(ran: Ran) -> None:
    before = -1
    for minutes in range(0, 240, 30):
        state = at(ran, minutes)
        counts = state.counts()
        assert sum(counts.values()) == state.size
        assert counts["registradas"] >= before
        before = counts["registradas"]
    assert before > 0.5 * len(ran.night.catalog.actas)


def test_the_end_of_the_night_is_what_the_results_say(ran: Ran) -> None:
    state = state_as_of(ran.database)
    assert state.counts()["registradas"] == ran.results.total.captured
    assert state.now_ms == state.last_event_ms


def test_nothing_recorded_later_is_known(ran: Ran) -> None:
    state = at(ran, 120)
    for times in (state.received, state.digitized, state.registered, state.heard):
        assert times.max() <= state.now_ms
    later = at(ran, 200)
    seen = state.digitized >= 0
    assert np.array_equal(later.digitized[seen], state.digitized[seen])


def test_before_the_opening_there_is_nothing_to_forecast(ran: Ran) -> None:
    with pytest.raises(UsageError, match="no se había abierto"):
        at(ran, -5)


def test_a_closed_night_is_not_forecast(ran: Ran) -> None:
    with pytest.raises(UsageError, match="ya terminó"):
        forecast(state_as_of(ran.database), replicas=REPLICAS)


def test_the_band_starts_at_what_is_registered_and_never_falls(ran: Ran) -> None:
    state = at(ran, 100)
    made = forecast(state, replicas=REPLICAS)
    curve = made.base.curve
    assert (curve[:, 0] == (state.registered >= 0).sum()).all()
    assert (np.diff(curve, axis=1) >= 0).all()
    assert curve.max() <= state.size
    assert made.edges[0] == state.now_ms
    assert made.edges[-1] == state.ends_ms
    assert curve[:, -1].std() > 0


def test_the_catds_add_up_to_the_state_in_every_replica(ran: Ran) -> None:
    state = at(ran, 100)
    made = forecast(state, replicas=REPLICAS)
    assert np.array_equal(made.base.by_catd.sum(axis=1), made.base.curve[:, -1])
    sizes = np.bincount(state.catd)
    assert (made.base.by_catd <= sizes).all()


def test_the_same_seed_gives_the_same_forecast(ran: Ran) -> None:
    state = at(ran, 100)
    one, two, other = (forecast(state, replicas=REPLICAS, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.base.curve, two.base.curve)
    assert not np.array_equal(one.base.curve, other.base.curve)


def test_more_capturistas_never_register_less_and_none_register_nothing(ran: Ran) -> None:
    state = at(ran, 100)
    soon = state.now_ms
    changes = [
        WhatIf("más", soon, people=40, relative=True),
        WhatIf("nadie", soon, people=0),
    ]
    made = forecast(state, what_ifs=changes, replicas=REPLICAS)
    more, nobody = (outcome.curve for _, outcome in made.what_ifs)
    assert (more >= made.base.curve).all()
    assert (nobody == nobody[:, :1]).all()
    assert made.base.curve[:, -1].mean() > nobody[:, -1].mean()


def test_restoring_a_link_at_once_never_delays_its_actas(ran: Ran) -> None:
    state = at(ran, 100)
    catd = int(np.bincount(state.catd[state.entered < 0]).argmax())
    now = WhatIf("ya", state.now_ms, catds=(catd,))
    late = WhatIf("al final", state.ends_ms - MINUTE, catds=(catd,))
    made = forecast(state, what_ifs=[now, late], replicas=REPLICAS)
    (_, at_once), (_, at_the_end) = made.what_ifs
    declared = [one for one in made.silent if one.declared]
    assert [one.catd for one in declared] == [catd]
    assert (at_once.by_catd[:, catd] >= made.base.by_catd[:, catd]).mean() > 0.9
    assert at_once.by_catd[:, catd].mean() > at_the_end.by_catd[:, catd].mean() + 1


def test_a_catd_without_link_is_found_by_its_silence(run: RunNight) -> None:
    def cut_from_the_start(scenario: Scenario) -> Scenario:
        fault = scenario.link_faults[0].model_copy(
            update={"at_min": 30.0, "minutes": 200.0, "jitter": 0.0, "measures": False}
        )
        clean = scenario.without_faults()
        phone = clean.phone.model_copy(update={"adoption": 0.0})
        return clean.model_copy(update={"link_faults": (fault,), "phone": phone})

    ran = run("chica", change=cut_from_the_start)
    state = at(ran, 180)
    plan = fit_plan(state, ran.night.loaded.scenario, 1)
    quiet = {one.catd for one in silences(state, plan, set()) if not one.rate}
    urban = ran.night.loaded.scenario.metropolitan
    interior = {catd.id for catd in ran.night.catalog.catds if catd.municipio not in urban}
    assert quiet
    assert quiet <= interior


def test_the_plan_of_the_scenario_is_used_and_conditioned(ran: Ran) -> None:
    state = at(ran, 90)
    plan = fit_plan(state, ran.night.loaded.scenario, 1)
    assert plan.weights.sum() == pytest.approx(1)
    pending = np.flatnonzero(state.entered < 0)
    anchor = np.full(len(pending), 90.0 * MINUTE)
    assert (plan.draw(pending, anchor, np.random.default_rng(1)) > anchor).all()
    made = forecast(state, replicas=REPLICAS, plan=plan)
    assert made.with_plan
    assert made.base.curve[:, -1].mean() > made.base.curve[0, 0]


def test_the_scenario_of_another_night_is_refused(ran: Ran) -> None:
    scenario = ran.night.loaded.scenario
    calendar = scenario.calendar.model_copy(update={"start": scenario.calendar.start.replace(hour=16)})
    with pytest.raises(UsageError, match="hora de inicio"):
        fit_plan(at(ran, 90), scenario.model_copy(update={"calendar": calendar}), 1)


@pytest.fixture
def made(ran: Ran) -> Forecast:
    return forecast(at(ran, 100), replicas=REPLICAS)


def test_the_chance_of_a_goal_and_its_quantiles_agree(made: Forecast) -> None:
    data = forecast_data(made)
    for goal in data["metas"]:  # type: ignore[attr-defined]
        times = reach(made, made.base, goal["meta_pct"])
        assert goal["probabilidad_pct"] == round(float(np.isfinite(times).mean()) * 100, 1)
        assert (goal["p90"] is None) == (goal["probabilidad_pct"] <= 90)
        assert goal["p10"] is None or goal["p50"] is None or goal["p10"] <= goal["p50"]


def test_the_chart_continues_where_the_night_is(made: Forecast) -> None:
    (chart,) = charts(made)
    seen, _, middle, _ = chart.series
    assert seen.y[-1] == pytest.approx(middle.y[0])
    assert seen.x[-1] == middle.x[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("enlace catd-999 20:00", "no tiene el CATD 999"),
        ("enlace distrito-77 20:00", "ningún CATD del distrito 77"),
        ("capturistas +20 12:00", "ya pasó"),
        ("capturistas +20 25:00", "no es una hora"),
        ("veinte capturistas más", "se esperaba"),
    ],
)
def test_a_what_if_that_makes_no_sense_is_told(ran: Ran, words: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse_what_if(words, at(ran, 100))


def test_the_what_ifs_are_read_as_they_are_said(ran: Ran) -> None:
    state = at(ran, 100)
    link = parse_what_if("Enlace CATD-001 20:00", state)
    assert link.catds == (1,)
    assert link.at_ms == state.starts_ms + 180 * MINUTE
    fewer, exact = (parse_what_if(f"capturistas {n} 19:30", state) for n in ("-5", "6"))
    assert (fewer.people, fewer.relative) == (-5, True)
    assert (exact.people, exact.relative) == (6, False)


def test_a_moment_without_zone_is_local(ran: Ran) -> None:
    assert parse_moment("2021-06-03T17:00", -300) == ran.night.model.start_ms
    assert parse_moment("2021-06-03T22:00+00:00", -300) == ran.night.model.start_ms
    with pytest.raises(UsageError, match="--ahora"):
        parse_moment("a las ocho", -300)


def test_a_saved_forecast_is_compared_with_what_happened(run: RunNight, tmp_path: Path) -> None:
    from core.cli_output import Output

    base = str(tmp_path / "noche.db")
    ran = run("chica", base=base)
    saved, quiet = tmp_path / "a-las-19.json", Output(silent=True)
    common = ["--base", base, "--replicas", str(REPLICAS)]
    moment = ["--ahora", "2021-06-03T19:00"]
    answer = VERB.run(
        ask(
            *common,
            *moment,
            "--guardar",
            str(saved),
            "--salida",
            str(tmp_path / "s"),
            "--si",
            "capturistas +4 19:30",
        ),
        quiet,
    )
    assert answer.exit_code == 0
    written = json.loads(saved.read_text(encoding="utf-8"))
    assert written["curva"] == answer.data["curva"]
    assert len(written["si"]) == 1
    assert {p.name for p in (tmp_path / "s").iterdir()} >= {
        "pronostico.json",
        "pronostico.png",
        "analisis.html",
    }
    compared = VERB.run(ask("--base", base, "--comparar", str(saved)), quiet).data
    whole = state_as_of(ran.database)
    edges = whole.starts_ms + (120 + 10 * np.arange(1, 13)) * MINUTE
    done = np.sort(whole.registered[whole.registered >= 0])
    real = np.searchsorted(done, edges, side="right") * 100 / whole.size
    assert compared["puntos"] == 12
    assert [point["real"] for point in compared["curva"]] == pytest.approx(real.tolist(), abs=1e-3)  # type: ignore[attr-defined]
    inside = sum(p["p10"] - 1e-3 <= p["real"] <= p["p90"] + 1e-3 for p in compared["curva"])  # type: ignore[attr-defined]
    assert compared["dentro"] == inside


def test_a_file_that_is_no_forecast_is_refused(ran: Ran, tmp_path: Path) -> None:
    from core.cli_output import Output

    path = tmp_path / "otro.json"
    path.write_text('{"formato": 1}', encoding="utf-8")
    base = str(ran.database.url.database)
    with pytest.raises(InputError, match="no es un pronóstico"):
        VERB.run(ask("--base", base, "--comparar", str(path)), Output(silent=True))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--base", "x.db", "--cada", "30"], "--cada no va"),
        (["--evaluar", "x.csv", "--ahora", "2021-06-03T19:00"], "--ahora no va"),
        (["--evaluar", "x.csv", "--cada", "7"], "--cada debe ser"),
        (["--base", "x.db", "--replicas", "3"], "--replicas debe estar"),
        (["--base", "x.db", "--meta", "0"], "--meta"),
        (["--base", "no-existe.db"], "No existe la base"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], expected: str) -> None:
    from core.cli_output import Output

    with pytest.raises(UsageError, match=expected):
        VERB.run(ask(*words), Output(silent=True))
