"""What a damaged, foreign or malicious file may hold: spoilings of a whole file, and of one value.

It knows nothing of the formats: numbers, quoted texts and cells are found by their looks, so the same
spoilings serve TOML, JSON and CSV.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable

from hypothesis import strategies as st

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
NUMBERS = (
    "-1",
    "0",
    "1.5",
    "9" * 5_000,
    "1" + "0" * 400,
    "9223372036854775808",
    "-9223372036854775809",
    "1e999",
    "nan",
    "inf",
    "NaN",
    "-Infinity",
    "true",
    "null",
    '"x"',
    "[]",
    "{}",
    "[[]]",
    "0x10",
    "1_000",
    "٣",
    "²",
    "2021-06-03",
    "9999-12-31T23:59:59-23:59",
    "",
)
TEXTS = (
    "",
    " ",
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "C:\\\\x",
    "=1+1",
    "<script>",
    "\\ud800",
    "\\u0000",
    "\\u202e",
    "x" * 20_000,
    "9" * 5_000,
    "-",
    "*",
    "a/b",
    "ñ",
    "\N{PILE OF POO}",
    "%s{0}",
    "\t",
)
_NUMBER = re.compile(r"(?<![\w.\"-])-?\d+(?:\.\d+)?")
_TEXT = re.compile(r'"[^"\n]*"')
_CELL = re.compile(r"(?<=[,|\n])[^,|\n\"]+(?=[,|\n])")


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A ZIP with those members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members:
            package.writestr(name, data)
    return stream.getvalue()


def _latin(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + "Peñón Ávila".encode("latin-1") + data[half:]


def _middle(what: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[: len(data) // 2] + what + data[len(data) // 2 :]


WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "blank": lambda data: b" \n\t\n",
    "nul_bytes": lambda data: bytes(4_096),
    "a_picture": lambda data: PNG,
    "a_zip": lambda data: zipped(("a.txt", b"a")),
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "latin_1_inside": _latin,
    "utf_16": lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    "utf_16_without_bom": lambda data: data.decode("utf-8", "replace").encode("utf-16-le"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "half": lambda data: data[: len(data) // 2],
    "all_but_the_last_byte": lambda data: data[:-1],
    "twice": lambda data: data + data,
    "crlf": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "nul_inside": _middle(b"\0"),
    "a_control_inside": _middle(b"\x1b[2J"),
    "a_long_line_inside": _middle(b"x" * 1_000_000),
    "a_quote_inside": _middle(b'"'),
    "deep_lists": lambda data: b"[" * 100_000,
    "deep_lists_closed": lambda data: b"[" * 100_000 + b"]" * 100_000,
    "deep_toml": lambda data: b"a = " + b"[" * 5_000 + b"]" * 5_000 + b"\n",
    "deep_objects": lambda data: b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "a_list": lambda data: b"[]",
    "an_empty_object": lambda data: b"{}",
    "a_number": lambda data: b"1",
    "null": lambda data: b"null",
    "a_huge_number": lambda data: b"9" * 5_000,
    "a_huge_number_under_a_key": lambda data: b"a = " + b"9" * 5_000 + b"\n",
    "a_huge_number_in_an_object": lambda data: b'{"a": ' + b"9" * 5_000 + b"}",
    "not_a_date": lambda data: b"a = 2021-02-31\n",
    "a_lone_surrogate": lambda data: b'{"\\ud800": "\\udfff"}',
}
"""Spoilings of a whole file, by name; each takes the good bytes."""


def _replaced(found: re.Pattern[str], text: str, which: int, value: str) -> str:
    places = list(found.finditer(text))
    if not places:
        return value + text
    place = places[which % len(places)]
    return text[: place.start()] + value + text[place.end() :]


@st.composite
def one_value_spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """The file with one number, text or cell replaced by a hostile one, or with a few bytes changed."""
    text = good.decode("utf-8", "replace")
    how = draw(st.sampled_from(("number", "text", "cell", "line", "bytes")))
    which = draw(st.integers(0, 4_000))
    if how == "number":
        return _replaced(_NUMBER, text, which, draw(st.sampled_from(NUMBERS))).encode()
    if how == "text":
        return _replaced(_TEXT, text, which, f'"{draw(st.sampled_from(TEXTS))}"').encode()
    if how == "cell":
        return _replaced(_CELL, text, which, draw(st.sampled_from((*NUMBERS, *TEXTS)))).encode()
    if how == "line":
        lines = text.splitlines(keepends=True)
        at = which % max(len(lines), 1)
        return "".join(
            [*lines[:at], *draw(st.sampled_from(([], lines[at : at + 1] * 2))), *lines[at + 1 :]]
        ).encode()
    at = which % max(len(good), 1)
    return good[:at] + draw(st.binary(min_size=0, max_size=6)) + good[at + draw(st.integers(0, 6)) :]
