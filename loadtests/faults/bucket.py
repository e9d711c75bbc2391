"""The S3 bucket of a rehearsal: the server, the proxy the publisher reaches it through, and who reads it.

Whoever reads goes to the server itself, without credentials and past the proxy, as the public would: what the
publisher believes of the bucket is not what is asked here. It breaks nothing by itself.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
import urllib.request
from dataclasses import dataclass, field

from core.verification.verificar import Unreadable, add_arguments, verify
from loadtests.faults.processes import wait_until
from loadtests.faults.servers import BUCKET, S3, Proxy

PREFIX = "noche"
TORN = ("el sitio responde vacío", "la conexión se cortó", "mal comprimido")
"""How `prep verificar` tells of a file that is there and is not whole, in its own words."""
PAUSE_S = 0.3
"""Between two readings of whoever reads all the time."""


class Bucket:
    """Where the publisher sends a copy, through `proxy`; `server` is the real one."""

    def __init__(self, server: S3) -> None:
        self.server = server
        self.proxy = Proxy(server.port)

    @property
    def address(self) -> str:
        """As `prep publicar --destino` takes it."""
        return f"s3://{BUCKET}/{PREFIX}?endpoint=http://127.0.0.1:{self.proxy.port}&region=us-east-1"

    @property
    def public_url(self) -> str:
        """Where anybody reads it."""
        return f"{self.server.endpoint}/{BUCKET}/{PREFIX}/"

    def public_cut(self) -> int:
        """The cut it shows; 0 when it shows none."""
        try:
            with urllib.request.urlopen(f"{self.public_url}corte.json", timeout=10) as answer:
                return int(json.load(answer)["corte"])
        except (OSError, ValueError, KeyError):
            return 0

    def close(self) -> None:
        """End the server and the proxy."""
        self.proxy.close()
        self.server.kill()


@dataclass(slots=True)
class Seen:
    """What somebody who reads the whole bucket over and over saw."""

    whole: list[tuple[float, int]] = field(default_factory=list)
    """When (monotonic seconds) it verified from end to end, and the cut it showed."""
    half: list[str] = field(default_factory=list)
    """Why it did not, each time."""
    unread: list[float] = field(default_factory=list)
    """When nobody answered, there was nothing, or it was being brought up to date."""

    def never_half(self, since: float) -> tuple[bool, str]:
        """Whether it always showed a whole cut and never an older one, read at least twice after a moment."""
        cuts = [cut for _, cut in self.whole]
        after = [cut for at, cut in self.whole if at >= since]
        good = not self.half and cuts == sorted(cuts) and len(after) > 1
        if self.half:
            return False, self.half[0]
        told = f"{len(self.whole)} lecturas enteras, {len(self.unread)} sin respuesta, cortes {cuts}"
        return good, told[:300]


class Reader:
    """Verifies what is published at an address time after time, in the background, from now until `end`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._seen = Seen()
        self._thread = threading.Thread(target=self._read, name="lector del almacén", daemon=True)
        self._thread.start()

    def wait(self, readings: int) -> None:
        """Until it has read it whole so many times more."""
        wanted = len(self._seen.whole) + readings
        wait_until(
            "quien lee el almacén S3 lo lee entero",
            lambda: self._seen.half or len(self._seen.whole) >= wanted,
        )

    def end(self) -> Seen:
        """Stop, after the reading it is at; what was seen."""
        self._over.set()
        self._thread.join()
        return self._seen

    def _read(self) -> None:
        while not self._over.is_set():
            self.once()
            self._over.wait(PAUSE_S)

    def once(self) -> None:
        """Verify it now."""
        at, torn = time.monotonic(), ""
        # Twice: a server that dies while it answers gives a torn file too, but not again.
        for _ in range(2):
            try:
                report = verify(_asked(self._url))
            except Unreadable as error:
                told = str(error)
                if not any(words in told for words in TORN):
                    break
                if told == torn:
                    self._seen.half.append(told[:300])
                    return
                torn = told
                continue
            if report.verified:
                self._seen.whole.append((at, int(report.facts["corte"])))
            else:
                self._seen.half.append(report.reasons[0][:300])
            return
        self._seen.unread.append(at)


def _asked(url: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([url, "--completo"])
