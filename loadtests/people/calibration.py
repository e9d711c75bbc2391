"""How fast this process can ask when the server costs nothing: the generator's own ceiling.

The same client, the same bytes, digested and parsed as those who look do, against
`loadtests.generating.trivial`. Above it, what a test measures is the generator.
"""

from __future__ import annotations

import hashlib
import json
import time

import gevent  # type: ignore[import-untyped]
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook

from loadtests.people.reading import bound

AT_ONCE = 25


def measure(url: str, seconds: float) -> float | None:
    """Requests per second of this process against a trivial server; None when it did not answer."""
    end = time.monotonic() + seconds
    done = [0] * AT_ONCE

    def one(place: int) -> None:
        nobody = EventHook()  # type: ignore[no-untyped-call]
        session = FastHttpSession(url, nobody, None, connection_timeout=5.0, network_timeout=5.0)
        bound(session)
        while time.monotonic() < end:
            answer = session.get("/", headers={"Accept-Encoding": "gzip"})
            if answer.status_code != 200:
                return
            body = bytes(answer.content or b"")
            hashlib.sha256(body).hexdigest()
            json.loads(body)
            done[place] += 1

    begun = time.monotonic()
    gevent.joinall([gevent.spawn(one, place) for place in range(AT_ONCE)])
    total = sum(done)
    return round(total / (time.monotonic() - begun), 1) if total else None
