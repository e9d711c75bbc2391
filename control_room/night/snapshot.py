"""The snapshot of the night: one plain dict with everything the pages show, built once per tick.

`snapshot.schema.json` is its contract. It only puts together what the folds and the alerts say: it reads
no database, no file and no clock, so the same moment gives the same snapshot whoever asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from control_room.alerts.book import CatdAlerts
from control_room.night.facts import CanaryFacts, Facts, Phase
from control_room.night.facts_of import next_cut_ms
from control_room.night.kpis import contests, kpis
from control_room.night.quality import quality
from control_room.night.state import MS_PER_MINUTE, RECENT_MS, NightState
from control_room.night.surroundings import Surroundings

FORMAT = 1
RECENT_CUTS = 12
NOT_CHECKED = "sin_revisar"
HIST_POINTS = 120
RATE_MS = 15 * MS_PER_MINUTE
ETA_FEWEST = 3
"""Actas registered in the last hour below which a CATD's own rate says nothing."""
_STEPS_MIN = (1, 2, 4, 5, 10, 15, 30, 60)


class Alerts(Protocol):
    """What the alert book says of a moment (`alerts.book.AlertView`)."""

    @property
    def alerts(self) -> Sequence[dict[str, Any]]: ...
    @property
    def summary(self) -> Mapping[str, Any]: ...
    @property
    def of_catd(self) -> Mapping[int, CatdAlerts]: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """What the writer says of itself and of the night it watches. `*_real_ms` are of the machine's clock."""

    seq: int
    boot_id: str
    generated_real_ms: int
    tick_s: float
    stale_s: float
    version: str
    mode: str
    title: str
    scenario: str | None
    clock: Mapping[str, Any]
    base_ok: bool = True
    base_error: str | None = None
    base_since_real_ms: int | None = None


def build(
    state: NightState, facts: Facts, view: Alerts, around: Surroundings, frame: Frame
) -> dict[str, Any]:
    """The snapshot of the moment of `facts`."""
    now_ms = facts.now_ms
    catalog = state.catalog
    return {
        "formato": FORMAT,
        "seq": frame.seq,
        "boot_id": frame.boot_id,
        "generado_en": iso(frame.generated_real_ms),
        "generado_real_ms": frame.generated_real_ms,
        "tick_s": frame.tick_s,
        "viejo_s": frame.stale_s,
        "version": frame.version,
        "modo": frame.mode,
        "titulo": frame.title or f"PREP {catalog.entidad.name}",
        "eleccion": catalog.election,
        "entidad": {"id": catalog.entidad.id, "nombre": catalog.entidad.name},
        "escenario": frame.scenario,
        "reloj": dict(frame.clock),
        "fase": facts.phase.value,
        "operacion": {"inicio_ms": state.starts_ms, "fin_ms": state.ends_ms} if state.opened else None,
        "base": {
            "ok": frame.base_ok,
            "error": frame.base_error,
            "desde_real_ms": frame.base_since_real_ms,
            "seq": state.seq,
            "hasta_ms": state.known_ms or None,
        },
        "kpis": kpis(state, facts, around),
        "contiendas": contests(state),
        "catd": _catds(state, facts, view),
        "distritos": _territories(state.distritos, catalog.distritos),
        "municipios": _territories(state.municipios, catalog.municipios),
        "alertas": list(view.alerts),
        "alertas_resumen": dict(view.summary),
        "corte": _cut(state, now_ms, around),
        "publicador": None if around.publisher is None else dict(around.publisher),
        "detencion": {
            "estado": state.hold.state.value,
            "clave": state.hold.key,
            "motivo": state.hold.reason,
            "propuesta_por": state.hold.proposed_by,
            "desde_ms": state.hold.since or None,
        },
        **state.incidents.as_data(now_ms),
        "continuidad": state.continuity.as_data(now_ms),
        "calidad": quality(
            state.quality,
            [(one.id, one.reviewed, one.inconsistent) for one in facts.catds],
            [(key, catalog.contests[key].name, one.registered, one.counted)
             for key, one in state.contests.items()],
        ),
        "pronostico": _forecast(around.forecast),
        "pronostico_motivo": (around.forecast or {}).get("motivo"),
        "hist": _history(state, now_ms, around),
    }  # fmt: skip


def _catds(state: NightState, facts: Facts, view: Alerts) -> list[dict[str, Any]]:
    incidents, measures = state.incidents.of_catd(), state.continuity.of_catd()
    groups, rows = state.catds, []
    for one in facts.catds:
        n = one.id
        alerts = view.of_catd.get(n)
        pulse = state.pulses.get(n)
        place = state.catalog.catds[n]
        status, reason = _status(one.expected, one.received, one.registered, alerts)
        rows.append(
            {
                "id": n,
                "nombre": place.name,
                "distrito": place.distrito,
                "municipio": place.municipio,
                "esperadas": one.expected,
                "acopiadas": one.received,
                "digitalizadas": one.digitized,
                "capturadas": groups.captured[n],
                "verificadas": one.registered,
                "publicadas": groups.published[n],
                "sin_acta": groups.sin_acta[n],
                "estado": status,
                "motivo": reason,
                "latido_ms": one.last_pulse_ms,
                "enlace": one.link_pct,
                "en_enlace": None if pulse is None else pulse.waiting,
                "personal": None if pulse is None else dict(pulse.staff),
                "ultima_ms": one.last_acta_ms,
                "latidos": state.strip(n, facts.now_ms),
                "eta_ms": eta_ms(state, n, facts),
                "alertas": [] if alerts is None else list(alerts.ids),
                "incidentes": incidents.get(n, []),
                "medidas": measures.get(n, []),
            }
        )
    return rows


def _status(expected: int, received: int, registered: int, alerts: CatdAlerts | None) -> tuple[str, str]:
    """State of a CATD and why: its worst alert; otherwise whether it has ended or not begun."""
    if alerts is not None and alerts.ids:
        if alerts.priority is None:
            return "silenciado", alerts.reason
        return f"p{alerts.priority}", alerts.reason
    if registered >= expected:
        return "terminado", ""
    return ("normal", "") if received else ("sin_empezar", "")


def eta_ms(state: NightState, catd: int, facts: Facts) -> int | None:
    """When a CATD would have all its actas registered at its own rate of the last hour, ms UTC.

    A plain extrapolation, not the forecast: None when it has ended, when it registered fewer than
    ETA_FEWEST actas in that hour, or outside the operation.
    """
    pending = state.catds.expected[catd] - state.catds.registered[catd]
    recent = state.registered_recently(catd, facts.now_ms)
    if facts.phase is not Phase.OPEN or not pending or recent < ETA_FEWEST:
        return None
    span = min(RECENT_MS, max(facts.now_ms - state.starts_ms, MS_PER_MINUTE))
    return facts.now_ms + pending * span // recent


def _territories(sums: Mapping[int | None, Sequence[int]], names: Mapping[int, Any]) -> list[list[Any]]:
    return [
        [n, names[n].name if n in names else str(n), *values]
        for n, values in sorted((n, values) for n, values in sums.items() if n is not None)
    ]


def _cut(state: NightState, now_ms: int, around: Surroundings) -> dict[str, Any] | None:
    if not state.opened:
        return None
    last = state.cuts[-1] if state.cuts else None
    due = next_cut_ms(state, around.cut_every_ms)
    refused = state.refused
    return {
        "numero": last.number if last else 0,
        "hora_ms": last.at_ms if last else None,
        "seq_high": last.seq_high if last else 0,
        "manifiesto": last.manifest_sha256 if last else "",
        "actas": last.registered if last else 0,
        "siguiente_ms": due,
        "cada_min": around.cut_every_ms / MS_PER_MINUTE,
        "atraso_s": max(0, (now_ms - due) // 1000) if due is not None else 0,
        "ultimo": last.last if last else False,
        "rechazado": None
        if refused is None
        else {"numero": refused.number, "hora_ms": refused.at_ms, "motivo": refused.reason},
        "canario": _canary(around.canary),
        "recientes": [
            {
                "numero": one.number,
                "hora_ms": one.at_ms,
                "actas": one.registered,
                "manifiesto": one.manifest_sha256,
                "seq_high": one.seq_high,
                "ultimo": one.last,
            }
            for one in state.cuts[-RECENT_CUTS:]
        ],
    }


def _canary(canary: CanaryFacts | None) -> dict[str, Any]:
    if canary is None:
        # Not to have looked is not to have found nothing: so is every moment told again afterwards.
        return {"estado": NOT_CHECKED, "motivo": "", "numero": None, "revisado_real_ms": None}
    return {
        "estado": canary.state.value,
        "motivo": canary.reason,
        "numero": canary.number,
        "revisado_real_ms": canary.checked_real_ms,
    }


def _forecast(forecast: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not forecast or not forecast.get("curva"):
        return None
    return {key: forecast.get(key) for key in ("hecho_ms", "curva", "final_pct", "catd_riesgo")}


def history_instants(starts_ms: int, now_ms: int) -> list[int]:
    """Whole minutes from the opening to now, at the least step that makes at most HIST_POINTS of them."""
    if now_ms < starts_ms:
        return []
    length = (now_ms - starts_ms) // MS_PER_MINUTE
    step = next((one for one in _STEPS_MIN if length // one + 2 <= HIST_POINTS), None)
    if step is None:
        step = length // (HIST_POINTS - 2) + 1
    instants = list(range(starts_ms, now_ms + 1, step * MS_PER_MINUTE))
    return instants if instants[-1] == now_ms else [*instants, now_ms]


def _history(state: NightState, now_ms: int, around: Surroundings) -> dict[str, list[Any]]:
    instants = history_instants(state.starts_ms, min(now_ms, state.ends_ms)) if state.opened else []
    totals = [state.totals_at(ms) for ms in instants]
    plan = around.plan
    return {
        "ms": instants,
        "acopiadas": [one.received for one in totals],
        "digitalizadas": [one.digitized for one in totals],
        "verificadas": [one.registered for one in totals],
        "publicadas": [one.published for one in totals],
        "plan": [None if plan is None else round(plan.progress_at(ms), 2) for ms in instants],
        "ritmo": [_rate(state, ms, one.registered) for ms, one in zip(instants, totals, strict=True)],
        "rezago": [one.backlog for one in totals],
    }


def _rate(state: NightState, ms: int, registered: int) -> float:
    start = max(ms - RATE_MS, state.starts_ms)
    start -= start % MS_PER_MINUTE
    if ms - start < MS_PER_MINUTE:
        return 0.0
    return round((registered - state.totals_at(start).registered) * MS_PER_MINUTE / (ms - start), 2)


def iso(real_ms: int) -> str:
    """A moment of the machine's clock as `generado_en` has it."""
    return (
        datetime.fromtimestamp(real_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
