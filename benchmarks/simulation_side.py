"""`simulacion`: the ways of playing one night without engine, and a thousand nights.

Every side plays the same inputs and must give the same completion times before it is measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks import textbook
from benchmarks.context import Context, by_turns, seconds
from benchmarks.figures import Calibration, Figure
from core.errors import PrepError
from simulator.experiments.parallel import spread
from simulator.experiments.sizing import seeds_of
from simulator.fast import kernel, station
from simulator.fast.compiled import compiled_here
from simulator.fast.draws import forget
from simulator.fast.kernel import Pool, fingerprint
from simulator.fast.replication import Outcome, Replicator, summary_of
from simulator.scenario.file import load_scenario, open_scenario_catalog

SEED = 2021
"""In the night of this seed no two actas of one ms compete for one server: the textbook model takes
those in the order of its events, the others by number."""
STATE, NATIONAL, TINY = 20_000, 510_000, 2_000
REPLICAS = 1_000
SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "jalisco-2021" / "simulacro-5.toml"

Player = Callable[[Sequence[int], Sequence[tuple[Sequence[int], Pool]]], list[list[int]]]


class DifferentNightsError(PrepError):
    """Two sides that must play the same night do not."""


def simulacion(context: Context) -> list[Figure]:
    """One night by four engines, a national one, and the replications of a state."""
    size = TINY if context.quick else STATE
    inputs = station.night(size, SEED)
    players: list[Player] = [textbook.play, station.play, kernel.tandem]
    if compiled_here():
        players.append(station.compiled_tandem)
    hashes = {fingerprint(player(*inputs)) for player in players}
    if len(hashes) > 1:
        raise DifferentNightsError("Los modelos que se comparan no dan los mismos tiempos de término.")
    note = f"{size:,} actas, captura y verificación, con turnos y paros; SHA-256 {hashes.pop()[:12]}…"
    calibration = context.calibrate()
    context.note("simulacion: SimPy contra el modelo de los libros")
    book, simpy = by_turns([partial(player, *inputs) for player in players[:2]], 1 if context.quick else 3)
    figures = [
        _ratio(
            "modelo de libro / SimPy", (book, "un proceso por acta"), (simpy, "SimPy"), 4, calibration, note
        )
    ]
    context.note("simulacion: el núcleo contra SimPy")
    simpy, plain, *rest = by_turns([partial(player, *inputs) for player in players[1:]], 5)
    figures.append(
        _ratio("SimPy / núcleo en Python", (simpy, "SimPy"), (plain, "núcleo"), 5, calibration, note)
    )
    for compiled in rest:
        sides = (simpy, "SimPy"), (compiled, "núcleo compilado")
        figures.append(_ratio("SimPy / núcleo compilado", *sides, 20, calibration, note))
    return [*figures, _national(context, inputs), *_replications(context)]


def _ratio(
    what: str, part: tuple[float, str], whole: tuple[float, str], least: float, now: Calibration, note: str
) -> Figure:
    return Figure(
        "simulacion", what, part[0] / whole[0], now, least, at_least=True, unit="s",
        part=(part[1], part[0]), whole=(whole[1], whole[0]), note=note,
    )  # fmt: skip


def _national(context: Context, state: tuple[list[int], list[tuple[list[int], Pool]]]) -> Figure:
    size = 10 * TINY if context.quick else NATIONAL
    context.note(f"simulacion: {size:,} actas con SimPy")
    calibration = context.calibrate()
    inputs = station.night(size, SEED)
    # The small one before and after, so that a change of load in between falls on both sides.
    turns = 1 if context.quick else 3
    small = by_turns([partial(station.play, *state)], turns)
    large = seconds(partial(station.play, *inputs))
    small = [*small, *by_turns([partial(station.play, *state)], turns)]
    usual = sum(small) / len(small)
    return Figure(
        "simulacion", "SimPy: noche nacional / noche estatal", large / usual, calibration, 40, unit="s",
        part=(f"{size:,} actas", large), whole=(f"{len(state[0]):,} actas", usual),
    )  # fmt: skip


def registered_at_close(outcome: Outcome) -> int:
    """What each replication is summed up in here."""
    return outcome.registered_at(outcome.close_ms)


def _replications(context: Context) -> list[Figure]:
    count = 6 if context.quick else REPLICAS
    loaded = load_scenario(SCENARIO)
    replicator = Replicator(loaded.scenario, open_scenario_catalog(loaded))
    plain = Replicator(loaded.scenario, replicator.catalog, compiled=False)
    forget()
    first = replicator.play(1).fingerprint()
    forget()
    if first != plain.play(1).fingerprint():
        raise DifferentNightsError("El núcleo compilado y el de Python no dan la misma noche.")
    workers = os.cpu_count() or 1
    context.note(f"simulacion: {count} réplicas en {workers} procesos")
    calibration = context.calibrate()
    work = partial(summary_of, replicator, registered_at_close)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        together = seconds(lambda: spread(work, seeds_of(1, count), executor))
    alone = seconds(lambda: spread(work, seeds_of(2, max(2, count // 50))))
    return [
        Figure(
            "simulacion", f"{count:,} réplicas de la noche estatal, con la generación de sus entradas",
            together, calibration, 60, unit="s",
            note=f"simulacro-5, {len(replicator.catalog.actas):,} actas, {workers} procesos, "
            f"{'compilado' if replicator.compiled else 'Python'}; en uno solo, "
            f"{alone / max(2, count // 50) * 1000:.0f} ms por réplica",
        )
    ]  # fmt: skip
