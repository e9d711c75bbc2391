"""A whole small night through the engine: what must hold of every one."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from core.domain.events import Event, EventKind
from core.domain.refusals import Refusal
from core.storage import schema
from core.storage.reading import ledger_events, reading
from simulator.scenario.actas import Inconsistencies, Keying
from simulator.scenario.document import PhoneChannel, Scenario
from tests.simulator.conftest import Ran, RunNight


def events_of(ran: Ran) -> list[Event]:
    with reading(ran.database) as connection:
        return [event for _, event, _ in ledger_events(connection)]


def updated(scenario: Scenario, **changes: Any) -> Scenario:
    return scenario.model_copy(update=changes)


def test_the_same_seed_gives_the_same_final_state_and_another_seed_another(run: RunNight) -> None:
    first, again, other = run("chica", 1), run("chica", 1), run("chica", 2)
    assert first.fingerprint == again.fingerprint
    assert first.night.truth_sha256 == again.night.truth_sha256
    assert first.fingerprint != other.fingerprint
    assert first.night.truth_sha256 != other.night.truth_sha256


def test_how_commands_are_batched_does_not_change_the_final_state(run: RunNight) -> None:
    assert run("chica", batch=500).fingerprint == run("chica", batch=7).fingerprint


def test_postgresql_ends_in_the_same_state_as_sqlite(run: RunNight, postgres_url: str) -> None:
    on_sqlite = run("chica", 3)
    on_postgresql = run("chica", 3, base=postgres_url)
    assert on_postgresql.fingerprint == on_sqlite.fingerprint
    assert on_postgresql.results == on_sqlite.results


def test_nobody_agrees_with_himself_nor_resolves_or_collates_his_own(run: RunNight) -> None:
    captured: dict[int | None, list[str]] = defaultdict(list)
    seen: Counter[EventKind] = Counter()
    for event in events_of(run("chica")):
        seen[event.kind] += 1
        if event.kind is EventKind.ACTA_CAPTURED:
            captured[event.acta].append(event.actor)
            continue
        resolved = event.kind is EventKind.ACTA_VERIFIED and event.data["basis"] == "resolucion"
        if resolved or event.kind is EventKind.ACTA_COLLATED:
            assert event.actor not in captured[event.acta]
    assert all(len(set(actors)) == len(actors) for actors in captured.values())
    assert seen[EventKind.ACTA_DISPUTED] > 0
    assert seen[EventKind.ACTA_COLLATED] > 0


def test_only_the_refusals_provoked_on_purpose_happen(run: RunNight) -> None:
    feed = run("chica").night.feed
    assert feed.refusals == {}
    assert feed.provoked == {Refusal.SAME_PERSON.value: 3}
    assert feed.missed_provocations == 0


def test_without_errors_nor_losses_the_counters_are_those_of_the_truth(run: RunNight) -> None:
    ran = run("perfecta")
    assert ran.results.headers == ran.results.truth_headers
    assert ran.results.accuracy.wrong_actas == 0
    assert ran.results.accuracy.compared == len(ran.night.catalog.actas)


def test_keying_errors_let_through_are_the_only_difference_with_the_truth(run: RunNight) -> None:
    def shared(scenario: Scenario) -> Scenario:
        return updated(scenario, keying=Keying(per_capture=0.0, marks=0.0, shared=0.2))

    ran = run("perfecta", change=shared)
    wrong = ran.results.accuracy.wrong_actas
    assert wrong > 0
    # Everybody misread the same: double capture sees no difference.
    assert ran.night.model.disputes == 0
    assert ran.night.model.wrong_captures == 2 * wrong


def test_every_acta_is_in_one_place_and_counted_once(run: RunNight) -> None:
    ran = run("chica")
    events = events_of(ran)
    for kind in (EventKind.ACTA_RECEIVED, EventKind.ACTA_DIGITIZED, EventKind.ACTA_VERIFIED):
        actas = [event.acta for event in events if event.kind is kind]
        assert len(actas) == len(set(actas))
    verified = {event.acta for event in events if event.kind is EventKind.ACTA_VERIFIED}
    marked = {event.acta for event in events if event.kind is EventKind.SIN_ACTA_MARKED}
    assert not verified & marked
    assert len(verified) + len(marked) == ran.night.model.registered == ran.results.total.captured
    with reading(ran.database) as connection:
        counts = select(schema.acta.c.status, func.count()).group_by(schema.acta.c.status)
        statuses = {row[0]: int(row[1]) for row in connection.execute(counts)}
    assert sum(statuses.values()) == len(ran.night.catalog.actas)


def test_what_comes_by_phone_and_on_paper_is_recorded_twice_and_counted_once(run: RunNight) -> None:
    ran = run("chica")
    what = Counter(
        event.data["what"] for event in events_of(ran) if event.kind is EventKind.DUPLICATE_RECORDED
    )
    assert what["acopio"] > 0
    assert what["digitalizacion"] > 0
    for header in ran.results.headers.values():
        assert int(header["ACTAS_CAPTURADAS"]) <= int(header["ACTAS_ESPERADAS"])


def test_a_message_sent_again_has_no_second_effect(run: RunNight) -> None:
    once = run("chica", change=lambda s: updated(s, links=s.links.model_copy(update={"resent": 0.0})))
    often = run("chica", change=lambda s: updated(s, links=s.links.model_copy(update={"resent": 1.0})))
    assert often.night.feed.repeated > once.night.feed.repeated == 0
    assert often.night.feed.events == once.night.feed.events


def test_without_links_only_what_the_phones_saw_is_captured(run: RunNight) -> None:
    def dark(scenario: Scenario) -> Scenario:
        fault = scenario.link_faults[0].model_copy(
            update={"zone": "todas", "at_min": 0.0, "minutes": 300.0, "jitter": 0.0, "measures": False}
        )
        exercises = scenario.continuity.model_copy(update={"exercises": ()})
        return updated(scenario, link_faults=(fault,), continuity=exercises)

    ran = run("chica", change=dark)
    assert set(ran.results.by_origin) == {"CASILLA/MOVIL"}
    assert ran.results.phone_actas == ran.results.total.captured > 0
    without_phones = run("chica", change=lambda s: updated(dark(s), phone=PhoneChannel(adoption=0.0)))
    assert without_phones.results.total.captured == 0


def test_removing_the_faults_raises_the_result(run: RunNight) -> None:
    with_faults = run("chica").results.total.captured
    without = run("chica", change=Scenario.without_faults).results.total.captured
    assert without > with_faults


def test_what_happened_during_an_outage_is_recorded_when_the_link_comes_back(run: RunNight) -> None:
    late = [
        event for event in events_of(run("chica"))
        if event.kind is EventKind.ACTA_RECEIVED and event.recorded_at - event.at > 30 * 60_000
    ]  # fmt: skip
    assert late


def test_more_people_change_neither_the_truth_nor_the_arrivals(run: RunNight) -> None:
    def more(scenario: Scenario) -> Scenario:
        shift = scenario.staff.capturistas[0].model_copy(update={"people": 20})
        return updated(scenario, staff=scenario.staff.model_copy(update={"capturistas": (shift,)}))

    usual, staffed = run("perfecta"), run("perfecta", change=more)
    assert staffed.night.truth_sha256 == usual.night.truth_sha256
    assert staffed.night.model.packages == usual.night.model.packages


def test_capture_can_be_done_in_each_catd(run: RunNight) -> None:
    def local(scenario: Scenario) -> Scenario:
        staff = scenario.staff.model_copy(update={"capture_place": "por_catd", "capturistas": ()})
        return updated(scenario, staff=staff)

    ran = run("chica", change=local)
    assert ran.night.feed.refusals == {}
    casillas, actas = ran.night.catalog.casillas, ran.night.catalog.actas
    for event in events_of(ran):
        if event.kind is EventKind.ACTA_CAPTURED:
            assert event.acta is not None
            assert event.actor.startswith(f"catd{casillas[actas[event.acta].casilla].catd:03d}-")


def test_actas_fuera_de_catalogo_are_registered_and_not_captured(run: RunNight) -> None:
    def outside(scenario: Scenario) -> Scenario:
        return updated(scenario, inconsistencies=Inconsistencies(outside=4))

    for header in run("perfecta", change=outside).results.headers.values():
        assert header["ACTAS_FUERA_CATALOGO"] == "4"
        assert int(header["ACTAS_REGISTRADAS"]) == int(header["ACTAS_CAPTURADAS"]) + 4


def test_the_last_cut_says_what_the_database_says(run: RunNight, tmp_path: Path) -> None:
    ran = run("chica", cuts=tmp_path / "salida")
    assert ran.night.cuts[-1].last
    assert ran.night.cuts[-1].headers == ran.results.headers
    # Three an hour for four hours and the last; none in the half hour the packages were wrong.
    assert (len(ran.night.cuts), len(ran.night.missed)) == (11, 2)
    assert [cut.number for cut in ran.night.cuts] == list(range(1, 12))
