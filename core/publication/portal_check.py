"""Checks the portal object of a cut against what was already checked of it, before the cut goes out.

The portal shows people the figures of this object. It is made by other code than the results CSV and the
objects by level, so it is compared with both: headers, roots, votes, and the row of every territory. It
reads the top object of each contest and those of its territories, never the sections (`object_check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.publication.object_check import ObjectDefectError, parsed


def check_portal(
    objects: Path, name: str, *, number: int, at_ms: int, last: bool, mode: str,
    roots: Mapping[str, str], headers: Mapping[str, Mapping[str, str]],
) -> None:  # fmt: skip
    """Read a portal object and see that it says what the cut says. Raises ObjectDefectError.

    `roots` are the top objects and `headers` the counters of the results CSV, both by contest.
    """
    path, portal = _read(objects, name)

    def same(what: str, said: object, wanted: object) -> None:
        if said != wanted:
            raise ObjectDefectError(
                path, f"el portal dice «{what}» {_short(said)}; se esperaba {_short(wanted)}", name
            )

    try:
        for key, due in (("corte", number), ("instante_ms", at_ms), ("ultimo", last), ("modo", mode)):
            same(key, portal[key], due)
        same("contiendas", sorted(one["id"] for one in portal["contiendas"]), sorted(roots))
        for entry in portal["contiendas"]:
            contest = entry["id"]
            same(f"raiz de {contest}", entry["raiz"], roots[contest])
            same(f"encabezado de {contest}", entry["encabezado"], dict(headers[contest]))
            top = _read(objects, roots[contest])[1]
            for what, said, wanted in _figures(objects, entry, top):
                same(f"{what} de {contest}", said, wanted)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ObjectDefectError(path, f"al portal le falta lo que debe tener: {error!r}", name) from error


def _figures(
    objects: Path, entry: Mapping[str, Any], top: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """Each figure of a contest: what it is, what the portal says, and what it should."""
    votes = dict(zip((one["codigo"] for one in top["columnas"]), top["votos"], strict=True))
    yield "por_columna", entry["por_columna"], top["votos"]
    yield "por_partido", dict(entry["por_partido"]), top["por_partido"]
    total = int(top["contadores"]["TOTAL_VOTOS_C_CS"])
    yield "suma de por_columna", sum(entry["por_columna"]), total
    yield "suma de por_partido", sum(n for _, n in entry["por_partido"]), total
    if entry["por_candidatura"] is not None:
        for who, codes, said in entry["por_candidatura"]:
            yield f"votos de «{who}»", said, sum(votes[code] for code in codes)
    rows = {row[0]: row for row in entry["territorios"]}
    yield "territorios", [row[0] for row in entry["territorios"]], [one[0] for one in top["territorios"]]
    for territory, child in top["territorios"]:
        found = _read(objects, child)[1]
        yield from _territory(rows[territory], found, list(votes))
    sums = [sum(row[place] for row in rows.values()) for place in range(1, 5)]
    yield "suma de los territorios", sums, [int(top["contadores"][key]) for key in _COUNTED]


_COUNTED = ("ACTAS_ESPERADAS", "ACTAS_CAPTURADAS", "ACTAS_CONTABILIZADAS", "TOTAL_VOTOS_C_CS")


def _territory(
    row: list[Any], found: Mapping[str, Any], codes: list[str]
) -> Iterator[tuple[str, object, object]]:
    """The row of a territory: its counts, and who is ahead with how many votes."""
    territory, counters = row[0], found["contadores"]
    votes = dict(zip(codes, found["votos"], strict=True))
    yield f"territorio {territory}", row[1:5], [int(counters[key]) for key in _COUNTED]
    yield f"participación del territorio {territory}", row[5], counters["PORCENTAJE_PARTICIPACION_CIUDADANA"]
    leaders, first, second = row[6:9]
    for who, columns in leaders:
        yield f"votos de «{who}» en el territorio {territory}", first, sum(votes[one] for one in columns)
    running = [count for code, count in votes.items() if code not in _NOT_RUNNING]
    most = max(running, default=0)
    yield f"quién va adelante en el territorio {territory}", bool(leaders), most > 0
    yield f"ventaja en el territorio {territory}", first >= max(second, most), True


_NOT_RUNNING = frozenset({"NO_REGISTRADAS", "NULOS"})
"""Columns nobody wins with."""


def _read(objects: Path, name: str) -> tuple[Path, dict[str, Any]]:
    path = objects / name[:2] / f"{name}.json"
    return path, parsed(path, name)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
