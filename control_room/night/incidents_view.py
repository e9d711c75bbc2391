"""The incidents of the night as the room shows them: a fold of the ledger's events.

Pure: it is fed the events of `INCIDENT_KINDS` in the order of the ledger and gives the snapshot's
`incidentes` and `incidentes_resumen`, and what the alert book needs (who has seen which alert, which rules
are silenced). It decides nothing: what may follow what is `core.domain.incidents`. Measures and their
checklists are `continuity_view`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from control_room.night.facts import Ack, Silence

OPEN_STATES = ("abierto", "atendido", "contenido")
"""States in which somebody still has work to do; the rest are `resuelto`, `cerrado` and `fusionado`."""
ENDED_SHOWN = 30
"""Ended incidents (closed or merged) in the snapshot; the whole history is in the log."""
NOTES_SHOWN = 60
"""Entries of the timeline of one incident in the snapshot, the last ones; its measures are apart."""
MS_PER_MINUTE = 60_000

INCIDENT_KINDS = frozenset(
    {
        "incident_opened",
        "incident_attended",
        "incident_assigned",
        "incident_noted",
        "incident_contained",
        "incident_resolved",
        "incident_closed",
        "incident_reopened",
        "incident_merged",
        "measure_applied",
        "alert_acknowledged",
        "alert_silenced",
    }
)
"""Kinds of event `IncidentsView.apply` looks at; any other is passed over."""


@dataclass
class _Incident:
    key: str
    title: str
    kind: str
    cause: str
    catds: list[int]
    alert: str
    opened_ms: int
    opened_by: str
    state: str = "abierto"
    assignee: str = ""
    attended_ms: int | None = None
    contained_ms: int | None = None
    resolved_ms: int | None = None
    closed_ms: int | None = None
    remedy: str = ""
    merged_into: str = ""
    answered_ms: int | None = None
    """When somebody first did something about it, of whatever kind."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)

    def note(self, at: int, actor: str, kind: str, text: str) -> None:
        self.notes.append({"ms": at, "quien": actor, "texto": text, "clase": kind})

    def answered(self, at: int) -> None:
        if self.answered_ms is None:
            self.answered_ms = at


class IncidentsView:
    """Every incident so far. `apply` in the order of the ledger; a sequence already seen changes nothing."""

    def __init__(self) -> None:
        self._incidents: dict[str, _Incident] = {}
        self._acks: dict[str, Ack] = {}
        self._silences: dict[tuple[str, int | None], Silence] = {}
        self._seq = 0

    def apply(self, seq: int, kind: str, at: int, actor: str, data: Mapping[str, Any]) -> None:
        """One event: its sequence, kind, time (ms UTC), who did it and its decoded data."""
        if seq <= self._seq or kind not in INCIDENT_KINDS:
            return
        self._seq = seq
        if kind == "alert_acknowledged":
            self._acks[data["alert"]] = Ack(actor, at, data.get("note", ""))
        elif kind == "alert_silenced":
            rule, catd = data["rule"], data.get("catd")
            # The last word on a rule and a CATD is the one that holds.
            self._silences[rule, catd] = Silence(
                rule, catd, int(data["until"]), actor, data.get("reason", "")
            )
        elif kind == "incident_opened":
            self._open(at, actor, data)
        else:
            incident = self._incidents.get(data.get("incident", ""))
            # A measure may belong to no incident.
            if incident is not None:
                self._follow(incident, kind, at, actor, data)

    def _open(self, at: int, actor: str, data: Mapping[str, Any]) -> None:
        key = data["incident"]
        self._incidents[key] = _Incident(
            key, data["title"], data["kind"], data.get("cause", ""), list(data.get("catds", ())),
            data.get("alert", ""), at, actor,
        )  # fmt: skip
        self._incidents[key].note(at, actor, "estado", "Abrió el incidente")

    def _follow(self, incident: _Incident, kind: str, at: int, actor: str, data: Mapping[str, Any]) -> None:
        if kind == "incident_noted":
            incident.note(at, actor, "nota", data["text"])
            return
        if kind == "incident_assigned":
            incident.assignee = data["assignee"]
            incident.note(at, actor, "asignacion", f"Lo asignó a {data['assignee']}")
            return
        if kind == "incident_attended":
            incident.state, incident.attended_ms = "atendido", at
            # Who attends it has it, unless it was given to somebody.
            incident.assignee = incident.assignee or actor
            incident.note(at, actor, "estado", "Lo atiende")
        elif kind == "incident_contained":
            incident.state, incident.contained_ms = "contenido", at
            incident.note(at, actor, "estado", _with("Contenido", data.get("text", "")))
        elif kind == "incident_resolved":
            incident.state, incident.resolved_ms = "resuelto", at
            incident.remedy = data.get("remedy", "")
            incident.note(at, actor, "estado", _with("Resuelto", incident.remedy))
            return
        elif kind == "incident_closed":
            incident.state, incident.closed_ms = "cerrado", at
            incident.cause = data.get("cause", "") or incident.cause
            incident.note(at, actor, "estado", _with("Cerrado. Causa", data.get("cause", "")))
            return
        elif kind == "incident_reopened":
            # It begins again; who answered it the first time did, and `answered_ms` stays.
            incident.state = "abierto"
            incident.attended_ms = incident.contained_ms = None
            incident.resolved_ms = incident.closed_ms = None
            incident.remedy = ""
            incident.note(at, actor, "estado", _with("Reabierto", data.get("reason", "")))
            return
        elif kind == "incident_merged":
            self._merge(incident, at, actor, data["into"])
            return
        else:
            incident.measures.append(
                {
                    "medida": data["measure"],
                    "autorizo": data["authorised_by"],
                    "ms": int(data["authorised_at"]),
                    "activa_ms": int(data["active_at"]),
                    "efecto": data.get("effect", ""),
                    "catds": list(data.get("catds", ())),
                }
            )
        incident.answered(at)

    def _merge(self, incident: _Incident, at: int, actor: str, into: str) -> None:
        incident.state, incident.merged_into = "fusionado", into
        target = self._incidents.get(into)
        incident.note(at, actor, "estado", f"Fusionado en «{target.title if target else into}»")
        if target is None:
            return
        target.catds = sorted({*target.catds, *incident.catds})
        target.note(at, actor, "estado", f"Se le fusionó «{incident.title}»")

    # -- what it says --------------------------------------------------------------------------

    def as_data(self, now_ms: int) -> dict[str, Any]:
        """`incidentes` (those not ended, then the last ended) and `incidentes_resumen` of the snapshot.

        Open ones come first, the oldest first. MTTA is the mean from opening to the first thing somebody
        did about it (attend, contain, a measure); MTTR from opening to resolution; both in minutes, over
        the incidents that got there and were not merged, None when none did.
        """
        living = [one for one in self._incidents.values() if one.state not in ("cerrado", "fusionado")]
        ended = [one for one in self._incidents.values() if one.state in ("cerrado", "fusionado")]
        living.sort(key=lambda one: (one.state not in OPEN_STATES, one.opened_ms))
        ended.sort(key=lambda one: one.notes[-1]["ms"], reverse=True)
        counted = [one for one in self._incidents.values() if one.state != "fusionado"]
        return {
            "incidentes": [_as_data(one) for one in (*living, *ended[:ENDED_SHOWN])],
            "incidentes_resumen": {
                "abiertos": sum(one.state in OPEN_STATES for one in self._incidents.values()),
                "mtta_min": _mean_min((one.opened_ms, one.answered_ms) for one in counted),
                "mttr_min": _mean_min((one.opened_ms, one.resolved_ms) for one in counted),
            },
        }

    def acks(self) -> Mapping[str, Ack]:
        """The last acknowledgement of each alert; one older than the alert's present raise does not count."""
        return self._acks

    def silences(self, now_ms: int | None = None) -> Sequence[Silence]:
        """The silences, the last of each rule and CATD; with `now_ms`, only those still in force."""
        return [one for one in self._silences.values() if now_ms is None or one.until_ms > now_ms]

    def of_catd(self) -> dict[int, list[str]]:
        """Keys of the incidents being worked on, by CATD they touch."""
        found: dict[int, list[str]] = {}
        for one in self._incidents.values():
            if one.state in OPEN_STATES:
                for catd in one.catds:
                    found.setdefault(catd, []).append(one.key)
        return found

    def of_alert(self) -> dict[str, str]:
        """The incident being worked on that was opened from each alert."""
        return {
            one.alert: one.key for one in self._incidents.values() if one.alert and one.state in OPEN_STATES
        }


def _with(word: str, text: str) -> str:
    return f"{word}: {text}" if text else word


def _mean_min(spans: Iterable[tuple[int, int | None]]) -> float | None:
    lengths = [end - start for start, end in spans if end is not None]
    return round(sum(lengths) / len(lengths) / MS_PER_MINUTE, 1) if lengths else None


def _as_data(one: _Incident) -> dict[str, Any]:
    return {
        "clave": one.key,
        "titulo": one.title,
        "tipo": one.kind,
        "causa": one.cause,
        "estado": one.state,
        "catds": one.catds,
        "alerta": one.alert or None,
        "asignado": one.assignee or None,
        "abierto_ms": one.opened_ms,
        "abierto_por": one.opened_by,
        "respondido_ms": one.answered_ms,
        "atendido_ms": one.attended_ms,
        "contenido_ms": one.contained_ms,
        "resuelto_ms": one.resolved_ms,
        "cerrado_ms": one.closed_ms,
        "remedio": one.remedy,
        "fusionado_en": one.merged_into or None,
        "notas": one.notes[-NOTES_SHOWN:],
        "medidas": one.measures,
    }
