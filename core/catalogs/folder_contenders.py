"""Who runs where, and who each column stands for: contendientes.csv and candidaturas.csv.

Checks the contenders of the plan against the territories of the folder. It builds no ballot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.catalogs.columns import Mask
from core.catalogs.folder_tables import FolderTables
from core.catalogs.plan import PlannedContest, restrict
from core.catalogs.problems import Problems
from core.catalogs.tables import Row, Table, present
from core.domain.contenders import Candidacy


def ballot_mask(planned: PlannedContest, territory: int | None, rp: bool) -> Mask:
    if planned.field is None:
        raise ValueError(f"{planned.contest.id}: listed columns have no rule")
    return planned.field.mask(planned.contest.columns, territory, rp)


def check_territories(planned: list[PlannedContest], tables: FolderTables) -> None:
    for one in planned:
        for place, territories in one.territories_at:
            for number in sorted(territories - tables.of(one).keys()):
                what = "municipio" if one.by_municipio else "distrito"
                place.fault("territorios", message=f"el {what} {number} no está en {what}s.csv")


def read_contenders(
    folder: Path, problems: Problems, planned: list[PlannedContest], tables: FolderTables
) -> list[PlannedContest]:
    """contendientes.csv: contenders that run only in the territories listed."""
    path = folder / "contendientes.csv"
    if not present(path):
        return planned
    only: dict[str, dict[str, set[int]]] = {one.contest.id: {} for one in planned}
    known = {one.contest.id: one for one in planned}
    for row in Table(path, problems, ("contienda", "codigo", "territorio")).rows:
        one = _known_contest(row, known)
        number, code = row.whole("territorio"), row.text("codigo")
        if one is None or number is None or code is None or not _known_code(row, one, code):
            continue
        if one.field is None:
            row.fault("contienda", message=f"la contienda {one.contest.id} tiene columnas listadas")
        elif _known_territory(row, one, tables, number):
            only[one.contest.id].setdefault(code, set()).add(number)
    return [
        restrict(one, {code: frozenset(places) for code, places in only[one.contest.id].items()})
        for one in planned
    ]


def read_candidacies(
    folder: Path, problems: Problems, planned: list[PlannedContest], tables: FolderTables
) -> list[PlannedContest]:
    """candidaturas.csv: who each column stands for; a column must be on the ballot of that territory."""
    path = folder / "candidaturas.csv"
    if not present(path):
        return planned
    known = {one.contest.id: one for one in planned}
    found: dict[str, list[Candidacy]] = {one.contest.id: [] for one in planned}
    lines: dict[tuple[str, int | None, str], int] = {}
    columns = ("contienda", "territorio", "codigo", "propietaria")
    for row in Table(path, problems, columns, ("suplente",)).rows:
        one = _known_contest(row, known)
        code, owner = row.text("codigo"), row.text("propietaria")
        number = row.optional("territorio")
        if one is None or code is None or owner is None or not _known_code(row, one, code):
            continue
        if number is not None and not _known_territory(row, one, tables, number):
            continue
        if not _on_ballot(one, tables, number, code):
            what = "municipio" if one.by_municipio else "distrito"
            row.fault(
                "codigo", message=f"{code} no está en la boleta de {one.contest.id} del {what} {number}"
            )
            continue
        if (one.contest.id, number, code) in lines:
            line = lines[one.contest.id, number, code]
            row.fault("codigo", message=f"la candidatura está repetida; ya está en la línea {line}")
            continue
        lines[one.contest.id, number, code] = row.line
        found[one.contest.id].append(Candidacy(number, code, owner, row.raw("suplente")))
    return [
        replace(one, contest=replace(one.contest, candidacies=tuple(found[one.contest.id])))
        for one in planned
    ]


def _on_ballot(one: PlannedContest, tables: FolderTables, territory: int | None, code: str) -> bool:
    if territory is None:
        return True
    position = one.contest.codes.index(code)
    if tables.listed is None:
        return ballot_mask(one, territory, False)[position]
    return any(
        tables.listed.layouts[acta.layout].applies[position]
        for acta in tables.listed.actas
        if acta.contest == one.contest.id
        and territory
        == (
            tables.casillas[acta.casilla].municipio
            if one.by_municipio
            else tables.casillas[acta.casilla].distrito
        )
    )


def _known_contest(row: Row, known: Mapping[str, PlannedContest]) -> PlannedContest | None:
    code = row.text("contienda")
    if code is None:
        return None
    if code not in known:
        row.fault("contienda", f"una contienda de catalogo.toml: {', '.join(known)}", code)
        return None
    return known[code]


def _known_code(row: Row, one: PlannedContest, code: str) -> bool:
    if code in one.contest.codes:
        return True
    row.fault("codigo", message=f"{code} no es contendiente de {one.contest.id}")
    return False


def _known_territory(row: Row, one: PlannedContest, tables: FolderTables, number: int) -> bool:
    if number in tables.of(one):
        return True
    what = "municipio" if one.by_municipio else "distrito"
    row.fault("territorio", message=f"el {what} {number} no está en {what}s.csv")
    return False
