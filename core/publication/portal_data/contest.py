"""What the portal shows of one contest at one cut: its entry, its coverage, its observations.

Votes come from `core.tally` and counts from `counts`; nothing is computed here but sums and who is ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.catalog import Scope
from core.domain.contenders import NO_REGISTRADAS, NULOS
from core.domain.counters import format_percent, participation
from core.publication.portal_data.counts import Cell, Counts, progress
from core.publication.portal_data.frame import Frame, Group
from core.tally.snapshot import Snapshot


def entry(
    frame: Frame,
    counts: Counts,
    *,
    last: bool,
    root: str,
    header: Mapping[str, str],
    with_image: int,
    objects: Mapping[str, str],
) -> dict[str, Any]:
    """The entry of a contest in the portal object.

    `with_image` is how many of its actas have their image published; `objects` are the names of the
    objects it leads to, by key.
    """
    levels, contest = frame.levels, frame.contest
    codes, whole = contest.codes, levels.whole
    document: dict[str, Any] = {
        "id": contest.id,
        "raiz": root,
        "encabezado": dict(header),
        "por_columna": whole.votes,
        "por_partido": [[code, votes] for code, votes in levels.whole_by_party().items()],
        "por_candidatura": None,
        "estadistica": statistics(frame, counts, with_image),
        "territorios": [territory_row(frame, territory, last=last) for territory in frame.territories],
        **objects,
    }
    if contest.scope is Scope.ENTIDAD:
        document["por_candidatura"] = [
            [name, [codes[place] for place in columns], sum(whole.votes[place] for place in columns)]
            for name, columns in frame.whole
        ]
    return document


def territory_row(frame: Frame, territory: int | None, *, last: bool) -> list[Any]:
    """A territory: id, esperadas, capturadas, contabilizadas, votos, participación, and who is ahead.

    That is [[name, [codes]]…] (several in a tie), their votes, and those of who comes second.
    """
    sums = frame.levels.territories[territory]
    tally = sums.tally
    taken = participation(tally.votes, tally.votes - tally.votes_special, tally.lista_nominal, last_cut=last)
    leaders, first, second = ahead(frame.groups[territory], sums.votes, frame.contest.codes)
    return [
        territory, tally.esperadas, tally.capturadas, tally.contabilizadas, tally.votes,
        format_percent(taken), leaders, first, second,
    ]  # fmt: skip


def ahead(
    groups: Sequence[Group], votes: Sequence[int], codes: Sequence[str]
) -> tuple[list[list[Any]], int, int]:
    """Who is ahead (several in a tie, nobody without votes), with how many, and how many the next one has.

    Candidaturas no registradas and nulos are not candidacies.

    >>> ahead([("A", (0, 2)), ("PT", (1,))], [5, 7, 1], ["PAN", "PT", "C_PAN_PRI"])
    ([['PT', ['PT']]], 7, 6)
    """
    real = [
        (sum(votes[place] for place in columns), name, [codes[place] for place in columns])
        for name, columns in groups
        if codes[columns[0]] not in (NO_REGISTRADAS, NULOS)
    ]
    order = sorted((count for count, _, _ in real), reverse=True)
    if not order or order[0] == 0:
        return [], 0, 0
    leaders: list[list[Any]] = [[name, columns] for count, name, columns in real if count == order[0]]
    return leaders, order[0], order[1] if len(order) > 1 else 0


def statistics(frame: Frame, counts: Counts, with_image: int) -> dict[str, Any]:
    """The panel of a contest."""
    contest = frame.contest.id
    cells = counts.of(contest)
    places = sorted({kind.ubicacion for kind, _ in cells})
    types = sorted({kind.tipo for kind, _ in cells})
    return {
        "inconsistencias": {code: n for code, n in sorted(counts.codes[contest].items()) if n},
        "origen": [[*key, n] for key, n in sorted(counts.origins[contest].items()) if n],
        "ubicacion": [
            [place, *progress(cell for kind, cell in cells if kind.ubicacion == place)] for place in places
        ],
        "tipos": [[tipo, *progress(cell for kind, cell in cells if kind.tipo == tipo)] for tipo in types],
        "lista_nominal_esperada": sum(cell.lista_esperada for _, cell in cells),
        "con_codigo": sum(cell.con_codigo for _, cell in cells),
        "con_imagen": with_image,
        "sin_acta": sum(cell.sin_acta for _, cell in cells),
    }


def coverage(frame: Frame, counts: Counts, mode: str) -> dict[str, Any]:
    """The object `cobertura`: what has not arrived, by CATD and by section of each territory."""
    contest, levels, catds = frame.contest.id, frame.levels, frame.catalog.catds
    by_catd: dict[int, list[Cell]] = {}
    for kind, cell in counts.of(contest):
        by_catd.setdefault(kind.catd, []).append(cell)
    rows = []
    for number in sorted(by_catd):
        catd, cells = catds[number], by_catd[number]
        empty = sum(cell.sin_acta for cell in cells)
        rows.append([number, catd.name, catd.distrito, catd.municipio, *progress(cells), empty])
    nothing = []
    for territory in frame.territories:
        keys = levels.sections_of[territory]
        empty_sections = [key.seccion for key in keys if levels.sections[key].tally.capturadas == 0]
        if empty_sections:
            nothing.append([territory, len(keys), empty_sections])
    return {
        "formato": 1,
        "modo": mode,
        "contienda": contest,
        "catds": rows,
        "secciones_sin_actas": nothing,
    }


def observations(frame: Frame, snapshot: Snapshot, mode: str) -> dict[str, Any]:
    """The object `inconsistencias`: every acta with an observation, in published order."""
    entries, actas = frame.catalog.actas, snapshot.actas
    rows = []
    for number, key in frame.levels.section_of.items():
        acta = actas[number]
        if acta is not None and acta.codes:
            rows.append([key.territory, key.seccion, entries[number].key, list(acta.codes)])
    return {"formato": 1, "modo": mode, "contienda": frame.contest.id, "filas": rows}
