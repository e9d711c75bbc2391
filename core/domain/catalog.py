"""The catalogue of an election: territory, casillas, CATDs, contests and the actas expected.

The catalogue is constant during the night: it is what ACTAS_ESPERADAS counts. This module holds
the values and the questions asked of them; reading and checking files is `core.catalogs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

from core.domain.contenders import BallotLayout, Candidacy, Contender, ContenderKind


class Scope(StrEnum):
    """The territory in which a contest is decided, and so the level it is published by."""

    ENTIDAD = "entidad"
    """Gubernatura: published by distrito, decided in the entidad."""
    DISTRITO = "distrito"
    MUNICIPIO = "municipio"


SPECIAL = "S"
"""TIPO_CASILLA of a casilla especial."""

WITHOUT_SECTION = frozenset({"A", "M", "P", "V"})
"""Types of no section: voto anticipado, mesa del extranjero, prisión preventiva (P; V in 2021)."""

CASILLA_TYPES = frozenset({"B", "C", "E", "S", "U"}) | WITHOUT_SECTION


@dataclass(frozen=True, slots=True)
class Entidad:
    """The state: id is that of Anexo 18.10 of the Reglamento de Elecciones (Jalisco is 14)."""

    id: int
    name: str
    abbreviation: str
    utc_offset_minutes: int


@dataclass(frozen=True, slots=True)
class Territory:
    """A distrito local or a municipio."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Catd:
    """A Centro de Acopio y Transmisión de Datos; `distrito`/`municipio` say where it is, when known."""

    id: int
    name: str
    distrito: int | None = None
    municipio: int | None = None


@dataclass(frozen=True, slots=True)
class Casilla:
    """An approved casilla.

    `seccion` and `numero` are None in the types without section. `lista_nominal` is 0 in a
    casilla especial. `representantes` is what REPRESENTANTES_PP_CI publishes, None for N/A.
    """

    id: int
    key: str
    seccion: int | None
    tipo: str
    numero: int
    ext_contigua: int
    ubicacion: int
    """1 urbana, 2 no urbana."""
    lista_nominal: int
    representantes: int | None
    distrito: int | None
    municipio: int | None
    catd: int

    @property
    def special(self) -> bool:
        """A casilla especial: no lista nominal of its own, apart in TOTAL_VOTOS_S_CS."""
        return self.tipo == SPECIAL


@dataclass(frozen=True, slots=True)
class ActaEntry:
    """One expected acta: a casilla, a contest and a kind of acta.

    `key` is CLAVE_ACTA as published; it is not always unique in published files (rows without
    section share it), `id` is. `limit` is the largest countable sum (see `rules.ActaReading`).
    """

    id: int
    key: str
    contest: str
    casilla: int
    tipo_acta: str
    layout: int
    limit: int | None


@dataclass(frozen=True)
class Contest:
    """One election of the night and its vote columns, in published order."""

    id: str
    """Short code used in file names: GUB, DIP_LOC, AYUN."""
    name: str
    """First line of the results file."""
    scope: Scope
    columns: tuple[Contender, ...]
    candidacies: tuple[Candidacy, ...] = ()

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the vote columns in order."""
        return tuple(contender.code for contender in self.columns)

    @cached_property
    def parties(self) -> tuple[str, ...]:
        """Party codes in registration order."""
        return tuple(c.code for c in self.columns if c.kind is ContenderKind.PARTIDO)


@dataclass
class Catalog:
    """Everything fixed before the night. Ids are positions in their list, starting at zero."""

    entidad: Entidad
    election: str
    """Human name of the process, e.g. «Proceso Electoral Local 2020-2021»."""
    distritos: dict[int, Territory]
    municipios: dict[int, Territory]
    catds: Sequence[Catd]
    casillas: Sequence[Casilla]
    contests: dict[str, Contest]
    layouts: Sequence[BallotLayout]
    actas: Sequence[ActaEntry]
    provenance: str = ""
    """Where it comes from, and which part is fact and which is modelled."""
    _expected: dict[str, int] = field(default_factory=dict, repr=False)

    def expected(self, contest: str) -> int:
        """ACTAS_ESPERADAS of a contest."""
        if not self._expected:
            for acta in self.actas:
                self._expected[acta.contest] = self._expected.get(acta.contest, 0) + 1
        return self._expected.get(contest, 0)

    def casilla_of(self, acta: ActaEntry) -> Casilla:
        """The casilla an acta belongs to."""
        return self.casillas[acta.casilla]

    def catd_of(self, acta_id: int) -> Catd:
        """The CATD that gathers an acta."""
        return self.catds[self.casillas[self.actas[acta_id].casilla].catd]

    def territory_of(self, acta: ActaEntry) -> int | None:
        """Id of the distrito or municipio an acta is published under; None where there is none."""
        casilla = self.casillas[acta.casilla]
        if self.contests[acta.contest].scope is Scope.MUNICIPIO:
            return casilla.municipio
        return casilla.distrito

    def territories(self, contest: str) -> dict[int, Territory]:
        """The territories a contest is published by."""
        return self.municipios if self.contests[contest].scope is Scope.MUNICIPIO else self.distritos

    def actas_of(self, contest: str) -> Iterator[ActaEntry]:
        """Expected actas of one contest, in published order."""
        return (acta for acta in self.actas if acta.contest == contest)

    def document(self) -> dict[str, Any]:
        """The catalogue as plain data: rows instead of records, complete, stable."""
        return {
            "entidad": _row(self.entidad),
            "election": self.election,
            "provenance": self.provenance,
            "distritos": [_row(item) for item in self.distritos.values()],
            "municipios": [_row(item) for item in self.municipios.values()],
            "catds": [_row(item) for item in self.catds],
            "casillas": [_row(item) for item in self.casillas],
            "contests": [
                {
                    "id": contest.id,
                    "name": contest.name,
                    "scope": contest.scope.value,
                    "columns": [[c.code, c.kind.value, c.name, list(c.parties)] for c in contest.columns],
                    "candidacies": [_row(item) for item in contest.candidacies],
                }
                for contest in self.contests.values()
            ],
            "layouts": [
                [item.id, item.contest, "".join("1" if one else "0" for one in item.applies)]
                for item in self.layouts
            ],
            "actas": [_row(item) for item in self.actas],
        }

    def encoded(self) -> bytes:
        """Canonical JSON of `document`."""
        return orjson.dumps(self.document(), option=orjson.OPT_SORT_KEYS)

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON: two catalogues are the same when this is."""
        return hashlib.sha256(self.encoded()).hexdigest()


def _row(record: Any) -> list[Any]:
    return [getattr(record, name) for name in record.__slots__]


def decode_catalog(encoded: bytes) -> Catalog:
    """Rebuild a catalogue from `Catalog.encoded`."""
    raw = orjson.loads(encoded)
    return Catalog(
        entidad=Entidad(*raw["entidad"]),
        election=raw["election"],
        provenance=raw["provenance"],
        distritos={row[0]: Territory(*row) for row in raw["distritos"]},
        municipios={row[0]: Territory(*row) for row in raw["municipios"]},
        catds=[Catd(*row) for row in raw["catds"]],
        casillas=[Casilla(*row) for row in raw["casillas"]],
        contests={
            item["id"]: Contest(
                item["id"],
                item["name"],
                Scope(item["scope"]),
                tuple(Contender(c[0], ContenderKind(c[1]), c[2], tuple(c[3])) for c in item["columns"]),
                tuple(Candidacy(*row) for row in item["candidacies"]),
            )
            for item in raw["contests"]
        },
        layouts=[BallotLayout(row[0], row[1], tuple(one == "1" for one in row[2])) for row in raw["layouts"]],
        actas=[ActaEntry(*row) for row in raw["actas"]],
    )
