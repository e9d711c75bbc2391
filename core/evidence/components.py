"""What the installed system is made of: its files, its Python, its dependencies, its build.

Reads the files that would be imported, not those of some copy. The content of the dependencies is not read
file by file: of each, the version and the hash of the list of files its installer left.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("core", "simulator", "control_room", "loadtests")
"""The packages of the system, each if installed."""
RULES = "core/domain/rules.py"
DISTRIBUTION = "prep"
LOCK = "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;\\]+)")


def files(packages: tuple[str, ...] = PACKAGES) -> list[dict[str, Any]]:
    """Every file of the packages: `ruta` (from the package's name), `bytes`, `sha256`; by path."""
    found = []
    for name in packages:
        folder = folder_of(name)
        if folder is None:
            continue
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                data = path.read_bytes()
                relative = f"{name}/{path.relative_to(folder).as_posix()}"
                found.append(
                    {"ruta": relative, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                )
    return sorted(found, key=lambda one: str(one["ruta"]))


def folder_of(package: str) -> Path | None:
    """Where an installed package is; None when it is not."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def listing(components: list[dict[str, Any]]) -> str:
    """The files as `sha256sum` writes them and `sha256sum -c` checks them."""
    return "".join(f"{one['sha256']}  {one['ruta']}\n" for one in components)


def python() -> dict[str, str]:
    """The interpreter and the machine it was built for."""
    return {
        "implementacion": platform.python_implementation(),
        "version": platform.python_version(),
        "sistema": platform.system(),
        "maquina": platform.machine(),
        "compilacion": sys.version,
    }


def dependencies() -> list[dict[str, Any]]:
    """Installed distributions by name: version, SHA-256 of its RECORD, versions in the lock."""
    locked = read_lock()
    found: dict[str, dict[str, Any]] = {}
    for one in metadata.distributions():
        name = _normal(one.metadata["Name"] or "")
        record = one.read_text("RECORD")
        if not name or name == DISTRIBUTION or name in found:
            continue
        found[name] = {
            "nombre": name,
            "version": one.version,
            "registro_sha256": hashlib.sha256(record.encode()).hexdigest() if record else None,
            "en_candado": locked.get(name, []),
        }
    return [found[name] for name in sorted(found)]


def read_lock(path: Path | None = None) -> dict[str, list[str]]:
    """Versions of the lock file by normalised name; empty where the lock is not installed beside the code.

    A dependency may have several, one for each version of Python.
    """
    core = folder_of("core")
    path = path or (core.parent / LOCK if core else None)
    found: dict[str, list[str]] = {}
    if path is None or not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _LOCKED.match(line)
        if match:
            found.setdefault(_normal(match[1]), []).append(match[2])
    return found


def build() -> dict[str, str | None]:
    """Version of the distribution and commit of the checkout, each None when nobody knows it."""
    try:
        version: str | None = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        version = None
    return {"version": version, "confirmacion": commit()}


def commit(root: Path | None = None) -> str | None:
    """The commit HEAD names in the checkout the code runs from; None outside one.

    It is what the repository says of itself: that the files are those of the commit, their hashes say.
    """
    core = folder_of("core")
    git = (root or (core.parent if core else Path())) / ".git"
    head = git / "HEAD"
    if not head.is_file():
        return None
    said = head.read_text(encoding="utf-8").strip()
    if not said.startswith("ref: "):
        return said or None
    name = said.removeprefix("ref: ")
    if (git / name).is_file():
        return (git / name).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"
    if packed.is_file():
        for line in packed.read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {name}"):
                return line.split(" ", 1)[0]
    return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
