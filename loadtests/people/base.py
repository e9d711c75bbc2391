"""What every person of a test shares: how it asks, from which address, and what it notes.

Only for the processes that generate load: importing Locust patches sockets and time for the whole process.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
import gevent.socket  # type: ignore[import-untyped]
from geventhttpclient.connectionpool import ConnectionPool
from locust.contrib.fasthttp import FastHttpUser, LocustBadStatusCode
from locust.exception import StopUser

from loadtests.bounded import MOST_BYTES, TooMuchError
from loadtests.judging.content import MISSING, UNREADABLE, Expected, Reply
from loadtests.judging.tally import Tally
from loadtests.people.reading import at_most, bound, why_not
from loadtests.reasons import why

TIMEOUT_S = 30.0
LATE = "tarde_ms"
"""In the context of a request: how much later than due it was asked, because of the one before."""
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
    ends_at: float = math.inf
    """When the test ends, of the monotonic clock: nobody begins anything after it."""
    addresses: tuple[str, ...] = ()
    """The addresses that may be connected to; empty: whatever the name of the target means."""


SCENE = Scene(Expected(), Tally(), False)
"""Filled by the locustfile before any user is made."""

_numbers = count(1)


def own_address(number: int) -> str:
    """An address of this machine for the user of a number, never 127.0.*.* (others' servers and abuse)."""
    return f"127.{1 + number // 62_500 % 200}.{number // 250 % 250}.{1 + number % 250}"


def shared_address(group: int) -> str:
    """The address of many users, as those of a mobile network have: never one of `own_address`."""
    return f"127.0.{78 + os.getpid() % 170}.{1 + group % 250}"


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
    turns: ClassVar[Iterator[int]] = count()
    """Numbers those of a class as they come; each class of a profile has its own."""

    def __init__(self, environment: Any) -> None:
        if SCENE.url:
            self.host = SCENE.url
        super().__init__(environment)
        self.number = next(_numbers)
        self.tally = SCENE.tally
        self.random = random.Random()
        bound(self.client)
        pool = self.client.client.clientpool.get_client(self.client._build_url("/"))._connection_pool
        if SCENE.addresses:
            # Only where it connects; the name that is asked for, and TLS checks, stays as it was.
            pool._connection_host = SCENE.addresses[self.number % len(SCENE.addresses)]
        if SCENE.many_addresses:
            together = self.settings.get("personas_por_direccion", 1)
            alone = own_address(self.number + 10_007 * os.getpid())
            self._leave_from(pool, alone if together == 1 else shared_address(next(self.turns) // together))

    def _leave_from(self, pool: ConnectionPool, address: str) -> None:
        if type(pool) is ConnectionPool:
            # Same pool, same limits; only the first step of a connection differs.
            pool.__class__ = _FromAddress
            pool.address = address  # type: ignore[attr-defined]

    def chance(self, pct: int) -> bool:
        """True that percentage of the times."""
        return self.random.random() * 100 < pct

    def think(self, seconds: float) -> None:
        """Let a while go by. Who would be still waiting when the test ends leaves then (StopUser)."""
        left = SCENE.ends_at - time.monotonic()
        gevent.sleep(max(0.0, min(seconds, left)))
        if seconds >= left:
            raise StopUser

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
            except StopUser:
                return  # the test ended meanwhile
            except Exception as error:  # noqa: BLE001 - whatever stops a reader is told
                self.fault(UNREADABLE, why(error))

        return gevent.spawn(guarded)

    def ask(
        self,
        path: str,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
        late_ms: float = 0.0,
        most: int = MOST_BYTES,
    ) -> Reply | None:
        """GET. None, counted as a failure under `name`, when the answer is not one of `accept`.

        `late_ms` is how long ago it had to be asked: it is part of what its person waited. More than `most`
        bytes, packed or not, is a fault too: of that nobody can be served; and so is a 404 that is not
        accepted, because nobody asks for what was not announced.
        """
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        with self.waited("GET", name, late_ms), at_most(most):
            answer = self.client.get(
                path, name=name, headers=sent, catch_response=True, allow_redirects=False,
                context={LATE: late_ms},
            )  # fmt: skip
        with answer as got:
            status = int(got.status_code or 0)
            error = got.request_meta["exception"]
            if isinstance(error, TooMuchError):
                self.fault(UNREADABLE, f"{name}: {error}")
            if status in accept and (error is None or isinstance(error, LocustBadStatusCode)):
                got.success()
                found = {key.lower(): value for key, value in got.headers.items()} if got.headers else {}
                return Reply(status, found, bytes(got.content or b""))
            if status and (error is None or isinstance(error, LocustBadStatusCode)):
                got.failure(f"{status}")
                if status == 404:
                    self.fault(MISSING, f"{name}: no está {path}")
            else:
                got.failure(f"{'respuesta incompleta' if status else 'sin respuesta'}: {why_not(error)}")
        return None

    @contextmanager
    def waited(self, kind: str, name: str, late_ms: float = 0.0) -> Iterator[None]:
        """Around each request: if its user leaves without the answer, Locust would forget it ever asked."""
        since = time.monotonic()
        try:
            yield
        except gevent.GreenletExit:
            self._left_waiting(kind, name, (time.monotonic() - since) * 1000, late_ms)
            raise

    def _left_waiting(self, kind: str, name: str, waited_ms: float, late_ms: float) -> None:
        """The user leaves without its answer: a server that hangs to the end must not pass."""
        if waited_ms + late_ms <= SCENE.patience_ms:
            return
        hung = waited_ms + late_ms > 1000 * HUNG_S
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=waited_ms,
            response_length=0,
            exception=TimeoutError("sin respuesta al terminar") if hung else None,
            context={LATE: late_ms},
        )


def away(what: Callable[..., Any], *args: Any) -> Any:
    """Do something long in a thread: unpacking megabytes here stops everybody, and looks like a slow server.

    `what` may not touch Locust nor what others see.
    """
    return gevent.get_hub().threadpool.apply(what, args)


def now() -> float:
    """Seconds of the machine's clock: those of the observer and of all processes here are the same."""
    return time.time()
