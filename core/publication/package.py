"""Builds the folder of a cut, checks it, and puts it in its place whole.

`build` writes everything under a hidden name and refuses the cut when the rows of a results CSV do not
give its header, a JSON object read back is not sound, or a file is of another moment; `commit` renames
the folder into place; `point` moves `ultimo`. A reader sees a complete cut or none. When to publish, and
the record of it, belong to `cut`; what certifies it, to `emission`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import orjson

from core.domain.catalog import Catalog
from core.errors import PrepError
from core.publication.archives import make_durable, sync, write_zip
from core.publication.candidaturas import candidaturas_csv
from core.publication.dialects import DEFAULT_DIALECT, Dialect, load_dialect
from core.publication.freshness import StaleCutError, check_archive, check_results
from core.publication.interference import CutStep, Interference
from core.publication.json_levels import ImageKey, JsonLevels, Tree
from core.publication.leeme import leeme, outer_leeme
from core.publication.naming import FileNames, content_sha256, list_files
from core.publication.object_check import ObjectCheck, ObjectDefectError, check_index
from core.publication.objects import ObjectStore
from core.publication.recount import HeaderMismatchError, RowMismatchError, check_header
from core.publication.results_csv import ResultsCsv
from core.publication.summary_xlsx import write_summary
from core.publication.times import iso, local
from core.publication.xlsx import MAX_ROWS, ActaSheet, write_sheet
from core.published.reader import PublishedFile
from core.tally.levels import Levels, SectionKey
from core.tally.snapshot import Snapshot

__all__ = [
    "REFUSALS",
    "BuiltCut",
    "HeaderMismatchError",
    "Output",
    "PackageBuilder",
    "PackageError",
    "Parts",
    "RowMismatchError",
]

REFUSALS = (HeaderMismatchError, ObjectDefectError, StaleCutError)
"""What `build` raises for a cut that must not go out."""

MODES = ("oficial", "simulacro")

KEPT_ROWS = 60_000
"""Actas up to which the XML of each row is kept between cuts (some 2 KB each); more are made again."""

MANIFEST = "manifiesto.json"
INDEX = "indice.json"
SUMMARY = "RESUMEN.xlsx"
OBJECTS = "objetos"
CUTS = "cortes"
LAST = "ultimo"

_NOTICE = {
    "oficial": "Resultados preliminares, no definitivos",
    "simulacro": "SIMULACRO: datos ficticios",
}
_INDENTED = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2
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


@dataclass(frozen=True, slots=True)
class BuiltCut:
    """A cut that is complete and checked, not yet in its place.

    `headers` are the thirteen counters by contest as written; `sizes` bytes by file; `timings`
    seconds by step; `trees` the JSON objects by contest.
    """

    number: int
    directory: Path
    manifest_sha256: str
    headers: dict[str, dict[str, str]]
    sizes: dict[str, int]
    timings: dict[str, float]
    trees: dict[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """A cut whose files and objects are written and sound, for who has something to add to its manifest."""

    number: int
    at_ms: int
    last: bool
    snapshot: Snapshot
    trees: Mapping[str, Tree]
    headers: Mapping[str, Mapping[str, str]]


Annex: TypeAlias = Callable[[Parts], Mapping[str, Any]]
"""Makes what else belongs to a cut and returns the keys its manifest gains."""


@dataclass(slots=True)
class _Publication:
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


class PackageBuilder:
    """Builds the cuts of one operation in `workdir`, keeping what did not change from one to the next.

    `outputs` says how each contest is written; None is every contest of the catalogue in the
    default dialect. `durable` waits for the disk in `commit` and `point`; without it a cut still
    survives the death of the process, not that of the machine. `certified` keeps the leaves of the acta
    tree for the `annex`. Raises PackageError for outputs that do not go together.
    """

    def __init__(
        self,
        catalog: Catalog,
        workdir: Path,
        *,
        mode: str,
        outputs: tuple[Output, ...] | None = None,
        durable: bool = True,
        certified: bool = False,
        image_key: ImageKey | None = None,
        interfere: Interference | None = None,
    ) -> None:
        if mode not in MODES:
            raise PackageError(f"el modo «{mode}» no existe; se esperaba {' o '.join(MODES)}")
        self._catalog = catalog
        self._workdir = Path(workdir)
        self._mode = mode
        self._simulacro = mode == "simulacro"
        self._durable = durable
        self._outputs = tuple(Output(contest) for contest in catalog.contests) if outputs is None else outputs
        self._fingerprint = catalog.fingerprint()
        self.store = ObjectStore(self._workdir / OBJECTS)
        self._certified = certified
        self._image_key = image_key
        self._interfere = interfere or Interference()
        self.annex: Annex | None = None
        self._keep_rows = len(catalog.actas) <= KEPT_ROWS
        self._contests = [self._publication(output) for output in self._outputs]
        self._in_step = False
        self._check_names()

    @property
    def levels(self) -> dict[str, Levels]:
        """Sums by contest, as of the last build."""
        return {item.output.contest: item.levels for item in self._contests}

    @property
    def json(self) -> dict[str, JsonLevels]:
        """Objects by contest, as of the last build."""
        return {item.output.contest: item.json for item in self._contests}

    def hidden(self, number: int) -> Path:
        """Where a cut is while it is being built."""
        return self._workdir / CUTS / f".{number:04d}.tmp"

    def directory(self, number: int) -> Path:
        """Where the cut of a number is, or will be."""
        return self._workdir / CUTS / f"{number:04d}"

    def build(self, snapshot: Snapshot, number: int, at_ms: int, last: bool) -> BuiltCut:
        """Write and check the whole cut under a hidden name.

        `snapshot.changed` must be relative to the snapshot of the previous call. Raises
        one of REFUSALS, leaving nothing behind, when the cut must not go out.
        """
        directory = self.hidden(number)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            return self._build(directory, snapshot, number, at_ms, last)
        except ObjectDefectError as error:
            # What is on disk is not what was written: nothing of it is reused.
            if error.name is not None:
                self.store.discard(error.name)
            for item in self._contests:
                item.json.forget()
            shutil.rmtree(directory, ignore_errors=True)
            raise
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def commit(self, built: BuiltCut) -> Path:
        """Put a built cut in its place, durably. A cut of that number nobody recorded is replaced."""
        target = self.directory(built.number)
        if self._durable:
            objects = self._workdir / OBJECTS
            # The leaves of the acta tree are on the same file system.
            make_durable([built.directory, objects], (built.directory / name for name in built.sizes))
        if target.exists():
            old = target.with_name(f".{target.name}.anterior")
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            built.directory.rename(target)
            shutil.rmtree(old)
        else:
            built.directory.rename(target)
        if self._durable:
            sync(target.parent)
        return target

    def point(self, number: int) -> None:
        """Make `ultimo` lead to a cut, in one step. Raises PackageError when that cut is not there."""
        target = self.directory(number)
        if not target.is_dir():
            raise PackageError(f"no está la carpeta del corte {number}: {target}")
        temporary = self._workdir / f".{LAST}.tmp"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(CUTS) / target.name)
        temporary.replace(self._workdir / LAST)
        if self._durable:
            sync(self._workdir)

    def _publication(self, output: Output) -> _Publication:
        catalog = self._catalog
        if output.contest not in catalog.contests:
            raise PackageError(f"el catálogo no tiene la elección {output.contest}")
        dialect = load_dialect(output.dialect) if isinstance(output.dialect, str) else output.dialect
        contest = catalog.contests[output.contest]
        like = output.columns_like
        title = output.title or (like.title if like else contest.name)
        if self._simulacro and output.mark_title:
            title = f"{title} - SIMULACRO"
        rows = catalog.expected(output.contest)
        if rows >= MAX_ROWS:
            raise PackageError(f"la elección {output.contest} tiene {rows} actas; una hoja admite {MAX_ROWS}")
        results = ResultsCsv(catalog, output.contest, dialect, title=title, columns_like=like)
        sheet = ActaSheet(
            results.canonical, contest.codes, dialect.file.wrapped, rows if self._keep_rows else 0
        )
        if self._keep_rows:
            results.send_rows_to(sheet)
        levels = Levels(catalog, output.contest)
        return _Publication(
            output,
            dialect,
            levels,
            results,
            sheet,
            JsonLevels(
                catalog,
                levels,
                self.store,
                mode=self._mode,
                leaves=self._certified,
                image_key=self._image_key,
            ),
            ObjectCheck(self.store.root),
            candidaturas_csv(catalog, output.contest),
        )

    def _check_names(self) -> None:
        names = [item.output.csv_name for item in self._contests if item.output.csv_name is not None]
        for name in names:
            if not _SAFE_NAME.fullmatch(name) or not name.lower().endswith(".csv") or name.startswith("."):
                raise PackageError(f"«{name}» no sirve de nombre; se esperaba un archivo .csv sin carpeta")
        contests = [output.contest for output in self._outputs]
        if len(set(names)) != len(names) or len(set(contests)) != len(contests):
            raise PackageError("dos salidas tienen la misma elección o el mismo nombre de archivo")

    def _build(self, directory: Path, snapshot: Snapshot, number: int, at_ms: int, last: bool) -> BuiltCut:
        timings: dict[str, float] = {}
        timer = _Timer(timings)
        step = CutStep(number, at_ms, last, self._workdir, directory, self._new_objects())
        # A build that failed half way left some contests a cut behind: start from everything again.
        if not self._in_step:
            snapshot = replace(snapshot, changed=None)
        self._in_step = False
        for item in self._contests:
            item.pending |= item.levels.update(snapshot)
        timer("niveles")
        for item in self._contests:
            item.csv.update(snapshot)
        timer("filas")
        self._in_step = True

        moment = local(at_ms, self._catalog.entidad.utc_offset_minutes)
        names = FileNames(self._catalog.entidad.abbreviation, moment, self._simulacro)
        headers: dict[str, dict[str, str]] = {}
        contents: dict[str, str] = {}
        for item in self._contests:
            contest = item.output.contest
            path = directory / item.names_in(names)
            with path.open("wb") as stream:
                item.csv.write(stream, item.levels.counters(last_cut=last), at_ms)
            timer("csv")
            data = path.read_bytes()
            headers[contest] = check_header(data, item.dialect, last=last, name=path.name)
            contents[path.name] = content_sha256(data, item.dialect.file.encoding)
            del data
            timer("recuento")

        # From here on the figures are sound. An object of a failed build stays, harmless: nothing names it.
        trees: dict[str, Tree] = {}
        with ThreadPoolExecutor(1, "zip") as worker:
            # Compressing leaves the interpreter free for the objects, which are many small files.
            archives = worker.submit(self._archives, directory, names, moment)
            for item in self._contests:
                trees[item.output.contest] = item.json.update(snapshot, item.pending, last=last)
                item.pending.clear()
            timer("json")
            self._interfere.at("objetos", step)
            for item in self._contests:
                contest = item.output.contest
                item.check.check(contest, trees[contest].root, headers[contest])
            timer("objetos")
            self._spreadsheets(directory, names, number, at_ms, last, timer)
            contents |= archives.result()
            timer("zip")
        self._interfere.at("construido", step)
        self._check_moment(directory, names, at_ms, last)
        timer("frescura")
        added: Mapping[str, Any] = {}
        if self.annex is not None:
            added = self.annex(Parts(number, at_ms, last, snapshot, trees, headers))
            timer("anexo")
        index = self._index(names, number, at_ms, last, headers, trees)
        (directory / INDEX).write_bytes(orjson.dumps(index, option=_INDENTED))
        manifest = orjson.dumps(
            {
                "modo": self._mode,
                "corte": number,
                "instante": index["instante"],
                "instante_ms": at_ms,
                "ultimo": last,
                "seq_high": snapshot.seq_high,
                "catalogo_sha256": self._fingerprint,
                "raices_json": {contest: tree.root for contest, tree in trees.items()},
                "archivos": list_files(directory, contents),
                **added,
            },
            option=_INDENTED,
        )
        (directory / MANIFEST).write_bytes(manifest)
        roots = {contest: tree.root for contest, tree in trees.items()}
        check_index(
            directory, number=number, at_ms=at_ms, instant=index["instante"], roots=roots, headers=headers
        )
        timer("manifiesto")
        self._interfere.at("antes_de_confirmar", step)
        sizes = {path.name: path.stat().st_size for path in sorted(directory.iterdir())}
        return BuiltCut(number, directory, sha256(manifest).hexdigest(), headers, sizes, timings, trees)

    def _new_objects(self) -> Callable[[], list[Path]]:
        """Where the objects this build wrote are."""
        self.store.names_written.clear()
        return lambda: [self.store.path(name) for name in sorted(self.store.names_written)]

    def _check_moment(self, directory: Path, names: FileNames, at_ms: int, last: bool) -> None:
        """Every table and every ZIP is of this cut. Raises StaleCutError."""
        offset = self._catalog.entidad.utc_offset_minutes
        inner = []
        for item in self._contests:
            results = directory / item.names_in(names)
            check_results(results, item.csv, item.levels.counters(last_cut=last), at_ms, offset)
            archive = directory / names.archive(item.output.contest)
            check_archive(archive, [results])
            inner.append(archive)
        check_archive(directory / names.archive(None), inner)

    def _spreadsheets(
        self, directory: Path, names: FileNames, number: int, at_ms: int, last: bool, timer: _Timer
    ) -> None:
        """The XLSX of each contest and the summary."""
        for item in self._contests:
            header = item.levels.counters(last_cut=last)
            rows = item.sheet.chunks() if self._keep_rows else item.sheet.chunks_of(item.csv.cells())
            with (directory / names.sheet(item.output.contest, item.output.csv_name)).open("wb") as stream:
                write_sheet(
                    stream, item.output.contest, item.csv.preamble(header, at_ms), item.csv.columns, rows
                )
        timer("xlsx")
        with (directory / SUMMARY).open("wb") as stream:
            write_summary(
                stream,
                self._catalog,
                {item.output.contest: item.levels for item in self._contests},
                number=number,
                at_ms=at_ms,
                last=last,
                simulacro=self._simulacro,
            )
        timer("resumen")

    def _archives(self, directory: Path, names: FileNames, moment: datetime) -> dict[str, str]:
        """The ZIP of each contest and the one that holds them; returns the content hash of each."""
        contents: dict[str, str] = {}
        inner: list[tuple[str, bytes | Path]] = []
        for item in self._contests:
            output = item.output
            results, candidaturas = item.names_in(names), names.candidaturas(output.contest)
            readme = leeme(
                self._catalog,
                output.contest,
                item.dialect,
                columns=item.csv.columns,
                canonical=item.csv.canonical,
                results=results,
                candidaturas=candidaturas,
                simulacro=self._simulacro,
            )
            members: list[tuple[str, bytes | Path]] = [
                (results, directory / results),
                (candidaturas, item.candidaturas),
                ("LEEME.txt", readme),
            ]
            path = directory / names.archive(output.contest)
            contents[path.name] = write_zip(path, members, moment)
            inner.append((path.name, path))
        readme = outer_leeme(self._catalog, [name for name, _ in inner], simulacro=self._simulacro)
        path = directory / names.archive(None)
        contents[path.name] = write_zip(path, [*inner, ("LEEME.txt", readme)], moment, packed=True)
        return contents

    def _index(
        self,
        names: FileNames,
        number: int,
        at_ms: int,
        last: bool,
        headers: Mapping[str, Mapping[str, str]],
        trees: Mapping[str, Tree],
    ) -> dict[str, Any]:
        return {
            "modo": self._mode,
            "aviso": _NOTICE[self._mode],
            "corte": number,
            "ultimo": last,
            "instante": iso(at_ms, self._catalog.entidad.utc_offset_minutes),
            "entidad": {"id": self._catalog.entidad.id, "nombre": self._catalog.entidad.name},
            "eleccion": self._catalog.election,
            "paquete": names.archive(None),
            "resumen": SUMMARY,
            "manifiesto": MANIFEST,
            "contiendas": {
                item.output.contest: {
                    "nombre": self._catalog.contests[item.output.contest].name,
                    "dialecto": item.dialect.name,
                    "encabezado": headers[item.output.contest],
                    "raiz": trees[item.output.contest].root,
                    "objetos": trees[item.output.contest].objects,
                    "csv": item.names_in(names),
                    "xlsx": names.sheet(item.output.contest, item.output.csv_name),
                    "zip": names.archive(item.output.contest),
                }
                for item in self._contests
            },
        }


class _Timer:
    """Adds to each step the seconds since the call before. For people to read; decides nothing."""

    def __init__(self, timings: dict[str, float], clock: Callable[[], float] = perf_counter) -> None:
        self._timings = timings
        self._clock = clock
        self._since = clock()

    def __call__(self, step: str) -> None:
        moment = self._clock()
        self._timings[step] = self._timings.get(step, 0.0) + moment - self._since
        self._since = moment
