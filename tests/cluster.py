"""A PostgreSQL server of the tests' own: that of the rehearsal of faults, by the names the tests use.

For: the fixtures of conftest and the tests that stop a server under load. Nothing of it is written here.
"""

from __future__ import annotations

from loadtests.faults.postgres import Postgres as Cluster
from loadtests.faults.postgres import find_postgres as find_binaries

__all__ = ["Cluster", "find_binaries"]
