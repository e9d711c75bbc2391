"""The kinds of requests that people make, by the name under which they are timed. Names only."""

from __future__ import annotations

POINTER = "corte.json"
PAGE = "página"
ASSETS = "guion y hojas de estilo"
PORTAL_OBJECT = "objeto del portal"
LINKED = "objeto del portal (medio)"
CATALOG = "objeto del catálogo"
ROOT = "objeto de la entidad"
TERRITORY = "objeto de un territorio"
SECTION = "objeto de una sección"
CHECKPOINT = "checkpoint"
VIEW = "vista de un acta"
IMAGE = "imagen de un acta"
INDEX = "índice del corte"
MANIFEST = "manifiesto del corte"
DATABASE = "base de datos"
PACKAGE = "paquete de difusores"

SNAPSHOT = "/api/sala.json"
ME = "/api/yo.json"
MAP = "/api/mapa.json"
CATD = "/api/catd/N.json"
LOG = "/api/bitacora.json"

GROUPS = {
    "pequeñas": (
        POINTER, PAGE, ASSETS, PORTAL_OBJECT, LINKED, CATALOG, ROOT, TERRITORY, SECTION, CHECKPOINT,
    ),
    "descargas": (VIEW, IMAGE, INDEX, MANIFEST, DATABASE, PACKAGE),
    "sala": (SNAPSHOT, ME, MAP, CATD, LOG),
}  # fmt: skip
"""Words a profile may write for several kinds. What weighs little is asked for while somebody looks at the
page; a download takes what its size takes."""

KINDS = tuple(name for names in GROUPS.values() for name in names)
