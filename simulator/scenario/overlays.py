"""Puts a scenario together from several TOML files: a base, incidents on top, and where each key came from.

Tables merge key by key, a value replaces the one below, the tables of a list are added to those there
(an empty list takes them away). Nothing is validated here but the header of an incident: what the keys
mean is `document`, and telling what is wrong with them is `file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from core.catalogs.problems import Problems
from core.catalogs.toml_file import TomlFile
from core.errors import InputError
from simulator.scenario.base import Part, key

HEADER = "incidencia"
BASE = "base"
WITH = "con"
OWN_OF_A_NIGHT = ("formato", "nombre", "catalogo", BASE, WITH)
"""Keys an overlay may not have: it changes what happens in a night, never which night it is."""


class IncidentHeader(Part):
    """What an incident of the library is about; it changes nothing of the night."""

    code: str = key("clave", "clave de la incidencia, por ejemplo X04", pattern=r"^[A-Z]\d{2}$")
    title: str = key("titulo", "nombre para las personas", min_length=1)
    happened: str = key("que_paso", "qué pasó, dónde y cuándo", min_length=1)
    does: str = key("efecto", "qué hace en la noche y por cuál mecanismo", min_length=1)
    detect: str = key("detectar", "con qué se detecta", min_length=1)
    react: str = key("reaccionar", "qué se hace", min_length=1)
    limits: str = key("limites", "qué no reproduce", "")
    source: str = key("fuente", "de dónde se sabe", min_length=1)


@dataclass(frozen=True, slots=True)
class Origin:
    """The place of a key: a file and its line, 1-based; None when the line is not known."""

    path: Path
    line: int | None


Origins: TypeAlias = dict[str, tuple[Origin, ...]]
"""By place ('a.b', or 'a#0.b' inside the first [[a]]): every file that wrote there, in order."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A file laid on top of a scenario; `header` is None when it says nothing of itself."""

    path: Path
    sha256: str
    header: IncidentHeader | None

    def as_data(self) -> dict[str, object]:
        """For the summary of a night: which file it was, not where it lies on the disk."""
        return {
            "archivo": self.path.name,
            "sha256": self.sha256,
            "clave": self.header.code if self.header else None,
            "titulo": self.header.title if self.header else None,
        }


@dataclass
class Composed:
    """What several files say together."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)
    overlays: list[Overlay] = field(default_factory=list)


def compose(path: Path, overlays: Sequence[Path], problems: Problems) -> Composed:
    """The document, what it stands on, and the overlays in order; faults go to `problems`.

    A document names with `base` another one it changes and with `con` overlays of its own, both by
    relative path. Each is read before the document, which has the last word; the given overlays come after.
    """
    composed = Composed()
    _document(path, composed, problems, ())
    for overlay in overlays:
        _overlay(overlay, composed, problems)
    return composed


def read_incident(path: Path) -> IncidentHeader:
    """The header of an incident of the library. Raises InputError when it has none or a wrong one."""
    problems = Problems()
    file = TomlFile(path, problems)
    header = _header(file, problems) if file.root is not None else None
    if problems.found:
        raise problems.found[0]
    if header is None:
        raise InputError(path, None, HEADER, message=f"falta la tabla [{HEADER}]")
    return header


def _document(path: Path, composed: Composed, problems: Problems, above: tuple[Path, ...]) -> None:
    file = _open(path, problems)
    if file is None or file.root is None:
        return
    data = dict(file.root.data)
    if HEADER in data:
        file.root.fault(HEADER, message="es una incidencia: va encima de un escenario, con --con")
        return
    base, on_top = data.pop(BASE, None), data.pop(WITH, [])
    seen = (*above, path.resolve())
    if base is not None and not isinstance(base, str):
        file.root.fault(BASE, "la ruta de otro escenario, entre comillas", base)
    elif base is not None and (path.parent / base).resolve() in seen:
        file.root.fault(BASE, message=f"«{base}» vuelve a este mismo escenario")
    elif base is not None:
        _document(path.parent / base, composed, problems, seen)
    if not isinstance(on_top, list) or not all(isinstance(one, str) for one in on_top):
        file.root.fault(WITH, "una lista de rutas de incidencias, entre comillas", on_top)
    else:
        for one in on_top:
            _overlay(path.parent / one, composed, problems)
    _merge(composed, composed.data, data, file, "", "")


def _overlay(path: Path, composed: Composed, problems: Problems) -> None:
    file = _open(path, problems)
    if file is None or file.root is None:
        return
    header = _header(file, problems)
    data = dict(file.root.data)
    data.pop(HEADER, None)
    for name in OWN_OF_A_NIGHT:
        if name in data:
            del data[name]
            file.root.fault(name, message="es de un escenario; lo que se pone encima no puede cambiarla")
    _merge(composed, composed.data, data, file, "", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    composed.overlays.append(Overlay(path, digest, header))


def _open(path: Path, problems: Problems) -> TomlFile | None:
    if not path.is_file():
        problems.add(
            path, None, None, message="no existe o no es un archivo; se esperaba un escenario en TOML"
        )
        return None
    return TomlFile(path, problems)


def _header(file: TomlFile, problems: Problems) -> IncidentHeader | None:
    assert file.root is not None
    data = file.root.data.get(HEADER)
    if data is None:
        return None
    try:
        return IncidentHeader.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            name = ".".join([HEADER, *(str(part) for part in one["loc"])])
            line = file.lines.get(name, file.lines.get(HEADER))
            expected = {"missing": "esta clave", "extra_forbidden": "una de las claves de una incidencia"}
            words = expected.get(one["type"], "un texto como dice docs/escenarios.md")
            problems.add(file.path, line, name, words)
        return None


def _merge(
    composed: Composed, target: dict[str, Any], data: Mapping[str, Any], file: TomlFile, here: str, place: str
) -> None:
    """Lay `data`, found in the file at `here`, on `target`, which is at `place` of the whole."""
    for name, value in data.items():
        inside = f"{here}.{name}" if here else name
        whole = f"{place}.{name}" if place else name
        below = target.get(name)
        if isinstance(value, dict):
            if not isinstance(below, dict):
                _forget(composed.origins, whole)
                below = target[name] = {}
            _note(composed.origins, whole, file, inside)
            _merge(composed, below, value, file, inside, whole)
        elif _tables(value):
            if not (isinstance(below, list) and (not below or _tables(below))):
                _forget(composed.origins, whole)
                below = target[name] = []
            _note(composed.origins, whole, file, inside)
            for number, item in enumerate(value):
                at = f"{whole}#{len(below)}"
                below.append({})
                _note(composed.origins, at, file, f"{inside}#{number}")
                _merge(composed, below[-1], item, file, f"{inside}#{number}", at)
        else:
            _forget(composed.origins, whole)
            target[name] = value
            _note(composed.origins, whole, file, inside)


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _note(origins: Origins, whole: str, file: TomlFile, inside: str) -> None:
    line = file.lines.get(inside)
    while line is None and inside:
        # Inside an inline table the lines of the keys are not known: that of the table is.
        inside = inside[: max(inside.rfind("."), inside.rfind("#"), 0)]
        line = file.lines.get(inside)
    origins[whole] = (*origins.get(whole, ()), Origin(file.path, line))


def _forget(origins: Origins, whole: str) -> None:
    for place in [one for one in origins if one == whole or one.startswith((f"{whole}.", f"{whole}#"))]:
        del origins[place]
