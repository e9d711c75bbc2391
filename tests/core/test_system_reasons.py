"""What a user reads when the system refuses something."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path

import pytest

from core.system_reasons import UnusableFileError, system_reason

PARTS = ("core", "simulator", "control_room", "loadtests")
TELLERS = {
    "core/system_reasons.py",
    "core/verification/verificar.py",  # one file that is run alone
    "core/publication/object_helper.py",  # hands the error to another process, which raises it again
}


@pytest.mark.parametrize(
    "number", [errno.ENOENT, errno.EACCES, errno.ENOSPC, errno.EIO, errno.ECONNREFUSED, errno.EADDRINUSE]
)
def test_what_the_system_says_is_told_in_spanish(number: int) -> None:
    said = os.strerror(number)
    assert said not in system_reason(OSError(number, said, "archivo"))
    assert "archivo" not in system_reason(OSError(number, said, "archivo.txt")).split()


def test_a_reason_without_a_translation_is_quoted_and_an_own_one_kept() -> None:
    assert os.strerror(errno.EXDEV) in system_reason(OSError(errno.EXDEV, os.strerror(errno.EXDEV)))
    assert system_reason(UnusableFileError(errno.EFBIG, "mide 3 bytes; caben 2")) == "mide 3 bytes; caben 2"
    library = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)")
    assert system_reason(library) == "nadie atiende en esa dirección"


def test_nobody_tells_a_user_the_words_of_the_system(repository: Path) -> None:
    guilty = []
    for part in PARTS:
        for path in sorted((repository / part).rglob("*.py")):
            name = path.relative_to(repository).as_posix()
            text = path.read_text(encoding="utf-8")
            if "strerror" not in text or name in TELLERS:
                continue
            guilty += [
                f"{name}:{node.lineno}"
                for found in ast.walk(ast.parse(text))
                if isinstance(found, ast.JoinedStr)
                for node in ast.walk(found)
                if isinstance(node, ast.Attribute) and node.attr == "strerror"
            ]
    assert guilty == []
