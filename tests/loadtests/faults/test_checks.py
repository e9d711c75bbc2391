"""An acta that the catalogue has and nobody captured is neither there nor counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.commands import AnyCommand
from loadtests.faults.checks import NOTHING, OUTSIDE, actas_of, compared
from loadtests.faults.records import connected
from tests.core.domain.small import START, Orders, open_engine

A, B, ELSE = b'["a"]', b'["b"]', f"{OUTSIDE} 1"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ({"x": A, "y": NOTHING}, {"x": A, "y": NOTHING}, ([], [], [])),
        ({"x": NOTHING}, {"x": A}, (["x"], [], [])),
        ({"x": A}, {"x": NOTHING}, ([], ["x"], [])),
        ({"x": B}, {"x": A}, ([], [], ["x"])),
        ({}, {ELSE: A}, ([ELSE], [], [])),
        ({ELSE: A}, {}, ([], [ELSE], [])),
    ],
    ids=["same", "not captured", "captured besides", "otherwise", "outside lost", "outside besides"],
)
def test_what_is_lost_counted_besides_or_otherwise_is_told_apart(
    ours: dict[str, bytes], theirs: dict[str, bytes], found: tuple[list[str], list[str], list[str]]
) -> None:
    assert compared(ours, theirs) == found


def test_an_acta_captured_in_one_night_only_is_lost_or_counted_besides(tmp_path: Path) -> None:
    nights = []
    for name, captured in (("a", 1), ("b", 2)):
        orders = Orders()
        office = open_engine(str(tmp_path / name))
        done: list[AnyCommand] = [orders.open()]
        for acta in range(captured):
            done += [*orders.arrived(acta), orders.capture(acta, "ana"), orders.capture(acta, "luis")]
        assert all(answer.accepted for answer in office.execute(done, START + 300_000))
        with connected(str(tmp_path / name)) as connection:
            nights.append(actas_of(connection))
    fewer, more = nights
    lost, extra, other = compared(fewer, more)
    assert len(lost) == 1
    assert (extra, other) == ([], [])
    assert compared(more, fewer) == ([], lost, [])
