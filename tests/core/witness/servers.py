"""Witnesses over real HTTP for the tests: one that works, one that is dead and one that never ends."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.transparency.notes import Verifier
from core.witness.client import WitnessAddress
from core.witness.server import WitnessServer
from core.witness.state import WitnessState
from core.witness.witness import Witness
from loadtests.processes import free_port
from tests.core.witness.logs import witness_key

NOW_S = 1_622_937_600


@contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[str]:
    """Serve in a thread; gives the address."""
    with server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, 0.02), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def witness_at(folder: Path, name: str, *logs: Verifier) -> Iterator[WitnessAddress]:
    """A witness that works."""
    key = witness_key(name)
    state = WitnessState(folder / name, key.verifier)
    try:
        with serving(WitnessServer(Witness(key, state, logs, lambda: NOW_S), "127.0.0.1", 0)) as address:
            yield WitnessAddress(address, key.verifier)
    finally:
        state.close()


def dead_witness(name: str) -> WitnessAddress:
    """One where nobody listens."""
    port = free_port()
    return WitnessAddress(f"http://127.0.0.1:{port}", witness_key(name).verifier)


@contextmanager
def slow_witness(name: str) -> Iterator[WitnessAddress]:
    """One that takes the connection and never says anything."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(16)
        yield WitnessAddress(f"http://127.0.0.1:{one.getsockname()[1]}", witness_key(name).verifier)
