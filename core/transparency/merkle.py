"""RFC 6962 Merkle trees: hashes, roots, inclusion and consistency proofs, and their verification.

Proofs are made from `get(level, index)`, the hash of the complete subtree of 2^level leaves that
starts at leaf index * 2^level; where those hashes are kept (memory, tiles) is of no concern here.
Hashes are 32 bytes. A proof is a list of hashes from the leaf upwards (RFC 6962 §2.1.1 and §2.1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from core.transparency.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""

Get = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaves have these hashes (hashes of leaves, not their data)."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        # A lone last node goes up as it is, which is what splitting at the largest power of two gives.
        odd = row[-1:] if len(row) % 2 else []
        row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)] + odd
    return row[0]


class Tree:
    """An append-only tree in memory that keeps the hash of every complete subtree (64 bytes a leaf)."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        self.extend(leaves)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add a leaf by its hash; returns its index."""
        index = len(self._levels[0])
        for row in self._levels:
            row.append(leaf)
            if len(row) & 1:
                return index
            # The last node of the row closes a pair, whose hash goes on the row above.
            leaf = sha256(b"\x01" + row[-2] + leaf).digest()
        self._levels.append([leaf])
        return index

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add many leaves by their hashes: a whole level at a time, which saves the climbing of each."""
        levels = self._levels
        levels[0].extend(leaves)
        level = 0
        while True:
            row = levels[level]
            done = len(levels[level + 1]) if level + 1 < len(levels) else 0
            due = len(row) >> 1
            if due == 0:
                return
            if level + 1 == len(levels):
                levels.append([])
            if due > done:
                pairs = iter(row[2 * done : 2 * due])
                levels[level + 1] += [
                    sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
                ]
            level += 1

    def get(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree. Raises ProofError when it is not complete."""
        try:
            return self._levels[level][index]
        except IndexError:
            raise ProofError(f"el árbol no tiene completo el nodo {index} del nivel {level}") from None

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` leaves; of all without it. Raises ProofError beyond the tree."""
        size = len(self) if size is None else size
        if not 0 <= size <= len(self):
            raise ProofError(f"el árbol tiene {len(self):,} hojas; se pidió la raíz de {size:,}")
        return root_of(size, self.get)


def root_of(size: int, get: Get) -> bytes:
    """Root of a tree of `size` leaves from its complete subtrees."""
    return range_hash(0, size, get) if size else EMPTY_ROOT


def range_hash(start: int, stop: int, get: Get) -> bytes:
    """Hash of the leaves [start, stop), where start is a multiple of a power of two ≥ stop - start."""
    size = stop - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return get(level, start >> level)
    middle = start + _split(size)
    return node_hash(range_hash(start, middle, get), range_hash(middle, stop, get))


def inclusion_proof(size: int, index: int, get: Get) -> list[bytes]:
    """Proof that leaf `index` is in the tree of `size` leaves: at most ceil(log2 size) hashes.

    Raises ProofError when the index is outside the tree.
    """
    if not 0 <= index < size:
        raise ProofError(f"la hoja {index:,} no está en un árbol de {size:,}")
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(range_hash(middle, stop, get))
            stop = middle
        else:
            proof.append(range_hash(start, middle, get))
            start = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that a leaf (by its hash) is at `index` of the tree of `size` leaves with that root.

    Raises ProofError, saying what fails. RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofError(f"la hoja {index:,} no puede estar en un árbol de {size:,}")
    _check_hashes([leaf, expected, *proof])
    node, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofError("la prueba de inclusión tiene hashes de más")
        if node & 1 or node == last:
            value = node_hash(step, value)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("a la prueba de inclusión le faltan hashes")
    if value != expected:
        raise ProofError("la prueba de inclusión no lleva a la raíz")


def consistency_proof(old: int, new: int, get: Get) -> list[bytes]:
    """Proof that the tree of `new` leaves begins with the tree of `old`; empty when old is 0 or new.

    Raises ProofError when old > new or either is negative.
    """
    if not 0 <= old <= new:
        raise ProofError(f"no hay prueba de consistencia de {old:,} a {new:,} hojas")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, stop, whole = 0, new, True
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(range_hash(middle, stop, get))
            stop = middle
        else:
            proof.append(range_hash(start, middle, get))
            start, whole = middle, False
    if not whole:
        proof.append(range_hash(start, stop, get))
    return proof[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (new, new_root) begins with the tree (old, old_root).

    Raises ProofError, saying what fails. RFC 9162 §2.1.4.2.
    """
    if not 0 <= old <= new:
        raise ProofError(f"un registro de {new:,} hojas no puede continuar uno de {old:,}")
    _check_hashes([old_root, new_root, *proof])
    if old in (0, new):
        if proof:
            raise ProofError("la prueba de consistencia tiene hashes de más")
        if old == 0 and old_root != EMPTY_ROOT:
            raise ProofError("la raíz del registro vacío no es la que debe ser")
        if old == new and old_root != new_root:
            raise ProofError("dos raíces distintas para el mismo tamaño: el registro se bifurcó")
        return
    steps = list(proof)
    if old & (old - 1) == 0:
        # The old tree is one complete subtree: its root is where the climb begins.
        steps.insert(0, old_root)
    if not steps:
        raise ProofError("a la prueba de consistencia le faltan hashes")
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("la prueba de consistencia tiene hashes de más")
        if node & 1 or node == last:
            before = node_hash(step, before)
            after = node_hash(step, after)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            after = node_hash(after, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("a la prueba de consistencia le faltan hashes")
    if before != old_root:
        raise ProofError("la prueba de consistencia no lleva a la raíz anterior: el pasado cambió")
    if after != new_root:
        raise ProofError("la prueba de consistencia no lleva a la raíz nueva")


def _split(size: int) -> int:
    """The largest power of two below size."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError("un hash de la prueba no mide 32 bytes")
