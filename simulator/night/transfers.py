"""People and capture that change place during the night, by plan or by an instruction.

Capturistas, digitalizadores and acopiadores finish what they have in hand, travel and work where they
were sent; with capture by CATD, what one CATD has to capture can go to others. Each change is recorded
in the ledger as a measure with who authorised it. Who works and how is `clerks` and `centre`.

With statewide capture everybody shares one queue wherever he sits, so to move a capturista costs his
travel and no more; what adds people is the reserve, or a CATD that lends its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.commands import ApplyMeasure
from core.errors import UsageError
from simulator.night.capture import CaptureCentre
from simulator.night.centre import Centre
from simulator.night.clerks import Clerk
from simulator.night.conditions import begin_when
from simulator.night.continuity import COORDINATOR
from simulator.night.model import NightModel, Process
from simulator.night.people import reinforcements
from simulator.scenario.base import ms_of
from simulator.scenario.people import CaptureTransfer, Transfer


class Transfers:
    """The transfers of one night. Build it once the centres exist; `start` before the clock runs."""

    def __init__(self, model: NightModel, centres: Sequence[Centre], capture: CaptureCentre) -> None:
        self.model = model
        self._centres = centres
        self._capture = capture
        self._reserve = 0
        self._recorded = 0

    def start(self) -> None:
        """Make the transfers of the scenario begin at their moments. Raises UsageError as `apply` does."""
        staff = self.model.scenario.staff
        planned: list[Transfer | CaptureTransfer] = [*staff.transfers, *staff.capture_transfers]
        for transfer in planned:
            self.apply(transfer)

    def apply(self, transfer: Transfer | CaptureTransfer) -> None:
        """Begin a transfer at its moment, or at once when that minute has passed.

        Raises UsageError, with nothing changed, for a CATD that does not exist or a transfer that says
        nothing where capture is done as in this night.
        """
        self._check(transfer)
        if isinstance(transfer, Transfer):
            begin_when(self.model, transfer, lambda: self._move(transfer))
        else:
            begin_when(self.model, transfer, lambda: self._activate(transfer))

    # -- what makes sense ----------------------------------------------------------------------

    def _check(self, transfer: Transfer | CaptureTransfer) -> None:
        objection = self.model.scenario.staff.objection(transfer)
        if objection:
            raise UsageError(f"{objection[0].upper()}{objection[1:]}.")
        self._exists(transfer.origin)
        self._exists(transfer.target)
        if isinstance(transfer, CaptureTransfer) and len(self._centres) == 1:
            raise UsageError("No hay otro CATD que tome la captura.")

    def _exists(self, catd: int | None) -> None:
        count = len(self._centres)
        if catd is not None and not 0 <= catd < count:
            raise UsageError(f"No existe el CATD {catd}; van de 0 a {count - 1}.")

    # -- people --------------------------------------------------------------------------------

    def _move(self, transfer: Transfer) -> None:
        travel_ms = ms_of(transfer.travel_min)
        if transfer.role == "capturistas":
            moved = self._move_clerks(transfer, travel_ms)
        else:
            moved = self._move_staff(transfer, travel_ms)
        origin = "de la reserva" if self._from_reserve(transfer) else f"del {_place(transfer.origin)}"
        self._record(
            f"Traslado de {transfer.role}",
            transfer.authorised_by,
            travel_ms,
            f"{moved} de {transfer.people} {origin} al {_place(transfer.target)}",
            _touched(transfer),
        )

    def _from_reserve(self, transfer: Transfer) -> bool:
        """Nobody is taken from where they are: there is no such place, or it is where they go."""
        if transfer.origin is not None:
            return False
        return transfer.role != "capturistas" or self._capture.by_catd or transfer.target is None

    def _move_clerks(self, transfer: Transfer, travel_ms: int) -> int:
        capture = self._capture
        clerks = capture.clerks
        target = transfer.target
        pool = capture.pools[target if capture.by_catd and target is not None else 0]
        leaving: list[Clerk] = []
        if not self._from_reserve(transfer):
            leaving = clerks.present(transfer.origin)[: transfer.people]
            for clerk in leaving:
                clerks.send(clerk, pool, target, travel_ms)
        # With statewide capture a CATD has no capturistas of its own: it lends people who were not in it.
        lent = transfer.origin is not None and not capture.by_catd
        if not (lent or self._from_reserve(transfer)):
            return len(leaving)
        model = self.model
        coming = transfer.people - len(leaving)
        station = "captura" if target is None else f"catd-{target:03d}"
        at = int(model.env.now) + travel_ms
        for person in reinforcements(model.scenario, model.seeds, self._reserve, coming, station, at):
            clerks.hire(person, pool, target)
        self._reserve += coming
        return transfer.people

    def _move_staff(self, transfer: Transfer, travel_ms: int) -> int:
        assert transfer.target is not None and transfer.role != "capturistas"
        target, role = self._centres[transfer.target], transfer.role
        model = self.model

        def travel(count: int) -> Process:
            yield model.env.timeout(travel_ms)
            target.add_staff(role, count)

        def left() -> None:
            model.env.process(travel(1))

        if transfer.origin is not None:
            return self._centres[transfer.origin].remove_staff(role, transfer.people, left=left)
        model.env.process(travel(transfer.people))
        return transfer.people

    # -- capture -------------------------------------------------------------------------------

    def _activate(self, transfer: CaptureTransfer) -> None:
        activation_ms = ms_of(transfer.activation_min)
        self._record(
            "Traslado de la captura",
            transfer.authorised_by,
            activation_ms,
            _effect(transfer),
            _touched(transfer),
        )
        self.model.env.process(self._reroute(transfer, activation_ms))

    def _reroute(self, transfer: CaptureTransfer, activation_ms: int) -> Process:
        yield self.model.env.timeout(activation_ms)
        self._capture.reroute(transfer.origin, transfer.target)

    def _record(
        self, measure: str, authorised_by: str, after_ms: int, effect: str, catds: tuple[int, ...]
    ) -> None:
        model = self.model
        self._recorded += 1
        now = model.now_utc
        model.send(
            ApplyMeasure(
                key=f"traslado-{self._recorded}", actor=COORDINATOR, station=COORDINATOR, at=now, incident="",
                measure=measure, authorised_by=authorised_by, authorised_at=now, active_at=now + after_ms,
                effect=effect, catds=catds,
            )
        )  # fmt: skip


def _place(catd: int | None) -> str:
    return "centro estatal" if catd is None else f"CATD {catd}"


def _effect(transfer: CaptureTransfer) -> str:
    if transfer.target == transfer.origin:
        return f"la captura del {_place(transfer.origin)} vuelve a él"
    target = "se reparte entre los demás" if transfer.target is None else f"va al {_place(transfer.target)}"
    return f"la captura del {_place(transfer.origin)} {target}"


def _touched(transfer: Transfer | CaptureTransfer) -> tuple[int, ...]:
    return tuple(sorted({catd for catd in (transfer.origin, transfer.target) if catd is not None}))
