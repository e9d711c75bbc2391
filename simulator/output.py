"""What every driver of a night needs: a fresh place to write to, and the fingerprint of its end.

The simulator and the replay of a real night share it. It drives nothing itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import orjson
from sqlalchemy import Engine as Database
from sqlalchemy import select

from core.errors import UsageError
from core.storage import schema
from core.storage.reading import reading
from core.whole_file import write_whole
from simulator.night.restart import hold

MARKER = ".prep-salida.json"
"""File that says a folder was made by a driver, so that it may be replaced."""


def claim_output(folder: Path, what: str, *, replace: bool, run: dict[str, object] | None = None) -> None:
    """Make `folder` an empty output folder of ours, and mark it; `run` says which run it is.

    Raises UsageError when it holds anything that is not ours, when a run is going on there, or when it
    has an earlier one and `replace` is False: nobody's files are deleted without being asked.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"«{folder}» no es una carpeta.")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise UsageError(f"La carpeta «{folder}» tiene archivos que no son de prep; elige otra.")
        if not replace:
            raise UsageError(
                f"La carpeta «{folder}» ya tiene una corrida. Usa --reemplazar para rehacerla, o elige otra"
                f"{' (--continuar la sigue)' if what == 'simular' else ''}."
            )
        hold(folder).close()
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker: dict[str, object] = {"hecho_por": what}
    if run is not None:
        marker["corrida"] = run
    write_whole(folder / MARKER, (json.dumps(marker, ensure_ascii=False) + "\n").encode())


def state_fingerprint(database: Database) -> str:
    """SHA-256 of the final state: every acta's status and published data, and the actas outside.

    It does not depend on the database engine, on how commands were batched, nor on ledger
    sequences; two runs that ended alike have the same one.
    """
    digest = hashlib.sha256()
    acta, result, outside = schema.acta, schema.result, schema.outside
    with reading(database) as connection:
        statuses = select(acta.c.id, acta.c.key, acta.c.status).order_by(acta.c.id)
        for table_name, query in (
            ("acta", statuses),
            ("result", select(result).order_by(result.c.acta)),
            ("outside", select(outside).order_by(outside.c.id)),
        ):
            digest.update(table_name.encode())
            for row in connection.execute(query):
                digest.update(orjson.dumps([_plain(value) for value in row]))
    return digest.hexdigest()


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
