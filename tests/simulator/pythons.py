"""Other versions of Python on this machine, bare or with the packages the project is locked to."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = (
    "cryptography",
    "alembic", "matplotlib", "numpy", "orjson", "pandas", "plotly", "pydantic", "rich", "simpy", "sqlalchemy",
    "tzdata", "xlsxwriter",
)  # fmt: skip
"""What a night with its packages imports."""


def other_pythons() -> list[str]:
    """Interpreters of another version on this machine, at least of the lowest one the project takes."""
    names = [f"python3.{minor}" for minor in range(11, 20)]
    places = [
        *Path.home().glob(".pyenv/versions/3.*/bin/python"),
        *(Path(at) for name in names if (at := shutil.which(name))),
    ]
    found: dict[str, str] = {}
    asking = "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info >= (3, 11))"
    for place in sorted(places):
        said = subprocess.run(
            [place, "-c", asking], capture_output=True, text=True, check=False
        ).stdout.split()
        if len(said) == 2 and said[1] == "True" and said[0] != f"{sys.version_info[0]}.{sys.version_info[1]}":
            found[said[0]] = str(place)
    return list(found.values())


def with_packages(python: str, folder: Path, repository: Path) -> str:
    """An environment of that interpreter in `folder` with the locked versions; the path of its python."""
    locked = (repository / "requirements.lock").read_text(encoding="utf-8")
    # A constraint bears its marker and neither extras nor hashes.
    pins = [
        re.sub(r"\[.*?\]", "", pin) for pin in re.findall(r"^[\w.\[\]-]+==[^\\\n]+", locked, re.MULTILINE)
    ]
    (folder / "pins.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    made = folder / "entorno"
    inside = str(made / "bin" / "python")
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        [uv, "venv", "--quiet", "--python", python, str(made)],
        [uv, "pip", "install", "--quiet", "--python", inside, "-c", str(folder / "pins.txt"), *NEEDED],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return inside
