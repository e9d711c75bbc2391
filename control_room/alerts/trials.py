"""The faults with which each alert is tried, and what resembles them and must raise nothing.

Data for `detection`: the nights (overlays of scenarios/alertas on simulacro-5) and, for what the simulator
does not produce, changes put over the facts of the quiet one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from control_room.alerts.detection import MINUTE, ROOM_STEP_MS, Change, Trial
from control_room.night.facts import (
    CatdFacts,
    DestinationFacts,
    Facts,
    ProbeFacts,
    PublisherFacts,
)


def _platform(**values: Any) -> Change:
    return lambda one, _: replace(one, platform=replace(one.platform, **values))


def _gone_for(ms: int) -> Change:
    """A database that does not answer for a while."""

    def change(one: Facts, since: int) -> Facts:
        return one if since >= ms else _platform(database_ok=False)(one, since)

    return change


def _late_turn(seconds: float) -> Change:
    """One turn that comes late."""

    def change(one: Facts, since: int) -> Facts:
        return one if since else _platform(snapshot_age_s=seconds)(one, since)

    return change


def _ends(minutes: int) -> Change:
    """Forecasts of which nine in ten end some minutes from the close."""
    return lambda one, _: replace(one, eta_p90_ms=one.ends_ms + minutes * MINUTE)


def _portal(p95_ms: float, share: float) -> Change:
    return lambda one, _: replace(one, portal=ProbeFacts(p95_ms, share, 30))


AT_WORK = PublisherFacts("esperando", 2.0, destinations=(DestinationFacts("difusor", "al_corriente"),))
"""A publisher to which nothing happens."""


def _publisher(**values: Any) -> Change:
    return lambda one, _: replace(one, publisher=replace(AT_WORK, **values))


def _quiet_for(most_s: float) -> Change:
    """A publisher that stops writing its file, until it is so old."""
    return lambda one, since: replace(one, publisher=replace(AT_WORK, age_s=min(2.0 + since / 1000, most_s)))


def _behind_for(most_s: int, state: str = "atrasado") -> Change:
    """A destination that falls behind while another does not, until it is so late."""

    def change(one: Facts, since: int) -> Facts:
        behind = min(since // 1000, most_s)
        late = DestinationFacts("respaldo", state if since < most_s * 1000 else "al_corriente", behind, 1)
        return replace(one, publisher=replace(AT_WORK, destinations=(*AT_WORK.destinations, late)))

    return change


def _one_in(catd: int, every: int) -> Change:
    """From the fault on, one in so many of the actas verified in a CATD is inconsistent."""
    before = 0

    def bad(row: CatdFacts, since: int) -> CatdFacts:
        nonlocal before
        if not since:
            before = row.reviewed
        return replace(row, inconsistent=row.inconsistent + (row.reviewed - before) // every)

    def change(one: Facts, since: int) -> Facts:
        return replace(one, catds=tuple(bad(row, since) if row.id == catd else row for row in one.catds))

    return change


NIGHTS: dict[str, tuple[str, ...]] = {
    "fallas": ("a01-sin-senal", "a02-sin-actas", "a07-cortes-detenidos"),
    "captura": ("a03-captura-sin-luz",),
    "tranquila": ("a01-parpadeo", "a02-menos-gente", "a03-con-planta", "a07-entre-cortes"),
}
"""What is laid over simulacro-5 (with `GROUND`) in each night, from scenarios/alertas."""

GROUND = ("sin-fallas", "con-gente")
QUIET = "tranquila"
BUSY_CATD = 40
DARK_CATD = 118
"""One of the ten of the district left without light."""


def _over(
    rule: str, fault: str, not_fault: str, change: Change, calm: Change, catd: int | None = None
) -> Trial:
    """A trial put over the facts of the quiet night."""
    return Trial(rule, fault, not_fault, QUIET, 200, catd, change, calm)


TRIALS: tuple[Trial, ...] = (
    Trial("A01", "un CATD sin enlace", "enlaces que parpadean dos minutos", "fallas", 150, BUSY_CATD),
    Trial(
        "A01",
        "un distrito de diez CATD sin luz",
        "enlaces que parpadean dos minutos",
        "fallas",
        200,
        DARK_CATD,
    ),
    Trial(
        "A02",
        "se va toda la gente de un CATD grande",
        "se va una persona de cada puesto",
        "fallas",
        240,
        BUSY_CATD,
    ),
    Trial("A03", "el centro de captura sin luz", "con la planta se captura a los 2 min", "captura", 240),
    Trial("A04", "el centro de captura sin luz", "con la planta se captura a los 2 min", "captura", 240),
    Trial("A05", "el centro de captura sin luz", "con la planta se captura a los 2 min", "captura", 240),
    _over(
        "A06", "p90 diez minutos después del cierre", "p90 un minuto antes del cierre", _ends(10), _ends(-1)
    ),
    Trial(
        "A07", "no sale el corte de los 100 minutos", "la publicación para entre dos cortes", "fallas", 100
    ),
    _over(
        "A09",
        "una de cada cuatro actas de un CATD grande, inconsistente",
        "ese CATD como es",
        _one_in(BUSY_CATD, 4),
        _one_in(BUSY_CATD, 100_000),
        BUSY_CATD,
    ),
    _over("A10", "p95 de 1.5 s", "p95 de 0.9 s", _portal(1500, 0), _portal(900, 0)),
    _over("A11", "un turno llega 15 s tarde", "un turno llega 9 s tarde", _late_turn(15), _late_turn(9)),
    _over(
        "A12",
        "la base no responde",
        "no responde en un solo turno",
        _gone_for(600_000),
        _gone_for(ROOM_STEP_MS),
    ),
    _over(
        "A13",
        "queda libre 10 % del disco",
        "queda libre 16 %",
        _platform(disk_free_pct=10.0),
        _platform(disk_free_pct=16.0),
    ),
    _over(
        "A14",
        "el reloj se va 5 s",
        "el reloj se va 1.9 s",
        _platform(clock_skew_s=5.0),
        _platform(clock_skew_s=1.9),
    ),
    _over(
        "A16",
        "el publicador deja de escribir",
        "escribe cada 20 s",
        _quiet_for(100_000),
        _quiet_for(20),
    ),
    _over(
        "A16",
        "un corte que no pasa su comprobación",
        "la publicación detenida por dos personas",
        _publisher(alarms=(("corte_fallido", "El corte de las 20:00 no salió: no es JSON"),)),
        _publisher(state="detenida", alarms=(("detenida", "Publicación detenida por dos personas"),)),
    ),
    _over(
        "A17",
        "un destino se queda atrás",
        "recibe lo nuevo a los 40 s",
        _behind_for(100_000),
        _behind_for(40),
    ),
    _over(
        "A17",
        "firma 1 testigo de 3 y se piden 2",
        "firman 2 de 3",
        _publisher(witnesses=3, signed=1, threshold=2),
        _publisher(witnesses=3, signed=2, threshold=2),
    ),
)
"""One or more for each rule that looks at facts; A08 is measured with a real publication, A15 with tests."""

LONGEST_S = {
    "A01": 240, "A02": 1200, "A03": 600, "A04": 900, "A05": 1500, "A06": 240, "A07": 120, "A09": 2000,
    "A10": 10, "A11": 2, "A12": 10, "A13": 90, "A14": 90, "A16": 60, "A17": 150,
}  # fmt: skip
"""Seconds in which a fault of each rule must be told: its limit and delay, and what it needs to see."""
WINDOW_MIN = 40
"""How long a fault put over the facts is looked at."""
