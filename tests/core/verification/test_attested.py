"""Changes of key, witnesses and timestamps, as whoever verifies sees them."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from core.transparency import keyring
from core.transparency.keys import SigningKey
from core.transparency.notes import Note, parse_note, parse_signatures
from core.verification import verificar
from core.verification.verificar import main
from tests.core.verification.stories import public_copy, rotated
from tests.core.witness.logs import witness_key
from tests.core.witness.tsa import make, openssl
from tests.publication_sample import Night

Ask = tuple[int, dict[str, "verificar.Step"], str]
NOW_S = 1_622_941_260


def ask(source: Path, *arguments: str | Path) -> Ask:
    """Exit code, steps by key (the last of each) and the reasons."""
    parser = argparse.ArgumentParser()
    verificar.add_arguments(parser)
    report = verificar.verify(parser.parse_args([str(source), *map(str, arguments)]))
    return 0 if report.verified else 1, {step.key: step for step in report.steps}, "; ".join(report.reasons)


Rotated = tuple[Path, Path, Path, tuple[SigningKey, SigningKey, SigningKey]]


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Rotated:
    return rotated(tmp_path_factory.mktemp("cambio"))


def test_who_trusts_any_of_the_keys_verifies_before_at_and_after_the_changes(change: Rotated) -> None:
    before, at, after, (first, second, third) = change
    for site, key, changes in (
        (before, first, ""), (at, first, ""), (at, second, ""), (after, first, "2 cambio(s) de llave"),
        (after, second, "1 cambio(s) de llave"), (after, third, ""),
    ):  # fmt: skip
        code, steps, why = ask(site, "--llave", key.vkey)
        assert (code, why) == (0, "")
        assert changes in steps["bitacora"].detail


def test_the_copy_kept_under_the_old_key_verifies_and_is_renewed_with_the_new_one(
    change: Rotated, tmp_path: Path
) -> None:
    before, at, after, keys = change
    kept = tmp_path / "copia.json"
    for site, key in ((before, keys[0]), (at, keys[0]), (after, keys[2])):
        assert ask(site, "--guardado", kept)[0] == 0
        assert json.loads(kept.read_bytes())["vkey"] == key.vkey


def test_a_key_that_nobody_handed_the_log_to_is_told(change: Rotated, tmp_path: Path) -> None:
    _, _, after, (first, second, third) = change
    code, _, why = ask(change[0], "--llave", third.vkey)
    assert code == 1 and "no es de la llave en que usted confía" in why
    site = Path(shutil.copytree(after, tmp_path / "sin"))
    handover = next(iter(sorted((site / "relevos").iterdir())))
    handover.unlink()
    assert "falta relevos/0002.txt" in ask(site, "--llave", first.vkey)[2]
    assert ask(site, "--llave", second.vkey)[0] == 0
    note = parse_note((after / "relevos/0002.txt").read_bytes())
    handover.write_text(f"{note.text}\n{second.sign(note.text)}")
    assert "no lo firmó la llave anterior" in ask(site, "--llave", first.vkey)[2]
    other = (after / "relevos/0004.txt").read_bytes()
    handover.write_bytes(other)
    assert "es de otra bitácora o de otro momento" in ask(site, "--llave", first.vkey)[2]


def test_a_key_that_was_replaced_may_not_sign_any_more(change: Rotated, tmp_path: Path) -> None:
    _, _, after, (first, _, _) = change
    site = Path(shutil.copytree(after, tmp_path / "vieja"))
    text = parse_note((site / "checkpoint").read_bytes()).text
    (site / "checkpoint").write_text(f"{text}\n{first.sign(text)}")
    assert "fue sustituida dentro de la bitácora" in ask(site, "--llave", first.vkey)[2]


def test_a_zip_says_that_it_does_not_bring_the_change_of_key(change: Rotated) -> None:
    after, keys = change[2], change[3]
    (path,) = sorted((after / "difusion").iterdir())[-1:]
    assert ask(path, "--llave", keys[2].vkey)[0] == 0
    assert "un ZIP no trae el relevo" in ask(path, "--llave", keys[0].vkey)[2]


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cut with three witnesses, two of which cosigned, and a timestamp."""
    folder = tmp_path_factory.mktemp("testigos")
    witnesses = [witness_key(name) for name in ("a.mx", "b.mx", "c.mx")]
    night = Night(folder / "trabajo", witnesses=[(one.name, one.vkey) for one in witnesses], threshold=2)
    night.first_part()
    night.cut()
    text = parse_note((night.folder / "checkpoint").read_bytes()).text
    lines = [one.cosign(text, NOW_S + at) for at, one in enumerate(witnesses[:2])]
    assert night.publisher.attest(lines, text, generated_ms=night.at + 1000) == 2
    make(folder / "tsa")
    note = json.loads((night.folder / "emisiones/0001.json").read_bytes())["checkpoint"]
    (folder / "tsa/nota").write_text(note)
    for command in (
        ("ts", "-query", "-data", "nota", "-sha256", "-cert", "-out", "peticion"),
        (
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-section",
            "sello",
            "-queryfile",
            "peticion",
            "-out",
            "r.tsr",
        ),
    ):
        assert openssl(folder / "tsa", *command).returncode == 0
    (night.folder / "sellos").mkdir()
    shutil.copy(folder / "tsa/r.tsr", night.folder / "sellos/0001.tsr")
    night.publisher.attest((), "", generated_ms=night.at + 2000)
    night.close()
    return public_copy(night.folder, folder / "publico")


def test_witnesses_that_cosigned_are_counted_named_and_dated(attested: Path) -> None:
    code, steps, _ = ask(attested)
    assert code == 0 and steps["testigos"].result == "bien"
    assert steps["testigos"].detail.startswith(
        "2 de 3 testigos cofirmaron: a.mx, b.mx (el último, 06/06/2021 01:01:01 UTC)"
    )
    pointer = json.loads((attested / "corte.json").read_bytes())
    assert (pointer["testigos"], pointer["sello"]) == ({"de": 3, "con": 2}, "sellos/0001.tsr")


def test_below_the_threshold_it_warns_and_only_fails_when_demanded(attested: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(attested, tmp_path / "uno"))
    note = parse_note((site / "checkpoint").read_bytes())
    (site / "checkpoint").write_text(str(Note(note.text, note.signatures[:2])))
    code, steps, _ = ask(site)
    assert (code, steps["testigos"].result) == (0, "aviso")
    assert (
        "1 de 3 testigos cofirmaron" in steps["testigos"].detail
        and "se esperaban 2" in steps["testigos"].detail
    )
    assert ask(site, "--exigir-testigos")[0] == 1
    assert ask(site, "--exigir-testigos", "1")[0] == 0
    assert ask(attested, "--exigir-testigos")[0] == 0
    assert ask(attested, "--exigir-testigos", "3")[0] == 1


def test_a_witness_one_knows_counts_whatever_the_site_lists(attested: Path) -> None:
    mine = witness_key("a.mx").vkey
    assert ask(attested, "--testigo", mine, "--exigir-testigos", "1")[0] == 0
    code, steps, _ = ask(attested, "--testigo", witness_key("c.mx").vkey, "--exigir-testigos")
    assert code == 1 and "0 de 1 testigos" in steps["testigos"].detail
    impostor = witness_key("otra llave")
    forged = f"a.mx+{impostor.vkey.split('+', 1)[1]}"
    with pytest.raises(verificar.Unreadable, match=r"la llave que se dio: .*«a\.mx» no coincide"):
        ask(attested, "--testigo", forged)


def test_a_cosignature_with_a_time_the_protocol_does_not_allow_does_not_count(attested: Path) -> None:
    note, key = parse_note((attested / "checkpoint").read_bytes()), witness_key("a.mx")
    for moment, counts in ((1_700_000_000, True), (1 << 63, False)):
        raw = str(Note(note.text, tuple(parse_signatures([key.cosign(note.text, moment)]))))
        told = verificar.cosigned_at(verificar.parse_note(raw.encode()), verificar.parse_key(key.vkey))
        assert told == (moment if counts else None)


def test_witnesses_seen_before_that_the_site_no_longer_lists_are_told(attested: Path, tmp_path: Path) -> None:
    site, kept = Path(shutil.copytree(attested, tmp_path / "sitio")), tmp_path / "copia.json"
    assert ask(site, "--guardado", str(kept))[0] == 0
    assert len(json.loads(kept.read_bytes())["testigos"]) == 3
    keys = json.loads((site / "llaves.json").read_bytes())
    (site / "llaves.json").write_text(json.dumps(keys | {"testigos": [], "umbral": 0}))
    (site / "checkpoint").write_bytes(
        str(parse_note((site / "checkpoint").read_bytes())).encode().split(b"\n\n")[0]
        + b"\n\n"
        + (site / "checkpoint").read_bytes().split(b"\n\n")[1].split(b"\n")[0]
        + b"\n"
    )
    for _ in range(2):
        code, steps, _ = ask(site, "--guardado", str(kept))
        assert (code, steps["testigos"].result) == (0, "aviso")
        assert "0 de 3 testigos" in steps["testigos"].detail and "ya no lista a" in steps["testigos"].detail
    assert ask(site, "--guardado", str(kept), "--exigir-testigos")[0] == 1


def test_a_cosignature_of_another_checkpoint_or_of_another_time_does_not_count(
    attested: Path, tmp_path: Path
) -> None:
    site = Path(shutil.copytree(attested, tmp_path / "mal"))
    note = parse_note((site / "checkpoint").read_bytes())
    witness = witness_key("a.mx")
    (other,) = parse_signatures([witness.cosign(note.text + "x\n", NOW_S).rstrip("\n")])
    moved = verificar.parse_note(str(note).encode()).signatures[1][2]
    later = (NOW_S + 9).to_bytes(8, "big") + moved[8:]
    for blob in (other.blob, later, moved[:40], b"12345678"):
        line = type(other)(witness.name, witness.verifier.key_id, blob)
        (site / "checkpoint").write_text(str(Note(note.text, (note.signatures[0], line))))
        assert "0 de 3 testigos" in ask(site)[1]["testigos"].detail


def test_a_stamp_tells_since_when_and_one_of_something_else_is_told(attested: Path, tmp_path: Path) -> None:
    code, steps, _ = ask(attested)
    assert (code, steps["sello"].result) == (0, "bien") and "ya existía el" in steps["sello"].detail
    site = Path(shutil.copytree(attested, tmp_path / "sello"))
    path = site / "sellos/0001.tsr"
    whole = path.read_bytes()
    digest = verificar.read_stamp(whole).digest
    path.write_bytes(whole.replace(digest, bytes(32), 1))
    assert "es el sello de otra cosa" in ask(site)[2]
    for length in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "sello de tiempo está dañado" in ask(site)[2]
    path.unlink()
    assert "falta sellos/0001.tsr" in ask(site)[2]


def test_a_publication_without_any_of_it_says_so_and_verifies(
    change: Rotated, capsys: pytest.CaptureFixture[str]
) -> None:
    code, steps, _ = ask(change[0])
    assert code == 0
    assert {steps[key].result for key in ("testigos", "sello")} == {"no_se_reviso"}
    assert ask(change[0], "--exigir-testigos")[0] == 1
    assert main([str(change[0])]) == 0
    assert "esta publicación no tiene testigos" in capsys.readouterr().out
    assert keyring.read(change[0]) is not None
