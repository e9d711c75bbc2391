"""Every fault that can be injected is in the catalogue and the documents, and its family in the short run."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from core.publication.interference import STEPS
from loadtests.faults import cases
from loadtests.faults.cases.publisher import SERVICE_STEPS, CutterKilled
from loadtests.faults.catalogue import BY_KEY, CATALOGUE
from loadtests.faults.model import Fault
from loadtests.faults.report import HEAD
from loadtests.faults.verb import BASES
from tests.conftest import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "fallas.md").read_text(encoding="utf-8")
FAMILIES_OF_THE_FULL_RUN = {"reloj", "disco", "base"}
"""What the short rehearsal has no time for."""


def test_every_fault_that_is_written_is_in_the_catalogue() -> None:
    written = set()
    for module in pkgutil.iter_modules(cases.__path__):
        found = vars(importlib.import_module(f"{cases.__name__}.{module.name}")).values()
        written |= {
            one for one in found if isinstance(one, type) and issubclass(one, Fault) and "key" in vars(one)
        }
    assert written == set(CATALOGUE)
    assert len(BY_KEY) == len(CATALOGUE)


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.key)
def test_every_fault_is_documented_and_says_what_it_keeps(fault: type[Fault]) -> None:
    assert f"| `{fault.key}` |" in DOCUMENT
    assert all(getattr(fault, name) for name in ("family", "title", "what", "promises"))
    assert all(names for names in fault.promises.values()), "a sentence that nothing proves"
    assert fault().invariant == "; ".join(fault.promises)
    assert len(set(fault().cases(short=False))) == len(fault().cases(short=False)) > 0


@pytest.fixture(params=BASES)
def rows(request: pytest.FixtureRequest) -> list[str]:
    """The lines of the table of a base in the document: its head, its rule, and one for each fault."""
    between = DOCUMENT.split(f"<!-- fallas:{request.param}:inicio -->")[1]
    table = between.split(f"<!-- fallas:{request.param}:fin -->")[0]
    return [line for line in table.splitlines() if line.startswith("|")]


def test_each_table_of_the_document_is_of_the_faults_there_are(rows: list[str]) -> None:
    """Until `prep fallas --documento` writes it again, a table of another catalogue is not this one's."""
    head, _, *faults = rows
    assert head == f"| {' | '.join(HEAD)} |"
    assert faults
    for one in faults:
        key = re.search(r"\(`([a-z0-9-]+)`\) \|", one)
        assert key is not None, one
        fault = BY_KEY[key[1]]
        assert one.startswith(f"| {fault.title} (`{fault.key}`) | {fault().invariant} |")


def test_every_fault_was_injected_for_some_table_of_the_document() -> None:
    for fault in CATALOGUE:
        lines = [
            line for line in DOCUMENT.splitlines() if line.startswith(f"| {fault.title} (`{fault.key}`)")
        ]
        assert any("no se inyectó" not in line for line in lines), fault.key


def test_the_short_run_has_one_of_each_family_it_has_time_for() -> None:
    short = {fault.family for fault in CATALOGUE if fault.short}
    assert short == {fault.family for fault in CATALOGUE} - FAMILIES_OF_THE_FULL_RUN


def test_the_document_says_which_faults_the_short_run_injects() -> None:
    said = DOCUMENT.split("La versión corta, que")[1].split("\n\n")[0]
    assert {key for key in BY_KEY if f"`{key}`" in said} == {fault.key for fault in CATALOGUE if fault.short}


def test_the_process_of_the_cuts_is_killed_at_every_step_there_is() -> None:
    assert CutterKilled().cases(short=False) == STEPS
    assert set(SERVICE_STEPS) < set(STEPS)
    assert all(f"`{step}`" in DOCUMENT for step in STEPS)
