"""Times of acopio, captura and verificación of a published file.

Hand-typed acopio stamps go wrong in a few well-known ways (the day not turned over after midnight,
morning for afternoon and the other way round). A stamp that no order explains is put under the
way that would mend it. Times out of order are legal and only pointed out.
"""

from __future__ import annotations

from dataclasses import replace

from core.published.findings import Findings
from core.published.layout import MS_PER_DAY, MS_PER_HOUR, TIME_COLUMNS, parse_time, time_format_of
from core.published.reader import PublishedFile
from core.published.row_facts import CAPTURED, RowFacts

HALF_DAY = MS_PER_DAY // 2
CUT_GRACE_MS = 60_000
"""The cut is written without seconds: its whole minute belongs to it."""
STRAY_GAP_MS = 3 * MS_PER_HOUR
"""A capture this long before all the others is a wrong stamp, not the start of the operation."""

DAY_EARLY = "day_early"
HALF_DAY_EARLY = "half_day_early"
HALF_DAY_LATE = "half_day_late"


def operation_start(captures: list[int]) -> int | None:
    """When the operation began, from the captures: the hour before the first one that is not a stray.

    Times in milliseconds since the epoch; None without captures. Nobody can key an acta before
    the system opens, while acopio is written by hand and cannot be trusted for this.
    """
    times = sorted(captures)
    strays = len(times) // 200
    first = 0
    for i in range(min(strays, len(times) - 1)):
        if times[i + 1] - times[i] > STRAY_GAP_MS:
            first = i + 1
    if not times:
        return None
    return (times[first] // MS_PER_HOUR - 1) * MS_PER_HOUR


def acopio_slip(acopio: int, captura: int | None, start: int | None) -> str | None:
    """How an acopio stamp was mistyped, or None when it is plausible or nothing explains it."""
    if captura is None or start is None:
        return None
    if acopio < start:
        if start <= acopio + HALF_DAY <= captura:
            return HALF_DAY_EARLY
        if start <= acopio + MS_PER_DAY <= captura:
            return DAY_EARLY
    elif acopio > captura and start <= acopio - HALF_DAY <= captura:
        return HALF_DAY_LATE
    return None


def check_times(
    published: PublishedFile, rows: list[RowFacts], findings: Findings, *, start: int | None = None
) -> None:
    """Format, period and order of the three times. `start` is the opening of the operation, if known."""
    times = [_times_of(published, row, findings) for row in rows]
    if start is None:
        start = operation_start([captura for _, captura, _ in times if captura is not None])
    end = published.cut_ms + CUT_GRACE_MS
    for row, (acopio, captura, verificacion) in zip(rows, times, strict=True):
        explained = _acopio(row, acopio, captura, start, end, published, findings)
        for name, moment in zip(TIME_COLUMNS[1:], (captura, verificacion), strict=True):
            _period(row, name, moment, start, end, published, findings)
        if acopio is not None and captura is not None and captura < acopio and not explained:
            findings.add("T06", f"{_minutes(acopio - captura)} antes del acopio", row.line, TIME_COLUMNS[1])
        if captura is not None and verificacion is not None and verificacion < captura:
            findings.add(
                "T07", f"{_minutes(captura - verificacion)} antes de la captura", row.line, TIME_COLUMNS[2]
            )
        if row.status == CAPTURED and row.counted and (captura is None or verificacion is None):
            cells = [published.cell(row.cells, name) for name in TIME_COLUMNS[1:]]
            # A cell that could not be understood is told as such, once.
            missing = [
                name for name, cell in zip(TIME_COLUMNS[1:], cells, strict=True) if cell in ("", "-", "N/A")
            ]
            if missing:
                findings.add("T09", "no tiene " + " ni ".join(missing), row.line, missing[0])


def _times_of(
    published: PublishedFile, row: RowFacts, findings: Findings
) -> tuple[int | None, int | None, int | None]:
    moments: list[int | None] = []
    for name in TIME_COLUMNS:
        moment, problem = moment_of(published, row, name)
        if problem:
            findings.add("T01", problem, row.line, name)
        moments.append(moment)
    return moments[0], moments[1], moments[2]


def moment_of(published: PublishedFile, row: RowFacts, column: str) -> tuple[int | None, str]:
    """One time of a row in milliseconds since the epoch, and what is wrong with how it is written.

    A time in another format than the file's is understood all the same.
    """
    cell = published.cell(row.cells, column)
    layout = published.layout
    try:
        return parse_time(cell, layout, published.utc_offset_hours), ""
    except ValueError as error:
        problem = str(error)
    other = time_format_of(cell)
    if other is None:
        return None, problem
    try:
        lenient = replace(layout, date_format=other[0], time_suffix=other[1])
        return parse_time(cell, lenient, published.utc_offset_hours), problem
    except ValueError:
        return None, problem


def _acopio(
    row: RowFacts,
    acopio: int | None,
    captura: int | None,
    start: int | None,
    end: int,
    published: PublishedFile,
    findings: Findings,
) -> bool:
    """Tell what is wrong with the acopio; True when a slip explains it."""
    if acopio is None:
        return False
    slip = acopio_slip(acopio, captura, start)
    written = published.cell(row.cells, TIME_COLUMNS[0])
    if slip is None:
        return _period(row, TIME_COLUMNS[0], acopio, start, end, published, findings)
    code, words = {
        DAY_EARLY: ("T03", "un día antes"),
        HALF_DAY_EARLY: ("T04", "doce horas antes"),
        HALF_DAY_LATE: ("T05", "doce horas después"),
    }[slip]
    captured = published.cell(row.cells, TIME_COLUMNS[1])
    findings.add(
        code, f"{written} está {words} de lo que cabe con su captura, {captured}", row.line, TIME_COLUMNS[0]
    )
    return True


def _period(
    row: RowFacts,
    name: str,
    moment: int | None,
    start: int | None,
    end: int,
    published: PublishedFile,
    findings: Findings,
) -> bool:
    if moment is None:
        return False
    written = published.cell(row.cells, name)
    if start is not None and moment < start:
        findings.add("T02", f"{written} es anterior al inicio de la operación", row.line, name)
        return True
    if moment >= end:
        findings.add("T08", f"{written} es posterior al corte, {published.date_line.strip()}", row.line, name)
        # An acopio after the cut is also after its capture: told once.
        return True
    return False


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes} min {seconds} s"
