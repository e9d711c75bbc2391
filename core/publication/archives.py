"""The ZIPs of a cut, in the names of the INE structure, and the pass that makes files durable.

ZIPs come out with the same bytes for the same content and cut. What goes inside is decided by
`package`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

_LEVEL = 6
_BLOCK = 1 << 20
_LOCAL_HEADER = 30


def write_zip(
    path: Path, members: Sequence[tuple[str, bytes | Path]], moment: datetime, *, packed: bool = False
) -> str:
    """Write a ZIP whose members bear the time of the cut; returns the SHA-256 of its content.

    The content is the list of members with their own SHA-256, which does not depend on the
    compressor. A member is its bytes or the file that holds them. `packed` members are stored as they
    are (a ZIP inside a ZIP).
    """
    date = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    method = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    told: list[str] = []
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, source in members:
            info = zipfile.ZipInfo(name, date)
            info.compress_type = method
            info._compresslevel = None if packed else _LEVEL  # type: ignore[attr-defined]  # open() has no other way
            info.create_system = 3
            info.external_attr = 0o644 << 16
            digest = sha256()
            with archive.open(info, "w") as out:
                for block in _blocks(source):
                    digest.update(block)
                    out.write(block)
            told.append(f"{digest.hexdigest()}  {name}\n")
    return sha256("".join(told).encode()).hexdigest()


class Deflated:
    """The members of some ZIPs as they are inside, to put them in another one without compressing again.

    Deflating is most of what a package costs, and the same content at the same level gives the same bytes.
    """

    def __init__(self, archives: Iterable[Path]) -> None:
        self._where: dict[tuple[str, int, int], tuple[Path, zipfile.ZipInfo]] = {}
        self._names: set[str] = set()
        for path in archives:
            try:
                with zipfile.ZipFile(path) as archive:
                    found = archive.infolist()
            except (OSError, zipfile.BadZipFile):
                # Nothing can be taken from it; whoever wants its members compresses them.
                continue
            for info in found:
                if info.compress_type == zipfile.ZIP_DEFLATED:
                    self._names.add(info.filename)
                    self._where[info.filename, info.file_size, info.CRC] = (path, info)

    def find(self, source: Path) -> tuple[Path, zipfile.ZipInfo] | None:
        """The member with the name, the size and the CRC-32 of a file, read whole to know it."""
        if source.name not in self._names:
            return None
        size = crc = 0
        for block in _blocks(source):
            size += len(block)
            crc = zlib.crc32(block, crc)
        return self._where.get((source.name, size, crc))


def copy_deflated(
    target: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, member: zipfile.ZipInfo
) -> None:
    """Add to a ZIP being written a member of another one, compressed as it is there.

    `info` says its name, date and attributes. The bytes are those `ZipFile.open(info, "w")` would have left.
    """
    info.CRC, info.file_size, info.compress_size = member.CRC, member.file_size, member.compress_size
    info.flag_bits = 0
    with path.open("rb") as stream:
        stream.seek(member.header_offset)
        fixed = stream.read(_LOCAL_HEADER)
        stream.seek(sum(int.from_bytes(fixed[at : at + 2], "little") for at in (26, 28)), os.SEEK_CUR)
        out: Any = target.fp
        out.seek(target.start_dir)
        info.header_offset = out.tell()
        out.write(info.FileHeader(zip64=False))
        left = member.compress_size
        while left:
            block = stream.read(min(left, _BLOCK))
            if not block:
                raise zipfile.BadZipFile(f"{path.name}: {member.filename} está cortado")
            left -= len(block)
            out.write(block)
        target.start_dir = out.tell()
    target.filelist.append(info)
    target.NameToInfo[info.filename] = info
    target._didModify = True  # type: ignore[attr-defined]


def _blocks(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def make_durable(directories: Iterable[Path], files: Iterable[Path]) -> None:
    """Ask the system to put files and the entries of directories on disk.

    One pass over the file system where the system offers it, since a cut can hold thousands of
    small objects; one by one elsewhere. Raises OSError when the disk did not take them: nothing may be
    taken for written then.
    """
    folders = list(directories)
    call = _syncfs()
    if call is not None and folders:
        for folder in {folder.stat().st_dev: folder for folder in folders}.values():
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                if call(descriptor) != 0:
                    failed = ctypes.get_errno() or errno.EIO
                    raise OSError(failed, os.strerror(failed), str(folder))
            finally:
                os.close(descriptor)
        return
    parents = dict.fromkeys(folders)
    for path in files:
        sync(path)
        parents[path.parent] = None
    for folder in parents:
        sync(folder)


def sync(path: Path) -> None:
    """fsync of a file, or of the entries of a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _syncfs() -> Any:
    """The system's `syncfs`, None where there is none (it is not in the standard library)."""
    try:
        return ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return None
