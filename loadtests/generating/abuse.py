"""Clients that insist, beside the honest ones: `python -m loadtests.generating.abuse`, a process of its own.

Three kinds, from a few addresses: quick ones, that ask without waiting for answers; those that download the
largest files once and again; and slow ones, that open a connection and never finish asking. One JSON object
on stdin says whom and how much; one line `empieza` and one JSON object with what they got come on stdout:
requests tried, and answered (`peticiones` and `respuestas`), refused for being too many, errors of the
server, bytes that arrived and in how many seconds. Only `loadtests.run` starts it, after the target was
allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

TURN_S = 0.05
NOT_MODIFIED, TOO_MANY, OWN_ERROR = 304, 429, 500
MOST_WAITING = 64
"""Requests of a connection without an answer: an abusive client also has a limited memory."""
SLOW_EVERY_S = 4.0
LEFT_S = 2.0
"""For whoever is in the middle of something once the time is over."""


NOTED = ("peticiones", "respuestas", "limitadas", "errores", "bytes", "conexiones", "cortadas", "descargas",
         "lentas", "lentas_echadas")  # fmt: skip


class Answers:
    """Answers of a connection, one after another, whatever pieces they arrive in. Raises EOFError at its end.

    A status line cut by the network is still one, and a body that says `HTTP/1.1 429` is not.
    """

    def __init__(self, reader: asyncio.StreamReader, arrived: Callable[[int], None]) -> None:
        self._reader = reader
        self._arrived = arrived

    async def next(self, wait_s: float | None = None) -> int:
        """The status of the next answer, once it came whole. TimeoutError after `wait_s` of nothing."""
        try:
            head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), wait_s)
        except asyncio.LimitOverrunError as error:
            raise EOFError from error
        self._arrived(len(head))
        status, fields = int(head[9:12]), head.lower().split(b"\r\n")[1:]
        length = next((int(one[15:]) for one in fields if one.startswith(b"content-length:")), 0)
        if any(one.startswith(b"transfer-encoding:") for one in fields):
            await self._pieces()
        while length > 0 and status != NOT_MODIFIED:
            data = await asyncio.wait_for(self._reader.read(min(length, 1 << 18)), wait_s)
            if not data:
                raise EOFError
            length -= len(data)
            self._arrived(len(data))
        return status

    async def _pieces(self) -> None:
        while True:
            size = int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16)
            self._arrived(len(await self._reader.readexactly(size + 2)))
            if not size:
                return


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
        self.since = loop.time()

    def left(self) -> float:
        """Seconds that remain."""
        return self.end - asyncio.get_running_loop().time()

    async def connect(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from one of the few addresses."""
        addresses = self.asked["direcciones"]
        local = (addresses[number % len(addresses)], 0) if addresses else None
        opening = asyncio.open_connection(
            self.asked["host"], self.asked["puerto"], ssl=self.tls, local_addr=local, limit=1 << 20,
            server_hostname=(self.asked.get("sni") or None) if self.tls else None,
        )  # fmt: skip
        return await asyncio.wait_for(opening, 5)

    async def again(self, number: int, what: Any) -> None:
        """Do something until the end, connecting again each time it is thrown out."""
        while self.left() > 0:
            writer = None
            try:
                reader, writer = await self.connect(number)
                self.got["conexiones"] += 1
                await what(number, reader, writer)
            except (OSError, EOFError, ValueError):
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
        answers = Answers(reader, self.arrived)

        async def count() -> None:
            nonlocal waiting
            while True:
                self.note(await answers.next())
                waiting -= 1

        counting = asyncio.ensure_future(count())
        try:
            owed, turn = 0.0, number
            while self.left() > 0 and not counting.done():
                owed = min(owed + share * TURN_S, float(MOST_WAITING))
                while owed >= 1 and waiting < MOST_WAITING:
                    turn += 1
                    path = f"{paths[turn % len(paths)]}?r={turn}"
                    writer.write(self.request(path, packed=bool(turn % 2)))
                    self.got["peticiones"] += 1
                    owed -= 1
                    waiting += 1
                # Who does not read what it is sent is not written to: what stays in the buffer was not asked.
                await writer.drain()
                await asyncio.sleep(TURN_S)
            if counting.done():
                await counting
        finally:
            counting.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, EOFError, ValueError):
                await counting

    async def heavy(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Download the largest file once and again."""
        answers = Answers(reader, self.arrived)
        while self.left() > 0:
            writer.write(self.request(self.asked["grande"], packed=True))
            self.got["peticiones"] += 1
            self.got["descargas"] += 1
            if self.note(await answers.next(15)) == TOO_MANY:
                await asyncio.sleep(TURN_S)

    def request(self, path: str, *, packed: bool) -> bytes:
        """A request; half of the quick ones take nothing packed, because that is what weighs more."""
        more = "Accept-Encoding: gzip\r\n" if packed else ""
        return f"GET {path} HTTP/1.1\r\nHost: {self.asked['nombre']}\r\n{more}\r\n".encode()

    def arrived(self, count: int) -> None:
        """Bytes came."""
        self.got["bytes"] += count

    def note(self, status: int) -> int:
        """A whole answer came."""
        self.got["respuestas"] += 1
        self.got["limitadas"] += status == TOO_MANY
        self.got["errores"] += status >= OWN_ERROR
        return status

    async def slow(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to ask and never finish."""
        self.got["lentas"] += 1
        writer.write(f"GET / HTTP/1.1\r\nHost: {self.asked['nombre']}\r\n".encode())
        try:
            while self.left() > 0:
                with contextlib.suppress(TimeoutError):
                    wait = min(SLOW_EVERY_S, max(0.1, self.left()))
                    if not await asyncio.wait_for(reader.read(1 << 16), wait):
                        raise EOFError
                writer.write(b"X-A: b\r\n")
        except (ConnectionError, EOFError):
            # Closed politely or not: the server did not wait for ever.
            self.got["lentas_echadas"] += 1
            raise

    async def insist(self) -> dict[str, int]:
        """Everybody at once."""
        asked = self.asked
        work = [self.again(one, self.quick) for one in range(asked["clientes"])]
        work += [self.again(one, self.heavy) for one in range(asked["descargas"])]
        work += [self.again(one, self.slow) for one in range(asked["lentos"])]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*work), max(0.1, self.left()) + LEFT_S)
        spent = max(1, round(asyncio.get_running_loop().time() - self.since))
        return {**dict.fromkeys(NOTED, 0), **self.got, "segundos": spent}


async def _main() -> None:
    line = sys.stdin.readline()
    if not line:
        return  # who was to tell whom to ask is gone
    asked = json.loads(line)
    print("empieza", flush=True)
    print(json.dumps(await Crowd(asked).insist()), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
