"""The guided forms of a rehearsal, as the fragments of a scenario they stand for, and those as TOML.

Values come from a browser: they may be texts, numbers or lists. It checks only that each can be what its
field asks for; whether a fragment makes sense the run decides. It talks to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from core.errors import UsageError

Document: TypeAlias = dict[str, Any]
Values: TypeAlias = Mapping[str, Any]


def fragment_toml(form: str, values: Values) -> str:
    """The fragment a guided form stands for. Raises UsageError when there is no such form, or a value
    cannot be what its field asks for."""
    if form not in _FORMS:
        raise UsageError(f"No existe la forma «{form}»; las hay: {', '.join(_FORMS)}.")
    return to_toml(_FORMS[form](values))


def to_toml(document: Document) -> str:
    """A fragment as TOML: tables, lists of tables, and in them plain values and lists of those."""
    lines: list[str] = []
    _write(document, "", lines)
    return "\n".join(lines).strip() + "\n"


def _link(values: Values) -> Document:
    fault: Document = {
        "tipo": _text(values, "tipo", "sin_enlace"),
        "nombre": _name(values, "Corte de internet"),
    }
    fault |= _where(values)
    fault["dura_min"] = _minutes(values, 45)
    fault["variacion"] = 0.0
    if values.get("causa"):
        fault["causa"] = _text(values, "causa", "")
    # In a rehearsal the people in the room are the ones to act, unless the instructor says otherwise.
    fault["medidas"] = bool(values.get("medidas", False))
    return {"falla_enlace": [fault]}


def _power(values: Values) -> Document:
    place = _text(values, "lugar", "catd")
    fault: Document = {"lugar": place, "nombre": _name(values, "Corte de luz")}
    if place == "catd":
        fault |= _where(values)
    fault["dura_min"] = _minutes(values, 30)
    if values.get("causa"):
        fault["causa"] = _text(values, "causa", "")
    fault["planta"] = round(number(_given(values, "planta_pct", 0), "planta_pct") / 100, 4)
    return {"falla_electrica": [fault]}


def _contest(values: Values) -> Document:
    fault: Document = {
        "contienda": _text(values, "contienda", ""),
        "nombre": _name(values, "Falla de una contienda"),
        "dura_min": _minutes(values, 20),
    }
    if values.get("causa"):
        fault["causa"] = _text(values, "causa", "")
    return {"falla_contienda": [fault]}


def _transfer(values: Values) -> Document:
    move: Document = {"rol": "capturistas", "personas": _whole(values.get("personas"), "personas")}
    for key in ("de_catd", "a_catd"):
        if values.get(key) not in (None, ""):
            move[key] = _whole(values[key], key)
    if values.get("traslado_min") not in (None, ""):
        move["traslado_min"] = number(values["traslado_min"], "traslado_min")
    return {"personal": {"traslados": [move]}}


def _exercise(values: Values) -> Document:
    return {
        "continuidad": {
            "ejercicios": [
                {
                    "distritos": _numbers(values.get("distritos"), "distritos"),
                    "activacion_min": number(_given(values, "activacion_min", 10), "activacion_min"),
                    "dura_min": _minutes(values, 60),
                    "rendimiento": round(
                        number(_given(values, "rendimiento_pct", 10), "rendimiento_pct") / 100, 4
                    ),
                }
            ]
        }
    }


def _restore(values: Values) -> Document:
    return {"restablecer": {"catd": catd_numbers(values.get("catds"))}}


_FORMS: Mapping[str, Callable[[Values], Document]] = {
    "enlace": _link,
    "luz": _power,
    "contienda": _contest,
    "traslado": _transfer,
    "ejercicio": _exercise,
    "restablecer": _restore,
}
FORMS = tuple(_FORMS)
"""Names of the guided forms."""


# -- values of the forms ---------------------------------------------------------------------------


def _where(values: Values) -> Document:
    catds, distritos = values.get("catds") or (), values.get("distritos") or ()
    if not catds and not distritos:
        raise UsageError("Falta dónde: uno o más CATD, o uno o más distritos.")
    if catds and distritos:
        raise UsageError("Dónde: CATD o distritos, no ambos.")
    return {"catd": catd_numbers(catds)} if catds else {"distritos": _numbers(distritos, "distritos")}


def _given(values: Values, key: str, default: float) -> object:
    """What a field says; a zero is something said."""
    value = values.get(key)
    return default if value is None or value == "" else value


def catd_numbers(value: object) -> list[int]:
    """Numbers of CATD, at least one. Raises UsageError."""
    return _numbers(value, "CATD")


def _numbers(value: object, name: str) -> list[int]:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple) or not value:
        raise UsageError(f"Falta decir qué {name}.")
    return [_whole(one, name) for one in value]


def _name(values: Values, default: str) -> str:
    return _text(values, "nombre", default).strip() or default


def _text(values: Values, key: str, default: str) -> str:
    value = values.get(key)
    if value in (None, ""):
        return default
    if not isinstance(value, str):
        raise UsageError(f"«{key}» debe ser un texto.")
    return "".join(character for character in value if character.isprintable())[:200]


def _minutes(values: Values, default: float) -> float:
    return number(_given(values, "dura_min", default), "La duración en minutos")


def number(value: object, name: str) -> float:
    """A value as a number, whole where it is. Raises UsageError."""
    try:
        found = float(str(value))
    except ValueError as error:
        raise UsageError(f"{name} debe ser un número; se encontró «{value}».") from error
    if isinstance(value, bool) or not abs(found) < 1e9:
        raise UsageError(f"{name} debe ser un número; se encontró «{value}».")
    return int(found) if found == int(found) else found


def _whole(value: object, name: str) -> int:
    found = number(value, name)
    if found != int(found):
        raise UsageError(f"{name} debe ser un número entero; se encontró «{value}».")
    return int(found)


# -- TOML ------------------------------------------------------------------------------------------


def _write(table: Mapping[str, Any], place: str, lines: list[str]) -> None:
    for key, value in table.items():
        if not _is_table(value):
            lines.append(f"{key} = {_toml_value(value)}")
    for key, value in table.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, Mapping):
            if any(not _is_table(inside) for inside in value.values()):
                lines.append(f"[{name}]")
            _write(value, name, lines)
        elif _is_table(value):
            for item in value:
                lines.append(f"[[{name}]]")
                _write(item, name, lines)
                lines.append("")


def _is_table(value: object) -> bool:
    # `cuando`, inside a fault, is a table of plain values: inline it stays with its fault.
    if isinstance(value, Mapping):
        return any(isinstance(inside, Mapping | list) for inside in value.values())
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _toml_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml_value(inside)}" for key, inside in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    # The escapes of JSON are also those of TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
