"""The snapshot against its schema, all night long, and what its parts must say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

import control_room
from control_room.night.builder import DEFAULT_CUT_MS, NightRoom, new_book, observed_cut_ms
from control_room.night.facts import CanaryFacts, CanaryState, Phase, Silence
from control_room.night.facts_of import facts, next_cut_ms, phase
from control_room.night.kpis import pct
from control_room.night.snapshot import HIST_POINTS, Frame, eta_ms, history_instants
from control_room.night.state import MS_PER_MINUTE, NightState, read_rows
from control_room.night.surroundings import Surroundings
from control_room.sources.plan_curve import PlanCurve
from control_room.writing.replaying import replay_steps
from control_room.writing.writer import replay
from core.operations.pulses import Pulse
from core.storage.reading import read_catalog, reading
from tests.control_room.conftest import Watched
from tests.core.domain.small import CATALOG, START

SCHEMA = orjson.loads((Path(control_room.__file__).parent / "night" / "snapshot.schema.json").read_bytes())
MINUTE = MS_PER_MINUTE
FRAME = Frame(
    seq=1, boot_id="b", generated_real_ms=START, tick_s=2.0, stale_s=12.0, version="0", mode="simulacro",
    title="", scenario=None,
    clock={"ahora_ms": START, "velocidad": 60.0, "estado": "corriendo", "utc_min": -360},
)  # fmt: skip


def faults(snapshot: dict[str, Any]) -> list[str]:
    """What the schema has against a snapshot, after the trip through JSON that pages see."""
    told = orjson.loads(orjson.dumps(snapshot))
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in VALIDATOR.iter_errors(told)]


VALIDATOR = Draft202012Validator(SCHEMA)


def a_plan(watched: Watched) -> PlanCurve:
    """A straight line from the opening to the end."""
    minutes = (watched.ends_ms - watched.starts_ms) // MINUTE
    line = tuple(136 * m / minutes for m in range(minutes + 1))
    packages = tuple(tuple(n / 2 for n in range(minutes // 5 + 1)) for _ in range(20))
    return PlanCurve(
        "p", watched.starts_ms, watched.ends_ms, 136, line, line, line, packages, ((watched.starts_ms, 4),)
    )


def night(watched: Watched, every: int = 5, **how: Any) -> list[dict[str, Any]]:
    """The snapshots of a whole night, before its opening and after its close too."""
    moments = range(watched.starts_ms - 10 * MINUTE, watched.ends_ms + 10 * MINUTE, every * MINUTE)
    return [snapshot for _, snapshot in replay(watched.database, moments, **how)]


def test_the_schema_is_one_and_refuses_what_it_does_not_know(watched: Watched) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    (snapshot,) = [one for _, one in replay(watched.database, [watched.ends_ms])]
    assert faults(snapshot) == []
    assert faults({**snapshot, "sorpresa": 1})
    assert faults({key: value for key, value in snapshot.items() if key != "kpis"})
    assert faults({**snapshot, "kpis": {**snapshot["kpis"], "avance_pct": "89.71"}})
    assert faults({**snapshot, "catd": [{**snapshot["catd"][0], "latidos": "ooo"}]})


def test_every_snapshot_of_a_whole_night_fits_the_schema(watched: Watched) -> None:
    plain, planned = night(watched), night(watched, plan=a_plan(watched), scenario="chica")
    assert [fault for one in (*plain, *planned) for fault in faults(one)] == []
    seen = {one["fase"] for one in plain}
    assert seen == {"previa", "operacion", "cerrada"}
    assert any(one["alertas"] for one in plain)
    assert any(one["incidentes"] for one in plain)
    assert {catd["estado"] for one in plain for catd in one["catd"]} >= {"normal", "sin_empezar", "p1"}
    assert planned[-1]["kpis"]["plan_pct"] == 100.0
    assert planned[0]["hist"]["ms"] == []


def test_a_moment_is_the_same_whichever_moments_were_seen_before_it(watched: Watched) -> None:
    """All but the alerts, which need time to be confirmed."""
    at = watched.starts_ms + 140 * MINUTE
    (alone,) = [one for _, one in replay(watched.database, [at])]
    often = [one for ms, one in replay(watched.database, range(at - 30 * MINUTE, at + 1, MINUTE)) if ms == at]
    for part in ("kpis", "contiendas", "distritos", "municipios", "corte", "hist", "incidentes", "calidad"):
        assert alone[part] == often[0][part]


def test_a_moment_knows_nothing_recorded_after_it(watched: Watched) -> None:
    at = watched.starts_ms + 120 * MINUTE
    (snapshot,) = [one for _, one in replay(watched.database, [at])]
    with reading(watched.database) as connection:
        rows = [row for row in read_rows(connection, 0, 10**6) if row[4] <= at]
    assert snapshot["base"]["seq"] == rows[-1][0]
    assert all(catd["latido_ms"] is None or catd["latido_ms"] <= at for catd in snapshot["catd"])
    assert max(snapshot["hist"]["ms"]) == at


def test_the_replay_tells_what_the_alerts_did(watched: Watched) -> None:
    moments = range(watched.starts_ms, watched.ends_ms, MINUTE)
    told = [row for _, step in replay_steps(watched.database, moments) for row in step.transitions]
    assert {"activa", "despejada"} <= {row["que"] for row in told}
    assert all(row["ms"] in moments for row in told)


# -- figures -------------------------------------------------------------------------------------------


def room_of(state: NightState) -> NightRoom:
    from control_room.alerts.thresholds import read

    return NightRoom(state, new_book(CATALOG, read({})))


def opened(length_min: int = 600) -> NightState:
    state = NightState(CATALOG)
    bounds = orjson.dumps({"starts_at": START, "ends_at": START + length_min * MINUTE}).decode()
    state.apply(1, "operation_opened", None, START, START, "c", "c", bounds)
    return state


def cut(state: NightState, number: int, minute: int, *, last: bool = False) -> None:
    data = {"number": number, "seq_high": state.seq, "manifest_sha256": "0" * 64, "last": last}
    at = START + minute * MINUTE
    state.apply(state.seq + 1, "cut_published", None, at, at, "p", "p", orjson.dumps(data).decode())


def registered(state: NightState, actas: Sequence[int], minute: int) -> None:
    at = START + minute * MINUTE
    for acta in actas:
        for kind, data in (
            ("acta_received", '{"origin":"CATD"}'),
            ("acta_digitized", '{"medium":"ESCANER"}'),
            ("sin_acta_marked", '{"reason":"PAQUETE_NO_ENTREGADO"}'),
        ):
            state.apply(state.seq + 1, kind, acta, at, at, "a", "e", data)


def test_cuts_are_due_from_the_opening_and_one_that_was_missed_stays_due() -> None:
    state = opened(100)
    every = 20 * MINUTE
    assert next_cut_ms(NightState(CATALOG), every) is None
    assert next_cut_ms(state, every) == START
    cut(state, 1, 0)
    assert next_cut_ms(state, every) == START + 20 * MINUTE
    cut(state, 2, 41)
    assert next_cut_ms(state, every) == START + 60 * MINUTE
    cut(state, 3, 95)
    assert next_cut_ms(state, every) == START + 100 * MINUTE
    cut(state, 4, 100, last=True)
    assert next_cut_ms(state, every) is None


def test_the_time_between_cuts_is_told_by_the_cuts() -> None:
    state = opened()
    cut(state, 1, 0)
    cut(state, 2, 10)
    assert observed_cut_ms(state) == DEFAULT_CUT_MS
    cut(state, 3, 20)
    cut(state, 4, 40)
    assert observed_cut_ms(state) == 10 * MINUTE


def test_a_cut_that_is_late_says_how_late() -> None:
    state = opened()
    cut(state, 1, 0)
    room = room_of(state)
    room.cut_every_ms = 20 * MINUTE
    told = room.step(START + 22 * MINUTE, Surroundings(), FRAME).snapshot["corte"]
    assert (told["siguiente_ms"], told["atraso_s"]) == (START + 20 * MINUTE, 120)


def test_the_phase_is_that_of_the_ledger_and_of_the_clock() -> None:
    assert phase(NightState(CATALOG), START) is Phase.BEFORE
    state = opened(100)
    assert phase(state, START - 1) is Phase.BEFORE
    assert phase(state, START + 100 * MINUTE) is Phase.OPEN
    assert phase(state, START + 101 * MINUTE) is Phase.CLOSED
    at = START + 50 * MINUTE
    state.apply(2, "operation_closed", None, at, at, "c", "c", '{"pending":0}')
    assert phase(state, at) is Phase.CLOSED


def test_the_close_of_a_catd_is_extrapolated_from_its_own_last_hour() -> None:
    state = opened()
    now = START + 120 * MINUTE
    around = Surroundings()
    registered(state, [0, 1], 100)
    assert eta_ms(state, 0, facts(state, now, around)) is None
    registered(state, [2], 110)
    # Three in the last hour and three to go (actas 5, 6 and 7): another hour.
    assert eta_ms(state, 0, facts(state, now, around)) == now + 60 * MINUTE
    # Nothing in the last hour says nothing.
    later = START + 200 * MINUTE
    assert eta_ms(state, 0, facts(state, later, around)) is None
    registered(state, [5, 6, 7], 200)
    assert eta_ms(state, 0, facts(state, later, around)) is None


def test_percentages_are_truncated_and_never_rounded() -> None:
    state = opened()
    registered(state, [0, 1, 2, 3, 4, 5], 10)
    told = room_of(state).step(START + 20 * MINUTE, Surroundings(), FRAME).snapshot
    assert told["kpis"]["avance_pct"] == "66.6666"
    assert told["contiendas"][1]["capturadas_pct"] == "25.0000"


def test_silent_catds_are_those_that_had_a_heartbeat_and_lost_it() -> None:
    state = opened()
    state.pulse(Pulse(0, START + 10 * MINUTE, START + 10 * MINUTE, 100, 0, {}))
    room = room_of(state)
    early = room.step(START + 12 * MINUTE, Surroundings(), FRAME).snapshot
    late = room.step(START + 14 * MINUTE, Surroundings(), FRAME).snapshot
    after = room.step(START + 700 * MINUTE, Surroundings(), FRAME).snapshot
    assert [one["kpis"]["silentes"] for one in (early, late, after)] == [0, 1, 0]


def test_work_is_available_when_it_would_do_for_the_planned_rate(watched: Watched) -> None:
    state = opened()
    at = START + 20 * MINUTE
    state.apply(2, "acta_received", 0, at, at, "a", "e", '{"origin":"CATD"}')
    state.apply(3, "acta_digitized", 0, at, at, "a", "e", '{"medium":"ESCANER"}')
    now = START + 25 * MINUTE
    assert facts(state, now, Surroundings()).work_available

    class Fast:
        def progress_at(self, ms: int) -> float:
            return 10.0

        def rate_at(self, ms: int) -> float:
            return 1.0

        def gap_ms(self, catd: int, ms: int) -> int | None:
            return None

    # One acta cannot keep anybody at one acta a minute for a quarter of an hour.
    assert not facts(state, now, Surroundings(plan=Fast())).work_available


@pytest.mark.parametrize("minutes", [0, 1, 117, 118, 119, 240, 490, 1439, 5000])
def test_the_history_covers_the_night_with_few_points(minutes: int) -> None:
    now = START + minutes * MINUTE
    instants = history_instants(START, now)
    assert instants[0] == START
    assert instants[-1] == now
    assert len(instants) <= HIST_POINTS
    assert instants == sorted(set(instants))


def test_what_the_canary_and_the_forecast_say_is_in_the_snapshot() -> None:
    state = opened()
    forecast = {
        "hecho_ms": START,
        "curva": [[START, 1.0, 2.0, 3.0]],
        "final_pct": {"p10": 80.0, "p50": 82.0, "p90": 84.0},
        "catd_riesgo": [[1, 0.5]],
        "cierre": {"mediana_ms": START + 9, "desde_ms": START + 8, "hasta_ms": None},
        "motivo": None,
    }
    canary = CanaryFacts(CanaryState.DIVERGENT, "la huella no es la misma", 3, START, START)
    around = Surroundings(forecast=forecast, canary=canary)
    told = room_of(state).step(START + MINUTE, around, FRAME).snapshot
    assert told["kpis"]["cierre"]["mediana_ms"] == START + 9
    assert told["kpis"]["cierre"]["final_pct"]["p50"] == 82.0
    assert told["pronostico"]["catd_riesgo"] == [[1, 0.5]]
    assert told["corte"]["canario"]["estado"] == "divergente"
    assert faults(told) == []
    unknown = room_of(state).step(START + MINUTE, replace(around, canary=None), FRAME).snapshot
    assert unknown["corte"]["canario"]["estado"] == "sin_revisar"
    assert faults(unknown) == []
    without = replace(around, forecast={"motivo": "falta", "curva": None})
    told = room_of(state).step(START + MINUTE, without, FRAME).snapshot
    assert (told["pronostico"], told["pronostico_motivo"], told["kpis"]["cierre"]) == (None, "falta", None)
    assert faults(told) == []


def test_a_silenced_catd_is_said_to_be_so_and_not_to_be_well(watched: Watched) -> None:
    with reading(watched.database) as connection:
        catalog, rows = read_catalog(connection), read_rows(connection, 0, 10**6)
    assert rows
    state = NightState(catalog)
    state.apply_rows(rows[:1])
    pulses = [watched.starts_ms + m * MINUTE for m in range(3)]
    for at in pulses:
        state.pulse(Pulse(0, at, at, 100, 0, {}))
    room = room_of(state)
    room.book = new_book(catalog, room.book.thresholds)
    now = watched.starts_ms + 40 * MINUTE
    room.step(now, Surroundings(), FRAME)
    told = room.step(now + MINUTE, Surroundings(), FRAME).snapshot
    assert told["catd"][0]["estado"] == "p1"
    data = {"rule": "A01", "catd": None, "reason": "ensayo", "until": now + 60 * MINUTE}
    at = now + MINUTE
    state.apply(2, "alert_silenced", None, at, at, "ana", "s", orjson.dumps(data).decode())
    assert state.incidents.silences() == [Silence("A01", None, now + 60 * MINUTE, "ana", "ensayo")]
    told = room.step(now + 2 * MINUTE, Surroundings(), FRAME).snapshot
    assert told["catd"][0]["estado"] == "silenciado"
    assert told["alertas_resumen"]["silenciadas"] > 0


def test_the_wall_and_quality_tell_the_same_share_of_inconsistencies(watched: Watched) -> None:
    shown = night(watched, 20)
    assert any(one["kpis"]["sin_acta"] for one in shown) and any(
        one["kpis"]["inconsistentes"] for one in shown
    )
    for one in shown:
        wall, state = one["kpis"], one["calidad"]["estado"]
        assert wall["revisadas"] == wall["verificadas"] - wall["sin_acta"] == state["revisadas"]
        assert wall["inconsistencias_pct"] == pct(wall["inconsistentes"], state["revisadas"])
        assert wall["inconsistentes"] == state["inconsistentes"]
        assert state["pct"] is None or f"{state['pct']:.2f}" == wall["inconsistencias_pct"][:-2]
