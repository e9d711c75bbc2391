"""Draws the transition tables: Mermaid diagrams and tables, as docs/estados.md shows them.

`python -m core.operations.state_diagram` prints those of an acta; with `sala`, those of incidents and
measures; with `publicacion`, that of holding it. The document holds them between marks and a test compares;
nothing here decides what is allowed.
"""

from __future__ import annotations

import sys

from core.domain.acta import Status
from core.domain.commands import (
    ActaCommand,
    ApproveRecall,
    Capture,
    Collate,
    Digitize,
    DismissRecall,
    Identify,
    MarkSinActa,
    Receive,
    ReplaceImage,
    RequestRecall,
    Resolve,
)
from core.domain.continuity import MEASURE_TABLE, MeasureState
from core.domain.events import EventKind
from core.domain.holding import HOLD_TABLE, HoldState
from core.domain.incidents import INCIDENT_TABLE, IncidentState
from core.domain.transitions import TRANSITIONS

BEGIN = "<!-- generado por python -m core.operations.state_diagram -->"
END = "<!-- fin de lo generado -->"
BEGIN_ROOM = "<!-- generado por python -m core.operations.state_diagram sala -->"
BEGIN_PUBLICATION = "<!-- generado por python -m core.operations.state_diagram publicacion -->"

COMMAND_NAMES: dict[type[ActaCommand], str] = {
    Receive: "acopiar",
    Digitize: "digitalizar",
    Capture: "capturar",
    Resolve: "resolver",
    MarkSinActa: "marcar sin acta",
    ReplaceImage: "reemplazar imagen",
    RequestRecall: "pedir retiro",
    ApproveRecall: "aprobar retiro",
    DismissRecall: "desechar retiro",
    Collate: "cotejar",
    Identify: "identificar",
}
"""How the documents call each command."""

ROOM_NAMES: dict[EventKind, str] = {
    EventKind.INCIDENT_ATTENDED: "atender",
    EventKind.INCIDENT_ASSIGNED: "asignar",
    EventKind.INCIDENT_NOTED: "anotar",
    EventKind.INCIDENT_CONTAINED: "contener",
    EventKind.INCIDENT_RESOLVED: "resolver",
    EventKind.INCIDENT_CLOSED: "cerrar",
    EventKind.INCIDENT_REOPENED: "reabrir",
    EventKind.INCIDENT_MERGED: "fusionar",
    EventKind.MEASURE_AUTHORISED: "autorizar",
    EventKind.MEASURE_DISMISSED: "descartar",
    EventKind.MEASURE_STEP_DONE: "marcar un paso",
    EventKind.MEASURE_ENDED: "terminar",
}
"""How the documents call what happens to an incident or to a measure."""

HOLD_NAMES: dict[EventKind, str] = {
    EventKind.HOLD_PROPOSED: "proponer que se detenga",
    EventKind.HOLD_AUTHORISED: "autorizar que se detenga",
    EventKind.HOLD_DISMISSED: "descartar que se detenga",
    EventKind.RELEASE_PROPOSED: "proponer que se reanude",
    EventKind.RELEASE_AUTHORISED: "autorizar que se reanude",
    EventKind.RELEASE_DISMISSED: "descartar que se reanude",
}
"""How the documents call what happens to a hold of the publication."""

BY_CUT = "corte publicado"
"""The only change of state that no command of an acta makes."""


def edges() -> list[tuple[Status, str, Status]]:
    """(from, command, to) of every change of state the table allows, in table order."""
    found = [
        (state.status, COMMAND_NAMES[row.command], target)
        for row in TRANSITIONS
        for state in row.states
        for target in row.leads_to
    ]
    return [*found, (Status.VERIFIED, BY_CUT, Status.PUBLISHED)]


def diagram() -> str:
    """The Mermaid diagram: only changes of state, commands between the same two joined."""
    labels: dict[tuple[Status, Status], list[str]] = {}
    for start, name, target in edges():
        if start is not target:
            labels.setdefault((start, target), []).append(name)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Status.EXPECTED.value}"]
    lines += [
        f"    {start.value} --> {target.value}: {', '.join(names)}"
        for (start, target), names in labels.items()
    ]
    return "\n".join([*lines, "```"])


def table() -> str:
    """One row per state and command: where it can end. A command without a row is refused."""
    rows: dict[tuple[Status, str], list[str]] = {}
    for start, name, target in edges():
        rows.setdefault((start, name), []).append("queda igual" if target is start else f"`{target.value}`")
    order = list(Status)
    lines = ["| estado | orden | termina en |", "|---|---|---|"]
    for (start, name), targets in sorted(rows.items(), key=lambda item: order.index(item[0][0])):
        lines.append(f"| `{start.value}` | {name} | {', '.join(targets)} |")
    return "\n".join(lines)


def document() -> str:
    """What goes between the marks of docs/estados.md."""
    return f"{diagram()}\n\n{table()}\n"


def room_document() -> str:
    """What goes between the other marks: incidents, then measures."""
    incidents = [
        (state.value, ROOM_NAMES[kind], (move.leads_to or state).value)
        for state in IncidentState
        for kind, move in INCIDENT_TABLE.items()
        if state in move.states
    ]
    measures = [
        (move.state.value, ROOM_NAMES[kind], move.leads_to.value)
        for state in MeasureState
        for kind, move in MEASURE_TABLE.items()
        if move.state is state
    ]
    return (
        f"{_machine(IncidentState.OPEN.value, incidents)}\n{_machine(MeasureState.PROPOSED.value, measures)}"
    )


def publication_document() -> str:
    """What goes between the marks of the publication: how two persons hold it and let it go on."""
    rows = [
        (move.state.value, HOLD_NAMES[kind], move.leads_to.value)
        for state in HoldState
        for kind, move in HOLD_TABLE.items()
        if move.state is state
    ]
    return _machine(HoldState.FREE.value, rows)


def _machine(first: str, rows: list[tuple[str, str, str]]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {start} --> {target}: {name}" for start, name, target in rows if start != target]
    lines += ["```", "", "| estado | acción | termina en |", "|---|---|---|"]
    for start, name, target in rows:
        ends = "queda igual" if target == start else f"`{target}`"
        lines.append(f"| `{start}` | {name} | {ends} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    written = {"sala": room_document, "publicacion": publication_document}
    sys.stdout.write(written.get("".join(sys.argv[1:]), document)())
