"""What a page of the room is, and what it may add to the HTTP interface.

For: the page modules (each exposes `PAGE`) and the application that lists them. It draws nothing and
checks nothing: a layout checks its own permission with `web.roles.require`, and the application checks
the permission of each route again before it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Layout: TypeAlias = Callable[[], Any]
"""Returns `html.Div(id="pagina", **{"data-pagina": name})` with the static skeleton of the page."""
Handler: TypeAlias = Callable[..., Any]
"""Returns what becomes JSON, or a Flask response. Its arguments are those of the rule."""


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One GET route that a page needs, e.g. `ApiRoute("/api/calidad/personas.json", "calidad_personas", f)`.

    The application answers 401 without a session and 403 without the permission before `handler` runs.
    `handler` finds the room in `control_room.web.context.current_room()`.
    """

    rule: str
    permission: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the room.

    Attributes:
        path: where it lives, e.g. `/incidentes`. A page with an object of its own says it with `<name>` at
            the end, e.g. `/catd/<id>`: the browser reads it from the address, the layout does not get it.
        name: the word the JavaScript knows it by (`PREP.register(name, …)`), unique.
        title: what the menu and the window say, in Spanish.
        permission: who may see it (`web.roles.PERMISSIONS`).
        layout: the skeleton; called on every visit, and checks `permission` by itself.
        api: GET routes that only this page needs.
        also: further addresses of the same page, e.g. `("/catd/<id>",)`.
        menu: False when it is reached only from another page.
        only_rehearsal: True when it exists only in simulacro mode (404 in an official night).
    """

    path: str
    name: str
    title: str
    permission: str
    layout: Layout
    api: tuple[ApiRoute, ...] = ()
    also: tuple[str, ...] = ()
    menu: bool = True
    only_rehearsal: bool = False
