"""What the writer leaves in the room's folder, and who may write there.

Names of the files, the hold of the only writer, and the last snapshot told again while the database cannot
be read. What a snapshot says is `snapshot`.
"""

from __future__ import annotations

import fcntl
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from control_room.files import read_json, write_atomic
from control_room.night.snapshot import iso
from core.errors import UsageError
from core.system_reasons import system_reason

SNAPSHOT = "sala.json"
SNAPSHOT_GZ = "sala.json.gz"
ALERTS = "alertas.json"
WRITER = "escritor.json"
LOCK = "escritor.lock"
HISTORY = "historia"


def hold_room(room: Path) -> IO[bytes]:
    """Take a room's folder for this process until the file returned is closed.

    Raises UsageError when another process writes there, or when the folder cannot be made.
    """
    try:
        room.mkdir(parents=True, exist_ok=True)
        handle = (room / LOCK).open("ab")
    except OSError as error:
        raise UsageError(f"No se puede escribir en la sala «{room}»: {system_reason(error)}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise UsageError(f"Ya hay un escritor en la sala «{room}».") from error
    return handle


def put_snapshot(room: Path, snapshot: Mapping[str, Any]) -> bytes:
    """Put a snapshot in its place, plain and compressed, each whole; the compressed bytes."""
    body = orjson.dumps(snapshot)
    packed = gzip.compress(body, 6, mtime=0)
    # The compressed one goes last: it is the one that is served.
    write_atomic(room / SNAPSHOT, body)
    write_atomic(room / SNAPSHOT_GZ, packed)
    return packed


def say_again(room: Path, boot_id: str, error: str, since_real_ms: int, real_ms: int) -> bool:
    """Tell the last snapshot again, as one that nobody can renew; False when there is none.

    For a writer that starts while the database does not answer: the pages must learn why nothing moves.
    """
    last = read_json(room / SNAPSHOT)
    if last is None or not isinstance(last.get("base"), dict):
        return False
    last["seq"] = int(last.get("seq", 0)) + 1
    last["boot_id"] = boot_id
    last["generado_real_ms"], last["generado_en"] = real_ms, iso(real_ms)
    last["base"].update(ok=False, error=error, desde_real_ms=since_real_ms)
    put_snapshot(room, last)
    return True
