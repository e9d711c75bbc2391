"""Reads a scenario and tells everything wrong with it: file, line, key, what was expected.

Putting several files together is `overlays`; what a scenario means is `document`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from pydantic import ValidationError

from core.catalogs import open_catalog
from core.catalogs.problems import CatalogError, Problems
from core.domain.catalog import Catalog
from core.errors import InputError
from simulator.scenario.document import Scenario
from simulator.scenario.faults import Where
from simulator.scenario.overlays import Composed, Origin, Origins, Overlay, compose


class ScenarioError(CatalogError):
    """A scenario that was refused; `problems` has every fault found."""


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario, where it came from and its content hash (SHA-256 of its canonical JSON).

    `overlays` are the files laid on top of the document, in order; the hash covers the composition.
    `origins` tells the file and line of every key.
    """

    path: Path
    scenario: Scenario
    sha256: str
    overlays: tuple[Overlay, ...] = ()
    origins: Origins = field(default_factory=dict, repr=False, compare=False)


def load_scenario(path: Path, overlays: Sequence[Path] = ()) -> LoadedScenario:
    """Read a document with overlays on top. Raises `InputError` or `ScenarioError`; nothing is half read."""
    loaded, misnamed = _read(path, overlays)
    if misnamed:
        raise ScenarioError(misnamed)
    return loaded


def review_scenario(path: Path, overlays: Sequence[Path] = ()) -> tuple[LoadedScenario, Catalog]:
    """A scenario with its catalogue. Raises as `load_scenario` and `open_scenario_catalog` do.

    A wrong name, which keeps nothing else from being looked at, is told together with what the catalogue
    does not have.
    """
    loaded, misnamed = _read(path, overlays)
    try:
        catalog = open_scenario_catalog(loaded)
    except CatalogError as error:
        if not misnamed:
            raise
        raise ScenarioError([*misnamed, *error.problems], error.more) from error
    except InputError as error:
        if not misnamed:
            raise
        raise ScenarioError([*misnamed, error]) from error
    if misnamed:
        raise ScenarioError(misnamed)
    return loaded, catalog


def _read(path: Path, overlays: Sequence[Path]) -> tuple[LoadedScenario, list[InputError]]:
    """A scenario, and the fault of its name when it is not that of the file. Raises the other faults."""
    if not path.is_file():
        raise InputError(path, message="no existe o no es un archivo; se esperaba un escenario en TOML")
    problems = Problems()
    composed = compose(path, overlays, problems)
    misnamed = _misnamed(path, composed)
    if problems.found:
        raise ScenarioError([*problems.found, *misnamed], problems.more)
    try:
        scenario = Scenario.model_validate(composed.data)
    except ValidationError as error:
        faults = [fault_of(path, composed.origins, one) for one in error.errors()]
        raise ScenarioError([*faults, *misnamed]) from error
    overlaid = tuple(composed.overlays)
    return LoadedScenario(path, scenario, content_hash(scenario), overlaid, composed.origins), misnamed


def _misnamed(path: Path, composed: Composed) -> list[InputError]:
    name = composed.data.get("nombre")
    # What is not a text is a fault of its own.
    if not isinstance(name, str) or name == path.stem:
        return []
    origin = composed.origins["nombre"][-1]
    return [InputError(origin.path, origin.line, "nombre", f"«{path.stem}», como el archivo", name)]


def content_hash(scenario: Scenario) -> str:
    """SHA-256 of what the scenario says, whatever its comments and order of keys."""
    body = scenario.model_dump(mode="json", by_alias=True)
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def open_scenario_catalog(loaded: LoadedScenario) -> Catalog:
    """The catalogue a scenario names, checked against everything of it the scenario mentions."""
    scenario, origins = loaded.scenario, loaded.origins
    named = origins["catalogo"][-1].path if "catalogo" in origins else loaded.path
    catalog = open_catalog(scenario.catalog, named.parent)
    found = names_not_there(loaded, catalog)
    if found:
        raise ScenarioError(found)
    return catalog


def names_not_there(loaded: LoadedScenario, catalog: Catalog) -> list[InputError]:
    """Everything the scenario mentions of a catalogue that does not have it."""
    return [
        _not_there(loaded, place, expected, value)
        for place, expected, allowed, values in _mentions(loaded.scenario, catalog)
        for value in values
        if value not in allowed
    ]


Mention: TypeAlias = tuple[str, str, Collection[object], Iterable[object]]
"""(place in the document, what was expected, what the catalogue has, what the scenario mentions)."""


def _mentions(scenario: Scenario, catalog: Catalog) -> Iterator[Mention]:
    contests = list(catalog.contests)
    a_contest = f"una contienda ({', '.join(contests)})"
    a_distrito, a_catd = "un distrito del catálogo", "un CATD del catálogo"
    catds = {catd.id for catd in catalog.catds}
    codes = {code for contest in catalog.contests.values() for code in contest.codes}
    yield "sobres.sin_sobre", a_contest, contests, scenario.envelopes.without_envelope
    yield "esperado.capturadas_por_contienda_pct", a_contest, contests, scenario.expected.per_contest_pct
    yield "zona_metropolitana", "un municipio del catálogo", catalog.municipios, scenario.metropolitan
    yield "votacion.preferencias", "la clave de un contendiente", codes, scenario.votes.preferences
    wheres: dict[str, Sequence[Where]] = {
        "falla_enlace": scenario.link_faults,
        "falla_electrica": scenario.power_faults,
        "marcado_masivo": scenario.mass_markings,
    }
    for table, faults in wheres.items():
        for number, fault in enumerate(faults):
            yield f"{table}#{number}.distritos", a_distrito, catalog.distritos, fault.distritos
            yield f"{table}#{number}.catd", a_catd, catds, fault.catds
    for number, exercise in enumerate(scenario.continuity.exercises):
        place = f"continuidad.ejercicios#{number}.distritos"
        yield place, a_distrito, catalog.distritos, exercise.distritos
    for number, one in enumerate(scenario.contest_faults):
        yield f"falla_contienda#{number}.contienda", a_contest, contests, (one.contest,)
    for number, published in enumerate(scenario.publication_faults):
        yield f"falla_publicacion#{number}.catd", a_catd, catds, published.catds
    for number, probe in enumerate(scenario.probes):
        if probe.contest is not None:
            yield f"prueba#{number}.contienda", a_contest, contests, (probe.contest,)
    yield "captura_errores.columnas_cambiadas", a_contest, contests, scenario.keying.swapped
    for name, pair in scenario.keying.swapped.items():
        if name in catalog.contests:
            place = f"captura_errores.columnas_cambiadas.{name}"
            allowed = catalog.contests[name].codes
            yield place, f"la clave de un contendiente de {name}", allowed, pair
    moves = [(f"traslados#{n}", one.origin, one.target) for n, one in enumerate(scenario.staff.transfers)]
    moves += [
        (f"traslados_captura#{n}", one.origin, one.target)
        for n, one in enumerate(scenario.staff.capture_transfers)
    ]
    for place, *ends in moves:
        for alias, catd in zip(("de_catd", "a_catd"), ends, strict=True):
            if catd is not None:
                yield f"personal.{place}.{alias}", a_catd, catds, (catd,)
    for number, shift in enumerate(scenario.staff.place_shifts):
        yield f"personal.turnos_catd#{number}.catd", a_catd, catds, shift.catds
    named = {str(number) for number in catds}
    yield "plan.actas_por_catd", f"{a_catd}, por su número", named, scenario.plan.by_catd
    minutes = [name for name in scenario.plan.arrived_pct if not name.isdecimal()]
    yield "plan.acopiadas_pct", "un minuto de la noche, un número entero", (), minutes


def _not_there(loaded: LoadedScenario, place: str, expected: str, value: object) -> InputError:
    origin = _origin(loaded.origins, [f"{place}.{value}", place, place.rpartition(".")[0]], -1)
    path, line = (origin.path, origin.line) if origin else (loaded.path, None)
    return InputError(path, line, shown(place), expected, value)


def shown(place: str) -> str:
    """A place as people count: the first [[falla_enlace]], «falla_enlace#0» inside, is «falla_enlace#1»."""
    return re.sub(r"#(\d+)", lambda found: f"#{int(found[1]) + 1}", place)


def _origin(origins: Origins, places: Iterable[str], which: int) -> Origin | None:
    return next((origins[place][which] for place in places if place in origins), None)


def fault_of(path: Path, origins: Origins, error: Any) -> InputError:
    """A fault that the models found, with its file, line and key."""
    place = ""
    places = []
    for part in error["loc"]:
        place = f"{place}#{part}" if isinstance(part, int) else f"{place}.{part}" if place else part
        places.append(place)
    # What is missing should have been in the file that began the table; what is wrong, in the last to write.
    origin = _origin(origins, reversed(places), 0 if error["type"] == "missing" else -1)
    expected, found, message = _words(error)
    column = shown(place.removesuffix(".[key]")) or None
    where = (origin.path, origin.line) if origin else (path, None)
    return InputError(*where, column, expected, found, message=message)


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
        allowed = re.sub(r"'([^']*)'", r"«\1»", context["expected"])
        return f"uno de {allowed.replace(' or ', ', ')}", found, ""
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
