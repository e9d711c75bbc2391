"""Reviews one published file: runs every check and hands back the findings.

The checks live in `check_*`; what each code means, in `findings`.
"""

from __future__ import annotations

from pathlib import Path

from core.published.check_actas import check_actas
from core.published.check_codes import check_codes, check_structure
from core.published.check_header import check_header
from core.published.check_keys import check_keys
from core.published.check_times import check_times
from core.published.findings import Findings
from core.published.reader import PublishedFile, read_published
from core.published.row_facts import rows_of


def review(published: PublishedFile, *, start: int | None = None) -> Findings:
    """Every finding in a file already read (with `keep_ragged`, to see rows of the wrong width).

    `start` is the opening of the operation in milliseconds since the epoch; without it the hour
    before the first capture is taken.
    """
    findings = Findings()
    rows = list(rows_of(published))
    check_structure(published, findings)
    check_header(published, rows, findings)
    check_keys(published, rows, findings)
    check_times(published, rows, findings, start=start)
    check_actas(published, rows, findings)
    check_codes(published, rows, findings)
    return findings


def review_file(path: Path) -> Findings:
    """Read a file and review it. Raises InputError when it cannot be read as a PREP file."""
    return review(read_published(path, keep_ragged=True))
