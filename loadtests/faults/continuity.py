"""The measures of the plan of continuity that go with a fault, as the configuration the room ships has them.

It reads them as data: the packages of load tests and of the room do not import each other. It applies none.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from core.evidence.components import folder_of

CONFIG = "sala.toml"
PUBLICATION = "publicacion"
"""The kind of incident, as the room names it, of what keeps the cuts from the public."""


def measures(incident: str) -> list[str]:
    """Names of the `[[continuidad.medidas]]` for that kind of incident, in the order they are tried.

    None for a fault that is no incident of the plan, or where the room is not installed.
    """
    return [str(one["nombre"]) for one in _plan() if incident and incident in one["cuando"]]


@cache
def _plan() -> tuple[dict[str, Any], ...]:
    folder = folder_of("control_room")
    if folder is None:
        return ()
    config = tomllib.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return tuple(config["continuidad"]["medidas"])
