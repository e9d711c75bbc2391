"""Those who insist count what was answered, however it arrives, and take no errors for limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from loadtests.generating import abuse
from loadtests.generating.abuse import Answers, Crowd

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHTTP/1.1 429"
MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n"
SAME = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"


def in_a_loop(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run in a loop of its own, whatever loop the browser's library left in this thread."""
    loop = asyncio.new_event_loop()
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return loop.run_until_complete(work())
    finally:
        asyncio._set_running_loop(before)
        loop.close()


@pytest.mark.parametrize("piece", [1, 7, 4096], ids=["a byte", "seven", "all at once"])
def test_answers_are_the_same_in_whatever_pieces_they_arrive(piece: int) -> None:
    sent = OK + MANY + SAME + BROKEN + OK
    bytes_seen: list[int] = []

    async def read() -> list[int]:
        reader = asyncio.StreamReader()
        answers = Answers(reader, bytes_seen.append)

        async def feed() -> None:
            for at in range(0, len(sent), piece):
                reader.feed_data(sent[at : at + piece])
                await asyncio.sleep(0)
            reader.feed_eof()

        feeding = asyncio.ensure_future(feed())
        found = [await answers.next() for _ in range(5)]
        with pytest.raises(EOFError):
            await answers.next()
        await feeding
        return found

    assert in_a_loop(read) == [200, 429, 304, 503, 200]
    assert len(sent) - 20 < sum(bytes_seen) <= len(sent), "all but the sizes of the pieces"


def insist(serve: Serve, **more: Any) -> dict[str, int]:
    """What a small crowd gets of a server of this test's own."""

    async def both() -> dict[str, int]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        asked = {
            "host": "127.0.0.1", "puerto": port, "nombre": "prueba", "tls": False,
            "direcciones": ["127.0.77.1"], "segundos": 0.4, "rutas": ["/a", "/b"],
            "grande": "/g", "clientes": 2, "peticiones_s": 400,
            "descargas": 0, "lentos": 0, **more,
        }  # fmt: skip
        found = await Crowd(asked).insist()
        server.close()
        return found

    found: dict[str, int] = in_a_loop(both)
    return found


def answering(answer: bytes) -> Serve:
    """A server that says the same to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return serve


@pytest.mark.parametrize(
    ("answer", "limited", "errors"),
    [(OK, 0, 0), (MANY, 1, 0), (BROKEN, 0, 1)],
    ids=["well", "limit", "broken"],
)
def test_a_broken_server_is_not_a_limit(answer: bytes, limited: int, errors: int) -> None:
    got = insist(answering(answer))
    assert got["respuestas"] > 20
    assert got["limitadas"] == limited * got["respuestas"] and got["errores"] == errors * got["respuestas"]
    assert got["bytes"] > 0 and got["segundos"] == 1


def test_what_nobody_answers_was_asked_and_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abuse, "LEFT_S", 0.1)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()

    got = insist(mute, lentos=3, descargas=1)
    assert got["peticiones"] > 0 and got["respuestas"] == 0 and got["lentas"] == 3


def test_whoever_never_finishes_asking_is_thrown_out() -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        # Half of them with a reset, as nginx does with `reset_timedout_connection`.
        if next(turns) % 2:
            writer.transport.abort()
        writer.close()

    turns = count()
    got = insist(impatient, clientes=0, lentos=4)
    assert got["lentas_echadas"] >= 4 and got["peticiones"] == 0


def test_who_downloads_asks_for_what_is_large_once_and_again() -> None:
    seen: set[bytes] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.add(head.split()[1])
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    got = insist(serve, clientes=1, peticiones_s=0, descargas=1)
    assert seen == {b"/g"} and got["respuestas"] >= got["descargas"] - 1 > 0
