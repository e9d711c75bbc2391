"""What must hold after a load, whatever its speed: the log, the base and the publication say the same.

It uses the project's own checks (`prep comprobar`, `prep verificar`) and one of its own: walking down the
whole last cut, no acta is missing or counted twice, and its counters are those that the ledger gives when
played again up to that cut. It changes nothing.

What cannot be looked at (a folder that is not a publication, a database that is not there) is not a fault of
the load; a publication that announces what it does not have, or has it without a key, is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError, PrepError
from core.operations.check import check
from core.operations.check_findings import Findings
from core.operations.compare import Comparison
from core.operations.rebuild import Rebuilt
from core.storage.database import open_existing
from core.storage.reading import reading
from core.storage.store import read_catalog
from loadtests.judging.published import Part, read_part
from loadtests.judging.verdict import Invariant
from loadtests.reasons import why

Get = Callable[[str], bytes]
"""The bytes of a public name. Raises InputError when it cannot be read."""

REPLAYED = (
    "ACTAS_ESPERADAS", "ACTAS_REGISTRADAS", "ACTAS_CAPTURADAS", "ACTAS_CONTABILIZADAS",
    "ACTAS_FUERA_CATALOGO", "TOTAL_VOTOS_C_CS", "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
)  # fmt: skip
"""Counters compared with the replay; the others are made from these."""


def of_base(base: str) -> Invariant:
    """Everything in the database comes from its log, which is consistent."""
    what = "la base sale entera de su bitácora (prep comprobar)"
    try:
        database = open_existing(base)
        try:
            done = check(database)
        finally:
            database.dispose()
    except PrepError as error:
        return Invariant(what, None, str(error))
    if done.correct:
        return Invariant(what, True, f"{done.events:,} eventos y {done.actas:,} actas, sin hallazgos")
    first = done.findings.listed[0]
    return Invariant(
        what, False, f"{done.findings.total:,} hallazgos; el primero, {first.code} {first.message}"
    )


def of_verification(place: str, what: str) -> Invariant:
    """A publication, or a package, verifies."""
    from argparse import ArgumentParser

    from core.verification import verificar

    parser = ArgumentParser()
    verificar.add_arguments(parser)
    text = f"{what} verifica (prep verificar)"
    try:
        report = verificar.verify(parser.parse_args([place]))
    except verificar.Unreadable as error:
        return Invariant(text, False, f"no se puede leer: {error}")
    if report.verified:
        return Invariant(text, True, "verifica")
    return Invariant(text, False, report.as_text().strip().splitlines()[0])


def of_cut(get: Get) -> list[Invariant]:
    """The last cut, walked down whole: no acta lost, none counted twice."""
    what = "ningún acta perdida ni contada dos veces"
    try:
        pointer = pointer_of(get)
    except InputError as error:
        return [Invariant(what, None, str(error))]
    try:
        portal = _object(get, pointer.text("portal"))
        return [_of_contest(get, pointer, one, what) for one in portal.rows("contiendas")]
    except InputError as error:
        return [Invariant(what, False, str(error))]


def _of_contest(get: Get, pointer: Part, contest: Part, what: str) -> Invariant:
    wanted = contest.part("encabezado")
    seen: Counter[int] = Counter()
    captured = counted = 0
    for name in _seconds(_object(get, contest.text("raiz")), "territorios"):
        for section in _seconds(_object(get, name), "secciones"):
            for acta in _object(get, section).rows("actas"):
                seen[acta.whole("hoja")] += 1
                captured += acta.text("estado") != "no_capturada"
                counted += acta.data.get("contabilizada") is True
    twice = sum(times > 1 for times in seen.values())
    numbers = (str(len(seen)), str(captured), str(counted))
    due = tuple(wanted.text(f"ACTAS_{one}") for one in ("ESPERADAS", "CAPTURADAS", "CONTABILIZADAS"))
    text = f"corte {pointer.whole('corte')}: esperadas, capturadas y contabilizadas {', '.join(numbers)}"
    if numbers != due:
        text += f"; el encabezado dice {', '.join(due)}"
    if twice:
        text += f"; {twice} actas repetidas"
    return Invariant(f"{contest.text('id')}: {what}", numbers == due and not twice, text)


class _Until(Rebuilt):
    """The ledger played again up to a row, as if nothing had come after."""

    def __init__(self, catalog: Any, findings: Findings, last: int) -> None:
        super().__init__(catalog, findings)
        self._until = last

    def _row(self, row: Sequence[Any]) -> None:
        if int(row[0]) <= self._until:
            super()._row(row)


def of_replay(base: str, get: Get) -> Invariant:
    """The counters of the last cut are those of the ledger played again up to it."""
    what = "los totales publicados son los de la bitácora repetida hasta su corte"
    try:
        pointer = pointer_of(get)
        database = open_existing(base)
    except PrepError as error:
        return Invariant(what, None, str(error))
    try:
        manifest = read_part(get, f"{pointer.text('base')}manifiesto.json")
        index = read_part(get, f"{pointer.text('base')}indice.json")
        until = manifest.whole("seq_high")
        headers = {name: one.part("encabezado") for name, one in index.part("contiendas").parts()}
        published = {
            contest: {name: header.text(name) for name in REPLAYED} for contest, header in headers.items()
        }
    except InputError as error:
        database.dispose()
        return Invariant(what, False, str(error))
    try:
        with reading(database) as connection:
            # What differs from the present tables is not a fault here: the night went on.
            findings = Findings()
            rebuilt = _Until(read_catalog(connection), findings, until)
            rebuilt.read(connection)
            counters = Comparison(connection, rebuilt, findings).sums()
    except PrepError as error:
        return Invariant(what, None, str(error))
    finally:
        database.dispose()
    different = [f"{one}: no está en la base" for one in published if one not in counters]
    for contest, header in published.items():
        replayed: Mapping[str, str] = counters[contest].as_header() if contest in counters else header
        different += [
            f"{contest} {name}: {header[name]} publicado, {replayed[name]} en la bitácora"
            for name in REPLAYED
            if header[name] != replayed[name]
        ]
    text = "; ".join(different[:3]) or f"corte {pointer.whole('corte')}, hasta el asiento {until:,}"
    return Invariant(what, not different, text)


def folder_reader(folder: Path) -> Get:
    """Reads public names from a folder."""

    def get(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError as error:
            raise InputError(folder / name, message="no existe") from error
        except (OSError, ValueError) as error:
            raise InputError(folder / name, message=f"no se puede leer: {why(error)}") from error

    return get


def pointer_of(get: Get) -> Part:
    """The `corte.json` of a publication. Raises InputError when it is not one."""
    pointer = read_part(get, "corte.json")
    pointer.whole("corte"), pointer.text("portal"), pointer.text("base")
    return pointer


def _object(get: Get, sha256: str) -> Part:
    return read_part(get, f"objetos/{sha256[:2]}/{sha256}.json")


def _seconds(whole: Part, key: str) -> list[str]:
    """The second of each pair of a list: the names of the objects below."""
    return [one.text(1) for one in whole.lists(key)]
