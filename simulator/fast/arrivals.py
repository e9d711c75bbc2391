"""What comes to the phones and the CATDs, as arrays: the twin of `night.arrivals` and `processes`.

From the same streams and with the same values as `plan_arrivals`, and the catalogue turned into arrays
once (`Ground`). What the CATDs do with it is `fast.night`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.catalog import WITHOUT_SECTION, Catalog
from simulator.fast.draws import Draws
from simulator.fast.kernel import NEVER
from simulator.night.arrivals import ABROAD_SIGMA, URBAN
from simulator.night.centre import NOT_INSTALLED_KNOWN_MS
from simulator.scenario.base import MS_PER_MINUTE, ms_of
from simulator.scenario.document import Scenario
from simulator.seeds import rounded_exp

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


class Ground:
    """The catalogue as arrays, worked out once."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.size = len(catalog.actas)
        self.contests = list(catalog.contests)
        self.casilla = np.array([entry.casilla for entry in catalog.actas], dtype=np.int64)
        self.catd_of_casilla = np.array([casilla.catd for casilla in catalog.casillas], dtype=np.int64)
        self.catd = self.catd_of_casilla[self.casilla] if self.size else np.zeros(0, dtype=np.int64)
        position = {code: number for number, code in enumerate(self.contests)}
        self.contest = np.array([position[entry.contest] for entry in catalog.actas], dtype=np.int64)
        listed = [casilla.lista_nominal for casilla in catalog.casillas]
        places = [-1 if casilla.municipio is None else casilla.municipio for casilla in catalog.casillas]
        self.municipio = np.array(places, dtype=np.int64)
        self.apart = np.array(
            [casilla.tipo in WITHOUT_SECTION for casilla in catalog.casillas], dtype=np.bool_
        )
        """Casillas of no section, counted apart and where they are gathered."""
        self.special = np.array([casilla.special for casilla in catalog.casillas], dtype=np.bool_)
        self.urban = np.array([casilla.ubicacion == URBAN for casilla in catalog.casillas], dtype=np.bool_)
        known = [one for one in listed if one]
        usual = sum(known) / len(known) if known else 1.0
        self.relative = np.array([0.8 + 0.2 * (one or usual) / usual for one in listed], dtype=np.float64)
        self.by_casilla = np.argsort(self.casilla, kind="stable")
        """Actas in order of casilla, then of id."""
        self.ids: tuple[int, ...] = tuple(np.unique(self.casilla).tolist())
        """Casillas with actas."""
        self.with_actas = np.array(self.ids, dtype=np.int64)
        self.catds: tuple[int, ...] = tuple(catd.id for catd in catalog.catds)
        digest = hashlib.sha256(repr((self.contests, catalog.catds)).encode())
        for array in (
            self.casilla,
            self.catd_of_casilla,
            self.contest,
            self.urban,
            self.apart,
            self.special,
            self.municipio,
        ):
            digest.update(array.tobytes())
        digest.update(self.relative.tobytes())
        self.token = digest.hexdigest()
        """Of everything here that a night depends on."""


@dataclass(frozen=True)
class Coming:
    """What `plan_arrivals` decides. By acta: `photo` (ms; NEVER without one that serves), `travels` and
    `missing`. By casilla: `at_catd` (ms; NEVER when nothing arrives) and `not_installed`."""

    photo: Ints
    travels: Bools
    missing: Bools
    at_catd: Ints
    not_installed: Bools


def plan_coming(ground: Ground, scenario: Scenario, draws: Draws) -> Coming:
    """The twin of `night.arrivals.plan_arrivals`, without the mechanisms, which move nothing."""
    size, phone, envelopes = ground.size, scenario.phone, scenario.envelopes
    places = len(ground.catd_of_casilla)
    counted = _count_ends(ground, scenario, draws)
    arrived = _arrivals_at_catd(ground, scenario, draws, counted)
    with_phone = draws.quota("prep_casilla/casillas", ground.ids, places, phone.adoption)
    not_installed = draws.quota("sobres/no_instaladas", ground.ids, places, envelopes.not_installed)
    not_delivered = (
        draws.quota("sobres/no_entregados", ground.ids, places, envelopes.not_delivered) & ~not_installed
    )
    casilla = ground.casilla
    photo = np.full(size, NEVER, dtype=np.int64)
    usable = (with_phone & ~not_installed)[casilla]
    if usable.any():
        # The actas of a casilla are shot one after another, whether the photo serves or not.
        shots = draws.times("prep_casilla/toma", phone.shot, size)[ground.by_casilla]
        through = np.cumsum(shots)
        owner = casilla[ground.by_casilla]
        begins = np.searchsorted(owner, owner, side="left")
        shot = np.empty(size, dtype=np.int64)
        shot[ground.by_casilla] = counted[owner] + through - (through[begins] - shots[begins])
        works = usable & (draws.uniforms("prep_casilla/exito", size) < phone.success)
        network = draws.times("prep_casilla/red", phone.network, size)
        photo[works] = shot[works] + network[works]
    seen = photo < NEVER
    shares = np.array([envelopes.without_envelope.get(code, 0.0) for code in ground.contests])
    inside = np.isin(ground.municipio, np.array(scenario.metropolitan, dtype=np.int64))
    factors = np.where(inside, envelopes.metropolitan_factor, 1.0)
    share = np.minimum(1.0, factors[casilla] * shares[ground.contest])
    apart = draws.uniforms("sobres/faltan", size) < share
    gone, undelivered = not_installed[casilla], not_delivered[casilla]
    travels = ~(gone | undelivered | apart)
    return Coming(
        photo,
        travels,
        gone | (~travels & ~seen),
        np.where(not_installed | not_delivered, NEVER, arrived),
        not_installed,
    )


def _count_ends(ground: Ground, scenario: Scenario, draws: Draws) -> Ints:
    plan = scenario.arrivals
    mean = (plan.base_min + plan.per_ballot_min * plan.ballots) * MS_PER_MINUTE
    rural = np.where(ground.urban, 1.0, plan.rural_factor)
    special = np.where(ground.special, plan.special_factor, 1.0)
    normals = draws.normals("conteo", len(ground.urban))
    usual = rounded_exp(mean * ground.relative * rural * special, plan.count_sigma, normals)
    if not ground.apart.any():
        return usual
    return np.where(ground.apart, rounded_exp(plan.abroad_min * MS_PER_MINUTE, ABROAD_SIGMA, normals), usual)


def _arrivals_at_catd(ground: Ground, scenario: Scenario, draws: Draws, counted: Ints) -> Ints:
    plan, size = scenario.arrivals, len(ground.urban)
    median = np.where(ground.urban, plan.travel_urban_min, plan.travel_rural_min) * MS_PER_MINUTE
    arrived = counted + rounded_exp(median, plan.travel_sigma, draws.normals("traslado", size))
    if plan.late_share > 0:
        late = draws.uniforms("traslado/tardia", size) < plan.late_share
        delay = draws.lognormal("traslado/atraso", size, max(plan.late_min, 1e-3) * MS_PER_MINUTE, 0.5)
        arrived = arrived + np.where(late, delay, 0)
    return np.where(ground.apart, counted, arrived)


@dataclass(frozen=True)
class Happenings:
    """What reaches the CATDs and the phones, and what was set in motion when.

    `outside` are (CATD, ms) of the actas fuera de catálogo; `known` says by casilla when what it lacks
    is known (NEVER when on receipt, or when its CATD marks nothing); `times` every moment at which
    something happens, in order: what happens at one was set in motion at the one before.
    """

    outside: list[tuple[int, int]]
    known: Ints
    marking: Bools
    times: Ints

    def created(self, at: Ints) -> Ints:
        """The moment each of those was set in motion."""
        before = np.searchsorted(self.times, at, side="left")
        return np.where(before > 0, self.times[before - 1], 0) if self.times.size else np.zeros_like(at)


def plan_happenings(ground: Ground, scenario: Scenario, draws: Draws, coming: Coming) -> Happenings:
    """The twin of the processes that `night.processes` starts."""
    length = scenario.calendar.length_ms
    catds = len(ground.catds)
    marking = draws.quota("sobres/catd_que_marcan", ground.catds, catds, scenario.envelopes.marking_catds)
    arrives = coming.at_catd < NEVER
    lacking = np.bincount(ground.casilla, coming.missing, len(arrives)) > 0
    before_end = max(0, length - ms_of(scenario.envelopes.mark_before_end_min))
    known = np.where(coming.not_installed, min(NOT_INSTALLED_KNOWN_MS, length // 2), before_end)
    known = np.where(~arrives & lacking & marking[ground.catd_of_casilla], known, NEVER)
    outside: list[tuple[int, int]] = []
    places = ground.with_actas[arrives[ground.with_actas]]
    count = scenario.inconsistencies.outside if places.size else 0
    for contest in ground.contests if count else ():
        draw = draws.seeds.stream(f"fuera_de_catalogo/{contest}")
        for _ in range(count):
            place = int(places[draw.choice(range(places.size))])
            draw.randrange(1000)
            outside.append((int(ground.catd_of_casilla[place]), int(coming.at_catd[place])))
    moments = (coming.photo[coming.photo < NEVER], coming.at_catd[places], known[known < NEVER])
    return Happenings(outside, known, marking, np.unique(np.concatenate(moments)))
