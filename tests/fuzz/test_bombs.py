"""What is small and becomes enormous, and what names a place outside: refused in little memory."""

from __future__ import annotations

import json
import resource
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from core.errors import PrepError
from core.images.probe import probe
from core.verification import verificar
from tests.fuzz.places import prep
from tests.publication_sample import sample

MEMORY = 1 << 30
"""Bytes of address space the verifier may have, however large what it reads would become."""
OUTSIDE = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "C:\\x",
    "a/../../x",
    "./corte.json",
    "a//b",
    "a\0b",
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication."""
    return sample(tmp_path_factory.mktemp("pub") / "trabajo")


def zeros(gigabytes: float) -> bytes:
    """A deflate stream of that many zeros, made of one block over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * round(gigabytes * 1024) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()


def bomb(path: Path, name: str, gigabytes: float, told: int | None = None) -> Path:
    """A ZIP with one member of zeros, which says it has `told` bytes."""
    stream = zeros(gigabytes)
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(name, stream)
    size = min(round(gigabytes * 2**30), 2**32 - 2) if told is None else told
    data = bytearray(path.read_bytes())
    for signature, method, length in ((b"PK\3\4", 8, 22), (b"PK\1\2", 10, 24)):
        at = data.rindex(signature)
        data[at + method : at + method + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        data[at + length : at + length + 4] = struct.pack("<I", size)
    path.write_bytes(bytes(data))
    return path


def verified(what: Path) -> subprocess.CompletedProcess[str]:
    """The verifier, alone and with little memory."""
    return subprocess.run(
        [sys.executable, verificar.__file__, str(what)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


@pytest.mark.parametrize(
    ("gigabytes", "told"), [(3.9, None), (10, 100), (10, 2**32 - 2)], ids=["honest", "small", "big"]
)
def test_a_zip_of_gigabytes_of_zeros_is_refused_in_little_memory(
    tmp_path: Path, gigabytes: float, told: int | None
) -> None:
    done = verified(bomb(tmp_path / "bomba.zip", "corte.json", gigabytes, told))
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "bomba.zip" in done.stdout + done.stderr or "corte.json" in done.stdout + done.stderr


def test_a_zip_inside_a_zip_is_bytes_and_no_more(tmp_path: Path) -> None:
    inner = bomb(tmp_path / "dentro.zip", "corte.json", 1)
    outer = tmp_path / "fuera.zip"
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("corte.json", inner.read_bytes())
    done = verified(outer)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_zip_that_names_a_place_outside_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lejos.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("corte.json", b"{}")
        package.writestr(zipfile.ZipInfo(name), b"x")
    told = prep("verificar", str(path))
    assert told.code in (1, 2)
    assert [one.name for one in tmp_path.iterdir()] == ["lejos.zip"]


@pytest.mark.parametrize("key", ["portal", "base", "emision"])
@pytest.mark.parametrize("name", OUTSIDE[:4])
def test_a_pointer_that_names_a_place_outside_is_not_followed(
    work: Path, tmp_path: Path, key: str, name: str
) -> None:
    folder = tmp_path / "copia"
    shutil.copytree(work, folder, symlinks=True)
    pointer = json.loads((folder / "corte.json").read_bytes())
    (folder / "corte.json").write_text(json.dumps({**pointer, key: name}), encoding="utf-8")
    told = prep("verificar", str(folder))
    assert told.code == 1, told.text
    assert "root:" not in told.text


def test_a_link_out_of_the_publication_is_not_followed(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copia"
    shutil.copytree(work, folder)
    outside = tmp_path / "fuera.json"
    (folder / "llaves.json").rename(outside)
    (folder / "llaves.json").symlink_to(outside)
    told = prep("verificar", str(folder))
    assert told.code == 1
    assert "llaves.json" in told.text


def test_a_picture_of_a_thousand_million_points_is_refused_without_being_drawn() -> None:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = part(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(bytes(1 << 20))) + part(b"IEND", b"")
    with pytest.raises(PrepError):
        probe(picture)
