"""The thirteen counters of the header, and the only place where a percentage is made.

Percentages are integers in ten-thousandths of a percent, truncated, never rounded, and always
printed with four decimals (definitions of the LEEME of 2019 and 2024; Anexo 13 numeral 29 for
participation). This module does not know where the actas come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

PERCENT_SCALE = 10_000
"""Units per one percent: four decimals."""

COUNTER_NAMES: tuple[str, ...] = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)
"""Names and order of the header counters (structure of the results CSV, 2024)."""


def percent(part: int, whole: int) -> int:
    """`part / whole` in ten-thousandths of a percent, truncated. Zero when `whole` is zero.

    >>> percent(2031, 2136)
    950842
    """
    if whole == 0:
        return 0
    return part * 100 * PERCENT_SCALE // whole


def format_percent(value: int) -> str:
    """Print ten-thousandths of a percent with its four decimals.

    >>> format_percent(392260)
    '39.2260'
    """
    units, decimals = divmod(value, PERCENT_SCALE)
    return f"{units}.{decimals:04d}"


class CountedActa(NamedTuple):
    """What the header needs to know of one captured acta of the catalogue."""

    contabilizada: bool
    inconsistent: bool
    """Counts in PORCENTAJE_ACTAS_INCONSISTENCIAS (see `rules`)."""
    special: bool
    """The acta is of a casilla especial."""
    votes: int
    lista_nominal: int


@dataclass(frozen=True, slots=True)
class Counters:
    """The header of one contest, or of one level of it. Percentages in ten-thousandths of a percent."""

    esperadas: int
    registradas: int
    fuera_catalogo: int
    capturadas: int
    porcentaje_capturadas: int
    contabilizadas: int
    porcentaje_contabilizadas: int
    porcentaje_inconsistencias: int
    no_contabilizadas: int
    lista_nominal_contabilizadas: int
    total_votos_c_cs: int
    total_votos_s_cs: int
    porcentaje_participacion: int

    def as_header(self) -> dict[str, str]:
        """The counters as the CSV header writes them, in its order."""
        return dict(
            zip(
                COUNTER_NAMES,
                (
                    str(self.esperadas),
                    str(self.registradas),
                    str(self.fuera_catalogo),
                    str(self.capturadas),
                    format_percent(self.porcentaje_capturadas),
                    str(self.contabilizadas),
                    format_percent(self.porcentaje_contabilizadas),
                    format_percent(self.porcentaje_inconsistencias),
                    str(self.no_contabilizadas),
                    str(self.lista_nominal_contabilizadas),
                    str(self.total_votos_c_cs),
                    str(self.total_votos_s_cs),
                    format_percent(self.porcentaje_participacion),
                ),
                strict=True,
            )
        )


def participation(votes_c_cs: int, votes_s_cs: int, lista_nominal: int, *, last_cut: bool) -> int:
    """Participation, in ten-thousandths of a percent (Anexo 13, numeral 29).

    During the operation the votes of casillas especiales are left out; in the last cut before
    closing, and only there, they are included.
    """
    return percent(votes_c_cs if last_cut else votes_s_cs, lista_nominal)


@dataclass(slots=True)
class Tally:
    """Sums from which `Counters` are made; actas can be added and taken away."""

    esperadas: int = 0
    fuera_catalogo: int = 0
    capturadas: int = 0
    contabilizadas: int = 0
    inconsistentes: int = 0
    lista_nominal: int = 0
    votes: int = 0
    votes_special: int = 0

    def add(self, acta: CountedActa, sign: int = 1) -> None:
        """Add one captured acta (or take it away with `sign=-1`)."""
        self.capturadas += sign
        if acta.inconsistent:
            self.inconsistentes += sign
        if acta.contabilizada:
            self.contabilizadas += sign
            self.lista_nominal += sign * acta.lista_nominal
            self.votes += sign * acta.votes
            if acta.special:
                self.votes_special += sign * acta.votes

    def merge(self, other: Tally) -> None:
        """Add the sums of a child level to its parent."""
        self.esperadas += other.esperadas
        self.fuera_catalogo += other.fuera_catalogo
        self.capturadas += other.capturadas
        self.contabilizadas += other.contabilizadas
        self.inconsistentes += other.inconsistentes
        self.lista_nominal += other.lista_nominal
        self.votes += other.votes
        self.votes_special += other.votes_special

    def counters(self, *, last_cut: bool) -> Counters:
        """The thirteen counters of these sums."""
        without_special = self.votes - self.votes_special
        return Counters(
            esperadas=self.esperadas,
            registradas=self.capturadas + self.fuera_catalogo,
            fuera_catalogo=self.fuera_catalogo,
            capturadas=self.capturadas,
            porcentaje_capturadas=percent(self.capturadas, self.esperadas),
            contabilizadas=self.contabilizadas,
            porcentaje_contabilizadas=percent(self.contabilizadas, self.esperadas),
            porcentaje_inconsistencias=percent(self.inconsistentes, self.esperadas),
            no_contabilizadas=self.capturadas - self.contabilizadas,
            lista_nominal_contabilizadas=self.lista_nominal,
            total_votos_c_cs=self.votes,
            total_votos_s_cs=without_special,
            porcentaje_participacion=participation(
                self.votes, without_special, self.lista_nominal, last_cut=last_cut
            ),
        )


def count(actas: Iterable[CountedActa], *, esperadas: int, fuera_catalogo: int, last_cut: bool) -> Counters:
    """Counters of a set of captured actas of the catalogue.

    `esperadas` is the constant size of the catalogue of the contest; `fuera_catalogo` the actas
    registered that belong to no approved casilla (they enter REGISTRADAS and nothing else).
    """
    tally = Tally(esperadas=esperadas, fuera_catalogo=fuera_catalogo)
    for acta in actas:
        tally.add(acta)
    return tally.counters(last_cut=last_cut)
