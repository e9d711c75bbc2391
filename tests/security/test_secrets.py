"""No secret, no key and no path of a machine is in the repository, nor in what a run publishes.

Everything is looked at for known kinds of token and for what is called like a password; for strings that
look like one, what is no code. `make auditar` looks at every file with everything.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from detect_secrets.core import scan
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.plugins.keyword import DENYLIST
from detect_secrets.settings import get_plugins, transient_settings

from core.portal.site import build_site
from core.publication.public_tree import public_keys
from tests.publication_sample import Night

BASELINE = ".secrets.baseline"
SLOW = {
    "Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector", "IbmCloudIamDetector",
    "CloudantDetector", "IbmCosHmacDetector", "SoftlayerDetector", "ArtifactoryDetector",
}  # fmt: skip
"""Detectors of what merely looks like a secret, and of clouds this project does not know."""
FAST = {".py", ".js", ".lock", ".json", ".css", ".svg", ".csv"}
"""Files that are not looked at with those."""
NAMES_OF_SECRETS = re.compile("|".join(DENYLIST), re.IGNORECASE)
"""What KeywordDetector looks for before a `=` or a `:`."""

_ROOMS = ("ro" + "ot", "work", "ho" + r"me/(?!prep\b)\w+")
MACHINE = re.compile(
    # Spelled in pieces so that this file does not name them.
    rf"(?<![\w.$}}-])/(?:{'|'.join(_ROOMS)})(?:/|\b)[\w.-]*/|fi" + r"le:///(?:opt|" + "|".join(_ROOMS) + ")"
)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE " + r"KEY-----|^PRIVATE\+KEY\+", re.M)


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """Every file of the repository that is text, those not added yet too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = sorted(set(listed.stdout.split("\0")) - {"", BASELINE})
    found = [repository / name for name in names if (repository / name).is_file()]
    assert len(found) > 500
    return [path for path in found if b"\0" not in path.read_bytes()[:4096]]


@pytest.fixture(scope="module")
def baseline(repository: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((repository / BASELINE).read_text(encoding="utf-8"))
    return read


def found_in(paths: Iterable[Path], settings: dict[str, Any]) -> Iterator[tuple[Path, PotentialSecret]]:
    """What may be a secret in some files."""
    groups: dict[bool, list[Path]] = {True: [], False: []}
    for path in paths:
        groups[path.suffix not in FAST].append(path)
    for thorough, some in groups.items():
        plugins = [one for one in settings["plugins_used"] if thorough or one["name"] not in SLOW]
        with transient_settings({"plugins_used": plugins, "filters_used": settings["filters_used"]}):
            patterns = [one for plugin in get_plugins() for one in getattr(plugin, "denylist", ())]
            patterns.append(NAMES_OF_SECRETS)
            for path in some:
                # Line by line each takes a tenth of a second: first, whether any pattern is in it at all.
                text = "" if thorough else path.read_text(encoding="utf-8", errors="replace")
                if thorough or any(pattern.search(text) for pattern in patterns):
                    yield from ((path, secret) for secret in scan.scan_file(str(path)))


def test_no_file_holds_a_secret_but_those_looked_at_one_by_one(
    tracked: list[Path], repository: Path, baseline: dict[str, Any]
) -> None:
    known = {
        (name, one["type"], one["hashed_secret"]) for name, all in baseline["results"].items() for one in all
    }
    found = {
        (path.relative_to(repository).as_posix(), secret.type, secret.secret_hash)
        for path, secret in found_in(tracked, baseline)
    }
    assert found - known == set()


def test_what_was_looked_at_is_said_to_be_no_secret(baseline: dict[str, Any]) -> None:
    for name, secrets in baseline["results"].items():
        assert [one.get("is_secret") for one in secrets] == [False] * len(secrets), name


def test_a_planted_secret_would_be_found(tmp_path: Path, baseline: dict[str, Any]) -> None:
    planted = {
        "a.py": "TOKEN = 'gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'\n",
        "b.py": "-----BEGIN RSA PRIVATE " + "KEY-----\n",
        "c.toml": "password = 'Tr4ns-Ur0nte-9921-kwz'\n",
        "d.py": "base = 'postgresql://prep:hunter2" + "sesamo@servidor/prep'\n",
    }
    for name, text in planted.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert list(found_in([path], baseline)), name
    for name in ("ro" + "ot/.ssh/id", "ho" + "me/ana/prep/base.db", "work/ma" + "in/core/x"):
        assert MACHINE.search(f"en /{name}"), name


def test_no_file_holds_a_private_key_or_names_a_machine(tracked: list[Path], repository: Path) -> None:
    guilty = []
    for path in tracked:
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.relative_to(repository).as_posix()
        guilty += [
            f"{name}: {found[0]}" for pattern in (MACHINE, PRIVATE_KEY) if (found := pattern.search(text))
        ]
    assert guilty == []


PACKED = (".zip", ".gz", ".xlsx", ".webp", ".jpg", ".png", ".pdf")


def unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of a published file, and those inside when it is packed."""
    data = path.read_bytes()
    yield path.name, data
    if path.suffix == ".gz":
        yield path.stem, gzip.decompress(data)
    if path.suffix in (".zip", ".xlsx"):
        with ZipFile(path) as opened:
            for one in opened.infolist():
                yield f"{path.name}/{one.filename}", opened.read(one)


def test_what_is_published_names_no_machine_and_holds_no_key(tmp_path: Path) -> None:
    work = tmp_path / "corrida"
    night = Night(work)
    night.first_part()
    night.cut()
    night.close()
    build_site(work, mode="simulacro")
    keys = list(public_keys(work))
    assert {key.partition("/")[0] for key in keys} >= {"cortes", "objetos", "index.html", "corte.json"}
    secret = night.key.private.private_bytes_raw()
    words = [str(tmp_path), socket.gethostname()]
    # A short name comes up by chance.
    here = re.compile("|".join(re.escape(word) for word in words if len(word) > 4))
    for key in keys:
        for name, data in unpacked(work / key):
            text = data.decode("latin-1")
            assert not MACHINE.search(text) and not PRIVATE_KEY.search(text), f"{key}: {name}"
            assert name.endswith(PACKED) or not here.search(text), f"{key}: {name}"
            assert secret not in data, f"{key}: {name}"
