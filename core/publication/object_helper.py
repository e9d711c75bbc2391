"""Writes the objects of a large cut in a process of its own, so that the disk and the sums go on at once.

Run by `objects.ObjectStore` as a script, with the folder as its argument; needs nothing but the standard
library. It reads frames from its input (64 hexadecimal digits of the name, the length in 8 bytes, the
content) and answers «ok», or what failed, to an empty name. It decides nothing and checks nothing: the
objects are read back by `object_check`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

NAME_BYTES = 64
LENGTH_BYTES = 8
FLUSH = b"-" * NAME_BYTES
"""In the place of a name: everything before it has to be written, and the answer given."""
SUFFIX = ".json"

_BUFFER = 1 << 20


def write_object(base: str, name: str, data: bytes) -> None:
    """Write an object under a temporary name and rename it: a name always means its whole content."""
    path = f"{base}/{name[:2]}/{name}{SUFFIX}"
    temporary = f"{path}.{os.getpid()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        descriptor = os.open(temporary, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(f"{base}/{name[:2]}", exist_ok=True)  # noqa: PTH103 - a Path per object costs more than the write
        descriptor = os.open(temporary, flags, 0o644)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)
    # Whole or absent: a process killed half way leaves only a temporary that nobody reads.
    os.rename(temporary, path)  # noqa: PTH104 - a Path per object would double the cost of the write


def serve(base: str, frames: BinaryIO, answers: BinaryIO) -> None:
    """Write what comes until the input ends. After a failure it only reads, and tells at the next flush."""
    failure: OSError | None = None
    while len(head := frames.read(NAME_BYTES + LENGTH_BYTES)) == NAME_BYTES + LENGTH_BYTES:
        name, length = head[:NAME_BYTES], int.from_bytes(head[NAME_BYTES:], "big")
        if name == FLUSH:
            said = b"ok" if failure is None else f"{failure.errno or 0} {failure.strerror}".encode()
            answers.write(said.replace(b"\n", b" ") + b"\n")
            answers.flush()
            failure = None
            continue
        data = frames.read(length)
        if len(data) != length:
            return
        if failure is None:
            try:
                write_object(base, name.decode(), data)
            except OSError as error:
                failure = error


if __name__ == "__main__":
    # An interruption of the terminal is for whoever sends the objects; the end of its input ends this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(0, "rb", _BUFFER, closefd=False) as _frames, open(1, "wb", closefd=False) as _answers:
        serve(sys.argv[1], _frames, _answers)
