"""`registro`: what the Merkle trees of the publication cost beside the hashing they cannot avoid.

A tree of n leaves takes n hashes of leaves and n - 1 of nodes: the denominator is 2n calls of SHA-256
in a bare loop, on inputs of the same length.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from time import process_time

from benchmarks.context import Context, by_turns
from benchmarks.figures import Figure
from core.transparency.acta_tree import ActaTree, proof
from core.transparency.merkle import HASH_BYTES, Tree, leaf_hash, verify_inclusion

NATIONAL = 510_000
QUICK = 2_000
TURNS = 3
SLICE = 5_000
"""Leaves of each turn: some milliseconds."""
LEAF_BYTES = 200
"""Bytes of a leaf: some four blocks of SHA-256."""


def registro(context: Context) -> list[Figure]:
    """Appending a national night to a log leaf by leaf, and building its tree of actas with its tiles."""
    count = QUICK if context.quick else NATIONAL
    data = [b"%0*d" % (LEAF_BYTES, number) for number in range(count)]
    prefixed = [b"\x00" + one for one in data]
    node = bytes(1 + 2 * HASH_BYTES)
    place = context.room("registro")
    turn = 0

    def bare() -> None:
        for one in prefixed:
            sha256(one).digest()
        for _ in range(count):
            sha256(node).digest()

    def actas() -> None:
        nonlocal turn
        turn += 1
        ActaTree(place / str(turn)).update([leaf_hash(one) for one in data])

    calibration = context.calibrate()
    appended, beside = _slice_by_slice(data, prefixed)
    tiled, hashing = by_turns([actas, bare], TURNS)
    note = f"{count:,} hojas de {LEAF_BYTES} bytes"
    whole = ("2n SHA-256 en un ciclo", hashing)
    longest = _longest_proof(place / "pruebas", [leaf_hash(one) for one in data])
    most = (count - 1).bit_length() * HASH_BYTES
    return [
        Figure(
            "registro", "añadir hoja por hoja", appended / beside, calibration, 2.0, unit="s",
            part=("Tree.append", appended), whole=("2n SHA-256 en un ciclo", beside),
            note=f"{note}; segundos de CPU, por tramos de {SLICE:,}",
        ),
        Figure(
            "registro", "árbol de actas completo, con sus losetas escritas", tiled / hashing, calibration,
            unit="s", part=("ActaTree.update", tiled), whole=whole, note=note,
        ),
        Figure(
            "registro", "la prueba más larga de un acta", longest / most, calibration, 1.0, unit="bytes",
            part=("la más larga de mil", longest), whole=("⌈log2 n⌉ hashes", most), note=note,
        ),
    ]  # fmt: skip


def _slice_by_slice(data: list[bytes], prefixed: list[bytes]) -> tuple[float, float]:
    """Seconds of CPU to append every leaf, and of the bare hashing beside it, a slice of one after the other.

    The clock would charge to one side what the rest of the machine does meanwhile.
    """
    appended = hashing = 0.0
    node = bytes(1 + 2 * HASH_BYTES)
    for _ in range(TURNS):
        tree = Tree()
        for start in range(0, len(data), SLICE):
            piece, bare = data[start : start + SLICE], prefixed[start : start + SLICE]
            began = process_time()
            for one in piece:
                tree.append(leaf_hash(one))
            between = process_time()
            for one in bare:
                sha256(one).digest()
            for _ in bare:
                sha256(node).digest()
            appended += between - began
            hashing += process_time() - between
    return appended / TURNS, hashing / TURNS


def _longest_proof(place: Path, leaves: list[bytes]) -> int:
    """Bytes of the longest of a thousand proofs spread over the tree; each is verified."""
    root = ActaTree(place).update(leaves)
    size, longest = len(leaves), 0

    def get(key: str) -> bytes:
        return (place / key).read_bytes()

    for index in range(0, size, max(1, size // 1000)):
        steps = proof(get, root, size, index)
        verify_inclusion(leaves[index], index, size, steps, root)
        longest = max(longest, HASH_BYTES * len(steps))
    return longest
