"""A generated catalogue of national size, for benchmarks only.

Nothing in it is real. Casillas and actas are made when they are asked for, so that half a million
actas cost no memory before the thing being measured runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

from core.catalogs.apportion import mix
from core.catalogs.ballots import SPECIAL_BALLOTS, acta_limit, casilla_key, representatives_margin
from core.catalogs.columns import Coalition, Field
from core.domain.catalog import ActaEntry, Casilla, Catalog, Catd, Contest, Entidad, Scope, Territory
from core.domain.contenders import BallotLayout

DISTRITOS = 300
MUNICIPIOS = 2_400
CASILLAS_PER_SECTION = 3
SPECIAL_EVERY = 200
"""One casilla especial in this many; it gives one acta per contest, without the extra one of RP."""

CONTESTS = (
    ("GUB", "GUBERNATURA", Scope.ENTIDAD, "2"),
    ("DIP_LOC", "DIPUTACIONES LOCALES", Scope.DISTRITO, "3"),
    ("AYUN", "AYUNTAMIENTOS", Scope.MUNICIPIO, "4"),
)

_FIELD = Field(
    parties=("PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA"),
    coalitions=(Coalition(("PAN", "PRI", "PRD")), Coalition(("PVEM", "PT", "MORENA"))),
)

_Record = TypeVar("_Record")


class _Made(Sequence[_Record], Generic[_Record]):
    """A sequence whose records are made on each access; subclasses say how."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def make(self, number: int) -> _Record:
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> _Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[_Record]: ...

    def __getitem__(self, index: int | slice) -> _Record | list[_Record]:
        if isinstance(index, slice):
            return [self.make(number) for number in range(*index.indices(self._length))]
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self.make(index)

    def __iter__(self) -> Iterator[_Record]:
        return map(self.make, range(self._length))


class _Casillas(_Made[Casilla]):
    def __init__(self, length: int, margin: int) -> None:
        super().__init__(length)
        self._margin = margin

    def tipo(self, number: int) -> str:
        if number % SPECIAL_EVERY == SPECIAL_EVERY - 1:
            return "S"
        return "C" if number % CASILLAS_PER_SECTION else "B"

    def voters(self, number: int) -> int:
        return 0 if self.tipo(number) == "S" else 400 + mix(number) % 351

    def make(self, number: int) -> Casilla:
        section, place = divmod(number, CASILLAS_PER_SECTION)
        tipo = self.tipo(number)
        numero = place if tipo == "C" else 1
        sections = (self._length + CASILLAS_PER_SECTION - 1) // CASILLAS_PER_SECTION
        distrito = section * DISTRITOS // sections
        return Casilla(
            number,
            casilla_key(0, section + 1, tipo, numero, 0),
            section + 1,
            tipo,
            numero,
            0,
            1 + (section % 3 == 0),
            self.voters(number),
            self._margin + (SPECIAL_BALLOTS if tipo == "S" else 0),
            distrito + 1,
            section * MUNICIPIOS // sections + 1,
            distrito,
        )


class _Actas(_Made[ActaEntry]):
    def __init__(self, casillas: _Casillas, contests: int, margin: int) -> None:
        super().__init__(len(casillas) * contests)
        self._casillas = casillas
        self._margin = margin

    def make(self, number: int) -> ActaEntry:
        contest, casilla = divmod(number, len(self._casillas))
        code, _, _, printed = CONTESTS[contest]
        tipo = self._casillas.tipo(casilla)
        section, place = divmod(casilla, CASILLAS_PER_SECTION)
        key = casilla_key(0, section + 1, tipo, place if tipo == "C" else 1, 0)
        tipo_acta = printed + "E" if tipo == "S" else printed
        limit = acta_limit(tipo, self._casillas.voters(casilla), self._margin)
        return ActaEntry(number, key + tipo_acta, code, casilla, tipo_acta, contest, limit)


def national(actas_per_contest: int = 170_000, contests: int = 3) -> Catalog:
    """A catalogue of `actas_per_contest` × `contests` actas: 300 distritos, 2 400 municipios, 300 CATDs.

    Sección numbers go on past 9999, so a key may be one character longer than a real one. Raises
    ValueError for a number of contests other than 1 to 3 or no actas.
    """
    if not 1 <= contests <= len(CONTESTS):
        raise ValueError(f"contests must be 1 to {len(CONTESTS)}")
    if actas_per_contest < 1:
        raise ValueError("actas_per_contest must be positive")
    columns = _FIELD.columns()
    mask = _FIELD.mask(columns, None)
    margin = representatives_margin(columns, mask)
    casillas = _Casillas(actas_per_contest, margin)
    chosen = CONTESTS[:contests]
    return Catalog(
        entidad=Entidad(0, "NACIONAL", "NAC", -360),
        election="Catálogo generado de tamaño nacional",
        distritos={n: Territory(n, f"DISTRITO {n:03d}") for n in range(1, DISTRITOS + 1)},
        municipios={n: Territory(n, f"MUNICIPIO {n:04d}") for n in range(1, MUNICIPIOS + 1)},
        catds=[Catd(n, f"CATD distrital {n + 1:03d}", distrito=n + 1) for n in range(DISTRITOS)],
        casillas=casillas,
        contests={code: Contest(code, name, scope, columns) for code, name, scope, _ in chosen},
        layouts=[BallotLayout(number, code, mask) for number, (code, _, _, _) in enumerate(chosen)],
        actas=_Actas(casillas, contests, margin),
        provenance="Todo es generado: sirve para medir, no para describir una elección.",
        _expected=dict.fromkeys((code for code, _, _, _ in chosen), actas_per_contest),
    )
