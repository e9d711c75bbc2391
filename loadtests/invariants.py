"""What must hold after a load, whatever its speed: the log, the base and the publication say the same.

It uses the project's own checks (`prep comprobar`, `prep verificar`) and one of its own: walking down the
whole last cut, no acta is missing or counted twice, and its counters are those that the ledger gives when
played again up to that cut. It changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import PrepError
from core.operations.check import check
from core.operations.check_findings import Findings
from core.operations.compare import Comparison
from core.operations.rebuild import Rebuilt
from core.storage.database import open_existing
from core.storage.reading import reading
from core.storage.store import read_catalog
from loadtests.verdict import Invariant

Get = Callable[[str], bytes]
"""The bytes of a public name."""

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
    pointer = json.loads(get("corte.json"))
    found = []
    for contest in _object(get, pointer["portal"])["contiendas"]:
        wanted = contest["encabezado"]
        seen: Counter[int] = Counter()
        captured = counted = 0
        for _, name in _object(get, contest["raiz"])["territorios"]:
            for row in _object(get, name)["secciones"]:
                for acta in _object(get, row[1])["actas"]:
                    seen[acta["hoja"]] += 1
                    captured += acta["estado"] != "no_capturada"
                    counted += acta.get("contabilizada") is True
        twice = sum(times > 1 for times in seen.values())
        numbers = (str(len(seen)), str(captured), str(counted))
        due = tuple(wanted[f"ACTAS_{one}"] for one in ("ESPERADAS", "CAPTURADAS", "CONTABILIZADAS"))
        text = f"corte {pointer['corte']}: esperadas, capturadas y contabilizadas {', '.join(numbers)}"
        if numbers != due:
            text += f"; el encabezado dice {', '.join(due)}"
        if twice:
            text += f"; {twice} actas repetidas"
        good = numbers == due and not twice
        found.append(Invariant(f"{contest['id']}: ningún acta perdida ni contada dos veces", good, text))
    return found


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
    pointer = json.loads(get("corte.json"))
    manifest = json.loads(get(f"{pointer['base']}manifiesto.json"))
    index = json.loads(get(f"{pointer['base']}indice.json"))
    try:
        database = open_existing(base)
        try:
            with reading(database) as connection:
                # What differs from the present tables is not a fault here: the night went on.
                findings = Findings()
                rebuilt = _Until(read_catalog(connection), findings, int(manifest["seq_high"]))
                rebuilt.read(connection)
                counters = Comparison(connection, rebuilt, findings).sums()
        finally:
            database.dispose()
    except PrepError as error:
        return Invariant(what, None, str(error))
    different = []
    for contest, entry in index["contiendas"].items():
        replayed: Mapping[str, str] = counters[contest].as_header()
        different += [
            f"{contest} {name}: {entry['encabezado'][name]} publicado, {replayed[name]} en la bitácora"
            for name in REPLAYED
            if entry["encabezado"][name] != replayed[name]
        ]
    detail = (
        "; ".join(different[:3]) or f"corte {pointer['corte']}, hasta el asiento {manifest['seq_high']:,}"
    )
    return Invariant(what, not different, detail)


def folder_reader(folder: Path) -> Get:
    """Reads public names from a folder."""
    return lambda name: (folder / name).read_bytes()


def _object(get: Get, sha256: str) -> Any:
    return json.loads(get(f"objetos/{sha256[:2]}/{sha256}.json"))
