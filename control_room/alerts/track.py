"""The life of one alert, of one rule in one place: pending, active with a priority, over.

A state machine without clock: it is told what the rule says and when. Delay before raising, hysteresis and
delay before lowering or ending; who acknowledged it and how it is told with others is in `book`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from control_room.alerts.model import Place, Reading, Scope
from control_room.night.facts import Ack

NORMAL = 4
"""Less severe than any priority: there is no alert."""


@dataclass(slots=True)
class Track:
    """One rule in one place. `priority` is `NORMAL` while pending.

    `rising` has, for each priority, since when and in how many looks the raise limits gave it or a more
    severe one; `falling_ms` since when the clear limits give less than the priority, `falling_to` the most
    severe of what they gave since.
    """

    rule: str
    place: Place
    priority: int = NORMAL
    since_ms: int = 0
    rising: dict[int, tuple[int, int]] = field(default_factory=dict)
    falling_ms: int | None = None
    falling_to: int = NORMAL
    value: str = ""
    limit: str = ""
    ack: Ack | None = None
    line: str = ""
    """Id of the line in which it was last told."""

    @property
    def id(self) -> str:
        """«A01:catd:12»."""
        return f"{self.rule}:{self.place.key}"

    @property
    def active(self) -> bool:
        """Whether there is an alert to tell."""
        return self.priority < NORMAL

    @property
    def idle(self) -> bool:
        """Whether nothing is left to remember."""
        return not self.active and not self.rising

    def look(
        self, reading: Reading | None, now_ms: int, delay_ms: int, clear_delay_ms: int, looks: int
    ) -> None:
        """Take what the rule says at a moment; None is normal."""
        raised = NORMAL if reading is None or reading.raised is None else reading.raised
        held = NORMAL if reading is None or reading.held is None else reading.held
        if reading is not None and (raised < NORMAL or self.active):
            self.value = reading.value
            self.limit = reading.limit or self.limit
        for level in range(1, NORMAL):
            if raised <= level:
                since, seen = self.rising.get(level, (now_ms, 0))
                self.rising[level] = (since, seen + 1)
            else:
                self.rising.pop(level, None)
        sure = reading is not None and reading.sure
        ready = [
            level
            for level, (since, seen) in self.rising.items()
            if sure or (now_ms - since >= delay_ms and seen >= looks)
        ]
        target = min(ready, default=NORMAL)
        if target < self.priority:
            if not self.active:
                self.since_ms = now_ms
            self.priority = target
            self.ack = None
            self.falling_ms = None
        elif self.active:
            self._fall(min(raised, held), now_ms, clear_delay_ms)

    def _fall(self, held: int, now_ms: int, clear_delay_ms: int) -> None:
        if held <= self.priority:
            self.falling_ms = None
            return
        if self.falling_ms is None:
            self.falling_ms, self.falling_to = now_ms, held
        self.falling_to = min(self.falling_to, held)
        if now_ms - self.falling_ms >= clear_delay_ms:
            self.priority = self.falling_to
            self.falling_ms = None
            if not self.active:
                self.ack = None

    def forget_timers(self) -> None:
        """After a time without looking, no delay can be said to have gone by."""
        self.rising.clear()
        self.falling_ms = None

    def dump(self) -> dict[str, object]:
        """All of it as JSON data."""
        return {
            "regla": self.rule,
            "ambito": self.place.scope.value,
            "id": self.place.id,
            "prioridad": self.priority,
            "desde_ms": self.since_ms,
            "sube": [[level, since, seen] for level, (since, seen) in sorted(self.rising.items())],
            "baja_ms": self.falling_ms,
            "baja_a": self.falling_to,
            "valor": self.value,
            "umbral": self.limit,
            "acuse": ack_data(self.ack),
            "linea": self.line,
        }

    @classmethod
    def load(cls, data: dict[str, object]) -> Track:
        """The inverse of `dump`."""
        track = cls(
            str(data["regla"]),
            Place(Scope(str(data["ambito"])), _int_or_none(data["id"])),
            _int(data["prioridad"]),
            _int(data["desde_ms"]),
            value=str(data["valor"]),
            limit=str(data["umbral"]),
            ack=ack_from(data["acuse"]),
            line=str(data["linea"]),
        )
        rising = data["sube"]
        assert isinstance(rising, list)
        track.rising = {int(level): (int(since), int(seen)) for level, since, seen in rising}
        track.falling_ms = _int_or_none(data["baja_ms"])
        track.falling_to = _int(data["baja_a"])
        return track


def ack_data(ack: Ack | None) -> list[object] | None:
    """An acknowledgement as JSON data."""
    return None if ack is None else [ack.by, ack.at_ms, ack.note]


def ack_from(data: object) -> Ack | None:
    """The inverse of `ack_data`."""
    if data is None:
        return None
    assert isinstance(data, list)
    return Ack(str(data[0]), int(data[1]), str(data[2]))


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _int_or_none(value: object) -> int | None:
    return None if value is None else _int(value)
