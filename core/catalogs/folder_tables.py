"""The territories, CATDs, secciones and casillas of a catalogue folder.

Each table is read against those before it, and what is wrong in a line is noted with its place.
Contests and contenders are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.catalogs.ballots import casilla_key
from core.catalogs.listed_actas import ListedActas
from core.catalogs.plan import Plan, PlannedContest
from core.catalogs.problems import Problems
from core.catalogs.tables import Row, Table, present
from core.domain.catalog import CASILLA_TYPES, WITHOUT_SECTION, Casilla, Catd, Territory


@dataclass
class FolderTables:
    """What the tables of a folder hold, cross references resolved."""

    distritos: dict[int, Territory] = field(default_factory=dict)
    municipios: dict[int, Territory] = field(default_factory=dict)
    catds: list[Catd] = field(default_factory=list)
    catd_codes: dict[str, int] = field(default_factory=dict)
    sections: dict[int, tuple[int | None, int | None]] | None = None
    casillas: list[Casilla] = field(default_factory=list)
    casilla_codes: dict[str, int] = field(default_factory=dict)
    votes_in: dict[int, frozenset[str]] = field(default_factory=dict)
    listed: ListedActas | None = None

    def of(self, planned: PlannedContest) -> dict[int, Territory]:
        """The territories a contest is published by."""
        return self.municipios if planned.by_municipio else self.distritos


def read_territories(
    folder: Path, problems: Problems, planned: list[PlannedContest], tables: FolderTables
) -> None:
    for name, target, needed in (
        ("distritos.csv", tables.distritos, any(not one.by_municipio for one in planned)),
        ("municipios.csv", tables.municipios, any(one.by_municipio for one in planned)),
    ):
        path = folder / name
        if not needed and not present(path):
            continue
        lines: dict[int, int] = {}
        for row in Table(path, problems, ("id", "nombre")).rows:
            number, label = row.whole("id", 1, 99_999), row.text("nombre")
            if number is None or label is None:
                continue
            if number in lines:
                row.fault("id", message=f"{number} está repetido; ya está en la línea {lines[number]}")
                continue
            lines[number] = row.line
            target[number] = Territory(number, label)


def read_catds(folder: Path, problems: Problems, tables: FolderTables) -> None:
    lines: dict[str, int] = {}
    for row in Table(folder / "catds.csv", problems, ("catd", "nombre"), ("distrito", "municipio")).rows:
        code, name = row.text("catd"), row.text("nombre")
        distrito, municipio = _place(row, tables)
        if code is None or name is None:
            continue
        if code in lines:
            row.fault("catd", message=f"{code} está repetido; ya está en la línea {lines[code]}")
            continue
        lines[code] = row.line
        tables.catd_codes[code] = len(tables.catds)
        tables.catds.append(Catd(len(tables.catds), name, distrito, municipio))


def _place(row: Row, tables: FolderTables) -> tuple[int | None, int | None]:
    """Distrito and municipio of a line, either empty; those not in their table are noted."""
    found: list[int | None] = []
    for column, known in (("distrito", tables.distritos), ("municipio", tables.municipios)):
        number = row.optional(column)
        if number is not None and number not in known:
            row.fault(column, message=f"el {column} {number} no está en {column}s.csv")
            number = None
        found.append(number)
    return found[0], found[1]


def read_sections(folder: Path, problems: Problems, tables: FolderTables) -> None:
    path = folder / "secciones.csv"
    if not present(path):
        return
    tables.sections = {}
    lines: dict[int, int] = {}
    for row in Table(path, problems, ("seccion",), ("distrito", "municipio")).rows:
        number = row.whole("seccion", 1, 99_999)
        place = _place(row, tables)
        if number is None:
            continue
        if number in lines:
            row.fault("seccion", message=f"{number} está repetida; ya está en la línea {lines[number]}")
            continue
        lines[number] = row.line
        tables.sections[number] = place


_CASILLA_REQUIRED = ("seccion", "tipo", "numero", "lista_nominal", "catd")
_CASILLA_OPTIONAL = (
    "id",
    "clave",
    "ext_contigua",
    "ubicacion",
    "representantes",
    "distrito",
    "municipio",
    "contiendas",
)


def read_casillas(
    folder: Path, problems: Problems, plan: Plan | None, tables: FolderTables, explicit: bool
) -> None:
    contests = {one.contest.id: one for one in plan.contests} if plan is not None else {}
    key_lines: dict[str, int] = {}
    code_lines: dict[str, int] = {}
    entidad = plan.entidad.id if plan is not None else 0
    for row in Table(folder / "casillas.csv", problems, _CASILLA_REQUIRED, _CASILLA_OPTIONAL).rows:
        faults = len(problems.found)
        tipo = row.raw("tipo")
        if tipo not in CASILLA_TYPES:
            row.fault("tipo", f"uno de {', '.join(sorted(CASILLA_TYPES))}", tipo)
        without = tipo in WITHOUT_SECTION
        seccion = row.optional("seccion", 1, 99_999) if without else row.whole("seccion", 1, 99_999)
        numero = row.whole("numero", 0, 99)
        ext = row.optional("ext_contigua", 0, 99)
        ubicacion = row.optional("ubicacion", 1, 2)
        voters = row.whole("lista_nominal", 1 if tipo in ("B", "C", "E", "U") else 0, 9_999_999)
        representantes = row.optional("representantes")
        catd = row.text("catd")
        if catd is not None and catd not in tables.catd_codes:
            row.fault("catd", message=f"el CATD {catd} no está en catds.csv")
        votes_in = _contests_of(row, contests)
        distrito, municipio = _casilla_place(row, tables, seccion)
        if not without and not explicit and len(problems.found) == faults:
            _needs_place(row, [contests[code] for code in votes_in or contests], distrito, municipio)
        if len(problems.found) > faults or numero is None or voters is None or catd is None:
            continue
        key = row.raw("clave") or casilla_key(entidad, seccion, tipo, numero, ext or 0)
        if not without and key in key_lines:
            row.fault(
                "clave", message=f"la casilla {key} está repetida; ya está en la línea {key_lines[key]}"
            )
            continue
        key_lines.setdefault(key, row.line)
        code = row.raw("id") or key
        if row.raw("id") and code in code_lines:
            row.fault("id", message=f"{code} está repetido; ya está en la línea {code_lines[code]}")
            continue
        code_lines[code] = row.line
        number = len(tables.casillas)
        tables.casilla_codes.setdefault(code, number)
        if votes_in:
            tables.votes_in[number] = votes_in
        tables.casillas.append(
            Casilla(
                number,
                key,
                seccion,
                tipo,
                numero,
                ext or 0,
                ubicacion or 1,
                voters,
                representantes,
                distrito,
                municipio,
                tables.catd_codes[catd],
            )
        )


def _contests_of(row: Row, contests: Mapping[str, PlannedContest]) -> frozenset[str]:
    """Contests a casilla takes part in; empty for all."""
    written = row.raw("contiendas").split()
    for code in written:
        if code not in contests:
            row.fault("contiendas", f"contiendas de catalogo.toml: {', '.join(contests)}", code)
    return frozenset(written)


def _casilla_place(row: Row, tables: FolderTables, seccion: int | None) -> tuple[int | None, int | None]:
    """Where a casilla is: what its line says, completed with what its sección says."""
    distrito, municipio = _place(row, tables)
    if tables.sections is None or seccion is None:
        return distrito, municipio
    if seccion not in tables.sections:
        row.fault("seccion", message=f"la sección {seccion} no está en secciones.csv")
        return distrito, municipio
    for column, own, usual in zip(
        ("distrito", "municipio"), (distrito, municipio), tables.sections[seccion], strict=True
    ):
        if own is not None and usual is not None and own != usual:
            row.fault(column, message=f"dice {own} y secciones.csv dice {usual} para la sección {seccion}")
    by_section = tables.sections[seccion]
    return (
        by_section[0] if distrito is None else distrito,
        by_section[1] if municipio is None else municipio,
    )


def _needs_place(
    row: Row, contests: list[PlannedContest], distrito: int | None, municipio: int | None
) -> None:
    if distrito is None and any(not one.by_municipio for one in contests):
        row.fault("distrito", message="falta el distrito de la casilla")
    if municipio is None and any(one.by_municipio for one in contests):
        row.fault("municipio", message="falta el municipio de la casilla")
