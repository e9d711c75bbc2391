"""Every fault that can be injected is in the catalogue and the documents, and its family in the short run."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from core.publication.interference import STEPS
from loadtests.faults import cases
from loadtests.faults.cases.publisher import SERVICE_STEPS, CutterKilled
from loadtests.faults.catalogue import BY_KEY, CATALOGUE
from loadtests.faults.model import Fault
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
