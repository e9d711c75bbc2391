"""`publicador.json`: what the service says of itself, rewritten whole every few seconds.

For the control room and for whoever looks at the folder. It is no part of the publication and decides
nothing; a service that stops leaves it behind, with its time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from core.whole_file import write_whole

NAME = "publicador.json"
MOST_MISSED = 50
"""Missed slots listed; the ledger has them all."""


class Status(StrEnum):
    """What the service is doing."""

    WAITING = "esperando"
    PUBLISHING = "publicando"
    HELD = "detenida"
    CLOSED = "cerrada"
    OUTSIDE = "fuera_de_horario"
    STANDBY = "en_reserva"
    """Another process has the lease."""


@dataclass
class PublisherState:
    """The contents of the file; times in ms UTC."""

    boot_id: str
    pid: int
    mode: str
    status: Status = Status.WAITING
    cut: int = 0
    at: int | None = None
    next_at: int | None = None
    last_attempt: dict[str, Any] = field(default_factory=dict)
    missed: list[int] = field(default_factory=list)
    alarms: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Text and since when, by key."""
    destinations: list[dict[str, Any]] = field(default_factory=list)
    witnesses: dict[str, Any] = field(default_factory=lambda: {"de": 0, "con": 0, "detalle": []})
    stamp: dict[str, Any] = field(default_factory=dict)

    def alarm(self, key: str, text: str, now: int) -> bool:
        """Raise an alarm, or keep the time of one that goes on; True when it is of now."""
        before = self.alarms.get(key)
        self.alarms[key] = (text, now if before is None else before[1])
        return before is None

    def clear(self, *keys: str) -> None:
        """End alarms."""
        for key in keys:
            self.alarms.pop(key, None)

    def as_data(self, now: int) -> dict[str, Any]:
        """With the Spanish names of the file."""
        return {
            "formato": 1,
            "boot_id": self.boot_id,
            "pid": self.pid,
            "modo": self.mode,
            "estado": self.status.value,
            "corte": self.cut,
            "instante_ms": self.at,
            "siguiente_ms": self.next_at,
            "ultimo_intento": self.last_attempt,
            "perdidas": self.missed[-MOST_MISSED:],
            "alarmas": [
                {"clave": key, "texto": text, "desde_ms": since}
                for key, (text, since) in sorted(self.alarms.items())
            ],
            "destinos": self.destinations,
            "testigos": self.witnesses,
            "sello": self.stamp,
            "generado_ms": now,
        }

    def write(self, workdir: Path, now: int) -> None:
        """Rewrite the file."""
        write_whole(workdir / NAME, orjson.dumps(self.as_data(now)))
