"""Writes a catalogue as a folder that loads back to the same catalogue.

Actas, ballots and columns are listed one by one, so any catalogue can be written, also one that no
rule would give. It overwrites nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.catalogs.plan import FORMAT
from core.domain.catalog import Catalog
from core.errors import UsageError


def write_catalog(catalog: Catalog, folder: Path) -> list[Path]:
    """Write `catalog` in `folder`, made if needed; returns the files.

    Raises UsageError if the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} ya existe y no es una carpeta vacía")
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "catalogo.toml"]
    written[0].write_text(_toml(catalog), encoding="utf-8", newline="\n")

    def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        listed = list(rows)
        if not listed:
            return
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(["" if cell is None else cell for cell in row] for row in listed)
        written.append(path)

    table("distritos.csv", ("id", "nombre"), ((t.id, t.name) for t in catalog.distritos.values()))
    table("municipios.csv", ("id", "nombre"), ((t.id, t.name) for t in catalog.municipios.values()))
    table(
        "catds.csv",
        ("catd", "nombre", "distrito", "municipio"),
        ((c.id, c.name, c.distrito, c.municipio) for c in catalog.catds),
    )
    table(
        "casillas.csv",
        (
            "id",
            "clave",
            "seccion",
            "tipo",
            "numero",
            "ext_contigua",
            "ubicacion",
            "lista_nominal",
            "representantes",
            "distrito",
            "municipio",
            "catd",
        ),
        (
            (
                c.id,
                c.key,
                c.seccion,
                c.tipo,
                c.numero,
                c.ext_contigua,
                c.ubicacion,
                c.lista_nominal,
                c.representantes,
                c.distrito,
                c.municipio,
                c.catd,
            )
            for c in catalog.casillas
        ),
    )
    table(
        "boletas.csv",
        ("boleta", "contienda", "columnas"),
        ((b.id, b.contest, "".join("1" if one else "0" for one in b.applies)) for b in catalog.layouts),
    )
    table(
        "actas.csv",
        ("contienda", "clave_acta", "casilla", "tipo_acta", "boleta", "limite"),
        ((a.contest, a.key, a.casilla, a.tipo_acta, a.layout, a.limit) for a in catalog.actas),
    )
    table(
        "candidaturas.csv",
        ("contienda", "territorio", "codigo", "propietaria", "suplente"),
        (
            (contest.id, c.territory, c.code, c.propietaria, c.suplente)
            for contest in catalog.contests.values()
            for c in contest.candidacies
        ),
    )
    return written


def _toml(catalog: Catalog) -> str:
    entidad = catalog.entidad
    lines = [
        f"formato = {FORMAT}",
        "",
        "[entidad]",
        f"id = {entidad.id}",
        f"nombre = {_quoted(entidad.name)}",
        f"abreviatura = {_quoted(entidad.abbreviation)}",
        f"utc_minutos = {entidad.utc_offset_minutes}",
        "",
        "[eleccion]",
        f"nombre = {_quoted(catalog.election)}",
        f"procedencia = {_quoted(catalog.provenance)}",
    ]
    for contest in catalog.contests.values():
        lines += [
            "",
            "[[contienda]]",
            f"id = {_quoted(contest.id)}",
            f"nombre = {_quoted(contest.name)}",
            f"ambito = {_quoted(contest.scope.value)}",
            "columnas = [",
        ]
        for column in contest.columns:
            parties = ", ".join(_quoted(party) for party in column.parties)
            cells = ", ".join(_quoted(text) for text in (column.code, column.kind.value, column.name))
            lines.append(f"    [{cells}, [{parties}]],")
        lines.append("]")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for the one control character JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
