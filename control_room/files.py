"""Files of the room's folder: written whole or not at all, and read without trusting them.

They are caches and answers of the room, never election data: whoever cannot read one goes on without it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson


def write_atomic(path: Path, data: bytes) -> None:
    """Put a file in its place in one step: who reads it sees the old one or this one, whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object of a JSON file; None when it is not there or is not one."""
    try:
        data = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return data if isinstance(data, dict) else None
