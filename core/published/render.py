"""Writes a published file back from what was read of it.

For a file that needs no quoting beyond what its cells require, the result is the file itself; a
test holds it to that with the real ones. It does not build rows: whoever has a night of actas
gives a `PublishedFile` with its own.
"""

from __future__ import annotations

import csv
import io

from core.published.reader import PublishedFile


def render(published: PublishedFile) -> bytes:
    """The bytes of a published file: header, rows, separators, wrapper, line ends and encoding."""
    layout = published.layout
    buffer = io.StringIO(newline="")
    lines: list[str] = [f"sep={layout.separator}"] if layout.has_sep_line else []
    lines += [*published.title.split("\n"), published.date_line, *layout.after_date]
    buffer.write(layout.newline.join(lines) + layout.newline)
    # The ="X" wrapper has quotes of its own that Excel wants bare: quoting would double them.
    bare = layout.key_wrapper == "equals"

    def write(cells: list[str]) -> str:
        if bare or not any(layout.separator in c or '"' in c or "\n" in c for c in cells):
            return layout.separator.join(cells)
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=layout.separator, lineterminator="").writerow(cells)
        return out.getvalue()

    body = [write(published.header_names), write(published.header_values), *layout.after_counters]
    body.append(write(published.columns))
    body += [write(row) for row in published.rows]
    buffer.write(layout.newline.join(body) + layout.trailer)
    encoded = buffer.getvalue().encode(layout.encoding)
    return b"\xef\xbb\xbf" + encoded if layout.bom else encoded
