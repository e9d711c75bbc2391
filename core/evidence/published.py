"""What the publication folder holds against what the ledger recorded: manifests, notices, checkpoint, images.

Reads files and hashes; proofs of the public log are for `prep verificar`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from core.domain.catalog import Catalog
from core.errors import InputError
from core.publication.package import INDEX, MANIFEST

CHECKPOINT, POINTER, NOTICES, IMAGES = "checkpoint", "corte.json", "avisos", "imagenes"


def published(work: Path, cuts: list[dict[str, Any]], catalog: Catalog, mode: str) -> dict[str, Any]:
    """What there is and `faltas`, the differences. Raises InputError when `work` is not such a folder."""
    if not (work / "cortes").is_dir():
        raise InputError(work, expected="una carpeta de publicación, con «cortes»")
    faults: list[str] = []
    manifests = []
    for cut in cuts:
        name = f"cortes/{cut['corte']:04d}"
        found = _sha256(work / name / MANIFEST)
        manifests.append({"corte": cut["corte"], "manifiesto_sha256": found})
        if found is None:
            faults.append(f"Falta {name}/{MANIFEST}.")
        elif found != cut["manifiesto_sha256"]:
            faults.append(f"{name}/{MANIFEST} no es el que la bitácora registró.")
        faults += _header_faults(work / name / INDEX, cut)
    checkpoint = work / CHECKPOINT
    pointer = _object(work / POINTER)
    if pointer is not None and cuts and pointer.get("corte") != cuts[-1]["corte"]:
        faults.append(
            f"{POINTER} dice el corte {pointer.get('corte')} y el último es el {cuts[-1]['corte']}."
        )
    if pointer is not None and pointer.get("modo") != mode:
        faults.append(f"{POINTER} dice modo {pointer.get('modo')} y la base es de modo {mode}.")
    images = [path for path in (work / IMAGES).glob("*/*") if path.is_file()]
    return {
        "manifiestos": manifests,
        "checkpoint": checkpoint.read_text(encoding="utf-8") if checkpoint.is_file() else None,
        "avisos": [
            {"archivo": f"{NOTICES}/{path.name}", "sha256": _sha256(path)}
            for path in sorted((work / NOTICES).glob("*.json"))
        ],
        "imagenes": len(images),
        "faltas": faults,
    }


def _header_faults(path: Path, cut: dict[str, Any]) -> list[str]:
    index = _object(path)
    if index is None:
        return [f"Falta cortes/{cut['corte']:04d}/{INDEX}."]
    faults = []
    for name, wanted in cut["contadores"].items():
        said = (index.get("contiendas") or {}).get(name, {}).get("encabezado")
        if said != wanted:
            faults.append(
                f"Corte {cut['corte']}: los contadores publicados de {name} no son los de la bitácora."
            )
    return faults


def _object(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(path, expected="un objeto JSON") from error
    if not isinstance(found, dict):
        raise InputError(path, expected="un objeto JSON")
    return found


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
