"""The book of alerts: takes the facts of each turn and says which alerts there are, told as lines.

It joins the rules (`rules`), the life of each alert (`track`) and their grouping (`grouping`) with what
people did: acknowledge and silence. No clock, no files, no database: the same turns give the same lines, and
`dump`/`load` carry it over a restart. It does not write the log: it hands over the transitions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from control_room.alerts import watch
from control_room.alerts.grouping import CatdPlace, inhibited, line_places, title
from control_room.alerts.model import Place, Reading, Rule, Scope
from control_room.alerts.rules import RULE, RULES
from control_room.alerts.thresholds import Thresholds
from control_room.alerts.track import NORMAL, Track, ack_data, ack_from
from control_room.night.facts import Ack, Facts, Silence

__all__ = ["AlertBook", "AlertView", "CatdAlerts", "CatdPlace"]

FORMAT = 1
BUDGET_RULE = "A15"
WINDOW_MS = 600_000
NAMES_SHOWN = 8

ACTIVE = "activa"
ACKNOWLEDGED = "reconocida"
SILENCED = "silenciada"


class CatdAlerts(NamedTuple):
    """What one CATD has: its worst priority (None when all it has is silenced), why, and the lines' ids."""

    priority: int | None
    reason: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertView:
    """What the room shows after one turn: `alertas`, `alertas_resumen` and what changed.

    Each transition is a row of the room's alert log (`ms`, `alerta`, `regla`, `prioridad`, `que`, `detalle`,
    `catds`); `que` is activa, sube, baja, reconocida, silenciada, vence_silencio, agrupada (it is told in
    another line from here on), inhibida or despejada.
    """

    alerts: list[dict[str, Any]]
    summary: dict[str, Any]
    transitions: list[dict[str, Any]]
    of_catd: Mapping[int, CatdAlerts]


@dataclass(slots=True)
class _Line:
    """One line as it was last told: the alerts in it by place, and who acknowledged it.

    `ack_size` is the fewest alerts it had since it was acknowledged and `ack_priority` how severe it was.
    """

    rule: str
    members: tuple[Place, ...]
    since_ms: int
    priority: int
    state: str = ACTIVE
    ack: Ack | None = None
    ack_size: int = 0
    ack_priority: int = NORMAL

    def catds(self) -> tuple[int, ...]:
        """Ids of the CATDs in it; empty for what is not of CATDs."""
        return tuple(place.id or 0 for place in self.members if place.scope is Scope.CATD)

    def dump(self) -> list[Any]:
        """All of it as JSON data."""
        members = [[place.scope.value, place.id] for place in self.members]
        ack = [ack_data(self.ack), self.ack_size, self.ack_priority]
        return [self.rule, members, self.since_ms, self.priority, self.state, *ack]

    @classmethod
    def load(cls, data: list[Any]) -> _Line:
        """The inverse of `dump`."""
        rule, members, since, priority, state, ack, size, acked = data
        places = tuple(Place(Scope(scope), number) for scope, number in members)
        return cls(rule, places, since, priority, state, ack_from(ack), size, acked)


@dataclass(slots=True)
class AlertBook:
    """All the alerts of a night.

    Args:
        thresholds: the limits in force.
        catds: every CATD of the state with its name and district.
    """

    thresholds: Thresholds
    catds: Mapping[int, CatdPlace]
    _tracks: dict[tuple[str, Place], Track] = field(default_factory=dict)
    _lines: dict[str, _Line] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    _activations: list[int] = field(default_factory=list)
    _now_ms: int = 0

    def step(
        self,
        facts: Facts,
        acknowledged: Mapping[str, Ack],
        silences: Sequence[Silence],
        incidents: Mapping[str, str] | None = None,
    ) -> AlertView:
        """One turn: look at the facts and say what there is.

        Args:
            acknowledged: the last acknowledgement of each alert id of the night; each counts once, for what
                was told under that id when it is first seen.
            silences: those in force and past ones.
            incidents: key of the open incident of each alert id, to show.
        """
        now = self._now_ms = max(self._now_ms, facts.now_ms)
        acks = {alert: ack for alert, ack in acknowledged.items() if self._seen.get(alert) != ack.at_ms}
        self._seen.update({alert: ack.at_ms for alert, ack in acks.items()})
        for track in self._tracks.values():
            for alert in (track.line, track.id):
                if track.active and alert in acks:
                    track.ack = acks[alert]
        self._activations = [at for at in self._activations if at > now - WINDOW_MS]
        for rule in RULES:
            self._look(rule, facts, now)
        told, hidden = self._tell(now, silences)
        transitions = self._change(told, hidden, acks, now, silences)
        return self._view(told, hidden, transitions, incidents or {}, silences)

    # What the rules say.

    def _look(self, rule: Rule, facts: Facts, now: int) -> None:
        mine = {place: track for (code, place), track in self._tracks.items() if code == rule.code}
        if rule.code in self.thresholds.off or facts.phase not in rule.phases:
            for place in mine:
                del self._tracks[rule.code, place]
            return
        if rule.ledger and not facts.platform.database_ok:
            for track in mine.values():
                track.forget_timers()
            return
        limits = self.thresholds.rules[rule.code]
        said: dict[Place, Reading] = {}
        if rule.code == BUDGET_RULE:
            over = watch.budget(len(self._activations), limits)
            said = {} if over is None else {over.place: over}
        else:
            said = {reading.place: reading for reading in rule.judge(facts, limits)}
        delay, back = self.thresholds.delay_ms(rule.code), self.thresholds.clear_delay_ms(rule.code)
        looks = int(self.thresholds.general["miradas"])
        for place in sorted(
            {*mine, *(place for place, one in said.items() if one.raised is not None)}, key=_order
        ):
            track = mine.get(place) or Track(rule.code, place)
            track.look(said.get(place), now, delay, back, looks)
            if track.idle:
                self._tracks.pop((rule.code, place), None)
            else:
                self._tracks[rule.code, place] = track

    # How it is told.

    def _tell(self, now: int, silences: Sequence[Silence]) -> tuple[dict[str, list[Track]], list[Track]]:
        """The alerts of each line by its id, and those that only say again what another one says."""
        told: dict[str, list[Track]] = {}
        hidden: list[Track] = []
        silent = frozenset(
            place.id or 0 for (code, place), track in self._tracks.items() if code == "A01" and track.active
        )
        for rule in RULES:
            shown: list[Track] = []
            for (code, place), track in self._tracks.items():
                if code == rule.code and track.active:
                    again = inhibited(code, place, silent, len(self.catds), self.thresholds.general)
                    (hidden if again else shown).append(track)
            told.update(self._group(rule, shown, now, silences))
        for alert, tracks in told.items():
            for track in tracks:
                track.line = alert
        for track in hidden:
            track.line = ""
        return told, hidden

    def _group(
        self, rule: Rule, shown: list[Track], now: int, silences: Sequence[Silence]
    ) -> dict[str, list[Track]]:
        if rule.scope is not Scope.CATD:
            return {track.id: [track] for track in shown}
        groups: dict[Place, list[Track]] = defaultdict(list)
        open_lines = frozenset(
            _line_place(alert) for alert, line in self._lines.items() if line.rule == rule.code
        )
        places = line_places(
            (track.place.id or 0 for track in shown),
            self.catds,
            open_lines,
            self.thresholds.general,
        )
        for track in sorted(shown, key=lambda one: _order(one.place)):
            groups[places[track.place.id or 0]].append(track)
        lines: dict[str, list[Track]] = {}
        for place, members in groups.items():
            heard = [track for track in members if not _silenced(track, now, silences)]
            if heard and len(heard) < len(members):
                for track in members:
                    if track not in heard:
                        lines[track.id] = [track]
                members = heard
            lines[f"{rule.code}:{place.key}"] = members
        return lines

    # What changed since the last turn.

    def _change(
        self,
        told: Mapping[str, list[Track]],
        hidden: Sequence[Track],
        acks: Mapping[str, Ack],
        now: int,
        silences: Sequence[Silence],
    ) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = []
        before, self._lines = self._lines, {}
        for alert, tracks in told.items():
            old = before.get(alert)
            line = self._line(tracks, old, acks.get(alert))
            if all(_silenced(track, now, silences) for track in tracks):
                line.state = SILENCED
            else:
                line.state = ACTIVE if line.ack is None else ACKNOWLEDGED
            self._lines[alert] = line
            changes += [self._transition(alert, line, what, now) for what in _changes(old, line)]
            if line.state == ACTIVE and (old is None or old.state != ACTIVE) and line.rule != BUDGET_RULE:
                self._activations.append(now)
        unseen = {track.id for track in hidden}
        elsewhere = {track.id for tracks in told.values() for track in tracks}
        for alert, old in before.items():
            if alert not in told:
                members = {f"{old.rule}:{place.key}" for place in old.members}
                what = "agrupada" if members & elsewhere else "inhibida" if members & unseen else "despejada"
                changes.append(self._transition(alert, old, what, now))
        return changes

    def _line(self, tracks: list[Track], old: _Line | None, ack: Ack | None) -> _Line:
        priority, size = min(track.priority for track in tracks), len(tracks)
        rule, members = tracks[0].rule, tuple(track.place for track in tracks)
        if old is None:
            line = _Line(rule, members, min(track.since_ms for track in tracks), priority)
            ack = ack or _inherited(tracks)
        else:
            line = replace(old, members=members, priority=priority)
            line.ack_size = min(line.ack_size, size)
            grown = max(2 * line.ack_size, line.ack_size + int(self.thresholds.general["agrupa_catd"]))
            if priority < line.ack_priority or size >= grown or self._new_district(tracks):
                # What was acknowledged was less than this.
                line.ack = None
        if ack is not None:
            line.ack, line.ack_size, line.ack_priority = ack, size, priority
        return line

    def _new_district(self, tracks: Sequence[Track]) -> bool:
        """Whether a district nobody acknowledged is now a storm of its own within a line of the state."""
        seen: set[int | None] = set()
        fresh: Counter[int | None] = Counter()
        for track in tracks:
            found = self.catds.get(track.place.id or 0) if track.place.scope is Scope.CATD else None
            if found is None:
                continue
            district = found.distrito
            if track.ack is None:
                fresh[district] += 1
            else:
                seen.add(district)
        least = self.thresholds.general["agrupa_catd"]
        return bool(seen) and any(count >= least for district, count in fresh.items() if district not in seen)

    def _recent(self, tracks: Sequence[Track]) -> str:
        """«Recién: distrito 15 (7 CATD). » of a line of the state; empty when no district of it is new."""
        since: dict[int, list[int]] = defaultdict(list)
        for track in tracks:
            found = self.catds.get(track.place.id or 0) if track.place.scope is Scope.CATD else None
            if found is not None and found.distrito is not None:
                since[found.distrito].append(track.since_ms)
        least = self.thresholds.general["agrupa_catd"]
        new = [
            f"distrito {district} ({len(times)} CATD)"
            for district, times in sorted(since.items())
            if len(times) >= least and min(times) > self._now_ms - WINDOW_MS
        ]
        return f"Recién: {', '.join(new)}. " if new and len(since) > len(new) else ""

    def _transition(self, alert: str, line: _Line, what: str, now: int) -> dict[str, Any]:
        return {
            "ms": now,
            "alerta": alert,
            "regla": line.rule,
            "prioridad": line.priority,
            "que": what,
            "detalle": self._title(alert, line),
            "catds": list(line.catds()),
        }

    # What is shown.

    def _title(self, alert: str, line: _Line) -> str:
        return title(RULE[line.rule], _line_place(alert), line.catds(), self.catds)

    def _view(
        self,
        told: Mapping[str, list[Track]],
        hidden: Sequence[Track],
        transitions: list[dict[str, Any]],
        incidents: Mapping[str, str],
        silences: Sequence[Silence],
    ) -> AlertView:
        rows: list[dict[str, Any]] = []
        of_catd: dict[int, list[tuple[int, Track, str]]] = defaultdict(list)
        for alert, line in self._lines.items():
            # One that is over and only waits to be cleared is not the worst of its line.
            worst = min(told[alert], key=lambda track: (track.priority, not track.rising, track.since_ms))
            place = _line_place(alert)
            rows.append(
                {
                    "id": alert,
                    "regla": line.rule,
                    "prioridad": line.priority,
                    "titulo": self._title(alert, line),
                    "detalle": self._recent(told[alert]) + self._detail(line, worst),
                    "ambito": {"tipo": place.scope.value, "id": place.id},
                    "catds": list(line.catds()),
                    "desde_ms": line.since_ms,
                    "estado": line.state,
                    "por": None if line.ack is None else line.ack.by,
                    "reconocida_ms": None if line.ack is None else line.ack.at_ms,
                    "incidente": incidents.get(alert),
                    "valor": worst.value,
                    "umbral": worst.limit,
                }
            )
            silence = _silence_of(worst, self._now_ms, silences)
            if line.state == SILENCED and silence is not None:
                rows[-1]["silencio"] = {
                    "por": silence.by, "motivo": silence.reason, "hasta_ms": silence.until_ms
                }  # fmt: skip
            for track in told[alert]:
                if track.place.scope is Scope.CATD:
                    shown = NORMAL if line.state == SILENCED else track.priority
                    of_catd[track.place.id or 0].append((shown, track, alert))
        rows.sort(key=lambda row: (row["estado"] == SILENCED, row["prioridad"], row["desde_ms"], row["id"]))
        return AlertView(rows, self._summary(rows, len(hidden)), transitions, _by_catd(of_catd))

    def _detail(self, line: _Line, worst: Track) -> str:
        working = worst.value + (f" (límite: {worst.limit})" if worst.limit else "")
        ids = line.catds()
        if len(ids) < 2:
            return working
        names = [self.catds[one].name if one in self.catds else f"CATD {one}" for one in ids[:NAMES_SHOWN]]
        rest = f" y {len(ids) - NAMES_SHOWN} más" if len(ids) > NAMES_SHOWN else ""
        return f"{', '.join(names)}{rest}; la peor: {working}"

    def _summary(self, rows: Sequence[Mapping[str, Any]], hidden: int) -> dict[str, Any]:
        heard = [row["prioridad"] for row in rows if row["estado"] != SILENCED]
        limits = self.thresholds.rules[BUDGET_RULE]
        return {
            "p1": heard.count(1),
            "p2": heard.count(2),
            "p3": heard.count(3),
            "silenciadas": len(rows) - len(heard),
            "inhibidas": hidden,
            "por_10_min": round(len(self._activations) / limits["operadores"], 1),
            "presupuesto": limits["por_operador"],
        }

    # Over a restart.

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as JSON data; the limits and the CATDs are not part of it."""
        return {
            "formato": FORMAT,
            "ahora_ms": self._now_ms,
            "alertas": [track.dump() for _, track in sorted(self._tracks.items(), key=lambda one: one[1].id)],
            "lineas": {alert: line.dump() for alert, line in self._lines.items()},
            "acuses": dict(self._seen),
            "activaciones": list(self._activations),
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Take up from a dump; one of another format is left aside, and the night begins with no memory."""
        if data.get("formato") != FORMAT:
            return
        tracks = [Track.load(one) for one in data["alertas"]]
        self._tracks = {(track.rule, track.place): track for track in tracks if track.rule in RULE}
        lines = {alert: _Line.load(one) for alert, one in data["lineas"].items()}
        self._lines = {alert: line for alert, line in lines.items() if line.rule in RULE}
        self._seen = dict(data["acuses"])
        self._activations = list(data["activaciones"])
        self._now_ms = data["ahora_ms"]


def _changes(old: _Line | None, line: _Line) -> Iterator[str]:
    """What happened to a line between two turns."""
    if old is None:
        yield line.state
        return
    if line.priority != old.priority:
        yield "sube" if line.priority < old.priority else "baja"
    if old.state != line.state:
        yield "vence_silencio" if old.state == SILENCED else line.state


def _inherited(tracks: Sequence[Track]) -> Ack | None:
    """The acknowledgement a line is born with: most of its alerts have one, and the others are no worse."""
    acks = [track.ack for track in tracks if track.ack is not None]
    if 2 * len(acks) <= len(tracks):
        return None
    known = min(track.priority for track in tracks if track.ack is not None)
    unknown = min((track.priority for track in tracks if track.ack is None), default=NORMAL)
    return max(acks, key=lambda ack: ack.at_ms) if unknown >= known else None


def _by_catd(found: Mapping[int, list[tuple[int, Track, str]]]) -> dict[int, CatdAlerts]:
    answer = {}
    for catd, alerts in found.items():
        alerts.sort(key=lambda one: (one[0], one[2]))
        priority, track, _ = alerts[0]
        reason = f"{RULE[track.rule].title}: {track.value}"
        ids = tuple(alert for _, _, alert in alerts)
        answer[catd] = CatdAlerts(None if priority == NORMAL else priority, reason, ids)
    return answer


def _line_place(alert: str) -> Place:
    """The place in a line's id: «A01:distrito:9»."""
    _, scope, *number = alert.split(":")
    return Place(Scope(scope), int(number[0]) if number else None)


def _silence_of(track: Track, now: int, silences: Sequence[Silence]) -> Silence | None:
    """What keeps an alert from being heard, None when nothing does."""
    return next(
        (
            one
            for one in silences
            if one.rule == track.rule
            and now < one.until_ms
            and (one.catd is None or track.place == Place(Scope.CATD, one.catd))
        ),
        None,
    )


def _silenced(track: Track, now: int, silences: Sequence[Silence]) -> bool:
    return _silence_of(track, now, silences) is not None


def _order(place: Place) -> tuple[str, int]:
    return place.scope.value, place.id or 0
