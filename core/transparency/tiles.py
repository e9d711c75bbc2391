"""Names and content of the tiles of the log (C2SP tlog-tiles, height 8) and of its entry bundles.

A tile of level L and number N holds the hashes of up to 256 complete subtrees of 256^L leaves, from
subtree 256 N on. A bundle holds the entries of a level 0 tile, each after its length. Partial ones
bear their width in the name, so that every name always means the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.transparency.errors import LogError
from core.transparency.merkle import HASH_BYTES, Get, root

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY = 0xFFFF
"""Bytes of the longest entry: its length is written in two bytes."""


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Name of a tile, `tile/0/x001/234` or `tile/0/000.p/17`; the level is «entries» for a bundle."""
    groups = [f"{number % 1000:03d}"]
    number //= 1000
    while number:
        groups.append(f"x{number % 1000:03d}")
        number //= 1000
    tail = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(reversed(groups))}{tail}"


def width_at(level: int, number: int, size: int) -> int:
    """Hashes that tile has in a log of `size` entries: 0 when it does not exist."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def tiles_for(old: int, new: int) -> list[tuple[int, int, int]]:
    """(level, number, width) of the tiles a log of `new` entries has and one of `old` did not."""
    found = []
    level = 0
    while new >> (HEIGHT * level):
        before, after = old >> (HEIGHT * level), new >> (HEIGHT * level)
        if after > before:
            found += [
                (level, number, width_at(level, number, new))
                for number in range(before // WIDTH, (after - 1) // WIDTH + 1)
            ]
        level += 1
    return found


def bundle(entries: Sequence[bytes]) -> bytes:
    """The entries of a bundle, each after its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes, name: str = "tile/entries") -> list[bytes]:
    """The entries of a bundle. Raises LogError when it is cut short."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise LogError(f"{name}: el archivo está cortado")
        entries.append(data[start:at])
    return entries


def hashes_of(data: bytes, width: int, name: str) -> list[bytes]:
    """The hashes of a tile. Raises LogError when it does not hold `width` of them."""
    if len(data) != width * HASH_BYTES:
        raise LogError(f"{name}: se esperaban {width * HASH_BYTES} bytes; hay {len(data)}")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def node_getter(read: Callable[[str], bytes], size: int) -> Get:
    """Complete subtrees of a log of `size` entries, from its tiles; each tile is read once."""
    kept: dict[tuple[int, int], list[bytes]] = {}

    def tile(level: int, number: int) -> list[bytes]:
        if (level, number) not in kept:
            width = width_at(level, number, size)
            kept[level, number] = read_tile(read, level, number, width)
        return kept[level, number]

    def get(level: int, index: int) -> bytes:
        upper, inner = divmod(level, HEIGHT)
        number, start = divmod(index << inner, WIDTH)
        return root(tile(upper, number)[start : start + (1 << inner)])

    return get


def read_tile(read: Callable[[str], bytes], level: int, number: int, width: int) -> list[bytes]:
    """The hashes of a tile; a partial one that is gone is taken from the full one.

    `read` raises KeyError or FileNotFoundError for a name that is not there. Raises LogError.
    """
    for given in dict.fromkeys((width, WIDTH)):
        name = tile_path(level, number, given)
        try:
            data = read(name)
        except (KeyError, FileNotFoundError):
            continue
        return hashes_of(data, given, name)[:width]
    raise LogError(f"falta la loseta {tile_path(level, number, width)}")


def read_bundle(read: Callable[[str], bytes], number: int, width: int) -> list[bytes]:
    """The first `width` entries of a bundle, partial or full. Raises LogError."""
    for given in dict.fromkeys((width, WIDTH)):
        name = tile_path("entries", number, given)
        try:
            data = read(name)
        except (KeyError, FileNotFoundError):
            continue
        entries = unbundle(data, name)
        if len(entries) != given:
            raise LogError(f"{name}: se esperaban {given} entradas; hay {len(entries)}")
        return entries[:width]
    raise LogError(f"falta {tile_path('entries', number, width)}")
