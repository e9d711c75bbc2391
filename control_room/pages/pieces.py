"""The pieces several pages are put together with: sections with a title, places for charts and tables.

They are empty places with an id; what fills them is the JavaScript of each page.
"""

from __future__ import annotations

from typing import Any

from dash import dcc, html


def page(name: str, *children: Any) -> html.Div:
    """The skeleton of the page the JavaScript knows as `name`."""
    attributes: dict[str, Any] = {"data-pagina": name}
    return html.Div(list(children), id="pagina", className=f"pagina-{name} hojas", **attributes)


def panel(title: str, *children: Any, note: str = "", id: str = "", wide: bool = False) -> html.Section:
    """A section with its heading; `note` is smaller and beside it, `wide` takes the whole row."""
    heading: list[Any] = [title, html.Small(note)] if note else [title]
    name: dict[str, Any] = {"id": id} if id else {}
    return html.Section(
        [html.H2(heading, className="panel-titulo"), *children],
        className="panel hoja-ancha" if wide else "panel",
        **name,
    )


def slot(id: str) -> html.Div:
    """An empty place."""
    return html.Div(id=id)


def aria(label: str, **more: str) -> dict[str, Any]:
    """Attributes with a hyphen, which are no Python names: `aria-label` and others given with `_`."""
    return {"aria-label": label, **{name.replace("_", "-"): value for name, value in more.items()}}


def button(text: str, id: str, kind: str = "", **more: Any) -> html.Button:
    """A button that sends no form."""
    return html.Button(text, id=id, type="button", className=f"boton {kind}".strip(), **more)


def form(id: str, label: str) -> html.Form:
    """A form whose fields the JavaScript puts."""
    return html.Form(id=id, className="fila-campos forma", **aria(label))


def said(id: str) -> html.Div:
    """A place for what is said aloud when it changes."""
    return html.Div(id=id, role="status", className="tenue")


def row(*children: Any, id: str = "") -> html.Div:
    """Things side by side while they fit."""
    name: dict[str, Any] = {"id": id} if id else {}
    return html.Div(list(children), className="fila-campos", **name)


def sheets(*panels: Any) -> html.Div:
    """Panels in two columns, one on a phone."""
    return html.Div(list(panels), className="hojas-rejilla")


def data(id: str, label: str) -> html.Div:
    """One figure with what it is; the JavaScript fills the figure and the note."""
    return html.Div(
        [
            html.Div(label, className="dato-etiqueta"),
            html.Div("—", id=id, className="dato"),
            html.Div(id=f"{id}-nota", className="tenue"),
        ],
        className="panel cifra",
    )


def figures(*items: html.Div) -> html.Div:
    """A row of figures."""
    return html.Div(list(items), className="cifras")


def chart(id: str, tall: bool = False) -> dcc.Graph:
    """A place for a chart. What it shows must also be in a table of the page."""
    return dcc.Graph(
        id=id, className="grafica hoja-grafica alta" if tall else "grafica hoja-grafica",
        config={"staticPlot": True, "displayModeBar": False},
    )  # fmt: skip


def folded(title: str, *children: Any, id: str = "") -> html.Details:
    """What stays folded until somebody asks for it."""
    name: dict[str, Any] = {"id": id} if id else {}
    return html.Details([html.Summary(title), *children], className="plegado", **name)


def text(*words: Any) -> html.P:
    """A paragraph of explanation."""
    return html.P(list(words), className="tenue explica")
