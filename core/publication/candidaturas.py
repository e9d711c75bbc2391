"""The CANDIDATURAS catalogue that goes beside each results CSV.

One row per party, combination or independent in each distrito or municipio (LEEME OPL 2024, INE
2021). Names are those of the catalogue; where none was registered the cell is empty. It does not
say who may register.
"""

from __future__ import annotations

import csv
import io

from core.domain.catalog import Catalog, Scope
from core.domain.contenders import NO_REGISTRADAS, NULOS

_TERRITORY = {Scope.DISTRITO: "ID_DISTRITO_LOCAL", Scope.MUNICIPIO: "ID_MUNICIPIO_LOCAL"}


def candidaturas_csv(catalog: Catalog, contest_id: str) -> bytes:
    """The catalogue of candidacies of a contest, UTF-8 with BOM, separated by commas."""
    contest = catalog.contests[contest_id]
    whole = contest.scope is Scope.ENTIDAD
    running = _running(catalog, contest_id)
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    if whole:
        out.writerow(["ID_ENTIDAD", "PARTIDO_CI", "CANDIDATURA"])
    else:
        out.writerow(
            ["ID_ENTIDAD", _TERRITORY[contest.scope], "PARTIDO_CI", "CANDIDATURA_PROPIETARIA",
             "CANDIDATURA_SUPLENTE"]
        )  # fmt: skip
    names = {(item.territory, item.code): item for item in contest.candidacies}
    entidad = f"{catalog.entidad.id:02d}"
    for territory, columns in running.items():
        for column, contender in enumerate(contest.columns):
            if not columns[column] or contender.code in (NO_REGISTRADAS, NULOS):
                continue
            found = names.get((territory, contender.code)) or names.get((None, contender.code))
            owner, alternate = (found.propietaria, found.suplente) if found else ("", "")
            if whole:
                out.writerow([entidad, contender.code, owner])
            else:
                out.writerow([entidad, f"{territory:03d}", contender.code, owner, alternate])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _running(catalog: Catalog, contest_id: str) -> dict[int | None, list[bool]]:
    """Columns that exist in some acta of each territory; one entry, None, in a contest of the entidad."""
    contest = catalog.contests[contest_id]
    found: dict[int | None, set[int]] = {}
    for acta in catalog.actas_of(contest_id):
        territory = None if contest.scope is Scope.ENTIDAD else catalog.territory_of(acta)
        if territory is not None or contest.scope is Scope.ENTIDAD:
            found.setdefault(territory, set()).add(acta.layout)
    return {
        territory: [
            any(catalog.layouts[layout].applies[column] for layout in layouts)
            for column in range(len(contest.columns))
        ]
        for territory, layouts in sorted(found.items(), key=lambda item: item[0] or 0)
    }
