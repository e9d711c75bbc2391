"""The files of the folder of a cut other than its tables: spreadsheets, ZIPs and the index.

Each function makes its files from what `package` already built and checked; the order, and whether the cut
goes out, are decided there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.catalog import Catalog
from core.publication.archives import write_zip
from core.publication.freshness import check_archive, check_results
from core.publication.json_levels import Tree
from core.publication.leeme import leeme, outer_leeme
from core.publication.naming import FileNames
from core.publication.outputs import Publication
from core.publication.summary_xlsx import write_summary
from core.publication.times import iso, local
from core.publication.xlsx import write_sheet

MANIFEST = "manifiesto.json"
INDEX = "indice.json"
SUMMARY = "RESUMEN.xlsx"

NOTICES = {
    "oficial": "Resultados preliminares, no definitivos",
    "simulacro": "SIMULACRO: datos ficticios",
}
"""What the index says of the figures, by mode."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which cut the files are of, and in which folder."""

    directory: Path
    catalog: Catalog
    mode: str
    number: int
    at_ms: int
    last: bool

    @property
    def simulacro(self) -> bool:
        """True in a rehearsal."""
        return self.mode == "simulacro"

    @property
    def moment(self) -> datetime:
        """The instant of the cut, in the time of the entidad."""
        return local(self.at_ms, self.catalog.entidad.utc_offset_minutes)

    @property
    def names(self) -> FileNames:
        """The names of its files."""
        return FileNames(self.catalog.entidad.abbreviation, self.moment, self.simulacro)


def spreadsheets(cut: Cut, items: Sequence[Publication], kept: bool, timer: Callable[[str], None]) -> None:
    """The XLSX of each contest and the summary. `kept`: the rows were rendered with those of the CSV."""
    names = cut.names
    for item in items:
        header = item.levels.counters(last_cut=cut.last)
        rows = item.sheet.chunks() if kept else item.sheet.chunks_of(item.csv.cells())
        with (cut.directory / names.sheet(item.output.contest, item.output.csv_name)).open("wb") as stream:
            write_sheet(
                stream, item.output.contest, item.csv.preamble(header, cut.at_ms), item.csv.columns, rows
            )
    timer("xlsx")
    with (cut.directory / SUMMARY).open("wb") as stream:
        write_summary(
            stream,
            cut.catalog,
            {item.output.contest: item.levels for item in items},
            number=cut.number,
            at_ms=cut.at_ms,
            last=cut.last,
            simulacro=cut.simulacro,
        )
    timer("resumen")


def archives(cut: Cut, items: Sequence[Publication]) -> dict[str, str]:
    """The ZIP of each contest and the one that holds them; returns the content hash of each."""
    contents: dict[str, str] = {}
    inner: list[tuple[str, bytes | Path]] = []
    directory, names, moment = cut.directory, cut.names, cut.moment
    for item in items:
        output = item.output
        results, candidaturas = item.names_in(names), names.candidaturas(output.contest)
        readme = leeme(
            cut.catalog,
            output.contest,
            item.dialect,
            columns=item.csv.columns,
            canonical=item.csv.canonical,
            results=results,
            candidaturas=candidaturas,
            simulacro=cut.simulacro,
        )
        members: list[tuple[str, bytes | Path]] = [
            (results, directory / results),
            (candidaturas, item.candidaturas),
            ("LEEME.txt", readme),
        ]
        path = directory / names.archive(output.contest)
        contents[path.name] = write_zip(path, members, moment)
        inner.append((path.name, path))
    readme = outer_leeme(cut.catalog, [name for name, _ in inner], simulacro=cut.simulacro)
    path = directory / names.archive(None)
    contents[path.name] = write_zip(path, [*inner, ("LEEME.txt", readme)], moment, packed=True)
    return contents


def check_moment(cut: Cut, items: Sequence[Publication]) -> None:
    """Every table and every ZIP is of this cut. Raises StaleCutError."""
    offset = cut.catalog.entidad.utc_offset_minutes
    directory, names = cut.directory, cut.names
    inner = []
    for item in items:
        results = directory / item.names_in(names)
        check_results(results, item.csv, item.levels.counters(last_cut=cut.last), cut.at_ms, offset)
        archive = directory / names.archive(item.output.contest)
        check_archive(archive, [results])
        inner.append(archive)
    check_archive(directory / names.archive(None), inner)


def index(
    cut: Cut,
    items: Sequence[Publication],
    headers: Mapping[str, Mapping[str, str]],
    trees: Mapping[str, Tree],
) -> dict[str, Any]:
    """What `indice.json` says."""
    catalog, names = cut.catalog, cut.names
    return {
        "modo": cut.mode,
        "aviso": NOTICES[cut.mode],
        "corte": cut.number,
        "ultimo": cut.last,
        "instante": iso(cut.at_ms, catalog.entidad.utc_offset_minutes),
        "entidad": {"id": catalog.entidad.id, "nombre": catalog.entidad.name},
        "eleccion": catalog.election,
        "paquete": names.archive(None),
        "resumen": SUMMARY,
        "manifiesto": MANIFEST,
        "contiendas": {
            item.output.contest: {
                "nombre": catalog.contests[item.output.contest].name,
                "dialecto": item.dialect.name,
                "encabezado": headers[item.output.contest],
                "raiz": trees[item.output.contest].root,
                "objetos": trees[item.output.contest].objects,
                "csv": item.names_in(names),
                "xlsx": names.sheet(item.output.contest, item.output.csv_name),
                "zip": names.archive(item.output.contest),
            }
            for item in items
        },
    }
