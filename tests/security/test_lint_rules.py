"""The rules of security of the linter are on, and whatever is let pass says why."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PRODUCT = ("core", "simulator", "control_room", "loadtests")
RISKY = {
    "S102",
    "S113",
    "S202",
    "S301",
    "S302",
    "S306",
    "S307",
    "S324",
    "S501",
    "S506",
    "S602",
    "S604",
    "S605",
}
"""Running text as code, unpacking what comes from outside, weak hashes, TLS without looking, a shell."""


def test_the_rules_are_on_and_only_noise_is_off_everywhere(repository: Path) -> None:
    lint = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {code for code in lint["ignore"] if code.startswith("S1") or code.startswith("S6")} == {
        "S101",
        "S603",
    }


def test_no_folder_of_the_product_is_let_pass_a_risky_rule(repository: Path) -> None:
    lint = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    for pattern, codes in lint["per-file-ignores"].items():
        if pattern.split("/")[0] not in PRODUCT:
            continue
        assert "S" not in codes, pattern
        if set(codes) & RISKY:
            assert pattern.endswith(".py"), f"{pattern}: one file at a time"
        assert "*" in pattern or (repository / pattern).is_file(), f"{pattern} is not there"


def test_every_exception_has_its_reason(repository: Path) -> None:
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("[tool.ruff.lint.per-file-ignores]\n")[1].split("\n[")[0]
    reason = False
    for line in block.splitlines():
        reason = reason or line.startswith("# ")
        assert reason, line
    for folder in PRODUCT:
        for path in (repository / folder).rglob("*.py"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.search(r"#\s*noqa:[^-]*\bS\d{3}", line):
                    assert re.search(r"noqa: [A-Z0-9, ]+ - \S", line), f"{path}: {line.strip()}"


def test_pickle_is_read_only_where_it_was_let_pass(repository: Path) -> None:
    lint = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    admitted = {pattern for pattern, codes in lint["per-file-ignores"].items() if "S301" in codes}
    readers = {
        path.relative_to(repository).as_posix()
        for folder in PRODUCT
        for path in (repository / folder).rglob("*.py")
        if re.search(
            r"\bpickle\.loads?\(|\bUnpickler\(|allow_pickle=True|read_pickle\(", path.read_text("utf-8")
        )
    }
    assert readers == admitted
