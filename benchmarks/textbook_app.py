"""The control room as the Dash documentation teaches it, on the same data: what the room is measured against.

One `dcc.Interval` and one server callback that builds every tile and, with plotly.express and pandas, every
figure again for each viewer. It is given what it would have to do by itself: the snapshot is read already
made, it has no sessions, and its map is a square per municipio. `python -m benchmarks.textbook_app --sala DIR
--puerto N` serves it as the room is served: granian, one worker, eight threads.
"""

from __future__ import annotations

import argparse
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import plotly.express as px
from dash import Dash, Input, Output, dcc, html
from plotly.graph_objects import Figure

EVERY_MS = 2_000
GRAPHS = ("mapa", "avance", "ritmo", "rezago", "distritos")
OUTPUTS = (("seq", "children"), ("kpis", "children"), ("mosaico", "children"), ("alertas", "children"),
           *((graph, "figure") for graph in GRAPHS))  # fmt: skip
"""In the order of the callback."""
CALLBACK = ".." + "...".join(f"{one}.{of}" for one, of in OUTPUTS) + ".."
"""How Dash names the callback in its requests."""
COLUMNS = 12
COLOURS = {"p1": "#b00020", "p2": "#f2a900", "p3": "#5c3d99", "terminado": "#7a8691"}
KPIS = (
    ("Actas registradas", "avance_pct"),
    ("Contra el plan", "vs_plan_pp"),
    ("Rezago", "rezago"),
    ("Ritmo", "ritmo"),
    ("Inconsistencias", "inconsistencias_pct"),
    ("Publicadas", "publicadas_pct"),
    ("Contabilizadas", "contabilizadas_pct"),
)


def build(folder: Path) -> Dash:
    """The application on the snapshot of a room's folder."""
    app = Dash(__name__, serve_locally=True)
    app.layout = html.Div(
        [
            dcc.Interval(id="intervalo", interval=EVERY_MS),
            *(html.Div(id=one) for one, of in OUTPUTS if of == "children"),
            *(dcc.Graph(id=graph) for graph in GRAPHS),
        ]
    )

    @app.callback([Output(one, of) for one, of in OUTPUTS], Input("intervalo", "n_intervals"))
    def update(_: int | None) -> list[Any]:
        snapshot = orjson.loads((folder / "sala.json").read_bytes())
        return [
            snapshot["seq"],
            tiles_of_kpis(snapshot),
            tiles(snapshot),
            alerts(snapshot),
            territory(snapshot),
            progress(snapshot),
            rate(snapshot),
            backlog(snapshot),
            districts(snapshot),
        ]

    return app


def tiles_of_kpis(snapshot: dict[str, Any]) -> list[html.Div]:
    """One tile per figure."""
    return [
        html.Div([html.Span(name), html.Strong(str(snapshot["kpis"][key]))], className="kpi")
        for name, key in KPIS
    ]


def tiles(snapshot: dict[str, Any]) -> list[html.Div]:
    """One tile per CATD."""
    return [
        html.Div(
            [html.Span(str(one["id"])), html.Small(f"{one['verificadas']} de {one['esperadas']}")],
            className="catd",
            title=f"{one['nombre']}: {one['motivo']}",
            style={"background": COLOURS.get(one["estado"], "#d8dce0")},
        )
        for one in snapshot["catd"]
    ]


def alerts(snapshot: dict[str, Any]) -> html.Ul:
    """The active alerts."""
    return html.Ul(
        [html.Li([html.Strong(one["titulo"]), html.Span(one["detalle"])]) for one in snapshot["alertas"]]
    )


def territory(snapshot: dict[str, Any]) -> Figure:
    """The municipios by their progress."""
    rows = snapshot["municipios"]
    data = pd.DataFrame(
        {
            "municipio": [row[0] for row in rows],
            "nombre": [row[1] for row in rows],
            "avance": [100 * row[3] / max(1, row[2]) for row in rows],
        }
    )
    figure = px.choropleth(
        data, geojson=squares(len(rows)), locations=data.index, featureidkey="properties.lugar",
        color="avance", hover_name="nombre", range_color=(0, 100), title="Avance por municipio",
    )  # fmt: skip
    figure.update_geos(fitbounds="locations", visible=False)
    return figure


@cache
def squares(count: int) -> dict[str, Any]:
    """A square per municipio: far fewer points than any real map, and made once."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"lugar": n}, "geometry": {"type": "Polygon", "coordinates": [
                [[x, y], [x, y + 1], [x + 1, y + 1], [x + 1, y], [x, y]]]}}
            for n in range(count)
            for x, y in [(n % COLUMNS, n // COLUMNS)]
        ],
    }  # fmt: skip


def _curves(snapshot: dict[str, Any]) -> pd.DataFrame:
    hist = snapshot["hist"]
    data = pd.DataFrame(hist)
    expected = max(1, snapshot["kpis"]["esperadas"])
    data["hora"] = pd.to_datetime(data["ms"], unit="ms")
    data["registrado"] = 100 * data["verificadas"] / expected
    data["publicado"] = 100 * data["publicadas"] / expected
    data["plan"] = data["plan"].astype(float)
    return data


def progress(snapshot: dict[str, Any]) -> Figure:
    """Registered and published against the plan."""
    return px.line(_curves(snapshot), x="hora", y=["registrado", "publicado", "plan"], title="Avance (%)")


def rate(snapshot: dict[str, Any]) -> Figure:
    """Actas per minute."""
    return px.line(_curves(snapshot), x="hora", y="ritmo", title="Ritmo (actas/min)")


def backlog(snapshot: dict[str, Any]) -> Figure:
    """What waits for capture."""
    return px.area(_curves(snapshot), x="hora", y="rezago", title="Rezago (actas)")


def districts(snapshot: dict[str, Any]) -> Figure:
    """Registered and published by distrito."""
    rows = snapshot["distritos"]
    expected = [max(1, row[2]) for row in rows]
    data = pd.DataFrame(
        {
            "distrito": [row[0] for row in rows],
            "registrado": [100 * row[3] / of for row, of in zip(rows, expected, strict=True)],
            "publicado": [100 * row[4] / of for row, of in zip(rows, expected, strict=True)],
        }
    )
    return px.bar(data, x="distrito", y=["registrado", "publicado"], barmode="overlay", title="Por distrito")


def request_body(intervals: int | str) -> str:
    """What the page of this application asks with on a beat of its Interval."""
    return orjson.dumps(
        {
            "output": CALLBACK,
            "outputs": [{"id": one, "property": of} for one, of in OUTPUTS],
            "inputs": [{"id": "intervalo", "property": "n_intervals", "value": intervals}],
            "changedPropIds": ["intervalo.n_intervals"],
        }
    ).decode()


def load(folder: Path, _target: str) -> Any:
    """In the worker: the application."""
    return build(folder).server


def main() -> None:
    """Serve until told to leave."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    parser = argparse.ArgumentParser(prog="python -m benchmarks.textbook_app")
    parser.add_argument("--sala", type=Path, required=True)
    parser.add_argument("--puerto", type=int, required=True)
    args = parser.parse_args()
    server = Server(
        "textbook", address="127.0.0.1", port=args.puerto, interface=Interfaces.WSGI, workers=1,
        blocking_threads=8, log_level=LogLevels.error,
    )  # fmt: skip
    # By its importable name: the worker finds it in a process of its own.
    from benchmarks import textbook_app

    server.serve(target_loader=partial(textbook_app.load, args.sala), wrap_loader=True)


if __name__ == "__main__":
    main()
