"""Runs the service: opens the database and the destinations, and ticks until the end or a signal.

APScheduler is the ticker and nothing else (one instance, nothing made up): `due` decides.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.publishing.clock import SteadyClock
from core.publishing.config import Config
from core.publishing.service import Service
from core.publishing.state import PublisherState
from core.publishing.verb import TICK_S
from core.publishing.watchdog import Watchdog
from core.publishing.worker import WorkerConfig, signing_key
from core.transparency.passphrase import open_passphrase
from core.witness.attestors import Attestors
from core.witness.client import check_tsa, parse_addresses

DRAIN_S = 60.0
"""How long the destinations are waited for when everything is out."""
DRAIN_STOPPED_S = 5.0
"""The same when the service is asked to stop before: they are brought up to date when it runs again."""
LAST_WORDS_S = 12.0
"""How long to wait, once nothing else is to be published, for those who attest it."""


def publish(
    config: Config, workdir: Path, *, once: bool, tell: Callable[[str, dict[str, Any]], None]
) -> tuple[PublisherState, bool]:
    """Publish until the last cut, a signal or, with `once`, one tick. The last state, and whether it is over.

    Raises UsageError when the database, the key or the hours will not do.
    """
    from core.storage.database import open_existing
    from core.storage.reading import read_catalog, read_meta, reading

    database = open_existing(config.base)
    try:
        with reading(database) as connection:
            mode = read_meta(connection).get("mode", "")
            catalog = read_catalog(connection)
        witnesses, tsa = parse_addresses(config.testigo), check_tsa(config.tsa)
        threshold = config.threshold
        passphrase = (
            None if config.llave is None else open_passphrase(config.llave, (config.mitad_1, config.mitad_2))
        )
        # Asked for here, so that a wrong key is told before anything is published.
        signing_key(catalog, mode, config.llave, passphrase, rehearsal=config.ensayo, workdir=workdir)
        watchdog = Watchdog(
            WorkerConfig(
                config.base, workdir, mode, config.llave, passphrase, config.imagenes,
                rehearsal=config.ensayo, witnesses=tuple((one.name, one.verifier.vkey) for one in witnesses),
                threshold=threshold,
            )
        )  # fmt: skip
        distributor = _distributor(workdir, config.destino)
        attestors = None
        if witnesses or tsa:
            attestors = Attestors(workdir, witnesses, threshold=threshold, tsa=tsa)
        clock = SteadyClock()
        service = Service(
            config, database, mode, workdir, watchdog, clock, tell, destinations=distributor,
            attestors=attestors, jump=lambda: clock.jump,
        )  # fmt: skip
        tell("inicio", {"base": config.base if "://" not in config.base else "(servidor)", "modo": mode})
        if distributor is None:
            tell("sin_destino", {})
        try:
            if once:
                service.tick()
            else:
                _tick_until_the_end(service)
            if attestors is not None and (once or service.finished):
                # Everything is out: what they have to say of it is all that is left to wait for.
                attestors.drain(LAST_WORDS_S)
                service.attest()
            if distributor is not None:
                tell("espera_destinos", {})
                # Whoever asks it to stop in the middle of the night does not wait for a dead destination.
                distributor.drain(DRAIN_S if once or service.finished else DRAIN_STOPPED_S)
                service.state.destinations = distributor.states()
        finally:
            service.close()
            if attestors is not None:
                attestors.close()
            if distributor is not None:
                distributor.close()
        tell("fin", {"estado": service.state.status.value})
        return service.state, service.finished
    finally:
        database.dispose()


def _distributor(workdir: Path, specs: tuple[str, ...]) -> Any:
    if not specs:
        return None
    from core.destinations import Distributor, open_destinations

    return Distributor(workdir, open_destinations(workdir, specs))


def _tick_until_the_end(service: Service) -> None:
    from apscheduler.schedulers.background import BackgroundScheduler

    stop = threading.Event()
    failed: list[BaseException] = []

    def tick() -> None:
        if stop.is_set():
            return
        try:
            service.tick()
        except BaseException as error:  # noqa: BLE001 - it goes up in the thread that waits
            failed.append(error)
            stop.set()
        if service.finished:
            stop.set()

    def asked_to_stop(*_: object) -> None:
        stop.set()

    before = {number: signal.signal(number, asked_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    ticker = BackgroundScheduler(timezone="UTC")
    try:
        tick()
        ticker.add_job(
            tick, "interval", seconds=TICK_S, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        ticker.start()
        stop.wait()
        # A cut that is being made is let end: its budget bounds the wait.
        ticker.shutdown(wait=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if failed:
        raise failed[0]
