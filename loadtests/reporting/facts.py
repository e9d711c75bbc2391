"""What a reader must know to believe a test's figures, as sentences in Spanish: name and sentence of each.

The generator's ceiling, the server's, what was checked, when cuts were seen. For the report and the terminal.
"""

from __future__ import annotations

from loadtests.judging.content import CHECKED
from loadtests.judging.tally import written
from loadtests.judging.verdict import P95_LEAST, apart
from loadtests.profile import PORTAL
from loadtests.run import Result

FULL_PCT = 90
"""Share of a core over which the server of the generator's ceiling may be the one that could give no more."""


def facts(result: Result) -> list[tuple[str, str]]:
    """The sentences of a result, which do not say their name again."""
    found = [*_generator(result), *_server(result)]
    found += _portal(result) if result.options.profile.target == PORTAL else _room(result)
    few = [
        f"{row.name} ({row.requests:,})"
        for row in result.measured.rows
        if row.name in result.options.profile.per_request and not apart(row, result.options.profile)
    ]
    if few:
        text = f"por ser menos de {P95_LEAST} peticiones, {', '.join(few)}."
        found.append(("No se juzgan aparte", text))
    looked = result.measured.invariants
    if looked:
        kept = sum(bool(one.good) for one in looked)
        blind = sum(one.good is None for one in looked)
        text = (
            f"se cumple{'' if kept == 1 else 'n'} {kept} de {_many(len(looked), 'invariante', 'invariantes')}"
        )
        text += f"; {blind} no se {'pudo' if blind == 1 else 'pudieron'} mirar." if blind else "."
        found.append(("Después de la carga", text))
    return found


def _room(result: Result) -> list[tuple[str, str]]:
    counts = result.measured.tally.counts
    seen, missed = counts["fotografias_vistas"], counts["fotografias_perdidas"]
    waited = counts["entradas_en_espera"]
    text = _many(counts["entradas"], "sesión", "sesiones")
    text += f"; se pidió esperar turno {_many(waited, 'vez', 'veces')}." if waited else "."
    found = [("Entraron por el formulario", text)]
    text = f"{_many(seen, 'vista', 'vistas')}, {_many(missed, 'perdida', 'perdidas')}."
    wrote = written(result.measured.tally)
    if wrote is not None:
        text += f" La sala escribió {wrote.written:,} de las {wrote.due:,} debidas."
    found.append(("Fotografías", text))
    if counts["acciones"] or counts["acciones_rechazadas"]:
        done = _many(counts["acciones"], "hecha", "hechas")
        refused = _many(counts["acciones_rechazadas"], "rechazada", "rechazadas")
        found.append(("Acciones", f"{done}, {refused}."))
    return found


def _generator(result: Result) -> list[tuple[str, str]]:
    measured = result.measured
    tally = measured.tally
    if not tally.ceiling_rps:
        return []
    share = 100 * measured.whole.rps / tally.ceiling_rps
    many = f"{measured.processes} {'proceso' if measured.processes == 1 else 'procesos'}"
    cpu = max((one or 0 for one, _ in tally.strains()), default=0)
    lag = max((one or 0 for _, one in tally.strains()), default=0)
    portal = result.options.profile.target == PORTAL
    answers = "lo que la página carga primero" if portal else "una fotografía de la sala"
    sentence = (
        f"{many}; llega a {tally.ceiling_rps:,.0f} peticiones/s de {answers}, que lee y "
        f"comprueba; la prueba usó {share:.1f} %. En el peor proceso, CPU p95 {cpu:.0f} %, retraso p95 "
        f"{lag:.0f} ms."
    )
    if (measured.trivial_cpu_pct or 0) >= FULL_PCT:
        sentence += " Su techo es ese o mayor: quien no podía más era el servidor contra el que se midió."
    return [("Techo del generador", sentence)]


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _server(result: Result) -> list[tuple[str, str]]:
    found = []
    for one in result.ceilings:
        name = f"Techo del servidor, {one.what} ({one.size:,} B)"
        text = one.text()
        if one.ratio is not None:
            text = f"{text}. Es la parte del de nginx con los mismos bytes, medida con wrk"
        found.append((name, f"{text}."))
    return found


def _portal(result: Result) -> list[tuple[str, str]]:
    measured, profile = result.measured, result.options.profile
    counts, cuts = measured.tally.counts, measured.cuts
    checked = ", ".join(_many(counts[key], one, many) for key, one, many in CHECKED)
    found = [("Contenido comprobado", f"{checked}.")]
    if cuts.due:
        worst = "nadie lo vio" if cuts.worst_s is None else f"{cuts.worst_s:.1f} s"
        text = f"{cuts.cuts}; quien más tardó en ver uno, {worst}"
        text += f"; nunca, {cuts.never:,} de {cuts.due:,}." if cuts.never else "."
        if cuts.possible > cuts.due:
            late = cuts.possible - cuts.due
            text += f" De {cuts.possible:,} avistamientos posibles, {late:,} no se juzgan: "
            text += "a su lector se le acabó la prueba antes que el plazo."
        found.append(("Cortes nuevos", text))
        left = cuts.due - cuts.shown - cuts.skipped
        text = f"de {cuts.due:,} avistamientos, con todo cargado {cuts.shown:,}"
        if cuts.shown_worst_s is not None:
            text += f" (el que más tardó, {cuts.shown_worst_s:.1f} s)"
        text += f"; saltados por uno más nuevo, {cuts.skipped:,}; sin cargar al terminar, {left:,}."
        found.append(("Cortes mostrados", text))
    if measured.watch is not None:
        source = "la carpeta publicada" if measured.watch.disk else "el mismo objetivo, sin ETag"
        text = (
            f"cuándo apareció cada corte se supo por {source}; le preguntó al objetivo "
            f"{_many(measured.watch.asked, 'vez', 'veces')} y {measured.watch.lost:,} sin buena respuesta."
        )
        found.append(("Vigía", text))
    if profile.real_rate:
        share = 100 * measured.whole.rps / profile.real_rate
        found.append(("Escala", f"{share:.1f} % de la multitud real: {profile.real_source}."))
    if measured.abuse is not None:
        got = {key: f"{value:,.0f}" for key, value in measured.abuse.items()}
        size, seconds = measured.abuse.get("bytes", 0), measured.abuse.get("segundos", 0)
        rate = f" ({size * 8 / seconds / 1e6:,.0f} Mbit/s)" if seconds else ""
        sentence = (
            f"{got.get('peticiones', 0)} peticiones intentadas, "
            f"{got.get('respuestas', 0)} contestadas ({got.get('limitadas', 0)} negadas, "
            f"{got.get('errores', 0)} con error del servidor), {size / 1e6:,.0f} MB{rate}; "
            f"{got.get('lentas', 0)} conexiones lentas, "
            f"{got.get('lentas_echadas', 0)} echadas; {got.get('cortadas', 0)} conexiones cortadas."
        )
        found.append(("Quienes insistieron", sentence))
    return found
