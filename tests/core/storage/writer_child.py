"""A process that writes until it is killed: several threads, one group writer, every answer printed.

Run by the tests of the writer: `python -m tests.core.storage.writer_child URL FIRST…`, with the
number of the first order of each thread. Orders are a function of thread and number, so that the
test can send the same ones again.
"""

from __future__ import annotations

import sys
import threading

from core.domain.commands import AnyCommand
from core.writer import GroupWriter
from tests.core.domain.small import START, Orders, open_engine

THREADS = 8
_LOOP = 4


def order(thread: int, number: int) -> AnyCommand:
    """Order `number` of a thread, which works on the acta of its own number: capture, recall, capture…"""
    orders = Orders()
    key = f"{thread}-{number}"
    if number == 0:
        return orders.receive(thread, key=key)
    if number == 1:
        return orders.digitize(thread, key=key)
    match (number - 2) % _LOOP:
        case 0:
            return orders.capture(thread, "ana", key=key)
        case 1:
            return orders.capture(thread, "beto", key=key)
        case 2:
            return orders.request_recall(thread, key=key)
    return orders.approve_recall(thread, key=key)


def main(url: str, first: list[int]) -> None:
    """Write for ever."""
    engine = open_engine(url)
    engine.execute([Orders("abre").open()], START)
    printing = threading.Lock()
    with GroupWriter(engine, lambda: START) as writer:

        def work(thread: int) -> None:
            number = first[thread]
            while True:
                answer = writer.submit(order(thread, number)).result()
                if not answer.accepted:
                    raise AssertionError(answer)
                with printing:
                    print(answer.key, flush=True)
                number += 1

        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(sys.argv[1], [int(number) for number in sys.argv[2:]])
