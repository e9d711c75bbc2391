"""What the programs of a rehearsal are given before they start: key and configurations; and the room's probe.

It starts nothing.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from loadtests.faults.processes import RehearsalError, prep
from loadtests.reasons import why


def make_key(base: str, path: Path) -> None:
    """The key that signs the rehearsal of that database. Raises RehearsalError."""
    from core.storage.database import open_existing
    from core.storage.reading import read_catalog, reading
    from core.transparency.keys import origin_of

    database = open_existing(base)
    try:
        with reading(database) as connection:
            catalog = read_catalog(connection)
    finally:
        database.dispose()
    origin = origin_of(catalog.entidad.abbreviation, catalog.election, "simulacro")
    made = prep("llave", "generar", path, "--origen", origin, "--sin-cifrar")
    if made.code != 0:
        raise RehearsalError(f"No se pudo hacer la llave del ensayo: {made.said}")


def publisher_config(folder: Path) -> Path:
    """The configuration of the publisher, in a folder."""
    path = folder / "publicador.toml"
    # Only some actas of the night have an image drawn: that the others lack theirs is not news.
    path.write_text("imagenes_faltantes_pct = 100\n", encoding="utf-8")
    return path


def room_config(folder: Path, *, tick_s: float, stale_s: float) -> Path:
    """The configuration of the room, in a folder."""
    path = folder / "sala.toml"
    path.write_text(f"[sala]\ntick_s = {tick_s}\nviejo_s = {stale_s}\n", encoding="utf-8")
    return path


def probe(port: int) -> dict[str, Any]:
    """What a room says to probes; `{"ok": false, "motivo"}` also when nobody answers, or not in words."""
    try:
        try:
            with urlopen(f"http://127.0.0.1:{port}/salud", timeout=5) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            return dict(json.load(error))
    except (OSError, HTTPException) as error:
        return {"ok": False, "motivo": f"nadie contesta ({why(error)})"}
    except (ValueError, TypeError) as error:
        return {"ok": False, "motivo": f"contesta algo que no se entiende ({why(error)})"}
