"""What everything that starts programs of its own shares: how `prep` is called, free ports, how to be ended.

It starts nothing and knows nothing of elections.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator

PREP = ("-c", "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))")
"""The `prep` command as arguments of the interpreter that runs this."""


def free_port() -> int:
    """A loopback port nobody uses at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many loopback ports, all different, that nobody uses at this moment."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def catch_termination() -> Iterator[None]:
    """SIGTERM ends the work as the keyboard does: what was started is ended, what was broken is mended."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
