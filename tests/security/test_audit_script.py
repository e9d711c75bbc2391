"""`make auditar` never gives for clean what it could not ask."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = """\
import json, sys
place = sys.argv[sys.argv.index("--output") + 1]
said = json.loads({said!r})
if said is not None:
    open(place, "w").write(json.dumps(said))
else:
    print("requests.exceptions.ConnectionError: nobody answers", file=sys.stderr)
raise SystemExit({code})
"""
CLEAN = {"dependencies": [{"name": "idna", "version": "3.20", "vulns": []}], "fixes": []}
BUG = {"id": "PYSEC-0000-1", "fix_versions": ["9.9"]}
FOUND = {"dependencies": [{"name": "idna", "version": "3.20", "vulns": [BUG]}]}
SKIPPED = {"dependencies": [{"name": "idna", "skip_reason": "no está"}]}


@pytest.fixture
def checkout(tmp_path: Path, repository: Path) -> Path:
    """A repository with the baseline of this one and one innocent file."""
    shutil.copy(repository / ".secrets.baseline", tmp_path)
    (tmp_path / "requirements.lock").write_text("idna==3.20\n", encoding="utf-8")
    (tmp_path / "uno.toml").write_text("puerto = 8050\n", encoding="utf-8")
    for order in (("init", "-q"), ("add", ".")):
        subprocess.run(["git", *order], cwd=tmp_path, check=True)
    return tmp_path


def audit(checkout: Path, repository: Path, said: object, code: int) -> subprocess.CompletedProcess[str]:
    """The script, with a tool that writes `said` and ends with `code`."""
    tool = checkout / "herramienta.py"
    tool.write_text(TOOL.format(said=json.dumps(said), code=code), encoding="utf-8")
    return subprocess.run(
        ["bash", str(repository / "scripts" / "auditar.sh"), str(Path(sys.executable).parent)],
        cwd=checkout, capture_output=True, text=True, encoding="utf-8", check=False,
        env={"PATH": "/usr/bin:/bin", "AUDITOR": f"{sys.executable} {tool}"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code", "expected", "words"),
    [
        (CLEAN, 0, 0, "1 paquetes revisados, 0 vulnerabilidades"),
        (FOUND, 1, 1, "idna 3.20: PYSEC-0000-1 (corregida en: 9.9)"),
        (None, 1, 3, "NO SE AUDITARON"),
        (CLEAN, 2, 3, "NO SE AUDITARON"),
        ({"dependencies": []}, 0, 3, "NO SE AUDITARON"),
        (SKIPPED, 0, 3, "no se pudo revisar (no está)"),
    ],
    ids=["limpia", "hallada", "sin servicio", "herramienta rota", "vacía", "saltada"],
)
def test_the_verdict_is_what_was_found_and_silence_is_no_verdict(
    said: object, code: int, expected: int, words: str, checkout: Path, repository: Path
) -> None:
    done = audit(checkout, repository, said, code)
    assert (done.returncode, words in done.stdout + done.stderr) == (expected, True), (
        done.stdout + done.stderr
    )


def test_a_known_one_whose_line_moved_is_no_finding_and_the_baseline_is_not_written(
    checkout: Path, repository: Path
) -> None:
    baseline = json.loads((checkout / ".secrets.baseline").read_text(encoding="utf-8"))
    word = "Tr4ns-Ur0nte-" + "9921-kwz"
    (checkout / "uno.toml").write_text("puerto = 8050\n\npass" + f"word = '{word}'\n", encoding="utf-8")
    known = {
        "type": "Secret Keyword", "filename": "uno.toml", "is_verified": False, "line_number": 1,
        "hashed_secret": hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest(), "is_secret": False,
    }  # fmt: skip
    baseline["results"] = {"uno.toml": [known]}
    before = json.dumps(baseline)
    (checkout / ".secrets.baseline").write_text(before, encoding="utf-8")
    done = audit(checkout, repository, CLEAN, 0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout / ".secrets.baseline").read_text(encoding="utf-8") == before


def test_a_secret_that_was_added_fails_though_nobody_answers(checkout: Path, repository: Path) -> None:
    secret = "password = 'Tr4ns-Ur0nte-" + "9921-kwz'\n"
    (checkout / "uno.toml").write_text(secret, encoding="utf-8")
    done = audit(checkout, repository, None, 1)
    assert done.returncode == 1
    assert "uno.toml" in done.stdout + done.stderr
    assert "NO SE AUDITARON" in done.stderr
