"""The CATDs of a night whose files do not say which there were.

One per distrito, or per municipio where no distrito is known. It is a guess and the catalogue says
so; a plan with the real CATDs replaces it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from core.domain.catalog import Catd, Territory


def catds_for(
    places: Sequence[tuple[int | None, int | None]],
    distritos: Mapping[int, Territory],
    municipios: Mapping[int, Territory],
    entidad: str,
) -> tuple[list[Catd], list[int]]:
    """CATDs for casillas given as (distrito, municipio), and the CATD of each casilla.

    A casilla of which only the municipio is known goes where most of that municipio goes; one with
    neither, to a centre of the whole entidad.
    """
    shares: dict[int, Counter[int]] = defaultdict(Counter)
    for distrito, municipio in places:
        if distrito is not None and municipio is not None:
            shares[municipio][distrito] += 1
    usual = {
        municipio: max(counts.items(), key=lambda item: (item[1], -item[0]))[0]
        for municipio, counts in shares.items()
    }
    homes: list[tuple[int, int]] = []
    for distrito, municipio in places:
        if distrito is None and municipio is not None:
            distrito = usual.get(municipio)
        if distrito is not None:
            homes.append((0, distrito))
        elif municipio is not None:
            homes.append((1, municipio))
        else:
            homes.append((2, 0))
    catds: list[Catd] = []
    number: dict[tuple[int, int], int] = {}
    for home in sorted(set(homes)):
        number[home] = len(catds)
        kind, territory = home
        if kind == 0:
            name = f"CATD distrito {territory:02d} {_name(distritos, territory)}".rstrip()
            catds.append(Catd(len(catds), name, distrito=territory))
        elif kind == 1:
            name = f"CATD municipio {territory:03d} {_name(municipios, territory)}".rstrip()
            catds.append(Catd(len(catds), name, municipio=territory))
        else:
            catds.append(Catd(len(catds), f"CATD estatal {entidad}"))
    return catds, [number[home] for home in homes]


def _name(territories: Mapping[int, Territory], territory: int) -> str:
    return territories[territory].name if territory in territories else ""
