"""What each acta of a published file says, against the rules and against its own numbers.

The rules are those of `core.domain.rules`; here they only meet cells. A rule that cannot be
evaluated (no limit known, no field applicable) contradicts nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.fields import Field, Mark
from core.domain.rules import ActaReading, judge
from core.published.findings import Findings
from core.published.layout import TOTAL_COLUMNS
from core.published.reader import PublishedFile
from core.published.row_facts import CAPTURED, OUTSIDE, PENDING, RowFacts, as_int, quantity

REPRESENTATIVES_PER_CONTENDER = 2
"""Propietarios each party or independent may accredit at a casilla (LGIPE 259)."""

VOTERS_SHARE = 90
"""Percent of rows in which the column must equal those who voted, to say that it holds them."""

_QUANTITY_COLUMNS = (*TOTAL_COLUMNS, "TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO", "REPRESENTANTES_PP_CI")


@dataclass(frozen=True, slots=True)
class LimitBasis:
    """What REPRESENTANTES_PP_CI holds in this file: 'accredited', 'voters', 'limit' or 'absent'."""

    kind: str

    def words(self) -> str:
        """What the limit was made of, for the messages."""
        return "REPRESENTANTES_PP_CI" if self.kind == "limit" else "lista nominal más representantes"

    def limit(self, published: PublishedFile, row: RowFacts) -> int | None:
        """The largest sum that can be counted, or None when the file does not tell.

        In the OPL structure the column holds the accredited representatives, and for a casilla
        especial the approved ballots. Votes of no section have no limit of their own.
        """
        if row.without_section or row.lista_nominal is None or self.kind == "absent":
            return None
        representatives = as_int(published.cell(row.cells, "REPRESENTANTES_PP_CI"))
        if representatives is None:
            return None
        if self.kind == "voters" and row.casilla_type == "S":
            return None
        if self.kind == "limit" and row.casilla_type != "S":
            return representatives
        return row.lista_nominal + representatives


def limit_basis(published: PublishedFile, rows: list[RowFacts]) -> LimitBasis:
    """Tell what the column of representatives holds, from the rows themselves."""
    if not published.has("REPRESENTANTES_PP_CI"):
        return LimitBasis("absent")
    compared = equal = above = judged = 0
    for row in rows:
        representatives = as_int(published.cell(row.cells, "REPRESENTANTES_PP_CI"))
        if representatives is None:
            continue
        voted = as_int(published.cell(row.cells, "TOTAL_REP_PARTIDO_CI_VOTARON"))
        if voted is not None:
            compared += 1
            equal += voted == representatives
        if row.lista_nominal and row.casilla_type != "S":
            judged += 1
            above += representatives > row.lista_nominal
    if compared > 20 and equal * 100 >= compared * VOTERS_SHARE:
        return LimitBasis("voters")
    if judged > 20 and above * 100 >= judged * VOTERS_SHARE:
        return LimitBasis("limit")
    return LimitBasis("accredited")


def check_actas(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    """Cells, sums, observations and CONTABILIZADA of every row."""
    basis = limit_basis(published, rows)
    if basis.kind == "limit":
        findings.add(
            "O16",
            "en casi todas las filas REPRESENTANTES_PP_CI es mayor que LISTA_NOMINAL; se tomó como límite",
            None,
            "REPRESENTANTES_PP_CI",
        )
    for row in rows:
        _cells(published, row, findings)
        if row.status == OUTSIDE:
            continue
        if not row.observed.known:
            findings.add("O14", f"«{_observation(published, row)}»", row.line, "OBSERVACIONES")
        _contabilizada(published, row, findings)
        if row.status == CAPTURED and not row.observed.sin_acta and row.observed.known:
            _judge(published, row, basis, findings)
        if row.status == PENDING and row.vote_sum:
            findings.add(
                "O15", f"CONTABILIZADA es «-» y sus votos suman {row.vote_sum}", row.line, "CONTABILIZADA"
            )


def _observation(published: PublishedFile, row: RowFacts) -> str:
    return published.cell(row.cells, "OBSERVACIONES").strip()


def _cells(published: PublishedFile, row: RowFacts, findings: Findings) -> None:
    """Spelling of the quantities of one row: at most one finding of each kind, with how many cells."""
    seen: dict[str, list[tuple[str, str]]] = {}
    pairs = list(zip(published.vote_columns, row.votes, strict=True))
    for column, cell in pairs:
        if cell.slip and (cell.slip != "empty" or row.status == CAPTURED):
            seen.setdefault(cell.slip, []).append((column, published.cell(row.cells, column)))
    for column in (*_QUANTITY_COLUMNS, "LISTA_NOMINAL"):
        raw = published.cell(row.cells, column)
        slip = quantity(raw).slip
        # An empty total is allowed by more than one structure; an empty vote field by none.
        if slip in ("leak", "mark", "unknown"):
            seen.setdefault(slip, []).append((column, raw))
    for slip, code in (("leak", "O10"), ("mark", "O11"), ("empty", "O12"), ("unknown", "O13")):
        if slip not in seen:
            continue
        column, raw = seen[slip][0]
        more = f" y {len(seen[slip]) - 1} campos más" if len(seen[slip]) > 1 else ""
        findings.add(code, (f"«{raw}»" if raw else f"{column} vacío") + more, row.line, column)


def _contabilizada(published: PublishedFile, row: RowFacts, findings: Findings) -> None:
    said = published.cell(row.cells, "CONTABILIZADA").strip()
    seen = row.observed
    if not seen.known:
        return
    if row.status == PENDING:
        if seen != type(seen)():
            findings.add(
                "O08",
                f"dice «{said}» con la observación «{_observation(published, row)}»",
                row.line,
                "CONTABILIZADA",
            )
        return
    right = not (seen.excede or seen.todos or seen.sin_acta)
    if right and not row.counted and not any(type(q.field) is int for q in row.votes):
        # Nothing to add: the acta is rightly left out, and what is wrong is its observation.
        return
    if row.counted != right:
        text = _observation(published, row) or "ninguna"
        findings.add(
            "O08",
            f"dice {said} y con la observación «{text}» debe ser {int(right)}",
            row.line,
            "CONTABILIZADA",
        )


def _judge(published: PublishedFile, row: RowFacts, basis: LimitBasis, findings: Findings) -> None:
    """One captured acta against the rules, on its vote fields."""
    fields: list[Field] = [Mark.NO_APLICA if q.field is None else q.field for q in row.votes]
    limit = basis.limit(published, row)
    verdict = judge(ActaReading(votes=fields, limit=limit))
    if row.total is not None and row.total != verdict.total:
        findings.add(
            "O09", f"dice {row.total} y los votos suman {verdict.total}", row.line, "TOTAL_VOTOS_CALCULADO"
        )
    applicable = [f for f in fields if f is not Mark.NO_APLICA]
    if not applicable:
        return
    seen = row.observed
    exceeds = "V4" in verdict.codes
    none_legible = any(code in verdict.codes for code in ("V1", "V2", "V3"))
    some_missing = any(code in verdict.codes for code in ("V5", "V6"))
    text = _observation(published, row) or "sin observación"
    if exceeds and not seen.excede:
        if basis.kind == "voters":
            _exceeds_voters(published, row, verdict.total, findings)
        else:
            message = f"suma {verdict.total}, límite {limit} ({basis.words()}), «{text}»"
            findings.add("O01", message, row.line, "OBSERVACIONES")
    if seen.excede and limit is not None and not exceeds:
        findings.add("O03", f"suma {verdict.total}, límite {limit}", row.line, "OBSERVACIONES")
    if seen.parcial and not seen.excede and not some_missing and not none_legible:
        findings.add(
            "O04",
            f"«{text}» y los {len(applicable)} campos que aplican tienen número",
            row.line,
            "OBSERVACIONES",
        )
    if some_missing and not (seen.parcial or seen.excede or seen.todos):
        missing = sum(1 for f in applicable if isinstance(f, Mark))
        findings.add("O05", f"{missing} campos sin número y «{text}»", row.line, "OBSERVACIONES")
    if seen.todos and not none_legible:
        numbers = sum(1 for f in applicable if not isinstance(f, Mark))
        findings.add("O06", f"«{text}» y {numbers} campos tienen número", row.line, "OBSERVACIONES")
    # The federal list has no words for a mix of unreadable and empty fields: it says «Ilegible, Sin dato».
    mixed = "V3" in verdict.codes and seen.parcial and published.layout.name.startswith("ine-")
    if none_legible and not seen.todos and not mixed:
        findings.add("O07", f"{len(applicable)} campos sin número y «{text}»", row.line, "OBSERVACIONES")


def _exceeds_voters(published: PublishedFile, row: RowFacts, total: int, findings: Findings) -> None:
    """An acta that seems to exceed in a file whose column holds the representatives who voted."""
    lista = row.lista_nominal or 0
    contenders = sum(
        1
        for column, vote in zip(published.vote_columns, row.votes, strict=True)
        if vote.field is not Mark.NO_APLICA and not _is_combination(published, column)
    )
    accredited = REPRESENTATIVES_PER_CONTENDER * contenders
    fits = "cabe" if total <= lista + accredited else "tampoco cabe"
    findings.add(
        "O02",
        f"suma {total}, lista nominal {lista} más {total - lista}: REPRESENTANTES_PP_CI trae los que "
        f"votaron, no los acreditados; con {REPRESENTATIVES_PER_CONTENDER} por cada uno de los {contenders} "
        f"contendientes de la boleta el límite es {lista + accredited} y {fits}",
        row.line,
        "TOTAL_VOTOS_CALCULADO",
    )


def _is_combination(published: PublishedFile, column: str) -> bool:
    """True for a coalition combination, no registradas or nulos: columns that accredit nobody."""
    if published.canonical[published.index(column)] in ("NO_REGISTRADAS", "NULOS"):
        return True
    name = column.upper()
    return name.startswith("C_") or ("_" in name and not name.startswith(("CAND_IND", "CI_"))) or "-" in name
