"""The public log of each rehearsal is its own: its name is in the origin, and its key is another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UsageError
from core.publication.cut import CutReport
from core.publishing.worker import Worker, WorkerConfig, signing_key
from core.transparency.log import LogReader
from tests.core.domain.small import CATALOG, MINUTE, START, Orders, open_engine

PREFIX = "prep.jal.eleccion-de-prueba"


def base_of(folder: Path, *, opened: bool = True) -> str:
    base = str(folder / "prep.db")
    engine = open_engine(base)
    if opened:
        assert engine.execute([Orders().open()], START)[0].accepted
    engine._store.close()
    return base


def publish(base: str, work: Path, at: int, rehearsal: str = "") -> CutReport:
    worker = Worker(WorkerConfig(base, work, "simulacro", rehearsal=rehearsal))
    try:
        report: CutReport = worker.answer("corte", (at, False, None))
        return report
    finally:
        worker.close()


def origin_in(work: Path) -> str:
    found: str = json.loads((work / "corte.json").read_bytes())["bitacora"]["origen"]
    assert LogReader(lambda key: (work / key).read_bytes()).note().text.startswith(f"{found}\n")
    return found


def test_two_rehearsals_of_the_same_catalogue_have_two_logs_and_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("Primero", "Segundo"):
        folder = tmp_path / name
        folder.mkdir()
        publish(base_of(folder), folder / "w", START + MINUTE, name)
        assert origin_in(folder / "w") == f"{PREFIX}.{name.lower()}/simulacro"
        keys.add(json.loads((folder / "w/llaves.json").read_bytes())["llaves"][0]["vkey"])
    assert len(keys) == 2


def test_a_rehearsal_nobody_named_has_the_date_its_operation_opens_also_when_it_opens_later(
    tmp_path: Path,
) -> None:
    base = base_of(tmp_path, opened=False)
    work = tmp_path / "w"
    worker = Worker(WorkerConfig(base, work, "simulacro"))
    assert not worker.answer("estado", (START,)).opened
    engine = open_engine(base)
    assert engine.execute([Orders().open()], START)[0].accepted
    engine._store.close()
    assert worker.answer("estado", (START + MINUTE,)).opened
    assert worker.answer("corte", (START + MINUTE, False, None)).refused is None
    worker.close()
    assert origin_in(work) == f"{PREFIX}.2021-06-05/simulacro"


def test_a_log_goes_on_with_its_name_and_refuses_another(tmp_path: Path) -> None:
    base, work = base_of(tmp_path), tmp_path / "w"
    publish(base, work, START + MINUTE, "primero")
    publish(base, work, START + 2 * MINUTE)
    assert origin_in(work) == f"{PREFIX}.primero/simulacro"
    with pytest.raises(UsageError, match="es de otro ensayo"):
        publish(base, work, START + 3 * MINUTE, "segundo")
    assert publish(base, work, START + 3 * MINUTE, "Primero").number == 3


def test_an_official_log_takes_no_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ensayo es solo para un simulacro"):
        signing_key(CATALOG, "oficial", rehearsal="uno")
    with pytest.raises(UsageError, match="--llave ARCHIVO"):
        signing_key(CATALOG, "oficial", rehearsal="")
