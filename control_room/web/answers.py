"""How the room says no: JSON for scripts, a plain page in Spanish for people. Never a traceback."""

from __future__ import annotations

import json
import logging
import secrets
from html import escape
from typing import Any

import orjson
from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from control_room.web.commands import NotWrittenError, RefusedError
from control_room.web.roles import ForbiddenError, NoSessionError
from control_room.web.security import BadTokenError
from control_room.web.users import BusyError
from core.errors import PrepError

NO_DATABASE = "La base de datos no contesta."
LOG = logging.getLogger("prep.sala")

TEXTS = {
    400: "La petición no es válida.",
    401: "Hace falta entrar con su usuario.",
    403: "No tiene permiso para ver esto.",
    404: "Esa página no existe.",
    405: "Eso no se puede pedir así.",
    413: "Lo que se mandó es demasiado grande.",
    415: "Se esperaba JSON.",
    500: "La sala tuvo un error interno.",
    503: "La sala no puede contestar en este momento.",
}
TITLES = {401: "Sin sesión", 403: "No autorizado", 404: "No existe", 500: "Error interno"}


def as_json(data: object, status: int = 200) -> Response:
    """A JSON answer that nobody keeps."""
    try:
        body = orjson.dumps(data)
    except TypeError:
        # Half a character, which somebody sent and an error repeats, is no UTF-8: JSON can still escape it.
        body = json.dumps(data).encode()
    return Response(body, status, mimetype="application/json")


def problem(status: int, error: dict[str, Any] | str) -> Response:
    """`{"error": {"mensaje": …}}`."""
    return as_json({"error": {"mensaje": error} if isinstance(error, str) else error}, status)


def error_page(status: int, message: str) -> Response:
    """A page without scripts that says what happened."""
    title = TITLES.get(status, "No se pudo")
    body = (
        "<!DOCTYPE html><html lang='es-MX'><head><meta charset='utf-8'><title>"
        f"{escape(title)}</title><meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='icon' href='/favicon.svg'><link rel='stylesheet' href='/acceso.css'></head>"
        "<body><main class='acceso'>"
        f"<h1>{escape(title)}</h1><p>{escape(message)}</p>"
        "<p><a href='/'>Ir a la sala</a></p></main></body></html>"
    )
    return Response(body, status, mimetype="text/html")


def answer(status: int, message: str | dict[str, Any]) -> Response:
    """The no in the form that whoever asked can read."""
    from control_room.web.gate import is_programmatic

    by_script = is_programmatic(request.path) or request.method not in ("GET", "HEAD")
    if by_script and request.path not in ("/entrar", "/salir"):
        return problem(status, message)
    text = message if isinstance(message, str) else str(message.get("mensaje", TEXTS.get(status, "")))
    return error_page(status, text)


def status_of(error: PrepError) -> int:
    """The HTTP code of a typed error."""
    if isinstance(error, NoSessionError):
        return 401
    if isinstance(error, ForbiddenError | BadTokenError):
        return 403
    if isinstance(error, RefusedError):
        return 409
    if isinstance(error, NotWrittenError | BusyError):
        return 503
    return 400


def install(app: Flask) -> None:
    """Every error of the application becomes one of these answers; what nobody expected gets a number."""

    @app.errorhandler(PrepError)
    def typed(error: PrepError) -> Response:
        from control_room.web.context import current_room

        if isinstance(error, ForbiddenError | BadTokenError):
            session = g.get("session")
            who, role = (session.user, session.role) if session is not None else ("", "")
            why = f"{request.method} {request.path[:200]}"
            if isinstance(error, BadTokenError):
                why += " (sin token)"
            try:
                current_room().log.write("negado", who, role, request.remote_addr or "", why)
            except SQLAlchemyError as lost:
                LOG.error("no se pudo escribir en el registro de accesos: %s", why, exc_info=lost)
        return answer(status_of(error), error.as_data())

    @app.errorhandler(SQLAlchemyError)
    def database(error: SQLAlchemyError) -> Response:
        # What the driver says may hold addresses and queries: it is not for the screen.
        LOG.error("la base no contestó en %s %s", request.method, request.path, exc_info=error)
        return answer(503, NO_DATABASE)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        code = error.code or 500
        if code < 400:
            response = error.get_response()
            assert isinstance(response, Response)
            return response
        return answer(code, TEXTS.get(code, TEXTS[400] if code < 500 else TEXTS[500]))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        number = secrets.token_hex(4)
        LOG.error("error %s en %s %s", number, request.method, request.path, exc_info=error)
        return answer(500, f"{TEXTS[500]} Quedó registrado con el número {number}.")
