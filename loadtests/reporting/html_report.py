"""The report of a test as one HTML page that needs nothing else: no script, no image, nothing from elsewhere.

First what a person in a hurry needs (the verdict and its figures), then the charts, then every table. It
judges nothing and measures nothing: every figure comes made.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from loadtests.ceiling import Ceiling
from loadtests.codes import BROKEN, INVALID, PASSED
from loadtests.judging.content import CLASSES
from loadtests.judging.tally import over_time
from loadtests.judging.timing import ALL, EDGES, Row
from loadtests.judging.verdict import Judged, apart
from loadtests.profile import PORTAL, Profile
from loadtests.reporting.chart import Series, lines
from loadtests.reporting.facts import facts
from loadtests.reporting.failures import by_status, plain
from loadtests.reporting.machine import machine
from loadtests.reporting.page import SHAPES, document, framed, moment, said, table
from loadtests.run import Result

MEANINGS = {
    PASSED: "Se cumplió todo lo que se pide.",
    BROKEN: "El servidor no cumplió algo de lo que se pide, o sirvió algo que no debía.",
    INVALID: "Las cifras de esta prueba no dicen nada del servidor: corrija lo que sigue y repita.",
}


def html(result: Result) -> str:
    """The report as a page."""
    profile, verdict, measured = result.options.profile, result.verdict, result.measured
    reasons = "".join(
        f"<li>{escape(one.what)}: <strong>{escape(one.found)}</strong> (se pide: {escape(one.wanted)})</li>"
        for one in verdict.reasons
    )
    title = f"Prueba de carga: {profile.title}"
    parts = [
        f'<div class="veredicto c{verdict.code}"><p><strong>{SHAPES[verdict.code]} '
        f"{verdict.word.capitalize()}</strong></p><p>{MEANINGS[verdict.code]}</p></div>",
        f'<div class="cifras{" sin-valor" if verdict.code == INVALID else ""}">{_figures(result)}</div>',
        f"<h2>{'Por qué no vale' if verdict.code == INVALID else 'Lo que no se cumplió'}</h2>"
        f"<ul>{reasons}</ul>" if reasons else "",
        f"<p>{escape(profile.about)}</p>",
        _charts(result),
        table("Lo que se juzgó", ("Bien", "Qué", "Se pide", "Hubo"), map(_judged, _in_order(result))),
        table(
            "Peticiones (tiempos en milisegundos)",
            (
                "Qué", "Peticiones", "Por segundo", "Fallas", "Bytes", "p50", "p95", "p95 pedido", "p99",
                "Peor",
            ),
            [_cells(row, profile) for row in (measured.whole, *measured.rows)], numbers=9,
        ),
        _histogram(result),
    ]  # fmt: skip
    if measured.failures:
        rows = [(code, means, f"{times:,}") for code, means, times in by_status(measured.failures)]
        heads = ("Código HTTP", "Qué quiere decir", "Veces")
        parts.append(table("Fallas por código HTTP", heads, rows, numbers=1))
        rows = [(name, plain(what), f"{times:,}") for name, what, times in measured.failures]
        parts.append(
            table("Fallas por clase de petición", ("Petición", "Qué pasó", "Veces"), rows, numbers=1)
        )
    if measured.tally.faults:
        rows = [
            (CLASSES[kind], " · ".join(measured.tally.examples.get(kind, [])), f"{times:,}")
            for kind, times in measured.tally.faults.items()
        ]
        parts.append(table("Faltas de contenido", ("Cuál", "Ejemplos", "Veces"), rows, numbers=1))
    if result.ceilings:
        parts.append(table("Techo del servidor, con wrk, y el de nginx con los mismos bytes", (
            "Qué", "Razón", "Bytes", "Servidor, por segundo", "nginx, por segundo"), [
                (one.what, _ratio(one), f"{one.size:,}", _rate(one.target_rps), _rate(one.nginx_rps))
                for one in result.ceilings
            ], numbers=3))  # fmt: skip
    if measured.invariants:
        rows = [(_mark(one.good), one.what, one.detail) for one in measured.invariants]
        parts.append(table("Después de la carga", ("Bien", "Invariante", "Detalle"), rows))
    parts += [
        table("La prueba", ("Dato", "Valor"), _about(result)),
        table("Con qué se midió", ("Dato", "Valor"), machine().items()),
        f'<p class="tenue">Hecho con prep carga {escape(profile.name)}. Los datos de este informe están en '
        "veredicto.json, y los de Locust en sus CSV, junto a este archivo.</p>",
    ]
    return document(title, parts)


def _figures(result: Result) -> str:
    """What the one who decides reads, each with its limit."""
    options, measured, verdict = result.options, result.measured, result.verdict
    whole, cuts = measured.whole, measured.cuts
    found = [
        _figure("Usuarios", f"{options.users:,}", f"durante {_lasting(options.seconds)}"),
        _requests(result),
        _figure("Tiempo de respuesta p95", "—" if whole.p95 is None else f"{whole.p95:,} ms",
                "95 de cada 100 tardaron eso o menos", verdict.of("p95"),
                f"se piden {options.profile.thresholds.get('p95_max_ms', 0):,} ms o menos"),
    ]  # fmt: skip
    if options.profile.target == PORTAL and (cuts.due or verdict.of("cortes")):
        share = "—" if cuts.share_pct is None else f"{int(cuts.share_pct * 100) / 100:g} %"
        text = f"{cuts.in_time:,} de {cuts.due:,}" if cuts.due else "ninguno que juzgar"
        found.append(_figure("Cortes vistos a tiempo", share, text, verdict.of("cortes")))
    if options.profile.target != PORTAL:
        counts = measured.tally.counts
        seen, missed = counts["fotografias_vistas"], counts["fotografias_perdidas"]
        share = f"{int(10_000 * seen / (seen + missed)) / 100:g} %" if seen + missed else "—"
        text = f"{seen:,} de {seen + missed:,}"
        found.append(_figure("Fotografías vistas", share, text, verdict.of("fotografias")))
    if measured.abuse is not None:
        found.append(_insisting(measured.abuse, verdict.of("abuso")))
    ceiling = next((one for one in result.ceilings if one.ratio is not None), None)
    if ceiling is not None:
        text = f"de lo que da nginx con los mismos bytes: {_rate(ceiling.target_rps)}/s de {ceiling.what}"
        found.append(_figure("Techo del servidor", f"{ceiling.ratio:.2f}", text))
    elif result.ceilings:
        found.append(_figure("Techo del servidor", "—", "no se midió; «La prueba», abajo, dice por qué"))
    used = verdict.of("techo")
    if used is not None:
        rate = measured.tally.ceiling_rps
        text = f"de {rate:,.0f}/s que puede" if rate else "no se midió"
        share = f"{100 * whole.rps / rate:.1f} %" if rate else "—"
        wanted = f"se pide {options.profile.validity['techo_max_pct']} % o menos"
        found.append(_figure("Techo del generador usado", share, text, used, wanted))
    return "".join(found)


def _insisting(abuse: Mapping[str, int], judged: Judged | None) -> str:
    seconds = abuse.get("segundos", 0)
    rate = f"{abuse.get('bytes', 0) * 8 / seconds / 1e6:,.0f} Mbit/s" if seconds else "—"
    text = f"{abuse.get('respuestas', 0):,} respuestas, {abuse.get('limitadas', 0):,} negadas"
    return _figure("Se llevan quienes insisten", rate, text, judged)


def _requests(result: Result) -> str:
    whole, judged = result.measured.whole, result.verdict.of("fallas")
    failed = f"{whole.failures:,} con falla"
    detail = f"{whole.rps:,.0f} por segundo" + ("" if judged else f", {failed}")
    wanted = f"{failed}; se pide {judged.wanted}" if judged else None
    return _figure("Peticiones", f"{whole.requests:,}", detail, judged, wanted)


def _figure(
    name: str, value: str, detail: str, judged: Judged | None = None, wanted: str | None = None
) -> str:
    """A big figure, and what was judged of it. Without that it is only told."""
    style, limit = "", ""
    if judged is not None:
        good = _mark(judged.good)
        style = {"✔": " c0", "✖": " c3" if judged.kind == "validez" else " c2"}.get(good, "")
        limit = f"<p>{said(good)} {escape(wanted or f'se pide {judged.wanted}')}</p>"
    more = f'<p class="mas">{escape(detail)}</p>' if detail else ""
    shown = f"<h2>{escape(name)}</h2><strong>{escape(value)}</strong>"
    return f'<div class="cifra{style}">{shown}{limit}{more}</div>'


def _lasting(seconds: int) -> str:
    if seconds < 120 or seconds % 60:
        return f"{seconds:,} s"
    return f"{seconds // 60:,} min"


def _about(result: Result) -> list[tuple[str, str]]:
    options = result.options
    addresses = options.target.addresses
    rows = [
        ("Perfil", options.profile.name),
        ("Objetivo", options.target.url + (", en esta misma máquina" if options.target.own else "")),
        *([("Direcciones", ", ".join(addresses))] if addresses and not options.target.own else []),
        ("Usuarios y duración", f"{options.users:,} usuarios, {_lasting(options.seconds)}"),
        ("Empezó", moment(result.started_at)),
    ]
    if result.permission is not None:
        rows.append(("Autorizó", result.permission.owner))
    return rows + [(name, text[:1].upper() + text[1:]) for name, text in facts(result)]


def _charts(result: Result) -> str:
    tally, seconds = result.measured.tally, result.options.seconds
    each, found = tally.slot_s, over_time(tally, seconds)
    begun = result.begun
    if begun is None or not tally.slots:
        return ""
    marks = {at - begun: f"corte {cut}" for cut, at in result.appeared.items() if 0 <= at - begun <= seconds}
    middle = [(second + each / 2, one) for second, one in found]
    rate = [(at, one.requests / each) for at, one in middle]
    failed = [(at, one.failures / each) for at, one in middle]
    broken = sum(one.failures for _, one in middle)
    of_rate = [Series("peticiones", rate, "s1")]
    if broken:
        of_rate.append(Series("con falla", failed, "s2"))
    times = [
        Series(f"p{share}", [(at, float(one.under(share) or 0)) for at, one in middle if one.requests], style)
        for share, style in ((50, "s1"), (95, "s3"), (99, "s4"))
    ]
    users = [
        (float(row["Timestamp"]) - begun, float(row["User Count"]))
        for row in result.history
        if row["Name"] == "Aggregated" and 0 <= float(row["Timestamp"]) - begun <= seconds
    ]
    if users and not users[-1][1] and users[-1][0] > seconds - 2:
        users.pop()  # they were being sent away
    slot = "cada segundo" if each == 1 else f"cada {each} s"
    limit = result.options.profile.thresholds.get("p95_max_ms")
    span = float(seconds)
    late = "Los usuarios, según Locust; con varios procesos empiezan con su primer informe, a los 3 s."
    return (
        lines("Peticiones por segundo", "", of_rate, last=span, marks=marks,
              note="" if broken else "ninguna con falla")
        + lines(f"Tiempo de respuesta de {slot}", "ms", times, last=span, marks=marks, limit=limit,
                note="el límite es del p95 de toda la prueba" if limit else "")
        + lines("Usuarios", "", [Series("usuarios", users, "s1")], last=span, marks=marks)
        + '<p class="tenue">Cada petición está en el momento en que terminó. Los tiempos de las gráficas '
        f"llevan dos cifras, hacia arriba. {late}</p>"
    )  # fmt: skip


def _histogram(result: Result) -> str:
    """How long each kind took: which part of its requests, in ranges of time."""
    heads = ["Qué", *(f"≤ {edge:,}" for edge in EDGES), f"> {EDGES[-1]:,}"]
    body = []
    for row in result.measured.rows:
        counts = result.measured.tally.requests[row.name].histogram()
        cells = "".join(
            f'<td class="n h" style="--p:{count / row.requests:.2f}">{_share(count, row.requests)}</td>'
            for count in counts
        )
        body.append(f'<tr><th scope="row">{escape(row.name)}</th>{cells}</tr>')
    if not body:
        return ""
    return framed("Cuántos milisegundos tardó cada clase (% de sus peticiones)", heads, body, len(heads) - 1)


def _share(count: int, total: int) -> str:
    if not count:
        return "·"
    share = 100 * count / total
    return f"{share:.0f}" if share >= 10 else f"{share:.1f}" if share >= 0.1 else "< 0.1"


def _in_order(result: Result) -> list[Judged]:
    """First what is not good; last what could not be seen."""
    return sorted(result.verdict.judged, key=lambda one: {False: 0, True: 1, None: 2}[one.good])


def _judged(one: Judged) -> tuple[str, str, str, str]:
    return _mark(one.good), one.what, one.wanted, one.found


def _mark(good: bool | None) -> str:
    return {True: "✔", False: "✖", None: "—"}[good]


def _cells(row: Row, profile: Profile) -> tuple[str, ...]:
    limit = profile.per_request.get(row.name)
    asked = profile.thresholds.get("p95_max_ms") if row.name == ALL else None
    if limit is not None and limit.p95_ms is not None and apart(row, profile):
        asked = limit.allowed(limit.p95_ms, row.mean_bytes)
    times = (row.p50, row.p95, asked, row.p99, row.worst)
    return (
        row.name, f"{row.requests:,}", f"{row.rps:,.1f}", f"{row.failures:,}", f"{row.mean_bytes:,}",
        *("—" if one is None else f"{one:,}" for one in times),
    )  # fmt: skip


def _ratio(one: Ceiling) -> str:
    if one.ratio is None or one.between is None:
        return one.why
    return f"{one.ratio:.2f} (de {one.between[0]:.2f} a {one.between[1]:.2f})"


def _rate(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"
