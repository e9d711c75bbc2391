"""The configuration of the room: a TOML file over the one that ships with it.

`sala.toml` documents each key. What the alerts, the continuity plan and the identity provider understand of
their tables is read by them; here those tables only have to be tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_room.alerts.thresholds import read as read_thresholds
from control_room.night.continuity_plan import ContinuityPlan
from control_room.night.continuity_plan import read as read_continuity
from core.catalogs.problems import Problems
from core.catalogs.toml_file import TomlFile, TomlTable
from core.errors import InputError

DEFAULTS = Path(__file__).parent / "sala.toml"
LEVELS = ("municipio", "distrito")
_SECTIONS = ("sala", "publicacion", "portal", "mapa", "oidc", "acceso", "alertas", "continuidad")


@dataclass(frozen=True, slots=True)
class MapConfig:
    """The map: `file` is a GeoJSON, None for the tile map; `property` holds the number of its territory."""

    file: Path | None
    level: str
    property: str


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """What the room does by configuration.

    `alerts`, `measures`, `oidc` and `access` are as written in the file.
    `cut_every_min` is None when the file does not say it: then the scenario or the cuts themselves do.
    """

    path: Path
    """The file it came from, for the errors of whoever reads the raw tables."""
    tick_s: float
    stale_s: float
    history_every_min: int
    title: str
    database_wait_s: float
    time_source: str
    cut_every_min: float | None
    public: str
    portal_url: str
    map: MapConfig
    alerts: Mapping[str, Any]
    measures: Sequence[Mapping[str, Any]]
    plan: ContinuityPlan
    oidc: Mapping[str, Any]
    access: Mapping[str, Any]


def load_config(path: Path | None = None) -> RoomConfig:
    """The configuration of a file over the shipped one; the shipped one when there is no file.

    Raises InputError (CatalogError with every fault) when a key is not known or is not what it must be.
    """
    problems = Problems()
    base = _read(DEFAULTS, problems)
    own = base if path is None else _read(path, problems)
    reader = _Reader(base, own)
    every = reader.number("sala", "historia_cada_min", 1, 60)
    folder = own.file.path.parent
    file = reader.text("mapa", "archivo")
    level = reader.text("mapa", "nivel")
    if level not in LEVELS:
        reader.fault("mapa", "nivel", f"uno de {', '.join(LEVELS)}", level)
    if int(every) != every:
        reader.fault("sala", "historia_cada_min", "un número entero de minutos", every)
    measures = reader.measures()
    problems.raise_if_any()
    plan = read_continuity(list(measures), str(own.file.path))
    config = RoomConfig(
        path=own.file.path,
        tick_s=reader.number("sala", "tick_s", 0.1, 60),
        stale_s=reader.number("sala", "viejo_s", 1, 600),
        history_every_min=int(every),
        title=reader.text("sala", "titulo"),
        database_wait_s=reader.number("sala", "base_s", 0.1, 60),
        time_source=reader.text("sala", "fuente_hora"),
        cut_every_min=reader.number("publicacion", "cada_min", 0, 240) or None,
        public=reader.text("publicacion", "destino"),
        portal_url=reader.text("portal", "url"),
        map=MapConfig((folder / file) if file else None, level, reader.text("mapa", "propiedad")),
        alerts=reader.mapping("alertas"),
        measures=measures,
        plan=plan,
        oidc=reader.mapping("oidc"),
        access=reader.mapping("acceso"),
    )
    if config.map.file is not None and not config.map.file.is_file():
        reader.fault("mapa", "archivo", "un archivo GeoJSON que exista", str(config.map.file))
    problems.raise_if_any()
    try:
        read_thresholds(config.alerts, str(config.path))
    except InputError as error:
        raise _with_line(error, own.file) from error
    return config


def _with_line(error: InputError, file: TomlFile) -> InputError:
    """The same fault with its line, when the file has the key."""
    if error.line is not None:
        return error
    line = file.lines.get(str(error.column))
    return InputError(error.file, line, error.column, error.expected, error.found, message=error.message)


def _read(path: Path, problems: Problems) -> TomlTable:
    file = TomlFile(path, problems)
    if file.root is None:
        raise problems.found[0]
    file.root.only(*_SECTIONS)
    return file.root


class _Reader:
    """Keys of a file over those of another, with the faults where they are."""

    def __init__(self, base: TomlTable, own: TomlTable) -> None:
        self._base = base
        self._own = own
        for section in ("sala", "publicacion", "portal", "mapa"):
            own.table(section, required=False).only(*base.table(section).data)

    def _place(self, section: str, key: str) -> tuple[TomlTable, Any]:
        own = self._own.table(section, required=False)
        if key in own.data:
            return own, own.data[key]
        base = self._base.table(section)
        return base, base.data[key]

    def fault(self, section: str, key: str, expected: str, found: object) -> None:
        """Note a fault of a key, in the file that has it."""
        self._place(section, key)[0].fault(key, expected, found)

    def number(self, section: str, key: str, least: float, most: float) -> float:
        """A number within [least, most]."""
        table, value = self._place(section, key)
        if type(value) not in (int, float) or not least <= value <= most:
            table.fault(key, f"un número de {least:g} a {most:g}", value)
            return least
        return float(value)

    def text(self, section: str, key: str) -> str:
        """A text, maybe empty."""
        table, value = self._place(section, key)
        if not isinstance(value, str):
            table.fault(key, "un texto entre comillas", value)
            return ""
        return value

    def mapping(self, section: str) -> Mapping[str, Any]:
        """A table for others to read: that of the file over the shipped one, table by table."""
        base = self._base.table(section, required=False).data
        return _over(base, self._own.table(section, required=False).data)

    def measures(self) -> Sequence[Mapping[str, Any]]:
        """The measures of the file when it has any, those shipped otherwise."""
        own = self._own.table("continuidad", required=False)
        own.only("medidas")
        found = own if "medidas" in own.data else self._base.table("continuidad", required=False)
        return [table.data for table in found.tables("medidas")]


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        before = merged.get(key)
        merged[key] = (
            _over(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


__all__ = ["DEFAULTS", "InputError", "MapConfig", "RoomConfig", "load_config"]
