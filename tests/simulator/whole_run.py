"""`python -m tests.simulator.whole_run ESCENARIO SEMILLA CARPETA`: a whole night, and its hashes.

For the test that plays it under another Python, where the command `prep` is not installed. Prints one
JSON object with the hash of the final state, of the ledger and of everything that was published.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from core.operations.check import check
from core.storage.database import open_database
from core.storage.store import Store
from simulator.night.run import catalog_of_the_night, open_engine, run_night
from simulator.output import state_fingerprint
from simulator.scenario.file import load_scenario, open_scenario_catalog


def hashes(scenario: Path, seed: int, folder: Path) -> dict[str, str]:
    """Run the night into an empty folder and hash what it left."""
    loaded = load_scenario(scenario)
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    store = Store(open_database(str(folder / "prep.db")))
    cuts = folder / "publicado"
    cuts.mkdir()
    run_night(loaded, open_engine(store, catalog, loaded.scenario.mode), seed, store.database, cuts)
    checked = check(store.database)
    assert checked.correct
    state = state_fingerprint(store.database)
    store.close()
    store.database.dispose()
    digest = hashlib.sha256()
    for path in sorted(path for path in cuts.rglob("*") if path.is_file() and not path.is_symlink()):
        digest.update(path.relative_to(cuts).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return {"estado": state, "bitacora": checked.last_hash.hex(), "paquetes": digest.hexdigest()}


if __name__ == "__main__":
    print(json.dumps(hashes(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
