"""A tiny publication written by hand: two contests, two places each, three cuts, one acta with its image.

Only what the portal reads; there is no log. `publish(folder, n)` leaves it as it was at cut `n`.
"""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from PIL import Image

CUTS = 3
START_MS = 1_622_764_800_000
EVERY_MS = 1_200_000
HOSTILE = "<img src=x onerror=alert(1)> & «Distrito»"
COLUMNS = [
    {"codigo": "PAN", "nombre": "Partido Acción Nacional", "partidos": ["PAN"], "tipo": "partido"},
    {"codigo": "MC", "nombre": "Movimiento Ciudadano", "partidos": ["MC"], "tipo": "partido"},
    {"codigo": "NULOS", "nombre": "Votos nulos", "partidos": [], "tipo": "nulos"},
]
PLACES = {"DIP_LOC": {1: "DISTRITO 01 Colotlán", 2: HOSTILE}, "AYUN": {39: "Guadalajara", 120: "Zapopan"}}
NAMES = {"DIP_LOC": "DIPUTACIONES LOCALES (INCLUYE MR Y RP)", "AYUN": "MUNÍCIPES"}
SECTIONS = {1: [501, 502], 2: [601], 39: [501, 502], 120: [601]}
CAPTURED_AT = {(501, "B"): 1, (501, "C"): 2, (502, "B"): 1, (601, "B"): 3}
"""Cut at which each casilla arrives; sección 502 C never does."""


def _canonical(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def put(folder: Path, document: Any) -> str:
    """Write an object; its name."""
    data = _canonical(document)
    name = sha256(data).hexdigest()
    path = folder / "objetos" / name[:2] / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def image(folder: Path) -> str:
    """Write one acta's image and its view; the SHA-256 of the original."""
    picture = Image.new("RGB", (120, 160), "#eeeeee")
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    name = sha256(stream.getvalue()).hexdigest()
    original = folder / "imagenes" / name[:2] / f"{name}.jpg"
    view = folder / "vistas" / name[:2] / f"{name}.webp"
    for path in (original, view):
        path.parent.mkdir(parents=True, exist_ok=True)
    original.write_bytes(stream.getvalue())
    picture.save(view, "WEBP")
    return name


def _header(expected: int, captured: int) -> dict[str, str]:
    votes, share = 100 * captured, f"{captured * 1_000_000 // expected:05d}"
    percent = f"{share[:-4]}.{share[-4:]}"
    return {
        "ACTAS_ESPERADAS": str(expected), "ACTAS_REGISTRADAS": str(captured), "ACTAS_FUERA_CATALOGO": "0",
        "ACTAS_CAPTURADAS": str(captured), "PORCENTAJE_ACTAS_CAPTURADAS": percent,
        "ACTAS_CONTABILIZADAS": str(captured), "PORCENTAJE_ACTAS_CONTABILIZADAS": percent,
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": "0.0000", "ACTAS_NO_CONTABILIZADAS": "0",
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": str(300 * captured), "TOTAL_VOTOS_C_CS": str(votes),
        "TOTAL_VOTOS_S_CS": str(votes), "PORCENTAJE_PARTICIPACION_CIUDADANA": "33.3333",
    }  # fmt: skip


def _votes(captured: int) -> list[int]:
    return [31 * captured, 62 * captured, 7 * captured]


def _acta(contest: str, section: int, kind: str, cut: int, picture: str) -> dict[str, Any]:
    suffix = "3" if contest == "DIP_LOC" else "4"
    box = f"14{section:04d}{kind}0100"
    acta: dict[str, Any] = {
        "acta": f"14{section:04d}{kind}0100{suffix}", "casilla": box, "tipo_casilla": kind,
        "tipo_acta": suffix, "lista_nominal": 300, "estado": "no_capturada",
    }  # fmt: skip
    if CAPTURED_AT.get((section, kind), CUTS + 1) > cut:
        return acta
    with_image = (section, kind) == (501, "B")
    return acta | {
        "estado": "capturada", "observaciones": ["V5"] if section == 502 else [], "contabilizada": True,
        "acopio": "2021-06-03T18:50:27-05:00", "captura": "2021-06-03T18:52:18-05:00",
        "verificacion": "2021-06-03T18:53:28-05:00", "votos": [31, "ILEGIBLE" if section == 502 else 62, 7],
        "totales": [200, 96, 4, 100, "SIN_DATO"], "calculado": 100, "origen": "CASILLA",
        "digitalizacion": "MOVIL", "documento": "ACTA PREP", "cotejada": 0, "mecanismo": "",
        "imagen": picture if with_image else "ab" * 32, "imagen_archivo": "jpg" if with_image else None,
    }  # fmt: skip


def _place(folder: Path, contest: str, place: int, cut: int, picture: str) -> tuple[str, int, int]:
    rows, expected, captured = [], 0, 0
    for section in SECTIONS[place]:
        actas = [_acta(contest, section, kind, cut, picture) for kind in ("B", "C")]
        came = sum(acta["estado"] == "capturada" for acta in actas)
        name = put(folder, {
            "modo": "simulacro", "nivel": "seccion", "contienda": contest, "territorio": place,
            "seccion": section, "esperadas": 2, "capturadas": came, "contadores": _header(2, came),
            "votos": _votes(came), "actas": actas,
        })  # fmt: skip
        rows.append([section, name, 2, came, came])
        expected, captured = expected + 2, captured + came
    votes = dict(zip(("PAN", "MC", "NULOS"), _votes(captured), strict=True))
    name = put(folder, {
        "modo": "simulacro", "nivel": "territorio", "contienda": contest, "territorio": place,
        "nombre": PLACES[contest][place], "esperadas": expected, "capturadas": captured,
        "contadores": _header(expected, captured), "votos": _votes(captured), "por_partido": votes,
        "por_candidatura": votes, "secciones": rows,
    })  # fmt: skip
    return name, expected, captured


def _contest(folder: Path, contest: str, cut: int, picture: str) -> tuple[dict[str, Any], list[int]]:
    places, rows, expected, captured = [], [], 0, 0
    for place in PLACES[contest]:
        name, waited, came = _place(folder, contest, place, cut, picture)
        places.append([place, name])
        ahead = [["MC", ["MC"]]] if came else []
        rows.append([place, waited, came, came, 100 * came, "33.3333", ahead, 62 * came, 31 * came])
        expected, captured = expected + waited, captured + came
    votes = _votes(captured)
    parties = dict(zip(("PAN", "MC", "NULOS"), votes, strict=True))
    header = _header(expected, captured)
    root = put(folder, {
        "modo": "simulacro", "nivel": "entidad", "contienda": contest, "nombre": "JALISCO",
        "columnas": COLUMNS, "esperadas": expected, "capturadas": captured, "contadores": header,
        "votos": votes,
        "por_partido": parties, "por_candidatura": parties, "territorios": places,
    })  # fmt: skip
    listing = {"contienda": contest, "modo": "simulacro", "filas": [[1 if contest == "DIP_LOC" else 39, 502,
               "140502B01003" if contest == "DIP_LOC" else "140502B01004", ["V5"]]]}  # fmt: skip
    return {
        "id": contest, "raiz": root, "encabezado": header, "por_columna": votes,
        "por_partido": [[code, n] for code, n in parties.items()], "por_candidatura": None,
        "estadistica": {"inconsistencias": {"V5": 1}, "origen": [["CASILLA", "MOVIL", captured]],
                        "ubicacion": [[1, expected, captured, captured]],
                        "tipos": [["B", 3, captured, captured]],
                        "lista_nominal_esperada": 300 * expected, "con_imagen": 1, "sin_acta": 0},
        "territorios": rows, "inconsistencias": put(folder, listing),
    }, [captured, captured, 0]  # fmt: skip


def _catalog(folder: Path) -> str:
    sections = [[501, 1, 39], [502, 1, 39], [601, 2, 120]]
    return put(folder, {
        "formato": 1, "modo": "simulacro", "entidad": {"id": 14, "nombre": "JALISCO", "abreviatura": "JAL"},
        "eleccion": "Proceso de prueba", "utc_min": -300, "zona": "(UTC-5)",
        "secciones": put(folder, {"filas": sections}),
        "contiendas": [
            {"id": contest, "nombre": NAMES[contest],
             "ambito": "municipio" if contest == "AYUN" else "distrito",
             "columnas": COLUMNS,
             "territorios": [[place, name, 1200] for place, name in PLACES[contest].items()],
             "esperadas": 6, "lista_nominal": 1800, "candidaturas": None}
            for contest in PLACES
        ],
    })  # fmt: skip


def publish(folder: Path, cut: int) -> None:
    """Everything up to cut `cut`, the pointer last."""
    picture, catalog = image(folder), _catalog(folder)
    history: list[dict[str, Any]] = []
    for number in range(1, cut + 1):
        at = START_MS + EVERY_MS * number
        contests, counts = [], {}
        for contest in PLACES:
            document, counts[contest] = _contest(folder, contest, number, picture)
            contests.append(document)
        row: dict[str, Any] = {
            "corte": number,
            "instante_ms": at,
            "ultimo": False,
            "portal": None,
            "contiendas": counts,
        }
        history.append(row)
        portal = put(folder, {
            "formato": 1, "modo": "simulacro", "corte": number, "instante_ms": at, "ultimo": False,
            "catalogo": catalog, "historial": put(folder, {"cortes": history}), "imagenes": True,
            "contiendas": contests,
        })  # fmt: skip
        row["portal"] = portal
        base = folder / "cortes" / f"{number:04d}"
        base.mkdir(parents=True, exist_ok=True)
        data = b"\xef\xbb\xbfACTA;VOTOS\r\n" * 200
        (base / "JAL_DIP_LOC_2021.csv").write_bytes(data)
        files = [{"ruta": "JAL_DIP_LOC_2021.csv", "bytes": len(data), "sha256": sha256(data).hexdigest()}]
        (base / "manifiesto.json").write_bytes(_canonical({"corte": number, "archivos": files}))
    pointer = _canonical({
        "formato": 1, "modo": "simulacro", "entidad": 14, "eleccion": "Proceso de prueba", "corte": cut,
        "instante_ms": START_MS + EVERY_MS * cut, "ultimo": False, "base": f"cortes/{cut:04d}/",
        "emision": f"emisiones/{cut:04d}.json", "portal": portal, "difusion": f"difusion/{cut:04d}.zip",
        "bitacora": {"origen": "prep.jal.prueba/simulacro", "tamano": cut + 1, "raiz": "00" * 32},
        "testigos": {"de": 3, "con": 2}, "siguiente_ms": START_MS + EVERY_MS * (cut + 1), "avisos": 1,
        "generado_ms": START_MS + EVERY_MS * cut,
    })  # fmt: skip
    (folder / "avisos").mkdir(exist_ok=True)
    (folder / "avisos" / "0001.json").write_bytes(_canonical({
        "clase": "aviso", "numero": 1, "tipo": "hueco", "desde_ms": START_MS, "hasta_ms": START_MS + EVERY_MS,
        "motivo": "Un corte no salió a tiempo", "ranuras": [],
    }))  # fmt: skip
    temporary = folder / ".corte.json.tmp"
    temporary.write_bytes(pointer)
    temporary.replace(folder / "corte.json")
