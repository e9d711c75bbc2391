"""Reads a scenario file and tells everything wrong with it: file, line, key, what was expected.

The parser of the standard library keeps no positions; the lines of the keys are found again in the
text. What a scenario means is `scenario`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from core.catalogs import open_catalog
from core.catalogs.problems import CatalogError, Problems
from core.catalogs.toml_file import TomlFile
from core.domain.catalog import Catalog
from core.errors import InputError
from simulator.scenario import Scenario


class ScenarioError(CatalogError):
    """A scenario that was refused; `problems` has every fault found."""


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario, where it came from and its content hash (SHA-256 of its canonical JSON)."""

    path: Path
    scenario: Scenario
    sha256: str


def load_scenario(path: Path) -> LoadedScenario:
    """Read one document. Raises `InputError` or `ScenarioError`; nothing is half read."""
    if not path.is_file():
        raise InputError(path, message="no existe o no es un archivo; se esperaba un escenario en TOML")
    problems = Problems()
    file = TomlFile(path, problems)
    if file.root is None:
        raise ScenarioError(problems.found)
    try:
        scenario = Scenario.model_validate(dict(file.root.data))
    except ValidationError as error:
        raise ScenarioError([_fault(path, file, one) for one in error.errors()]) from error
    if scenario.name != path.stem:
        line = file.lines.get("nombre")
        raise InputError(path, line, "nombre", f"«{path.stem}», como el archivo", scenario.name)
    return LoadedScenario(path, scenario, content_hash(scenario))


def content_hash(scenario: Scenario) -> str:
    """SHA-256 of what the scenario says, whatever its comments and order of keys."""
    body = scenario.model_dump(mode="json", by_alias=True)
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def open_scenario_catalog(loaded: LoadedScenario) -> Catalog:
    """The catalogue a scenario names, checked against the contests, distritos and municipios it mentions."""
    scenario = loaded.scenario
    catalog = open_catalog(scenario.catalog, loaded.path.parent)
    lines = TomlFile(loaded.path, Problems()).lines
    found: list[InputError] = []

    def known(place: str, expected: str, values: Sequence[object], allowed: Sequence[object]) -> None:
        for value in values:
            if value not in allowed:
                found.append(InputError(loaded.path, lines.get(place), place, expected, value))

    contests = list(catalog.contests)
    names = ", ".join(contests)
    known("sobres.sin_sobre", f"una contienda ({names})", list(scenario.envelopes.without_envelope), contests)
    known(
        "esperado.capturadas_por_contienda_pct", f"una contienda ({names})",
        list(scenario.expected.per_contest_pct), contests,
    )  # fmt: skip
    distritos = list(catalog.distritos)
    for number, fault in enumerate(scenario.link_faults):
        known(f"falla_enlace#{number}.distritos", "un distrito del catálogo", fault.distritos, distritos)
    for number, exercise in enumerate(scenario.continuity.exercises):
        place = f"continuidad.ejercicios#{number}.distritos"
        known(place, "un distrito del catálogo", exercise.distritos, distritos)
    known("zona_metropolitana", "un municipio del catálogo", scenario.metropolitan, list(catalog.municipios))
    codes = sorted({code for contest in catalog.contests.values() for code in contest.codes})
    known("votacion.preferencias", "la clave de un contendiente", list(scenario.votes.preferences), codes)
    if found:
        raise ScenarioError(found)
    return catalog


def _fault(path: Path, file: TomlFile, error: Any) -> InputError:
    names = [str(part) for part in error["loc"]]
    place = ""
    line: int | None = None
    for part in error["loc"]:
        place = f"{place}#{part}" if isinstance(part, int) else f"{place}.{part}" if place else part
        line = file.lines.get(place, line)
    expected, found, message = _words(error)
    return InputError(path, line, ".".join(names) or None, expected, found, message=message)


def _words(error: Any) -> tuple[str, object, str]:
    """(expected, found, whole message) of a pydantic error, in Spanish."""
    kind, context, found = error["type"], error.get("ctx", {}), error.get("input")
    if kind == "missing":
        return "", None, "falta esta clave"
    if kind == "extra_forbidden":
        return "", None, "no se conoce esta clave; ¿está bien escrita y en su tabla?"
    if kind == "value_error":
        return "", None, str(context["error"])
    limits = {
        "greater_than_equal": ("un número mayor o igual que", "ge"),
        "greater_than": ("un número mayor que", "gt"),
        "less_than_equal": ("un número menor o igual que", "le"),
        "less_than": ("un número menor que", "lt"),
    }
    if kind in limits:
        words, limit = limits[kind]
        return f"{words} {context[limit]:g}", found, ""
    if kind == "literal_error":
        return f"uno de {context['expected'].replace(' or ', ', ')}", found, ""
    plain = {
        "int_type": "un número entero", "int_parsing": "un número entero",
        "int_from_float": "un número entero", "float_type": "un número", "float_parsing": "un número",
        "finite_number": "un número finito",
        "string_type": "un texto entre comillas", "bool_type": "true o false", "bool_parsing": "true o false",
        "string_too_short": "un texto que no esté vacío", "too_short": "una lista que no esté vacía",
        "tuple_type": "una lista", "dict_type": "una tabla", "model_type": "una tabla",
        "string_pattern_mismatch": "minúsculas, números y guiones",
    }  # fmt: skip
    if kind.startswith("datetime"):
        return "una fecha y hora con diferencia UTC, como 2021-06-03T17:00:00-05:00", found, ""
    return plain.get(kind, f"otro valor ({kind})"), found, ""
