"""What a reader must know to believe a test's figures, as sentences in Spanish: name and sentence of each.

The generator's ceiling, the server's, what was checked, when cuts were seen. For the report and the terminal.
"""

from __future__ import annotations

from loadtests.profile import PORTAL
from loadtests.run import Result
from loadtests.tally import percentile

CHECKED = (
    ("apuntadores", "apuntadores"),
    ("objetos", "objetos"),
    ("archivos", "archivos"),
    ("paquetes", "paquetes"),
    ("imagenes", "imágenes"),
)


def facts(result: Result) -> list[tuple[str, str]]:
    """The sentences of a result."""
    found = [*_generator(result), *_server(result)]
    if result.options.profile.target == PORTAL:
        found += _portal(result)
    else:
        counts = result.measured.tally.counts
        seen, missed = counts["fotografias_vistas"], counts["fotografias_perdidas"]
        waited = counts["entradas_en_espera"]
        text = f"Entradas: {counts['entradas']:,}; se pidió esperar turno {waited:,} veces."
        found.append(("Entradas", text))
        found.append(("Fotografías", f"Fotografías vistas: {seen:,}; perdidas: {missed:,}."))
        if counts["acciones"] or counts["acciones_rechazadas"]:
            text = f"Acciones: {counts['acciones']:,} hechas, {counts['acciones_rechazadas']:,} rechazadas."
            found.append(("Acciones", text))
    looked = [one for one in result.measured.invariants if one.good is not None]
    if looked:
        kept = sum(bool(one.good) for one in looked)
        found.append(
            ("Después de la carga", f"Después de la carga: {kept} de {len(looked)} invariantes se cumplen.")
        )
    return found


def _generator(result: Result) -> list[tuple[str, str]]:
    measured = result.measured
    tally = measured.tally
    if not tally.ceiling_rps:
        return []
    share = 100 * measured.whole.rps / tally.ceiling_rps
    many = f"{measured.processes} {'proceso' if measured.processes == 1 else 'procesos'}"
    cpu, lag = percentile(tally.cpu_pct, 0.95) or 0, percentile(tally.lag_ms, 0.95) or 0
    sentence = (
        f"El generador ({many}) llega a {tally.ceiling_rps:,.0f} peticiones/s con los mismos bytes; la "
        f"prueba usó {share:.1f} %. CPU p95 {cpu:.0f} %, retraso p95 {lag:.0f} ms."
    )
    return [("Techo del generador", sentence)]


def _server(result: Result) -> list[tuple[str, str]]:
    found = []
    for one in result.ceilings:
        what = f"Techo del servidor ({one.what}"
        if one.ratio is None:
            sentence = f"{what}): {one.why}."
        else:
            sentence = (
                f"{what}, {one.size:,} B, wrk): {one.target_rps:,.0f}/s; nginx con los mismos bytes: "
                f"{one.nginx_rps:,.0f}/s; razón {one.ratio:.2f}."
            )
        found.append((f"Techo del servidor: {one.what}", sentence))
    return found


def _portal(result: Result) -> list[tuple[str, str]]:
    measured, profile = result.measured, result.options.profile
    counts, cuts = measured.tally.counts, measured.cuts
    checked = ", ".join(f"{counts[key]:,} {name}" for key, name in CHECKED)
    found = [("Contenido", f"Contenido comprobado: {checked}.")]
    if cuts.due:
        shown = "" if cuts.shown_worst_s is None else f"; con todo cargado, {cuts.shown_worst_s:.1f} s"
        worst = "nunca" if cuts.worst_s is None else f"{cuts.worst_s:.1f} s"
        text = f"Cortes nuevos: {cuts.cuts}; quien más tardó en ver uno, {worst}{shown}."
        found.append(("Cortes", text))
    if profile.real_rate:
        share = 100 * measured.whole.rps / profile.real_rate
        found.append(("Escala", f"Es {share:.1f} % de la multitud real: {profile.real_source}."))
    if measured.abuse is not None:
        got = {key: f"{value:,}" for key, value in measured.abuse.items()}
        sentence = (
            f"Quienes insistieron: {got.get('peticiones', 0)} peticiones, {got.get('respuestas', 0)} "
            f"respuestas ({got.get('limitadas', 0)} de ellas «demasiadas peticiones»), "
            f"{measured.abuse.get('bytes', 0) / 1e6:,.0f} MB; {got.get('lentas', 0)} conexiones lentas, "
            f"{got.get('lentas_echadas', 0)} echadas; {got.get('cortadas', 0)} conexiones cortadas."
        )
        found.append(("Quienes insistieron", sentence))
    return found
