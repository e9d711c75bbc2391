"""The one door: who is behind each request, whether the route is for that person, and the token of a POST.

Deny by default: a route that `routes` does not know is a 404 for everybody, so that one added without
saying who may use it answers nobody. Actions and layouts check their permission again by themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, request
from werkzeug.exceptions import NotFound

from control_room.pages.registry import Page
from control_room.web.context import Room, current_room
from control_room.web.roles import ForbiddenError, NoSessionError, allows
from control_room.web.security import check_token, session_cookie
from control_room.web.sessions import Session

OPEN = "(abierta)"
"""Permission of a route that needs no session."""
SIGNED = "(sesión)"
"""Permission of a route that needs a session and nothing else."""

_DONE_BY_PEOPLE = ("/api/acciones/", "/api/pronostico", "/_dash-update-component")
"""What is only asked when somebody acts or goes to another page. Everything else pages ask by themselves."""


@dataclass(slots=True)
class RouteTable:
    """Who may use each rule of the application: the permission by (rule, method)."""

    permissions: dict[tuple[str, str], str] = field(default_factory=dict)
    pages: list[tuple[re.Pattern[str], Page]] = field(default_factory=list)

    def allow(self, rule: str, permission: str, *methods: str) -> None:
        """Say who may use a rule. Raises ValueError when it was said already."""
        for method in methods or ("GET",):
            if (rule, method) in self.permissions:
                raise ValueError(f"{method} {rule} is already in the table")
            self.permissions[rule, method] = permission

    def add_page(self, page: Page) -> None:
        """Take in the addresses of a page."""
        for path in (page.path, *page.also):
            pattern = re.sub(r"<[a-z]+>", r"[A-Za-z0-9._-]{1,64}", path)
            self.pages.append((re.compile(pattern), page))

    def permission(self, rule: str, method: str) -> str | None:
        """The permission of a rule; None when nobody said who may use it."""
        return self.permissions.get((rule, "GET" if method == "HEAD" else method))

    def page(self, path: str) -> Page | None:
        """The page of an address."""
        return next((page for pattern, page in self.pages if pattern.fullmatch(path)), None)


def is_programmatic(path: str) -> bool:
    """True for what scripts ask: they are told with JSON and codes, never sent to a form."""
    return path.startswith(("/api/", "/_", "/assets/")) or path == "/api"


def install(app: Flask, routes: RouteTable) -> None:
    """Put the door in front of everything."""

    @app.before_request
    def door() -> Response | None:
        room = current_room()
        room.log.settle()
        g.session = None
        rule = request.url_rule
        permission = None if rule is None else routes.permission(rule.rule, request.method)
        page = None
        if rule is not None and rule.rule in ("/", "/<path:path>"):
            # The catch-all of Dash: an address is a page of the list or it does not exist.
            page = routes.page(request.path) if request.method in ("GET", "HEAD") else None
            permission = None if page is None or not exists(page, room) else page.permission
        if permission == OPEN:
            return None
        session = _session(room, touch=_by_a_person(page))
        if session is None:
            if is_programmatic(request.path) or request.method not in ("GET", "HEAD"):
                raise NoSessionError
            return _to_login()
        g.session = session
        if permission is None:
            raise NotFound
        if request.method == "POST":
            check_token(session)
        if permission != SIGNED and not allows(session.role, permission, room.mode):
            raise ForbiddenError(permission)
        return None


def exists(page: Page, room: Room) -> bool:
    """Whether a page exists in this night."""
    return room.mode == "simulacro" or not page.only_rehearsal


def _by_a_person(page: Page | None) -> bool:
    """Whether the request is somebody doing something, which puts off the idle end of a session."""
    if page is not None:
        return True
    return request.method == "POST" and request.path.startswith(_DONE_BY_PEOPLE)


def _session(room: Room, touch: bool) -> Session | None:
    token = request.cookies.get(session_cookie(room.options), "")
    if not token:
        return None
    return room.sessions.find(token, room.real_ms(), touch=touch)


def _to_login() -> Response:
    target = request.full_path.rstrip("?")
    suffix = "" if target == "/" else f"?{urlencode({'siguiente': target})}"
    answer = redirect(f"/entrar{suffix}", code=303)
    assert isinstance(answer, Response)
    return answer
