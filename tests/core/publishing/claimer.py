"""A process that wants the lease and a slot, for the test that two of them never have the same."""

from __future__ import annotations

import sys
from time import sleep, time

from core.publishing.lease import acquire, release
from core.publishing.slots import SlotTable
from core.storage.database import connect


def main(url: str, name: str, slots: int) -> None:
    """Publish every slot that nobody published, holding the lease for a moment; tell when on stdout."""
    database = connect(url)
    table = SlotTable(database)
    done = 0
    while done < slots:
        lease = acquire(database, name, round(time() * 1000))
        if lease is None:
            sleep(0.001)
            continue
        for slot in range(slots):
            if table.claim(slot, lease, round(time() * 1000)):
                begin = time()
                sleep(0.002)
                table.published(slot, slot + 1, round(time() * 1000))
                print(slot, name, begin, time(), flush=True)
                break
        else:
            done = slots
        release(database, lease)
        sleep(0.002)
    database.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
