"""Who works in a scenario: places, shifts, rests, how they tire, and who moves where.

Part of what `document` puts together; the people themselves are made in `night.people`.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

from pydantic import model_validator

from simulator.scenario.base import Minutes, Moment, Part, Share, key


class Shift(Part):
    """Some people from one time to another."""

    people: int = key("personas", "personas del turno", ge=1, le=20_000)
    from_min: Minutes = key("desde_min", "minutos desde el inicio en que empieza", 0.0)
    until_min: Minutes = key("hasta_min", "minutos desde el inicio en que termina", 1_560.0)

    @model_validator(mode="after")
    def _check(self) -> Shift:
        if self.until_min <= self.from_min:
            raise ValueError("hasta_min debe ser mayor que desde_min")
        return self


class PlaceShift(Shift):
    """People of one role who reinforce some CATDs from one time to another."""

    role: Literal["digitalizadores", "acopiadores"] = key("rol", "«digitalizadores» o «acopiadores»")
    catds: tuple[int, ...] = key("catd", "números de CATD; vacío: todos", ())


class Rests(Part):
    """Rests of the capturistas, staggered, and how they tire."""

    every_min: float = key(
        "cada_min", "minutos de trabajo entre descansos; 0: no descansan", 0.0, ge=0, le=1_560
    )
    minutes: float = key("dura_min", "minutos de cada descanso", 15.0, gt=0, le=240)
    slower_per_hour: float = key(
        "lentitud_por_hora", "cuánto más tardan por cada hora trabajada (0.02: 2 %)", 0.0, ge=0, le=0.5
    )
    errors_per_hour: float = key(
        "errores_por_hora", "cuánto más se equivocan por cada hora trabajada", 0.0, ge=0, le=1
    )


class Transfer(Moment):
    """People who go from one place to another during the night; they finish what they have in hand."""

    role: Literal["capturistas", "digitalizadores", "acopiadores"] = key(
        "rol", "«capturistas», «digitalizadores» o «acopiadores»", "capturistas"
    )
    people: int = key("personas", "cuántas", ge=1, le=5_000)
    origin: int | None = key("de_catd", "CATD que dejan; sin él, el centro estatal o gente de reserva", None)
    target: int | None = key("a_catd", "CATD al que van; sin él, el centro estatal", None)
    travel_min: Minutes = key("traslado_min", "minutos de camino", 0.0)
    authorised_by: str = key("autoriza", "quién lo autoriza", "coordinación")


class CaptureTransfer(Moment):
    """With capture by CATD: what a CATD has to capture goes to be captured elsewhere."""

    origin: int = key("de_catd", "CATD cuya captura se traslada")
    target: int | None = key("a_catd", "CATD que la toma; sin él, se reparte entre todos los demás", None)
    activation_min: Minutes = key("activacion_min", "minutos en ponerse en marcha", 0.0)
    authorised_by: str = key("autoriza", "quién lo autoriza", "coordinación")


class Staff(Part):
    """People: at each CATD by its estimated actas, and in the capture centre by shift."""

    actas_per_receiver: int = key(
        "actas_por_acopiador", "actas estimadas por cada acopiador de un CATD", ge=1
    )
    actas_per_scanner: int = key(
        "actas_por_digitalizador", "actas estimadas por cada digitalizador de un CATD", ge=1
    )
    absent: Share = key(
        "ausencia", "parte del personal de los CATD que falta (queda al menos una persona)", 0.0
    )
    place_shifts: tuple[PlaceShift, ...] = key(
        "turnos_catd", "personas por CATD que se suman a las de la razón, por rol y turno", ()
    )
    capture_place: Literal["estatal", "por_catd"] = key(
        "captura", "«estatal» (un solo grupo) o «por_catd»", "estatal"
    )
    capturistas: tuple[Shift, ...] = key("capturistas", "turnos de la captura estatal", ())
    actas_per_capturista: int = key(
        "actas_por_capturista", "con captura por CATD, actas estimadas por capturista (mínimo dos)", 120, ge=1
    )
    resolvers: int = key("resolutores", "personas que resuelven diferencias", ge=1)
    collators: int = key("cotejadores", "personas que cotejan cerca del fin", 0, ge=0)
    collate_before_end_min: Minutes = key(
        "cotejo_antes_del_fin_min", "minutos antes del fin en que empieza el cotejo", 60.0
    )
    absent_capture: Share = key("ausencia_captura", "parte de los capturistas que faltan", 0.0)
    rests: Rests = key("descansos", "descansos y cansancio de los capturistas", Rests())
    transfers: tuple[Transfer, ...] = key("traslados", "personas que cambian de lugar", ())
    capture_transfers: tuple[CaptureTransfer, ...] = key(
        "traslados_captura", "captura que cambia de lugar", ()
    )
    speed_sigma: float = key("velocidad_sigma", "dispersión de la velocidad entre personas", 0.12, ge=0, le=1)

    def at_the_centre(self, at_min: float) -> int:
        """Capturistas the plan has in the capture centre at a minute of the night."""
        return sum(shift.people for shift in self.capturistas if shift.from_min <= at_min < shift.until_min)

    def at_a_catd(self, actas: int) -> int:
        """Capturistas the plan gives a CATD with that many actas, where capture is by CATD."""
        return max(2, ceil(actas / self.actas_per_capturista))

    @model_validator(mode="after")
    def _check(self) -> Staff:
        if self.capture_place == "estatal" and sum(shift.people for shift in self.capturistas) < 2:
            raise ValueError("la captura estatal necesita al menos dos personas en [[personal.capturistas]]")
        for transfer in (*self.transfers, *self.capture_transfers):
            objection = self.objection(transfer)
            if objection:
                raise ValueError(objection)
        return self

    def objection(self, transfer: Moment) -> str:
        """Why a `Transfer` or a `CaptureTransfer` makes no sense with this staff; empty when it does.

        Whether its CATDs exist is for whoever has the catalogue.
        """
        local = self.capture_place == "por_catd"
        if isinstance(transfer, CaptureTransfer):
            return "" if local else "solo hay traslado de captura con personal.captura = «por_catd»"
        assert isinstance(transfer, Transfer)
        if transfer.origin is not None and transfer.origin == transfer.target:
            return "un traslado de personas va de un lugar a otro: de_catd y a_catd son el mismo"
        if transfer.target is None and (local or transfer.role != "capturistas"):
            return f"el traslado de {transfer.role} necesita a_catd: el CATD al que van"
        return ""
