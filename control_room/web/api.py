"""What the room answers with GET: the snapshot as it is, who one is, history, the log, and what pages add.

Every route is in the table of the door with its permission. It reads; what changes anything is `actions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from control_room.night.catd_detail import catd_detail
from control_room.pages.registry import ApiRoute, Page
from control_room.territory import map as territory_map
from control_room.web import bitacora
from control_room.web.answers import as_json, problem
from control_room.web.context import Room, current_room
from control_room.web.gate import OPEN, SIGNED, RouteTable
from control_room.web.roles import current_session, permissions_of, require
from control_room.web.static_files import FOREVER, packed_response, takes_gzip
from control_room.writing.history import History, NoSuchMomentError
from core.errors import UsageError
from core.storage.reading import reading

HISTORY = "historia"


def install(app: Flask, routes: RouteTable, pages: Sequence[Page]) -> None:
    """Add the routes to the application and to the table of the door."""
    room: Room = app.extensions["sala"]
    history = History(room.folder / HISTORY)

    def route(rule: str, permission: str, handler: Any) -> None:
        routes.allow(rule, permission)
        app.add_url_rule(rule, f"api:{rule}", _guarded(permission, handler))

    route("/salud", OPEN, health)
    route("/api/yo.json", SIGNED, who_am_i)
    route("/api/sala.json", "ver", snapshot)
    route("/api/mapa.json", "ver", _map_of(room))
    route("/api/catd/<int:number>.json", "ver", catd)
    route("/api/historia.json", "ver", lambda: {"momentos": history.moments()})
    route("/api/historia/<int:ms>.json", "ver", lambda ms: _moment(history, ms))
    route("/api/comparables.json", "ver", lambda: {"carpetas": sorted(comparable(current_room()))})
    route("/api/comparar.json", "ver", comparison)
    route("/api/bitacora.json", "bitacora", log_page)
    route("/api/bitacora.csv", "bitacora_exportar", lambda: log_export("csv"))
    route("/api/bitacora.pdf", "bitacora_exportar", lambda: log_export("pdf"))
    route("/api/usuarios.json", "usuarios", lambda: {"usuarios": current_room().users.list()})
    for page in pages:
        for extra in page.api:
            _add_page_route(app, routes, extra)


def _add_page_route(app: Flask, routes: RouteTable, extra: ApiRoute) -> None:
    routes.allow(extra.rule, extra.permission)
    app.add_url_rule(extra.rule, f"api:{extra.rule}", _guarded(extra.permission, extra.handler))


def _guarded(permission: str, handler: Any) -> Any:
    """A handler that checks its permission by itself and answers JSON."""

    @wraps(handler)
    def view(**arguments: Any) -> Response:
        if permission == SIGNED:
            current_session()
        elif permission != OPEN:
            require(permission)
        result = handler(**arguments)
        return result if isinstance(result, Response) else as_json(result)

    return view


# -- the snapshot ----------------------------------------------------------------------------------


def health() -> Response:
    """For probes: 200 while what is shown is fresh and the database answers, 503 otherwise."""
    room = current_room()
    served = room.snapshot.current()
    if served is None:
        return as_json({"ok": False, "motivo": "sin datos todavía", "edad_s": None, "seq": None}, 503)
    age_ms = room.real_ms() - served.made_real_ms
    why = None
    if age_ms > served.stale_ms:
        why = "datos viejos"
    elif not served.database_ok:
        why = "base de datos perdida"
    data = {"ok": why is None, "motivo": why, "edad_s": round(age_ms / 1000, 1), "seq": served.seq}
    return as_json(data, 200 if why is None else 503)


def snapshot() -> Response:
    """`sala.json` as the writer left it; 304 while it is the same one."""
    room = current_room()
    served = room.snapshot.current()
    if served is None:
        return problem(503, "La sala todavía no tiene datos: falta el escritor.")
    if served.etag in request.headers.get("If-None-Match", ""):
        response = Response(status=304)
    else:
        response = packed_response(served.plain, served.packed, "application/json")
    response.headers["ETag"] = served.etag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Sala-Edad-Ms"] = str(max(0, room.real_ms() - served.made_real_ms))
    return response


def who_am_i() -> dict[str, Any]:
    """The person behind the session, what it may do, and the token of its POSTs."""
    room, who = current_room(), current_session()
    return {
        "usuario": who.user,
        "nombre": who.name,
        "rol": who.role,
        "csrf": who.csrf,
        "permisos": permissions_of(who.role, room.mode),
        "vence_ms": who.expires_ms,
        "modo": room.mode,
        "origen": who.origin,
    }


def _map_of(room: Room) -> Any:
    @lru_cache(maxsize=1)
    def drawn() -> tuple[bytes, bytes, str]:
        import gzip

        plain = orjson.dumps(territory_map.map_data(room.catalog, room.config.map))
        return plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:16]}"'

    def view() -> Response:
        plain, packed, etag = drawn()
        if etag in request.headers.get("If-None-Match", ""):
            response = Response(status=304)
        else:
            response = packed_response(plain, packed, "application/json")
        response.headers["ETag"] = etag
        wanted = request.args.get("h")
        response.headers["Cache-Control"] = FOREVER if wanted == etag.strip('"') else "private, no-cache"
        return response

    return view


# -- on demand -------------------------------------------------------------------------------------


def catd(number: int) -> Any:
    """What one CATD still owes."""
    room = current_room()
    try:
        with reading(room.database) as connection:
            return catd_detail(connection, room.catalog, number, room.clock.now_ms())
    except LookupError as error:
        return problem(404, str(error.args[0]))


def _moment(history: History, ms: int) -> Response:
    try:
        packed = history.at(ms)
    except (NoSuchMomentError, OSError) as error:
        return problem(404, str(error) if isinstance(error, NoSuchMomentError) else "Ya no está.")
    import gzip

    plain = b"" if takes_gzip() else gzip.decompress(packed)
    response = packed_response(plain, packed, "application/json")
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


def comparable(room: Room) -> dict[str, Path]:
    """Folders of other nights that may be compared: those beside the run, by name. No other is read."""
    run = room.run_folder or room.folder.parent
    found: dict[str, Path] = {}
    parent = run.absolute().parent
    if not parent.is_dir():
        return found
    for other in parent.iterdir():
        # A folder of somebody else's, which may not be entered, is not a night of this room.
        with suppress(OSError):
            if other == run.absolute() or other.is_symlink() or not other.is_dir():
                continue
            if (other / "resumen.json").is_file() or (other / "sala" / HISTORY).is_dir():
                found[other.name] = other
    return found


def comparison() -> Any:
    """This night beside another one."""
    room = current_room()
    other = comparable(room).get(request.args.get("con", ""))
    if other is None:
        return problem(404, "No hay una noche con ese nombre junto a esta.")
    from control_room.web.comparisons import Comparisons

    name = (room.run_folder or room.folder.parent).absolute().name
    beside = room.shared.setdefault("comparaciones", Comparisons(room.database, name))
    try:
        return beside.with_night(other)
    except UsageError as error:
        return problem(404, str(error))


# -- the log ---------------------------------------------------------------------------------------


def log_page() -> Any:
    """A page of the log, newest first, with what the filter says."""
    room, who = current_room(), require("bitacora")
    wanted = bitacora.filter_of(request.args, who.role, room.mode)
    return bitacora.page(room, wanted)


def log_export(kind: str) -> Response:
    """The log with the filter, as a file to keep."""
    room, who = current_room(), require("bitacora_exportar")
    wanted = bitacora.filter_of(request.args, who.role, room.mode)
    room.log.write("exporta", who.user, who.role, request.remote_addr or "", f"bitácora en {kind}")
    body, mime = bitacora.export(room, wanted, kind, who.user)
    response = Response(body, mimetype=mime)
    response.headers["Content-Disposition"] = f'attachment; filename="bitacora.{kind}"'
    return response
