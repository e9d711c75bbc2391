"""What every constancia has: its heading, the times as people read them, canonical JSON.

A constancia is a plain object (numbers, texts, lists); `papers` writes it for people and `signing` signs it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, select

from core.domain.catalog import Catalog
from core.errors import UsageError
from core.publication.times import iso
from core.storage import schema
from core.storage.reading import read_catalog, read_meta

Constancia: TypeAlias = dict[str, Any]

FORMAT = 1
ZEROS, HASHES, CLOSING = "acta_de_ceros", "acta_de_hashes", "acta_de_cierre"
TITLES = {
    ZEROS: "Acta de ceros",
    HASHES: "Acta de hashes",
    CLOSING: "Acta circunstanciada de cierre",
}
"""Kinds of constancia and how each is called."""


def canonical(value: object) -> bytes:
    """Compact JSON with sorted keys: the same value is always the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def heading(connection: Connection, kind: str, at_ms: int) -> tuple[Constancia, Catalog]:
    """The fields every constancia begins with, and the catalogue of the database.

    `at_ms` is when it is taken (ms UTC). Raises UsageError when the database holds no operation.
    """
    meta = read_meta(connection)
    if "mode" not in meta:
        raise UsageError("La base no dice su modo: nadie ha iniciado una operación en ella.")
    catalog = read_catalog(connection)
    head: Constancia = {
        "formato": FORMAT,
        "clase": kind,
        "modo": meta["mode"],
        "entidad": {"id": catalog.entidad.id, "nombre": catalog.entidad.name},
        "eleccion": catalog.election,
        "procedencia": catalog.provenance,
        "catalogo_sha256": meta.get("catalog", ""),
        "catalogo_recalculado_sha256": catalog.fingerprint(),
        "motor_de_base": connection.dialect.name,
        "levantada_ms": at_ms,
        "minutos_utc": catalog.entidad.utc_offset_minutes,
        "levantada": iso(at_ms, catalog.entidad.utc_offset_minutes),
    }
    return head, catalog


def chain_head(connection: Connection) -> dict[str, Any]:
    """Number and hash of the last row of the ledger; 0 and 64 zeros when it is empty."""
    row = connection.execute(
        select(schema.ledger.c.seq, schema.ledger.c.hash).order_by(schema.ledger.c.seq.desc()).limit(1)
    ).first()
    if row is None:
        return {"evento": 0, "sha256": "0" * 64}
    return {"evento": int(row[0]), "sha256": bytes(row[1]).hex()}
