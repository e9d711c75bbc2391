"""Images that are sent a second time as if they were of another acta of the same CATD.

The engine records such a one as a duplicate and counts it for nobody; where the other acta is not
there it refuses it. Which of both is foreseen, so that a wrong guess shows up.
"""

from __future__ import annotations

from core.domain.commands import Digitize, Medium
from simulator.night.centre import DOCUMENT, Centre, Outgoing
from simulator.night.model import NightModel


class RepeatedImages:
    """Decides before the night which images are repeated, and as which acta."""

    def __init__(self, model: NightModel) -> None:
        share = model.scenario.duplicates.share
        catalog, size = model.catalog, len(model.catalog.actas)
        self._model = model
        self._other: dict[int, int] = {}
        groups: dict[tuple[int, str], list[int]] = {}
        for entry in catalog.actas:
            groups.setdefault((catalog.casillas[entry.casilla].catd, entry.contest), []).append(entry.id)
        repeated = model.seeds.uniforms("duplicados/imagen", size)
        which = model.seeds.uniforms("duplicados/otra", size)
        for group in groups.values():
            for position, acta in enumerate(group):
                if repeated[acta] < share and len(group) > 1:
                    step = 1 + int(which[acta] * (len(group) - 1))
                    self._other[acta] = group[(position + step) % len(group)]

    def first_image(self, centre: Centre, job: Outgoing) -> None:
        """The first image of an acta got through from a scanner; send it again if it is one of those."""
        acta = job.image_of
        other = self._other.get(acta)
        if other is None:
            return
        model = self._model
        first = job.commands[0]
        assert isinstance(first, Digitize)
        command = Digitize(
            key=f"repetida-{acta}", actor=first.actor, station=centre.station, at=model.now_utc,
            device_at=centre.device_clock(), acta=other, image_hash=first.image_hash,
            medium=Medium.ESCANER, document=DOCUMENT,
        )  # fmt: skip
        centre.outgoing.put(
            Outgoing(job.work_ms, (command,), image_of=other, arrive=lambda: self._arrive(command, other))
        )

    def _arrive(self, command: Digitize, other: int) -> None:
        model = self._model
        here = model.received is not None and other in model.received and other not in model.sin_acta
        model.send(command, provoked=not here)
