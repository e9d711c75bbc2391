"""Is what the public reads what was verified? The cut in its place against the ledger of the database.

Looks at the number of the cut, at the SHA-256 of every file and of the manifest recomputed from the files
themselves, at the header counters counted again from the ledger, and at the roots of the JSON tree. The
failure it watches for is that of Guerrero 2021: transmission and publication out of step and nobody told.
It alarms nobody: it gives facts, and the delays are those of the alert rules.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from control_room.night.facts import CanaryFacts, CanaryState
from control_room.sources.public_files import MissingFileError, PublicFiles, open_public
from core.domain.catalog import Catalog
from core.errors import PrepError
from core.operations.header_recount import Cut, HeaderRecount
from core.publication.dialects import load_dialect
from core.publication.package import INDEX, MANIFEST
from core.publication.recount import written_header
from core.storage.reading import read_catalog, reading

REREAD_S = 60.0
"""A file that looks unchanged is read again in its turn, one every this long: discs rot and clocks lie."""
LOOKED_S = 60.0
"""Without a look for this long, nobody knows whether the public reads what was verified."""
CLOSE_S = 5.0
"""How long the end of a look is waited for when the watch ends."""
SHOWN = 3
"""Differences told one by one; the rest are counted."""
_HEAD = 65_536

Found = tuple[CanaryState, str, "int | None"]


class Canary:
    """Compares what is public with a database, again and again. Not for several threads at once.

    `public` is the folder `ultimo` of a run, a publication with its `corte.json` (a folder or an address), or
    an address under which the files of a cut are; None when nothing says where the public reads. Looking
    again when nothing changed costs a few `stat`.
    """

    def __init__(
        self,
        public: Path | str | None,
        database: Database,
        catalog: Catalog | None = None,
        *,
        reread_s: float = REREAD_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._public = public
        self._database = database
        self._catalog = catalog
        self._recount: HeaderRecount | None = None
        self._reread_s = reread_s
        self._monotonic = monotonic
        self._reread_at = monotonic() + reread_s
        self._turn = 0
        self._seen: tuple[object, ...] | None = None
        self._names: tuple[str, ...] = ()
        self._said: Found | None = None
        self._since: int | None = None

    def check(self, now_ms: int, real_ms: int) -> CanaryFacts:
        """Look. `now_ms` is the time of the night, `real_ms` the machine's (both ms UTC).

        Raises SQLAlchemyError when the database does not answer: nothing can be said without it.
        """
        found = self._look()
        if self._said is None or self._said[0] is not found[0]:
            self._since = now_ms
        self._said = found
        state, reason, number = found
        return CanaryFacts(state, reason, number, self._since, real_ms)

    def _look(self) -> Found:
        found, looked = self._once()
        if found[0] is CanaryState.EQUAL or not looked:
            return found
        # A cut may have gone out between looking at the files and at the ledger, or its pointer moved while
        # they were read: what is so the second time is so.
        self._seen = None
        return self._once()[0]

    def _once(self) -> tuple[Found, bool]:
        """What is found, and whether the files were read for it."""
        recount = self._read_ledger()
        last = recount.last
        try:
            files = None if self._public is None else open_public(self._public)
        except (OSError, HTTPException) as error:
            self._seen = None
            reason = f"No se pudo leer lo publicado en {self._public}: {error}."
            return (CanaryState.NOTHING_PUBLIC, reason, None), True
        except ValueError:
            self._seen = None
            reason = f"El corte.json de {self._public} no se puede leer."
            return (CanaryState.DIVERGENT, reason, None), True
        if files is None:
            self._seen = None
            return _nothing(self._public, last), False
        try:
            seen = (last, files.where, files.marks(self._names))
            if seen != self._seen or self._said is None:
                return self._compare(files, recount, last), True
            if self._monotonic() < self._reread_at or self._said[0] is not CanaryState.EQUAL:
                return self._said, False
            self._reread_at = self._monotonic() + self._reread_s
            wrong = self._reread(files, last)
            return (self._said if wrong is None else (CanaryState.DIVERGENT, wrong, self._said[2])), False
        except MissingFileError as error:
            self._seen = None
            return (CanaryState.DIVERGENT, f"Falta el archivo {error} en {files.where}.", None), True
        except (OSError, HTTPException) as error:
            self._seen = None
            reason = f"No se pudo leer lo publicado en {files.where}: {error}."
            return (CanaryState.NOTHING_PUBLIC, reason, None), True
        except (ValueError, TypeError, LookupError, AttributeError):
            # Whatever the files hold in place of what they should is not what was verified.
            self._seen = None
            reason = f"Lo publicado en {files.where} no tiene la forma de un corte."
            return (CanaryState.DIVERGENT, reason, None), True

    def _read_ledger(self) -> HeaderRecount:
        with reading(self._database) as connection:
            if self._recount is None:
                self._recount = HeaderRecount(self._catalog or read_catalog(connection))
            self._recount.read(connection)
        return self._recount

    # -- one cut ---------------------------------------------------------------------------------

    def _compare(self, files: PublicFiles, recount: HeaderRecount, last: Cut | None) -> Found:
        self._names = (MANIFEST, INDEX)
        raw = files.read(MANIFEST)
        manifest = _object(raw)
        if manifest is None or not isinstance(manifest.get("corte"), int):
            return CanaryState.DIVERGENT, f"El {MANIFEST} publicado no se puede leer.", None
        number = int(manifest["corte"])
        listed = _listed(manifest)
        self._names = (MANIFEST, *listed)
        # Before they are read: what is written again meanwhile is looked at again.
        self._seen = (last, files.where, files.marks(self._names))
        cut = recount.cuts.get(number)
        if cut is None:
            known = f"el último es el {last.number}" if last is not None else "no registra ninguno"
            reason = f"Está publicado el corte {number} y la base no lo registra: {known}."
            return CanaryState.DIVERGENT, reason, number
        wrong = [
            *_hash_faults(raw, cut),
            *_file_faults(files, listed),
            *_index_faults(files, manifest, cut, recount.header(number)),
        ]
        if wrong:
            rest = f" Y {len(wrong) - SHOWN} diferencias más." if len(wrong) > SHOWN else ""
            return CanaryState.DIVERGENT, f"Corte {number}: {' '.join(wrong[:SHOWN])}{rest}", number
        assert last is not None
        if number != last.number:
            reason = f"Lo público es el corte {number} y ya salió el {last.number}."
            return CanaryState.BEHIND, reason, number
        return CanaryState.EQUAL, "", number

    def _reread(self, files: PublicFiles, last: Cut | None) -> str | None:
        """Read again the manifest and the file whose turn it is, though they look unchanged."""
        raw = files.read(MANIFEST)
        listed = _listed(_object(raw) or {})
        if last is None or not listed:
            return f"El {MANIFEST} publicado no se puede leer."
        self._turn = (self._turn + 1) % len(listed)
        name = list(listed)[self._turn]
        faults = [*_hash_faults(raw, last), *_file_faults(files, {name: listed[name]})]
        return f"Corte {last.number}: {faults[0]}" if faults else None


class CanaryWatch:
    """A canary in a thread of its own: whoever asks gets what was last found and never waits.

    `now_ms` gives the time of the night.
    """

    def __init__(
        self,
        canary: Canary,
        now_ms: Callable[[], int],
        every_s: float = 5.0,
        real_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._canary = canary
        self._now_ms = now_ms
        self._every_s = every_s
        self._real_ms = real_ms
        self._facts: CanaryFacts | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canario", daemon=True)
        self._thread.start()

    def facts(self) -> CanaryFacts | None:
        """What was last found; None until the first look ends.

        What nobody has been able to look at for LOOKED_S is not known any more, and is told so.
        """
        found = self._facts
        if found is None or found.checked_real_ms is None:
            return found
        age_s = self._real_ms() / 1000 - found.checked_real_ms / 1000
        if age_s < LOOKED_S:
            return found
        reason = f"Nadie ha podido revisar lo público desde hace {age_s:.0f} s."
        return replace(found, state=CanaryState.NOTHING_PUBLIC, reason=reason)

    def close(self) -> None:
        """Look no more; a look that does not end is not waited for."""
        self._stop.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            # When the database does not answer the room says so by itself; `checked_real_ms` grows old.
            with suppress(SQLAlchemyError, PrepError):
                self._facts = self._canary.check(self._now_ms(), self._real_ms())
            if self._stop.wait(self._every_s):
                return


def check(public: Path | str | None, database: Database, now_ms: int, real_ms: int) -> CanaryFacts:
    """Look once."""
    return Canary(public, database).check(now_ms, real_ms)


def _nothing(public: Path | str | None, last: Cut | None) -> Found:
    if last is None:
        return CanaryState.NOTHING_PUBLIC, "Todavía no sale ningún corte.", None
    place = f" en {public}" if public is not None else ""
    reason = f"La base registra el corte {last.number} y no hay nada publicado{place}."
    return CanaryState.NOTHING_PUBLIC, reason, None


def _hash_faults(manifest: bytes, cut: Cut) -> list[str]:
    found = sha256(manifest).hexdigest()
    if found == cut.manifest_sha256:
        return []
    return [
        f"el {MANIFEST} no es el que se verificó: su SHA-256 es {_short(found)} "
        f"y la base registra {_short(cut.manifest_sha256)}."
    ]


def _file_faults(files: PublicFiles, listed: Mapping[str, tuple[int, str]]) -> list[str]:
    faults = []
    for name, (size, wanted) in listed.items():
        try:
            found_size, found = files.digest(name)
        except MissingFileError:
            faults.append(f"falta el archivo {name}, que el manifiesto anuncia.")
            continue
        if found_size != size:
            faults.append(f"{name} tiene {found_size:,} bytes y el manifiesto dice {size:,}.")
        elif found != wanted:
            faults.append(
                f"{name} cambió después de verificarse: su SHA-256 es {_short(found)} "
                f"y el manifiesto dice {_short(wanted)}."
            )
    extra = files.extra(frozenset((*listed, MANIFEST))) if len(listed) > 1 else []
    faults += [f"hay un archivo que nadie verificó: {name}." for name in extra]
    return faults


def _index_faults(
    files: PublicFiles, manifest: Mapping[str, Any], cut: Cut, recounted: Mapping[str, Mapping[str, str]]
) -> list[str]:
    faults = []
    if manifest.get("seq_high") != cut.seq_high:
        told = manifest.get("seq_high")
        faults.append(f"el manifiesto dice llegar al evento {told} y el corte llegó al {cut.seq_high}.")
    try:
        index = _object(files.read(INDEX))
    except MissingFileError:
        return [*faults, f"falta el archivo {INDEX}."]
    contests = index.get("contiendas") if index is not None else None
    if index is None or not isinstance(contests, dict):
        return [*faults, f"el {INDEX} publicado no se puede leer."]
    if index.get("corte") != cut.number:
        faults.append(f"el {INDEX} dice ser del corte {index.get('corte')}.")
    for name, contest in contests.items():
        header = contest.get("encabezado") if isinstance(contest, dict) else None
        if not isinstance(header, dict):
            faults.append(f"el {INDEX} no tiene encabezado de {name}.")
            continue
        wanted = recounted.get(name)
        if wanted is None:
            faults.append(f"el {INDEX} trae la elección {name}, que el catálogo no tiene.")
            continue
        faults += _differences(f"{INDEX}, {name}", header, wanted, "la base cuenta")
        faults += _csv_faults(files, contest, header)
        faults += _root_faults(files, name, contest)
    return faults


def _csv_faults(files: PublicFiles, contest: Mapping[str, Any], header: Mapping[str, str]) -> list[str]:
    """The header of the results CSV against that of the index."""
    name = str(contest.get("csv"))
    try:
        dialect = load_dialect(str(contest.get("dialecto")))
        written = written_header(files.read(name)[:_HEAD], dialect)
    except MissingFileError:
        return []  # told with the files
    except PrepError as error:
        return [f"{name}: {error}."]
    return _differences(name, written, header, f"el {INDEX} dice")


def _root_faults(files: PublicFiles, name: str, contest: Mapping[str, Any]) -> list[str]:
    root = str(contest.get("raiz"))
    try:
        data = files.object(root)
    except MissingFileError as error:
        return [f"falta la raíz de los JSON de {name}: {error}."]
    if data is not None and sha256(data).hexdigest() != root:
        return [f"la raíz de los JSON de {name} cambió después de verificarse."]
    return []


def _differences(place: str, said: Mapping[str, Any], wanted: Mapping[str, str], by: str) -> list[str]:
    return [
        f"{place}: {key} dice {said.get(key)} y {by} {value}."
        for key, value in wanted.items()
        if said.get(key) != value
    ]


def _listed(manifest: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 by file, as a manifest says; a file with a path is none of ours."""
    files = manifest.get("archivos")
    found: dict[str, tuple[int, str]] = {}
    for one in files if isinstance(files, list) else ():
        if isinstance(one, dict) and isinstance(one.get("ruta"), str) and "/" not in one["ruta"]:
            found[one["ruta"]] = (int(one.get("bytes", -1)), str(one.get("sha256")))
    return found


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _short(digest: str) -> str:
    return f"{digest[:12]}…"
