"""docs/escenarios.md describes every key of a scenario, and only those."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.scenario import actas as scenario_actas
from simulator.scenario import base as scenario_base
from simulator.scenario import document as scenario
from simulator.scenario import faults as scenario_faults
from simulator.scenario import people as scenario_people
from simulator.scenario.overlays import IncidentHeader
from simulator.scenario.verb import schema_text

PLACES: dict[str, type[scenario_base.Part]] = {
    "(raíz)": scenario.Scenario,
    "`[calendario]`": scenario.Calendar,
    "`[votacion]`": scenario_actas.Votes,
    "`[prep_casilla]`": scenario.PhoneChannel,
    "`[llegadas]`": scenario.Arrivals,
    "`[plan]`": scenario.Planned,
    "`[sobres]`": scenario.Envelopes,
    "`[personal]`": scenario_people.Staff,
    "`[[personal.capturistas]]`": scenario_people.Shift,
    "`[personal.descansos]`": scenario_people.Rests,
    "`[[personal.turnos_catd]]`": scenario_people.PlaceShift,
    "`[[personal.traslados]]`": scenario_people.Transfer,
    "`[[personal.traslados_captura]]`": scenario_people.CaptureTransfer,
    "`[tiempos]`": scenario.Times,
    "`[enlaces]`": scenario.Links,
    "una duración (`{ mediana_s, sigma }`)": scenario_base.Service,
    "una condición (`cuando = { … }`)": scenario_base.When,
    "`[[falla_enlace]]`": scenario_faults.LinkFault,
    "`[[falla_electrica]]`": scenario_faults.PowerFault,
    "`[[falla_contienda]]`": scenario_faults.ContestFault,
    "`[[marcado_masivo]]`": scenario_faults.MassMarking,
    "`[relojes]`": scenario_faults.DeviceClocks,
    "`[duplicados]`": scenario_faults.Duplicates,
    "`[continuidad]`": scenario_faults.Continuity,
    "`[[continuidad.medidas]]`": scenario_faults.Measure,
    "`[[continuidad.ejercicios]]`": scenario_faults.Exercise,
    "`[[falla_publicacion]]`": scenario_faults.PublicationFault,
    "`[captura_errores]`": scenario_actas.Keying,
    "`[inconsistencias]`": scenario_actas.Inconsistencies,
    "`[[prueba]]`": scenario.Probe,
    "`[esperado]`": scenario.Expected,
    "`[incidencia]`": IncidentHeader,
}
ROW = re.compile(r"\| (?P<place>.+?) \| `(?P<key>\w+)` \| (?P<about>.*) \| [^|]* \|")


def test_every_key_is_documented_with_its_own_description(repository: Path) -> None:
    text = (repository / "docs" / "escenarios.md").read_text(encoding="utf-8")
    documented = {(m["place"], m["key"]): m["about"] for m in map(ROW.fullmatch, text.splitlines()) if m}
    expected = {
        (place, field.alias): field.description
        for place, model in PLACES.items()
        for field in model.model_fields.values()
    }
    assert documented == expected


def test_the_committed_schema_is_the_one_the_verb_writes(repository: Path) -> None:
    committed = repository / "docs" / "escenario.schema.json"
    assert committed.read_text(encoding="utf-8") == schema_text(), (
        "prep escenario esquema --salida docs/escenario.schema.json"
    )
