"""Rebuilds the catalogue of a real night from the files it published.

A results file says, row by row, which acta was expected, so the catalogue can be read out of it:
territories, casillas, which columns each ballot had, how many votes each acta could hold. Files of
one night share their casillas. It changes nothing in the files, tells no votes and no times, and
lists as a `Repair` every cell whose published value it does not take.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from core.catalogs.ballots import SPECIAL_BALLOTS, LayoutBook, acta_limit, representatives_margin
from core.catalogs.entidades import abbreviation_of
from core.catalogs.import_rows import (
    CAPTURED,
    LONG_CONTIGUA,
    NOT_THERE,
    SCOPES,
    CatalogueRow,
    Repair,
    identity_of,
    outside,
    read_rows,
    territory_column_of,
    whole,
)
from core.catalogs.imported_territory import catds_for
from core.catalogs.problems import Problems, TooManyProblemsError
from core.domain.catalog import (
    SPECIAL,
    WITHOUT_SECTION,
    ActaEntry,
    Casilla,
    Catalog,
    Contest,
    Entidad,
    Scope,
    Territory,
)
from core.domain.contenders import MAX_COLUMNS, guess_contender
from core.errors import InputError
from core.published.reader import PublishedFile, unwrap

_BALLOTS_AT_LEAST = 500
"""A REPRESENTANTES_PP_CI this large in a casilla especial is its approved ballots (OPL 2024)."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A casilla that two files of one night describe differently; each keeps its own entry."""

    key: str
    contest: str
    column: str
    first: str
    second: str


@dataclass
class ImportedCatalog:
    """A catalogue read from published files.

    `rows` has, by contest and by position of the row in its file, the id of the acta, or None for
    a row fuera de catálogo.
    """

    catalog: Catalog
    rows: dict[str, list[int | None]]
    repairs: list[Repair]
    disagreements: list[Disagreement] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A casilla while the files are joined; the order of the fields is that of `Casilla` after the id."""

    key: str
    seccion: int | None
    tipo: str
    numero: int
    ext: int
    ubicacion: int
    lista_nominal: int
    representantes: int | None
    distrito: int | None = None
    municipio: int | None = None


def import_published(files: Sequence[PublishedFile]) -> ImportedCatalog:
    """Rebuild the catalogue of one night from its published files, one per contest.

    Actas keep the order of the rows of each file. Raises `InputError` (a `CatalogError` with every
    fault) when the files are not of one entidad, one contest comes twice, or a row in catalogue
    cannot be read.
    """
    if not files:
        raise ValueError("at least one file is needed")
    entidad = _entidad(files)
    problems = Problems()
    repairs: list[Repair] = []
    rows_of: dict[str, list[CatalogueRow]] = {}
    with suppress(TooManyProblemsError):
        for file in files:
            rows_of[file.contest] = read_rows(file, problems, repairs)
    problems.raise_if_any()

    drafts: list[_Draft] = []
    known: dict[tuple[object, ...], int] = {}
    disagreements: list[Disagreement] = []
    casilla_of: dict[str, list[int]] = {
        contest: [_join(row, contest, drafts, known, disagreements) for row in rows]
        for contest, rows in rows_of.items()
    }
    distritos, municipios = _territories(files)
    catds, catd_of = catds_for(
        [(d.distrito, d.municipio) for d in drafts], distritos, municipios, entidad.name
    )
    casillas = [
        Casilla(
            number,
            d.key,
            d.seccion,
            d.tipo,
            d.numero,
            d.ext,
            d.ubicacion,
            d.lista_nominal,
            d.representantes,
            d.distrito,
            d.municipio,
            catd_of[number],
        )
        for number, d in enumerate(drafts)
    ]

    contests: dict[str, Contest] = {}
    actas: list[ActaEntry] = []
    mappings: dict[str, list[int | None]] = {}
    book = LayoutBook()
    remarks: list[str] = []
    for file in files:
        contest = _contest(file)
        contests[contest.id] = contest
        masks = _masks(file, rows_of[contest.id])
        voted = _published_those_who_voted(file)
        if voted:
            remarks.append(
                f"{file.path.name}: REPRESENTANTES_PP_CI trae las representaciones que votaron, no las "
                "acreditadas; el margen es de 2 por partido o independiente con línea en la boleta"
            )
        mapping: list[int | None] = [None] * len(file.rows)
        for row, casilla in zip(rows_of[contest.id], casilla_of[contest.id], strict=True):
            mask = masks[row.territory, row.tipo_acta]
            limit = _limit(row, voted, representatives_margin(contest.columns, mask))
            mapping[row.position] = len(actas)
            actas.append(
                ActaEntry(
                    len(actas),
                    row.acta_key,
                    contest.id,
                    casilla,
                    row.tipo_acta,
                    book.id_of(contest.id, mask),
                    limit,
                )
            )
        mappings[contest.id] = mapping
    catalog = Catalog(
        entidad=entidad,
        election=f"{entidad.name} {files[0].cut_at.year}",
        distritos=distritos,
        municipios=municipios,
        catds=catds,
        casillas=casillas,
        contests=contests,
        layouts=book.layouts,
        actas=actas,
        provenance=_provenance(files, repairs, disagreements, remarks),
    )
    return ImportedCatalog(catalog, mappings, repairs, disagreements)


def _entidad(files: Sequence[PublishedFile]) -> Entidad:
    """The one entidad of the files, and the checks that need all of them."""
    seen: set[str] = set()
    codes: dict[str, tuple[PublishedFile, int, str]] = {}
    for file in files:
        if file.contest in seen:
            raise InputError(
                file.path,
                message=f"hay dos archivos de la elección {file.contest}; se esperaba uno por elección",
            )
        seen.add(file.contest)
        if file.utc_offset_hours != files[0].utc_offset_hours:
            raise InputError(
                file.path,
                message=f"su huso es UTC{file.utc_offset_hours} y el de {files[0].path.name} "
                f"es UTC{files[0].utc_offset_hours}; se esperaban archivos de una misma noche",
            )
        for row, line in zip(file.rows, file.row_lines, strict=True):
            code = unwrap(file.cell(row, "ID_ENTIDAD"))
            if code not in NOT_THERE and code not in codes:
                codes[code] = (file, line, unwrap(file.cell(row, "ENTIDAD")))
                if len(codes) > 1 or not code.isdigit():
                    expected = "el número de una sola entidad en todas las filas"
                    raise InputError(file.path, line, "ID_ENTIDAD", expected, code)
    if not codes:
        raise InputError(files[0].path, message="ninguna fila dice de qué entidad es; se esperaba ID_ENTIDAD")
    code, (_, _, name) = next(iter(codes.items()))
    number = int(code)
    return Entidad(number, name, abbreviation_of(number), files[0].utc_offset_hours * 60)


def _contest(file: PublishedFile) -> Contest:
    names = [file.canonical[file.index(written)] for written in file.vote_columns]
    if len(names) > MAX_COLUMNS:
        raise InputError(
            file.path,
            file.column_line,
            message=f"tiene {len(names)} columnas de votos; se aceptan hasta {MAX_COLUMNS}",
        )
    columns = tuple(guess_contender(name) for name in names)
    return Contest(file.contest, file.title, SCOPES[file.contest], columns)


def _join(
    row: CatalogueRow,
    contest: str,
    drafts: list[_Draft],
    known: dict[tuple[object, ...], int],
    disagreements: list[Disagreement],
) -> int:
    """The casilla of a row: one already seen in this night, or a new one."""
    municipal = SCOPES[contest] is Scope.MUNICIPIO
    identity = (*identity_of(row), row.ordinal)
    if row.tipo in WITHOUT_SECTION:
        # Voto anticipado and the like are gathered per contest, each with its own list of voters.
        identity = (contest, *identity)
    number = known.get((contest, "own", *identity), known.get(identity))
    if number is not None:
        draft = drafts[number]
        differs = _differences(draft, row, municipal)
        if not differs:
            if municipal:
                draft.municipio = row.territory
            else:
                draft.distrito = row.territory
            return number
        disagreements.extend(
            Disagreement(row.key, contest, column, str(first), str(second))
            for column, first, second in differs
        )
        identity = (contest, "own", *identity)
    known[identity] = len(drafts)
    drafts.append(
        _Draft(
            row.key,
            row.seccion,
            row.tipo,
            row.numero,
            row.ext,
            row.ubicacion,
            row.lista_nominal,
            row.representantes,
            None if municipal else row.territory,
            row.territory if municipal else None,
        )
    )
    return len(drafts) - 1


def _differences(draft: _Draft, row: CatalogueRow, municipal: bool) -> list[tuple[str, object, object]]:
    placed = draft.municipio if municipal else draft.distrito
    pairs: list[tuple[str, object, object]] = [
        ("LISTA_NOMINAL", draft.lista_nominal, row.lista_nominal),
        ("UBICACION_CASILLA", draft.ubicacion, row.ubicacion),
        ("REPRESENTANTES_PP_CI", draft.representantes, row.representantes),
    ]
    if placed is not None:
        pairs.append(("ID_MUNICIPIO" if municipal else "ID_DISTRITO", placed, row.territory))
    return [pair for pair in pairs if pair[1] != pair[2]]


def _territories(files: Sequence[PublishedFile]) -> tuple[dict[int, Territory], dict[int, Territory]]:
    """Distritos and municipios named in the files, by id; the first name seen stays."""
    found: dict[bool, dict[int, Territory]] = {False: {}, True: {}}
    for file in files:
        column = territory_column_of(file)
        municipal = column == "ID_MUNICIPIO"
        name_column = "MUNICIPIO" if municipal else "DISTRITO"
        for row in file.rows:
            number = whole(file.cell(row, column))
            if number is not None and number not in found[municipal] and not outside(file, row):
                found[municipal][number] = Territory(number, unwrap(file.cell(row, name_column)))
    distritos, municipios = (dict(sorted(found[kind].items())) for kind in (False, True))
    return distritos, municipios


def _masks(file: PublishedFile, rows: list[CatalogueRow]) -> dict[tuple[int | None, str], tuple[bool, ...]]:
    """Which columns each (territory, tipo_acta) has, told by the cells of its captured rows.

    A column is there when it is neither '-' nor empty in most of them: on real nights the pattern is
    constant in each group, in rehearsals it is noisy. A group nobody captured takes the pattern its
    tipo_acta has everywhere else when it is only one, or that of another tipo_acta of its territory.
    """
    indexes = file.vote_indexes
    captured: Counter[tuple[int | None, str]] = Counter()
    present: dict[tuple[int | None, str], list[int]] = defaultdict(lambda: [0] * len(indexes))
    groups: dict[tuple[int | None, str], None] = {}
    for item in rows:
        group = (item.territory, item.tipo_acta)
        groups[group] = None
        row = file.rows[item.position]
        if unwrap(file.cell(row, "CONTABILIZADA")) not in CAPTURED:
            continue
        captured[group] += 1
        counts = present[group]
        for column, index in enumerate(indexes):
            if row[index] not in ("-", ""):
                counts[column] += 1
    masks = {
        group: tuple(2 * count > captured[group] for count in counts) for group, counts in present.items()
    }
    seen = dict(masks)
    for group in groups:
        if group in masks:
            continue
        everywhere = {mask for other, mask in seen.items() if other[1] == group[1]}
        same_place = [(captured[other], mask) for other, mask in seen.items() if other[0] == group[0]]
        if len(everywhere) == 1:
            masks[group] = everywhere.pop()
        elif same_place:
            masks[group] = max(same_place)[1]
        else:
            masks[group] = (True,) * len(indexes)
    return masks


def _published_those_who_voted(file: PublishedFile) -> bool:
    """True when REPRESENTANTES_PP_CI holds the representatives that voted, as in Quintana Roo 2019."""
    both = equal = 0
    for row in file.rows:
        accredited = whole(file.cell(row, "REPRESENTANTES_PP_CI"))
        voted = whole(file.cell(row, "TOTAL_REP_PARTIDO_CI_VOTARON"))
        if accredited is not None and voted is not None:
            both += 1
            equal += accredited == voted
    return both > 0 and equal * 5 > both * 4


def _limit(row: CatalogueRow, voted: bool, margin: int) -> int | None:
    accredited = row.representantes
    if accredited is None:
        return None
    if row.tipo == SPECIAL and accredited >= _BALLOTS_AT_LEAST:
        return accredited
    if voted or row.tipo == SPECIAL:
        return acta_limit(row.tipo, row.lista_nominal, margin, SPECIAL_BALLOTS)
    return acta_limit(row.tipo, row.lista_nominal, accredited)


def _provenance(
    files: Sequence[PublishedFile],
    repairs: list[Repair],
    disagreements: list[Disagreement],
    remarks: list[str],
) -> str:
    sources = ", ".join(f"{file.path.name} ({file.date_line})" for file in files)
    parts = [
        f"Reconstruido de archivos publicados: {sources}.",
        "Hecho: casillas, territorios, lista nominal, columnas de votos y orden de las actas.",
        "Modelado: los CATD, que los archivos no traen (uno por distrito, o por municipio sin distrito).",
        *(remark + "." for remark in remarks),
    ]
    if repairs:
        rows = len({(repair.file, repair.row_line) for repair in repairs})
        parts.append(f"Corregido: {rows} filas con {LONG_CONTIGUA}.")
    if disagreements:
        keys = len({(item.key, item.contest) for item in disagreements})
        parts.append(f"En desacuerdo: {keys} casillas que dos archivos describen distinto, una por archivo.")
    return " ".join(parts)
