"""With what a rehearsal was made: its options, its night, the machine, the programs. It measures nothing."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.publication.times import local, utc_label

CENTER_MIN = -360
"""Of the hour of the reports, minutes from UTC: that of the center, the whole year."""
OF_EVERYBODY = ("prep", "procesador", "núcleos", "memoria", "sistema", "Python", "carga media al terminar")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Setting:
    """How the rehearsal was set, for the reports. `when` is a date and hour with its zone, as text."""

    base: str
    short: bool
    actas: int
    when: str
    disk: str
    """How the disk was filled up; empty when it was not."""
    only: tuple[str, ...] = ()
    """The faults asked for; none when it was all of them."""
    limit: bool = False
    """Whether the disk was asked to be filled with a limit of size."""
    outside: int = 0
    """Actas that came and are not in the catalogue."""
    made: Mapping[str, str] = field(default_factory=dict)
    """Version of the project, machine and programs, by name."""

    @property
    def command(self) -> str:
        """How to do it again."""
        chosen = f" --solo {' '.join(self.only)}" if self.only else ""
        disk = " --disco limite" if self.limit else ""
        return f"prep fallas --base {self.base}{' --corta' if self.short else ''}{disk}{chosen}"

    @property
    def kind(self) -> str:
        """What it was less than the whole of; empty when it was all."""
        return " y ".join(
            name for name, so in (("versión corta", self.short), ("solo las pedidas", bool(self.only))) if so
        )

    def words(self) -> str:
        """One sentence."""
        disk = f", {self.disk}" if self.disk else ""
        outside = f" y {self.outside:,} que llegaron fuera de él" if self.outside else ""
        night = f"{self.actas:,} actas de catálogo{outside}"
        return f"`{self.command}`, {self.when}: {night}, base {self.base}{disk}."

    def made_with(self) -> str:
        """One sentence; empty when nothing is known."""
        known = "; ".join(f"{name} {value}" for name, value in self.made.items())
        return f"Hecho con: {known}." if known else ""


def hour_now() -> str:
    """The present minute, as the reports write it."""
    return local(time.time_ns() // 1_000_000, CENTER_MIN).strftime(f"%Y-%m-%d %H:%M {utc_label(CENTER_MIN)}")


def made_with(postgres: Path | None, weed: Path | None) -> dict[str, str]:
    """Version of the project, machine and programs of a rehearsal, by name."""
    from loadtests.reporting.machine import machine

    everything = machine()
    found = {name: everything[name] for name in OF_EVERYBODY if name in everything}
    if postgres is not None:
        found["PostgreSQL"] = version([str(postgres / "postgres"), "--version"])
    if weed is not None:
        found["SeaweedFS"] = version([str(weed), "version"])
    return found


def version(command: list[str]) -> str:
    """What a program says of itself; «que no dice su versión» when it does not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "que no dice su versión"
    # The size of a volume comes before the version of SeaweedFS, with no period.
    found = _VERSION.search(done.stdout)
    return found[0] if found else "que no dice su versión"
