"""What every command says, whatever it is about. Which ones there are is `commands`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command says: who, from which station, when, and under which key.

    `at` is when it happened by the server's or the operator's account and must fall inside the
    operating period; `device_at` is what the device's own clock said, kept but never believed.
    """

    key: str
    actor: str
    station: str
    at: int
    device_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActaCommand(Command):
    """A command about one expected acta, by its id in the catalogue."""

    acta: int
