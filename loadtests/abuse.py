"""Clients that insist, beside the honest ones: `python -m loadtests.abuse`, a process of its own.

Three kinds, from a few addresses: quick ones, that ask without waiting for answers; those that download the
largest file once and again; and slow ones, that open a connection and never finish asking. One JSON object
on stdin says whom and how much; one line `empieza` and one JSON object with what they got come on stdout.
Only `loadtests.run` starts it, after the target was allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import sys
from collections import Counter
from typing import Any

TURN_S = 0.05
MOST_WAITING = 64
"""Requests of a connection without an answer: an abusive client also has a limited memory."""
SLOW_EVERY_S = 4.0


class Crowd:
    """Everybody who insists."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.got: Counter[str] = Counter()
        loop = asyncio.get_running_loop()
        self.end = loop.time() + float(asked["segundos"])
        self.tls: ssl.SSLContext | None = None
        if asked["tls"]:
            self.tls = ssl.create_default_context()
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE

    def left(self) -> float:
        """Seconds that remain."""
        return self.end - asyncio.get_running_loop().time()

    async def connect(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from one of the few addresses."""
        addresses = self.asked["direcciones"]
        local = (addresses[number % len(addresses)], 0) if addresses else None
        opening = asyncio.open_connection(
            self.asked["host"], self.asked["puerto"], ssl=self.tls, local_addr=local, limit=1 << 20
        )
        return await asyncio.wait_for(opening, 5)

    async def again(self, number: int, what: Any) -> None:
        """Do something until the end, connecting again each time it is thrown out."""
        while self.left() > 0:
            writer = None
            try:
                reader, writer = await self.connect(number)
                self.got["conexiones"] += 1
                await what(number, reader, writer)
            except (OSError, EOFError, TimeoutError):
                self.got["cortadas"] += 1
                await asyncio.sleep(0.2)
            finally:
                if writer is not None:
                    writer.close()

    async def quick(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Ask without waiting, so many times a second."""
        share = self.asked["peticiones_s"] / self.asked["clientes"]
        paths = self.asked["rutas"]
        waiting = 0

        async def count() -> None:
            nonlocal waiting
            while data := await reader.read(1 << 18):
                found = data.count(b"HTTP/1.1 ")
                limited = data.count(b"HTTP/1.1 429") + data.count(b"HTTP/1.1 503")
                self.got["respuestas"] += found
                self.got["limitadas"] += limited
                self.got["bytes"] += len(data)
                waiting = max(0, waiting - found)
            raise EOFError

        counting = asyncio.ensure_future(count())
        try:
            owed, turn = 0.0, number
            while self.left() > 0 and not counting.done():
                owed = min(owed + share * TURN_S, float(MOST_WAITING))
                while owed >= 1 and waiting < MOST_WAITING:
                    turn += 1
                    path = f"{paths[turn % len(paths)]}?r={turn}"
                    writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.asked['nombre']}\r\n\r\n".encode())
                    self.got["peticiones"] += 1
                    owed -= 1
                    waiting += 1
                await asyncio.sleep(TURN_S)
            if counting.done():
                await counting
        finally:
            counting.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, EOFError):
                await counting

    async def heavy(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Download the largest file once and again."""
        request = f"GET {self.asked['grande']} HTTP/1.1\r\nHost: {self.asked['nombre']}\r\n\r\n".encode()
        while self.left() > 0:
            writer.write(request)
            self.got["peticiones"] += 1
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)
            self.got["respuestas"] += 1
            limited = head[9:12] in (b"429", b"503")
            self.got["limitadas"] += limited
            length = next(
                (
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            while length > 0 and (data := await reader.read(min(length, 1 << 18))):
                length -= len(data)
                self.got["bytes"] += len(data)
            if limited:
                await asyncio.sleep(TURN_S)

    async def slow(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to ask and never finish."""
        self.got["lentas"] += 1
        writer.write(f"GET / HTTP/1.1\r\nHost: {self.asked['nombre']}\r\n".encode())
        while self.left() > 0:
            with contextlib.suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(1 << 16), min(SLOW_EVERY_S, max(0.1, self.left()))):
                    self.got["lentas_echadas"] += 1
                    raise EOFError
            writer.write(b"X-A: b\r\n")

    async def insist(self) -> dict[str, int]:
        """Everybody at once."""
        asked = self.asked
        work = [self.again(one, self.quick) for one in range(asked["clientes"])]
        work += [self.again(one, self.heavy) for one in range(asked["descargas"])]
        work += [self.again(one, self.slow) for one in range(asked["lentos"])]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*work), max(0.1, self.left()) + 1)
        return dict(self.got)


async def _main() -> None:
    asked = json.loads(sys.stdin.readline())
    print("empieza", flush=True)
    print(json.dumps(await Crowd(asked).insist()), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
