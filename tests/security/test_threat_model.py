"""The threat model has the categories of the regulation, and every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.storage.roles import ROLES

HEADINGS = ("Factores de riesgo", "Activos críticos", "Áreas de amenaza", "Riesgos", "Plan de seguridad")
STRATEGIES = {"m", "t", "a", "e"}


@pytest.fixture(scope="module")
def text(repository: Path) -> str:
    return (repository / "docs" / "seguridad.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def risks(text: str) -> list[list[str]]:
    """The rows of the table of risks."""
    rows = [line for line in text.splitlines() if re.match(r"\| R\d\d \|", line)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_it_has_the_categories_of_the_regulation_in_their_order(text: str) -> None:
    places = [text.index(f"\n## {heading}") for heading in HEADINGS]
    assert places == sorted(places)
    assert "plan de continuidad" in text.lower()


def test_every_risk_is_whole_and_about_an_asset_there_is(text: str, risks: list[list[str]]) -> None:
    assets = set(re.findall(r"^\| (A\d) \|", text, re.M))
    assert [row[0] for row in risks] == [f"R{number:02d}" for number in range(1, len(risks) + 1)]
    for row in risks:
        assert len(row) == 9 and all(row), row
        assert set(re.findall(r"A\d", row[2])) and set(re.findall(r"A\d", row[2])) <= assets, row
        assert {row[3], row[4]} <= {"b", "m", "a"} and set(row[5].split(", ")) <= STRATEGIES, row


def test_every_mitigated_risk_names_tests_that_are_there(repository: Path, risks: list[list[str]]) -> None:
    for row in risks:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row[7])
        # Abuse by who owns the machine is told as not prevented.
        assert named or row[0] == "R21", row
        for name in named:
            assert (repository / name).is_file(), name


def test_every_file_and_section_it_names_is_there(repository: Path, text: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text):
        name, _, section = target.partition("#")
        there = (repository / "docs" / name).read_text(encoding="utf-8") if name else text
        headings = re.findall(r"^#+ (.+)$", there, re.M)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not section or section in slugs, target
    for name in re.findall(r"`((?:deploy|tests|scripts)/[\w./]+)`", text):
        assert (repository / name).exists(), name


def test_the_users_of_the_database_are_those_of_the_script(text: str) -> None:
    assert re.findall(r"^\| `(prep_\w+)` \|", text, re.M) == [role.name for role in ROLES]
