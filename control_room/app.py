"""The application of the room: the shell every page lives in, the pages, and how an address becomes one.

It puts together what others do: `web` decides who may enter, the page modules draw their skeletons, and the
scripts in `assets` fill them from the snapshot. No figure is built here and no data goes through Dash.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dash
from dash import ClientsideFunction, Input, Output, dcc, html
from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from control_room import room_db
from control_room.pages.registry import Page
from control_room.web import actions, answers, api, entry, gate, security, static_files
from control_room.web.context import Room, RoomOptions, current_room, open_room
from control_room.web.gate import SIGNED, RouteTable
from control_room.web.roles import allows, current_session

PAGE_MODULES = (
    "general", "catd", "incidentes", "continuidad", "publicacion", "calidad", "pronostico", "simulacro",
    "bitacora", "historia", "usuarios", "cuenta",
)  # fmt: skip
"""Modules of `control_room.pages`, in the order of the menu."""
ASSETS = Path(__file__).parent / "assets"
PULSE_MS = 2000
GRAPH_CONFIG = {
    "displaylogo": False,
    "displayModeBar": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "staticPlot": True,
}
"""For every `dcc.Graph` placeholder: nothing that leaves the machine, no buttons."""
INDEX = """<!DOCTYPE html>
<html lang="es-MX">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
{%css%}
</head>
<body>
<noscript>La sala de control necesita JavaScript.</noscript>
{%app_entry%}
<footer hidden>
{%config%}
{%scripts%}
{%renderer%}
</footer>
</body>
</html>"""
CALLBACKS = "/_dash-update-component"
_DASH_ROUTES = {
    "/_dash-layout": ("GET",),
    "/_dash-dependencies": ("GET",),
    CALLBACKS: ("POST",),
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": ("GET",),
}
"""What the renderer asks with a session. Every other route that Dash adds stays closed."""


class _RoomDash(dash.Dash):
    """Dash with the room's scripts by the hash of their content."""

    assets: static_files.Assets

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """The index page, with the scripts and styles as they are at this moment."""
        styles = "\n".join(f'<link rel="stylesheet" href="{url}">' for url in self.assets.urls(".css"))
        own = "\n".join(f'<script src="{url}"></script>' for url in self.assets.urls(".js"))
        parts["css"] = f"{parts.get('css', '')}\n{styles}"
        # After React and before the renderer's own tag, as Dash does with its assets.
        parts["scripts"] = f"{parts.get('scripts', '')}\n{own}"
        return str(super().interpolate_index(**parts))  # type: ignore[no-untyped-call]


def load_pages(names: Sequence[str] = PAGE_MODULES) -> list[Page]:
    """The `PAGE` of each module. Raises ValueError when two have the same name or address."""
    pages: list[Page] = []
    for name in names:
        page = importlib.import_module(f"control_room.pages.{name}").PAGE
        if not isinstance(page, Page):
            raise TypeError(f"control_room.pages.{name}.PAGE is not a Page")
        if any(page.name == other.name or page.path == other.path for other in pages):
            raise ValueError(f"two pages are «{page.name}» or at {page.path}")
        pages.append(page)
    return pages


def build(room: Room, pages: Sequence[Page] | None = None) -> Flask:
    """The whole application of a room, as a WSGI application."""
    pages = load_pages() if pages is None else pages
    app = Flask("control_room", static_folder=None)
    app.extensions["sala"] = room
    app.extensions["sala.paginas"] = list(pages)
    app.config.update(
        MAX_CONTENT_LENGTH=security.MOST_BYTES,
        PROPAGATE_EXCEPTIONS=False,
        SECRET_KEY=room_db.secret(room.room_database),
        SESSION_COOKIE_NAME=security.STATE_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=room.options.secure,
    )
    if room.options.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    routes = RouteTable()
    app.extensions["sala.rutas"] = routes
    for page in pages:
        routes.add_page(page)
    gate.install(app, routes)
    answers.install(app)
    entry.install(app, routes)
    api.install(app, routes, pages)
    actions.install(app, routes)
    assets = static_files.Assets(ASSETS)
    static_files.install(app, routes, assets)
    board = _install_dash(app, room, pages, routes, assets)
    policy = security.content_policy(board.csp_hashes())

    @app.after_request
    def headers(response: Response) -> Response:
        return security.put_headers(response, policy, room.options)

    # At its first request Dash looks at the layout, whoever asks: let it look at an empty one.
    app.test_client().get("/favicon.svg")
    board.layout = lambda: shell(pages)
    return app


def _install_dash(
    app: Flask, room: Room, pages: Sequence[Page], routes: RouteTable, assets: static_files.Assets
) -> dash.Dash:
    _RoomDash.assets = assets
    board = _RoomDash(
        "control_room",
        server=app,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        assets_url_path="_sin_uso",
        include_assets_files=False,
        compress=False,
        serve_locally=True,
        suppress_callback_exceptions=True,
        title=f"Sala de control · {title_of(room)}",
        update_title="",
        index_string=INDEX,
        csrf_token_name=security.CSRF_COOKIE,
        csrf_header_name=security.CSRF_HEADER,
        add_log_handler=False,
    )
    for rule, methods in _DASH_ROUTES.items():
        routes.allow(rule, SIGNED, *methods)

    @app.before_request
    def only_pages() -> None:
        # Dash takes what it is sent as its own renderer would have sent it.
        if request.path == CALLBACKS and not _opens_a_page(request.get_json()):
            raise BadRequest

    @app.errorhandler(DependencyException)
    def no_such_script(error: DependencyException) -> Response:
        # Dash raises it for a script of a library it has not: an address that does not exist.
        return answers.answer(404, answers.TEXTS[404])

    board.layout = html.Div()

    @board.callback(Output("contenido", "children"), Input("url", "pathname"))
    def open_page(path: str | None) -> Any:
        page = routes.page(path or "/")
        if page is None or not gate.exists(page, current_room()):
            raise NotFound
        return page.layout()

    board.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(namespace="sala", function_name="pull"),
        Output("pulso-salida", "data"),
        Input("pulso", "n_intervals"),
        Input("contenido", "children"),
    )
    return board


def _opens_a_page(body: object) -> bool:
    """Whether a body is the question of the only callback there is: which page is at an address."""
    if not isinstance(body, dict) or body.get("output") != "contenido.children":
        return False
    if body.get("state") not in ([], None):
        return False
    asked, changed = body.get("inputs"), body.get("changedPropIds")
    if not isinstance(asked, list) or len(asked) != 1 or not isinstance(asked[0], dict):
        return False
    path = asked[0].get("value")
    return (
        body.get("outputs") == {"id": "contenido", "property": "children"}
        and asked[0] == {"id": "url", "property": "pathname", "value": path}
        and (path is None or isinstance(path, str))
        and (changed is None or (isinstance(changed, list) and set(map(repr, changed)) <= {"'url.pathname'"}))
    )


def title_of(room: Room) -> str:
    """What the room is called."""
    return room.config.title or f"PREP {room.catalog.entidad.name}"


def shell(pages: Sequence[Page]) -> Any:
    """What stays on screen whichever the page: empty containers that the base library fills.

    The menu has only what the person may see; that is a courtesy, the door is `web.gate`.
    """
    room, who = current_room(), current_session()
    links = [
        html.A(page.title, href=page.path, **_attributes({"data-pagina": page.name}))
        for page in pages
        if page.menu and gate.exists(page, room) and allows(who.role, page.permission, room.mode)
    ]
    return html.Div(
        id="sala",
        children=[
            dcc.Location(id="url", refresh=False),
            html.A("Ir al contenido", href="#contenido", className="salto"),
            html.Header(
                id="barra",
                children=[
                    html.Div(id="barra-titulo"),
                    html.Nav(links, id="menu", **_attributes({"aria-label": "Páginas"})),
                    html.Div(id="barra-estado"),
                ],
            ),
            html.Div(id="franja"),
            html.Main(id="contenido", tabIndex=-1),
            dcc.Interval(id="pulso", interval=PULSE_MS),
            dcc.Store(id="pulso-salida"),
        ],
    )


def _attributes(named: dict[str, Any]) -> dict[str, Any]:
    """Attributes whose names are not Python's."""
    return named


def application(options: RoomOptions) -> Flask:
    """The room of some options, open and with its engine warming up."""
    room = open_room(options)
    app = build(room)
    room.desk.warm()
    return app


__all__ = ["GRAPH_CONFIG", "application", "build", "load_pages", "shell"]
