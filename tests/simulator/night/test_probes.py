"""Probes look at the night that ran, at the minute they say, and are judged by their limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.domain.counters import percent
from simulator.night.probes import evaluate, links_down, seen_by, sentence
from simulator.scenario.document import OF_A_CONTEST, RUNNING, Probe, Scenario
from tests.simulator.conftest import Ran, RunNight


def probe(dato: str, **keys: object) -> Probe:
    return Probe.model_validate({"nombre": "p", "dato": dato, "minimo": 0, **keys})


@pytest.fixture
def ran(run: RunNight, tmp_path: Path) -> Ran:
    return run("chica", cuts=tmp_path / "cortes")


def test_what_is_seen_is_what_the_night_has(ran: Ran) -> None:
    night, results = ran.night, ran.results
    total = results.total

    def see(dato: str, **keys: object) -> float:
        return seen_by(probe(dato, **keys), night, results)

    assert see("capturadas_pct") == percent(total.captured, total.expected) / 10_000
    assert see("contabilizadas_pct") == percent(total.counted, total.expected) / 10_000
    assert see("con_imagen_pct") == percent(total.with_image, total.expected) / 10_000
    assert see("no_contabilizadas_pct") == percent(total.captured - total.counted, total.captured) / 10_000
    assert see("sin_acta_pct") == percent(total.captured - total.with_image, total.captured) / 10_000
    ayun = results.by_contest["AYUN"]
    assert see("capturadas_pct", contienda="AYUN") == percent(ayun.captured, ayun.expected) / 10_000
    assert see("capturadas_pct", contienda="AYUN") != see("capturadas_pct")
    assert see("brecha_contiendas_puntos") == pytest.approx(
        abs(see("capturadas_pct", contienda="AYUN") - see("capturadas_pct", contienda="DIP_LOC"))
    )
    assert see("prep_casilla_actas") == results.phone_actas > 0
    assert see("cortes_no_publicados") == len(night.missed) == 2
    assert see("rechazos_provocados") == 3
    assert see("duplicados") == night.feed.events["duplicate_recorded"] > 0
    assert see("fuera_de_catalogo") == 4
    assert see("actas_con_error") == results.accuracy.wrong_actas > 0
    assert see("votos_mal_puestos") == results.accuracy.votes_moved > 0
    assert see("diferencias") == night.model.disputes > 0
    assert see("incidentes") == len(night.incidents) == 4
    assert see("avisos_de_hora") == sum(night.feed.flags.values())


def test_every_datum_of_the_schema_can_be_seen(ran: Ran) -> None:
    data = [
        value
        for kind in Probe.model_fields["seen"].annotation.__args__  # type: ignore[union-attr]
        for value in (kind.__args__ if hasattr(kind, "__args__") else (kind,))
    ]
    assert set(RUNNING) | set(OF_A_CONTEST) < set(data)
    for dato in data:
        assert seen_by(probe(dato), ran.night, ran.results) >= 0


def test_a_running_datum_is_seen_at_its_minute(ran: Ran) -> None:
    night, results = ran.night, ran.results
    early = seen_by(probe("registradas_pct", a_los_min=90), night, results)
    late = seen_by(probe("registradas_pct", a_los_min=180), night, results)
    end = seen_by(probe("registradas_pct"), night, results)
    assert 0 < early < late <= end
    point = next(point for point in night.curve if point.at_ms == 90 * 60_000)
    assert early == percent(point.registered, len(night.catalog.actas)) / 10_000
    # Between two looks nobody has seen the later one yet.
    assert seen_by(probe("registradas_pct", a_los_min=94.9), night, results) == early
    assert seen_by(probe("por_capturar", a_los_min=90), night, results) == point.backlog
    assert seen_by(probe("en_enlaces", a_los_min=90), night, results) == point.waiting_in_links


def test_the_links_are_looked_at_as_they_were_then(ran: Ran) -> None:
    night, results = ran.night, ran.results
    down = {
        minute: seen_by(probe("catd_sin_enlace", a_los_min=minute), night, results) for minute in (1, 105)
    }
    assert down[1] == 0 < down[105] == links_down(night.links, 105 * 60_000)


@pytest.mark.parametrize(
    ("limits", "holds"),
    [
        ({"minimo": 4}, True),
        ({"minimo": 5}, False),
        ({"minimo": None, "maximo": 4}, True),
        ({"minimo": None, "maximo": 3}, False),
        ({"minimo": 1, "maximo": 9}, True),
        ({"minimo": 5, "maximo": 9}, False),
    ],
)
def test_a_probe_holds_within_its_limits_both_included(
    run: RunNight, limits: dict[str, object], holds: bool
) -> None:
    ran = run("chica", change=lambda s: _with(s, probe("fuera_de_catalogo", **limits)))
    (verdict,) = evaluate(ran.night, ran.results)
    assert verdict["cumple"] is holds
    assert verdict["obtenido"] == 4
    assert (verdict["minimo"], verdict["maximo"]) == (limits.get("minimo", 0), limits.get("maximo"))


def test_a_verdict_is_told_in_one_line_whatever_it_is_of() -> None:
    judged = {"prueba": "p (a los 5 min)", "esperado": "a lo más 3", "obtenido": 4, "cumple": False}
    assert sentence(judged) == "p (a los 5 min): 4 (se esperaba a lo más 3): NO cumple"
    expected = {"prueba": "x", "esperado": 5998, "obtenido": 6001, "tolerancia": 179.94, "cumple": True}
    assert sentence(expected) == "x: 6,001 (se esperaba 5,998 ± 179.94): cumple"


def test_without_cuts_the_probes_of_the_cuts_are_left_out(run: RunNight) -> None:
    ran = run("chica", change=lambda s: _with(s, probe("cortes_no_publicados"), probe("diferencias")))
    assert [one["obtenido"] for one in evaluate(ran.night, ran.results)] == [ran.night.model.disputes]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"minimo": None}, "lleva minimo, maximo"),
        ({"a_los_min": 5}, "a_los_min solo se admite"),
        ({"dato": "diferencias", "contienda": "AYUN"}, "contienda solo se admite"),
    ],
)
def test_a_probe_that_cannot_be_looked_at_is_refused(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        probe(**{"dato": "capturadas_pct", **keys})  # type: ignore[arg-type]


def _with(scenario: Scenario, *probes: Probe) -> Scenario:
    return scenario.model_copy(update={"probes": probes})
