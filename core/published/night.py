"""One night as a table: the times of every acta of the published files of that night.

Puts the files of one night (gubernatura, diputaciones, ayuntamientos) side by side, because one
capture centre served them all, and sets apart the acopio stamps that were mistyped: with them the
curves and the delays would tell a night that never was. It counts nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd

from core.errors import UsageError
from core.published.check_times import CUT_GRACE_MS, acopio_slip, moment_of, operation_start
from core.published.layout import MS_PER_DAY, TIME_COLUMNS
from core.published.reader import PublishedFile
from core.published.row_facts import CAPTURED, OUTSIDE, RowFacts, normal, rows_of

PHASES = ("acopio", "captura", "verificacion")

SET_ASIDE = {
    "day_early": "un_dia_antes",
    "half_day_early": "doce_horas_antes",
    "half_day_late": "doce_horas_despues",
    "outside": "fuera_de_la_operacion",
    "after_capture": "despues_de_su_captura",
}
"""Why an acopio stamp is set apart, and its name in the answers."""

_NONE = ("", "-", "N/A")


@dataclass(frozen=True)
class Night:
    """The actas of one night.

    `frame` has one row per acta: file, contest, line, status, sin_acta, counted, observation,
    origin, medium, territory, acopio, captura, verificacion (milliseconds since the epoch, NaN
    without time), acopio_written (as published, before setting any apart) and reason (why its
    acopio was set apart, ''). `expected` is the size of the catalogue, all files together.
    """

    files: tuple[PublishedFile, ...]
    frame: pd.DataFrame
    expected: int
    start_ms: int | None
    cut_ms: int
    utc_offset_hours: int

    @property
    def zone(self) -> timezone:
        """Time zone of the entity."""
        return timezone(timedelta(hours=self.utc_offset_hours))

    def local(self, ms: float) -> datetime:
        """A moment in the entity's time."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    @property
    def name(self) -> str:
        """A short name: contests and day of the cut."""
        contests = "+".join(dict.fromkeys(file.contest for file in self.files))
        return f"{contests} {self.local(self.cut_ms):%d/%m/%Y}"

    @property
    def captured(self) -> int:
        """Actas captured (sin acta included), as ACTAS_CAPTURADAS counts them."""
        return int((self.frame["status"] == CAPTURED).sum())

    def set_aside(self) -> dict[str, int]:
        """How many acopio stamps were set apart, by reason, and in all."""
        found = self.frame["reason"].value_counts()
        counts = {name: int(found.get(name, 0)) for name in SET_ASIDE.values()}
        return {**counts, "total": sum(counts.values())}


def build_night(files: Sequence[PublishedFile]) -> Night:
    """Put the files of one night together.

    Raises UsageError when they are of different nights or time zones.
    """
    first = files[0]
    for other in files[1:]:
        if other.utc_offset_hours != first.utc_offset_hours or abs(other.cut_ms - first.cut_ms) > MS_PER_DAY:
            raise UsageError(
                f"{other.path.name} y {first.path.name} no son de la misma noche; use --comparar"
            )
    parts = [_frame(published, number) for number, published in enumerate(files)]
    frame = pd.concat(parts, ignore_index=True)
    captures = frame["captura"].dropna().astype("int64").tolist()
    start = operation_start(captures)
    cut = max(published.cut_ms for published in files)
    frame["reason"] = [
        _reason(acopio, captura, start, cut)
        for acopio, captura in zip(frame["acopio_written"], frame["captura"], strict=True)
    ]
    frame["acopio"] = frame["acopio_written"].where(frame["reason"] == "")
    expected = int((frame["status"] != OUTSIDE).sum())
    return Night(tuple(files), frame, expected, start, cut, first.utc_offset_hours)


def _reason(acopio: float, captura: float, start: int | None, cut: int) -> str:
    if np.isnan(acopio):
        return ""
    captured = None if np.isnan(captura) else int(captura)
    slip = acopio_slip(int(acopio), captured, start)
    if slip is None and ((start is not None and acopio < start) or acopio >= cut + CUT_GRACE_MS):
        slip = "outside"
    if slip is None and captured is not None and acopio > captured:
        slip = "after_capture"
    return SET_ASIDE[slip] if slip else ""


def _frame(published: PublishedFile, number: int) -> pd.DataFrame:
    rows = list(rows_of(published))
    territory = published.territory[1] or published.territory[0]
    columns: dict[str, list[object]] = {
        "file": [number] * len(rows),
        "contest": [published.contest] * len(rows),
        "line": [row.line for row in rows],
        "status": [row.status for row in rows],
        "sin_acta": [row.observed.sin_acta for row in rows],
        "inconsistent": [row.status == CAPTURED and row.observed.inconsistent for row in rows],
        "counted": [row.counted for row in rows],
        "observation": [_observation(published, row) for row in rows],
        "origin": [_code(published, row, "ORIGEN") for row in rows],
        "medium": [_code(published, row, "DIGITALIZACION") for row in rows],
        "territory": [published.cell(row.cells, territory) if territory else "" for row in rows],
    }
    frame = pd.DataFrame(columns)
    for phase, column in zip(("acopio_written", "captura", "verificacion"), TIME_COLUMNS, strict=True):
        moments = [moment_of(published, row, column)[0] for row in rows]
        frame[phase] = pd.Series([np.nan if m is None else float(m) for m in moments], dtype="float64")
    return frame


def _observation(published: PublishedFile, row: RowFacts) -> str:
    """The observation as a person reads it; what each file writes for «none» is made one."""
    text = normal(published.cell(row.cells, "OBSERVACIONES"))
    if text in (*_NONE, "--"):
        return "SIN OBSERVACION" if row.status == CAPTURED else "NO CAPTURADA"
    return text


def _code(published: PublishedFile, row: RowFacts, column: str) -> str:
    text = normal(published.cell(row.cells, column))
    return "" if text in _NONE else text
