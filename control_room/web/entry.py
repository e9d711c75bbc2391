"""Entering and leaving: the form, the identity provider, and what is written of each attempt.

The form is plain HTML without scripts, so that it works before any session exists.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request, session, url_for

from control_room import room_db
from control_room.web.answers import LOG
from control_room.web.context import Room
from control_room.web.gate import OPEN, SIGNED, RouteTable
from control_room.web.oidc import NotAdmittedError, client_of
from control_room.web.roles import current_session
from control_room.web.security import (
    LOGIN_COOKIE,
    LOGIN_FORM_S,
    BadTokenError,
    check_login_token,
    clear_session,
    login_token,
    new_nonce,
    session_cookie,
    set_session,
)
from control_room.web.users import MS_PER_MINUTE, BusyError, User

STYLE = (Path(__file__).parent / "acceso.css").read_text(encoding="utf-8")
FORM = Template((Path(__file__).parent / "entrar.html").read_text(encoding="utf-8"))
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" '
    'fill="#23527C"/><path d="M3 12V8h2v4zm4 0V4h2v8zm4 0V6h2v6z" fill="#fff"/></svg>'
)
WRONG = "El usuario o la contraseña no son correctos."


def install(app: Flask, routes: RouteTable) -> None:
    """Add the routes of entering and leaving."""
    room: Room = app.extensions["sala"]
    secret = room_db.secret(room.room_database)
    routes.allow("/entrar", OPEN, "GET", "POST")
    routes.allow("/salir", SIGNED, "POST")
    routes.allow("/acceso.css", OPEN)
    routes.allow("/favicon.svg", OPEN)

    @app.get("/acceso.css")
    def style() -> Response:
        return _kept(Response(STYLE, mimetype="text/css"))

    @app.get("/favicon.svg")
    def favicon() -> Response:
        return _kept(Response(FAVICON, mimetype="image/svg+xml"))

    @app.get("/entrar")
    def form() -> Response:
        if _already(room):
            return _go(_target(request.args.get("siguiente")))
        return _form(room, secret, 200, _target(request.args.get("siguiente")))

    @app.post("/entrar")
    def enter() -> Response:
        target = _target(request.form.get("siguiente"))
        try:
            check_login_token(secret)
        except BadTokenError as error:
            return _form(room, secret, 403, target, str(error))
        user = request.form.get("usuario", "").strip().lower()[:64]
        address = request.remote_addr or ""
        try:
            verdict = room.users.attempt(user, request.form.get("contrasena", ""), address, room.real_ms())
        except BusyError as error:
            return _form(room, secret, 503, target, str(error), user)
        if verdict.user is not None:
            return _welcome(room, verdict.user, "local", target)
        if verdict.locked_ms:
            what = "falla" if verdict.locks_now else "bloqueo"
            room.log.write(what, user, "", address)
            if verdict.locks_now:
                room.log.write("bloqueo", user, "", address, "empieza")
            minutes = -(-verdict.locked_ms // MS_PER_MINUTE)
            text = f"Demasiados intentos. Espere {minutes} min y vuelva a intentar."
            return _form(room, secret, 429, target, text, user)
        room.log.write("falla", user, "", address)
        return _form(room, secret, 401, target, WRONG, user)

    @app.post("/salir")
    def leave() -> Response:
        who = current_session()
        room.sessions.end(who.digest, room.real_ms(), "sale")
        room.log.write("sale", who.user, who.role, request.remote_addr or "")
        response = _go("/entrar")
        clear_session(response, room.options)
        return response

    if room.oidc is not None:
        _install_oidc(app, room, routes)


def _install_oidc(app: Flask, room: Room, routes: RouteTable) -> None:
    config = room.oidc
    assert config is not None
    client = client_of(app, config)
    routes.allow("/oidc/inicio", OPEN)
    routes.allow("/oidc/regreso", OPEN)

    @app.get("/oidc/inicio")
    def begin() -> Response:
        session.clear()
        session["siguiente"] = _target(request.args.get("siguiente"))
        try:
            answer = client.authorize_redirect(url_for("come_back", _external=True))
        except Exception as error:  # noqa: BLE001 - the provider may fail in any way; people are told one thing
            return _no_provider(room, error)
        assert isinstance(answer, Response)
        return answer

    @app.get("/oidc/regreso")
    def come_back() -> Response:
        target = _target(session.get("siguiente"))
        try:
            token = client.authorize_access_token()
            claims = _claims(client, token, config.claim)
        except Exception as error:  # noqa: BLE001 - as above
            return _no_provider(room, error)
        session.clear()
        try:
            user = config.user_of(claims)
        except NotAdmittedError as error:
            address = request.remote_addr or ""
            room.log.write("falla", str(claims.get("sub", ""))[:64], "", address, "sin rol en la sala")
            return _form(room, room_db.secret(room.room_database), 403, "/", str(error))
        return _welcome(room, user, "oidc", target)


def _claims(client: Any, token: Any, wanted: str) -> dict[str, Any]:
    """What the provider vouches for. Raises ValueError when it answers of somebody else."""
    claims = dict(token.get("userinfo") or {})
    if wanted not in claims:
        # Some providers give the groups only when asked.
        more = client.userinfo(token=token)
        if more.get("sub") != claims.get("sub"):
            raise ValueError("the provider answered of somebody else")
        claims |= {k: v for k, v in more.items() if k not in claims}
    return claims


def _no_provider(room: Room, error: Exception) -> Response:
    session.clear()
    if room.log.write("falla", "", "", request.remote_addr or "", "proveedor de identidad"):
        LOG.warning("el proveedor de identidad falló: %s", type(error).__name__)
    text = "No se pudo entrar con el proveedor de identidad. Intente otra vez o use su usuario de la sala."
    return _form(room, room_db.secret(room.room_database), 502, "/", text)


def _welcome(room: Room, user: User, origin: str, target: str) -> Response:
    now, address = room.real_ms(), request.remote_addr or ""
    before = request.cookies.get(session_cookie(room.options), "")
    if before:
        # Whatever session the browser had is not the one it goes on with.
        old = room.sessions.find(before, now, touch=False)
        if old is not None:
            room.sessions.end(old.digest, now, "otra entrada")
    token, started = room.sessions.start(user, address, now, origin)
    room.log.write("entra", user.user, user.role, address, "" if origin == "local" else origin)
    response = _go(target)
    set_session(response, token, started, room.options, room.oidc is not None, now)
    response.delete_cookie(LOGIN_COOKIE, secure=room.options.secure, samesite="Strict")
    return response


def _already(room: Room) -> bool:
    token = request.cookies.get(session_cookie(room.options), "")
    return bool(token) and room.sessions.find(token, room.real_ms(), touch=False) is not None


def _target(text: str | None) -> str:
    """An address of this very room; anything else is its first page."""
    if not text or len(text) > 512 or not text.startswith("/") or not text.isprintable():
        return "/"
    if text.startswith(("//", "/\\", "/entrar", "/salir", "/oidc", "/api", "/_")):
        return "/"
    return text


def _go(target: str) -> Response:
    response = redirect(target, code=303)
    assert isinstance(response, Response)
    return response


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _form(room: Room, secret: bytes, status: int, target: str, message: str = "", user: str = "") -> Response:
    nonce = request.cookies.get(LOGIN_COOKIE) or new_nonce()
    title = room.config.title or f"PREP {room.catalog.entidad.name}"
    mode = "<p><span class='modo'>SIMULACRO</span></p>" if room.mode == "simulacro" else ""
    alert = f"<p role='alert'>{escape(message)}</p>" if message else ""
    other = ""
    if room.oidc is not None:
        query = urlencode({"siguiente": target})
        other = f"<a class='boton' href='/oidc/inicio?{escape(query)}'>Entrar con la cuenta institucional</a>"
    body = FORM.substitute(
        title=escape(title), mode=mode, alert=alert, other=other, token=login_token(secret, nonce),
        target=escape(target), user=escape(user),
    )  # fmt: skip
    response = Response(body, status, mimetype="text/html")
    secure = room.options.secure
    response.set_cookie(
        LOGIN_COOKIE, nonce, max_age=LOGIN_FORM_S, secure=secure, httponly=True, samesite="Strict"
    )
    return response
