"""Loads a catalogue written by people: a folder with catalogo.toml and its tables.

The form is documented in docs/catalogo.md. Either the whole folder is good and a catalogue comes
out, or everything wrong in it is told (file, line, column, reason) and nothing is loaded.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from core.catalogs.assembly import ContestPlan, assemble
from core.catalogs.folder_contenders import (
    ballot_mask,
    check_territories,
    read_candidacies,
    read_contenders,
)
from core.catalogs.folder_tables import (
    FolderTables,
    read_casillas,
    read_catds,
    read_sections,
    read_territories,
)
from core.catalogs.listed_actas import read_listed_actas
from core.catalogs.plan import Plan, PlannedContest, read_plan
from core.catalogs.problems import Problems, TooManyProblemsError
from core.catalogs.tables import present
from core.catalogs.toml_file import TomlFile
from core.domain.catalog import Catalog
from core.errors import InputError

CATALOGUE = "catalogo.toml"
ACTAS = "actas.csv"
BALLOTS = "boletas.csv"


def load_catalog(folder: Path) -> Catalog:
    """The catalogue in a folder. Raises `CatalogError` with every problem found, up to a limit."""
    if not folder.is_dir():
        raise InputError(
            folder, message="no existe o no es una carpeta; se esperaba la carpeta de un catálogo"
        )
    problems = Problems()
    catalog: Catalog | None = None
    with suppress(TooManyProblemsError):
        catalog = _load(folder, problems)
    problems.raise_if_any()
    if catalog is None:
        raise InputError(folder / CATALOGUE, message="no se pudo leer el catálogo")
    return catalog


def _load(folder: Path, problems: Problems) -> Catalog | None:
    plan = read_plan(TomlFile(folder / CATALOGUE, problems))
    tables = FolderTables()
    planned = plan.contests if plan is not None else []
    read_territories(folder, problems, planned, tables)
    read_catds(folder, problems, tables)
    read_sections(folder, problems, tables)
    explicit = present(folder / ACTAS) or present(folder / BALLOTS)
    read_casillas(folder, problems, plan, tables, explicit)
    if plan is None:
        return None
    check_territories(planned, tables)
    planned = read_contenders(folder, problems, planned, tables)
    for one in planned:
        if one.field is None and not explicit:
            one.place.fault("columnas", message=f"con columnas listadas hacen falta {ACTAS} y {BALLOTS}")
    if problems.found:
        return None
    if explicit:
        contests = {one.contest.id: one.contest for one in planned}
        tables.listed = read_listed_actas(
            folder / ACTAS, folder / BALLOTS, problems, contests, tables.casillas, tables.casilla_codes
        )
    planned = read_candidacies(folder, problems, planned, tables)
    if problems.found:
        return None
    return _finish(plan, planned, tables)


def _finish(plan: Plan, planned: list[PlannedContest], tables: FolderTables) -> Catalog:
    if tables.listed is not None:
        casillas, layouts, actas = tables.casillas, tables.listed.layouts, tables.listed.actas
    else:
        plans = [
            ContestPlan(
                one.contest, one.acta, one.acta_especial, one.acta_especial_rp, partial(ballot_mask, one)
            )
            for one in planned
        ]
        casillas, layouts, actas = assemble(tables.casillas, plans, plan.allowance, tables.votes_in)
    return Catalog(
        entidad=plan.entidad,
        election=plan.election,
        distritos=tables.distritos,
        municipios=tables.municipios,
        catds=tables.catds,
        casillas=casillas,
        contests={one.contest.id: one.contest for one in planned},
        layouts=layouts,
        actas=actas,
        provenance=plan.provenance,
    )
