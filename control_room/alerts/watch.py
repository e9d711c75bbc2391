"""What each rule about the CATDs, the publication and the machine computes; pure functions of the facts.

One function per rule of the catalogue (`rules`), in the order of their codes where they are here. Those of
the state's work (backlog, rate, progress, forecast) are in `flow`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scipy.special import bdtr

from control_room.alerts.model import KEEP, Limits, Place, Reading, Scope, number_text
from control_room.night.facts import CanaryState, CatdFacts, Facts
from control_room.night.quality import binomial_limit

MINUTE = 60_000
PUBLICATION = Place(Scope.PUBLICACION)
PLATFORM = Place(Scope.PLATAFORMA)


def minutes(ms: int) -> str:
    """A length of time as people say it: «9 min», «45 s», «1 h 20 min»."""
    if ms < MINUTE:
        return f"{max(ms, 0) // 1000} s"
    whole = ms // MINUTE
    return f"{whole} min" if whole < 100 else f"{whole // 60} h {whole % 60} min"


def has_work(catd: CatdFacts) -> bool:
    """Whether the CATD still has something to receive or to digitize."""
    return catd.pending > 0 or catd.digitized < catd.received


def silence_ms(facts: Facts, catd: CatdFacts) -> int:
    """How long the CATD has sent no heartbeat; from the start when it never did."""
    return facts.now_ms - (facts.starts_ms if catd.last_pulse_ms is None else catd.last_pulse_ms)


def no_signal(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A01: heartbeats missing. A part of a district at once is P1 from the grace on."""
    if not facts.has_pulses:
        return
    waits = [
        (catd, silence_ms(facts, catd))
        for catd in facts.catds
        if catd.expected > 0 and (catd.pulses_in_a_row < limits["latidos"] or _silent(facts, catd, limits))
    ]
    grace, second, first = (limits[key] * MINUTE for key in ("p3_min", "p2_min", "p1_min"))
    silent = Counter(catd.distrito for catd, wait in waits if wait > grace and has_work(catd))
    size = Counter(catd.distrito for catd in facts.catds if catd.expected > 0)
    for catd, wait in waits:
        if not has_work(catd):
            continue
        raised: int | None = None
        limit = limits["p3_min"]
        if wait > grace:
            raised = 3
            if wait > second:
                raised, limit = 2, limits["p2_min"]
            fellows = silent[catd.distrito]
            whole = (
                catd.distrito is not None
                and fellows >= limits["distrito_catd"]
                and fellows * 100 > limits["distrito_pct"] * size[catd.distrito]
            )
            if wait > first or whole:
                raised, limit = 1, limits["p1_min"] if wait > first else limits["p3_min"]
        shown = f"{minutes(wait)} sin latido", f"{number_text(limit)} min"
        if raised is None and catd.last_pulse_ms is not None:
            shown = _back(wait, catd.pulses_in_a_row, limits["latidos"])
        yield Reading(Place(Scope.CATD, catd.id), raised, KEEP, *shown)


def _back(wait: int, beats: int, wanted: float) -> tuple[str, str]:
    """What is said of a CATD that beats again and whose alert waits for the heartbeats that clear it."""
    left = max(int(wanted) - beats, 1)
    missing = "falta un latido" if left == 1 else f"faltan {left} latidos"
    return f"ya late, el último hace {minutes(wait)}; {missing}", f"{number_text(wanted)} latidos seguidos"


def _silent(facts: Facts, catd: CatdFacts, limits: Limits) -> bool:
    return silence_ms(facts, catd) > limits["p3_min"] * MINUTE


def no_actas(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A02: alive, with actas to come, and nothing comes. Without heartbeats, life is taken for granted."""
    for catd in facts.catds:
        if catd.pending <= 0:
            continue
        if facts.has_pulses and silence_ms(facts, catd) > limits["latido_min"] * MINUTE:
            # Not alive: A01's business. What was told before is neither over nor worse.
            yield Reading(Place(Scope.CATD, catd.id), None, KEEP, "sin latido", "")
            continue
        planned = facts.plan_pct is not None
        gap = catd.planned_gap_ms or 0
        if catd.last_acta_ms is None:
            # Before the first acta only the plan can say that there should have been one.
            since, factor = facts.starts_ms, limits["veces_primera"]
        else:
            since, factor = catd.last_acta_ms, limits["veces"]
        if gap:
            allowed = max(limits["min"] * MINUTE, factor * gap)
        elif planned or catd.last_acta_ms is None:
            allowed = float("inf")
        else:
            allowed = limits["sin_plan_min"] * MINUTE
        wait = facts.now_ms - since
        if wait > allowed:
            yield Reading(
                Place(Scope.CATD, catd.id),
                2,
                2,
                f"{minutes(wait)} sin actas, faltan {catd.pending}",
                minutes(int(allowed)),
            )
        elif wait > limits["min"] * MINUTE:
            # Only an acta ends it: a plan whose gap widens does not.
            yield Reading(Place(Scope.CATD, catd.id), None, KEEP, f"{minutes(wait)} sin actas", "")


def late_cut(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A07: the hour of a cut went by and it is not out, or it was refused."""
    cut = facts.cut
    if cut is None:
        return
    late = 0 if cut.due_ms is None else facts.now_ms - cut.due_ms
    refused = cut.refused_number is not None and cut.refused_number > cut.number
    raised: int | None = None
    limit = limits["p2_s"]
    if late > limits["p1_s"] * 1000:
        raised, limit = 1, limits["p1_s"]
    elif late > limits["p2_s"] * 1000 or refused:
        raised = 2
    if raised is not None or late > 0:
        value = f"{minutes(late)} de atraso" if late > 0 else f"corte {cut.refused_number} rechazado"
        yield Reading(
            PUBLICATION,
            raised,
            KEEP,
            f"{value}; corte {cut.refused_number} rechazado" if refused and late > 0 else value,
            f"{number_text(limit)} s",
        )


def divergence(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A08: what is public is not what was verified, is older, or grows apart although cuts go out."""
    canary = facts.canary
    if canary is not None and canary.state is CanaryState.DIVERGENT:
        yield Reading(
            PUBLICATION, 1, 1, canary.reason or "lo público no es lo verificado", "iguales", sure=True
        )
        return
    cut = facts.cut
    if canary is not None and (
        canary.state is CanaryState.BEHIND
        or (canary.state is CanaryState.NOTHING_PUBLIC and cut is not None and cut.number > 0)
    ):
        wait = facts.now_ms - (facts.now_ms if canary.since_ms is None else canary.since_ms)
        over = wait > limits["atras_s"] * 1000
        shown = canary.reason or "lo público es de un corte anterior"
        yield Reading(
            PUBLICATION,
            1 if over else None,
            KEEP,
            f"{shown}, {minutes(wait)}",
            f"{number_text(limits['atras_s'])} s",
        )
        return
    if cut is not None and cut.at_ms is not None:
        yield from _lag(facts, limits)


def _lag(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """Registered and not published, just after a cut: later in the interval it grows by itself.

    With the hour of the next cut gone by it is A07's business.
    """
    cut = facts.cut
    assert cut is not None and cut.at_ms is not None
    overdue = cut.due_ms is not None and facts.now_ms > cut.due_ms
    if overdue or (facts.now_ms - cut.at_ms) * 2 > cut.every_ms:
        yield Reading(PUBLICATION, None, KEEP, f"{cut.registered_unpublished} actas sin publicar", "")
        return
    allowed = max(limits["cortes"] * cut.registered_per_cut, limits["actas"])
    held = max(cut.registered_per_cut, limits["actas"] / 2)
    raised = 1 if cut.registered_unpublished > allowed else None
    if raised or cut.registered_unpublished > held:
        yield Reading(
            PUBLICATION,
            raised,
            1,
            f"{cut.registered_unpublished} actas registradas sin publicar",
            f"{allowed:.0f} actas",
        )


def inconsistencies(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A09: a CATD with more inconsistent actas than chance explains at the state's share."""
    reviewed = sum(catd.reviewed for catd in facts.catds)
    if not reviewed:
        return
    inconsistent = sum(catd.inconsistent for catd in facts.catds)
    share = inconsistent / reviewed
    for catd in facts.catds:
        if catd.reviewed < limits["n"] or catd.inconsistent * reviewed <= inconsistent * catd.reviewed:
            continue
        # The chance of fewer than those seen: at or over 99 % means more than the 99 % limit.
        below = float(bdtr(catd.inconsistent - 1, catd.reviewed, share)) * 100
        raised = 2 if below >= limits["confianza_pct"] else None
        if raised or below >= limits["despeje_pct"]:
            yield Reading(
                Place(Scope.CATD, catd.id),
                raised,
                2,
                f"{catd.inconsistent} de {catd.reviewed} ({_tenths(catd.inconsistent, catd.reviewed)} %)",
                f"{binomial_limit(catd.reviewed, share, limits['confianza_pct'] / 100)}; el estado va en "
                f"{_tenths(inconsistent, reviewed)} % de las revisadas",
            )


def _tenths(part: int, whole: int) -> str:
    """A percentage with one decimal, truncated as the room truncates all it shows."""
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10}"


def portal(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A10: the public portal seen from outside is slow or fails."""
    probe = facts.portal
    if probe is None or probe.requests < limits["consultas"]:
        yield Reading(PLATFORM, None, KEEP, "sin medición", "")
        return
    slow, fails = probe.p95_ms > limits["p95_ms"], probe.error_share * 100 > limits["errores_pct"]
    if slow or fails:
        yield Reading(
            PLATFORM,
            1,
            1,
            f"p95 {probe.p95_ms:.0f} ms, {probe.error_share * 100:.1f} % con error",
            f"{number_text(limits['p95_ms'])} ms, {number_text(limits['errores_pct'])} %",
        )


def old_snapshot(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A11: the room itself was late; what nobody could tell while it was stopped."""
    age = facts.platform.snapshot_age_s
    if age > limits["vuelve_s"]:
        yield Reading(
            PLATFORM,
            1 if age > limits["vieja_s"] else None,
            1,
            f"instantánea de hace {age:.0f} s",
            f"{number_text(limits['vieja_s'])} s",
            sure=True,
        )


def no_database(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A12: the database does not answer."""
    platform = facts.platform
    if not platform.database_ok:
        since = facts.now_ms if platform.database_since_ms is None else platform.database_since_ms
        yield Reading(PLATFORM, 1, 1, f"{minutes(facts.now_ms - since)} sin respuesta", "que responda")


def disk(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A13: little room left on the disk."""
    free = facts.platform.disk_free_pct
    if free is None:
        yield Reading(PLATFORM, None, KEEP, "sin medición", "")
    elif free < limits["vuelve_pct"]:
        raised = 2 if free < limits["libre_pct"] else None
        yield Reading(PLATFORM, raised, 2, f"{free:.1f} % libre", f"{number_text(limits['libre_pct'])} %")


def clock(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A14: the machine's clock is not the hour."""
    skew = facts.platform.clock_skew_s
    if skew is None:
        yield Reading(PLATFORM, None, KEEP, "sin medición", "")
    elif abs(skew) > limits["vuelve_s"]:
        raised = 2 if abs(skew) > limits["desvio_s"] else None
        yield Reading(PLATFORM, raised, 2, f"{skew:+.1f} s", f"{number_text(limits['desvio_s'])} s")


def budget(activations: int, limits: Limits) -> Reading | None:
    """A15: more alerts than people can attend. It looks at the book, not at the facts."""
    allowed = limits["por_operador"] * limits["operadores"]
    if activations <= allowed:
        return None
    each = activations / limits["operadores"]
    return Reading(
        PLATFORM, 3, 3, f"{each:.1f} alertas por operador en 10 min", number_text(limits["por_operador"])
    )


def nothing(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """The judge of a rule that the book feeds by itself."""
    return iter(())
