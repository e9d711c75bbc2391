"""Names of the files of a cut, in the INE structure, and what the manifest says of each.

Nothing here knows what the files hold.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FileNames:
    """File names of a cut, in the INE structure (regulation §6.1)."""

    entidad: str
    moment: datetime
    simulacro: bool

    def results(self, contest: str, given: str | None) -> str:
        """The results CSV: the name given, or <EDO>_<ELECCIÓN>_<AÑO>.csv."""
        return given or f"{self.entidad}_{contest}_{self.moment.year}.csv"

    def candidaturas(self, contest: str) -> str:
        """The catalogue of candidacies."""
        return f"{self.entidad}_{contest}_CANDIDATURAS_{self.moment.year}.csv"

    def sheet(self, contest: str, given: str | None) -> str:
        """The XLSX of actas, named as its CSV."""
        return f"{self.results(contest, given)[: -len('.csv')]}.xlsx"

    def archive(self, contest: str | None) -> str:
        """The ZIP of a contest, or the outer one (None)."""
        parts = [self.moment.strftime("%Y%m%d_%H%M"), "PREP", *([contest] if contest else []), self.entidad]
        return "_".join([*parts, *(["SIMULACRO"] if self.simulacro else [])]) + ".zip"


def content_sha256(data: bytes, encoding: str) -> str:
    """SHA-256 of a results CSV without what an editor may change: UTF-8, no BOM, lines ended by LF."""
    if encoding != "utf-8":
        data = data.decode(encoding).encode()
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    return sha256(memoryview(data)[start:]).hexdigest()


def list_files(directory: Path, contents: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every file of the cut with its bytes and SHA-256, in order of name."""
    result = []
    for path in sorted(directory.iterdir()):
        with path.open("rb") as stream:
            digest = sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
            size = os.fstat(stream.fileno()).st_size
        entry: dict[str, Any] = {"ruta": path.name, "bytes": size, "sha256": digest.hexdigest()}
        if path.name in contents:
            entry["sha256_contenido"] = contents[path.name]
        result.append(entry)
    return result
