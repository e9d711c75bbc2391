"""What the publication folder holds against what the ledger recorded: every cut, notice and image of it.

Reads files and hashes: the files of each manifest, the objects of the last cut, the images and their views,
the notices, and the public log entry by entry. Signatures and proofs are for `prep verificar`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from core.domain.catalog import Catalog
from core.domain.events import Event
from core.errors import InputError, PrepError, shown
from core.foreign_text import foreign_bytes
from core.publication.ledger_match import RecordedCut, check_folder, notice_entry
from core.publication.package import INDEX, MANIFEST
from core.publication.public_tree import notice_key, object_key

CHECKPOINT, POINTER, NOTICES, IMAGES, VIEWS = "checkpoint", "corte.json", "avisos", "imagenes", "vistas"
LISTED = 20
"""Faults of a kind that are told one by one."""
_BLOCK = 1 << 20
_NOTE_LINES, _NOTE_LINE = 40, 400
"""Lines of a checkpoint with many witnesses, and characters of the longest: it goes to paper."""


def published(
    work: Path, cuts: list[dict[str, Any]], catalog: Catalog, mode: str, notices: Sequence[Event] = ()
) -> dict[str, Any]:
    """What there is and `faltas`, the differences. `notices` are those of the ledger.

    Raises InputError when `work` is not such a folder.
    """
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
        else:
            faults += _some(_file_faults(work, name))
        faults += _header_faults(work / name / INDEX, cut)
    checkpoint = work / CHECKPOINT
    pointer = _object(work / POINTER)
    if pointer is not None and cuts and pointer.get("corte") != cuts[-1]["corte"]:
        faults.append(
            f"{POINTER} dice el corte {shown(pointer.get('corte'))} y el último es el {cuts[-1]['corte']}."
        )
    if pointer is not None and pointer.get("modo") != mode:
        faults.append(f"{POINTER} dice modo {shown(pointer.get('modo'))} y la base es de modo {mode}.")
    note = _note(checkpoint)
    if checkpoint.is_file():
        if note is None:
            faults.append(f"{CHECKPOINT} no es una nota que se pueda leer.")
        faults += _log_faults(work, cuts)
        faults += _some(_notice_faults(work, mode, notices))
    last = None
    if cuts and manifests[-1]["manifiesto_sha256"] == cuts[-1]["manifiesto_sha256"]:
        # One that is not the recorded one may say anything.
        last = _object(work / f"cortes/{cuts[-1]['corte']:04d}" / MANIFEST)
    images = sorted(path for path in (work / IMAGES).glob("*/*") if path.is_file())
    faults += _some(
        f"{_key(work, path)} no es la imagen de su nombre." for path in images if not _named(path)
    )
    if last is not None:
        faults += _some(_object_faults(work, last, {path.name for path in images}))
    return {
        "manifiestos": manifests,
        "checkpoint": note,
        "avisos": [
            {"archivo": f"{NOTICES}/{path.name}", "sha256": _sha256(path)}
            for path in sorted((work / NOTICES).glob("*.json"))
        ],
        "imagenes": len(images),
        "actas_con_imagen": _told(last, "con_imagen"),
        "actas_sin_su_imagen": _told(last, "faltantes"),
        "faltas": faults,
    }


def _note(path: Path) -> str | None:
    """The text of a checkpoint; None where there is none, or what there is is no text of its size."""
    if not path.is_file() or path.stat().st_size > _NOTE_LINES * _NOTE_LINE:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.splitlines()
    plain = all(len(line) <= _NOTE_LINE and line.isprintable() for line in lines)
    return text if plain and len(lines) <= _NOTE_LINES else None


def _told(manifest: dict[str, Any] | None, key: str) -> int | None:
    """What the last cut says of images of captured actas; None where nothing is certified."""
    found = (manifest or {}).get("imagenes")
    return int(found[key]) if isinstance(found, dict) and key in found else None


def _some(faults: Iterator[str]) -> list[str]:
    """The first LISTED faults of a kind, and how many more there are."""
    found = list(faults)
    more = len(found) - LISTED
    return [*found[:LISTED], f"… y {more:,} faltas más como esas."] if more > 0 else found


def _file_faults(work: Path, name: str) -> Iterator[str]:
    """Files of a cut that are missing, changed, or in no manifest. The manifest is the recorded one."""
    manifest = _object(work / name / MANIFEST) or {}
    listed = {one["ruta"]: one for one in manifest.get("archivos", [])}
    for route, one in listed.items():
        path = work / name / route
        found = _sha256(path)
        if found is None:
            yield f"Falta {name}/{route}."
        elif found != one["sha256"] or path.stat().st_size != one["bytes"]:
            yield f"{name}/{route} no es el que dice el manifiesto."
    for path in sorted((work / name).iterdir()):
        if path.name not in listed and path.name != MANIFEST:
            yield f"{name}/{path.name} no está en el manifiesto."


def _log_faults(work: Path, cuts: list[dict[str, Any]]) -> list[str]:
    """Whether the public log has the cuts of the ledger and no other one."""
    recorded = [
        RecordedCut(one["corte"], one["ms"], one["hasta_evento"], one["manifiesto_sha256"]) for one in cuts
    ]
    try:
        check_folder(work, recorded)
    except (PrepError, OSError, ValueError) as error:
        return [f"La bitácora pública no es la de esta base. {error}"]
    return []


def _notice_faults(work: Path, mode: str, notices: Sequence[Event]) -> Iterator[str]:
    """Notices of the ledger whose file is missing or says something else, and files of none of them."""
    known = set()
    for event in notices:
        key = notice_key(event.data["number"])
        known.add(key)
        path = work / key
        if not path.is_file():
            yield f"Falta {key}."
        elif path.read_bytes() != notice_entry(mode, event.data):
            yield f"{key} no es el aviso que la bitácora registró."
    for path in sorted((work / NOTICES).glob("*")):
        if _key(work, path) not in known:
            yield f"{_key(work, path)} no es de ningún aviso de la bitácora."


def _object_faults(work: Path, manifest: dict[str, Any], images: set[str]) -> Iterator[str]:
    """Objects of the last cut that are not what their name says, and images its actas show and lack."""
    todo = [*manifest["raices_json"].values(), *([manifest["portal"]] if "portal" in manifest else [])]
    while todo:
        key = object_key(todo.pop())
        path = work / key
        if not path.is_file():
            yield f"Falta {key}."
            continue
        if not _named(path):
            yield f"{key} no es el objeto de su nombre."
            continue
        document = _object(path) or {}
        if "nivel" not in document:
            continue
        for below in ("territorios", "secciones"):
            todo += [one[1] for one in document.get(below, [])]
        for acta in (*document.get("actas", []), *document.get("fuera_de_catalogo", [])):
            yield from _image_faults(work, acta, images)


def _image_faults(work: Path, acta: dict[str, Any], images: set[str]) -> Iterator[str]:
    """What an acta shows: its original, checked by its name elsewhere, and the view people look at."""
    name, kind, view = acta.get("imagen"), acta.get("imagen_archivo"), acta.get("imagen_vista")
    if not isinstance(name, str) or kind is None:
        return
    if f"{name}.{kind}" not in images:
        yield f"Falta {IMAGES}/{name[:2]}/{name}.{kind}, la imagen de {acta.get('acta') or 'un acta'}."
    if view is not None:
        key = f"{VIEWS}/{name[:2]}/{name}.webp"
        found = _sha256(work / key)
        if found is None:
            yield f"Falta {key}, la vista de {acta.get('acta') or 'un acta'}."
        elif found != view:
            yield f"{key} no es la vista publicada de {acta.get('acta') or 'un acta'}."


def _header_faults(path: Path, cut: dict[str, Any]) -> list[str]:
    index = _object(path)
    if index is None:
        return [f"Falta cortes/{cut['corte']:04d}/{INDEX}."]
    faults = []
    for name, wanted in cut["contadores"].items():
        contests = index.get("contiendas")
        contest = contests.get(name) if isinstance(contests, dict) else None
        said = contest.get("encabezado") if isinstance(contest, dict) else None
        if said != wanted:
            faults.append(
                f"Corte {cut['corte']}: los contadores publicados de {name} no son los de la bitácora."
            )
    return faults


def _object(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = orjson.loads(foreign_bytes(path))
    except ValueError as error:
        raise InputError(path, expected="un objeto JSON") from error
    if not isinstance(found, dict):
        raise InputError(path, expected="un objeto JSON")
    return found


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _named(path: Path) -> bool:
    """Whether a file holds what its name says."""
    return _sha256(path) == path.name.partition(".")[0]


def _key(work: Path, path: Path) -> str:
    return path.relative_to(work).as_posix()
