"""A dialect read from its TOML file and checked; or a dialect adapted to a file seen.

The texts, names and order of columns of a results CSV come from here. Nothing here renders a row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any

from core.domain.catalog import Scope
from core.domain.observations import ObservationTable
from core.domain.rules import RULES, SITUATIONS, Severity
from core.errors import PrepError
from core.published.layout import TOTAL_COLUMNS, Layout

DIALECTS: tuple[str, ...] = ("opl-2024", "opl-2024-acentos", "ine-2024", "qroo-2019")
"""Dialects that ship with the project."""

DEFAULT_DIALECT = "opl-2024-acentos"
"""What Jalisco writes unless it says otherwise."""

PUBLISHED_CODES: tuple[str, ...] = (
    *(rule.code for rule in RULES if rule.severity is not Severity.NOTICE),
    *(situation.code for situation in SITUATIONS),
)
"""Codes every dialect must have a text for."""

GROUPS: tuple[str, ...] = (
    "votos", "totales", "asentado", "calculado", "contabilizada", "mecanismo", "integridad", "acopio",
    "captura", "verificacion", "origen", "digitalizacion", "documento", "cotejada",
)  # fmt: skip
"""Groups of cells that a row without data fills by configuration."""

_FOR_LAYOUT = {
    "qroo-2019": "qroo-2019",
    "opl-pipes": "qroo-2019",
    "ine-2018": "ine-2024",
    "ine-2021": "ine-2024",
    "ine-2024": "ine-2024",
    "cdmx-2024": "opl-2024",
    "opl-2022": "opl-2024",
    "opl-2024": "opl-2024",
}


class DialectError(PrepError):
    """There is no such dialect, or its configuration is incomplete."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How the lines of the file are written. Formats are those of strftime, in local time."""

    encoding: str
    bom: bool
    separator: str
    newline: str
    sep_line: bool
    after_date: tuple[str, ...]
    after_counters: tuple[str, ...]
    trailer: str
    """What follows the last row, its line end included."""
    cut_format: str
    time_format: str
    time_suffix: str
    wrapper: str
    wrapped: frozenset[str]
    """Canonical columns that carry the wrapper against spreadsheets."""


@dataclass(frozen=True, slots=True)
class MissingRow:
    """Texts of a row without data, by group of cells; None where the acta's own value goes."""

    votos: str | None
    totales: str | None
    asentado: str | None
    calculado: str | None
    contabilizada: str | None
    mecanismo: str | None
    integridad: str | None
    acopio: str | None
    captura: str | None
    verificacion: str | None
    origen: str | None
    digitalizacion: str | None
    documento: str | None
    cotejada: str | None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing a results CSV.

    `lead_columns` come before the votes and `tail_columns` after; ID_TERRITORIO and TERRITORIO
    stand for the distrito or municipio and take their name from `territory`. `no_total` names the
    totals that do not exist by TIPO_CASILLA. `inconsistent` are the observation texts that enter
    PORCENTAJE_ACTAS_INCONSISTENCIAS, declared apart from the rules so that a recount of a file
    does not depend on them.
    """

    name: str
    description: str
    file: FileFormat
    observations: ObservationTable
    inconsistent: frozenset[str]
    lead_columns: tuple[str, ...]
    tail_columns: tuple[str, ...]
    territory: Mapping[Scope, tuple[str, str]]
    names: Mapping[str, str]
    digits: Mapping[str, int]
    ilegible: str
    sin_dato: str
    no_compite: str
    no_aplica: str
    sin_hora: str
    media: Mapping[str, str]
    no_total: Mapping[str, frozenset[str]]
    not_captured: MissingRow
    sin_acta: MissingRow
    outside: MissingRow
    outside_keys: str
    outside_ubicacion: str
    outside_lista: str

    def columns(self, scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Canonical columns before and after the votes, for a contest published by `scope`."""
        territory = "MUNICIPIO" if scope is Scope.MUNICIPIO else "DISTRITO"
        lead = tuple(
            {"ID_TERRITORIO": f"ID_{territory}", "TERRITORIO": territory}.get(name, name)
            for name in self.lead_columns
        )
        return lead, self.tail_columns

    def written(self, canonical: str, scope: Scope) -> str:
        """The name a canonical column is written with."""
        key, name = self.territory[scope]
        if canonical in ("ID_DISTRITO", "ID_MUNICIPIO"):
            return key
        if canonical in ("DISTRITO", "MUNICIPIO"):
            return name
        return self.names.get(canonical, canonical)

    def like(self, layout: Layout) -> Dialect:
        """This dialect's texts in the lines, separators, wrappers and times of a file seen."""
        return replace(
            self,
            file=FileFormat(
                encoding=layout.encoding,
                bom=layout.bom,
                separator=layout.separator,
                newline=layout.newline,
                sep_line=layout.has_sep_line,
                after_date=layout.after_date,
                after_counters=layout.after_counters,
                trailer=layout.trailer,
                cut_format=layout.cut_format,
                time_format=layout.date_format,
                time_suffix=layout.time_suffix,
                wrapper=layout.key_wrapper,
                wrapped=frozenset(layout.wrapped_columns),
            ),
        )


def dialect_for(layout: Layout) -> Dialect:
    """The dialect of a file seen: the shipped one whose texts it uses, with the file's own layout."""
    return load_dialect(_FOR_LAYOUT.get(layout.name, "opl-2024")).like(layout)


@cache
def load_dialect(name: str) -> Dialect:
    """Read a dialect that ships with the project.

    Raises DialectError when there is none of that name, or when it lacks the text of a rule.
    """
    return read_dialect(_document(name))


def _document(name: str) -> dict[str, Any]:
    """The TOML of a dialect over that of its base."""
    if name not in DIALECTS:
        raise DialectError(f"no hay un dialecto «{name}»; los que hay son {', '.join(DIALECTS)}")
    text = (resources.files("core.publication.dialects") / f"{name}.toml").read_text(encoding="utf-8")
    own = tomllib.loads(text)
    base = own.pop("base", None)
    return _merged(_document(base), own) if base else own


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in own.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return result


def read_dialect(raw: dict[str, Any]) -> Dialect:
    """A dialect from its document, every table present. Raises DialectError naming what is missing."""
    name = str(raw.get("nombre", "sin nombre"))
    try:
        file, texts, outside = raw["archivo"], raw["textos"], raw["fuera_de_catalogo"]
        dialect = Dialect(
            name=name,
            description=raw["descripcion"],
            file=FileFormat(
                encoding=file["codificacion"],
                bom=file["bom"],
                separator=file["separador"],
                newline=file["salto"],
                sep_line=file["linea_sep"],
                after_date=tuple(file["lineas_tras_corte"]),
                after_counters=tuple(file["lineas_tras_contadores"]),
                trailer=file["final"],
                cut_format=file["formato_corte"],
                time_format=file["formato_hora"],
                time_suffix=file["sufijo_hora"],
                wrapper=file["envoltura"],
                wrapped=frozenset(file["envueltas"]),
            ),
            observations=_observations(raw["observaciones"]),
            inconsistent=frozenset(raw["observaciones"]["inconsistencias"]),
            lead_columns=tuple(raw["columnas"]["identificacion"]),
            tail_columns=tuple(raw["columnas"]["resto"]),
            territory={Scope(key): (pair[0], pair[1]) for key, pair in raw["columnas"]["territorio"].items()},
            names=raw["columnas"]["nombres"],
            digits=raw["columnas"]["digitos"],
            ilegible=texts["ilegible"],
            sin_dato=texts["sin_dato"],
            no_compite=texts["no_compite"],
            no_aplica=texts["no_aplica"],
            sin_hora=texts["sin_hora"],
            media=texts["digitalizacion"],
            no_total={tipo: frozenset(names) for tipo, names in raw["no_aplica"].items()},
            not_captured=_missing(raw["no_capturada"]),
            sin_acta=_missing(raw["sin_acta"]),
            outside=_missing(outside),
            outside_keys=outside["claves"],
            outside_ubicacion=outside["ubicacion"],
            outside_lista=outside["lista_nominal"],
        )
    except KeyError as error:
        raise DialectError(f"al dialecto «{name}» le falta {error}") from error
    _check(dialect)
    return dialect


def _missing(table: Mapping[str, Any]) -> MissingRow:
    own = frozenset(table["del_acta"])
    return MissingRow(**{group: None if group in own else table[group] for group in GROUPS})


def _observations(table: Mapping[str, Any]) -> ObservationTable:
    """The combinations in precedence order; `unidas` are expanded, the largest combination first."""
    rows: list[tuple[frozenset[str], str]] = []
    parts = table.get("unidas", [])
    joint = table.get("unidas_con", "")
    for size in range(len(parts), 0, -1):
        for chosen in combinations(parts, size):
            codes = frozenset(code for part in chosen for code in part["codigos"])
            rows.append((codes, joint.join(part["texto"] for part in chosen)))
    rows.extend((frozenset(row["codigos"]), row["texto"]) for row in table["tabla"])
    return ObservationTable(tuple(rows), table["ninguna"], table["no_capturada"])


def _check(dialect: Dialect) -> None:
    for code in PUBLISHED_CODES:
        try:
            dialect.observations.text((code,))
        except KeyError:
            raise DialectError(f"el dialecto «{dialect.name}» no tiene texto para {code}") from None
    for tipo, names in dialect.no_total.items():
        strange = names - set(TOTAL_COLUMNS)
        if strange:
            raise DialectError(
                f"el dialecto «{dialect.name}» dice que en las casillas {tipo} no aplica "
                f"{', '.join(sorted(strange))}; se esperaban columnas de {', '.join(TOTAL_COLUMNS)}"
            )
