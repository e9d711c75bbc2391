"""The JSON Schema of a scenario's document, for editors: keys, limits and descriptions in Spanish.

One schema serves the three kinds of file: a whole scenario, one that stands on another (`base`) and
an incident. Only the first must have every obligatory key. It validates nothing here: reading and
refusing is `file`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from simulator.scenario.base import Service
from simulator.scenario.document import FORMAT, Scenario
from simulator.scenario.overlays import BASE, HEADER, WITH, IncidentHeader

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The one the TOML tools of editors understand."""
TITLE = "Escenario del PREP, formato "
"""How the title of the schema begins; the number of the format follows."""
_DEFINITIONS = "definitions"


def scenario_schema() -> dict[str, Any]:
    """The schema as plain data, always with the same bytes when written in order."""
    names: dict[str, str] = {}
    _name_models(Scenario, names)
    names[Service.__name__] = "duracion"
    reference = f"#/{_DEFINITIONS}/{{model}}"
    whole = Scenario.model_json_schema(by_alias=True, ref_template=reference)
    header = IncidentHeader.model_json_schema(by_alias=True, ref_template=reference)
    definitions = {names[name]: body for name, body in whole.pop("$defs").items()}
    definitions[HEADER] = header
    obligatory = _obligatory(Scenario)
    for model in _merged(Scenario):
        definitions[names[model.__name__]].pop("required", None)
    properties = {
        BASE: {"type": "string", "description": "ruta relativa de otro escenario que este cambia"},
        WITH: {
            "type": "array",
            "items": {"type": "string"},
            "description": "rutas relativas de incidencias que se le ponen encima",
        },
        HEADER: {"$ref": reference.format(model=HEADER), "description": "solo en una incidencia: de qué es"},
        **whole["properties"],
    }
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": f"{TITLE}{FORMAT}",
        "description": "Una noche y cómo se espera que termine; o una incidencia que se pone encima.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "if": {"required": ["nombre"], "not": {"required": [BASE]}},
        "then": obligatory,
        _DEFINITIONS: dict(sorted(definitions.items())),
    }
    _in_spanish(schema, {f"{reference.format(model=model)}": name for model, name in names.items()})
    return schema


def _name_models(model: type[BaseModel], names: dict[str, str]) -> None:
    """Definitions take the name of the first key that holds them: class names are not for users."""
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            if part.__name__ not in names:
                name = field.alias or ""
                if name in names.values():
                    name = f"{name}_de_{names[model.__name__]}"
                names[part.__name__] = name
                _name_models(part, names)


def _parts(annotation: Any) -> list[type[BaseModel]]:
    """The tables a type mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in getattr(annotation, "__args__", ()) for part in _parts(inner)]


def _merged(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The tables that may be written in part, because they merge with those below."""
    found = []
    for field in model.model_fields.values():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += [kind, *_merged(kind)]
    return found


def _obligatory(model: type[BaseModel]) -> dict[str, Any]:
    """What a whole scenario must have, in it and in its tables."""
    fields = model.model_fields.values()
    demand: dict[str, Any] = {}
    required = [field.alias for field in fields if field.is_required()]
    if required:
        demand["required"] = required
    inside = {
        field.alias or "": _obligatory(field.annotation)
        for field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    inside = {name: body for name, body in inside.items() if body}
    if inside:
        demand["properties"] = inside
    return demand


def _in_spanish(schema: dict[str, Any], references: dict[str, str]) -> None:
    """Rename what pydantic names after classes and attributes; say nothing TOML cannot write."""
    for name, body in schema[_DEFINITIONS].items():
        body["title"] = name
        body.pop("description", None)
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        if not isinstance(node, dict):
            continue
        if node.get("$ref") in references:
            node["$ref"] = f"#/{_DEFINITIONS}/{references[node['$ref']]}"
        for name, body in node.get("properties", {}).items():
            if isinstance(body, dict) and "description" in body:
                _property(name, body)
        pending += list(node.values())


def _property(name: str, body: dict[str, Any]) -> None:
    body["title"] = name
    kinds = [kind for kind in body.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        body.update(kinds[0])
    elif kinds:
        body["anyOf"] = kinds
    # There is no null in TOML, and a whole table as a default tells an editor nothing.
    if body.get("default", 0) is None or isinstance(body.get("default"), dict | list):
        del body["default"]
    if "$ref" in body:
        # In this dialect whatever stands beside a reference is not read.
        body["allOf"] = [{"$ref": body.pop("$ref")}]
