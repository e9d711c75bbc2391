"""The process that makes the cuts of `prep publicar`, with the faults of a scenario in its publisher.

For the tests: the faults come pickled in the variable DANOS, in hexadecimal.
"""

from __future__ import annotations

import os
import pickle
from typing import Any

from core.publishing import assembly, worker
from simulator.night.publication_faults import interference_of


def main() -> None:
    """Be the process."""
    spoiling = pickle.loads(bytes.fromhex(os.environ["DANOS"]))
    original = assembly.publication

    def spoiled(engine: Any, *args: Any, images: Any = None, **more: Any) -> Any:
        interfere = interference_of(spoiling, engine.catalog, images)
        return original(engine, *args, images=images, **(more | {"interfere": interfere}))

    assembly.publication = spoiled
    worker.main()


if __name__ == "__main__":
    main()
