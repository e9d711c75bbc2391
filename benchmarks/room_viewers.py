"""Viewers of a room as HTTP clients: `python -m benchmarks.room_viewers`, a process of its own.

One JSON object on stdin says whom to ask; one line `empieza` and one JSON object come on stdout. Each viewer
keeps its connection, its session and its ETag, and asks on the beat of its own Interval; while an answer is
on its way it does not ask again.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_SEQ_OF_TAG = re.compile(rb'"[0-9a-z]+-(\d+)"')
_SEQ_OF_BODY = re.compile(rb'"seq":\{"children":(\d+)')


@dataclass
class Tally:
    """What came to all the viewers."""

    polls: int = 0
    new: int = 0
    errors: int = 0
    new_bytes: int = 0
    latencies: list[float] = field(default_factory=list)
    seen: list[list[tuple[float, int]]] = field(default_factory=list)
    """By viewer, (monotonic second, seq) of each update."""


async def viewer(asked: dict[str, Any], number: int, start: float, tally: Tally) -> None:
    """One viewer until its time is over."""
    mine: list[tuple[float, int]] = []
    tally.seen.append(mine)
    every, end = float(asked["cada_s"]), start + float(asked["segundos"])
    due = start + random.Random(number).random() * every
    reader, writer = await asyncio.open_connection("127.0.0.1", asked["puerto"])
    head, body, tag, count = _head(asked, number), str(asked.get("cuerpo", "")), b"", 0
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        count += 1
        content = body.replace("N_INTERVALS", str(count)).encode()
        extra = b"If-None-Match: " + tag + b"\r\n" if tag else b""
        if content:
            extra += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content)
        before = time.monotonic()
        writer.write(head + extra + b"\r\n" + content)
        status, size, tag_found, answer = await _answer(reader)
        now = time.monotonic()
        tally.polls += 1
        tally.latencies.append((now - before) * 1000)
        tag = tag_found or tag
        if status == 200:
            found = _SEQ_OF_TAG.search(tag) if tag else _SEQ_OF_BODY.search(answer)
            tally.new += 1
            tally.new_bytes += size
            mine.append((now, int(found[1]) if found else -1))
        elif status != 304:
            tally.errors += 1
        # A beat that was missed is not made up for.
        due = max(due + every, now)
    writer.close()


def _head(asked: dict[str, Any], number: int) -> bytes:
    cookies = asked["galletas"]
    lines = [f"{asked['metodo']} {asked['ruta']} HTTP/1.1", f"Host: 127.0.0.1:{asked['puerto']}",
             "Accept-Encoding: gzip", "Connection: keep-alive"]  # fmt: skip
    if cookies:
        lines.append(f"Cookie: {cookies[number % len(cookies)]}")
    return ("\r\n".join(lines) + "\r\n").encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int, bytes, bytes]:
    """(status, bytes of everything, ETag, body)."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, length, tag, chunked = int(head[9:12]), 0, b"", False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        match name.lower():
            case b"content-length":
                length = int(value)
            case b"etag":
                tag = value.strip()
            case b"transfer-encoding":
                chunked = b"chunked" in value
    if chunked:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = b"" if status == 304 else await reader.readexactly(length)
    return status, len(head) + len(body), tag, body


async def watch(asked: dict[str, Any]) -> Tally:
    """All the viewers at once."""
    tally = Tally()
    start = time.monotonic() + 0.2
    await asyncio.gather(*(viewer(asked, number, start, tally) for number in range(asked["espectadores"])))
    return tally


def main() -> None:
    """Ask, and print what came."""
    asked = json.loads(sys.stdin.readline())
    print("empieza", flush=True)
    tally = asyncio.run(watch(asked))
    tally.latencies.sort()
    middle, late = len(tally.latencies) // 2, int(len(tally.latencies) * 0.95)
    print(
        json.dumps(
            {
                "preguntas": tally.polls, "nuevas": tally.new, "errores": tally.errors,
                "bytes_nuevas": tally.new_bytes, "p50_ms": tally.latencies[middle],
                "p95_ms": tally.latencies[late], "visto": tally.seen,
            }
        ),
        flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
