"""Draws the transition table: a Mermaid diagram and a table, as docs/estados.md shows them.

`python -m core.operations.state_diagram` prints both. The document holds them between two marks
and a test compares; nothing here decides what is allowed.
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
from core.domain.transitions import TRANSITIONS

BEGIN = "<!-- generado por python -m core.operations.state_diagram -->"
END = "<!-- fin de lo generado -->"

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


if __name__ == "__main__":
    sys.stdout.write(document())
