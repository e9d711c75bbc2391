"""What a run is, handed to the processes that generate its load as a JSON file.

Written by the run (`loadtests.run`), read by `locustfile` in each process. Light: it imports neither Locust
nor anything heavy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.profile import Person

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
    """Where the process that reports leaves the counts of all (`loadtests.judging.tally`)."""
    package_path: str
    trivial_url: str
    """A server of fixed bytes against which each process measures itself first; empty: none."""
    calibration_s: float
    credentials: dict[str, tuple[str, str]] | None = None
    not_after: float | None = None
    """Seconds since the epoch after which nobody asks anything: the end of the owner's word."""
    addresses: tuple[str, ...] = ()
    """The addresses that were judged to be the target's, the only ones that are connected to; empty: any."""

    def write(self, path: Path) -> None:
        """Leave the plan in a file that only its owner may read: it may hold passwords."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def with_everybody(people: Sequence[Person], users: int) -> tuple[Person, ...]:
    """The classes of a profile for so many users, with one at least of each.

    Locust shares users out by their weight: a class of five in a hundred would have nobody among ten. Raises
    ValueError, with how many are needed, when there are fewer users than that.
    """
    found = list(people)
    while True:
        rest = users - sum(one.fixed for one in found)
        weighted = [one for one in found if not one.fixed]
        if rest < len(weighted):
            raise ValueError(sum(max(1, one.fixed) for one in people))
        whole = sum(one.weight for one in weighted)
        few = [place for place, one in enumerate(found) if not one.fixed and one.weight * rest < whole]
        if not few:
            return tuple(found)
        for place in few:
            found[place] = replace(found[place], fixed=1)


def load(path: Path) -> Plan:
    """The plan of a file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Plan(**{**found, "addresses": tuple(found.get("addresses", ()))})
