"""`python -m tests.simulator.killed_run POINT COUNT VERB …`: runs `prep` and dies by SIGKILL at a point.

The point is a function of the real code; the process kills itself when it is called for the COUNT-th
time, before it (`antes`) or after it (`despues`). Nothing gets to say goodbye.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from core.cli import main
from core.engine import Engine
from core.publication.cut import Publisher
from core.publication.package import PackageBuilder
from core.storage.store import Transaction
from simulator.night.feed import Feed


class Point(NamedTuple):
    """Where to die."""

    owner: Any
    name: str
    after: bool


POINTS = {
    "en_el_modelo": Point(Feed, "add", False),
    "a_media_transaccion": Point(Transaction, "insert", True),
    "antes_de_confirmar": Point(Transaction, "flush", True),
    "recien_confirmado": Point(Engine, "execute", True),
    "a_medio_corte": Point(PackageBuilder, "_spreadsheets", False),
    "corte_armado": Point(PackageBuilder, "build", True),
    "corte_puesto": Point(PackageBuilder, "commit", True),
    "corte_registrado": Point(PackageBuilder, "point", False),
    "corte_hecho": Point(Publisher, "cut", True),
}


def die_at(name: str, count: int) -> None:
    """Prepare the death."""
    point = POINTS[name]
    real: Callable[..., Any] = getattr(point.owner, point.name)
    left = [count]

    def watched(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if not left[0] and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(point.owner, point.name, watched)


if __name__ == "__main__":
    die_at(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
