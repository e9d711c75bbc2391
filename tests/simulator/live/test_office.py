"""The process that writes for a live night: what goes wrong there is told here, in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.domain.commands import OpenOperation
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store
from simulator.live.office import Office, OfficeError
from tests.builders import small_catalog


def test_a_database_that_fails_is_told_without_a_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Store(open_database(str(tmp_path / "noche.db")))
    Engine(store, small_catalog(), "simulacro")
    office = Office(store.database, None, "simulacro", None)
    try:
        with sqlite3.connect(tmp_path / "noche.db") as other:
            other.execute("DROP TABLE command")
        opening = OpenOperation(key="a", actor="x", station="x", at=1, starts_at=1, ends_at=2)
        with pytest.raises(OfficeError, match=r"La base de datos no responde: .*--continuar sigue"):
            office.execute([opening], [1])
    finally:
        office.close()
        store.close()
        store.database.dispose()
    assert "Traceback" not in capfd.readouterr().err
