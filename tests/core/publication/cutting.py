"""A process that captures and publishes without end, for the tests that kill it."""

from __future__ import annotations

import sys
from pathlib import Path

from core.engine import Engine
from core.publication.cut import Publisher
from core.storage.database import open_database
from core.storage.store import Store
from tests.core.domain.small import CATALOG, MINUTE, START, Orders


def main(folder: Path) -> None:
    """Open the operation if it is not, then one cut a virtual minute, telling each on stdout."""
    database = open_database(str(folder / "prep.db"))
    engine = Engine(Store(database), CATALOG, "simulacro")
    orders = Orders(prefix=f"p{engine.seq}-")
    if not engine.operation.opened:
        engine.execute([orders.open()], START)
    publisher = Publisher(engine, database, folder)
    while True:
        number = engine.operation.last_cut + 1
        acta = number % len(CATALOG.actas)
        at = START + number * MINUTE
        engine.execute([orders.receive(acta, at=at), orders.digitize(acta, image=number, at=at)], at)
        report = publisher.cut(at)
        print(report.number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
