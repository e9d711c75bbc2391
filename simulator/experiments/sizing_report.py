"""What `prep dimensionar` tells: the answer in words, its tables, its charts and its data.

It searches nothing; the answer is `answer.Sizing`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.published.charts import BLUE, ORANGE, SKY, VERMILION, Chart, Series
from simulator.experiments import experiment_report
from simulator.experiments.answer import Sizing
from simulator.experiments.experiment_report import percent
from simulator.experiments.sizing import Level, Needed, plan_level
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.file import LoadedScenario
from simulator.scenario.words import length_words

if TYPE_CHECKING:
    from rich.table import Table


def _people(found: Sizing, level: float) -> float:
    return found.answer.resource.units(level, found.replicator.catalog)


def data(loaded: LoadedScenario, found: Sizing, cost: float) -> dict[str, Any]:
    """Everything there is to tell, as plain data."""
    catalog = found.replicator.catalog
    answer = found.answer

    def told(one: Needed) -> dict[str, Any]:
        return {
            "recurso": one.resource.key,
            "nivel": one.level,
            "intervalo": [one.low, one.high],
            "unidades": None if one.level is None else one.resource.units(one.level, catalog),
            "en_palabras": plan_level(one.resource, catalog, one.level),
        }

    return {
        "escenario": loaded.scenario.name,
        "escenario_sha256": loaded.sha256,
        "formato": loaded.scenario.schema_version,
        "meta_pct": found.goal.share_pct,
        "en_min": found.goal.within_ms // MS_PER_MINUTE,
        "confianza": found.confidence,
        "llegadas": "inicio" if found.at_start else "plan",
        "replicas": found.replicas,
        "semilla": found.root,
        "se_alcanza": found.attainable,
        "llegado_al_limite_pct": round(found.arrived_pct, 4),
        "lo_mas_que_se_alcanza_pct": None if found.best_pct is None else round(found.best_pct, 4),
        "capturistas": told(answer),
        "capturistas_por_noche": list(answer.least),
        "costo_unitario": cost,
        "curva": [
            {
                "nivel": one.level,
                "capturistas": _people(found, one.level),
                "costo": _people(found, one.level) * cost,
                "probabilidad": answer.probability(one.level),
                "minutos_a_la_meta": list(one.minutes),
                "registrado_al_limite_pct": list(one.share_pct),
            }
            for one in found.curve
        ],
        "razon_de_varianzas": found.variance_ratio,
        "lo_demas": [told(one) for one in found.others],
        "si_sobrara": [
            {"recurso": resource.key, "registrado_pct": round(share, 4)} for resource, share in found.unlocks
        ],
    }


def text(loaded: LoadedScenario, found: Sizing, cost: float) -> str:
    """The answer in a few lines."""
    catalog = found.replicator.catalog
    limit = length_words(found.goal.within_ms)
    arrivals = "todas en su CATD al empezar" if found.at_start else "llegadas del escenario"
    lines = [
        f"{loaded.scenario.title}: {len(catalog.actas):,} actas, {arrivals}; {found.replicas} noches, "
        f"semilla {found.root}",
        f"Meta: {found.goal.share_pct:g} % en {limit}, en {percent(found.confidence)} de las noches.",
    ]
    answer = found.answer
    interval = f"(intervalo de 95 %: {_end(answer.low)} a {_end(answer.high)})"
    if found.attainable:
        assert answer.level is not None
        lines.append(f"Hacen falta {answer.resource.words(answer.level, catalog)} {interval}.")
    else:
        lines.append(
            f"Ninguna cantidad de capturistas la alcanza: en {limit} ha llegado {found.arrived_pct:.2f} % "
            f"de las actas, y con gente de sobra se registra {found.best_pct or 0.0:.2f} %."
        )
        if answer.level is not None:
            lines.append(
                f"Para llegar a medio punto de eso bastan {answer.resource.words(answer.level, catalog)} "
                f"{interval}; más gente no ayuda."
            )
        gains = [
            (share, resource) for resource, share in found.unlocks if share > (found.best_pct or 0) + 0.05
        ]
        for share, resource in sorted(gains, key=lambda gain: -gain[0]):
            lines.append(f"  Con {resource.name} de sobra se llegaría a {share:.2f} %.")
        if found.unlocks and not gains:
            lines.append("  Tampoco ayudan más equipo, enlaces ni teléfonos: falta que lleguen antes.")
    if answer.level is not None and cost != 1.0:
        lines.append(f"Costo de los capturistas: {_people(found, answer.level) * cost:,.0f}.")
    if found.others:
        lines.append("Con ellos, lo menos de lo demás (cada uno por separado, el resto como en el plan):")
        lines += [
            f"  {one.resource.name}: {plan_level(one.resource, catalog, one.level)}" for one in found.others
        ]
    if found.variance_ratio is not None:
        lines.append(
            f"Comparar planes en las mismas noches reduce la varianza {found.variance_ratio:,.0f} veces "
            "frente a noches independientes."
        )
    return "\n".join(lines)


def _end(level: float | None) -> str:
    return "sin límite" if level is None else f"{level:,g}"


def tables(found: Sizing, cost: float) -> tuple[Table, ...]:
    """The curve: what each number of people gives."""
    from rich.table import Table

    if not found.curve:
        return ()
    table = Table(title="Qué da cada cantidad de capturistas")
    for column in (
        "capturistas",
        "costo",
        "noches que cumplen",
        "registrado al límite %",
        "minutos a la meta",
    ):
        table.add_column(column, justify="right")
    for one in found.curve:
        people = _people(found, one.level)
        table.add_row(
            f"{people:,.0f}", f"{people * cost:,.0f}", percent(found.answer.probability(one.level)),
            f"{one.share_pct[1]:.2f} ({one.share_pct[0]:.2f} a {one.share_pct[2]:.2f})", _minutes(one),
        )  # fmt: skip
    return (table,)


def _minutes(one: Level) -> str:
    low, middle, high = one.minutes
    if middle is None:
        return "no llega"
    return f"{middle:.0f} ({low:.0f} a {'—' if high is None else f'{high:.0f}'})"


def write(
    folder: Path, loaded: LoadedScenario, found: Sizing, told: dict[str, Any], words: str
) -> list[Path]:
    """Write data, charts and page; return the paths."""
    return experiment_report.write(
        folder,
        "dimensionar",
        told,
        charts(loaded, found, told["costo_unitario"]),
        loaded.scenario.title,
        words,
    )


def charts(loaded: LoadedScenario, found: Sizing, cost: float) -> list[Chart]:
    """Probability by people, what is registered by the limit, and what that costs."""
    if not found.curve:
        return []
    source = f"{found.replicas:,} noches simuladas; escenario {loaded.scenario.name}"
    limit = length_words(found.goal.within_ms)
    x = [_people(found, one.level) for one in found.curve]
    likely = [found.answer.probability(one.level) * 100 for one in found.curve]
    shares = [one.share_pct for one in found.curve]
    subtitle = f"{loaded.scenario.title} · {found.goal.share_pct:g} % en {limit} · simulado"
    return [
        Chart(
            "dimensionar-probabilidad", "Noches que cumplen, según los capturistas", subtitle, "capturistas",
            "% de las noches",
            [
                Series("cumplen", x, likely, VERMILION, style="step"),
                Series("confianza pedida", x, [found.confidence * 100] * len(x), ORANGE, dash="dash"),
            ],
            time_axis=False, y_max=100, source=source,
        ),
        Chart(
            "dimensionar-registrado", f"Registrado en {limit}, según los capturistas", subtitle,
            "capturistas", "% de las actas esperadas",
            [
                Series("80 % de las noches", x, [one[2] for one in shares], SKY, style="band",
                       low=[one[0] for one in shares]),
                Series("mediana", x, [one[1] for one in shares], BLUE),
            ],
            time_axis=False, y_max=100, source=source,
        ),
        Chart(
            "dimensionar-costo", "Costo de los capturistas y noches que cumplen", subtitle, "% de las noches",
            "costo", [Series("costo", likely, [people * cost for people in x], ORANGE)],
            time_axis=False, source=source,
        ),
    ]  # fmt: skip
