"""A small public tree, complete and signed: one contest, eight actas, three cuts.

Made by hand and not by the publisher, so that the verifier is tried against the format and not
against the code that writes it; only the log is the real one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from core.transparency import keyring
from core.transparency.acta_tree import ActaTree
from core.transparency.entries import Apertura, Emision
from core.transparency.keys import SigningKey, rehearsal_key
from core.transparency.log import EmissionLog
from core.transparency.merkle import leaf_hash

ORIGIN = "prep.jal.2021/simulacro"
START = 1_622_768_400_000
CATALOG = "c" * 64
PARTIES = ("PAN", "MC", "NULOS")
HEAD = (
    "CLAVE_CASILLA,CLAVE_ACTA,SECCION,TIPO_CASILLA,TOTAL_VOTOS_SACADOS,PAN,MC,NULOS,TOTAL_VOTOS_ASENTADO,"
    "TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,OBSERVACIONES,CONTABILIZADA,CODIGO_INTEGRIDAD"
)
COUNTERS = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)
ACTAS = 8
IMAGES = [b"\xff\xd8\xff imagen %d" % i for i in range(ACTAS)]


def dump(value: Any) -> bytes:
    """Canonical JSON."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def put(root: Path, key: str, data: bytes) -> None:
    """Write a file of the tree."""
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def acta_key(index: int) -> str:
    """The key of an acta."""
    return f"140024{'S' if index == 7 else 'B'}{index:02d}003"


def _acta(index: int, captured: int, bonus: int) -> dict[str, Any]:
    acta: dict[str, Any] = {
        "acta": acta_key(index), "casilla": acta_key(index)[:-1], "tipo_casilla": "S" if index == 7 else "B",
        "lista_nominal": 0 if index == 7 else 700, "hoja": index,
    }  # fmt: skip
    if index >= captured:
        return {**acta, "estado": "no_capturada"}
    votes = [100 + index + (bonus if index == 0 else 0), 150, 3]
    return {
        **acta, "estado": "capturada", "contabilizada": True, "votos": votes, "calculado": sum(votes),
        "imagen": digest(IMAGES[index]), "observaciones": [],
    }  # fmt: skip


def _percent(part: int, whole: int) -> str:
    return f"{part * 10**6 // whole // 10**4}.{part * 10**6 // whole % 10**4:04d}" if whole else "0.0000"


def _header(actas: list[dict[str, Any]], last: bool) -> dict[str, str]:
    got = [a for a in actas if a["estado"] == "capturada"]
    n, votes = len(actas), sum(a["calculado"] for a in got)
    regular = sum(a["calculado"] for a in got if a["tipo_casilla"] != "S")
    lista = sum(a["lista_nominal"] for a in got)
    share = _percent(len(got), n)
    values = (n, len(got), 0, len(got), share, len(got), share, "0.0000", 0, lista, votes, regular,
              _percent(votes if last else regular, lista))  # fmt: skip
    return dict(zip(COUNTERS, map(str, values), strict=True))


def _csv(actas: list[dict[str, Any]], header: dict[str, str], title: str) -> bytes:
    lines = [title, "03/06/2021 20:00 (UTC-5)", "", ",".join(COUNTERS), ",".join(header.values()), "", HEAD]
    for acta in actas:
        key, casilla = f"'{acta['acta']}", f"'{acta['casilla']}"
        start = [casilla, key, "'0024", acta["tipo_casilla"]]
        if acta["estado"] == "no_capturada":
            lines.append(",".join([*start, *"-----", "0", str(acta["lista_nominal"]), "-", "-", "-"]))
            continue
        total = str(acta["calculado"])
        cells = [
            total,
            *map(str, acta["votos"]),
            total,
            total,
            str(acta["lista_nominal"]),
            " ",
            "1",
            acta["imagen"],
        ]
        lines.append(",".join([*start, *cells]))
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _objects(root: Path, actas: list[dict[str, Any]], header: dict[str, str], mode: str) -> str:
    votes = [sum(a["votos"][c] for a in actas if "votos" in a) for c in range(3)]
    level = {"modo": mode, "contienda": "GUB", "votos": votes, "contadores": header}

    def keep(document: dict[str, Any]) -> str:
        data = dump(document)
        put(root, f"objetos/{digest(data)[:2]}/{digest(data)}.json", data)
        return digest(data)

    section = keep({**level, "nivel": "seccion", "seccion": 24, "actas": actas})
    place = keep({**level, "nivel": "territorio", "secciones": [[24, section, 8, 8, 8]]})
    columns = [{"codigo": code, "tipo": "partido"} for code in PARTIES]
    return keep({**level, "nivel": "entidad", "columnas": columns, "territorios": [[1, place]]})


def make(
    root: Path, *, cuts: int = 3, bonus: int = 0, bonus_from: int = 1, key: SigningKey | None = None,
    title: str = "GUBERNATURA - SIMULACRO",
) -> SigningKey:  # fmt: skip
    """Write the tree of `cuts` cuts; `bonus` are false votes of the first acta from a cut on."""
    key = key or rehearsal_key(ORIGIN, "semilla")
    mode = key.mode
    log = EmissionLog(root, key, durable=False)
    log.append(Apertura(mode, key.origin, 14, "2021", CATALOG).encode())
    keyring.ensure(root, key.vkey, START)
    tree = ActaTree(root)
    for index, data in enumerate(IMAGES):
        put(root, f"imagenes/{digest(data)[:2]}/{digest(data)}.jpg", data) if index != 6 else None
    for number in range(1, cuts + 1):
        last, at = number == 3, START + number * 1_200_000
        captured = (3, 5, 8)[number - 1]
        actas = [_acta(i, captured, bonus if number >= bonus_from else 0) for i in range(ACTAS)]
        header = _header(actas, last)
        top = _objects(root, actas, header, mode)
        leaves = [leaf_hash(dump({"acta": acta, "contienda": "GUB"})) for acta in actas]
        acta_root = tree.update(dict(enumerate(leaves)), ACTAS).hex()
        base = f"cortes/{number:04d}/"
        common = {"modo": mode, "corte": number, "ultimo": last}
        csv_data = _csv(actas, header, title)
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("GUB.csv"), csv_data)
            archive.writestr(zipfile.ZipInfo("LEEME.txt"), "léame")
        index_data = dump(
            {**common, "contiendas": {"GUB": {"csv": "GUB.csv", "encabezado": header, "raiz": top}}}
        )
        files = {"GUB.csv": csv_data, "PREP_GUB.zip": packed.getvalue(), "indice.json": index_data}
        listed = [{"ruta": n, "bytes": len(d), "sha256": digest(d)} for n, d in files.items()]
        manifest = dump({**common, "instante_ms": at, "seq_high": number * 10, "catalogo_sha256": CATALOG,
                         "raices_json": {"GUB": top}, "archivos": listed})  # fmt: skip
        for name, data in {**files, "manifiesto.json": manifest}.items():
            put(root, base + name, data)
        emission = Emision(
            mode, 14, "2021", CATALOG, number, at, last, number * 10, digest(manifest),
            acta_root, ACTAS, {"GUB": (top, header)},
        )  # fmt: skip
        leaf = log.append(emission.encode())
        bundle = {
            "formato": 1, "entrada": base64.b64encode(emission.encode()).decode(), "hoja": leaf,
            "prueba": [h.hex() for h in log.inclusion(leaf)], "checkpoint": log.checkpoint(),
            "tamano": log.size,
        }  # fmt: skip
        put(root, f"emisiones/{number:04d}.json", dump(bundle))
        pointer = {
            **common, "formato": 1, "entidad": 14, "eleccion": "2021",
            "instante": "2021-06-03T20:00:00-05:00",
            "instante_ms": at, "base": base, "indice_sha256": digest(index_data),
            "manifiesto_sha256": digest(manifest), "emision": f"emisiones/{number:04d}.json", "hoja": leaf,
            "bitacora": {"origen": key.origin, "tamano": log.size, "raiz": log.root.hex()}, "avisos": 0,
        }  # fmt: skip
        put(root, "corte.json", dump(pointer))
    return key


def pack(root: Path, path: Path, number: int = 3) -> Path:
    """The ZIP for difusores of a cut."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((root / f"cortes/{number:04d}").iterdir()):
            archive.write(file, f"cortes/{number:04d}/{file.name}")
        for name in (f"emisiones/{number:04d}.json", "llaves.json", "checkpoint"):
            archive.write(root / name, name)
    return path
