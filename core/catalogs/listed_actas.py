"""actas.csv and boletas.csv: the actas and ballots of a catalogue listed one by one.

This is how an imported catalogue is kept: in the order and with the ballots its source published,
which no rule gives back. Catalogues written by people do without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.catalogs.problems import Problems
from core.catalogs.tables import Table
from core.domain.catalog import ActaEntry, Casilla, Contest
from core.domain.contenders import BallotLayout


@dataclass
class ListedActas:
    """Ballots and actas, ids in order of line."""

    layouts: list[BallotLayout] = field(default_factory=list)
    actas: list[ActaEntry] = field(default_factory=list)


def read_listed_actas(
    actas: Path,
    ballots: Path,
    problems: Problems,
    contests: Mapping[str, Contest],
    casillas: Sequence[Casilla],
    casilla_codes: Mapping[str, int],
) -> ListedActas:
    """Read both tables; every reference is checked and what is wrong is noted."""
    result = ListedActas()
    codes: dict[str, int] = {}
    expected = ", ".join(contests)
    for row in Table(ballots, problems, ("boleta", "contienda", "columnas")).rows:
        code, contest, mask = row.text("boleta"), row.text("contienda"), row.text("columnas")
        if code is None or contest is None or mask is None:
            continue
        if code in codes:
            row.fault("boleta", message=f"{code} está repetida")
        elif contest not in contests:
            row.fault("contienda", f"una de {expected}", contest)
        elif set(mask) - {"0", "1"} or len(mask) != len(contests[contest].columns):
            row.fault("columnas", f"{len(contests[contest].columns)} ceros y unos, uno por columna", mask)
        else:
            codes[code] = len(result.layouts)
            result.layouts.append(BallotLayout(codes[code], contest, tuple(one == "1" for one in mask)))
    lines: dict[tuple[str, int, str], int] = {}
    columns = ("contienda", "clave_acta", "casilla", "tipo_acta", "boleta", "limite")
    for row in Table(actas, problems, columns).rows:
        faults = len(problems.found)
        contest, key, kind = row.text("contienda"), row.text("clave_acta"), row.raw("tipo_acta")
        casilla, ballot = row.text("casilla"), row.text("boleta")
        limit = row.optional("limite")
        if contest is None or key is None or casilla is None or ballot is None:
            continue
        if contest not in contests:
            row.fault("contienda", f"una de {expected}", contest)
        if casilla not in casilla_codes:
            row.fault("casilla", message=f"la casilla {casilla} no está en casillas.csv")
        if ballot not in codes:
            row.fault("boleta", message=f"la boleta {ballot} no está en {ballots.name}")
        elif result.layouts[codes[ballot]].contest != contest:
            other = result.layouts[codes[ballot]].contest
            row.fault("boleta", message=f"la boleta {ballot} es de {other}, no de {contest}")
        if len(problems.found) > faults:
            continue
        same = (contest, casilla_codes[casilla], kind)
        if same in lines:
            row.fault("casilla", message=f"el acta está repetida; ya está en la línea {lines[same]}")
            continue
        lines[same] = row.line
        result.actas.append(ActaEntry(len(result.actas), key, contest, same[1], kind, codes[ballot], limit))
    return result
