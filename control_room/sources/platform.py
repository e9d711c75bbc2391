"""The machine of the room: how much disc is left and how far its clock is from another.

The other clock is that of the database's server, or a source of the configuration: `ntp://host` or the
`Date` of a web address. Where there is nothing to compare with (a SQLite file on this machine) it says
None and not zero. It corrects nothing: the limits are those of the alert rules.
"""

from __future__ import annotations

import shutil
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from control_room.night.facts import PlatformFacts
from core.errors import UsageError

EVERY_S = 30.0
"""Real seconds between two looks."""
TRIES = 3
"""Of several answers, the one that took least is the one to believe."""
TIMEOUT_S = 3.0
NTP_PORT = 123
_NTP_EPOCH_S = 2_208_988_800
"""From 1900, where NTP counts from, to 1970."""
_SCHEMES = ("ntp", "http", "https")


def disk_free_pct(folders: Sequence[Path]) -> float | None:
    """Percent free of the fullest disc of some folders; None when none of them is there."""
    found = []
    for folder in folders:
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            # What the system keeps for itself is not free for anybody here.
            found.append(100.0 * usage.free / (usage.used + usage.free))
    return round(min(found), 2) if found else None


def database_skew_s(database: Database) -> float | None:
    """Seconds this machine is ahead of the database's server; None for a database without a server.

    Raises SQLAlchemyError when it does not answer.
    """
    if database.dialect.name != "postgresql":
        return None
    with database.connect() as connection:

        def ask() -> float:
            said = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            return float(said)

        return _skew(ask)


def source_skew_s(source: str, timeout_s: float = TIMEOUT_S) -> float:
    """Seconds this machine is ahead of a source (`ntp://host` or a web address, to the second).

    Raises UsageError when it is not one of those, and OSError when it does not answer.
    """
    parts = urlsplit(source)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise UsageError(
            f"La fuente de hora «{source}» no sirve; se esperaba ntp://servidor o una dirección http(s)."
        )
    if parts.scheme == "ntp":
        host, port = parts.hostname, parts.port or NTP_PORT
        return _skew(lambda: _ntp_s(host, port, timeout_s))
    skew = _skew(lambda: _date_s(source, timeout_s))
    # `Date` tells whole seconds, cut: half a second is its own.
    return skew - 0.5


class Platform:
    """Looks at the machine now and then, in a thread of its own: a source that hangs holds nobody.

    `folders` are those whose discs matter; `source` the clock to compare with instead of the database's.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        database: Database | None = None,
        source: str | None = None,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._folders = tuple(folders)
        self._database = database
        self._source = source
        self._every_s = every_s
        self._skew: float | None = None
        self._stop = threading.Event()
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plataforma", daemon=True)
        self._thread.start()

    def facts(
        self, snapshot_age_s: float, *, database_ok: bool = True, database_since_ms: int | None = None
    ) -> PlatformFacts:
        """The platform at this moment; what the room knows of itself and of the database is given to it."""
        return PlatformFacts(
            snapshot_age_s, disk_free_pct(self._folders), self._skew, database_ok, database_since_ms
        )

    def wait(self, timeout_s: float) -> bool:
        """Wait for the first look; False when it has not ended by then."""
        return self._looked.wait(timeout_s)

    def close(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            # A clock that cannot be asked is not one that agrees.
            self._skew = None
            with suppress(OSError, SQLAlchemyError, UsageError):
                if self._source is not None:
                    self._skew = source_skew_s(self._source)
                elif self._database is not None:
                    self._skew = database_skew_s(self._database)
            self._looked.set()
            if self._stop.wait(self._every_s):
                return


def _skew(ask: Callable[[], float]) -> float:
    """Seconds ahead of a clock, by the answer that took least, taken as said half way."""
    best: tuple[float, float] | None = None
    for _ in range(TRIES):
        before, started = time.time(), time.perf_counter()
        said = ask()
        took = time.perf_counter() - started
        if best is None or took < best[0]:
            best = took, before + took / 2 - said
    assert best is not None
    return round(best[1], 3)


def _ntp_s(host: str, port: int, timeout_s: float) -> float:
    """What an SNTP server (RFC 4330) says the time is: seconds since 1970."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as channel:
        channel.settimeout(timeout_s)
        # Version 4, client.
        channel.sendto(b"\x23" + bytes(47), address)
        answer, _ = channel.recvfrom(512)
    if len(answer) < 48 or answer[0] & 7 != 4 or answer[1] == 0:
        raise OSError(f"{host} no respondió como un servidor NTP")
    whole, part = struct.unpack("!II", answer[40:48])
    return float(whole - _NTP_EPOCH_S + part / 2**32)


def _date_s(address: str, timeout_s: float) -> float:
    """What a web server says the time is, cut to the second."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            said = answer.headers.get("Date")
    except HTTPError as error:
        # It answered: what it says of the page is not what is asked.
        said = error.headers.get("Date")
    try:
        moment: datetime = parsedate_to_datetime(said)
    except (TypeError, ValueError) as error:
        raise OSError(f"{address} no dice la hora") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
