"""Codes, images and the columns that surround the votes of a published file."""

from __future__ import annotations

import re

from core.published.findings import Findings
from core.published.layout import EMPTY_TIMES, TIME_COLUMNS, unwrap
from core.published.reader import PublishedFile
from core.published.row_facts import CAPTURED, OUTSIDE, PENDING, RowFacts, normal, quantity

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")

CODES: dict[str, frozenset[str]] = {
    "TIPO_CASILLA": frozenset({"B", "C", "E", "S", "A", "P", "M", "U", "V"}),
    "UBICACION_CASILLA": frozenset({"1", "2", "3"}),
    "CONTABILIZADA": frozenset({"0", "1", "2"}),
    "MECANISMOS_TRASLADO": frozenset({"D", "F", "I"}),
    "ORIGEN": frozenset({"CASILLA", "CATD"}),
    "DIGITALIZACION": frozenset({"MOVIL", "ESCANER", "URNA", "URNA ELECTRONICA"}),
    "TIPO_DOCUMENTO": frozenset(
        {
            "ACTA PREP",
            "RPP",
            "CC",
            "PPC",
            "ACTA VA",
            "ACTA VPPP",
            "ACTA VMRE",
            "ACTA VRME",
            "ACTA VE",
            "ACTA UE",
            "ACTA CONSEJO",
            "ACTA CONSEJO S",
            "COPIA RPPCI",
            "COPIA PE",
            "ACTA PRISION",
            "REPRESENTACION DE ACTA",
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "8",
        }
    ),
    "COTEJADA": frozenset({"0", "1", "2", "3"}),
}
"""Codes of the structures of 2018 to 2024, without accents (regulation §6.4); '', '-', N/A are none."""

STRUCTURE = (
    "UBICACION_CASILLA",
    "TIPO_ACTA",
    "REPRESENTANTES_PP_CI",
    "MECANISMOS_TRASLADO",
    "CODIGO_INTEGRIDAD",
    "ORIGEN",
    "DIGITALIZACION",
    "TIPO_DOCUMENTO",
)
"""Columns every structure since 2018 has and a reader can do without."""

_NONE = ("", "-", "N/A")


def check_structure(published: PublishedFile, findings: Findings) -> None:
    """Columns that are missing, blank lines and rows with the wrong number of cells."""
    for name in STRUCTURE:
        if not published.has(name):
            findings.add("E03", f"no hay columna {name}", published.column_line, name)
    width = len(published.columns)
    for row, line in zip(published.rows, published.row_lines, strict=True):
        if not row:
            findings.add("E02", "línea vacía", line)
        elif len(row) != width:
            findings.add("E01", f"tiene {len(row)} celdas y hay {width} columnas", line)


def check_codes(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    """Codes of each column, integrity codes, lista nominal and what a sin-acta row carries."""
    images: dict[str, int] = {}
    names = [name for name in CODES if published.has(name)]
    has_image = published.has("CODIGO_INTEGRIDAD")
    strict = published.layout.name == "opl-2024"
    for row in rows:
        for name in names:
            value = unwrap(published.cell(row.cells, name))
            if value not in _NONE and normal(value) not in CODES[name]:
                findings.add("C04", f"«{value}» no es un código de {name}", row.line, name)
        if row.status != OUTSIDE and row.casilla_type in _NONE:
            findings.add("C04", "no dice el tipo de casilla", row.line, "TIPO_CASILLA")
        if has_image:
            _image(published, row, images, findings)
        _channel(published, row, findings)
        _lista_nominal(published, row, findings)
        if strict and row.observed.sin_acta:
            _sin_acta(published, row, findings)


def _image(published: PublishedFile, row: RowFacts, images: dict[str, int], findings: Findings) -> None:
    code = published.cell(row.cells, "CODIGO_INTEGRIDAD").strip()
    if code in _NONE:
        if row.status == CAPTURED and row.counted:
            findings.add("C07", "se contabiliza y no tiene imagen", row.line, "CODIGO_INTEGRIDAD")
        return
    if not _SHA256.fullmatch(code):
        findings.add("C02", f"«{code}» no son 64 dígitos hexadecimales", row.line, "CODIGO_INTEGRIDAD")
        return
    first = images.setdefault(code.lower(), row.line)
    if first != row.line:
        findings.add("C01", f"{code[:12]}… ya está en la línea {first}", row.line, "CODIGO_INTEGRIDAD")
    acopio = published.cell(row.cells, TIME_COLUMNS[0]).strip()
    if acopio in EMPTY_TIMES and row.status != PENDING:
        findings.add("C03", f"acopio «{acopio}» y código {code[:12]}…", row.line, TIME_COLUMNS[0])


def _channel(published: PublishedFile, row: RowFacts, findings: Findings) -> None:
    origin = normal(published.cell(row.cells, "ORIGEN"))
    medium = normal(published.cell(row.cells, "DIGITALIZACION"))
    wrong = (origin == "CASILLA" and medium == "ESCANER") or (origin == "CATD" and medium == "MOVIL")
    if wrong or (origin in _NONE) != (medium in _NONE):
        findings.add("C06", f"ORIGEN «{origin}» con DIGITALIZACION «{medium}»", row.line, "DIGITALIZACION")


def _lista_nominal(published: PublishedFile, row: RowFacts, findings: Findings) -> None:
    if row.status == OUTSIDE:
        return
    written = published.cell(row.cells, "LISTA_NOMINAL")
    if row.lista_nominal is None and quantity(written).slip != "unknown":
        findings.add("C08", f"«{written}»", row.line, "LISTA_NOMINAL")
    if row.casilla_type == "S" and row.lista_nominal:
        findings.add("C09", f"tiene {row.lista_nominal}", row.line, "LISTA_NOMINAL")


def _sin_acta(published: PublishedFile, row: RowFacts, findings: Findings) -> None:
    """The 2024 structure asks for SIN ACTA as the total and N/A in everything about the image."""
    wrong: list[str] = []
    if not quantity(published.cell(row.cells, "TOTAL_VOTOS_CALCULADO")).sin_acta:
        wrong.append("TOTAL_VOTOS_CALCULADO")
    for name in ("CODIGO_INTEGRIDAD", *TIME_COLUMNS, "ORIGEN", "DIGITALIZACION", "TIPO_DOCUMENTO"):
        if published.has(name) and published.cell(row.cells, name).strip() != "N/A":
            wrong.append(name)
    if wrong:
        findings.add(
            "C05", "; ".join(f"{n} = «{published.cell(row.cells, n)}»" for n in wrong), row.line, wrong[0]
        )
