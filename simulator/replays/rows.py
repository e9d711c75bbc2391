"""The rows of a published file as the commands that would have made them.

Only what people decided that night is taken from a row: the captured fields and their marks, the
document, how and when the acta came in, the reason when there was none. Observations,
CONTABILIZADA, totals and header are left for the engine to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.catalogs.import_rows import NOT_THERE
from core.catalogs.importer import ImportedCatalog
from core.domain.catalog import Catalog
from core.domain.commands import (
    AnyCommand,
    Capture,
    Digitize,
    MarkSinActa,
    Medium,
    Origin,
    Receive,
    ReceiveOutside,
    Totals,
)
from core.domain.fields import Field, Mark
from core.domain.rules import SinActaReason
from core.errors import InputError
from core.foreign_text import whole_of
from core.published.layout import TOTAL_COLUMNS, parse_time
from core.published.reader import PublishedFile, unwrap

_MARKS = {
    "ILEGIBLE": Mark.ILEGIBLE,
    "SIN DATO": Mark.SIN_DATO,
    "SIN_DATO": Mark.SIN_DATO,
    "SIN DATOS": Mark.SIN_DATO,
    "": Mark.SIN_DATO,
    "-": Mark.SIN_DATO,
    "N/A": Mark.NO_APLICA,
}
_MEDIA = {
    "MOVIL": Medium.MOVIL,
    "MÓVIL": Medium.MOVIL,
    "ESCANER": Medium.ESCANER,
    "ESCÁNER": Medium.ESCANER,
    "URNA": Medium.URNA,
    "URNA ELECTRONICA": Medium.URNA,
    "URNA ELECTRÓNICA": Medium.URNA,
}
_REASONS = (
    ("NO ENTREGADO", SinActaReason.PAQUETE_NO_ENTREGADO),
    ("NO INSTALADA", SinActaReason.CASILLA_NO_INSTALADA),
    ("SIN BOLSA", SinActaReason.PAQUETE_SIN_SOBRE),
    ("SIN SOBRE", SinActaReason.PAQUETE_SIN_SOBRE),
    ("URNA", SinActaReason.CONTINGENCIA_URNA),
)
OTHER_FORMAT = "%Y-%m-%d %H:%M:%S"
"""How some rows of the rehearsals of 2024 write their times."""

CAPTURISTAS = 120
"""People among whom the captures are dealt out; published files name nobody."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, the instant at which the system of that night recorded it, and its place in the row."""

    recorded_at: int
    order: tuple[int, int, int]
    command: AnyCommand


@dataclass(frozen=True, slots=True)
class Period:
    """Operating period of the night, ms UTC."""

    starts_at: int
    ends_at: int

    def contains(self, at: int) -> bool:
        """True inside the period."""
        return self.starts_at <= at <= self.ends_at


def sin_acta_reason(observation: str) -> SinActaReason | None:
    """The reason an observation gives for an acta that is not there; None for any other one."""
    text = observation.strip().upper()
    if not text.startswith("SIN ACTA"):
        return None
    return next((reason for words, reason in _REASONS if words in text), SinActaReason.PAQUETE_NO_ENTREGADO)


class RowReader:
    """Turns the rows of one file into steps."""

    def __init__(self, file: PublishedFile, place: int, imported: ImportedCatalog, period: Period) -> None:
        """`place` is the position of the file among those replayed together."""
        self._file = file
        self._place = place
        self._period = period
        self._catalog: Catalog = imported.catalog
        self._ids = imported.rows[file.contest]
        self._votes = file.vote_indexes
        other = OTHER_FORMAT if file.layout.date_format != OTHER_FORMAT else "%d/%m/%Y %H:%M:%S"
        self._layouts = (file.layout, replace(file.layout, date_format=other))

    def steps(self) -> Iterator[Step]:
        """Every step of every row. Sin acta without a time are spread over the night, evenly."""
        untimed = []
        for position, row in enumerate(self._file.rows):
            acta = self._ids[position]
            if acta is None:
                yield from self._outside(position, row)
                continue
            reason = sin_acta_reason(self._cell(row, "OBSERVACIONES"))
            if reason is not None:
                if self._time(row, "FECHA_HORA_CAPTURA", position) is None:
                    untimed.append((position, acta, reason))
                else:
                    yield from self._sin_acta(position, acta, row, reason)
            elif self._cell(row, "CONTABILIZADA") in ("0", "1"):
                yield from self._captured(position, acta, row)
            else:
                yield from self._only_arrived(position, acta, row)
        span = self._file.cut_ms - self._period.starts_at
        for number, (position, acta, reason) in enumerate(untimed, start=1):
            at = self._period.starts_at + span * number // (len(untimed) + 1)
            yield self._mark(position, acta, reason, at, None)

    # -- kinds of row --------------------------------------------------------------------------

    def _captured(self, position: int, acta: int, row: Sequence[str]) -> Iterator[Step]:
        received = self._time(row, "FECHA_HORA_ACOPIO", position)
        captured = self._time(row, "FECHA_HORA_CAPTURA", position)
        verified = self._time(row, "FECHA_HORA_VERIFICACION", position)
        fallback = self._file.cut_ms
        verified = verified if verified is not None else (captured if captured is not None else fallback)
        captured = captured if captured is not None else verified
        yield from self._arrival(position, acta, row, received, captured)
        votes, totals = self.fields(position, acta, row)
        first = (position * 7 + self._place) % CAPTURISTAS
        second = (first + 1 + position % (CAPTURISTAS - 1)) % CAPTURISTAS
        for step, (person, at) in enumerate(((first, captured), (second, verified))):
            yield Step(
                max(at, captured),
                (self._place, position, 4 + step),
                Capture(
                    key=self._key(position, f"captura{step + 1}"),
                    actor=f"capturista-{person + 1:03d}",
                    station="ccv",
                    at=at,
                    acta=acta,
                    votes=votes,
                    totals=totals,
                ),
            )

    def _only_arrived(self, position: int, acta: int, row: Sequence[str]) -> Iterator[Step]:
        received = self._time(row, "FECHA_HORA_ACOPIO", position)
        if received is not None:
            yield from self._arrival(position, acta, row, received, self._file.cut_ms)

    def _arrival(
        self, position: int, acta: int, row: Sequence[str], received: int | None, captured: int
    ) -> Iterator[Step]:
        """Acopio and digitization. A time outside the period is sent first, as it was typed, and
        refused; then the server's own, with the typed one kept as the device's."""
        station = f"catd-{self._catalog.catd_of(acta).id:03d}"
        origin = Origin.CASILLA if self._cell(row, "ORIGEN").upper() == "CASILLA" else Origin.CATD
        mechanism = self._mechanism(row)
        device_at = None
        at = captured if received is None else received
        if not self._period.contains(at):
            device_at, refused, at = at, at, captured
            yield Step(
                captured,
                (self._place, position, 1),
                Receive(
                    key=self._key(position, "acopio-escrito"), actor=f"acopio-{station}", station=station,
                    at=refused, acta=acta, origin=origin, mechanism=mechanism,
                ),
            )  # fmt: skip
        recorded = min(at, captured)
        yield Step(
            recorded,
            (self._place, position, 2),
            Receive(
                key=self._key(position, "acopio"), actor=f"acopio-{station}", station=station, at=at,
                device_at=device_at, acta=acta, origin=origin, mechanism=mechanism,
            ),
        )  # fmt: skip
        if self._cell(row, "DIGITALIZACION") in NOT_THERE:
            return
        yield Step(
            recorded,
            (self._place, position, 3),
            Digitize(
                key=self._key(position, "digitalizacion"), actor=f"digitalizacion-{station}",
                station=station, at=recorded, acta=acta,
                image_hash=self._cell(row, "CODIGO_INTEGRIDAD").lower(), medium=self._medium(row, position),
                document=self._cell(row, "TIPO_DOCUMENTO"),
            ),
        )  # fmt: skip

    def _sin_acta(
        self, position: int, acta: int, row: Sequence[str], reason: SinActaReason
    ) -> Iterator[Step]:
        marked = self._time(row, "FECHA_HORA_CAPTURA", position)
        assert marked is not None
        yield self._mark(position, acta, reason, marked, self._time(row, "FECHA_HORA_VERIFICACION", position))

    def _mark(
        self, position: int, acta: int, reason: SinActaReason, at: int, authorised_at: int | None
    ) -> Step:
        station = f"catd-{self._catalog.catd_of(acta).id:03d}"
        command = MarkSinActa(
            key=self._key(position, "sin-acta"), actor=f"coordinacion-{station}", station=station, at=at,
            acta=acta, reason=reason, supervisor=f"supervision-{station}", authorised_at=authorised_at,
            mechanism=self._mechanism(self._file.rows[position]),
        )  # fmt: skip
        return Step(at, (self._place, position, 1), command)

    def _outside(self, position: int, row: Sequence[str]) -> Iterator[Step]:
        received = self._time(row, "FECHA_HORA_ACOPIO", position)
        at = received if received is not None else self._file.cut_ms
        command = ReceiveOutside(
            key=self._key(position, "fuera"), actor="acopio-fuera", station="ccv", at=at,
            contest=self._file.contest, claimed=unwrap(self._cell(row, "CLAVE_ACTA")),
            origin=Origin.CASILLA if self._cell(row, "ORIGEN").upper() == "CASILLA" else Origin.CATD,
            image_hash=self._cell(row, "CODIGO_INTEGRIDAD").lower(), medium=self._medium(row, position),
            document=self._cell(row, "TIPO_DOCUMENTO"),
        )  # fmt: skip
        yield Step(at, (self._place, position, 1), command)

    # -- cells ---------------------------------------------------------------------------------

    def _cell(self, row: Sequence[str], name: str) -> str:
        return self._file.cell(list(row), name).strip()

    def _key(self, position: int, what: str) -> str:
        return f"{self._file.contest}-{self._file.row_lines[position]}-{what}"

    def _mechanism(self, row: Sequence[str]) -> str:
        text = self._cell(row, "MECANISMOS_TRASLADO")
        return text if text in ("D", "F", "I") else ""

    def _medium(self, row: Sequence[str], position: int) -> Medium:
        text = self._cell(row, "DIGITALIZACION").upper()
        if text not in _MEDIA:
            raise self._bad(position, "DIGITALIZACION", text, "MOVIL, ESCANER o URNA")
        return _MEDIA[text]

    def _time(self, row: Sequence[str], name: str, position: int) -> int | None:
        return self.time(position, name, self._cell(row, name))

    def time(self, position: int, name: str, text: str) -> int | None:
        """A time as written; rehearsals mix two ways of writing it within one file.

        Raises InputError when it is neither.
        """
        offset = self._file.utc_offset_hours
        for layout in self._layouts:
            try:
                return parse_time(text, layout, offset)
            except ValueError:
                continue
        raise self._bad(position, name, text, f"una hora ({self._file.layout.date_format})")

    def fields(self, position: int, acta: int, row: Sequence[str]) -> tuple[tuple[Field, ...], Totals]:
        """The captured fields of a row: votes by column of the contest, and the five totals."""
        entry = self._catalog.actas[acta]
        applies = self._catalog.layouts[entry.layout].applies
        votes = tuple(
            self._field(position, index, row[index]) if exists else Mark.NO_APLICA
            for index, exists in zip(self._votes, applies, strict=True)
        )
        names = (*TOTAL_COLUMNS, "TOTAL_VOTOS_ASENTADO")
        totals = Totals(
            *(self._field(position, self._file.index(name), row[self._file.index(name)]) for name in names)
        )
        return votes, totals

    def _field(self, position: int, index: int, text: str) -> Field:
        text = text.strip()
        number = whole_of(text)
        if number is not None:
            return number
        mark = _MARKS.get(text.upper())
        if mark is not None:
            return mark
        whole, dot, rest = text.partition(".")
        number = whole_of(whole)
        if number is not None and dot and rest.strip("0") == "":
            return number
        raise self._bad(position, self._file.columns[index], text, "un número, ILEGIBLE o SIN DATO")

    def _bad(self, position: int, column: str, found: str, expected: str) -> InputError:
        return InputError(
            file=str(self._file.path),
            line=self._file.row_lines[position],
            column=column,
            expected=expected,
            found=found,
        )


def in_order(steps: Iterable[Step]) -> list[Step]:
    """The steps of all the files as the night recorded them."""
    return sorted(steps, key=lambda step: (step.recorded_at, step.order))
