"""The results CSV of one contest, one row per expected acta and one per acta fuera de catálogo.

It keeps the rendered line of every acta and renders again only those that changed. It prints
what the snapshot says and decides nothing; whether the header agrees with the rows is `recount`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import BinaryIO, Protocol

from core.domain.catalog import ActaEntry, Casilla, Catalog
from core.domain.counters import COUNTER_NAMES, Counters
from core.domain.fields import Field, Mark
from core.domain.rules import FUERA_DE_CATALOGO
from core.publication.dialects import Dialect, MissingRow
from core.publication.times import Clock, local, utc_label
from core.published.layout import TOTAL_COLUMNS, wrap
from core.published.reader import PublishedFile
from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot

IDENTITY: tuple[str, ...] = (
    "CLAVE_CASILLA", "CLAVE_ACTA", "ID_ENTIDAD", "ENTIDAD", "ID_DISTRITO", "DISTRITO", "ID_MUNICIPIO",
    "MUNICIPIO", "SECCION", "ID_CASILLA", "TIPO_CASILLA", "EXT_CONTIGUA", "UBICACION_CASILLA", "TIPO_ACTA",
)  # fmt: skip
"""Columns that come from the catalogue, in the order cells are built."""

REST: tuple[str, ...] = (
    "TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL", "REPRESENTANTES_PP_CI",
    "OBSERVACIONES", "CONTABILIZADA", "MECANISMOS_TRASLADO", "CODIGO_INTEGRIDAD", "FECHA_HORA_ACOPIO",
    "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION", "ORIGEN", "DIGITALIZACION", "TIPO_DOCUMENTO",
    "COTEJADA",
)  # fmt: skip
"""Columns after the votes, in the order cells are built."""

_SMALL = 10_000


class RowSink(Protocol):
    """Who wants the cells of each row as it is rendered (the XLSX sheet)."""

    def put(self, position: int, cells: Sequence[str]) -> None:
        """The cells of the acta at a position of the contest."""

    def put_outside(self, rows: Sequence[Sequence[str]]) -> None:
        """The cells of all the rows fuera de catálogo."""


class _Cells(dict[Field, str]):
    """Text of each field: marks by configuration, numbers as they are."""

    def __missing__(self, field: Field) -> str:
        text = str(field)
        if len(self) < _SMALL:
            self[field] = text
        return text


class ResultsCsv:
    """The results CSV of one contest of a catalogue, in a dialect.

    `columns_like` gives the order, the names and the title of a file seen; `title` replaces the
    first line. Times are printed at `utc_offset_minutes`, by default that of the entidad.
    """

    def __init__(
        self,
        catalog: Catalog,
        contest_id: str,
        dialect: Dialect,
        *,
        title: str | None = None,
        columns_like: PublishedFile | None = None,
        utc_offset_minutes: int | None = None,
    ) -> None:
        self.dialect = dialect
        self.contest = catalog.contests[contest_id]
        self.columns_like = columns_like
        self._catalog = catalog
        self._rows: RowSink | None = None
        here = catalog.entidad.utc_offset_minutes
        self._offset = here if utc_offset_minutes is None else utc_offset_minutes
        self._ids = [acta.id for acta in catalog.actas_of(contest_id)]
        self._position = {acta: position for position, acta in enumerate(self._ids)}
        self._lines: list[bytes] = [b""] * len(self._ids)
        self._outside: list[bytes] = []
        self._drawn = False
        self.title = title or (columns_like.title if columns_like else self.contest.name)
        self.columns, self.canonical, order = self._order()
        self._pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*order)
        self._prepare()

    def __len__(self) -> int:
        """Rows of the file: expected actas and those fuera de catálogo."""
        return len(self._lines) + len(self._outside)

    def send_rows_to(self, sink: RowSink) -> None:
        """Give the cells of each row to somebody else too, as it is rendered. Before the first `update`."""
        self._rows = sink

    def update(self, snapshot: Snapshot) -> int:
        """Render the rows that changed; returns how many were."""
        if snapshot.changed is None or not self._drawn:
            todo: Sequence[int] = self._ids
        else:
            todo = [acta for acta in snapshot.changed if acta in self._position]
        self._drawn = True
        actas, entries, sink = snapshot.actas, self._catalog.actas, self._rows
        for acta_id in todo:
            cells = self._pick(self._acta_cells(entries[acta_id], actas[acta_id]))
            position = self._position[acta_id]
            self._lines[position] = self._line(cells)
            if sink is not None:
                sink.put(position, cells)
        mine = [acta for acta in snapshot.outside if acta.contest == self.contest.id]
        outside = [self._pick(self._outside_cells(acta)) for acta in mine]
        self._outside = [self._line(cells) for cells in outside]
        if sink is not None:
            sink.put_outside(outside)
        return len(todo)

    def lines(self) -> Iterator[bytes]:
        """Rendered rows in published order, without line end; those fuera de catálogo are the last."""
        yield from self._lines
        yield from self._outside

    def cells(self) -> Iterator[list[str]]:
        """The rows taken apart into cells again, for who did not keep them."""
        separator, encoding = self.dialect.file.separator, self.dialect.file.encoding
        for line in self.lines():
            text = line.decode(encoding)
            yield text.split(separator) if '"' not in text else next(csv.reader([text], delimiter=separator))

    def preamble(self, header: Counters, at_ms: int) -> list[list[str]]:
        """The lines before the column names, as cells: title, cut, counters, values, and those between."""
        file = self.dialect.file
        moment = local(at_ms, self._offset)
        names = list(self.columns_like.header_names) if self.columns_like else list(COUNTER_NAMES)
        values = list(header.as_header().values())
        return [
            *([line] for line in self.title.split("\n")),
            [f"{moment.strftime(file.cut_format)} {utc_label(self._offset)}"],
            *([line] for line in file.after_date),
            names,
            values,
            *([line] for line in file.after_counters),
        ]

    def head(self, header: Counters, at_ms: int) -> bytes:
        """The bytes before the first row, column names included."""
        file = self.dialect.file
        lines = [f"sep={file.separator}"] if file.sep_line else []
        for cells in self.preamble(header, at_ms):
            # A lone cell is a line of text as it is; the title of a file may hold commas.
            lines.append(cells[0] if len(cells) == 1 else self._quoted(cells))
        lines.append(self._quoted(self.columns))
        text = file.newline.join(lines) + file.newline
        return (b"\xef\xbb\xbf" if file.bom else b"") + text.encode(file.encoding)

    def write(self, stream: BinaryIO, header: Counters, at_ms: int) -> None:
        """Write the whole file to a binary stream."""
        file = self.dialect.file
        newline = file.newline.encode()
        stream.write(self.head(header, at_ms))
        stream.write(newline.join(self._lines))
        if self._outside:
            stream.write(newline if self._lines else b"")
            stream.write(newline.join(self._outside))
        stream.write(file.trailer.encode(file.encoding))

    def render(self, header: Counters, at_ms: int) -> bytes:
        """The whole file."""
        buffer = io.BytesIO()
        self.write(buffer, header, at_ms)
        return buffer.getvalue()

    def _order(self) -> tuple[list[str], list[str], list[int]]:
        """Written names, canonical names, and where each one is among the cells built."""
        contest, dialect = self.contest, self.dialect
        built = [*IDENTITY, *TOTAL_COLUMNS, *contest.codes, *REST]
        where = {name: position for position, name in enumerate(built)}
        if self.columns_like is not None:
            written, canonical = list(self.columns_like.columns), list(self.columns_like.canonical)
        else:
            lead, tail = dialect.columns(contest.scope)
            canonical = [*lead, *contest.codes, *tail]
            written = [dialect.written(name, contest.scope) for name in canonical]
        # A column nobody fills (CODIGOS_*, of 2021) gets the cell after the last.
        return written, canonical, [where.get(name, len(built)) for name in canonical]

    def _prepare(self) -> None:
        """Everything about the cells that does not depend on the acta."""
        catalog, dialect, file = self._catalog, self.dialect, self.dialect.file
        marks: dict[Field, str] = {Mark.ILEGIBLE: dialect.ilegible, Mark.SIN_DATO: dialect.sin_dato}
        self._vote = _Cells({**marks, Mark.NO_APLICA: dialect.no_compite})
        self._total = _Cells({**marks, Mark.NO_APLICA: dialect.no_aplica})
        self._clock = Clock(file.time_format, self._offset, none=dialect.sin_hora, suffix=file.time_suffix)
        self._territories = {True: catalog.municipios, False: catalog.distritos}
        never = (False,) * len(TOTAL_COLUMNS)
        self._no_total = {
            tipo: tuple(name in names for name in TOTAL_COLUMNS) for tipo, names in dialect.no_total.items()
        }
        self._never = never
        self._empty_votes: dict[tuple[int, str], tuple[str, ...]] = {}
        self._places: dict[tuple[int | None, int | None, int | None], tuple[str, ...]] = {}
        self._kinds: dict[tuple[int, str, int, int, str], tuple[str, ...]] = {}
        self._reps: dict[int | None, str] = {}
        self._keys = [self._wrapped(name, "\0").split("\0") for name in ("CLAVE_CASILLA", "CLAVE_ACTA")]
        entidad = catalog.entidad
        self._entidad = self._wrapped("ID_ENTIDAD", self._padded("ID_ENTIDAD", entidad.id))
        self._entidad_bare = self._padded("ID_ENTIDAD", entidad.id)
        wrapped_here = sum(1 for name in self.canonical if name in file.wrapped)
        self._quotes = 2 * wrapped_here if file.wrapper == "equals" else 0

    def _padded(self, name: str, number: int | None) -> str:
        if number is None:
            return self.dialect.no_aplica
        return str(number).zfill(self.dialect.digits.get(name, 1))

    def _wrapped(self, name: str, text: str) -> str:
        file = self.dialect.file
        return wrap(text, file.wrapper) if name in file.wrapped else text

    def _identity(self, entry: ActaEntry, casilla: Casilla) -> list[str]:
        (before, after), (acta_before, acta_after) = self._keys
        place = self._places.get((casilla.distrito, casilla.municipio, casilla.seccion))
        kind = None
        if casilla.seccion is not None:
            kind = self._kinds.get(
                (casilla.numero, casilla.tipo, casilla.ext_contigua, casilla.ubicacion, entry.tipo_acta)
            )
        return [
            f"{before}{casilla.key}{after}",
            f"{acta_before}{entry.key}{acta_after}",
            *(self._place(casilla) if place is None else place),
            *(self._kind(casilla, entry) if kind is None else kind),
        ]

    def _place(self, casilla: Casilla) -> tuple[str, ...]:
        """Cells from ID_ENTIDAD to SECCION; the actas of a section share them."""
        wrapped, padded = self._wrapped, self._padded
        cells = [self._entidad, self._catalog.entidad.name]
        for municipal, number in ((False, casilla.distrito), (True, casilla.municipio)):
            name = "ID_MUNICIPIO" if municipal else "ID_DISTRITO"
            territory = None if number is None else self._territories[municipal].get(number)
            cells.append(wrapped(name, padded(name, number)))
            cells.append(territory.name if territory else self.dialect.no_aplica)
        cells.append(wrapped("SECCION", padded("SECCION", casilla.seccion)))
        found = self._places[(casilla.distrito, casilla.municipio, casilla.seccion)] = tuple(cells)
        return found

    def _kind(self, casilla: Casilla, entry: ActaEntry) -> tuple[str, ...]:
        """Cells from ID_CASILLA to TIPO_ACTA; a few dozen make the whole file."""
        wrapped, padded = self._wrapped, self._padded
        number = None if casilla.seccion is None else casilla.numero
        cells = (
            wrapped("ID_CASILLA", padded("ID_CASILLA", number)),
            casilla.tipo,
            wrapped("EXT_CONTIGUA", padded("EXT_CONTIGUA", casilla.ext_contigua)),
            str(casilla.ubicacion),
            entry.tipo_acta,
        )
        if casilla.seccion is not None:
            key = (casilla.numero, casilla.tipo, casilla.ext_contigua, casilla.ubicacion, entry.tipo_acta)
            self._kinds[key] = cells
        return cells

    def _acta_cells(self, entry: ActaEntry, acta: PublishedActa | None) -> list[str]:
        casilla = self._catalog.casillas[entry.casilla]
        dialect, when = self.dialect, self._clock.text
        cells = self._identity(entry, casilla)
        absent = self._no_total.get(casilla.tipo, self._never)
        reps = self._reps.get(casilla.representantes)
        if reps is None:
            reps = self._padded("REPRESENTANTES_PP_CI", casilla.representantes)
            self._reps[casilla.representantes] = reps
        if acta is None or acta.sin_acta:
            texts = dialect.not_captured if acta is None else dialect.sin_acta
            observation = dialect.observations.not_captured
            if acta is not None:
                observation = dialect.observations.text(acta.codes)
            total = texts.totales or ""
            cells += [dialect.no_aplica if gone else total for gone in absent]
            cells += self._votes_without_data(entry.layout, texts)
            cells += self._tail(texts, acta, str(casilla.lista_nominal), reps, observation)
            return cells
        totals = acta.totals
        value = self._total
        if absent is self._never:
            cells += [value[totals[0]], value[totals[1]], value[totals[2]], value[totals[3]]]
        else:
            cells += [
                dialect.no_aplica if gone else value[field]
                for gone, field in zip(absent, totals[:4], strict=True)
            ]
        cells += map(self._vote.__getitem__, acta.votes)
        cells += [
            value[totals[4]],
            str(acta.total),
            str(casilla.lista_nominal),
            reps,
            dialect.observations.text(acta.codes),
            "1" if acta.contabilizada else "0",
            acta.mechanism,
            acta.image_hash,
            when(acta.received_at),
            when(acta.captured_at),
            when(acta.verified_at),
            acta.origin,
            dialect.media.get(acta.medium, acta.medium),
            acta.document,
            str(acta.cotejada),
            dialect.no_aplica,
        ]
        return cells

    def _votes_without_data(self, layout: int, texts: MissingRow) -> tuple[str, ...]:
        text = texts.votos or ""
        key = (layout, text)
        found = self._empty_votes.get(key)
        if found is None:
            applies = self._catalog.layouts[layout].applies
            found = tuple(text if here else self.dialect.no_compite for here in applies)
            self._empty_votes[key] = found
        return found

    def _tail(
        self, texts: MissingRow, acta: PublishedActa | None, lista: str, reps: str, observation: str
    ) -> list[str]:
        """The cells after the votes of an acta without data; None in `texts` is the acta's own value."""
        when, dialect = self._clock.text, self.dialect

        def own(text: str | None, value: str) -> str:
            return value if text is None else text

        return [
            own(texts.asentado, ""),
            own(texts.calculado, str(acta.total) if acta else ""),
            lista,
            reps,
            observation,
            own(texts.contabilizada, "0"),
            own(texts.mecanismo, acta.mechanism if acta else ""),
            own(texts.integridad, acta.image_hash if acta else ""),
            own(texts.acopio, when(acta.received_at if acta else None)),
            own(texts.captura, when(acta.captured_at if acta else None)),
            own(texts.verificacion, when(acta.verified_at if acta else None)),
            own(texts.origen, acta.origin if acta else ""),
            own(texts.digitalizacion, dialect.media.get(acta.medium, acta.medium) if acta else ""),
            own(texts.documento, acta.document if acta else ""),
            own(texts.cotejada, str(acta.cotejada) if acta else ""),
            dialect.no_aplica,
        ]

    def _outside_cells(self, acta: PublishedOutside) -> list[str]:
        dialect = self.dialect
        texts, keys, lista = dialect.outside, dialect.outside_keys, dialect.outside_lista
        identity = [keys] * len(IDENTITY)
        # Puebla wrote the entidad bare in these rows, unlike the rest.
        identity[IDENTITY.index("ID_ENTIDAD")] = self._entidad_bare
        identity[IDENTITY.index("ENTIDAD")] = self._catalog.entidad.name
        identity[IDENTITY.index("UBICACION_CASILLA")] = dialect.outside_ubicacion

        def own(text: str | None, value: str) -> str:
            return value if text is None else text

        return [
            *identity,
            *[texts.totales or ""] * len(TOTAL_COLUMNS),
            *[texts.votos or ""] * len(self.contest.columns),
            texts.asentado or "",
            texts.calculado or "",
            lista,
            lista,
            dialect.observations.text((FUERA_DE_CATALOGO,)),
            texts.contabilizada or "",
            texts.mecanismo or "",
            own(texts.integridad, acta.image_hash),
            own(texts.acopio, self._clock.text(acta.received_at)),
            texts.captura or "",
            texts.verificacion or "",
            own(texts.origen, acta.origin),
            own(texts.digitalizacion, dialect.media.get(acta.medium, acta.medium)),
            own(texts.documento, acta.document),
            texts.cotejada or "",
            dialect.no_aplica,
        ]

    def _line(self, cells: Sequence[str]) -> bytes:
        file = self.dialect.file
        text = file.separator.join(cells)
        if (
            text.count(file.separator) != len(cells) - 1
            or text.count('"') != self._quotes
            or "\n" in text
            or "\r" in text
        ):
            text = self._quoted(cells)
        return text.encode(file.encoding, "replace")

    def _quoted(self, cells: Sequence[str]) -> str:
        """The cells with the quotes they need; a key in ="X" keeps its own bare, as Excel wants them."""
        separator = self.dialect.file.separator
        bare = self.dialect.file.wrapper == "equals"
        result = []
        for cell in cells:
            needs = separator in cell or '"' in cell or "\n" in cell or "\r" in cell
            key = bare and cell.startswith('="') and cell.endswith('"') and separator not in cell
            if needs and not key:
                cell = '"' + cell.replace('"', '""') + '"'
            result.append(cell)
        return separator.join(result)
