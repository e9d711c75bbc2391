"""What the rules about the publisher and its destinations compute, from what it says of itself.

Pure functions of the facts, as in `watch`. What went out by the ledger is A07, and what is public, A08: here
is why a cut does not go out, that nobody is publishing, and who has not received what went out.
"""

from __future__ import annotations

from collections.abc import Iterator

from control_room.alerts.model import KEEP, Limits, Reading, number_text
from control_room.alerts.watch import PUBLICATION
from control_room.night.facts import DestinationFacts, Facts, Phase, PublisherFacts

CLOSED = "cerrada"
UP_TO_DATE, SILENT = "al_corriente", "sin_respuesta"
DECIDED = frozenset({"detenida"})
"""Alarms that are not told: two persons decided it, and the cuts that do not go out are A07."""
SEVERE = frozenset({"corte_perdido", "sin_ultimo_corte", "servicio"})
"""Alarms of the publisher that are P1; the others are P2."""


def publisher(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A16: the publisher raises an alarm of its own, or says nothing any more."""
    found = facts.publisher
    if found is None:
        yield Reading(PUBLICATION, None, KEEP, "sin publicador.json", "")
        return
    raised, shown, limit = _silence(facts, found, limits)
    alarms = [(key, text) for key, text in found.alarms if key not in DECIDED]
    if alarms:
        worst = 1 if any(key in SEVERE for key, _ in alarms) else 2
        raised = worst if raised is None else min(raised, worst)
        shown = [*shown, *(text for _, text in alarms)]
    if raised is not None:
        yield Reading(PUBLICATION, raised, raised, "; ".join(shown), limit)


def _silence(facts: Facts, found: PublisherFacts, limits: Limits) -> tuple[int | None, list[str], str]:
    """Priority, words and limit of a publisher that stopped writing; nothing out of the operation."""
    age = found.age_s
    if age is None or facts.phase is not Phase.OPEN or found.state == CLOSED or age <= limits["calla_s"]:
        return None, [], ""
    first = age > limits["p1_s"]
    limit = limits["p1_s"] if first else limits["calla_s"]
    return (
        1 if first else 2,
        [f"el publicador no dice nada desde hace {_length(age)}"],
        f"{number_text(limit)} s",
    )


def destinations(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A17: somebody who should have what went out does not, or too few witnesses signed it."""
    found = facts.publisher
    if found is None:
        yield Reading(PUBLICATION, None, KEEP, "sin publicador.json", "")
        return
    late = [one for one in found.destinations if one.state != UP_TO_DATE]
    over = [one for one in late if one.state == SILENT or one.behind_s > limits["atras_s"]]
    few = found.threshold is not None and found.signed < found.threshold
    words = [_behind(one) for one in (over or late)]
    if few:
        words.append(f"firmaron {found.signed} de {found.witnesses} testigos y se piden {found.threshold}")
    if not words:
        return
    raised: int | None = 3 if few else None
    limit = f"{number_text(limits['atras_s'])} s" if late else ""
    if over:
        raised = 2
        if len(late) == len(found.destinations) and min(one.behind_s for one in late) > limits["p1_s"]:
            raised, limit = 1, f"{number_text(limits['p1_s'])} s"
    # One that is late, whatever its time, is not yet right.
    held = min(2 if late else 3, raised or 3)
    yield Reading(PUBLICATION, raised, held, "; ".join(words), limit)


def _behind(one: DestinationFacts) -> str:
    state = "sin respuesta" if one.state == SILENT else "atrasado"
    cuts = f", {one.cuts} {'corte' if one.cuts == 1 else 'cortes'}" if one.cuts else ""
    return f"{one.name} {state} {_length(one.behind_s)}{cuts}"


def _length(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min"
