"""What a run is, handed to the processes that generate its load as a JSON file.

Written by the run (`loadtests.run`), read by `loadtests.locustfile` in each process. Light: it imports
neither Locust nor anything heavy.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ENVIRONMENT = "PREP_CARGA_PLAN"
"""In the environment of each process: the file of the plan."""
ROLE = "PREP_CARGA_PAPEL"
LOCAL, MASTER, WORKER = "local", "maestro", "trabajador"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: the profile's data, whom it asks, how many users and for how long."""

    profile: dict[str, Any]
    url: str
    users: int
    seconds: int
    expected: dict[str, Any]
    many_addresses: bool
    tally_path: str
    """Where the process that reports leaves the counts of all (`loadtests.tally`)."""
    package_path: str
    trivial_url: str
    """A server of fixed bytes against which each process measures itself first; empty: none."""
    calibration_s: float
    credentials: dict[str, tuple[str, str]] | None = None
    not_after: float | None = None
    """Seconds since the epoch after which nobody asks anything: the end of the owner's word."""

    def write(self, path: Path) -> None:
        """Leave the plan in a file that only its owner may read: it may hold passwords."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def load(path: Path) -> Plan:
    """The plan of a file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Plan(**found)
