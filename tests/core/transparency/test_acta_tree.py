"""The tree of actas: from scratch and by steps it is the same, and its proofs come from its tiles."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.transparency.acta_tree import ActaTree, leaf_at, proof, tile_key
from core.transparency.errors import ProofError
from core.transparency.merkle import EMPTY_ROOT, leaf_hash, root, verify_inclusion
from tests.core.transparency.samples import reader

NATIONAL = 510_000
CORRECTED = leaf_hash(b"corregida")


def actas(count: int) -> list[bytes]:
    """Leaf hashes of so many different actas."""
    return [leaf_hash(b"acta %d" % number) for number in range(count)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 1025])
def test_the_root_is_that_of_the_plain_tree_and_every_edge_has_its_proof(tmp_path: Path, size: int) -> None:
    leaves = actas(size)
    found = ActaTree(tmp_path).update(leaves)
    assert found == root(leaves)
    get = reader(tmp_path)
    for index in {0, 1, 255, 256, 257, size // 2, size - 1} & set(range(size)):
        steps = proof(get, found, size, index)
        assert len(steps) <= (size - 1).bit_length()
        verify_inclusion(leaves[index], index, size, steps, found)
        assert leaf_at(get, found, size, index) == leaves[index]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 150), st.sets(st.integers(0, 10_000), max_size=6)), min_size=1, max_size=6
    )
)
def test_a_tree_brought_up_to_date_by_steps_is_the_one_built_from_scratch(
    steps: list[tuple[int, set[int]]],
) -> None:
    with TemporaryDirectory() as place, TemporaryDirectory() as fresh:
        grown, leaves = ActaTree(place), actas(200)
        grown.update(leaves)
        for turn, (more, touched) in enumerate(steps):
            before = len(leaves)
            leaves += actas(more)
            changed = {one % len(leaves) for one in touched} | set(range(before, len(leaves)))
            for one in changed:
                leaves[one] = leaf_hash(leaves[one] + b" %d" % turn)
            found = grown.update({one: leaves[one] for one in changed}, len(leaves))
            assert found == grown.root == ActaTree(fresh).update(leaves)
            again = ActaTree(place)
            again.load(found, len(leaves))
            assert again.root == found
            for index in (0, len(leaves) - 1):
                verify_inclusion(
                    leaves[index], index, len(leaves),
                    proof(reader(Path(place)), found, len(leaves), index), found,
                )  # fmt: skip


def test_only_the_tiles_of_what_changed_are_written_and_the_old_ones_stay(tmp_path: Path) -> None:
    tree, leaves = ActaTree(tmp_path), actas(1000)
    first = tree.update(leaves)
    assert len(tree.new_keys) == 4 + 1
    second = tree.update({300: CORRECTED}, 1000)
    assert len(tree.new_keys) == 1 + 1
    assert tree.new_keys[-1] == tile_key(second)
    assert tree.update({300: CORRECTED}, 1000) == second
    assert tree.new_keys == ()
    get = reader(tmp_path)
    verify_inclusion(leaves[300], 300, 1000, proof(get, first, 1000, 300), first)
    verify_inclusion(CORRECTED, 300, 1000, proof(get, second, 1000, 300), second)


def test_a_tile_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    tree = ActaTree(tmp_path)
    found = tree.update(actas(300))
    for key in tree.new_keys:
        path = tmp_path / key
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(ProofError, match="no es la que su nombre dice"):
            for index in (0, 299):
                proof(reader(tmp_path), found, 300, index)
        path.write_bytes(good)
    (tmp_path / tile_key(found)).unlink()
    with pytest.raises(ProofError, match="falta la loseta"):
        proof(reader(tmp_path), found, 300, 0)


def test_a_tile_cut_short_by_a_dead_machine_is_written_again(tmp_path: Path) -> None:
    found = ActaTree(tmp_path).update(actas(10))
    (tmp_path / tile_key(found)).write_bytes(b"")
    again = ActaTree(tmp_path)
    assert again.update(actas(10)) == found
    assert again.new_keys == (tile_key(found),)
    assert len(proof(reader(tmp_path), found, 10, 9)) <= 4


@given(st.lists(st.sampled_from([0, 1, 2, 255, 256, 257, 300, 511, 512, 513]), min_size=2, max_size=6))
def test_a_tree_that_loses_its_last_leaves_is_the_smaller_one(sizes: list[int]) -> None:
    with TemporaryDirectory() as place:
        tree, leaves = ActaTree(place), actas(513)
        for size in sizes:
            assert tree.update(dict(enumerate(leaves[:size])), size) == tree.root == root(leaves[:size])
            assert tree.size == size
            if size:
                steps = proof(reader(Path(place)), tree.root, size, size - 1)
                verify_inclusion(leaves[size - 1], size - 1, size, steps, tree.root)


def test_leaves_that_are_missing_or_outside_or_not_hashes_are_refused(tmp_path: Path) -> None:
    tree, leaves = ActaTree(tmp_path), actas(3)
    assert tree.root == EMPTY_ROOT
    with pytest.raises(ProofError, match="falta la hoja 1"):
        tree.update({0: leaves[0]}, 2)
    tree.update(leaves[:2])
    with pytest.raises(ProofError, match="fuera"):
        tree.update({2: leaves[2]}, 2)
    with pytest.raises(ProofError, match="32 bytes"):
        tree.update({0: b"acta"}, 2)


def test_a_proof_of_the_national_size_is_at_most_608_bytes(tmp_path: Path) -> None:
    # Every acta of the same content keeps this fast: the shape of the tree is what is measured.
    tree = ActaTree(tmp_path)
    leaf = leaf_hash(b"acta")
    found = tree.update([leaf] * NATIONAL)
    for index in (0, 255, 262_143, 262_144, NATIONAL - 1):
        steps = proof(reader(tmp_path), found, NATIONAL, index)
        assert 32 * len(steps) <= 608
        verify_inclusion(leaf, index, NATIONAL, steps, found)
