"""What the project depends on: the table of the document is the lock, and every licence is one admitted."""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def writer(repository: Path) -> ModuleType:
    """scripts/dependencias.py."""
    spec = importlib.util.spec_from_file_location("dependencias", repository / "scripts" / "dependencias.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(repository: Path) -> list[tuple[str, str, str, str]]:
    """(name, version, licences, purpose) of the document."""
    text = (repository / "docs" / "dependencias.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([a-z0-9.-]+) \| (\S+) \| ([^|]+) \| ([^|]+) \|$", text, re.M)
    assert len(found) > 100
    return found


def test_the_table_is_the_lock(writer: ModuleType, rows: list[tuple[str, str, str, str]]) -> None:
    assert [row[:2] for row in rows] == [one[:2] for one in writer.locked()]


def test_every_licence_is_admitted_and_is_the_one_of_the_table(
    writer: ModuleType, rows: list[tuple[str, str, str, str]]
) -> None:
    looked = 0
    for name, pinned, licences, _ in rows:
        try:
            here = version(name) == pinned
        except PackageNotFoundError:
            here = False
        if here and licences != "—":
            looked += 1
            found = writer.licence_of(name)
            assert writer.refused(name, found) == set(), name
            assert licences == ", ".join(sorted(found)), name
    assert looked > 100


def test_what_is_only_for_tests_is_not_shipped(writer: ModuleType) -> None:
    product = writer.shipped()
    assert {"dash", "psycopg", "werkzeug"} <= product
    assert product & writer.ONLY_TESTS == set()
    assert product & {"detect-secrets", "playwright", "hypothesis"} == set()


def test_every_declared_dependency_says_what_it_is_for(writer: ModuleType) -> None:
    assert set(writer.declared()) == set(writer.PURPOSE)


def test_a_licence_nobody_looked_at_is_refused(writer: ModuleType) -> None:
    assert writer.refused("otra", {"GPL-3.0-or-later"}) == {"GPL-3.0-or-later"}
    assert writer.refused("otra", {"MIT", "AGPL-3.0-only"}) == {"AGPL-3.0-only"}
    assert writer.refused("psycopg", {"LGPL-3.0-only"}) == set()
