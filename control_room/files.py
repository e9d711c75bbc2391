"""Files of the room's folder: written whole or not at all, and read without trusting them.

They are caches and answers of the room, never election data: whoever cannot read one goes on without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from core.foreign_text import foreign_bytes
from core.whole_file import write_whole


def write_atomic(path: Path, data: bytes) -> None:
    """Put a file of the room in its place in one step; after a cut of power it is made again."""
    write_whole(path, data, durable=False)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object of a JSON file; None when it is not there or is not one."""
    try:
        data = orjson.loads(foreign_bytes(path))
    except (OSError, orjson.JSONDecodeError):
        return None
    return data if isinstance(data, dict) else None
