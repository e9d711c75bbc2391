"""The catalogue of rules that look at an acta, and what each one does to it.

A rule is evaluated on the captured fields and returns its working: what it saw, the limit it
used and one of three outcomes (holds, fails, cannot be evaluated). Missing data is never a pass
and never a failure: it is `NOT_EVALUABLE`. The texts for the person who types are vague on
purpose (they must not hint at the expected value); those for the supervisor are exact.

Sources: Anexo 13 numeral 31 and the LEEME of 2019 (INE), 2021 (INE) and 2024 (OPL structure);
reference `regulation` §5 gives the row of each rule. What the published text of an observation
looks like is not decided here; see `observations`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from core.domain.fields import Field, Mark


class Outcome(Enum):
    """Result of one rule on one acta."""

    HOLDS = "cumple"
    FAILS = "no_cumple"
    NOT_EVALUABLE = "no_evaluable"


class Severity(Enum):
    """What a failed rule means."""

    NOT_COUNTED = "no_contabiliza"
    """The acta is captured but its votes are not added."""
    OBSERVED = "observada"
    """The acta is counted and published with an observation."""
    NOTICE = "aviso"
    """Recorded for people to look at; no observation is published."""


class SinActaReason(Enum):
    """Legal reasons for an expected acta that will not arrive (regulation §5 rows 10-13)."""

    PAQUETE_NO_ENTREGADO = "PAQUETE_NO_ENTREGADO"
    CASILLA_NO_INSTALADA = "CASILLA_NO_INSTALADA"
    PAQUETE_SIN_SOBRE = "PAQUETE_SIN_SOBRE"
    CONTINGENCIA_URNA = "CONTINGENCIA_URNA"


@dataclass(frozen=True, slots=True)
class ActaReading:
    """The agreed content of one acta, as the rules see it.

    `votes` has one field per column of the contest, `Mark.NO_APLICA` where that contender does
    not run; the last two columns are NO_REGISTRADAS and NULOS. `limit` is the largest sum that
    can be counted: lista nominal plus accredited representatives, or approved ballots plus
    representatives in a casilla especial; None where the law gives no limit (votes from abroad,
    voto anticipado, prisión preventiva).
    """

    votes: Sequence[Field]
    limit: int | None
    total_asentado: Field = Mark.SIN_DATO
    personas_votaron: Field = Mark.SIN_DATO
    representantes_votaron: Field = Mark.SIN_DATO
    votos_sacados: Field = Mark.SIN_DATO
    letter_differs: int = 0
    """Fields where letter and number disagreed; the letter was captured."""
    only_letter_or_number: int = 0
    """Fields written only in letter or only in number; what exists was captured."""
    identified_later: bool = False
    """Tied to its casilla by a procedure of the PTO after arriving without identification."""


class FieldCount(NamedTuple):
    """The vote fields of one acta, counted once for all the rules."""

    applicable: int
    numbers: int
    ilegible: int
    sin_dato: int
    total: int


@dataclass(frozen=True, slots=True)
class Working:
    """What a rule saw: named quantities, so that a person can redo the sum."""

    rule: str
    outcome: Outcome
    seen: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the catalogue."""

    code: str
    series: str
    severity: Severity
    title: str
    text_capturista: str
    text_supervisor: str
    source: str
    in_inconsistency_percentage: bool
    precedence: int
    """Lower is looked at first when observations are combined."""
    evaluate: Callable[[ActaReading, FieldCount], Working]


def count_fields(votes: Sequence[Field]) -> FieldCount:
    """Count numbers and marks among the vote fields, and add the numbers up."""
    ilegible = sin_dato = no_aplica = total = 0
    for field in votes:
        if not isinstance(field, Mark):
            total += field
        elif field is Mark.ILEGIBLE:
            ilegible += 1
        elif field is Mark.SIN_DATO:
            sin_dato += 1
        else:
            no_aplica += 1
    applicable = len(votes) - no_aplica
    return FieldCount(applicable, applicable - ilegible - sin_dato, ilegible, sin_dato, total)


def _working(rule: str, fails: bool, **seen: int) -> Working:
    return Working(rule, Outcome.FAILS if fails else Outcome.HOLDS, tuple(seen.items()))


def _not_evaluable(rule: str, **seen: int) -> Working:
    return Working(rule, Outcome.NOT_EVALUABLE, tuple(seen.items()))


def _all_unreadable(_: ActaReading, fields: FieldCount) -> Working:
    if fields.applicable == 0:
        return _not_evaluable("V1", campos=0)
    return _working(
        "V1",
        fields.ilegible == fields.applicable,
        campos=fields.applicable,
        ilegibles=fields.ilegible,
        sin_dato=fields.sin_dato,
    )


def _all_empty(_: ActaReading, fields: FieldCount) -> Working:
    if fields.applicable == 0:
        return _not_evaluable("V2", campos=0)
    return _working(
        "V2",
        fields.sin_dato == fields.applicable,
        campos=fields.applicable,
        ilegibles=fields.ilegible,
        sin_dato=fields.sin_dato,
    )


def _all_without_number(_: ActaReading, fields: FieldCount) -> Working:
    if fields.applicable == 0:
        return _not_evaluable("V3", campos=0)
    mixed = fields.numbers == 0 and fields.ilegible > 0 and fields.sin_dato > 0
    return _working(
        "V3", mixed, campos=fields.applicable, ilegibles=fields.ilegible, sin_dato=fields.sin_dato
    )


def _exceeds(reading: ActaReading, fields: FieldCount) -> Working:
    if reading.limit is None:
        return _not_evaluable("V4", suma=fields.total)
    if fields.numbers == 0:
        return _not_evaluable("V4", suma=0, limite=reading.limit)
    return _working("V4", fields.total > reading.limit, suma=fields.total, limite=reading.limit)


def _some_unreadable(_: ActaReading, fields: FieldCount) -> Working:
    if fields.numbers == 0:
        return _not_evaluable("V5", campos=fields.applicable)
    return _working("V5", fields.ilegible > 0, campos=fields.applicable, ilegibles=fields.ilegible)


def _some_empty(_: ActaReading, fields: FieldCount) -> Working:
    if fields.numbers == 0:
        return _not_evaluable("V6", campos=fields.applicable)
    return _working("V6", fields.sin_dato > 0, campos=fields.applicable, sin_dato=fields.sin_dato)


def _identified_later(reading: ActaReading, _: FieldCount) -> Working:
    return _working("I1", reading.identified_later)


def _letter_differs(reading: ActaReading, _: FieldCount) -> Working:
    return _working("A1", reading.letter_differs > 0, campos=reading.letter_differs)


def _only_letter_or_number(reading: ActaReading, _: FieldCount) -> Working:
    return _working("A2", reading.only_letter_or_number > 0, campos=reading.only_letter_or_number)


def _total_written_differs(reading: ActaReading, fields: FieldCount) -> Working:
    written = reading.total_asentado
    if isinstance(written, Mark):
        return _not_evaluable("A3", calculado=fields.total)
    return _working("A3", written != fields.total, asentado=written, calculado=fields.total)


def _people_and_ballots_differ(reading: ActaReading, _: FieldCount) -> Working:
    people, representatives, drawn = (
        reading.personas_votaron,
        reading.representantes_votaron,
        reading.votos_sacados,
    )
    if isinstance(people, Mark) or isinstance(representatives, Mark) or isinstance(drawn, Mark):
        return _not_evaluable("A4")
    return _working(
        "A4",
        people + representatives != drawn,
        personas=people,
        representantes=representatives,
        sacados=drawn,
    )


_RECHECK = "Revisa de nuevo los campos contra la imagen."

RULES: tuple[Rule, ...] = (
    Rule(
        "V4",
        "V",
        Severity.NOT_COUNTED,
        "Excede lista nominal",
        _RECHECK,
        "La suma de los votos es mayor que la lista nominal más las representaciones acreditadas "
        "(en casilla especial, que las boletas aprobadas más las representaciones). Igual se contabiliza.",
        "Anexo 13 nums. 26 y 31; LEEME OPL 2024, variable 36",
        True,
        10,
        _exceeds,
    ),
    Rule(
        "V1",
        "V",
        Severity.NOT_COUNTED,
        "Todos los campos ilegibles",
        _RECHECK,
        "Ningún campo de votos se puede leer ni en letra ni en número.",
        "Anexo 13 num. 31; LEEME INE 2018, 2021",
        True,
        20,
        _all_unreadable,
    ),
    Rule(
        "V2",
        "V",
        Severity.NOT_COUNTED,
        "Todos los campos vacíos",
        _RECHECK,
        "Ningún campo de votos tiene dato en letra ni en número.",
        "Anexo 13 num. 31; LEEME INE 2018, 2021",
        True,
        21,
        _all_empty,
    ),
    Rule(
        "V3",
        "V",
        Severity.NOT_COUNTED,
        "Todos ilegibles o sin dato",
        _RECHECK,
        "Todos los campos de votos están vacíos o son ilegibles, unos y otros.",
        "LEEME OPL 2024, variable 36",
        True,
        22,
        _all_without_number,
    ),
    Rule(
        "V5",
        "V",
        Severity.OBSERVED,
        "Algún campo ilegible",
        _RECHECK,
        "Al menos un campo de votos es ilegible en letra y en número; suma cero. Queda algún dato legible.",
        "Anexo 13 num. 31; LEEME OPL 2024, variable 36",
        True,
        30,
        _some_unreadable,
    ),
    Rule(
        "V6",
        "V",
        Severity.OBSERVED,
        "Algún campo sin dato",
        _RECHECK,
        "Al menos un campo de votos está vacío en letra y en número; suma cero. Queda algún dato legible.",
        "Anexo 13 num. 31; LEEME OPL 2024, variable 36",
        True,
        31,
        _some_empty,
    ),
    Rule(
        "I1",
        "I",
        Severity.OBSERVED,
        "Identificación por proceso técnico operativo",
        "Comprueba que la casilla de la pantalla es la de la imagen.",
        "El acta llegó sin identificación y se asoció a su casilla por un procedimiento del PTO.",
        "Anexo 13 num. 31; LEEME INE 2021",
        False,
        40,
        _identified_later,
    ),
    Rule(
        "A1",
        "A",
        Severity.NOTICE,
        "Letra distinta del número",
        _RECHECK,
        "La cantidad en letra no coincide con la cantidad en número: prevalece la letra.",
        "Anexo 13 num. 31; LEEME OPL 2024, variable 10",
        False,
        50,
        _letter_differs,
    ),
    Rule(
        "A2",
        "A",
        Severity.NOTICE,
        "Solo letra o solo número",
        _RECHECK,
        "La cantidad está escrita solo en letra o solo en número: vale la que existe.",
        "Anexo 13 num. 31; LEEME OPL 2024, variable 10",
        False,
        51,
        _only_letter_or_number,
    ),
    Rule(
        "A3",
        "A",
        Severity.NOTICE,
        "Total asentado distinto del calculado",
        _RECHECK,
        "El total asentado en el acta no es la suma de sus campos; se usa la suma.",
        "Anexo 13 num. 30.IV; LEEME OPL 2024, variables 32 y 33",
        False,
        52,
        _total_written_differs,
    ),
    Rule(
        "A4",
        "A",
        Severity.NOTICE,
        "Personas y boletas sacadas no coinciden",
        _RECHECK,
        "Las personas y representaciones que votaron no suman los votos sacados de la urna.",
        "LEEME OPL 2024, variables 14 a 16",
        False,
        53,
        _people_and_ballots_differ,
    ),
)
"""Every rule that looks at the fields of an acta, in catalogue order."""

RULE_BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Situation:
    """An observation that does not come from the fields: a fact about the acta itself."""

    code: str
    series: str
    title: str
    text: str
    source: str
    contabilizada: str
    """What the CONTABILIZADA column says: '0', '1' or '2'."""


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "S1",
        "S",
        "Sin acta por paquete no entregado",
        "El paquete electoral no se entregó.",
        "Anexo 13 num. 31; LEEME OPL 2024",
        "0",
    ),
    Situation(
        "S2",
        "S",
        "Sin acta por casilla no instalada",
        "La casilla aprobada no se instaló.",
        "Anexo 13 num. 31; LEEME OPL 2024",
        "0",
    ),
    Situation(
        "S3",
        "S",
        "Sin acta por paquete entregado sin sobre",
        "El paquete se entregó sin el sobre (bolsa) del Acta PREP.",
        "Anexo 13 num. 31; LEEME QROO 2019 y OPL 2024",
        "0",
    ),
    Situation(
        "S4",
        "S",
        "Sin acta por contingencia en urna electrónica",
        "La urna electrónica no entregó la representación del acta.",
        "INE/CG637/2023; IECM 2024",
        "0",
    ),
    Situation(
        "C1",
        "C",
        "Fuera de catálogo",
        "La identificación del acta no permite asociarla a una casilla aprobada.",
        "Anexo 13 nums. 26 y 31; LEEME OPL 2024",
        "2",
    ),
)

SITUATION_BY_CODE: dict[str, Situation] = {situation.code: situation for situation in SITUATIONS}

SIN_ACTA_CODES: dict[SinActaReason, str] = {
    SinActaReason.PAQUETE_NO_ENTREGADO: "S1",
    SinActaReason.CASILLA_NO_INSTALADA: "S2",
    SinActaReason.PAQUETE_SIN_SOBRE: "S3",
    SinActaReason.CONTINGENCIA_URNA: "S4",
}

FUERA_DE_CATALOGO = "C1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules decided of one acta."""

    contabilizada: bool
    inconsistent: bool
    """Enters PORCENTAJE_ACTAS_INCONSISTENCIAS."""
    codes: tuple[str, ...]
    """Failed rules, by precedence, notices left out."""
    notices: tuple[str, ...]
    total: int
    """TOTAL_VOTOS_CALCULADO: the sum of the numbers among the vote fields."""


def explain(reading: ActaReading) -> tuple[Working, ...]:
    """The working of every rule on one acta, in catalogue order."""
    fields = count_fields(reading.votes)
    return tuple(rule.evaluate(reading, fields) for rule in RULES)


def judge(reading: ActaReading) -> Verdict:
    """Decide one acta: is it counted, is it inconsistent, which observations it carries.

    An acta with no applicable vote field cannot be judged and is not counted.
    """
    codes: list[tuple[int, str]] = []
    notices: list[str] = []
    fields = count_fields(reading.votes)
    contabilizada = fields.numbers > 0
    inconsistent = False
    for rule in RULES:
        if rule.evaluate(reading, fields).outcome is not Outcome.FAILS:
            continue
        if rule.severity is Severity.NOTICE:
            notices.append(rule.code)
            continue
        codes.append((rule.precedence, rule.code))
        if rule.severity is Severity.NOT_COUNTED:
            contabilizada = False
        if rule.in_inconsistency_percentage:
            inconsistent = True
    return Verdict(
        contabilizada,
        inconsistent,
        tuple(code for _, code in sorted(codes)),
        tuple(notices),
        fields.total,
    )
