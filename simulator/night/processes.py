"""What makes a night move: the centres, what arrives at each moment, and what comes from outside.

Packages, photos by PREP Casilla, actas fuera de catálogo and what is known never to come happen at the
moments decided before the night. What each CATD and the capture centre do with them is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from core.domain.commands import Digitize, Medium, Origin, Receive, ReceiveOutside
from simulator.night.arrivals import Package, Photo
from simulator.night.ballots import image_hash
from simulator.night.capture import CaptureCentre
from simulator.night.centre import DOCUMENT, NOT_INSTALLED_KNOWN_MS, Centre
from simulator.night.links import Link
from simulator.night.model import NightModel, Process
from simulator.scenario.base import ms_of

if TYPE_CHECKING:
    from simulator.night.run import Night

CASILLAS_PER_CAE = 4


def make_centres(model: NightModel, links: Sequence[Link], capture: CaptureCentre) -> list[Centre]:
    """The centres, by the id of their CATD."""
    marking = _marking(model)
    centres = [
        Centre(model, catd.id, links[catd.id], capture.digitized, catd.id in marking)
        for catd in model.catalog.catds
    ]
    if capture.by_catd:
        capture.connect([centre.transmit for centre in centres])
        for centre in centres:
            centre.scanned = capture.scanned
    return centres


def _marking(model: NightModel) -> Collection[int]:
    numbers = [catd.id for catd in model.catalog.catds]
    return model.seeds.quota("sobres/catd_que_marcan", numbers, model.scenario.envelopes.marking_catds)


def start_processes(night: Night, centres: list[Centre]) -> None:
    """Make happen at its moment everything decided before the night."""
    model = night.model
    marking = _marking(model)
    happenings: list[tuple[int, int, Callable[[], None]]] = []

    def plan(at: int, what: Callable[[], None]) -> None:
        happenings.append((at, len(happenings), what))

    for package in model.packages:
        centre = centres[package.catd]
        for photo in package.photos:
            plan(photo.arrives_ms, _photo(night, package, photo))
        if package.at_catd_ms is not None:
            plan(package.at_catd_ms, _deliver(centre, package))
        elif package.missing and package.catd in marking:
            plan(_known_missing(night, package), _mark(centre, package))
    _plan_outside(night, centres, plan)
    happenings.sort(key=lambda item: item[:2])
    model.env.process(_happen(model, [(at, what) for at, _, what in happenings]))
    model.waiting_in_links = lambda: sum(centre.waiting for centre in centres)


def _happen(model: NightModel, happenings: list[tuple[int, Callable[[], None]]]) -> Process:
    for at, what in happenings:
        if at > model.env.now:
            yield model.env.timeout(at - int(model.env.now))
        what()


def _deliver(centre: Centre, package: Package) -> Callable[[], None]:
    return lambda: centre.packages.put(package)


def _known_missing(night: Night, package: Package) -> int:
    reason = package.missing[0][1]
    length = night.model.length_ms
    if reason.value == "CASILLA_NO_INSTALADA":
        return min(NOT_INSTALLED_KNOWN_MS, length // 2)
    before = ms_of(night.loaded.scenario.envelopes.mark_before_end_min)
    return max(0, length - before)


def _mark(centre: Centre, package: Package) -> Callable[[], None]:
    def mark() -> None:
        for acta, reason in package.missing:
            centre.marking.put((acta, reason))

    return mark


def _photo(night: Night, package: Package, photo: Photo) -> Callable[[], None]:
    """PREP Casilla: the image goes straight from the phone to the centre."""
    model = night.model

    def arrive() -> None:
        if model.holds(photo.acta, arrive):
            return
        acta = photo.acta
        station = f"movil-{package.casilla // CASILLAS_PER_CAE:05d}"
        actor = f"cae-{package.casilla // CASILLAS_PER_CAE:05d}"
        at = model.start_ms + photo.shot_ms
        model.send(
            Receive(
                key=f"casilla-{acta}", actor=actor, station=station, at=at, acta=acta, origin=Origin.CASILLA
            )
        )
        model.send(
            Digitize(
                key=f"movil-{acta}", actor=actor, station=station, at=at,
                device_at=model.device_clock(station, at), acta=acta,
                image_hash=model.image(acta, "movil"), medium=Medium.MOVIL, document=DOCUMENT,
            )
        )  # fmt: skip
        model.photographed[acta] = True
        if not model.has_image[acta]:
            model.has_image[acta] = True
            night.capture.digitized(acta)

    return arrive


def _plan_outside(
    night: Night, centres: list[Centre], plan: Callable[[int, Callable[[], None]], None]
) -> None:
    """Actas fuera de catálogo: they come with the package of some casilla and belong to none."""
    model = night.model
    count = night.loaded.scenario.inconsistencies.outside
    arriving = [package for package in model.packages if package.at_catd_ms is not None]
    for contest in night.catalog.contests:
        draw = model.seeds.stream(f"fuera_de_catalogo/{contest}")
        for number in range(count if arriving else 0):
            package = draw.choice(arriving)
            claimed = f"{night.catalog.entidad.id:02d}9{draw.randrange(1000):03d}B0100"
            image = image_hash(model.scenario_sha256, f"{contest}/fuera/{number}", "escaner")
            if model.images is not None and model.images.includes_outside(contest, number):
                image = model.images.drawn_outside(contest, number, claimed)
            centre = centres[package.catd]

            def arrive(
                key: str = f"fuera-{contest}-{number}",
                contest: str = contest,
                claimed: str = claimed,
                image: str = image,
                centre: Centre = centre,
            ) -> None:
                centre.outside(
                    ReceiveOutside(
                        key=key, actor=f"{centre.station}-escaner-01", station=centre.station,
                        at=model.now_utc, contest=contest, claimed=claimed, origin=Origin.CATD,
                        image_hash=image, medium=Medium.ESCANER, document=DOCUMENT,
                    ),
                    model.durations.image[0],
                )  # fmt: skip

            assert package.at_catd_ms is not None
            plan(package.at_catd_ms, arrive)
