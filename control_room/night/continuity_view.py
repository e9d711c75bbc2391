"""The continuity plan as it is being used: a fold of the ledger's proposals, activations and steps.

Pure. It gives the snapshot's `continuidad`: every activation with its two persons, its timer and its
checklist, the distritos that have the plan on, and what comes next at each CATD with an incident. What the
plan offers is `continuity_plan`; what may follow what is `core.domain.continuity`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control_room.night.continuity_plan import ContinuityPlan

ENDED_SHOWN = 30
"""Activations that ended in the snapshot, the last ones."""
EXERCISE = "ejercicio"
"""Kind of the incident under which the plan is exercised on purpose."""

CONTINUITY_KINDS = frozenset(
    {
        "incident_opened",
        "incident_resolved",
        "incident_reopened",
        "incident_merged",
        "measure_proposed",
        "measure_authorised",
        "measure_applied",
        "measure_dismissed",
        "measure_step_done",
        "measure_ended",
    }
)
"""Kinds of event `ContinuityView.apply` looks at; any other is passed over."""


@dataclass
class _Activation:
    key: str
    incident: str
    measure: str
    catds: list[int]
    effect: str
    steps: list[dict[str, Any]]
    proposed_by: str | None = None
    proposed_ms: int | None = None
    authorised_by: str | None = None
    authorised_ms: int | None = None
    active_ms: int | None = None
    state: str = "propuesta"
    ended_ms: int | None = None
    reason: str = ""


@dataclass
class _Failure:
    """An incident as the plan sees it: what it is of and where."""

    kind: str
    catds: list[int]
    open: bool = True


@dataclass
class ContinuityView:
    """Every activation so far. `distrito_of` gives the distrito of each CATD of the catalogue.

    A measure the engine recorded without a proposal (those of the simulator) has no steps, and ends when
    its incident is resolved; one that belongs to no incident is done once and ends as it begins.
    """

    distrito_of: Mapping[int, int | None]
    plan: ContinuityPlan = field(default_factory=ContinuityPlan)
    _activations: dict[str, _Activation] = field(default_factory=dict)
    _failures: dict[str, _Failure] = field(default_factory=dict)
    _authorised: tuple[int, str] = (-1, "")
    """Sequence and activation of the last authorisation: what it applied is the event after it."""
    _seq: int = 0

    def apply(self, seq: int, kind: str, at: int, actor: str, data: Mapping[str, Any]) -> None:
        """One event: its sequence, kind, time (ms UTC), who did it and its decoded data."""
        if seq <= self._seq or kind not in CONTINUITY_KINDS:
            return
        self._seq = seq
        if kind == "incident_opened":
            self._failures[data["incident"]] = _Failure(data["kind"], list(data.get("catds", ())))
        elif kind == "incident_resolved":
            self._reopen(data["incident"], False)
            self._end_with(data["incident"], at)
        elif kind == "incident_reopened":
            self._reopen(data["incident"], True)
        elif kind == "incident_merged":
            self._move(data["incident"], data["into"])
        elif kind == "measure_proposed":
            self._activations[data["activation"]] = _Activation(
                data["activation"], data.get("incident", ""), data["measure"], list(data.get("catds", ())),
                data.get("effect", ""), [{"texto": text, "por": None, "ms": None} for text in data["steps"]],
                proposed_by=actor, proposed_ms=at,
            )  # fmt: skip
        elif kind == "measure_applied":
            self._apply(seq, at, data)
        else:
            activation = self._activations.get(data["activation"])
            if activation is not None:
                self._follow(activation, seq, kind, at, actor, data)

    def _apply(self, seq: int, at: int, data: Mapping[str, Any]) -> None:
        if self._authorised[0] == seq - 1:
            activation = self._activations[self._authorised[1]]
            activation.effect = data.get("effect", "") or activation.effect
            return
        once = not data.get("incident")
        key = f"medida-{seq}"
        self._activations[key] = _Activation(
            key, data.get("incident", ""), data["measure"], list(data.get("catds", ())),
            data.get("effect", ""), [], authorised_by=data["authorised_by"],
            authorised_ms=int(data["authorised_at"]), active_ms=int(data["active_at"]),
            state="terminada" if once else "activa", ended_ms=int(data["active_at"]) if once else None,
        )  # fmt: skip

    def _follow(
        self, activation: _Activation, seq: int, kind: str, at: int, actor: str, data: Mapping[str, Any]
    ) -> None:
        if kind == "measure_authorised":
            activation.state, activation.active_ms = "activa", int(data["active_at"])
            activation.authorised_by, activation.authorised_ms = actor, at
            self._authorised = (seq, activation.key)
        elif kind == "measure_step_done":
            step = int(data["step"])
            if 0 <= step < len(activation.steps):
                activation.steps[step].update(por=actor, ms=at)
                if data.get("note"):
                    activation.steps[step]["nota"] = data["note"]
        else:
            activation.state = "descartada" if kind == "measure_dismissed" else "terminada"
            activation.ended_ms, activation.reason = at, data.get("reason", "")

    def _end_with(self, incident: str, at: int) -> None:
        for one in self._activations.values():
            if one.incident == incident and one.state == "activa" and one.proposed_by is None:
                one.state, one.ended_ms = "terminada", at

    def _reopen(self, incident: str, is_open: bool) -> None:
        if incident in self._failures:
            self._failures[incident].open = is_open

    def _move(self, incident: str, into: str) -> None:
        if incident in self._failures and into in self._failures:
            self._failures[incident].open = False
            target = self._failures[into]
            target.catds = sorted({*target.catds, *self._failures[incident].catds})
        for one in self._activations.values():
            if one.incident == incident:
                one.incident = into

    # -- what it says --------------------------------------------------------------------------

    def as_data(self, now_ms: int) -> dict[str, Any]:
        """`continuidad` of the snapshot: `activaciones`, `distritos_activos` and `siguientes`.

        `siguientes` are rows [catd, incident, keys of the plan's next measures] of incidents not resolved, by
        CATD; what follows from a failure goes before what follows from an exercise.

        Those that wait for a second person come first, then the active ones, then the last that ended. A
        distrito has the plan on when an exercise runs in it, or when a measure works at half of its CATDs
        or more: one router restarted is not the plan of a distrito.
        """
        order = {"propuesta": 0, "activa": 1}
        living = [one for one in self._activations.values() if one.state in order]
        living.sort(key=lambda one: (order[one.state], one.proposed_ms or one.authorised_ms or 0))
        ended = [one for one in self._activations.values() if one.state not in order]
        ended.sort(key=lambda one: one.ended_ms or 0, reverse=True)
        return {
            "activaciones": [_as_data(one) for one in (*living, *ended[:ENDED_SHOWN])],
            "distritos_activos": self._distritos(now_ms),
            "siguientes": self._next(),
        }

    def of_catd(self) -> dict[int, list[str]]:
        """Keys of the activations proposed or active, by CATD they touch."""
        found: dict[int, list[str]] = {}
        for one in self._activations.values():
            if one.state in ("propuesta", "activa"):
                for catd in one.catds:
                    found.setdefault(catd, []).append(one.key)
        return found

    def _next(self) -> list[list[Any]]:
        used: dict[tuple[str, int], set[str]] = {}
        for one in self._activations.values():
            for catd in one.catds:
                used.setdefault((one.incident, catd), set()).add(one.measure)
        rows: list[list[Any]] = []
        for key, failure in self._failures.items():
            for catd in failure.catds if failure.open else ():
                ladder = self.plan.next_at(
                    catd, self.distrito_of.get(catd), failure.kind, used.get((key, catd), set())
                )
                if ladder:
                    rows.append([catd, key, [one.key for one in ladder]])
        return sorted(rows, key=lambda row: (row[0], self._failures[row[1]].kind == EXERCISE, row[1]))

    def _distritos(self, now_ms: int) -> list[int]:
        working: set[int] = set()
        active: set[int] = set()
        for one in self._activations.values():
            if one.state == "activa" and (one.active_ms or 0) <= now_ms:
                working.update(one.catds)
                failure = self._failures.get(one.incident)
                if failure is not None and failure.kind == EXERCISE:
                    active.update(d for catd in one.catds if (d := self.distrito_of.get(catd)) is not None)
        all_of = Counter(distrito for distrito in self.distrito_of.values() if distrito is not None)
        at_work = Counter(self.distrito_of.get(catd) for catd in working)
        active.update(d for d, total in all_of.items() if 2 * at_work[d] >= total)
        return sorted(active)


def _as_data(one: _Activation) -> dict[str, Any]:
    return {
        "clave": one.key,
        "incidente": one.incident or None,
        "medida": one.measure,
        "catds": one.catds,
        "propuesta_por": one.proposed_by,
        "propuesta_ms": one.proposed_ms,
        "autorizada_por": one.authorised_by,
        "autorizada_ms": one.authorised_ms,
        "activa_ms": one.active_ms,
        "efecto": one.effect,
        "pasos": one.steps,
        "estado": one.state,
        "terminada_ms": one.ended_ms,
        "motivo": one.reason,
    }
