"""What the service is told: options of the command over a TOML file over what the database says.

It opens nothing; whether the hours make sense is `due.Schedule`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from core.publishing.due import DEFAULT_MIN, MINUTE_MS, Schedule


@dataclass(frozen=True)
class Config:
    """How to publish. Names are those of the keys of the TOML file; None is what nobody said.

    `cada` in minutes; `inicio` and `cierre` in ms UTC; `presupuesto` in seconds.
    """

    base: str = ""
    trabajo: Path | None = None
    destino: tuple[str, ...] = ()
    llave: Path | None = None
    cada: int = DEFAULT_MIN
    inicio: int | None = None
    cierre: int | None = None
    imagenes: str | None = None
    presupuesto: int | None = None
    cierre_anticipado: bool = False
    responsable: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def schedule(self, starts_at: int, ends_at: int) -> Schedule:
        """The slots, within the operating period of the database (ms UTC).

        Raises UsageError when the hours asked for are not inside it.
        """
        first = starts_at if self.inicio is None else self.inicio
        end = ends_at if self.cierre is None else self.cierre
        if not starts_at <= first or not end <= ends_at:
            raise UsageError(
                "El inicio y el cierre de la publicación deben quedar dentro del periodo de la operación "
                f"(de {iso(starts_at)} a {iso(ends_at)})."
            )
        return Schedule(first, end, self.cada * MINUTE_MS)


_TEXTS = ("base", "imagenes", "responsable")
_PATHS = ("trabajo", "llave")
_LISTS = ("destino",)
_NUMBERS = ("cada", "presupuesto")
_TIMES = ("inicio", "cierre")
_FLAGS = ("cierre_anticipado",)
KEYS = (*_TEXTS, *_PATHS, *_LISTS, *_NUMBERS, *_TIMES, *_FLAGS)


def read_config(path: Path) -> Config:
    """Read a TOML file. Raises InputError naming the key and what was expected."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no es TOML válido: {error}") from error
    for key in found:
        if key not in KEYS:
            raise InputError(f"{path}: no existe la clave «{key}»; se esperaba una de {', '.join(KEYS)}.")
    values: dict[str, Any] = {}
    for key, value in found.items():
        values[key] = _value(path, key, value)
    return replace(Config(), **values)


def _value(path: Path, key: str, value: object) -> object:
    if key in _TEXTS and isinstance(value, str):
        return value
    if key in _PATHS and isinstance(value, str):
        return path.parent / value
    if key in _LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if key in _NUMBERS and type(value) is int and value >= 0:
        return value
    if key in _FLAGS and isinstance(value, bool):
        return value
    if key in _TIMES:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return round(value.timestamp() * 1000)
        if isinstance(value, str):
            return parse_time(value)
    wanted = {
        **dict.fromkeys((*_TEXTS, *_PATHS), "un texto"), **dict.fromkeys(_LISTS, "una lista de textos"),
        **dict.fromkeys(_NUMBERS, "un número entero"), **dict.fromkeys(_FLAGS, "true o false"),
        **dict.fromkeys(_TIMES, "una hora con su diferencia con UTC"),
    }[key]  # fmt: skip
    raise InputError(f"{path}: «{key}» debe ser {wanted}.")


def over(config: Config, /, **given: Any) -> Config:
    """A configuration with what was said besides; None and empty lists leave what there was."""
    known = {one.name for one in fields(Config)}
    said = {name: value for name, value in given.items() if name in known and value not in (None, (), False)}
    return replace(config, **said)


def parse_time(text: str) -> int:
    """ms UTC of an ISO 8601 time that says its difference with UTC. Raises UsageError otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"«{text}» no es una hora ISO 8601, como 2027-06-06T20:00:00-06:00.") from error
    if found.tzinfo is None:
        raise UsageError(f"La hora «{text}» debe decir su diferencia con UTC, como -06:00.")
    return round(found.timestamp() * 1000)


def iso(at: int) -> str:
    """A time (ms UTC) for people, in UTC."""
    from datetime import UTC

    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
