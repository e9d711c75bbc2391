"""A server that costs nothing: the same bytes to everybody.

For measuring the generator of load. `python -m loadtests.generating.trivial`, a process of its own: on stdin,
the bytes of the body (until it closes); on stdout, one line with the port and, when it is asked to end, one
with how busy it was: it is one process, and several generators may find its limit before theirs. It
understands nothing of what it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests.tied import tied

_END = b"\r\n\r\n"
LOOK_S = 0.25
"""How often it looks at how busy it is."""
LEAVE_S = 5.0


@dataclass(slots=True)
class Trivial:
    """A trivial server."""

    url: str
    busiest_pct: float | None = None
    """Once it ended: the share of a core it used in its busiest moment; None when it did not say."""


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
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        print(await _busiest(ended), flush=True)


async def _busiest(ended: asyncio.Event) -> float:
    """The largest share of a core that this process uses in a while, in percent, until it is ended."""
    most = 0.0
    while not ended.is_set():
        spent, since = time.process_time(), time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), LOOK_S)
        passed = time.monotonic() - since
        if passed > LOOK_S / 2:
            most = max(most, 100 * (time.process_time() - spent) / passed)
    return round(most, 1)


@contextmanager
def trivial_server(body: bytes, *, packed: bool) -> Iterator[Trivial]:
    """A trivial server of those bytes, which are gzip when `packed`."""
    command = [sys.executable, "-m", "loadtests.generating.trivial", "gzip" if packed else "plano"]
    process = subprocess.Popen(tied(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(body)
        process.stdin.close()
        process.stdin = None
        server = Trivial(f"http://127.0.0.1:{int(process.stdout.readline())}")
        yield server
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            server.busiest_pct = float(process.communicate(timeout=LEAVE_S)[0])
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def main() -> None:
    """Serve until ended."""
    body = sys.stdin.buffer.read()
    packed = b"Content-Encoding: gzip\r\n" if sys.argv[1:] == ["gzip"] else b""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(head % (packed, len(body)) + body))


if __name__ == "__main__":
    main()
