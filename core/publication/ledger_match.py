"""Whether a publication folder is of the night of a database: what the ledger recorded against what is there.

A folder signed on top of another night would be a history nobody lived, and with a good signature. It only
reads: the cuts in the ledger, the entries of the public log and the manifests. What the proofs say is for
`prep verificar`; finishing what a death left undone, for `cut`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Engine as Database
from sqlalchemy import select

from core.domain.events import EventKind
from core.errors import UsageError
from core.publication.package import CUTS, MANIFEST
from core.storage import schema
from core.storage.reading import reading
from core.transparency.entries import Aviso
from core.transparency.log import LogReader


class RecordedCut(NamedTuple):
    """A cut as the ledger has it; `at` in ms UTC."""

    number: int
    at: int
    seq_high: int
    manifest_sha256: str


def recorded_cuts(database: Database) -> list[RecordedCut]:
    """The published cuts of a ledger, in order."""
    ledger = schema.ledger.c
    query = (
        select(ledger["at"], ledger.data)
        .where(ledger.acta.is_(None), ledger.kind == EventKind.CUT_PUBLISHED.value)
        .order_by(ledger.seq)
    )
    with reading(database) as connection:
        rows = [(int(at), orjson.loads(data)) for at, data in connection.execute(query)]
    return [RecordedCut(one["number"], at, one["seq_high"], one["manifest_sha256"]) for at, one in rows]


def entries_of(workdir: Path) -> list[dict[str, Any]]:
    """The entries of the public log of a folder, none where there is no log. Raises TransparencyError."""
    if not (workdir / "checkpoint").is_file():
        return []
    return [orjson.loads(one) for one in LogReader(lambda key: (workdir / key).read_bytes()).entries()]


def check_folder(workdir: Path, cuts: Sequence[RecordedCut]) -> None:
    """See that the public log of the folder is of the night of these cuts, and misses at most its end.

    A death leaves at most the end: cuts in the ledger, prepared in the folder and not yet in the log.
    Raises UsageError naming the first cut that differs, is only in the folder, or cannot be finished there.
    """
    log = {one["corte"]: one for one in entries_of(workdir) if one["clase"] == "emision"}
    place = f"la carpeta «{workdir}»"
    strange = sorted(log.keys() - {cut.number for cut in cuts})
    if strange:
        raise UsageError(
            f"La bitácora pública de {place} tiene el corte {strange[0]}, que la base no tiene: son de "
            "noches distintas, o la base es una copia anterior. No se publica nada."
        )
    last = max(log, default=0)
    for cut in cuts:
        entry = log.get(cut.number)
        if entry is not None:
            signed = RecordedCut(
                cut.number, entry["instante_ms"], entry["seq_high"], entry["manifiesto_sha256"]
            )
            if signed != cut:
                raise UsageError(
                    f"El corte {cut.number} de la bitácora pública de {place} no es el que la base registró: "
                    "son de noches distintas. No se publica nada; revise --base y --trabajo."
                )
            continue
        path = workdir / CUTS / f"{cut.number:04d}" / MANIFEST
        if cut.number < last or not path.is_file():
            raise UsageError(
                f"La base ya tiene {len(cuts)} cortes y la bitácora pública de {place} no tiene el "
                f"{'último' if cut is cuts[-1] else cut.number}. Publique en la carpeta donde se publicaron, "
                "o traiga a esta una copia de un destino."
            )
        check_manifest(path, cut.number, path.read_bytes(), cut.manifest_sha256)


def notice_entry(mode: str, data: Mapping[str, Any]) -> bytes:
    """The entry of the public log, and the file, of a notice as the ledger has it. Raises EntryError."""
    return Aviso(
        mode, data["number"], data["type"], data["since"], data["until"], data["reason"],
        tuple(data["slots"]), orjson.loads(data["detail"]),
    ).encode()  # fmt: skip


def check_manifest(path: Path, number: int, data: bytes, recorded: str) -> None:
    """See that the bytes of a manifest are those the ledger recorded. Raises UsageError."""
    if sha256(data).hexdigest() != recorded:
        raise UsageError(
            f"{path}: no es el manifiesto que la base registró al publicar el corte {number}; alguien lo "
            "cambió, o la carpeta es de otra noche. No se firma ni se publica nada más hasta aclararlo: "
            "traiga a la carpeta el original, o publique en la carpeta donde se hizo."
        )
