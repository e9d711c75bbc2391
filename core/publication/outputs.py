"""How each contest is published, and everything kept of it from one cut to the next.

Only what has to be known before the first cut: building one is `package`, the files of its folder,
`package_files`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.catalog import Catalog
from core.errors import PrepError
from core.publication.candidaturas import candidaturas_csv
from core.publication.dialects import DEFAULT_DIALECT, Dialect, load_dialect
from core.publication.json_levels import ImageKey, JsonLevels
from core.publication.naming import FileNames
from core.publication.object_check import ObjectCheck
from core.publication.objects import ObjectStore
from core.publication.results_csv import ResultsCsv
from core.publication.xlsx import MAX_ROWS, ActaSheet
from core.published.reader import PublishedFile
from core.tally.levels import Levels, SectionKey

KEPT_ROWS = 60_000
"""Actas up to which the XML of each row is kept between cuts (some 2 KB each); more are made again."""

_SAFE_NAME = re.compile(r"[\w.() -]+")


class PackageError(PrepError):
    """The package was asked for something it cannot be, or its folder is not there."""


@dataclass(frozen=True, slots=True)
class Output:
    """How one contest is published.

    `csv_name` and `columns_like` are those of a source file in a replay; `title` replaces the
    first line; `mark_title` says whether a rehearsal adds SIMULACRO to it.
    """

    contest: str
    dialect: Dialect | str = DEFAULT_DIALECT
    csv_name: str | None = None
    title: str | None = None
    columns_like: PublishedFile | None = None
    mark_title: bool = True


@dataclass(slots=True)
class Publication:
    """Everything kept of one contest between cuts."""

    output: Output
    dialect: Dialect
    levels: Levels
    csv: ResultsCsv
    sheet: ActaSheet
    json: JsonLevels
    check: ObjectCheck
    candidaturas: bytes
    pending: set[SectionKey] = field(default_factory=set)
    """Sections changed since their objects were last written: a refused cut leaves them for the next."""

    def names_in(self, names: FileNames) -> str:
        """File name of the results CSV."""
        return names.results(self.output.contest, self.output.csv_name)


@dataclass(frozen=True, slots=True)
class Manner:
    """What is the same for every contest: `leaves` keeps those of the acta tree for who certifies."""

    mode: str
    leaves: bool
    image_key: ImageKey | None
    keep_rows: bool

    @property
    def simulacro(self) -> bool:
        """True in a rehearsal."""
        return self.mode == "simulacro"


def prepare(catalog: Catalog, output: Output, store: ObjectStore, manner: Manner) -> Publication:
    """Everything one contest needs, before its first cut. Raises PackageError."""
    if output.contest not in catalog.contests:
        raise PackageError(f"el catálogo no tiene la elección {output.contest}")
    dialect = load_dialect(output.dialect) if isinstance(output.dialect, str) else output.dialect
    contest = catalog.contests[output.contest]
    like = output.columns_like
    title = output.title or (like.title if like else contest.name)
    if manner.simulacro and output.mark_title:
        title = f"{title} - SIMULACRO"
    rows = catalog.expected(output.contest)
    if rows >= MAX_ROWS:
        raise PackageError(f"la elección {output.contest} tiene {rows} actas; una hoja admite {MAX_ROWS}")
    results = ResultsCsv(catalog, output.contest, dialect, title=title, columns_like=like)
    kept = rows if manner.keep_rows else 0
    sheet = ActaSheet(results.canonical, contest.codes, dialect.file.wrapped, kept)
    if manner.keep_rows:
        results.send_rows_to(sheet)
    levels = Levels(catalog, output.contest)
    return Publication(
        output,
        dialect,
        levels,
        results,
        sheet,
        JsonLevels(
            catalog, levels, store, mode=manner.mode, leaves=manner.leaves, image_key=manner.image_key
        ),
        ObjectCheck(store.root),
        candidaturas_csv(catalog, output.contest),
    )


def check_outputs(outputs: Sequence[Output]) -> None:
    """The names are names of files, and nothing is twice. Raises PackageError."""
    names = [output.csv_name for output in outputs if output.csv_name is not None]
    for name in names:
        if not _SAFE_NAME.fullmatch(name) or not name.lower().endswith(".csv") or name.startswith("."):
            raise PackageError(f"«{name}» no sirve de nombre; se esperaba un archivo .csv sin carpeta")
    contests = [output.contest for output in outputs]
    if len(set(names)) != len(names) or len(set(contests)) != len(contests):
        raise PackageError("dos salidas tienen la misma elección o el mismo nombre de archivo")
