"""docs/escenarios.md describes every key of a scenario, and only those."""

from __future__ import annotations

import re
from pathlib import Path

from simulator import scenario

PLACES: dict[str, type[scenario.Part]] = {
    "(raíz)": scenario.Scenario,
    "`[calendario]`": scenario.Calendar,
    "`[votacion]`": scenario.Votes,
    "`[prep_casilla]`": scenario.PhoneChannel,
    "`[llegadas]`": scenario.Arrivals,
    "`[sobres]`": scenario.Envelopes,
    "`[personal]`": scenario.Staff,
    "`[[personal.capturistas]]`": scenario.Shift,
    "`[tiempos]`": scenario.Times,
    "`[enlaces]`": scenario.Links,
    "una duración (`{ mediana_s, sigma }`)": scenario.Service,
    "`[[falla_enlace]]`": scenario.LinkFault,
    "`[[continuidad.medidas]]`": scenario.Measure,
    "`[[continuidad.ejercicios]]`": scenario.Exercise,
    "`[[falla_publicacion]]`": scenario.PublicationFault,
    "`[captura_errores]`": scenario.Keying,
    "`[inconsistencias]`": scenario.Inconsistencies,
    "`[esperado]`": scenario.Expected,
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
