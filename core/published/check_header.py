"""The header of a published file against its rows and against itself.

The thirteen counters are worked out again from what each row says of itself (CONTABILIZADA,
OBSERVACIONES, TOTAL_VOTOS_CALCULADO, LISTA_NOMINAL), with the formulas of `core.domain.counters`.
Whether a row says the truth is the business of `check_actas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from core.domain.counters import (
    COUNTER_NAMES,
    PERCENT_SCALE,
    CountedActa,
    Counters,
    count,
    format_percent,
    percent,
)
from core.published.findings import Findings
from core.published.layout import canonical_counter
from core.published.reader import PublishedFile
from core.published.row_facts import CAPTURED, OUTSIDE, RowFacts

LONGEST = 24
"""Characters of a counter: no figure of an election comes near."""
_INTEGER = re.compile(r"\d+")
_LEAK = re.compile(r"(\d+)\.0*")
_PERCENT = re.compile(r"\d+\.\d{4}")
_DECIMAL = re.compile(r"\d+(\.\d+)?")

PARTICIPATION = "PORCENTAJE_PARTICIPACION_CIUDADANA"
PERCENT_NAMES = frozenset(name for name in COUNTER_NAMES if name.startswith("PORCENTAJE_"))


def recount(rows: Iterable[RowFacts], *, last_cut: bool) -> Counters:
    """The header that the rows ask for, with the participation formula of the last cut or of the others."""
    captured: list[CountedActa] = []
    outside = expected = 0
    for row in rows:
        if row.status == OUTSIDE:
            outside += 1
            continue
        expected += 1
        if row.status == CAPTURED:
            votes = row.total if row.total is not None else row.vote_sum
            captured.append(
                CountedActa(
                    contabilizada=row.counted,
                    inconsistent=row.observed.inconsistent,
                    special=row.casilla_type == "S",
                    votes=votes,
                    lista_nominal=row.lista_nominal or 0,
                )
            )
    return count(captured, esperadas=expected, fuera_catalogo=outside, last_cut=last_cut)


def check_header(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    """Spelling of each counter, its identities, and its agreement with the rows."""
    line = published.header_line + 1
    for written in published.header_names:
        name = written.strip().strip('"').upper()
        if name and name not in COUNTER_NAMES and canonical_counter(name) in COUNTER_NAMES:
            findings.add("E04", f"se escribió {written.strip()}", published.header_line, written.strip())
    values: dict[str, int] = {}
    for name in COUNTER_NAMES:
        value = _value(name, published.header[name], line, findings)
        if value is not None:
            values[name] = value
    # A row that could not be split into its cells would put every counter off by itself.
    if len(rows) == len(published.rows):
        _against_rows(values, rows, line, findings)
    _identities(values, line, findings)
    _own_percentages(values, line, findings)


def _value(name: str, raw: str, line: int, findings: Findings) -> int | None:
    """The counter as an integer (percentages in ten-thousandths); tells how it is badly written."""
    text = raw.strip()
    if len(text) > LONGEST:
        findings.add("H01", f"{len(text):,} caracteres no son un contador", line, name)
        return None
    if name not in PERCENT_NAMES:
        if _INTEGER.fullmatch(text):
            return int(text)
        leak = _LEAK.fullmatch(text)
        if leak:
            findings.add("H02", f"«{text}» debe ser {int(leak[1])}", line, name)
            return int(leak[1])
        findings.add("H01", f"«{text}» no es un entero", line, name)
        return None
    bare = text
    if bare.endswith("%"):
        bare = bare[:-1].rstrip()
        findings.add("H04", f"«{text}» debe escribirse sin el signo", line, name)
    if not _DECIMAL.fullmatch(bare):
        findings.add("H01", f"«{text}» no es un porcentaje", line, name)
        return None
    exact = Decimal(bare) * PERCENT_SCALE
    value = int(exact)
    if not _PERCENT.fullmatch(bare):
        findings.add("H03", f"«{text}» debe ser {format_percent(value)}", line, name)
    return value


def _against_rows(values: dict[str, int], rows: list[RowFacts], line: int, findings: Findings) -> None:
    closing = recount(rows, last_cut=True)
    running = recount(rows, last_cut=False)
    wanted = _as_numbers(closing)
    for name in COUNTER_NAMES:
        if name not in values or values[name] == wanted[name]:
            continue
        if name == PARTICIPATION:
            if values[name] != running.porcentaje_participacion:
                findings.add(
                    "H08",
                    f"dice {format_percent(values[name])}; las filas dan "
                    f"{format_percent(running.porcentaje_participacion)} sin casillas especiales y "
                    f"{format_percent(closing.porcentaje_participacion)} con ellas (último corte)",
                    line,
                    name,
                )
            continue
        findings.add(
            "H05",
            f"dice {_shown(name, values[name])} y las filas dan {_shown(name, wanted[name])}",
            line,
            name,
        )


def _as_numbers(counters: Counters) -> dict[str, int]:
    header = counters.as_header()
    return {name: int(text.replace(".", "")) for name, text in header.items()}


def _shown(name: str, value: int) -> str:
    return format_percent(value) if name in PERCENT_NAMES else str(value)


def _identities(values: dict[str, int], line: int, findings: Findings) -> None:
    def have(*names: str) -> bool:
        return all(name in values for name in names)

    if have("ACTAS_REGISTRADAS", "ACTAS_CAPTURADAS", "ACTAS_FUERA_CATALOGO"):
        total = values["ACTAS_CAPTURADAS"] + values["ACTAS_FUERA_CATALOGO"]
        if values["ACTAS_REGISTRADAS"] != total:
            findings.add(
                "H06",
                f"dice {values['ACTAS_REGISTRADAS']} y capturadas más fuera de catálogo son {total}",
                line,
                "ACTAS_REGISTRADAS",
            )
    if have("ACTAS_CAPTURADAS", "ACTAS_CONTABILIZADAS", "ACTAS_NO_CONTABILIZADAS"):
        total = values["ACTAS_CONTABILIZADAS"] + values["ACTAS_NO_CONTABILIZADAS"]
        if values["ACTAS_CAPTURADAS"] != total:
            findings.add(
                "H06",
                f"dice {values['ACTAS_CAPTURADAS']} y contabilizadas más no contabilizadas son {total}",
                line,
                "ACTAS_CAPTURADAS",
            )
    if (
        have("TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS")
        and values["TOTAL_VOTOS_C_CS"] < values["TOTAL_VOTOS_S_CS"]
    ):
        findings.add("H06", "TOTAL_VOTOS_C_CS es menor que TOTAL_VOTOS_S_CS", line, "TOTAL_VOTOS_C_CS")


def _own_percentages(values: dict[str, int], line: int, findings: Findings) -> None:
    """Percentages against the counters beside them; tells rounding from a plain mistake."""
    whole = values.get("ACTAS_ESPERADAS")
    for name, part in (
        ("PORCENTAJE_ACTAS_CAPTURADAS", "ACTAS_CAPTURADAS"),
        ("PORCENTAJE_ACTAS_CONTABILIZADAS", "ACTAS_CONTABILIZADAS"),
    ):
        if whole is None or name not in values or part not in values:
            continue
        right = percent(values[part], whole)
        if values[name] != right:
            hint = " (está redondeado y debe truncarse)" if values[name] == right + 1 else ""
            findings.add(
                "H07",
                f"dice {format_percent(values[name])} y debe ser {format_percent(right)}{hint}",
                line,
                name,
            )
