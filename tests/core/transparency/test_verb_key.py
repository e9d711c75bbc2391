"""`prep llave`: the ceremony with two halves, and handing the log over to another key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from core.transparency import keyring, verb_key
from core.transparency.errors import RetiredKeyError
from core.transparency.keys import generate, join, load_key
from core.transparency.log import EmissionLog, LogReader
from core.transparency.notes import open_checkpoint
from tests.core.transparency.samples import ORIGIN, emission, opening, reader

HALVES = ("la mitad de Ana es esta", "la mitad de Beto es otra")
OFFICIAL = "prep.jal.2021/oficial"


@pytest.fixture
def halves(tmp_path: Path) -> list[str]:
    """The options that give each half in the file of its person."""
    options = []
    for number, half in enumerate(HALVES, 1):
        (tmp_path / f"mitad-{number}").write_text(half + "\n", "utf-8")
        options += [f"--mitad-{number}", str(tmp_path / f"mitad-{number}")]
    return options


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code = main(["llave", *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_key_of_two_persons_opens_with_both_halves_only(
    said: Any, tmp_path: Path, halves: list[str]
) -> None:
    path = tmp_path / "oficial.pem"
    code, made = said("generar", path, "--origen", OFFICIAL, *halves)
    assert (code, made["modo"], made["cifrada"]) == (0, "oficial", True)
    assert load_key(path, join(*HALVES)).vkey == made["vkey"]
    assert said("ver", path, "--abrir", *halves)[1]["abierta"] is True
    (tmp_path / "mitad-1").write_text(HALVES[1], "utf-8")
    code, wrong = said("ver", path, "--abrir", *halves)
    assert code == 2
    assert "no la abre" in wrong["error"]["mensaje"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--origen", OFFICIAL, "--sin-cifrar"], "oficial se guarda cifrada"),
        (["--origen", "prep.jal.2021/otro"], "el modo «otro» no existe"),
        (["--origen", OFFICIAL, "--mitad-1", "mitad-1"], "falta la segunda mitad"),
        (["--origen", OFFICIAL], "no hay quien teclee"),
    ],
)
def test_a_key_that_would_not_be_safe_is_not_made(
    said: Any,
    tmp_path: Path,
    halves: list[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, answer = said("generar", "llave.pem", *arguments)
    assert code == 2
    assert told in answer["error"]["mensaje"]
    assert not (tmp_path / "llave.pem").exists()


def test_halves_may_come_from_the_environment(
    said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, half in enumerate(HALVES, 1):
        monkeypatch.setenv(f"PREP_LLAVE_FRASE_MITAD_{number}", half)
    assert said("generar", tmp_path / "a.pem", "--origen", OFFICIAL)[0] == 0
    monkeypatch.delenv("PREP_LLAVE_FRASE_MITAD_1")
    monkeypatch.delenv("PREP_LLAVE_FRASE_MITAD_2")
    monkeypatch.setenv("PREP_LLAVE_FRASE", "".join(HALVES))
    assert said("ver", tmp_path / "a.pem", "--abrir")[1]["abierta"] is True


def test_a_witness_has_a_key_of_another_kind(said: Any, tmp_path: Path) -> None:
    code, made = said("generar", tmp_path / "t.pem", "--testigo", "universidad.mx", "--sin-cifrar")
    assert code == 0
    assert said("ver", tmp_path / "t.pem", "--abrir")[1]["vkey"] == made["vkey"]


def test_the_ceremony_can_be_rehearsed_and_leaves_nothing(
    said: Any, tmp_path: Path, halves: list[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    code, answer = said("ensayo", *halves)
    assert code == 0
    assert "Ninguna mitad la abre sola." in answer["pasos"]
    assert sorted(tmp_path.iterdir()) == before


def handover(place: Path) -> tuple[Path, list[str | Path]]:
    """A log of one cut with its old key and another one ready; the command that changes them."""
    old, new, work = place / "vieja.pem", place / "nueva.pem", place / "trabajo"
    key = generate(old, ORIGIN, None)
    generate(new, ORIGIN, None)
    log = EmissionLog(work, key)
    log.append(opening())
    log.append(emission(1))
    keyring.ensure(work, key.vkey, 1000)
    return work, [
        "rotar", "--trabajo", work, "--llave", old, "--nueva", new, "--motivo", "Cambio programado.",
        "--instante", "2021-06-06T20:00:00-06:00",
    ]  # fmt: skip


def test_a_change_of_key_is_in_the_log_and_old_checkpoints_still_verify(said: Any, tmp_path: Path) -> None:
    work, command = handover(tmp_path)
    past = (work / "checkpoint").read_text("utf-8")
    code, answer = said(*command)
    assert (code, answer["hoja"], answer["instante_ms"]) == (0, 2, 1623031200000)
    ring = keyring.read(work)
    assert ring is not None
    assert [(one.since_ms, one.until_ms) for one in ring.keys] == [
        (1000, 1623031200000),
        (1623031200000, None),
    ]
    assert open_checkpoint(past, ring.verifiers)[0].size == 2
    assert LogReader(reader(work)).checkpoint(ring.verifiers[1:]).size == 3
    assert [one["vkey"] for one in said("ver", work)[1]["llaves"]] == [answer["anterior"], answer["nueva"]]
    with pytest.raises(RetiredKeyError):
        EmissionLog(work, load_key(tmp_path / "vieja.pem", None))


def test_a_change_cut_off_before_the_list_of_keys_is_finished_by_asking_again(
    said: Any, tmp_path: Path
) -> None:
    work, command = handover(tmp_path)
    before = (work / "llaves.json").read_bytes()
    first = said(*command)[1]
    after = (work / "llaves.json").read_bytes()
    (work / "llaves.json").write_bytes(before)
    code, again = said(*command[:-1], "2021-06-06T21:00:00-06:00")
    assert (code, again) == (0, first)
    assert (work / "llaves.json").read_bytes() == after


def test_a_change_without_a_log_or_to_the_other_mode_is_refused(
    said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, command = handover(tmp_path)
    before = (work / "checkpoint").read_bytes()
    generate(tmp_path / "oficial.pem", OFFICIAL, join(*HALVES))
    monkeypatch.setenv(verb_key.NEW, "".join(HALVES))
    for place, wrong, told in (
        (2, tmp_path, "no tiene un registro público"),
        (6, tmp_path / "oficial.pem", "no se mezclan"),
        (10, "2021-06-06T20:00:00", "le falta la zona"),
        (10, "1960-01-01T00:00:00+00:00", "anterior al comienzo"),
    ):
        changed = [*command[:place], wrong, *command[place + 1 :]]
        code, answer = said(*changed)
        assert code == 2
        assert told in answer["error"]["mensaje"]
    assert (work / "checkpoint").read_bytes() == before
