"""Small logs for the tests of witnesses: checkpoints and proofs of any moment, and another story."""

from __future__ import annotations

from core.transparency.keys import SigningKey, WitnessKey, rehearsal_key
from core.transparency.merkle import Tree, consistency_proof, leaf_hash
from core.transparency.notes import Checkpoint, Note, parse_checkpoint, parse_note
from core.witness.witness import Request

ORIGIN = "prep.jal.2021/simulacro"
KEY = rehearsal_key(ORIGIN, "semilla")


def witness_key(name: str = "universidad.mx") -> WitnessKey:
    """The key of a witness, the same for the same name."""
    return WitnessKey(name, rehearsal_key(ORIGIN, name).private)


class Story:
    """A log of up to `size` entries; two stories agree on the first `shared` of them, and on no other."""

    def __init__(self, name: str = "a", *, size: int = 40, shared: int = 0, key: SigningKey = KEY) -> None:
        self.key = key
        self.tree = Tree(
            leaf_hash(f"{'común' if index < shared else name} {index}".encode()) for index in range(size)
        )

    def note(self, size: int) -> Note:
        """The signed checkpoint of the first `size` entries."""
        text = Checkpoint(self.key.origin, size, self.tree.root(size)).text
        return parse_note(f"{text}\n{self.key.sign(text)}")

    def request(self, old: int, size: int) -> Request:
        """What an honest client sends."""
        note = self.note(size)
        proof = tuple(consistency_proof(old, size, self.tree.get))
        return Request(old, proof, note, parse_checkpoint(note.text))
