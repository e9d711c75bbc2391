"""The report of a test: one HTML file that needs nothing else, one JSON, and the text of the terminal.

All in Spanish; every figure is from the run. It judges nothing: the verdict comes made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from loadtests.chart import Series, lines
from loadtests.content import CLASSES
from loadtests.facts import facts
from loadtests.run import Result
from loadtests.tally import percentile
from loadtests.verdict import INVALID, PASSED, Row

STYLE = Path(__file__).with_name("informe.css").read_text(encoding="utf-8")
SHAPES = {PASSED: "✔", INVALID: "◐", 2: "✖"}


def text(result: Result) -> str:
    """What the terminal shows."""
    verdict, whole = result.verdict, result.measured.whole
    out = [f"{SHAPES[verdict.code]} {result.options.profile.title}: {verdict.word.upper()}"]
    out += [f"  ✖ {one.what}: {one.found} (se pide {one.wanted})" for one in verdict.reasons]
    out.append(
        f"{whole.requests:,} peticiones en {result.options.seconds} s ({whole.rps:,.0f}/s), "
        f"{whole.failures:,} con falla; p50 {_ms(whole.p50)}, p95 {_ms(whole.p95)}, p99 {_ms(whole.p99)}."
    )
    out += [line for _, line in facts(result)]
    out.append(f"Informe: {result.options.folder / 'informe.html'}")
    return "\n".join(out)


def data(result: Result) -> dict[str, object]:
    """The report as JSON."""
    measured, options = result.measured, result.options
    tally, cuts = measured.tally, measured.cuts
    return {
        "veredicto": result.verdict.word,
        "codigo": result.verdict.code,
        "perfil": options.profile.name,
        "objetivo": options.target.url,
        "usuarios": options.users,
        "duracion_s": options.seconds,
        "empezo": result.started_at,
        "juicios": [
            {"que": one.what, "se_pide": one.wanted, "hubo": one.found, "bien": one.good, "clase": one.kind}
            for one in result.verdict.judged
        ],
        "todas": _row(measured.whole),
        "peticiones": [_row(one) for one in measured.rows],
        "fallas": [{"nombre": n, "que": what, "veces": times} for n, what, times in measured.failures],
        "contenido": {
            "faltas": dict(tally.faults), "ejemplos": tally.examples, "cuentas": dict(tally.counts),
        },
        "cortes": {
            "nuevos": cuts.cuts, "debidos": cuts.due, "a_tiempo": cuts.in_time,
            "peor_s": _round(cuts.worst_s), "peor_mostrado_s": _round(cuts.shown_worst_s),
        },
        "generador": {
            "procesos": measured.processes, "techo_rps": tally.ceiling_rps,
            "cpu_p95_pct": percentile(tally.cpu_pct, 0.95),
            "retraso_p95_ms": percentile(tally.lag_ms, 0.95),
        },
        "techos": [
            {
                "que": one.what, "bytes": one.size, "objetivo_rps": one.target_rps,
                "nginx_rps": one.nginx_rps, "razon": _round(one.ratio), "por_que_no": one.why or None,
            }
            for one in result.ceilings
        ],
        "insistentes": measured.abuse,
        "invariantes": [
            {"que": one.what, "se_cumple": one.good, "detalle": one.detail} for one in measured.invariants
        ],
    }  # fmt: skip


def html(result: Result) -> str:
    """The report as a page."""
    profile, verdict, measured = result.options.profile, result.verdict, result.measured
    reasons = "".join(
        f"<li>{escape(one.what)}: <strong>{escape(one.found)}</strong> (se pide {escape(one.wanted)})</li>"
        for one in verdict.reasons
    )
    title = f"Prueba de carga: {profile.title}"
    parts = [
        f'<!doctype html><html lang="es-MX"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(profile.about)}</p>",
        f'<p class="veredicto c{verdict.code}">{SHAPES[verdict.code]} {verdict.word.capitalize()}</p>',
        f"<ul>{reasons}</ul>" if reasons else "",
        _invalid(verdict.code),
        _table("La prueba", ("", ""), _about(result)),
        _charts(result),
        _table(
            "Lo que se juzgó", ("", "Qué", "Se pide", "Hubo"),
            [
                ("✔" if one.good else "✖", one.what, one.wanted, one.found)
                for one in sorted(verdict.judged, key=lambda one: one.good)
            ],
        ),
        _table(
            "Peticiones (ms)", ("Qué", "Peticiones", "Por segundo", "Fallas", "p50", "p95", "p99", "Peor"),
            [_cells(row) for row in (measured.whole, *measured.rows)], numbers=7,
        ),
    ]  # fmt: skip
    if measured.failures:
        rows = [(name, what, f"{times:,}") for name, what, times in measured.failures]
        parts.append(_table("Fallas", ("Qué", "Qué pasó", "Veces"), rows, numbers=1))
    if measured.tally.faults:
        rows = [
            (CLASSES[kind], f"{times:,}", " · ".join(measured.tally.examples.get(kind, [])))
            for kind, times in measured.tally.faults.items()
        ]
        parts.append(_table("Faltas de contenido", ("Cuál", "Veces", "Ejemplos"), rows))
    if result.ceilings:
        parts.append(_table("Techo del servidor, con wrk, y el de nginx con los mismos bytes", (
            "Qué", "Bytes", "Servidor, por segundo", "nginx, por segundo", "Razón"), [
                (
                    one.what, f"{one.size:,}", _rate(one.target_rps), _rate(one.nginx_rps),
                    one.why or f"{one.ratio or 0:.2f}",
                )
                for one in result.ceilings
            ], numbers=4))  # fmt: skip
    if measured.invariants:
        rows = [
            ("✔" if one.good else "—" if one.good is None else "✖", one.what, one.detail)
            for one in measured.invariants
        ]
        parts.append(_table("Después de la carga", ("", "Invariante", "Detalle"), rows))
    parts.append(
        f'<p class="tenue">Hecho con prep carga {escape(profile.name)} el {escape(result.started_at)}. '
        "Los datos están en veredicto.json y en los CSV de Locust, junto a este archivo.</p></body></html>"
    )
    return "\n".join(parts)


def _invalid(code: int) -> str:
    if code != INVALID:
        return ""
    return (
        "<p><strong>Las cifras de esta prueba no dicen nada del servidor.</strong> "
        "Lo que no fue válido está arriba; corríjalo y repita.</p>"
    )


def _about(result: Result) -> list[tuple[str, str]]:
    options = result.options
    rows = [
        ("Objetivo", options.target.url),
        ("Usuarios y duración", f"{options.users:,} usuarios, {options.seconds} s"),
        ("Empezó", result.started_at),
    ]
    if result.permission is not None:
        rows.append(("Autorizó", result.permission.owner))
    return rows + facts(result)


def _charts(result: Result) -> str:
    history, begun = result.history, result.begun
    if not history or begun is None:
        return ""
    rate, failed, late, users = [], [], [], []
    for row in history:
        second = float(row["Timestamp"]) - begun
        if row["Name"] != "Aggregated" or second < 0:
            continue
        rate.append((second, float(row["Requests/s"])))
        failed.append((second, float(row["Failures/s"])))
        users.append((second, float(row["User Count"])))
        if row["95%"] != "N/A":
            late.append((second, float(row["95%"])))
    marks = {at - begun: f"corte {cut}" for cut, at in result.appeared.items() if at >= begun}
    limit = result.options.profile.thresholds.get("p95_max_ms")
    return "".join(
        (
            lines("Peticiones por segundo", "", [
                Series("peticiones", rate, "s1"), Series("con falla", failed, "s2")], marks=marks),
            lines("Tiempo de respuesta p95", "ms", [Series("p95 de los últimos 10 s", late, "s1")],
                  marks=marks, limit=limit),
            lines("Usuarios", "", [Series("usuarios", users, "s1")], marks=marks),
        )
    )  # fmt: skip


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    first = len(heads) - numbers

    def cell(tag: str, place: int, content: str) -> str:
        kind = ' class="n"' if place >= first else ""
        return f"<{tag}{kind}>{escape(content)}</{tag}>"

    def line(row: Sequence[str]) -> str:
        kind = ' class="no"' if row[0] == "✖" else ""
        return f"<tr{kind}>{''.join(cell('td', place, one) for place, one in enumerate(row))}</tr>"

    head = "".join(cell("th", place, one) for place, one in enumerate(heads))
    body = "".join(map(line, rows))
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _cells(row: Row) -> tuple[str, ...]:
    times = (row.p50, row.p95, row.p99, row.worst)
    return (
        row.name, f"{row.requests:,}", f"{row.rps:,.1f}", f"{row.failures:,}",
        *("—" if one is None else f"{one:,}" for one in times),
    )  # fmt: skip


def _row(row: Row) -> dict[str, Any]:
    return {
        "nombre": row.name, "peticiones": row.requests, "fallas": row.failures, "p50_ms": row.p50,
        "p95_ms": row.p95, "p99_ms": row.p99, "peor_ms": row.worst, "por_segundo": round(row.rps, 1),
    }  # fmt: skip


def _ms(value: int | None) -> str:
    return "—" if value is None else f"{value:,} ms"


def _rate(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
