"""The commands that docs/bitacora-publica.md gives to check a publication by hand do check it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

from core.transparency import keyring
from core.transparency.log import EmissionLog
from tests.core.transparency.samples import KEY, emission, opening


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A log of eleven cuts with the proof of each, as it is published."""
    log = EmissionLog(tmp_path, KEY, durable=False)
    keyring.ensure(tmp_path, KEY.vkey, 0)
    log.append(opening())
    (tmp_path / "emisiones").mkdir()
    for number in range(1, 12):
        index = log.append(emission(number))
        proof = {
            "formato": 1, "entrada": base64.b64encode(emission(number)).decode(), "hoja": index,
            "prueba": [step.hex() for step in log.inclusion(index)], "checkpoint": log.checkpoint(),
            "tamano": log.size,
        }  # fmt: skip
        (tmp_path / f"emisiones/{number:04d}.json").write_text(json.dumps(proof), "utf-8")
    return tmp_path


def by_hand(repository: Path, folder: Path, block: int) -> str:
    text = (repository / "docs" / "bitacora-publica.md").read_text("utf-8")
    script = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[block]
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return done.stdout.strip()


def test_the_commands_verify_the_signature_and_refuse_a_changed_checkpoint(
    repository: Path, publication: Path
) -> None:
    assert by_hand(repository, publication, 0) == "Signature Verified Successfully"
    checkpoint = publication / "checkpoint"
    checkpoint.write_text(checkpoint.read_text("utf-8").replace("\n12\n", "\n13\n"), "utf-8")
    assert by_hand(repository, publication, 0) == "Signature Verification Failure"


def test_the_commands_find_an_emission_in_the_log_and_not_a_changed_one(
    repository: Path, publication: Path
) -> None:
    assert by_hand(repository, publication, 1) == "está"
    path = publication / "emisiones/0001.json"
    proof = json.loads(path.read_text("utf-8"))
    proof["entrada"] = base64.b64encode(emission(1, root="e" * 64)).decode()
    path.write_text(json.dumps(proof), "utf-8")
    assert by_hand(repository, publication, 1) == "NO ESTÁ"
