"""What every answer carries and every POST must bring: headers, cookies and the tokens against forgery.

The policy of content admits this server alone and no inline script but those whose hash is known. Inline
styles are admitted: React and Plotly put them on elements. It decides nothing about who may do what.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Response, request

from control_room.web.roles import LECTURA
from core.errors import PrepError

if TYPE_CHECKING:
    from control_room.web.context import RoomOptions
    from control_room.web.sessions import Session

CSRF_HEADER = "X-CSRF"
CSRF_FIELD = "csrf"
CSRF_COOKIE = "sala_csrf"
"""Readable by the page's scripts: the renderer of Dash takes the token from here."""
LOGIN_COOKIE = "sala_entrada"
STATE_COOKIE = "sala_oidc"
MOST_BYTES = 256 * 1024
"""Longest body admitted."""
LOGIN_FORM_S = 3600


class BadTokenError(PrepError):
    """A POST without the token of its session; answered with 403."""

    def __init__(self) -> None:
        super().__init__("La página perdió su sesión o la petición vino de otro sitio. Vuelva a cargarla.")


def session_cookie(options: RoomOptions) -> str:
    """Name of the cookie. Over https the prefix makes browsers refuse one that another host or http put."""
    return "__Host-sala" if options.secure else "sala_sesion"


def same_site(options: RoomOptions, oidc: bool) -> str:
    """`Strict`, unless an identity provider has to send people back here."""
    return "Lax" if oidc else "Strict"


def set_session(
    response: Response, token: str, session: Session, options: RoomOptions, oidc: bool, now_ms: int
) -> None:
    """Put the session in the browser: a token it cannot read, and the one against forgery, which it can."""
    # The wall's browser is restarted now and then; anybody else's session ends with the browser.
    age = (session.expires_ms - now_ms) // 1000 if session.role == LECTURA else None
    site = same_site(options, oidc)
    response.set_cookie(
        session_cookie(options), token, max_age=age, secure=options.secure, httponly=True, samesite=site
    )
    response.set_cookie(CSRF_COOKIE, session.csrf, max_age=age, secure=options.secure, samesite=site)


def clear_session(response: Response, options: RoomOptions) -> None:
    """Take the session out of the browser."""
    for name in (session_cookie(options), CSRF_COOKIE):
        response.delete_cookie(name, secure=options.secure, samesite="Strict")


def same_origin() -> bool:
    """False when the browser says that the request comes from another site."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.split("://", 1)[-1] == request.host


def check_token(session: Session) -> None:
    """Raises BadTokenError unless the POST brings the token of its session, in a header or in the form."""
    given = request.headers.get(CSRF_HEADER) or ""
    if not given and request.mimetype == "application/x-www-form-urlencoded":
        given = request.form.get(CSRF_FIELD, "")
    if not same_origin() or not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise BadTokenError


def login_token(secret: bytes, nonce: str) -> str:
    """What the login form must bring for the cookie `nonce`."""
    return hmac.new(secret, b"entrar:" + nonce.encode(), hashlib.sha256).hexdigest()


def new_nonce() -> str:
    """A cookie for the login form."""
    return secrets.token_urlsafe(24)


def check_login_token(secret: bytes) -> None:
    """Raises BadTokenError unless the login form came from the page this server gave to this browser."""
    nonce = request.cookies.get(LOGIN_COOKIE, "")
    given = request.form.get(CSRF_FIELD, "")
    right = hmac.compare_digest(given.encode(), login_token(secret, nonce).encode())
    if not nonce or not right or not same_origin():
        raise BadTokenError


def content_policy(script_hashes: Sequence[str]) -> str:
    """The Content-Security-Policy of every page."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {' '.join(script_hashes)}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def put_headers(response: Response, policy: str, options: RoomOptions) -> Response:
    """The headers of every answer. What says nothing of caching is not kept by anybody."""
    headers = response.headers
    headers["Content-Security-Policy"] = policy
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if options.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response
