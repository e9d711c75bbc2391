"""The fold of the room against the engine, the cuts it published and the plainest reading of the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from control_room.night.kpis import contests
from control_room.night.state import STRIP_MINUTES, NightState, Totals, read_new, read_rows
from core.domain.acta import REGISTERED, Status, value_of
from core.domain.commands import AnyCommand, Medium, Origin
from core.domain.events import EventKind
from core.engine import Engine
from core.operations.pulses import Pulse
from core.storage.reading import SnapshotReader, read_catalog, reading
from tests.control_room.conftest import Watched
from tests.core.domain.small import CATALOG, MINUTE, START, Orders, open_engine
from tests.core.test_engine_walk import STEPS, Step, Walk

NOW = START + 5 * MINUTE
HEADER = {
    "esperadas": "ACTAS_ESPERADAS",
    "capturadas": "ACTAS_CAPTURADAS",
    "contabilizadas": "ACTAS_CONTABILIZADAS",
    "fuera_catalogo": "ACTAS_FUERA_CATALOGO",
    "capturadas_pct": "PORCENTAJE_ACTAS_CAPTURADAS",
    "contabilizadas_pct": "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "inconsistencias_pct": "PORCENTAJE_ACTAS_INCONSISTENCIAS",
}


def fold(engine: Engine) -> NightState:
    state = NightState(CATALOG)
    with reading(engine._store.database) as connection:
        read_new(connection, state)
    return state


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(str(tmp_path / "base.db"))
    engine.execute([Orders("apertura").open()], NOW)
    yield engine
    engine._store.close()
    engine._store.database.dispose()


def done(engine: Engine, commands: Sequence[AnyCommand]) -> NightState:
    """Execute, all accepted, and fold the ledger."""
    for command in commands:
        assert engine.execute([command], NOW)[0].accepted
    return fold(engine)


def index_of(watched: Watched, number: int) -> dict[str, Any]:
    """What the package of a cut says of each contest."""
    body = (watched.folder / "cortes" / f"{number:04d}" / "indice.json").read_bytes()
    return dict(orjson.loads(body)["contiendas"])


# -- against what was published ------------------------------------------------------------------------


def test_at_every_cut_the_counters_are_those_of_the_published_header(watched: Watched) -> None:
    with reading(watched.database) as connection:
        state = NightState(read_catalog(connection))
        rows = read_rows(connection, 0, 10**6)
    cuts = [orjson.loads(row[7]) for row in rows if row[1] == EventKind.CUT_PUBLISHED]
    assert len(cuts) > 5
    for cut in cuts:
        state.apply_rows(rows[state.seq : cut["seq_high"]])
        index = orjson.loads(
            (watched.folder / "cortes" / f"{cut['number']:04d}" / "indice.json").read_bytes()
        )
        found = {row["id"]: row for row in contests(state)}
        for contest, published in index["contiendas"].items():
            header = published["encabezado"]
            assert {key: str(found[contest][key]) for key in HEADER} == {
                key: header[name] for key, name in HEADER.items()
            }


def test_a_cut_includes_what_its_header_says_whatever_came_after_it(watched: Watched) -> None:
    state = whole(watched)
    assert len(state.cuts) > 5
    for cut in state.cuts:
        index = index_of(watched, cut.number)
        captured = [int(one["encabezado"]["ACTAS_CAPTURADAS"]) for one in index.values()]
        assert cut.registered == sum(captured)


def whole(watched: Watched) -> NightState:
    with reading(watched.database) as connection:
        state = NightState(read_catalog(connection))
        read_new(connection, state)
    return state


def test_at_the_end_the_sums_are_those_of_the_acta_table(watched: Watched) -> None:
    state = whole(watched)
    with reading(watched.database) as connection:
        rows = connection.exec_driver_sql("SELECT catd, distrito, municipio, status FROM acta").all()
    registered = [row for row in rows if Status(row[3]) in REGISTERED]
    assert state.totals().registered == len(registered) > 0
    assert state.sin_acta == sum(row[3] == Status.SIN_ACTA for row in rows) > 0
    for column, sums in ((1, state.distritos), (2, state.municipios)):
        for place, (expected, done_there, _) in sums.items():
            assert expected == sum(row[column] == place for row in rows)
            assert done_there == sum(row[column] == place for row in registered)
    for catd in range(len(state.catalog.catds)):
        assert state.catds.registered[catd] == sum(row[0] == catd for row in registered)


# -- what must hold at any moment ----------------------------------------------------------------------


def steps_descend(state: NightState) -> None:
    groups = state.catds
    for catd in range(len(state.catalog.catds)):
        steps = [
            groups.expected[catd], groups.received[catd], groups.digitized[catd], groups.captured[catd],
            groups.registered[catd],
        ]  # fmt: skip
        assert steps == sorted(steps, reverse=True)
    now = state.totals()
    assert now == Totals(
        sum(groups.received), sum(groups.digitized), sum(groups.captured), sum(groups.registered),
        sum(groups.published),
    )  # fmt: skip


def test_each_step_is_at_most_the_one_before_and_catds_add_up_all_night(watched: Watched) -> None:
    with reading(watched.database) as connection:
        state = NightState(read_catalog(connection))
        rows = read_rows(connection, 0, 10**6)
    for row in rows:
        state.apply(*row)
        if row[0] % 20 == 0:
            steps_descend(state)
    steps_descend(state)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the small election, to be copied: making one takes longer than a walk."""
    path = tmp_path_factory.mktemp("plantilla") / "base.db"
    engine = open_engine(str(path))
    engine._store.close()
    engine._store.database.dispose()
    return path


@settings(max_examples=40)
@given(steps=STEPS)
def test_any_walk_through_the_engine_folds_to_what_the_engine_has(blank: Path, steps: list[Step]) -> None:
    for leftover in blank.parent.glob("paseo.db*"):
        leftover.unlink()
    walk = Walk(Path(shutil.copy(blank, blank.with_name("paseo.db"))))
    for step in steps:
        walk.step(step)
    engine, state = walk.engine, fold(walk.engine)
    states = [engine.state(acta) for acta in range(len(CATALOG.actas))]
    registered = {acta for acta, one in enumerate(states) if one.status in REGISTERED}
    assert state.totals().registered == len(registered)
    values = [value for one in states if (value := value_of(one)) is not None]
    assert state.counted == sum(value.contabilizada for value in values)
    assert state.inconsistent == sum(value.inconsistent for value in values)
    disputed = (Status.IN_DISPUTE, Status.AWAITING_CAPTURE)
    assert state.disputes == sum(one.status in disputed for one in states)
    snapshot = SnapshotReader(engine._store.database, len(CATALOG.actas)).read()
    assert state.outside() == len(snapshot.outside)
    published = public(engine)
    assert state.totals().published == len(published)
    assert state.unpublished == len(registered - published)
    steps_descend(state)
    walk.close()


def public(engine: Engine) -> set[int]:
    """The actas of the last cut, by the plainest reading of what it includes."""
    included: set[int] = set()
    if engine.operation.cuts:
        with reading(engine._store.database) as connection:
            rows = read_rows(connection, 0, engine.operation.cuts[-1][0])
        for _, kind, acta, *_ in rows:
            if acta is not None and kind in (EventKind.ACTA_VERIFIED, EventKind.SIN_ACTA_MARKED):
                included.add(acta)
            elif kind in (EventKind.RECALL_APPROVED, EventKind.ACTA_RECEIVED, EventKind.OUTSIDE_IDENTIFIED):
                included.discard(acta)
    return included


# -- one situation at a time ---------------------------------------------------------------------------


def test_a_withdrawn_acta_stays_public_until_the_next_cut(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, [*orders.agreed(0), orders.cut(1, 6)])
    assert (state.totals().registered, state.totals().published, state.unpublished) == (1, 1, 0)
    state = done(engine, [orders.request_recall(0), orders.approve_recall(0)])
    assert (state.totals().registered, state.totals().published, state.counted) == (0, 1, 0)
    state = done(engine, [orders.cut(2, engine.seq)])
    assert (state.totals().registered, state.totals().published) == (0, 0)


def test_what_is_verified_after_the_last_sequence_of_a_cut_is_not_in_it(engine: Engine) -> None:
    orders = Orders()
    done(engine, orders.agreed(0))
    high = engine.seq
    state = done(engine, [*orders.agreed(1), orders.cut(1, high)])
    assert (state.totals().registered, state.totals().published, state.unpublished) == (2, 1, 1)
    assert state.cuts[-1].registered == 1


def test_an_acta_marked_sin_acta_waits_for_nothing_until_it_arrives_after_all(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, [orders.sin_acta(0, supervisor="supervisa")])
    assert state.totals() == Totals(1, 1, 1, 1, 0)
    assert state.catds.sin_acta == [1, 0]
    state = done(engine, [orders.receive(0)])
    assert state.totals() == Totals(1, 0, 0, 0, 0)
    assert (state.sin_acta, state.catds.sin_acta) == (0, [0, 0])


def test_a_replaced_image_throws_its_captures_and_its_dispute_away(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, orders.disputed(0))
    assert (state.totals().captured, state.disputes) == (1, 1)
    state = done(engine, [orders.replace_image(0, "mejor")])
    assert (state.totals().digitized, state.totals().captured, state.disputes) == (1, 0, 0)


def test_an_acta_outside_the_catalogue_stops_being_so_when_it_is_identified(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, [orders.receive_outside("a"), orders.receive_outside("b", contest="AYUN")])
    assert [one.outside for one in state.contests.values()] == [1, 1]
    state = done(engine, [orders.identify(3, 1)])
    assert [one.outside for one in state.contests.values()] == [0, 1]
    assert state.catds.digitized == [0, 1]


def test_a_refused_cut_is_told_until_one_goes_out(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, [orders.refuse_cut(1)])
    assert state.refused is not None
    assert (state.refused.number, state.refused.reason) == (1, "no cuadra")
    assert done(engine, [orders.cut(1, 1)]).refused is None


def test_photographs_from_the_casilla_say_nothing_of_their_catd(engine: Engine) -> None:
    orders = Orders()
    state = done(engine, [orders.receive(0, origin=Origin.CASILLA)])
    state = done(engine, [orders.digitize(0, medium=Medium.MOVIL)])
    assert state.catds.last_acta_ms == [None, None]
    assert done(engine, orders.arrived(1)).catds.last_acta_ms == [NOW, None]


def test_an_event_seen_twice_or_of_a_kind_not_known_changes_nothing(engine: Engine) -> None:
    state = done(engine, Orders().agreed(0))
    before, seq = state.totals(), state.seq
    with reading(engine._store.database) as connection:
        state.apply_rows(read_rows(connection, 0))
    assert (state.totals(), state.seq) == (before, seq)
    state.apply(seq + 1, "acta_soñada", 1, NOW, NOW, "alguien", "E1", "{}")
    state.apply(seq + 2, "algo_nuevo", None, NOW, NOW, "alguien", "E1", "{}")
    assert (state.totals(), state.seq) == (before, seq + 2)


# -- time ----------------------------------------------------------------------------------------------


def test_the_totals_of_a_past_minute_are_those_there_were(watched: Watched) -> None:
    state = whole(watched)
    with reading(watched.database) as connection:
        rows = read_rows(connection, 0, 10**6)
    earlier = NightState(state.catalog)
    for ms in range(watched.starts_ms, watched.ends_ms, 7 * MINUTE):
        earlier.apply_rows([row for row in rows if row[0] > earlier.seq and row[4] < ms])
        assert state.totals_at(ms) == earlier.totals()
    assert state.totals_at(watched.ends_ms + MINUTE) == state.totals()


def test_the_rate_is_what_was_registered_over_the_minutes_that_passed(watched: Watched) -> None:
    state = whole(watched)
    now = watched.ends_ms
    gained = state.totals().registered - state.totals_at(now - 15 * MINUTE).registered
    assert state.rate(now) == pytest.approx(gained / 15)
    young = NightState(state.catalog)
    assert young.rate(watched.starts_ms) == 0.0


# -- heartbeats ----------------------------------------------------------------------------------------


def pulse(minute: int, link: int = 100, catd: int = 0) -> Pulse:
    at = START + minute * MINUTE
    return Pulse(catd, at, at, link, 0, {"acopiadores": 2})


def test_the_strip_tells_heartbeats_from_gaps_and_from_what_was_before_them() -> None:
    state = NightState(CATALOG)
    assert state.strip(0, START) == "-" * STRIP_MINUTES
    for minute in (10, 11, 14, 15):
        state.pulse(pulse(minute, 40 if minute == 11 else 100))
    now = START + 17 * MINUTE + 5_000
    assert state.strip(0, now) == "-" * 23 + "od..oo."
    # The present minute is not over: it is not in the strip.
    state.pulse(pulse(17))
    assert state.strip(0, now) == "-" * 23 + "od..oo."
    assert state.strip(0, START + 100 * MINUTE) == "." * STRIP_MINUTES


def test_heartbeats_in_a_row_begin_again_after_a_silence() -> None:
    state = NightState(CATALOG)
    for minute in (0, 1, 2, 9, 10):
        state.pulse(pulse(minute))
    assert (state.pulses[0].in_a_row, state.pulses[0].last_ms) == (2, START + 10 * MINUTE)
    state.pulse(pulse(10))
    assert state.pulses[0].in_a_row == 2


def test_a_heartbeat_that_comes_late_only_fills_its_place() -> None:
    state = NightState(CATALOG)
    for minute in (0, 1, 3):
        state.pulse(pulse(minute))
    state.pulse(pulse(2, 50))
    assert state.strip(0, START + 4 * MINUTE).endswith("oodo")
    assert (state.pulses[0].last_ms, state.pulses[0].link) == (START + 3 * MINUTE, 100)


def test_what_is_done_in_the_room_does_not_move_the_hour_the_night_is_known_to(engine: Engine) -> None:
    engine.execute(Orders().agreed(0), NOW)
    ahead = NOW + 20 * MINUTE
    note = Orders("sala", at=NOW).incident(station="sala")
    assert engine.execute([note], ahead)[0].accepted
    engine.execute(Orders("despues").agreed(1), NOW + 2 * MINUTE)
    state = fold(engine)
    assert state.known_ms == NOW + 2 * MINUTE
    assert state.totals_at(NOW + MINUTE).registered == 1
    assert state.totals_at(NOW + 3 * MINUTE).registered == 2
    assert state.seq > 0
