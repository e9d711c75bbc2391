"""What a witness cosigns and what it never does, whatever it is asked and whenever it dies."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pymerkle  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.transparency.keys import rehearsal_key
from core.transparency.merkle import verify_consistency
from core.transparency.notes import Note, Verifier, cosigned_message, parse_checkpoint, parse_note
from core.witness import state as state_module
from core.witness.errors import (
    BadProofError,
    ForkedError,
    MalformedError,
    RefusedError,
    StaleError,
    UnknownKeyError,
    UnknownOriginError,
    WitnessError,
)
from core.witness.state import WitnessState, evidence_of, read_notes
from core.witness.witness import Request, Witness, parse_request
from tests.core.witness.logs import KEY, ORIGIN, Story, witness_key

WITNESS = witness_key()
HONEST = Story(shared=10)
FORK = Story("b", shared=10)


class Post:
    """A witness with its folder. `now` is its clock."""

    def __init__(self, folder: Path, *logs: Verifier) -> None:
        self.folder = folder
        self.logs = logs or (KEY.verifier,)
        self.now = 1_622_937_600
        self.begin()

    def begin(self) -> None:
        self.state = WitnessState(self.folder, WITNESS.verifier)
        self.witness = Witness(WITNESS, self.state, self.logs, lambda: self.now)

    def again(self) -> None:
        """Another process takes the folder."""
        self.state.close()
        self.begin()

    def ask(self, request: Request) -> str:
        return self.witness.add_checkpoint(request.encode())


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path / "estado")
    yield post
    post.state.close()


def test_a_log_that_grows_is_cosigned_and_each_signature_holds(post: Post) -> None:
    old = 0
    for size in (1, 1, 3, 8, 40):
        post.now += 60
        line = post.ask(HONEST.request(old, size))
        note = parse_note(str(HONEST.note(size)) + line)
        assert WITNESS.verifier.signed(note.text, note.signatures[-1])
        assert int.from_bytes(note.signatures[-1].blob[:8], "big") == post.now
        old = size


def test_the_size_it_has_is_told_to_who_does_not_know_it_and_survives_a_restart(post: Post) -> None:
    post.ask(HONEST.request(0, 7))
    for _ in range(2):
        with pytest.raises(StaleError) as told:
            post.ask(HONEST.request(0, 9))
        assert (told.value.size, told.value.status) == (7, 409)
        post.again()
    assert post.ask(HONEST.request(7, 9))


def test_a_smaller_tree_is_never_signed_even_if_it_was_once_true(post: Post) -> None:
    post.ask(HONEST.request(0, 9))
    with pytest.raises(StaleError):
        post.ask(HONEST.request(5, 5))
    small = HONEST.request(0, 5)
    with pytest.raises(MalformedError):
        post.ask(Request(9, (), small.note, small.checkpoint))
    assert parse_checkpoint(post.witness.notes()[ORIGIN].text).size == 9


def test_another_root_for_the_size_it_signed_is_refused_and_kept_as_proof(post: Post) -> None:
    post.ask(HONEST.request(0, 20))
    with pytest.raises(ForkedError) as told:
        post.ask(FORK.request(20, 20))
    assert told.value.status == 409
    assert HONEST.tree.root(20).hex() in told.value.text and FORK.tree.root(20).hex() in told.value.text
    with pytest.raises(StaleError):
        post.ask(FORK.request(10, 20))
    (proof,) = evidence_of(post.folder)
    note = parse_note(proof.read_bytes())
    assert parse_checkpoint(note.text).root == FORK.tree.root(20)
    assert KEY.verifier.signed(note.text, note.signatures[0])


def test_the_proofs_against_a_log_leave_room_for_those_against_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "MOST_EVIDENCE", 2)
    with contextlib.closing(WitnessState(tmp_path, witness_key("universidad.mx").verifier)) as state:
        for size in range(3, 9):
            state.evidence(ORIGIN, FORK.note(size))
        state.evidence("prep.col.2021/simulacro", HONEST.note(4))
    assert len(evidence_of(tmp_path)) == 3


def test_a_fork_further_on_does_not_prove_its_past(post: Post) -> None:
    post.ask(HONEST.request(0, 20))
    with pytest.raises(BadProofError) as told:
        post.ask(FORK.request(20, 30))
    assert told.value.status == 422
    assert post.ask(HONEST.request(20, 30))


@pytest.mark.parametrize("spoil", ["cut", "more", "other"])
def test_a_spoilt_proof_is_refused(post: Post, spoil: str) -> None:
    post.ask(HONEST.request(0, 6))
    good = HONEST.request(6, 11)
    proof = {
        "cut": good.proof[:-1],
        "more": (*good.proof, bytes(32)),
        "other": (bytes(32), *good.proof[1:]),
    }[spoil]
    with pytest.raises(BadProofError):
        post.ask(Request(6, proof, good.note, good.checkpoint))


def test_an_unknown_log_and_an_unknown_key_are_told_apart(post: Post) -> None:
    with pytest.raises(UnknownOriginError) as origin:
        post.ask(Story(key=rehearsal_key("prep.col.2021/simulacro", "x")).request(0, 3))
    with pytest.raises(UnknownKeyError) as key:
        post.ask(Story(key=rehearsal_key(ORIGIN, "otra")).request(0, 3))
    assert (origin.value.status, key.value.status) == (404, 403)
    assert post.witness.notes() == {}


def test_after_a_rotation_both_keys_are_followed_as_one_log(tmp_path: Path) -> None:
    new = rehearsal_key(ORIGIN, "nueva")
    post = Post(tmp_path, KEY.verifier, new.verifier)
    post.ask(HONEST.request(0, 4))
    rotated = Story(key=new, shared=10)
    rotated.tree = HONEST.tree
    assert post.ask(rotated.request(4, 6))
    post.state.close()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff\xfe", b"old 0\n\n", b"old x\n\n", b"old -1\n\n", b"old 007\n\n",
        b"old 0\nno es base64\n\nx\n1\nAAAA\n\n", b"nuevo 0\n\n",
        b"old 0\n" + b"AAAA\n" * 64 + b"\n", b"old 0\nAAAA\n\n",
    ],
    ids=["empty", "bytes", "nothing", "word", "negative", "zeros", "proof", "first", "long", "short"],
)  # fmt: skip
def test_what_is_not_a_request_is_malformed(post: Post, body: bytes) -> None:
    for data in (body, body + str(HONEST.note(3)).encode() if body == b"old 0\nAAAA\n\n" else body):
        with pytest.raises(MalformedError) as told:
            post.witness.add_checkpoint(data)
        assert told.value.status == 400


def test_a_request_reads_as_it_was_written() -> None:
    request = HONEST.request(5, 17)
    assert parse_request(request.encode()) == request


def test_damaged_state_or_that_of_another_key_is_never_taken_for_nothing_signed(post: Post) -> None:
    post.ask(HONEST.request(0, 9))
    post.state.close()
    (path,) = post.folder.glob("*.checkpoint")
    with pytest.raises(WitnessError, match="no lleva la firma"):
        WitnessState(post.folder, witness_key("otro.mx").verifier)
    whole = path.read_bytes()
    for data in (whole[:-30], b"", whole.replace(b"\n9\n", b"\n3\n")):
        path.write_bytes(data)
        with pytest.raises(WitnessError):
            WitnessState(post.folder, WITNESS.verifier)
    path.write_bytes(whole)
    post.begin()
    assert parse_checkpoint(post.witness.notes()[ORIGIN].text).size == 9


def test_two_processes_never_hold_the_same_state(post: Post) -> None:
    with pytest.raises(WitnessError, match="otro testigo"):
        WitnessState(post.folder, WITNESS.verifier)


def test_nobody_sees_a_signature_that_is_not_on_disk(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.ask(HONEST.request(0, 5))

    def full(*_: object, **__: object) -> None:
        raise OSError("disco lleno")

    monkeypatch.setattr("core.witness.state.write_whole", full)
    with pytest.raises(OSError, match="disco lleno"):
        post.ask(HONEST.request(5, 8))
    monkeypatch.undo()
    with pytest.raises(StaleError) as told:
        post.ask(FORK.request(8, 8))
    assert told.value.size == 5


def test_openssl_agrees_on_the_cosignature(post: Post, tmp_path: Path) -> None:
    note = parse_note(str(HONEST.note(12)) + post.ask(HONEST.request(0, 12)))
    blob = note.signatures[-1].blob
    message = cosigned_message(note.text, post.now)
    assert message == f"cosignature/v1\ntime {post.now}\n{note.text}".encode()
    der = bytes.fromhex("302a300506032b6570032100") + WITNESS.verifier.public
    for name, data in (("llave.der", der), ("texto", message), ("firma", blob[8:])):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "llave.der", "-rawin"]
    command += ["-in", "texto", "-sigfile", "firma"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "texto").write_bytes(message.replace(b"time 1", b"time 2"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_pymerkle_makes_the_same_trees_and_accepts_what_a_witness_accepts() -> None:
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for index in range(40):
        other.append_entry(f"{'común' if index < 10 else 'a'} {index}".encode())
    for old, new in itertools.combinations((1, 2, 3, 7, 8, 21, 40), 2):
        before, after = other.get_root(old), other.get_root(new)
        assert (before, after) == (HONEST.tree.root(old), HONEST.tree.root(new))
        verify_consistency(old, new, before, after, HONEST.request(old, new).proof)
        pymerkle.verify_consistency(before, after, other.prove_consistency(old, new))


class WitnessMachine(RuleBasedStateMachine):
    """Anybody asks for anything, of two stories of one log, and the process dies whenever it likes."""

    @initialize()
    def start(self) -> None:
        import tempfile

        self.place = tempfile.TemporaryDirectory()
        self.post = Post(Path(self.place.name))
        self.signed: dict[int, set[bytes]] = {}
        self.sizes: list[int] = []

    @rule(
        fork=st.booleans(), old=st.integers(0, 24), more=st.integers(0, 6),
        proof_from=st.one_of(st.none(), st.integers(0, 24)),
    )  # fmt: skip
    def ask(self, fork: bool, old: int, more: int, proof_from: int | None) -> None:
        story, size = (FORK if fork else HONEST), old + more
        request = story.request(old, size)
        if proof_from is not None:
            proof = story.request(min(proof_from, size), size).proof
            request = Request(old, proof, request.note, request.checkpoint)
        try:
            line = self.post.ask(request)
        except RefusedError:
            return
        note: Note = parse_note(str(request.note) + line)
        assert WITNESS.verifier.signed(note.text, note.signatures[-1])
        self.signed.setdefault(size, set()).add(request.checkpoint.root)
        self.sizes.append(size)

    @precondition(lambda self: self.sizes)
    @rule(more=st.integers(0, 6))
    def grow(self, more: int) -> None:
        size = self.sizes[-1]
        if size + more <= 40:
            story = HONEST if HONEST.tree.root(size) in self.signed[size] else FORK
            assert self.post.ask(story.request(size, size + more))
            self.signed.setdefault(size + more, set()).add(story.tree.root(size + more))
            self.sizes.append(size + more)

    @precondition(lambda self: self.sizes and self.sizes[-1] > 10)
    @rule(more=st.integers(1, 6))
    def betray(self, more: int) -> None:
        """The other story, from the very size it signed, with the proof that is true of that story."""
        size = self.sizes[-1]
        if size + more <= 40:
            story = FORK if HONEST.tree.root(size) in self.signed[size] else HONEST
            with pytest.raises(BadProofError):
                self.post.ask(story.request(size, size + more))

    @rule()
    def die(self) -> None:
        self.post.again()

    @invariant()
    def one_root_for_each_size_and_never_back(self) -> None:
        assert all(len(roots) == 1 for roots in self.signed.values())
        assert self.sizes == sorted(self.sizes)
        later = [size for size in self.signed if size > 10]
        stories = {HONEST.tree.root(size) in self.signed[size] for size in later}
        assert len(stories) <= 1
        kept = read_notes(self.post.folder).get(ORIGIN)
        assert (0 if kept is None else parse_checkpoint(kept.text).size) == (self.sizes or [0])[-1]

    def teardown(self) -> None:
        if hasattr(self, "post"):
            self.post.state.close()
            self.place.cleanup()


TestWitnessMachine = WitnessMachine.TestCase
TestWitnessMachine.settings = settings(
    max_examples=25, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]
)
