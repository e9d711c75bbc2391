"""Refuses a cut whose files are of another moment: an old table, an old package, a late reading.

It looks at the files as they are on disk, against the instant of the cut and the sums of its own
snapshot. Whether the rows add up is `recount`.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.domain.counters import COUNTER_NAMES, Counters
from core.errors import PrepError
from core.publication.results_csv import ResultsCsv
from core.publication.times import local, utc_label

_BLOCK = 1 << 20
_HEAD = 1 << 16


class StaleCutError(PrepError):
    """A file of the cut is of another moment: the cut must not go out."""


def check_reading(seq_high: int, seq: int) -> None:
    """The snapshot reaches what the engine had recorded when it was asked for. Raises StaleCutError."""
    if seq_high < seq:
        raise StaleCutError(
            f"la lectura está atrasada: llega al asiento {seq_high} y la bitácora va en el {seq}"
        )


def check_results(path: Path, results: ResultsCsv, expected: Counters, at_ms: int, offset: int) -> None:
    """The head of a results CSV is of this instant and has the counters of the snapshot.

    `offset` is that of the entidad, in minutes. Raises StaleCutError.
    """
    file = results.dialect.file
    with path.open("rb") as stream:
        text = stream.read(_HEAD).decode(file.encoding, "replace").removeprefix("\ufeff")
    lines = text.splitlines()
    moment = f"{local(at_ms, offset).strftime(file.cut_format)} {utc_label(offset)}"
    place = int(file.sep_line) + len(results.title.split("\n"))
    if len(lines) <= place + 1 or lines[place] != moment:
        found = lines[place] if len(lines) > place else ""
        raise StaleCutError(f"{path.name}: es del corte «{found}»; se esperaba «{moment}»")
    at = next((n for n, line in enumerate(lines) if line.startswith(COUNTER_NAMES[0])), len(lines))
    values = lines[at + 1].split(file.separator) if at + 1 < len(lines) else []
    wanted = list(expected.as_header().values())
    if values != wanted:
        different = [
            f"{name} dice {said} y la fotografía {found}"
            for name, said, found in zip(COUNTER_NAMES, values, wanted, strict=False)
            if said != found
        ]
        raise StaleCutError(f"{path.name}: {'; '.join(different) or 'no tiene sus trece contadores'}")


def check_archive(path: Path, members: Sequence[Path | tuple[str, bytes]]) -> None:
    """A ZIP of the cut holds these very files, by size and CRC-32. Raises StaleCutError."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = {info.filename: (info.file_size, info.CRC) for info in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise StaleCutError(f"{path.name}: no se puede abrir ({error})") from error
    for member in members:
        if isinstance(member, Path):
            name, wanted = member.name, _sums(member)
        else:
            name, wanted = member[0], (len(member[1]), zlib.crc32(member[1]))
        if held.get(name) != wanted:
            raise StaleCutError(f"{path.name}: el {name} que contiene no es el de este corte")


def _sums(path: Path) -> tuple[int, int]:
    size = crc = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return size, crc
