"""Spreads work over any `concurrent.futures.Executor`, in order, the same on any number of workers.

Each call carries what it needs and its own seed, so where it runs changes nothing. It opens and closes
the executors the command line asks for; dask is imported only when it is asked for.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, TypeVar

from core.errors import UsageError

Item = TypeVar("Item")
Found = TypeVar("Found")

CHUNKS = 24
"""Pieces of the work: enough for the progress to be seen and for workers to end together."""
ANSWER_S = 10.0
"""How long the scheduler of a cluster is waited for."""


def spread(
    work: Callable[[Item], Found],
    items: Sequence[Item],
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Found]:
    """`[work(item) for item in items]`, wherever it runs; `progress` is told how many are done."""
    size = max(1, -(-len(items) // CHUNKS))
    chunks = [items[start : start + size] for start in range(0, len(items), size)]
    found: list[Found] = []
    if executor is None:
        parts: Iterator[list[Found]] = map(partial(_each, work), chunks)
    else:
        # Pickled once; a worker that has seen these bytes keeps what they hold.
        parts = executor.map(partial(_each_of, pickle.dumps(work)), chunks)
    for part in parts:
        found.extend(part)
        if progress is not None:
            progress(len(found))
    return found


def _each(work: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    return [work(item) for item in items]


def _each_of(payload: bytes, items: Sequence[Any]) -> list[Any]:
    return _each(_unpacked(payload), items)


@lru_cache(maxsize=4)
def _unpacked(payload: bytes) -> Callable[[Any], Any]:
    work: Callable[[Any], Any] = pickle.loads(payload)
    return work


@contextmanager
def opened(processes: int | None, dask: str | None) -> Iterator[Executor | None]:
    """The executor the command line asked for; None when one process is enough.

    `processes` None means one per core. Raises UsageError when dask is asked for and not installed, or
    when its address cannot be reached.
    """
    if dask is not None:
        with _dask(dask) as executor:
            yield executor
        return
    count = processes or os.cpu_count() or 1
    if count == 1:
        yield None
        return
    # «spawn» everywhere: the same start on every system, and no lock copied half way.
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--dask necesita el extra «dask»: pip install 'prep[dask]'.") from error
    # The library has no types of its own.
    make: Any = Client
    try:
        client = make(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"No hay un planificador de dask en «{address}»: {error}") from error
    try:
        yield client.get_executor()
    finally:
        client.close()
