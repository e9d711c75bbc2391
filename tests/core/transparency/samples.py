"""A small log to test with: entries that follow one another, and readers of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.transparency.entries import Apertura, Aviso, Emision
from core.transparency.keys import rehearsal_key

ORIGIN = "prep.jal.2021/simulacro"
KEY = rehearsal_key(ORIGIN, "semilla")
HEADER = {f"CONTADOR_{number}": str(number) for number in range(13)}


def opening() -> bytes:
    return Apertura("simulacro", ORIGIN, 14, "Proceso 2021", "a" * 64).encode()


def emission(number: int, *, root: str = "c" * 64) -> bytes:
    return Emision(
        "simulacro", 14, "Proceso 2021", "a" * 64, number, number * 1000, False, number, "b" * 64,
        root, 5, {"DIP_LOC": ("d" * 64, HEADER)},
    ).encode()  # fmt: skip


def notice(number: int) -> bytes:
    return Aviso("simulacro", number, "hueco", 1000, 2000, "Falló el disco.", (1500,)).encode()


def reader(folder: Path) -> Callable[[str], bytes]:
    return lambda name: (folder / name).read_bytes()


def files(folder: Path) -> dict[str, bytes]:
    """Every public file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
