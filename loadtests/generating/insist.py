"""Those who insist (`loadtests.generating.abuse`), in a process of their own: from when, and what they got.

They are there only while the test is: they go with it when it ends early, and with the process that runs it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from loadtests.target import Permission, Target
from loadtests.tied import tied

ABUSE_ADDRESSES = "127.0.77."
"""Where they come from when the target is this machine; honest ones come from elsewhere."""
LEAVE_S = 20.0
"""How long they may take to go and say what they got."""


class Abuse:
    """Clients that insist, from a moment of a run of `seconds`; nobody when `asked` is None."""

    def __init__(
        self,
        asked: Mapping[str, int] | None,
        target: Target,
        pointer: dict[str, Any],
        seconds: float,
        permission: Permission | None = None,
    ) -> None:
        self._asked, self._target, self._pointer, self._seconds = asked, target, pointer, seconds
        self._until = None if permission is None else permission.until
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None
        self.got: dict[str, int] | None = None

    def begin(self) -> None:
        """The first users are about to come. Called by the thread that lives as long as the run."""
        if self._asked is None:
            return
        # Started here and not by the timer: a command is tied to the thread that starts it. It waits to be
        # told whom to ask.
        self._process = subprocess.Popen(
            tied([sys.executable, "-m", "loadtests.generating.abuse"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        wait = self._seconds * self._asked["empieza_pct"] / 100
        self._timer = threading.Timer(wait, self._tell, (self._process, self._seconds - wait))
        self._timer.daemon = True
        self._timer.start()

    def _tell(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        asked, target, pointer = self._asked, self._target, self._pointer
        assert asked is not None and process.stdin is not None
        if self._until is not None:
            seconds = min(seconds, (self._until - datetime.now(UTC)).total_seconds())
        portal = pointer["portal"]
        told = {
            "host": target.addresses[0] if target.addresses else target.host,
            "puerto": target.port,
            "tls": target.scheme == "https",
            "sni": target.host,
            "nombre": target.netloc,
            "segundos": seconds,
            "rutas": ["/corte.json", f"/objetos/{portal[:2]}/{portal}.json", "/", "/no-existe.html"],
            "grande": f"/{pointer['difusion']}",
            "direcciones": [f"{ABUSE_ADDRESSES}{1 + n}" for n in range(asked["direcciones"])]
            if target.loopback
            else [],
            **{key: asked[key] for key in ("clientes", "peticiones_s", "descargas", "lentos")},
        }
        with contextlib.suppress(BrokenPipeError):  # it died: that nobody insisted is told by what they got
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()

    def end(self, *, early: bool) -> None:
        """Keep what they got; `early`, or when they do not go by themselves, send them away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        process, self._process = self._process, None
        if process is None:
            return
        said = b""
        try:
            if not early:
                said, _ = process.communicate(timeout=LEAVE_S)
        except subprocess.TimeoutExpired:
            early = True
        finally:
            process.kill()
            process.communicate()
        lines = said.splitlines()
        self.got = json.loads(lines[1]) if not early and len(lines) > 1 else None
