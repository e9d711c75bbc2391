"""Builds a snapshot straight from the cells of a published file: no engine, no rules."""

from __future__ import annotations

from collections.abc import Sequence

from core.catalogs import ImportedCatalog
from core.domain.counters import CountedActa, Counters, count
from core.domain.fields import Field, Mark
from core.published.layout import TOTAL_COLUMNS, parse_time
from core.published.reader import PublishedFile, unwrap
from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot

CODES: dict[str, tuple[str, ...]] = {
    "EXCEDE LISTA NOMINAL": ("V4",),
    "ALGUN CAMPO ILEGIBLE O SIN DATO": ("V5",),
    "ALGUN DATO ILEGIBLE O SIN DATO": ("V6",),
    "TODOS ILEGIBLES O SIN DATO": ("V3",),
    "SIN ACTA POR PAQUETE NO ENTREGADO": ("S1",),
    "SIN ACTA POR CASILLA NO INSTALADA": ("S2",),
    "SIN ACTA POR PAQUETE ENTREGADO SIN BOLSA": ("S3",),
    "SIN ACTA POR PAQUETE ENTREGADO SIN SOBRE": ("S3",),
    "": (),
    "-": (),
}
MARKS: dict[str, Mark] = {
    "ILEGIBLE": Mark.ILEGIBLE,
    "SIN DATO": Mark.SIN_DATO,
    "-": Mark.NO_APLICA,
    "N/A": Mark.NO_APLICA,
}
INCONSISTENT = {"V3", "V4", "V5", "V6"}


def field(cell: str) -> Field:
    """A cell as the acta's field."""
    return MARKS[cell] if cell in MARKS else int(cell)


def snapshot_of(files: Sequence[PublishedFile], night: ImportedCatalog) -> Snapshot:
    """Everything the files say of their actas."""
    actas: list[PublishedActa | None] = [None] * len(night.catalog.actas)
    outside: list[PublishedOutside] = []
    for file in files:
        for row, acta in zip(file.rows, night.rows[file.contest], strict=True):
            if acta is None:
                outside.append(_outside(file, row, len(outside)))
            else:
                actas[acta] = _acta(file, row, acta)
    return Snapshot(0, actas, outside, None)


def header_of(snapshot: Snapshot, night: ImportedCatalog, contest: str) -> Counters:
    """The counters of the last cut of a contest."""
    catalog = night.catalog
    counted: list[CountedActa] = []
    for entry in catalog.actas_of(contest):
        acta = snapshot.actas[entry.id]
        if acta is not None:
            casilla = catalog.casilla_of(entry)
            counted.append(acta.counted(casilla.lista_nominal, casilla.special))
    outside = sum(1 for acta in snapshot.outside if acta.contest == contest)
    return count(counted, esperadas=catalog.expected(contest), fuera_catalogo=outside, last_cut=True)


def _outside(file: PublishedFile, row: list[str], number: int) -> PublishedOutside:
    received = parse_time(file.cell(row, "FECHA_HORA_ACOPIO"), file.layout, file.utc_offset_hours)
    return PublishedOutside(
        number,
        file.contest,
        "",
        file.cell(row, "ORIGEN"),
        file.cell(row, "DIGITALIZACION"),
        file.cell(row, "TIPO_DOCUMENTO"),
        file.cell(row, "CODIGO_INTEGRIDAD"),
        received or 0,
    )


def _acta(file: PublishedFile, row: list[str], acta: int) -> PublishedActa | None:
    def text(name: str) -> str:
        return file.cell(row, name)

    def when(name: str) -> int | None:
        return parse_time(text(name), file.layout, file.utc_offset_hours)

    contabilizada = unwrap(text("CONTABILIZADA"))
    if contabilizada == "-":
        return None
    codes = CODES[text("OBSERVACIONES").strip()]
    sin_acta = any(code.startswith("S") for code in codes)
    votes = () if sin_acta else tuple(field(row[index]) for index in file.vote_indexes)
    totals = () if sin_acta else tuple(field(text(name)) for name in (*TOTAL_COLUMNS, "TOTAL_VOTOS_ASENTADO"))
    return PublishedActa(
        acta,
        votes,
        totals,
        sum(vote for vote in votes if not isinstance(vote, Mark)),
        contabilizada == "1",
        bool(INCONSISTENT & set(codes)),
        codes,
        text("MECANISMOS_TRASLADO"),
        text("ORIGEN"),
        text("DIGITALIZACION"),
        text("TIPO_DOCUMENTO"),
        text("CODIGO_INTEGRIDAD"),
        when("FECHA_HORA_ACOPIO"),
        when("FECHA_HORA_CAPTURA"),
        when("FECHA_HORA_VERIFICACION"),
        0,
    )
