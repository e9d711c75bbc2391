"""The tables of a finished night that its reports show, as plain data for `resumen.json`.

Stages by election and by CATD, how long each phase took, cuts due and met by hour, the evidence that
the base began empty, PREP Casilla, and the inconsistencies planted against those recorded. It reads
the ledger's facts, the published state and the plan of the night; it judges no rule of the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

from core.domain.catalog import ActaEntry, Catalog
from core.domain.events import EventKind
from core.domain.rules import (
    FUERA_DE_CATALOGO,
    RULE_BY_CODE,
    SIN_ACTA_CODES,
    SITUATION_BY_CODE,
    ActaReading,
    SinActaReason,
    judge,
)
from core.tally.snapshot import Snapshot
from simulator.night.counts import pct
from simulator.night.facts import PHONE, SCANNER, ActaFacts, NightFacts
from simulator.night.processes import CASILLAS_PER_CAE
from simulator.night.run import cut_times
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

if TYPE_CHECKING:
    from simulator.night.run import Night

CUTS_AN_HOUR = 3
"""Least updates an hour (Reglamento de Elecciones, art. 339)."""

_PHASES = (
    ("acopio", EventKind.ACTA_RECEIVED),
    ("digitalización", EventKind.ACTA_DIGITIZED),
    ("captura", EventKind.ACTA_CAPTURED),
    ("verificación", EventKind.ACTA_VERIFIED),
    ("publicación", EventKind.CUT_PUBLISHED),
    ("cotejo", EventKind.ACTA_COLLATED),
)
"""Phases of the PTO that leave an event; the packing of the actas leaves none here."""


def tables(night: Night, facts: NightFacts, snapshot: Snapshot) -> dict[str, Any]:
    """Every table, by the key it has in `resumen.json`."""
    catalog = night.catalog
    return {
        "etapas_por_contienda": {
            contest: stages(facts, snapshot, catalog.actas_of(contest)) for contest in catalog.contests
        },
        "por_catd": _by_catd(night, facts, snapshot),
        "fases": _phases(night, facts),
        "tiempos": times(facts),
        "avance_por_corte": _by_cut(night, facts),
        "cortes_por_hora": cuts_by_hour(
            [night.model.start_ms + at for at in cut_times(night.loaded.scenario)],
            [cut.at for cut in night.cuts],
            partial(local_time, night),
            # A cut that was due is published or missed; neither happens only when they are turned off.
            off=not night.cuts and not night.missed,
        ),
        "base_en_ceros": _opening(night, facts),
        "medidas": _measures(night, facts),
        "prep_casilla": _phone(catalog, facts, snapshot),
        "inconsistencias": _inconsistencies(night, facts, snapshot),
    }


def local_time(night: Night, at: int) -> str:
    """ISO date and time, in the zone of the scenario, of an instant in ms UTC."""
    zone = night.loaded.scenario.calendar.start.tzinfo
    return datetime.fromtimestamp(at // 1000, zone).isoformat()


def missing_of(night: Night) -> dict[int, SinActaReason]:
    """Actas that nobody could have this night, and why."""
    return {acta: reason for package in night.model.packages for acta, reason in package.missing}


def stages(facts: NightFacts, snapshot: Snapshot, entries: Iterable[ActaEntry]) -> dict[str, Any]:
    """How many of some actas went through each stage; captured includes those sin acta."""
    found: Counter[str] = Counter()
    published_seq = facts.cuts[-1].seq_high if facts.cuts else 0
    for entry in entries:
        acta, published = facts.actas[entry.id], snapshot.actas[entry.id]
        found["esperadas"] += 1
        found["acopiadas"] += acta.received_at is not None
        found["digitalizadas"] += acta.digitized_at is not None
        found["con_captura"] += bool(acta.captures)
        found["verificadas"] += acta.verified_at is not None
        found["publicadas"] += 0 < acta.published_seq <= published_seq
        if published is not None:
            found["capturadas"] += 1
            found["contabilizadas"] += published.contabilizada
            found["con_imagen"] += not published.sin_acta
            found["sin_acta"] += published.sin_acta
    names = (
        "esperadas", "acopiadas", "digitalizadas", "con_captura", "verificadas", "capturadas",
        "contabilizadas", "con_imagen", "sin_acta", "publicadas",
    )  # fmt: skip
    whole = found["esperadas"]
    shares = {
        f"{name}_pct": pct(found[name], whole) for name in ("capturadas", "contabilizadas", "con_imagen")
    }
    return {name: found[name] for name in names} | shares


def _by_catd(night: Night, facts: NightFacts, snapshot: Snapshot) -> list[dict[str, Any]]:
    catalog = night.catalog
    owned: dict[int, list[ActaEntry]] = {catd.id: [] for catd in catalog.catds}
    for entry in catalog.actas:
        owned[catalog.casillas[entry.casilla].catd].append(entry)
    return [
        {
            "catd": catd.id,
            "nombre": catd.name,
            "distrito": catd.distrito,
            **stages(facts, snapshot, owned[catd.id]),
            "minutos_sin_enlace": night.links[catd.id].down_ms(night.model.length_ms) // MS_PER_MINUTE,
        }
        for catd in catalog.catds
    ]


def _phases(night: Night, facts: NightFacts) -> list[dict[str, Any]]:
    spans = [("toma fotográfica en la casilla", facts.phone, False)]
    spans += [(name, facts.spans.get(kind), True) for name, kind in _PHASES]
    return [
        {
            "fase": name,
            "obligatoria": required,
            "eventos": span.events if span else 0,
            "primera": local_time(night, span.first_at) if span else None,
            "ultima": local_time(night, span.last_at) if span else None,
        }
        for name, span, required in spans
    ]


def times(facts: NightFacts) -> list[dict[str, Any]]:
    """Median, 90th and 95th percentile of each step, in minutes with one decimal, truncated."""
    cut_of = _first_cuts(facts)
    steps: tuple[tuple[str, Callable[[ActaFacts], int | None]], ...] = (
        ("acopio → digitalización (CATD)", lambda a: _between(a.received_at, a.digitized_at, a)),
        ("digitalización → llegada al centro", lambda a: _less(a.digitized_at, a.transmitted_at)),
        ("llegada al centro → primera captura", lambda a: _less(a.transmitted_at, _capture_at(a, 0))),
        ("primera → segunda captura", lambda a: _less(_capture_at(a, 0), _capture_at(a, 1))),
        ("segunda captura → verificación", lambda a: _less(_capture_at(a, 1), a.verified_at)),
        ("con diferencia: segunda captura → verificación", _resolution),
        ("verificación → publicación", lambda a: _less(a.verified_at, cut_of(a))),
        ("acopio → verificación", lambda a: _less(a.received_at, a.verified_at)),
    )
    found = []
    for name, length in steps:
        lengths = sorted(value for acta in facts.actas if (value := length(acta)) is not None)
        found.append(
            {
                "paso": name,
                "actas": len(lengths),
                "mediana_min": _quantile(lengths, 50),
                "p90_min": _quantile(lengths, 90),
                "p95_min": _quantile(lengths, 95),
            }
        )
    return found


def _between(start: int | None, end: int | None, acta: ActaFacts) -> int | None:
    # By phone both are one instant: it would hide how long the CATD takes.
    return _less(start, end) if acta.medium == SCANNER else None


def _less(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else max(0, end - start)


def _resolution(acta: ActaFacts) -> int | None:
    return _less(_capture_at(acta, 1), acta.verified_at) if acta.disputed else None


def _capture_at(acta: ActaFacts, number: int) -> int | None:
    return acta.captures[number].at if len(acta.captures) > number else None


def _first_cuts(facts: NightFacts) -> Callable[[ActaFacts], int | None]:
    def at(acta: ActaFacts) -> int | None:
        if acta.verified_at is None:
            return None
        cut = facts.first_cut_of(acta.published_seq)
        return None if cut is None else cut.at

    return at


def _quantile(ordered: Sequence[int], share: int) -> float | None:
    """Nearest rank, in minutes with one decimal."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * share // 100))
    return ordered[rank - 1] * 10 // MS_PER_MINUTE / 10


def _by_cut(night: Night, facts: NightFacts) -> list[dict[str, Any]]:
    size = len(night.catalog.actas)
    return [
        {
            "numero": cut.number,
            "hora": local_time(night, cut.at),
            "capturadas": cut.progress.captured,
            "capturadas_pct": pct(cut.progress.captured, size),
            "contabilizadas": cut.progress.counted,
            "contabilizadas_pct": pct(cut.progress.counted, size),
            "con_imagen": cut.progress.with_image,
            "con_imagen_pct": pct(cut.progress.with_image, size),
        }
        for cut in facts.cuts
    ]


def cuts_by_hour(
    due: Sequence[int], met: Sequence[int], words: Callable[[int], str], *, off: bool = False
) -> dict[str, Any]:
    """Cuts due and met in each hour counted from the first one due; times in ms UTC.

    An hour the operation does not fill is told but not judged. With the cuts turned `off` on purpose
    none was missed and nothing is judged: `cumple` is None. `words` writes an instant.
    """
    start, end = due[0], due[-1]
    hours = []
    for begin in range(start, end + 1, MS_PER_HOUR):
        until = begin + MS_PER_HOUR
        done = sum(begin <= at < until for at in met)
        full = until <= end
        hours.append(
            {
                "desde": words(begin),
                "debidos": sum(begin <= at < until for at in due),
                "publicados": done,
                "hora_completa": full,
                "cumple": done >= CUTS_AN_HOUR if full and not off else None,
            }
        )
    gaps = [after - before for before, after in pairwise(met)]
    return {
        "minimo": CUTS_AN_HOUR,
        "debidos": len(due),
        "publicados": len(met),
        "no_publicados": 0 if off else len(due) - len(met),
        "mayor_espera_min": max(gaps) // MS_PER_MINUTE if gaps else None,
        "sin_cortes": off,
        "cumple": None if off else bool(met) and all(hour["cumple"] is not False for hour in hours),
        "horas": hours,
    }


def _opening(night: Night, facts: NightFacts) -> dict[str, Any]:
    found = facts.opening
    if found is None:
        return {"cumple": False, "primer_evento": None, "actas_antes_de_abrir": 0, "primera_acta": None}
    empty = found.first_seq == 1 and found.opened_seq is not None and found.acta_events_before == 0
    first = None
    if found.first_acta_at is not None and found.first_acta_recorded_at is not None:
        first = {
            "secuencia": found.first_acta_seq,
            "hora": local_time(night, found.first_acta_at),
            "registrada": local_time(night, found.first_acta_recorded_at),
        }
    return {
        "cumple": empty,
        "primer_evento": {
            "secuencia": found.first_seq,
            "tipo": found.first_kind,
            "hora": local_time(night, found.first_at),
            "cadena": found.first_hash,
        },
        "actas_antes_de_abrir": found.acta_events_before,
        "primera_acta": first,
    }


def _measures(night: Night, facts: NightFacts) -> list[dict[str, Any]]:
    return [
        {
            "medida": one.measure,
            "incidente": one.incident,
            "autorizo": one.authorised_by,
            "autorizada": local_time(night, one.authorised_at),
            "activa": local_time(night, one.active_at),
            "efecto": one.effect,
            "catd": list(one.catds),
        }
        for one in facts.measures
    ]


def _phone(catalog: Catalog, facts: NightFacts, snapshot: Snapshot) -> dict[str, Any]:
    casillas = len(catalog.casillas)
    sent = {catalog.actas[n].casilla for n, acta in enumerate(facts.actas) if acta.medium == PHONE}
    captured = sum(acta is not None for acta in snapshot.actas)
    phone = sum(acta is not None and acta.medium == PHONE for acta in snapshot.actas)
    return {
        "cae": ceil(casillas / CASILLAS_PER_CAE),
        "cae_que_la_usaron": facts.phone_people,
        "casillas": casillas,
        "casillas_con_foto": len(sent),
        "actas_capturadas": phone,
        "actas_capturadas_pct": pct(phone, captured),
    }


def _inconsistencies(night: Night, facts: NightFacts, snapshot: Snapshot) -> list[dict[str, Any]]:
    """By code: planted in all the actas, planted in those published, and recorded."""
    planted: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    recorded: Counter[str] = Counter()
    missing = missing_of(night)
    for entry in night.catalog.actas:
        published = snapshot.actas[entry.id]
        if entry.id in missing:
            codes: tuple[str, ...] = (SIN_ACTA_CODES[missing[entry.id]],)
        else:
            true = night.truth[entry.id]
            verdict = judge(
                ActaReading(
                    true.votes, entry.limit, true.totals[4], true.totals[1], true.totals[2],
                    true.totals[3], true.letter_differs, true.only_letter_or_number,
                )
            )  # fmt: skip
            codes = (*verdict.codes, *verdict.notices)
        planted.update(codes)
        if published is not None:
            arrived.update(codes)
            recorded.update((*published.codes, *facts.actas[entry.id].notices))
    scenario = night.loaded.scenario
    planted[FUERA_DE_CATALOGO] = scenario.inconsistencies.outside * len(night.catalog.contests)
    arrived[FUERA_DE_CATALOGO] = recorded[FUERA_DE_CATALOGO] = sum(facts.outside.values())
    return [
        {
            "codigo": code,
            "nombre": _title(code),
            "sembradas": planted[code],
            "sembradas_en_las_publicadas": arrived[code],
            "registradas": recorded[code],
        }
        for code in sorted({*planted, *recorded})
        if planted[code] or recorded[code]
    ]


def _title(code: str) -> str:
    return RULE_BY_CODE[code].title if code in RULE_BY_CODE else SITUATION_BY_CODE[code].title
