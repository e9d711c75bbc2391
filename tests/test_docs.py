"""The documents say what the code does: nothing missing, nothing left over, diagrams up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.cli import verb_names
from core.domain.acta import Status
from core.domain.events import EVENT_FIELDS, EventKind
from core.domain.refusals import REFUSAL_TEXTS, Refusal
from core.domain.rules import RULES, SITUATIONS, Severity
from core.operations.check_findings import CHECKS
from core.operations.state_diagram import (
    BEGIN,
    BEGIN_PUBLICATION,
    BEGIN_ROOM,
    COMMAND_NAMES,
    END,
    diagram,
    document,
    publication_document,
    room_document,
)
from core.published.findings import KIND_BY_CODE
from core.storage import schema

DOCS = Path(__file__).resolve().parent.parent / "docs"
README = DOCS.parent / "README.md"

EFFECT = {
    Severity.NOT_COUNTED: "no se contabiliza",
    Severity.OBSERVED: "se contabiliza, con observación",
    Severity.NOTICE: "solo aviso interno",
}


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def rows(name: str, heading: str) -> dict[str, list[str]]:
    """The table after a heading: first cell without backticks -> the other cells."""
    section = read(name).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_every_rule_is_documented_as_it_is() -> None:
    assert rows("reglas.md", "Reglas") == {
        rule.code: [
            rule.title,
            EFFECT[rule.severity],
            "sí" if rule.in_inconsistency_percentage else "no",
            rule.text_supervisor,
            rule.source,
        ]
        for rule in RULES
    }


def test_every_situation_is_documented_as_it_is() -> None:
    assert rows("reglas.md", "Situaciones") == {
        s.code: [s.title, s.contabilizada, s.text, s.source] for s in SITUATIONS
    }


def test_every_refusal_is_documented_with_its_text() -> None:
    assert rows("reglas.md", "Rechazos") == {code.value: [REFUSAL_TEXTS[code]] for code in Refusal}


def test_every_event_is_documented_with_its_keys_and_who_causes_it() -> None:
    documented = rows("eventos.md", "Clases de evento")
    assert set(documented) == {kind.value for kind in EventKind}
    for kind, keys in EVENT_FIELDS.items():
        cells = documented[kind.value]
        assert tuple(re.findall(r"`(\w+)`", cells[0])) == keys
        assert all(cells[1:])


def test_every_finding_of_the_check_is_documented() -> None:
    assert rows("eventos.md", "`prep comprobar`") == {code: [title] for code, title in CHECKS.items()}


def test_every_finding_of_the_review_is_documented() -> None:
    text = read("revisar.md")
    missing = [code for code in KIND_BY_CODE if not re.search(rf"\b{code}\b", text)]
    assert missing == []


def test_the_state_diagram_is_the_transition_table() -> None:
    text = read("estados.md")
    generated = text.split(f"{BEGIN}\n", 1)[1].split(END, 1)[0]
    assert generated == document(), "python -m core.operations.state_diagram escribe lo que debe decir"


def test_the_machines_of_incidents_and_measures_are_drawn_as_they_are() -> None:
    generated = read("estados.md").split(f"{BEGIN_ROOM}\n", 1)[1].split(END, 1)[0]
    assert generated == room_document(), (
        "python -m core.operations.state_diagram sala escribe lo que debe decir"
    )


def test_the_machine_of_a_held_publication_is_drawn_as_it_is() -> None:
    generated = read("estados.md").split(f"{BEGIN_PUBLICATION}\n", 1)[1].split(END, 1)[0]
    assert generated == publication_document(), (
        "python -m core.operations.state_diagram publicacion escribe lo que debe decir"
    )


def test_every_column_of_a_pulse_is_documented() -> None:
    documented = {name for cell in rows("eventos.md", "Latidos") for name in re.findall(r"\w+", cell)}
    assert documented == {column.name for column in schema.pulse.columns}


def test_every_column_of_the_slots_and_of_their_lease_is_documented() -> None:
    documented = {name for cell in rows("eventos.md", "Ranuras") for name in re.findall(r"\w+", cell)}
    columns = {*schema.emission_slot.columns.keys(), *schema.lease.columns.keys()}
    assert columns <= documented <= columns | {"columna", "de", "lease"}


def test_every_state_appears_in_the_diagram_and_can_be_reached_from_the_first() -> None:
    edges = re.findall(r"^    (\w+) --> (\w+):", diagram(), re.MULTILINE)
    reached = {Status.EXPECTED.value}
    while more := {target for start, target in edges if start in reached} - reached:
        reached |= more
    assert reached == {status.value for status in Status}


def test_every_command_of_an_acta_has_a_name_in_the_documents() -> None:
    text = read("estados.md")
    assert all(f"| {name} |" in text for name in COMMAND_NAMES.values())


@pytest.mark.parametrize("verb", verb_names())
def test_every_verb_is_documented(verb: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*DOCS.glob("*.md"), README) if path.exists()]
    assert any(f"prep {verb}" in text for text in texts)


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("name", ["eventos.md", "reglas.md", "estados.md"])
def test_a_document_begins_with_its_title_and_its_status(name: str) -> None:
    first, _, third = read(name).splitlines()[:3]
    assert first.startswith("# ")
    assert third.startswith("> Estado: ")
