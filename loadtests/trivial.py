"""A server that costs nothing: the same bytes to everybody.

For measuring the generator of load. `python -m loadtests.trivial`, a process of its own: on stdin, the bytes
of the body (until it closes); on stdout, one line with the port. It understands nothing of what it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_END = b"\r\n\r\n"


class _Answer(asyncio.Protocol):
    """Counts the ends of requests and writes as many answers."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._left + data
        whole = data.count(_END)
        if whole:
            self._transport.write(self._answer * whole)
        self._left = data.rpartition(_END)[2] if whole else data


async def _serve(answer: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answer(answer), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def trivial_server(body: bytes, *, packed: bool) -> Iterator[str]:
    """The address of a trivial server of those bytes, which are gzip when `packed`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.trivial", "gzip" if packed else "plano"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(body)
        process.stdin.close()
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def main() -> None:
    """Serve until killed."""
    body = sys.stdin.buffer.read()
    packed = b"Content-Encoding: gzip\r\n" if sys.argv[1:] == ["gzip"] else b""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(head % (packed, len(body)) + body))


if __name__ == "__main__":
    main()
