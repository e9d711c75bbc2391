"""The probes of a scenario: what was seen at a minute of the night or at its end, against what it should be.

Reads the progress curve, the links and the results of a night that ran; it changes nothing and keeps
no state. The expected outcome is judged by `results.verdict_of`, in the same form.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.domain.counters import percent
from core.domain.events import EventKind
from simulator.night.counts import Share, pct
from simulator.scenario.base import ms_of
from simulator.scenario.document import RUNNING, Probe
from simulator.scenario.words import limits_words

if TYPE_CHECKING:
    from simulator.night.links import Link
    from simulator.night.results import Results
    from simulator.night.run import CurvePoint, Night


def evaluate(night: Night, results: Results) -> list[dict[str, object]]:
    """Every probe with what was seen: `{prueba, esperado, obtenido, tolerancia, minimo, maximo, cumple}`.

    `esperado` says the limits in words, `tolerancia` is None and so is a limit that was not set. In a
    night that published nothing on purpose the probes of the cuts have nothing to look at and are left
    out, and so are those of the images in one without images.
    """
    published = bool(night.cuts or night.missed)
    unseen = () if published else _OF_CUTS
    if night.model.images is None:
        unseen = (*unseen, *_OF_IMAGES)
    return [
        _judged(probe, seen_by(probe, night, results))
        for probe in night.loaded.scenario.probes
        if probe.seen not in unseen
    ]


def limits(judged: Mapping[str, Any]) -> str:
    """What was expected, in words, of a probe or of an expectation of `results.verdict_of`."""
    if judged.get("tolerancia") is not None:
        return f"{judged['esperado']:,} ± {judged['tolerancia']:g}"
    return str(judged["esperado"])


def sentence(judged: Mapping[str, Any]) -> str:
    """One line of a verdict for people."""
    ends = "cumple" if judged["cumple"] else "NO cumple"
    return f"{judged['prueba']}: {judged['obtenido']:,} (se esperaba {limits(judged)}): {ends}"


def seen_by(probe: Probe, night: Night, results: Results) -> float:
    """What the probe looks at. Percentages are truncated to four decimals, as everything published."""
    if probe.seen in RUNNING:
        return _running(probe, night)
    if probe.contest is not None:
        return _OF_A_SHARE[probe.seen](results.by_contest[probe.contest])
    if probe.seen in _OF_A_SHARE:
        return _OF_A_SHARE[probe.seen](results.total)
    return _AT_THE_END[probe.seen](night, results)


def links_down(links: Sequence[Link], at_ms: int) -> int:
    """CATDs whose link gives nothing at an instant, ms since the start."""
    return sum(link.capacity(at_ms) == 0 for link in links)


def _judged(probe: Probe, seen: float) -> dict[str, object]:
    least, most = probe.least, probe.most
    when = "" if probe.at_min is None else f" (a los {probe.at_min:g} min)"
    return {
        "prueba": probe.name + when,
        "esperado": limits_words(probe),
        "obtenido": seen,
        "tolerancia": None,
        "minimo": least,
        "maximo": most,
        "cumple": (least is None or seen >= least) and (most is None or seen <= most),
    }


def _running(probe: Probe, night: Night) -> float:
    """The last point of the curve at or before the minute: nobody saw later ones by then."""
    at = night.model.length_ms if probe.at_min is None else ms_of(probe.at_min)
    if probe.seen == "catd_sin_enlace":
        return links_down(night.links, at)
    position = bisect_right([point.at_ms for point in night.curve], at)
    if position == 0:
        return 0
    return _OF_THE_CURVE[probe.seen](night.curve[position - 1], len(night.catalog.actas))


def _gap(results: Results) -> float:
    """Points between the contest with most captured and the one with least."""
    shares = [percent(share.captured, share.expected) for share in results.by_contest.values()]
    return (max(shares) - min(shares)) / 10_000


def _images_missing(night: Night) -> int:
    """The most images that a published cut lacked, as its manifest says; none when they are not published."""
    folders = [cut.directory for cut in night.cuts if cut.directory is not None]
    manifests = (json.loads((folder / "manifiesto.json").read_bytes()) for folder in folders)
    return max((manifest.get("imagenes", {}).get("faltantes", 0) for manifest in manifests), default=0)


_OF_IMAGES = ("imagenes_faltantes",)
_OF_CUTS = ("cortes_no_publicados", *_OF_IMAGES)
_OF_THE_CURVE: dict[str, Callable[[CurvePoint, int], float]] = {
    "registradas_pct": lambda point, size: pct(point.registered, size),
    "por_capturar": lambda point, _: point.backlog,
    "en_enlaces": lambda point, _: point.waiting_in_links,
}
_OF_A_SHARE: dict[str, Callable[[Share], float]] = {
    "capturadas_pct": lambda share: pct(share.captured, share.expected),
    "contabilizadas_pct": lambda share: pct(share.counted, share.expected),
    "con_imagen_pct": lambda share: pct(share.with_image, share.expected),
    "no_contabilizadas_pct": lambda share: pct(share.captured - share.counted, share.captured),
    "sin_acta_pct": lambda share: pct(share.captured - share.with_image, share.captured),
}
_AT_THE_END: dict[str, Callable[[Night, Results], float]] = {
    "brecha_contiendas_puntos": lambda _, results: _gap(results),
    "prep_casilla_actas": lambda _, results: results.phone_actas,
    "cortes_no_publicados": lambda night, _: len(night.missed),
    "imagenes_faltantes": lambda night, _: _images_missing(night),
    "rechazos_provocados": lambda night, _: sum(night.feed.provoked.values()),
    "duplicados": lambda night, _: night.feed.events[EventKind.DUPLICATE_RECORDED.value],
    "fuera_de_catalogo": lambda night, _: night.feed.events[EventKind.OUTSIDE_RECEIVED.value],
    "actas_con_error": lambda _, results: results.accuracy.wrong_actas,
    "votos_mal_puestos": lambda _, results: results.accuracy.votes_moved,
    "diferencias": lambda night, _: night.model.disputes,
    "incidentes": lambda night, _: len(night.incidents),
    "avisos_de_hora": lambda night, _: sum(night.feed.flags.values()),
}
