"""The rehearsal of one fault, when the rehearsal itself goes wrong: it is told, and nothing else is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from loadtests.faults import runner
from loadtests.faults.cases.publisher import CutterKilled
from loadtests.faults.cutter import PROCESS, set_trap
from loadtests.faults.drill import Drill
from loadtests.faults.model import Fault, Signal
from loadtests.faults.runner import measure
from loadtests.faults.size import SHORT
from loadtests.faults.small_disk import SmallDisk


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """One of which nothing was started."""
    return Drill(tmp_path, SHORT, postgres=None, s3=None)


class Unreadable(Fault):
    """Whoever prepares it reads something that is not JSON."""

    undone = False

    def prepare(self, drill: Drill, case: str) -> None:
        json.loads("<html>")

    def undo(self, drill: Drill, case: str) -> None:
        self.undone = True


class Loud(Fault):
    """What should be silent before anything is broken is not."""

    broke = False

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"sonda": lambda: None, "alerta de la sala": lambda: "alerta A12"}

    def inject(self, drill: Drill, case: str) -> float:
        self.broke = True
        return 0.0

    def undo(self, drill: Drill, case: str) -> None:
        raise ProcessLookupError("ya no está")


def test_any_error_is_told_of_its_fault_which_is_undone(drill: Drill) -> None:
    fault = Unreadable()
    sample = measure(drill, fault, "")
    assert "JSONDecodeError" in sample.error
    assert fault.undone
    assert not sample.injected
    assert not sample.good


def test_nothing_is_broken_while_somebody_already_says_so(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "QUIET_S", 0.05)
    fault = Loud()
    sample = measure(drill, fault, "")
    assert sample.error == "«alerta de la sala» ya lo decía antes de romper nada: alerta A12"
    assert not fault.broke
    assert not sample.injected


def test_a_trap_that_never_worked_is_not_left_for_the_next_fault(drill: Drill) -> None:
    set_trap(drill.trap, "registrado", PROCESS)
    CutterKilled().undo(drill, "registrado")
    assert not drill.trap.exists()


def test_what_the_small_disk_held_stays_when_it_goes(tmp_path: Path) -> None:
    disk = SmallDisk.mounted(tmp_path / "corrida", 2)
    if disk is None:
        pytest.skip("no se permite montar un tmpfs")
    try:
        (tmp_path / "corrida" / "publicador.jsonl").write_text("evidencia", encoding="utf-8")
        disk.fill(4_096)
    finally:
        disk.close()
    assert not (tmp_path / "corrida").is_mount()
    assert [path.name for path in (tmp_path / "corrida").iterdir()] == ["publicador.jsonl"]
