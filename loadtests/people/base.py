"""What every person of a test shares: how it asks, from which address, and what it notes.

Only for the processes that generate load: importing Locust patches sockets and time for the whole process.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
import gevent.socket  # type: ignore[import-untyped]
from geventhttpclient.connectionpool import ConnectionPool
from locust.contrib.fasthttp import FastHttpUser

from loadtests.content import UNREADABLE, Expected, Reply
from loadtests.tally import Tally

TIMEOUT_S = 30.0
HUNG_S = 5.0
"""A request that waits longer than this when its user leaves has failed."""


@dataclass(slots=True)
class Scene:
    """What all the users of a process share."""

    expected: Expected
    tally: Tally
    many_addresses: bool
    """Each user from an address of its own of 127/8: a crowd is not one address."""
    package_path: str = ""
    """Where the last package downloaded is left, to be verified after the test; empty: nowhere."""
    credentials: Mapping[str, tuple[str, str]] | None = None
    """For the room: user and password by class of person."""
    url: str = ""
    """The only address that may be asked, whatever Locust's page or a master say; empty: the class's."""
    patience_ms: float = 1000.0
    """A request that waits longer than this when its user leaves counts, with what it has waited."""


SCENE = Scene(Expected(), Tally(), False)
"""Filled by the locustfile before any user is made."""

_numbers = count(1)


def own_address(number: int) -> str:
    """An address of this machine for the user of a number, never 127.0.*.* (others' servers and abuse)."""
    return f"127.{1 + number // 62_500 % 200}.{number // 250 % 250}.{1 + number % 250}"


class _FromAddress(ConnectionPool):
    """Connections that leave from a given address."""

    address = ""

    def _create_tcp_socket(self, family: int, socktype: int, protocol: int) -> gevent.socket.socket:
        one = super()._create_tcp_socket(family, socktype, protocol)
        if family == gevent.socket.AF_INET:
            one.bind((self.address, 0))
        return one


class Person(FastHttpUser):
    """A person. Subclasses say what it does in `live`, which is run once and again until the end."""

    abstract = True
    network_timeout = TIMEOUT_S
    connection_timeout = TIMEOUT_S
    settings: ClassVar[Mapping[str, int]] = {}

    def __init__(self, environment: Any) -> None:
        if SCENE.url:
            self.host = SCENE.url
        super().__init__(environment)
        self.number = next(_numbers)
        self.tally = SCENE.tally
        self.random = random.Random()
        if SCENE.many_addresses:
            self._leave_from(own_address(self.number + 10_007 * os.getpid()))

    def _leave_from(self, address: str) -> None:
        client = self.client.client.clientpool.get_client(self.client._build_url("/"))
        pool = client._connection_pool
        if type(pool) is ConnectionPool:
            # Same pool, same limits; only the first step of a connection differs.
            pool.__class__ = _FromAddress
            pool.address = address  # type: ignore[attr-defined]

    def chance(self, pct: int) -> bool:
        """True that percentage of the times."""
        return self.random.random() * 100 < pct

    def think(self, seconds: float) -> None:
        """Let a while go by, never past the end of the test."""
        gevent.sleep(max(0.0, seconds))

    def jitter(self, seconds: float, pct: int) -> float:
        """A wait around `seconds`, at most `pct` percent more or less."""
        return seconds * (1 + (self.random.random() * 2 - 1) * pct / 100)

    def fault(self, kind: str, where: str) -> None:
        """Note a fault of content."""
        self.tally.fault(kind, where)

    def apart(self, what: Callable[..., None], *args: Any) -> Any:
        """Do something in a greenlet of its own, whose exceptions Locust does not see: they are faults."""

        def guarded() -> None:
            try:
                what(*args)
            except Exception as error:  # noqa: BLE001 - whatever stops a reader is told
                self.fault(UNREADABLE, f"{type(error).__name__}: {error}")

        return gevent.spawn(guarded)

    def ask(
        self,
        path: str,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
    ) -> Reply | None:
        """GET. None, counted as a failure under `name`, when the answer is not one of `accept`."""
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        since = time.monotonic()
        try:
            answer = self.client.get(
                path, name=name, headers=sent, catch_response=True, allow_redirects=False
            )
        except gevent.GreenletExit:
            self._left_waiting(name, (time.monotonic() - since) * 1000)
            raise
        with answer as got:
            status = int(got.status_code or 0)
            if status in accept:
                got.success()
                found = {key.lower(): value for key, value in got.headers.items()} if got.headers else {}
                return Reply(status, found, bytes(got.content or b""))
            error = getattr(got, "error", None)
            got.failure(f"{status}" if status else f"sin respuesta: {type(error).__name__}")
        return None

    def _left_waiting(self, name: str, waited_ms: float) -> None:
        """The user leaves without its answer: Locust forgets it, and a server that hangs would pass."""
        if waited_ms <= SCENE.patience_ms:
            return
        hung = waited_ms > 1000 * HUNG_S
        self.environment.events.request.fire(
            request_type="GET",
            name=name,
            response_time=waited_ms,
            response_length=0,
            exception=TimeoutError("sin respuesta al terminar") if hung else None,
            context={},
        )


def now() -> float:
    """Seconds of the machine's clock: those of the observer and of all processes here are the same."""
    return time.time()
