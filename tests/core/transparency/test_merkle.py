"""RFC 6962 trees: the published vectors, every proof, and another implementation."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from core.transparency.errors import ProofError
from core.transparency.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The data and roots that the reference implementation of Certificate Transparency publishes.
VECTOR_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
sizes = st.integers(1, 70)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"acta %d" % number) for number in range(count)]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def test_the_published_vectors_give_the_published_roots() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT == root([])
    hashes = [leaf_hash(data) for data in VECTOR_LEAVES]
    for size, expected in enumerate(VECTOR_ROOTS, start=1):
        assert root(hashes[:size]).hex() == expected
        assert Tree(hashes).root(size).hex() == expected


def test_the_published_proofs_come_out_as_published() -> None:
    tree = Tree(map(leaf_hash, VECTOR_LEAVES))
    assert [step.hex() for step in inclusion_proof(8, 0, tree.get)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in consistency_proof(6, 8, tree.get)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(sizes, st.data())
def test_every_inclusion_proof_holds_and_no_flipped_bit_does(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    tree = Tree(hashes)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(size, index, tree.get)
    verify_inclusion(hashes[index], index, size, proof, tree.root())
    assert len(proof) <= (size - 1).bit_length()
    bit = data.draw(st.integers(0, 255))
    wrong = [
        (flipped(hashes[index], bit), proof, tree.root()),
        (hashes[index], proof, flipped(tree.root(), bit)),
        (hashes[index], [*proof, proof[0] if proof else hashes[0]], tree.root()),
    ]
    for place, step in enumerate(proof):
        wrong.append((hashes[index], [*proof[:place], flipped(step, bit), *proof[place + 1 :]], tree.root()))
        wrong.append((hashes[index], [*proof[:place], *proof[place + 1 :]], tree.root()))
    for leaf, steps, expected in wrong:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, index, size, steps, expected)
    if size > 1:
        with pytest.raises(ProofError):
            verify_inclusion(hashes[index], (index + 1) % size, size, proof, tree.root())


@given(sizes, st.data())
def test_every_consistency_proof_holds_and_no_flipped_bit_does(new: int, data: st.DataObject) -> None:
    tree = Tree(leaves(new))
    old = data.draw(st.integers(0, new))
    before, after = tree.root(old), tree.root(new)
    proof = consistency_proof(old, new, tree.get)
    verify_consistency(old, new, before, after, proof)
    bit = data.draw(st.integers(0, 255))
    wrong = [(flipped(before, bit), after, proof), (before, after, [*proof, after])]
    if old:
        wrong.append((before, flipped(after, bit), proof))
    for place, step in enumerate(proof):
        wrong.append((before, after, [*proof[:place], flipped(step, bit), *proof[place + 1 :]]))
        wrong.append((before, after, [*proof[:place], *proof[place + 1 :]]))
    for first, second, steps in wrong:
        with pytest.raises(ProofError):
            verify_consistency(old, new, first, second, steps)


@given(st.lists(st.integers(0, 9), max_size=12))
def test_a_tree_grown_in_any_steps_is_the_tree_built_at_once(steps: list[int]) -> None:
    hashes = leaves(sum(steps))
    grown = Tree()
    taken = 0
    for step in steps:
        if step % 2:
            grown.extend(hashes[taken : taken + step])
        else:
            for one in hashes[taken : taken + step]:
                grown.append(one)
        taken += step
        assert grown.root() == root(hashes[:taken])


def test_the_roots_of_another_implementation_are_the_same_and_so_are_its_proofs() -> None:
    other = InmemoryTree(algorithm="sha256")
    data = [b"acta %d" % number for number in range(33)]
    for one in data:
        other.append_entry(one)
    tree = Tree(map(leaf_hash, data))
    for size in range(1, 34):
        assert tree.root(size) == other.get_root(size)
        for index in range(size):
            # It counts entries from one, and its path begins with the leaf itself.
            path = [
                bytes.fromhex(step) for step in other.prove_inclusion(index + 1, size).serialize()["path"]
            ]
            verify_inclusion(path[0], index, size, inclusion_proof(size, index, tree.get), tree.root(size))
            assert path == [leaf_hash(data[index]), *inclusion_proof(size, index, tree.get)]


def test_what_is_outside_the_tree_has_no_proof() -> None:
    tree = Tree(leaves(5))
    for ask in (
        lambda: inclusion_proof(5, 5, tree.get),
        lambda: inclusion_proof(9, 0, tree.get),
        lambda: consistency_proof(6, 5, tree.get),
        lambda: tree.root(6),
    ):
        with pytest.raises(ProofError):
            ask()
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(b"corto", 0, 1, [], b"corto")


def test_a_node_is_never_taken_for_a_leaf() -> None:
    left, right = leaves(2)
    assert leaf_hash(left + right) != node_hash(left, right)
