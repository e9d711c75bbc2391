"""What differs between a replayed file and the official one, cell by cell, and why.

A difference is a defect of the source when there is a reason for it that can be checked: the key
was written wrong, the number lost its zero, the time is outside the operation, the observation
contradicts the fields beside it. A difference without such a reason has `reason` None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.domain.counters import COUNTER_NAMES
from core.domain.refusals import REFUSAL_TEXTS, Refusal
from core.domain.rules import ActaReading, Outcome, explain
from core.publication.dialects import dialect_for
from core.publication.recount import RowMismatchError, recount
from core.published.layout import TIME_COLUMNS
from core.published.reader import PublishedFile
from simulator.replays.replay import Replayed
from simulator.replays.rows import RowReader

ROW_COLUMN = "renglón"

TYPED_OUTSIDE = "hora de acopio fuera del periodo de operación: se rechaza y se asienta la del servidor"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell. `row` is the physical line of the official file (that of its values for the header)."""

    row: int
    column: str
    official: str
    own: str
    reason: str | None


@dataclass(frozen=True)
class Comparison:
    """A replayed file against its official one."""

    file: PublishedFile
    header: dict[str, str]
    differences: list[Difference]


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip().rstrip("%"))
    except InvalidOperation:
        return None


def format_reason(official: str, own: str) -> str | None:
    """Why two texts of the same value differ; None when they are different values."""
    left, right = _number(official), _number(own)
    if left is not None and left == right:
        if "%" in official:
            return "signo de porcentaje dentro del valor"
        if official.endswith(".0"):
            return "entero escrito con decimal (fuga de punto flotante)"
        return "se perdieron ceros finales: siempre van cuatro decimales"
    if official.strip().upper().replace("_", " ") == own.strip().upper():
        return "mismo valor con otra escritura"
    return None


class Comparer:
    """Explains the differences of one file."""

    def __init__(self, replayed: Replayed, official: PublishedFile, own: PublishedFile, place: int) -> None:
        self._official = official
        self._own = own
        self._period = replayed.period
        self._rows = RowReader(official, place, replayed.imported, replayed.period)
        self._catalog = replayed.imported.catalog
        self._ids = replayed.imported.rows[official.contest]
        self._repairs = {
            (repair.row_line, repair.column): repair.reason
            for repair in replayed.imported.repairs
            if repair.file == official.path.name or repair.file == str(official.path)
        }
        self._refused: dict[int, list[tuple[str, Refusal]]] = {}
        for contest, row, what, code in replayed.refused:
            if contest == official.contest:
                self._refused.setdefault(row, []).append((what, code))

    def compare(self) -> Comparison:
        """Every difference, header first."""
        rows = [*self._row_differences()]
        header = self._header_differences(rows)
        return Comparison(self._official, self._own.header, [*header, *rows])

    # -- rows ----------------------------------------------------------------------------------

    def _row_differences(self) -> list[Difference]:
        official, own = self._official, self._own
        inside = [position for position, acta in enumerate(self._ids) if acta is not None]
        outside = [position for position, acta in enumerate(self._ids) if acta is None]
        own_rows = own.rows[: len(inside)]
        found: list[Difference] = []
        for position, row in zip(inside, own_rows, strict=True):
            found += self._cells(position, official.rows[position], row)
        by_hash: dict[str, list[list[str]]] = {}
        for row in own.rows[len(inside) :]:
            by_hash.setdefault(own.cell(row, "CODIGO_INTEGRIDAD").lower(), []).append(row)
        for position in outside:
            row = official.rows[position]
            candidates = by_hash.get(official.cell(row, "CODIGO_INTEGRIDAD").strip().lower())
            line = official.row_lines[position]
            if candidates:
                found += self._cells(position, row, candidates.pop(0))
            else:
                found.append(
                    Difference(
                        line, ROW_COLUMN, "FUERA DE CATALOGO", "",
                        "imagen repetida: ya estaba registrada, se cuenta una vez",
                    )
                )  # fmt: skip
        return found

    def _cells(self, position: int, official: Sequence[str], own: Sequence[str]) -> list[Difference]:
        line = self._official.row_lines[position]
        return [
            Difference(line, column, theirs, ours, self._reason(position, official, index, theirs, ours))
            for index, (column, theirs, ours) in enumerate(
                zip(self._official.columns, official, own, strict=True)
            )
            if theirs != ours
        ]

    def _reason(self, position: int, row: Sequence[str], index: int, official: str, own: str) -> str | None:
        column = self._official.canonical[index]
        line = self._official.row_lines[position]
        for name in (column, self._official.columns[index]):
            if (line, name) in self._repairs:
                return self._repairs[(line, name)]
        reason = format_reason(official, own)
        if reason is not None:
            return reason
        if column == "FECHA_HORA_ACOPIO":
            at = self._rows.time(position, column, official)
            if at is not None and not self._period.contains(at):
                return TYPED_OUTSIDE
        if column in TIME_COLUMNS and own.strip(" -") and not official.strip(" -/NA"):
            return "la fuente no da la hora: se asienta la del corte"
        if column in TIME_COLUMNS and self._same_time(position, column, official, own):
            return "hora escrita con otro formato que el del archivo"
        if column == "MECANISMOS_TRASLADO" and official == "N/A":
            return "N/A en un acta que sí llegó: sin mecanismo el campo va vacío (LEEME 2024, variable 38)"
        refused = [item for item in self._refused.get(line, []) if item[0] != "acopio-escrito"]
        if refused:
            what, code = refused[0]
            return f"el motor rechazó «{what}»: {REFUSAL_TEXTS[code]}"
        if official.strip() == "" and own in ("-", "SIN DATO"):
            return "celda vacía en la fuente"
        if column in TIME_COLUMNS and self._official.cell(list(row), "CONTABILIZADA").strip() == "-":
            return "la fuente publica horas de un acta que aún no estaba verificada"
        if column == "ID_CASILLA" and "N/A" in own:
            return "los renglones sin sección llevan N/A (LEEME 2024)"
        if column in ("OBSERVACIONES", "CONTABILIZADA", "TOTAL_VOTOS_CALCULADO"):
            return self._rule_reason(position, row, column)
        return None

    def _same_time(self, position: int, column: str, official: str, own: str) -> bool:
        at = self._rows.time(position, column, official)
        return at is not None and at == self._rows.time(position, column, own)

    def _rule_reason(self, position: int, row: Sequence[str], column: str) -> str | None:
        """The rules that decide an acta, with their working, when they contradict the source."""
        acta = self._ids[position]
        if acta is None:
            return None
        votes, totals = self._rows.fields(position, acta, row)
        entry = self._catalog.actas[acta]
        workings = explain(ActaReading(votes, entry.limit, totals.total_asentado))
        failing = [w for w in workings if w.outcome is Outcome.FAILS and w.rule.startswith("V")]
        shown = failing or [w for w in workings if w.rule in ("V4", "V5", "V6")]
        text = "; ".join(
            f"{w.rule} {w.outcome.value} ({', '.join(f'{name}={value}' for name, value in w.seen)})"
            for w in shown
        )
        what = "la observación" if column == "OBSERVACIONES" else f"«{column}»"
        return f"las reglas contradicen {what} con los campos publicados: {text}"

    # -- header --------------------------------------------------------------------------------

    def _header_differences(self, rows: Sequence[Difference]) -> list[Difference]:
        official, own = self._official, self._own
        rows_say, contradiction = self._rows_say()
        found = []
        for name in COUNTER_NAMES:
            theirs, ours = official.header[name], own.header[name]
            if theirs == ours:
                continue
            reason = format_reason(theirs, ours)
            counted = rows_say.get(name, theirs)
            if reason is None and theirs != counted and format_reason(theirs, counted) is None:
                reason = f"el encabezado no corresponde a sus propios renglones, que dan {counted}"
            if reason is None:
                reason = self._consequence(name, rows) or contradiction
            found.append(Difference(official.header_line, name, theirs, ours, reason))
        return found

    def _rows_say(self) -> tuple[dict[str, str], str | None]:
        """The header the official rows would have; nothing, and why, when they contradict themselves."""
        official = self._official
        try:
            return recount(official.path.read_bytes(), dialect_for(official.layout), last=True), None
        except RowMismatchError as error:
            return {}, f"los renglones de la fuente se contradicen: {error}"

    @staticmethod
    def _consequence(name: str, rows: Sequence[Difference]) -> str | None:
        """A counter differs because cells it is made of differ, each with its own reason."""
        made_of = {
            "PORCENTAJE_ACTAS_INCONSISTENCIAS": {"OBSERVACIONES"},
            "ACTAS_REGISTRADAS": {ROW_COLUMN, "CONTABILIZADA"},
            "ACTAS_FUERA_CATALOGO": {ROW_COLUMN},
        }.get(name, {"CONTABILIZADA", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL"})
        causes = [row for row in rows if row.column in made_of]
        if not causes or any(row.reason is None for row in causes):
            return None
        return f"consecuencia de {len(causes)} diferencias explicadas en sus renglones"


def compare_all(replayed: Replayed, written: Sequence[PublishedFile]) -> list[Comparison]:
    """Compare every file of the night with the one the engine wrote."""
    return [
        Comparer(replayed, official, own, place).compare()
        for place, (official, own) in enumerate(zip(replayed.files, written, strict=True))
    ]
