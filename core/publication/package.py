"""Builds the folder of a cut, checks it, and puts it in its place whole.

`build` writes everything under a hidden name and refuses the cut when the rows of a results CSV do not
give its header, a JSON object read back is not sound, or a file is of another moment; `commit` renames
the folder into place; `point` moves `ultimo`. A reader sees a complete cut or none. When to publish, and
the record of it, belong to `cut`; what certifies it, to `emission`.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import orjson

from core.domain.catalog import Catalog
from core.publication import package_files
from core.publication.archives import make_durable, sync
from core.publication.check_apart import Job, checking
from core.publication.freshness import StaleCutError
from core.publication.interference import CutStep, Interference
from core.publication.json_levels import ImageKey, JsonLevels, Tree
from core.publication.naming import content_sha256, list_files
from core.publication.object_check import ObjectDefectError, check_index, parsed
from core.publication.objects import ObjectStore
from core.publication.outputs import KEPT_ROWS, Manner, Output, PackageError, check_outputs, prepare
from core.publication.package_files import INDEX, MANIFEST, Cut
from core.publication.portal_check import check_portal
from core.publication.recount import HeaderMismatchError, RowMismatchError, check_header
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot

__all__ = [
    "INDEX",
    "MANIFEST",
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

OBJECTS = "objetos"
CUTS = "cortes"
LAST = "ultimo"

_INDENTED = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2


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
        self._durable = durable
        self._outputs = tuple(Output(contest) for contest in catalog.contests) if outputs is None else outputs
        self.fingerprint = catalog.fingerprint()
        """That of the catalogue: of a national one it takes seconds to know."""
        self.store = ObjectStore(self._workdir / OBJECTS)
        self._interfere = interfere or Interference()
        self.annex: Annex | None = None
        self.annexed: Callable[[], list[Path]] = list
        """The files the annex wrote that are not in the store of objects, and not on disk for good yet."""
        self._unsynced: set[str] = set()
        """Objects of builds that were not committed: the next one that is names them too."""
        self._keep_rows = len(catalog.actas) <= KEPT_ROWS
        manner = Manner(mode, certified, image_key, self._keep_rows)
        self._contests = [prepare(catalog, output, self.store, manner) for output in self._outputs]
        self._in_step = False
        check_outputs(self._outputs)

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
            with _without_collecting():
                return self._build(directory, snapshot, number, at_ms, last)
        except ObjectDefectError as error:
            # What is on disk is not what was written: nothing of it is reused, nor of what came with it.
            if error.name is not None:
                for name in {error.name, *self.store.names_written}:
                    self.store.discard(name)
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
            self._unsynced |= self.store.names_written
            objects = self._workdir / OBJECTS
            make_durable([built.directory, objects], self._files_of(built))
            self._unsynced.clear()
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

    def _files_of(self, built: BuiltCut) -> Iterator[Path]:
        """What a cut wrote, for where files go to the disk one by one; what was taken away is left out."""
        yield from (built.directory / name for name in built.sizes)
        objects = (self.store.path(name) for name in sorted(self._unsynced))
        yield from (path for path in (*objects, *self.annexed()) if path.is_file())

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

        cut = Cut(directory, self._catalog, self._mode, number, at_ms, last)
        names = cut.names
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
            archives = worker.submit(package_files.archives, cut, self._contests)
            self._objects(snapshot, last, trees)
            of_levels = frozenset(self.store.names_written)
            timer("json")
            self._interfere.at("objetos", step)
            jobs = [
                Job(item.check, contest, trees[contest].root, headers[contest])
                for item in self._contests
                for contest in (item.output.contest,)
            ]
            with checking(jobs, sum(tree.objects for tree in trees.values())):
                timer("objetos")
                self._spreadsheets(cut, timer)
                contents |= archives.result()
                timer("zip")
                self._interfere.at("construido", step)
                package_files.check_moment(cut, self._contests)
                timer("frescura")
                added: Mapping[str, Any] = {}
                if self.annex is not None:
                    added = self.annex(Parts(number, at_ms, last, snapshot, trees, headers))
                    timer("anexo")
                    self._interfere.at("anexo", step)
                    for name in sorted(self.store.names_written - of_levels):
                        parsed(self.store.path(name), name)
            timer("objetos")
        if "portal" in added:
            check_portal(
                self.store.root, added["portal"], number=number, at_ms=at_ms, last=last, mode=self._mode,
                roots={contest: tree.root for contest, tree in trees.items()}, headers=headers,
            )  # fmt: skip
            timer("portal")
        index = package_files.index(cut, self._contests, headers, trees)
        (directory / INDEX).write_bytes(orjson.dumps(index, option=_INDENTED))
        manifest = orjson.dumps(
            {
                "modo": self._mode,
                "corte": number,
                "instante": index["instante"],
                "instante_ms": at_ms,
                "ultimo": last,
                "seq_high": snapshot.seq_high,
                "catalogo_sha256": self.fingerprint,
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
        self._unsynced |= self.store.names_written
        self.store.names_written.clear()
        return lambda: [self.store.path(name) for name in sorted(self.store.names_written)]

    def _objects(self, snapshot: Snapshot, last: bool, trees: dict[str, Tree]) -> None:
        """Write the JSON objects of every contest."""
        try:
            with self.store.bulk():
                for item in self._contests:
                    trees[item.output.contest] = item.json.update(snapshot, item.pending, last=last)
        except OSError:
            # Some were made and are not on disk: all of them again.
            for item in self._contests:
                item.json.forget()
            raise
        for item in self._contests:
            item.pending.clear()

    def _spreadsheets(self, cut: Cut, timer: _Timer) -> None:
        package_files.spreadsheets(cut, self._contests, self._keep_rows, timer)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A cut makes millions of values and hardly a cycle: looking for them costs a tenth of a large one."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


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
