"""What one update costs inside the server, without sockets: `python -m benchmarks.room_inside`.

A process of its own asks the room and the textbook application, by turns, through WSGI, and measures the CPU
of each answer. Nothing of the HTTP server or of the machine's other load is in the figures.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.room_night import Player, frames
from benchmarks.room_servers import sessions
from benchmarks.textbook_app import build, request_body
from control_room import app as room_app
from control_room.web.context import RoomOptions, open_room, real_ms

TURNS, ROUNDS, BOOK_TIMES, VIEWERS = 7, 8, 5, 50
EVERY_MS = 2_000

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def asked(app: Wsgi, method: str, path: str, cookie: str, body: bytes = b"") -> int:
    """One request; the bytes of the body of its answer. Raises RuntimeError unless it is a 200."""
    answers: list[str] = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8060", "HTTP_HOST": "127.0.0.1:8060",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": cookie,
        "HTTP_ACCEPT_ENCODING": "gzip", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    size = sum(len(piece) for piece in app(environ, lambda status, *_: answers.append(status)))
    if not answers[0].startswith("200"):
        raise RuntimeError(f"{method} {path}: {answers[0]}")
    return size


def cpu_ms(what: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU of one of `times` calls."""
    gc.collect()
    before = time.process_time()
    for _ in range(times):
        what()
    return 1000 * (time.process_time() - before) / times


def run(folder: Path, room: Path, quick: bool) -> dict[str, float]:
    """Both, by turns, each turn on another snapshot."""
    base = folder / "prep.db"
    player = Player(room, frames(folder, quick))
    cookies = sessions(base, room, 3 if quick else VIEWERS)
    passed, sizes = 0, [0, 0]
    # On a clock of its own: everybody asks once every two seconds of it, so sessions are looked up again as
    # often as they are when it is real.
    opened = open_room(RoomOptions(base=str(base), folder=room), now=lambda: real_ms() + passed)
    ours, theirs = room_app.build(opened), build(room).server
    body = request_body(1).encode()

    def round_of_all() -> None:
        nonlocal passed
        passed += EVERY_MS
        for cookie in cookies:
            sizes[0] = asked(ours, "GET", "/api/sala.json", cookie)

    def one_of_them() -> None:
        sizes[1] = asked(theirs, "POST", "/_dash-update-component", "", body)

    round_of_all()
    one_of_them()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(2 if quick else TURNS):
        player.put()
        taken[0].append(cpu_ms(round_of_all, ROUNDS) / len(cookies))
        taken[1].append(cpu_ms(one_of_them, BOOK_TIMES))
    opened.close()
    return {
        "sala_ms": median(taken[0]), "libro_ms": median(taken[1]),
        "sala_bytes": sizes[0], "libro_bytes": sizes[1],
    }  # fmt: skip


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room_inside")
    parser.add_argument("--noche", type=Path, required=True)
    parser.add_argument("--sala", type=Path, required=True)
    parser.add_argument("--rapido", action="store_true")
    args = parser.parse_args()
    print(json.dumps(run(args.noche, args.sala, args.rapido)))


if __name__ == "__main__":
    main()
