"""The report of a test: one JSON and the text of the terminal. The HTML is of `html_report`.

All in Spanish; every figure is from the run. It judges nothing: the verdict comes made.
"""

from __future__ import annotations

from typing import Any

from loadtests.judging.tally import over_time, written
from loadtests.judging.timing import EDGES, Row
from loadtests.judging.verdict import apart
from loadtests.reporting.facts import facts
from loadtests.reporting.failures import by_status, plain
from loadtests.reporting.html_report import html as html
from loadtests.reporting.machine import machine
from loadtests.reporting.page import SHAPES
from loadtests.run import Result


def text(result: Result) -> str:
    """What the terminal shows."""
    verdict, whole = result.verdict, result.measured.whole
    out = [f"{SHAPES[verdict.code]} {result.options.profile.title}: {verdict.word.upper()}"]
    out += [f"  ✖ {one.what}: {one.found} (se pide: {one.wanted})" for one in verdict.reasons]
    out.append(
        f"{whole.requests:,} {'petición' if whole.requests == 1 else 'peticiones'} en "
        f"{result.options.seconds} s ({whole.rps:,.0f}/s), {whole.failures:,} con falla; "
        f"p50 {_ms(whole.p50)}, p95 {_ms(whole.p95)}, p99 {_ms(whole.p99)}."
    )
    out += [f"{name}: {sentence}" for name, sentence in facts(result)]
    out.append(f"Informe: {result.options.folder / 'informe.html'}")
    return "\n".join(out)


def data(result: Result) -> dict[str, object]:
    """The report as JSON."""
    measured, options = result.measured, result.options
    tally, cuts, wrote = measured.tally, measured.cuts, written(measured.tally)
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
        "peticiones": [
            {**_row(one), "se_juzga_aparte": apart(one, options.profile)} for one in measured.rows
        ],
        "fallas": [
            {"nombre": name, "que": plain(what), "veces": times} for name, what, times in measured.failures
        ],
        "fallas_por_codigo": [
            {"codigo": code, "que": means or None, "veces": times}
            for code, means, times in by_status(measured.failures)
        ],
        "por_tiempo": {
            "cada_s": tally.slot_s,
            "ranuras": [
                {
                    "desde_s": second, "peticiones": one.requests, "fallas": one.failures,
                    "p50_ms": one.under(50), "p95_ms": one.under(95), "p99_ms": one.under(99),
                }
                for second, one in over_time(tally, options.seconds)
            ],
        },
        "histograma": {
            "hasta_ms": [*EDGES, None],
            "clases": {name: one.histogram() for name, one in sorted(tally.requests.items())},
        },
        "contenido": {
            "faltas": dict(tally.faults), "ejemplos": tally.examples, "cuentas": dict(tally.counts),
        },
        "cortes": {
            "nuevos": cuts.cuts, "debidos": cuts.due, "a_tiempo": cuts.in_time,
            "nunca": cuts.never, "peor_s": _round(cuts.worst_s), "mostrados": cuts.shown,
            "saltados": cuts.skipped, "posibles": cuts.possible,
            "peor_mostrado_s": _round(cuts.shown_worst_s),
        },
        "vigia": measured.watch and {
            "preguntas": measured.watch.asked, "sin_respuesta": measured.watch.lost,
            "por_la_carpeta": measured.watch.disk,
        },
        "fotografias": wrote and {
            "escritas": wrote.written, "debidas": wrote.due, "cada_s": wrote.tick_s,
        },
        "generador": {
            "procesos": measured.processes, "techo_rps": tally.ceiling_rps,
            "por_proceso": [
                {"cpu_p95_pct": cpu, "retraso_p95_ms": lag} for cpu, lag in tally.strains()
            ],
        },
        "techos": [
            {
                "que": one.what, "bytes": one.size, "objetivo_rps": one.target_rps,
                "nginx_rps": one.nginx_rps, "razon": _round(one.ratio),
                "entre": one.between and [_round(edge) for edge in one.between],
                "con_errores": one.broken, "por_que_no": one.why or None,
            }
            for one in result.ceilings
        ],
        "insistentes": measured.abuse,
        "invariantes": [
            {"que": one.what, "se_cumple": one.good, "detalle": one.detail} for one in measured.invariants
        ],
        "entorno": machine(),
    }  # fmt: skip


def _row(row: Row) -> dict[str, Any]:
    return {
        "nombre": row.name, "peticiones": row.requests, "fallas": row.failures, "p50_ms": row.p50,
        "p95_ms": row.p95, "p99_ms": row.p99, "peor_ms": row.worst, "por_segundo": round(row.rps, 1),
        "bytes": row.mean_bytes,
    }  # fmt: skip


def _ms(value: int | None) -> str:
    return "—" if value is None else f"{value:,} ms"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
