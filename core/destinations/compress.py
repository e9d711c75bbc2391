"""Which files of a publication go out compressed, and their compressed bytes, always the same ones.

In a folder the compressed copies lie beside the file (`.gz`, `.br`) for a static server to choose; in
S3 the object itself is compressed. What people download to check by its hash (the packages, the
verifier) is never changed on the way. It neither reads nor writes files.
"""

from __future__ import annotations

import gzip
import zlib

import brotli

from core.publication.public_tree import Kind, compressible, kind

MIN_BYTES = 1024
"""Below this size the headers of the compressed answer eat what it saves."""

_GZIP_LEVEL = 6
_BROTLI_SHARED = 5
_BROTLI_SITE = 9
"""The files of the site are made once and read by everybody; objects are made at each cut."""


def gz(data: bytes) -> bytes:
    """gzip without name or hour: the same bytes for the same content."""
    return gzip.compress(data, _GZIP_LEVEL, mtime=0)


def br(key: str, data: bytes) -> bytes:
    """Brotli, harder for the files of the site than for what each cut brings."""
    site = key.startswith("sitio/") or kind(key) is Kind.PAGE
    quality = _BROTLI_SITE if site else _BROTLI_SHARED
    packed: bytes = brotli.compress(data, mode=brotli.MODE_TEXT, quality=quality)
    return packed


def decoded(data: bytes, encoding: str | None) -> bytes:
    """What a reader gets of bytes sent with that Content-Encoding. Raises ValueError for other bytes."""
    if not encoding or encoding == "identity":
        return data
    if encoding != "gzip":
        raise ValueError(f"unknown content encoding {encoding!r}")
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not gzip: {error}") from error


def has_siblings(key: str, size: int) -> bool:
    """True when a folder keeps a `.gz` beside that file."""
    return size >= MIN_BYTES and compressible(key) and kind(key) not in (Kind.POINTER, Kind.CHECKPOINT)


def is_shared(key: str) -> bool:
    """True for what every visitor asks for, whatever he looks at: it also gets a `.br`."""
    return key.startswith("sitio/") or kind(key) is Kind.PAGE


def sent_encoded(key: str, size: int) -> bool:
    """True when S3 keeps that file compressed, with its Content-Encoding.

    Packages and programs stay as they are: a client that does not decode must be able to compare
    their SHA-256 and run them.
    """
    if key.startswith("cortes/") or key.endswith(".py"):
        return False
    return has_siblings(key, size)
