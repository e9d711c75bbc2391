"""Puts a catalogue together from its casillas and its contests: layouts, actas, limits, order.

The last step of the catalogues that are written (folder, Jalisco, national); what is imported from
published files keeps the order and the ballots of the files instead. It checks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.catalogs.ballots import (
    REPRESENTATIVES_PER_CONTENDER,
    SPECIAL_BALLOTS,
    LayoutBook,
    acta_limit,
    representatives_margin,
)
from core.catalogs.columns import Mask
from core.domain.catalog import WITHOUT_SECTION, ActaEntry, Casilla, Contest, Scope
from core.domain.contenders import BallotLayout


@dataclass(frozen=True)
class ContestPlan:
    """A contest, the codes printed on its actas (regulation §6.4) and its ballot in each territory.

    `acta_especial_rp` is the extra acta of representación proporcional of a casilla especial, None
    where the contest has none. `mask(territory, rp)` gives the columns of a ballot.
    """

    contest: Contest
    acta: str
    acta_especial: str
    acta_especial_rp: str | None
    mask: Callable[[int | None, bool], Mask]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an acta may hold beyond its lista nominal."""

    per_contender: int = REPRESENTATIVES_PER_CONTENDER
    special_ballots: int = SPECIAL_BALLOTS


def assemble(
    casillas: Sequence[Casilla],
    plans: Sequence[ContestPlan],
    allowance: Allowance = Allowance(),
    votes_in: Mapping[int, frozenset[str]] | None = None,
) -> tuple[list[Casilla], list[BallotLayout], list[ActaEntry]]:
    """Actas of every contest, in published order, and the casillas with their representatives filled in.

    A casilla that says no `representantes` takes the margin of the widest of its ballots, because
    a representative is accredited at the casilla and not at one contest; in an especial the
    approved ballots are added (as the OPL structure of 2024 publishes it). So the limit of an acta
    is lista nominal plus representantes in every contest. `votes_in` says, by id, which contests a
    casilla takes part in; a casilla not in it takes part in all.
    """
    book = LayoutBook()
    masks: dict[tuple[str, int | None, bool], int] = {}
    margins: dict[int, int] = {}

    def layout(plan: ContestPlan, territory: int | None, rp: bool) -> int:
        key = (plan.contest.id, territory, rp)
        found = masks.get(key)
        if found is None:
            mask = plan.mask(territory, rp)
            found = masks[key] = book.id_of(plan.contest.id, mask)
            margins[found] = representatives_margin(plan.contest.columns, mask, allowance.per_contender)
        return found

    filled: list[Casilla] = []
    for casilla in casillas:
        if casilla.representantes is None and casilla.tipo not in WITHOUT_SECTION:
            margin = max(
                (
                    margins[layout(plan, _territory(plan, casilla), False)]
                    for plan in plans
                    if _takes_part(casilla, plan, votes_in)
                ),
                default=0,
            )
            extra = allowance.special_ballots if casilla.special else 0
            casilla = replace(casilla, representantes=margin + extra)
        filled.append(casilla)

    actas: list[ActaEntry] = []
    for plan in plans:
        contest = plan.contest.id
        present = [casilla for casilla in filled if _takes_part(casilla, plan, votes_in)]
        for casilla in sorted(present, key=lambda item: published_order(_territory(plan, item), item)):
            territory = _territory(plan, casilla)
            kinds = [(plan.acta_especial if casilla.special else plan.acta, False)]
            if casilla.special and plan.acta_especial_rp is not None:
                kinds.append((plan.acta_especial_rp, True))
            if casilla.representantes is None:
                limit = None
            else:
                limit = acta_limit(casilla.tipo, casilla.lista_nominal, casilla.representantes, 0)
            for tipo_acta, rp in kinds:
                place = layout(plan, territory, rp)
                actas.append(
                    ActaEntry(
                        len(actas), casilla.key + tipo_acta, contest, casilla.id, tipo_acta, place, limit
                    )
                )
    return filled, book.layouts, actas


def published_order(territory: int | None, casilla: Casilla) -> tuple[int, int, int, str, int, int, int]:
    """Sort key of a row: types without section first, then territory, sección, type, number, extension."""
    without = casilla.tipo in WITHOUT_SECTION
    group = ("M", "A", "P", "V").index(casilla.tipo) if without else 9
    return (
        group,
        -1 if territory is None else territory,
        casilla.seccion or 0,
        casilla.tipo,
        casilla.numero,
        casilla.ext_contigua,
        casilla.id,
    )


def _territory(plan: ContestPlan, casilla: Casilla) -> int | None:
    return casilla.municipio if plan.contest.scope is Scope.MUNICIPIO else casilla.distrito


def _takes_part(casilla: Casilla, plan: ContestPlan, votes_in: Mapping[int, frozenset[str]] | None) -> bool:
    contests = None if votes_in is None else votes_in.get(casilla.id)
    return contests is None or plan.contest.id in contests
