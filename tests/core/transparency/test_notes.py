"""Signed notes, checkpoints, cosignatures and the keys behind them; openssl agrees."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from core.transparency import keyring
from core.transparency.errors import KeyFileError, NoteError
from core.transparency.keys import (
    WitnessKey,
    generate,
    generate_witness,
    join,
    load_key,
    load_witness,
    mode_of,
    origin_of,
    rehearsal_key,
)
from core.transparency.notes import (
    Checkpoint,
    Verifier,
    cosigned_at,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_signatures,
    witnesses_of,
)
from tests.core.transparency.samples import KEY, ORIGIN

CHECKPOINT = Checkpoint(ORIGIN, 12, bytes(range(32)))
SIGNED = f"{CHECKPOINT.text}\n{KEY.sign(CHECKPOINT.text)}"
HALVES = ("primera mitad larga", "segunda mitad larga")


def openssl(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_a_signed_checkpoint_is_read_back_with_its_key() -> None:
    checkpoint, note = open_checkpoint(SIGNED, [Verifier.from_vkey(KEY.vkey)])
    assert checkpoint == CHECKPOINT
    assert str(note) == SIGNED
    assert KEY.vkey.startswith(f"{ORIGIN}+")


def test_any_changed_character_of_a_checkpoint_is_refused() -> None:
    for place in range(len(SIGNED)):
        changed = SIGNED[:place] + ("A" if SIGNED[place] != "A" else "B") + SIGNED[place + 1 :]
        with pytest.raises(NoteError):
            open_checkpoint(changed, [KEY.verifier])


def test_a_checkpoint_of_an_unknown_key_is_refused_even_with_the_right_name() -> None:
    other = rehearsal_key(ORIGIN, "otra semilla")
    with pytest.raises(NoteError, match="ninguna llave conocida"):
        open_checkpoint(SIGNED, [other.verifier])


def test_openssl_verifies_the_signature_of_a_checkpoint(tmp_path: Path) -> None:
    # The 44 bytes of a public Ed25519 key in DER are a fixed head and the key.
    der = bytes.fromhex("302a300506032b6570032100") + KEY.public
    (tmp_path / "llave.der").write_bytes(der)
    text, _, line = SIGNED.rpartition("\n\n")
    (tmp_path / "texto").write_text(text + "\n", "utf-8")
    (tmp_path / "firma").write_bytes(base64.b64decode(line.split()[2])[4:])
    verify = (
        "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "llave.der", "-rawin",
        "-in", tmp_path / "texto", "-sigfile", tmp_path / "firma",
    )  # fmt: skip
    good = openssl(*verify)
    assert good.returncode == 0, good.stderr
    (tmp_path / "texto").write_text(text.replace("12", "13") + "\n", "utf-8")
    assert openssl(*verify).returncode != 0


def test_a_witness_signs_the_time_and_the_text(tmp_path: Path) -> None:
    witness = generate_witness(tmp_path / "testigo.pem", "universidad.mx", None)
    assert load_witness(tmp_path / "testigo.pem", None).vkey == witness.vkey
    line = witness.cosign(CHECKPOINT.text, 1_700_000_000)
    note = parse_note(SIGNED + line)
    assert witnesses_of(note, [Verifier.from_vkey(witness.vkey)]) == ["universidad.mx"]
    assert cosigned_at(note.signatures[1]) == 1_700_000_000
    stranger = WitnessKey("universidad.mx", KEY.private)
    assert witnesses_of(note, [stranger.verifier]) == []
    (signature,) = parse_signatures([line.rstrip("\n")])
    later = type(signature)(signature.name, signature.key_id, b"\0" * 7 + b"\1" + signature.blob[8:])
    assert not witness.verifier.signed(CHECKPOINT.text, later)
    assert not witness.verifier.signed(CHECKPOINT.text.replace("12", "13"), signature)


@pytest.mark.parametrize(("time_s", "holds"), [(2**63 - 1, True), (2**63, False)], ids=["last", "no time"])
def test_a_cosignature_with_an_hour_that_is_none_does_not_hold(time_s: int, holds: bool) -> None:
    witness = WitnessKey("w", KEY.private)
    (signature,) = parse_signatures([witness.cosign(CHECKPOINT.text, time_s).rstrip("\n")])
    assert witness.verifier.signed(CHECKPOINT.text, signature) is holds


def test_the_cosignature_of_the_published_format_is_the_plain_signature_of_its_message() -> None:
    witness = WitnessKey("w", KEY.private)
    blob = parse_signatures([witness.cosign(CHECKPOINT.text, 7).rstrip("\n")])[0].blob
    message = b"cosignature/v1\ntime 7\n" + CHECKPOINT.text.encode()
    KEY.private.public_key().verify(blob[8:], message)


def test_each_rehearsal_has_an_origin_and_a_key_of_its_own_and_an_official_log_has_none() -> None:
    first = origin_of("JAL", "Elección 2021", "simulacro", "Simulacro 1, mañana")
    second = origin_of("JAL", "Elección 2021", "simulacro", "Simulacro 2")
    assert first == "prep.jal.eleccion-2021.simulacro-1-manana/simulacro"
    assert mode_of(first) == mode_of(second) == "simulacro"
    assert rehearsal_key(first, "catálogo").public != rehearsal_key(second, "catálogo").public
    assert origin_of("JAL", "Elección 2021", "oficial") == "prep.jal.eleccion-2021/oficial"
    with pytest.raises(UsageError, match="oficial no lleva ensayo"):
        origin_of("JAL", "2021", "oficial", "uno")
    with pytest.raises(UsageError, match="no sirve de nombre"):
        origin_of("JAL", "2021", "simulacro", "¿?")


@pytest.mark.parametrize(
    "text",
    ["", "solo\n", f"{ORIGIN}\n012\n{base64.b64encode(bytes(32)).decode()}\n", f"{ORIGIN}\n1\nAAAA\n",
     f"{ORIGIN}\n-1\n{base64.b64encode(bytes(32)).decode()}\n", f"{ORIGIN}\n1\n{'*' * 44}\n"],
)  # fmt: skip
def test_a_badly_written_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize("vkey", ["", "nombre", "a+b+c", KEY.vkey[:-4], KEY.vkey.replace("+", "-", 1)])
def test_a_badly_written_public_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


def test_a_key_file_opens_only_with_both_halves_and_in_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "oficial.pem"
    origin = origin_of("JAL", "2021", "oficial")
    made = generate(path, origin, join(*HALVES))
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, join(*HALVES), mode="oficial").vkey == made.vkey
    for wrong in (None, HALVES[0].encode(), join(HALVES[1], HALVES[0])):
        with pytest.raises(KeyFileError):
            load_key(path, wrong)
    with pytest.raises(KeyFileError, match="no se mezclan"):
        load_key(path, join(*HALVES), mode="simulacro")
    # openssl opens the same file with the halves one after the other.
    shown = openssl("pkey", "-in", path, "-passin", f"pass:{''.join(HALVES)}", "-pubout", "-outform", "DER")
    assert shown.stdout[-32:] == made.public


def test_a_key_file_relabelled_to_the_other_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "llave.pem"
    generate(path, ORIGIN, None)
    path.write_text(path.read_text("utf-8").replace("simulacro", "oficial"), "utf-8")
    with pytest.raises(KeyFileError, match="no corresponde"):
        load_key(path, None)


def test_a_key_is_never_written_over_another(tmp_path: Path) -> None:
    generate(tmp_path / "llave.pem", ORIGIN, None)
    before = (tmp_path / "llave.pem").read_bytes()
    with pytest.raises(KeyFileError, match="ya existe"):
        generate(tmp_path / "llave.pem", ORIGIN, None)
    assert (tmp_path / "llave.pem").read_bytes() == before


def test_an_official_key_is_never_open_nor_from_a_seed(tmp_path: Path) -> None:
    official = origin_of("JAL", "2021", "oficial")
    with pytest.raises(UsageError):
        generate(tmp_path / "llave.pem", official, None)
    with pytest.raises(UsageError):
        rehearsal_key(official, "semilla")
    assert not (tmp_path / "llave.pem").exists()


@pytest.mark.parametrize(
    "halves", [("corta", HALVES[1]), (HALVES[0], HALVES[0]), (HALVES[0] + "\n", HALVES[1])]
)
def test_halves_that_protect_little_are_refused(halves: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        join(*halves)


def test_the_key_of_a_rehearsal_depends_on_origin_and_seed_alone() -> None:
    assert rehearsal_key(ORIGIN, "semilla").vkey == KEY.vkey
    assert rehearsal_key(ORIGIN, "otra").vkey != KEY.vkey
    assert rehearsal_key("prep.jal.2024/simulacro", "semilla").public != KEY.public


def test_the_keyring_keeps_the_earlier_key_with_its_interval(tmp_path: Path) -> None:
    new = rehearsal_key(ORIGIN, "nueva")
    witness = WitnessKey("testigo", KEY.private).vkey
    ring = keyring.ensure(tmp_path, KEY.vkey, 100, witnesses=[("Universidad", witness)], threshold=1)
    ring.rotated(KEY.vkey, new.vkey, 500).write(tmp_path)
    found = keyring.read(tmp_path)
    assert found is not None
    assert [(one.vkey, one.since_ms, one.until_ms) for one in found.keys] == [
        (KEY.vkey, 100, 500), (new.vkey, 500, None),
    ]  # fmt: skip
    assert found.threshold == 1
    assert found.rotated(KEY.vkey, new.vkey, 500) == found
    assert open_checkpoint(SIGNED, found.verifiers)[0] == CHECKPOINT
    with pytest.raises(KeyFileError):
        keyring.ensure(tmp_path, KEY.vkey, 100)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"origen":"x","modo":"simulacro","llaves":[],"testigos":[],"umbral":0}']
)
def test_a_keyring_that_is_not_one_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        keyring.parse(data)
