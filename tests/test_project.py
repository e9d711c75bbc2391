"""The project as a whole: the lock, the declared libraries, the verbs of make, the licence."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.groups import FIRST, in_order

MANDATED = {
    "sqlalchemy",
    "simpy",
    "pandas",
    "plotly",
    "matplotlib",
    "xlsxwriter",
    "apscheduler",
    "dash",
    "locust",
}
VERBS = {
    "entorno", "simulacro", "sala", "portal", "test", "lint", "formato", "bench", "carga", "auditar",
    "candado", "limpio", "help",
}  # fmt: skip
LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+?)(?: ; (.+?))? \\$")
# Spelled in halves so that this file does not name them.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "pypi" + ".python.org",
    "npm" + "js.org",
    "deb" + ".debian.org",
]


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    declared: dict[str, Any] = tomllib.loads((repository / "pyproject.toml").read_text())
    return declared


@pytest.fixture(scope="module")
def lock(repository: Path) -> str:
    return (repository / "requirements.lock").read_text()


def declared_names(project: dict[str, Any]) -> set[str]:
    extras = project["project"]["optional-dependencies"].values()
    requirements = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    return {re.split(r"[\[<>=!~ ]", line, maxsplit=1)[0].lower() for line in requirements}


class TestLock:
    def test_it_names_no_server_and_gives_no_option(self, lock: str) -> None:
        assert "://" not in lock
        assert not re.search(r"^\s*--(?!hash=sha256:)", lock, re.MULTILINE)
        assert not re.search(r"\b[\w-]+\.(?:org|com|net|io|mx)\b", lock)
        assert "#" not in lock

    def test_every_package_is_pinned_and_hashed(self, lock: str) -> None:
        entries = [line for line in lock.splitlines() if not line.startswith("    --hash=sha256:")]
        assert len(entries) > 50
        for line in entries:
            assert LOCKED.match(line), line
        # A line that ends in a backslash goes on with a hash.
        for line, following in zip(lock.splitlines(), [*lock.splitlines()[1:], ""], strict=True):
            assert line.endswith("\\") == following.startswith("    --hash=sha256:"), line

    def test_it_holds_every_declared_dependency(self, lock: str, project: dict[str, Any]) -> None:
        locked = {found.group(1) for line in lock.splitlines() if (found := LOCKED.match(line))}
        assert declared_names(project) - locked == set()

    def test_the_installed_versions_are_those_of_the_lock(self, lock: str) -> None:
        from importlib.metadata import version

        pins = {
            m.group(1): m.group(2)
            for line in lock.splitlines()
            if (m := LOCKED.match(line)) and not m.group(3)
        }
        wrong = {name: pin for name, pin in pins.items() if version(name) != pin}
        assert wrong == {}


def test_the_mandated_libraries_are_declared(project: dict[str, Any]) -> None:
    assert declared_names(project) >= MANDATED


def test_the_command_and_the_packages_bear_the_fixed_names(project: dict[str, Any]) -> None:
    assert project["project"]["scripts"] == {"prep": "core.cli:main"}
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["core", "simulator", "control_room", "loadtests"]


def test_the_tests_that_begin_first_are_there(repository: Path) -> None:
    for name in FIRST:
        assert name == "S3" or (repository / name).exists(), name


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ, reason="una sola persona corre todo, en su orden"
)
def test_what_lasts_longest_begins_first(request: pytest.FixtureRequest) -> None:
    places = [in_order(item.nodeid) for item in request.session.items]
    assert places == sorted(places)
    if len(places) > 1000:
        assert places[0] == 0


def test_make_help_is_the_default_and_lists_every_verb(repository: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(
        ["make", "--no-print-directory"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    listed = {found.group(1) for found in re.finditer(r"^  ([a-z]+) +\S", done.stdout, re.MULTILINE)}
    assert listed == VERBS
    phony = re.search(r"^\.PHONY: (.+)$", (repository / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == VERBS


def test_the_licence_is_whole(repository: Path) -> None:
    text = (repository / "LICENSE").read_text()
    for part in (
        "Apache License",
        "Version 2.0, January 2004",
        "END OF TERMS AND CONDITIONS",
        "limitations under",
    ):
        assert part in text


def test_continuous_integration_runs_what_everybody_runs(repository: Path) -> None:
    script = repository / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert "make test" in lines


def test_no_file_names_a_registry(repository: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]
    assert "pyproject.toml" in names
    guilty = [
        name
        for name in names
        if any(host.encode() in (repository / name).read_bytes() for host in REGISTRIES)
    ]
    assert guilty == []
