"""The Merkle tree of the actas of an emission, kept as content-addressed tiles in `hojas/`.

A tile holds up to 256 hashes and is named by the root of the tree of those hashes, which is its own
entry in the tile above; the top tile bears the root of the whole tree. Emissions share the tiles
that did not change, and the path to any acta starts at the root: no index is needed. What the bytes
of an acta are belongs to the publication.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.transparency.errors import ProofError
from core.transparency.merkle import EMPTY_ROOT, HASH_BYTES, Tree, inclusion_proof, root
from core.transparency.tiles import WIDTH
from core.whole_file import write_whole

FOLDER = "hojas"


def tile_key(name: bytes) -> str:
    """Public name of a tile: `hojas/ab/abcd…`."""
    text = name.hex()
    return f"{FOLDER}/{text[:2]}/{text}"


class ActaTree:
    """The tree of one operation, brought up to date emission by emission.

    `folder` is the work folder. `new_keys` are the tiles the last `update` or `load` wrote, in order
    of level. Files are whole or absent; putting them on disk for good is of whoever commits the cut.
    Takes 32 bytes an acta in memory, and 1/256 more.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._rows: list[bytearray] = [bytearray()]
        """By level of tiles, the hashes one after the other; row 0 are the leaves."""
        self._pending: set[int] = set()
        """Tiles of leaves that changed and are not written: a full disk leaves them for the next update."""
        self.new_keys: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Leaves."""
        return len(self._rows[0]) // HASH_BYTES

    @property
    def root(self) -> bytes:
        """Root of the tree as it is."""
        return bytes(self._rows[-1]) if self.size else EMPTY_ROOT

    def update(self, leaves: Mapping[int, bytes] | Sequence[bytes], size: int | None = None) -> bytes:
        """Put the hashes of some leaves by their position, or of all in order; returns the root.

        They are leaf hashes (`merkle.leaf_hash` of the bytes of the acta): the bytes of a national
        night do not fit in memory. `size` is the number of leaves afterwards; fewer than before drops
        the last ones. Writes only the tiles whose hashes changed. Raises ProofError when a position is
        missing or outside, or a hash is not one.
        """
        changed = leaves if isinstance(leaves, Mapping) else dict(enumerate(leaves))
        before = self.size
        size = max(before, len(changed)) if size is None else size
        missing = next((one for one in range(before, size) if one not in changed), None)
        if missing is not None:
            raise ProofError(f"árbol de actas de {size:,} hojas: falta la hoja {missing}")
        if any(not 0 <= one < size for one in changed):
            raise ProofError(f"hay hojas fuera de un árbol de actas de {size:,}")
        if any(len(one) != HASH_BYTES for one in changed.values()):
            raise ProofError("el árbol de actas recibe hashes de hoja, de 32 bytes")
        row = self._rows[0]
        row.extend(bytes(max(0, size - before) * HASH_BYTES))
        for index, value in changed.items():
            at = index * HASH_BYTES
            if index >= before or row[at : at + HASH_BYTES] != value:
                row[at : at + HASH_BYTES] = value
                self._pending.add(index // WIDTH)
        if size < before:
            self._drop(size)
        self._climb(set(self._pending))
        self._pending.clear()
        return self.root

    def load(self, expected: bytes, size: int) -> None:
        """Take the state of an emission from the tiles of its root. Raises ProofError."""

        def get(key: str) -> bytes:
            return (self._folder / key).read_bytes()

        names = [expected]
        rows = [bytearray(expected)]
        for level in reversed(range(_depth(size))):
            count = -(-size // WIDTH**level)
            row = bytearray()
            for position, name in enumerate(names):
                width = min(WIDTH, count - position * WIDTH)
                row += b"".join(_read(get, name, width))
            names = [bytes(row[at : at + HASH_BYTES]) for at in range(0, len(row), HASH_BYTES)]
            rows.insert(0, row)
        self._rows = rows if size else [bytearray()]
        self._pending.clear()
        self.new_keys = ()

    def _drop(self, size: int) -> None:
        """Cut every row to a smaller tree; the last tile of leaves has to be made again."""
        del self._rows[_depth(size) + 1 :]
        for level, row in enumerate(self._rows):
            del row[-(-size // WIDTH**level) * HASH_BYTES :]
        last = (size - 1) // WIDTH
        self._pending = {one for one in self._pending if one <= last} | ({last} if size else set())

    def _climb(self, dirty: set[int]) -> None:
        """Write the dirty tiles of each level and put their names in the level above, up to the root."""
        written: list[str] = []
        rows = self._rows
        depth = _depth(self.size)
        for level in range(depth):
            row = rows[level]
            tiles = -(-len(row) // (HASH_BYTES * WIDTH))
            if level + 1 == len(rows):
                rows.append(bytearray())
                dirty = set(range(tiles))
            above = rows[level + 1]
            above.extend(bytes(tiles * HASH_BYTES - len(above)))
            for number in sorted(dirty):
                tile = bytes(row[number * WIDTH * HASH_BYTES : (number + 1) * WIDTH * HASH_BYTES])
                name = root(_cut(tile))
                if self._write(tile_key(name), tile):
                    written.append(tile_key(name))
                above[number * HASH_BYTES : (number + 1) * HASH_BYTES] = name
            dirty = {number // WIDTH for number in dirty}
        self.new_keys = tuple(dict.fromkeys(written))

    def _write(self, key: str, data: bytes) -> bool:
        path = self._folder / key
        try:
            # A file cut short by the death of the machine is written again.
            if path.stat().st_size == len(data):
                return False
        except FileNotFoundError:
            pass
        write_whole(path, data, durable=False)
        return True


def proof(get: Callable[[str], bytes], expected: bytes, size: int, index: int) -> list[bytes]:
    """Inclusion proof of an acta in the tree with that root, from its tiles: one read for each level.

    `get` gives the bytes of a public name and raises KeyError or FileNotFoundError. Every tile is
    checked against its name. Raises ProofError.
    """
    if not 0 <= index < size:
        raise ProofError(f"el acta {index:,} no está en un árbol de {size:,}")
    steps: list[list[bytes]] = []
    name = expected
    for level in reversed(range(_depth(size))):
        count = -(-size // WIDTH**level)
        number, inside = divmod(index // WIDTH**level, WIDTH)
        hashes = _read(get, name, min(WIDTH, count - number * WIDTH))
        steps.append(inclusion_proof(len(hashes), inside, Tree(hashes).get))
        name = hashes[inside]
    return [one for part in reversed(steps) for one in part]


def leaf_at(get: Callable[[str], bytes], expected: bytes, size: int, index: int) -> bytes:
    """Hash of the leaf at a position of the tree with that root. Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"el acta {index:,} no está en un árbol de {size:,}")
    name = expected
    for level in reversed(range(_depth(size))):
        count = -(-size // WIDTH**level)
        number, inside = divmod(index // WIDTH**level, WIDTH)
        name = _read(get, name, min(WIDTH, count - number * WIDTH))[inside]
    return name


def _depth(size: int) -> int:
    """Levels of tiles of a tree of that many leaves."""
    depth, count = 0, size
    while count:
        depth += 1
        if count <= WIDTH:
            return depth
        count = -(-count // WIDTH)
    return depth


def _read(get: Callable[[str], bytes], name: bytes, width: int) -> list[bytes]:
    try:
        data = get(tile_key(name))
    except (KeyError, FileNotFoundError):
        raise ProofError(f"falta la loseta {tile_key(name)}") from None
    hashes = _cut(data)
    if len(hashes) != width or len(data) != width * HASH_BYTES or root(hashes) != name:
        raise ProofError(f"la loseta {tile_key(name)} no es la que su nombre dice")
    return hashes


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
