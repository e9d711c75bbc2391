"""From what was measured to what it means: passed, a threshold broken, or an invalid test.

Three questions in this order: was it the publication it had to be; is what was served correct (there a
single fault breaks, whatever the generator was doing); do the figures mean anything; and only then, are
they good enough. It measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.content import CLASSES, IDENTITY
from loadtests.profile import Profile
from loadtests.tally import CutsSeen, Tally, percentile

PASSED, BROKEN, INVALID = 0, 2, 3
"""Exit codes. `prep carga` gives 3 also when no test could be made at all."""
WORDS = {PASSED: "aprobada", BROKEN: "umbral roto", INVALID: "prueba inválida"}


@dataclass(frozen=True, slots=True)
class Row:
    """Requests of one name, or of all. Times in ms."""

    name: str
    requests: int
    failures: int
    p50: int | None
    p95: int | None
    p99: int | None
    worst: int | None
    rps: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that was judged, as the report says it."""

    what: str
    wanted: str
    found: str
    good: bool
    kind: str
    """`identidad`, `contenido`, `validez` or `umbral`."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant looked at after the run; `good` None when it could not be looked at, with why."""

    what: str
    good: bool | None
    detail: str


@dataclass(slots=True)
class Measured:
    """Everything a run left."""

    rows: list[Row]
    whole: Row
    tally: Tally
    processes: int
    cuts: CutsSeen
    abuse: Mapping[str, int] | None = None
    invariants: Sequence[Invariant] = ()
    broken_generator: str = ""
    """Why the generator did not end well; empty when it did."""
    failures: list[tuple[str, str, int]] = field(default_factory=list)
    """Failed requests: name, what happened, how many."""
    wanted_processes: int = 1
    """How many processes had to generate the load."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The code and all that was judged for it."""

    code: int
    judged: tuple[Judged, ...]

    @property
    def word(self) -> str:
        """The verdict in Spanish."""
        return WORDS[self.code]

    @property
    def reasons(self) -> list[Judged]:
        """What was not good."""
        return [one for one in self.judged if not one.good]


def judge(profile: Profile, measured: Measured) -> Verdict:
    """The verdict of a run."""
    judged = [*_content(measured), *_validity(profile, measured), *_thresholds(profile, measured)]
    bad = {one.kind for one in judged if not one.good}
    if "identidad" in bad:
        code = INVALID
    elif "contenido" in bad:
        code = BROKEN
    elif "validez" in bad:
        code = INVALID
    else:
        code = BROKEN if bad else PASSED
    return Verdict(code, tuple(judged))


def _content(measured: Measured) -> list[Judged]:
    faults = measured.tally.faults
    found = []
    other = faults.get(IDENTITY, 0)
    found.append(Judged("Es la publicación esperada", "siempre", _times(other), not other, "identidad"))
    for kind, text in CLASSES.items():
        if kind != IDENTITY:
            count = faults.get(kind, 0)
            found.append(Judged(f"Contenido: {text}", "nunca", _times(count), not count, "contenido"))
    for one in measured.invariants:
        if one.good is not None:
            found.append(Judged(f"Invariante: {one.what}", "se cumple", one.detail, one.good, "contenido"))
    return found


def _validity(profile: Profile, measured: Measured) -> list[Judged]:
    limits, tally, whole = profile.validity, measured.tally, measured.whole
    cpu = percentile(tally.cpu_pct, 0.95)
    found = [
        Judged(
            "El generador terminó bien", "sí", measured.broken_generator or "sí",
            not measured.broken_generator, "validez",
        ),
        _at_least("Peticiones", limits["peticiones_min"], whole.requests, "validez"),
        _at_most("CPU del generador, p95 (% de un núcleo)", limits["cpu_max_pct"], cpu),
        _at_most("Retraso del generador, p95 (ms)", limits["retraso_max_ms"], percentile(tally.lag_ms, 0.95)),
        _at_least("Procesos que dieron carga", measured.wanted_processes, measured.processes, "validez"),
    ]  # fmt: skip
    share = 100 * whole.rps / tally.ceiling_rps if tally.ceiling_rps else None
    found.append(_at_most("Peticiones/s, % del techo del generador", limits["techo_max_pct"], share))
    if limits["cortes_min"]:
        found.append(
            _at_least("Cortes nuevos durante la prueba", limits["cortes_min"], measured.cuts.cuts, "validez")
        )
    if profile.thresholds.get("fotografias_vistas_min_pct"):
        fresh = tally.counts["fotografias_nuevas"]
        found.append(
            _at_least("Fotografías nuevas, sin la primera", limits["fotografias_min"], fresh, "validez")
        )
    if profile.abuse is not None:
        tried = (measured.abuse or {}).get("peticiones", 0)
        found.append(_at_least("Peticiones de quienes insisten", limits["abuso_min"], tried, "validez"))
    return found


def _thresholds(profile: Profile, measured: Measured) -> list[Judged]:
    limits, whole, counts = profile.thresholds, measured.whole, measured.tally.counts
    found = []
    if "fallas_max_por_10mil" in limits:
        share = 10_000 * whole.failures / max(1, whole.requests)
        most = limits["fallas_max_por_10mil"]
        text = f"{whole.failures:,} de {whole.requests:,}"
        found.append(Judged("Peticiones con falla", f"{most} por cada 10,000", text, share <= most, "umbral"))
    for key, value in (("p95_max_ms", whole.p95), ("p99_max_ms", whole.p99)):
        if key in limits:
            found.append(_at_most(f"{key[:3]} de las peticiones (ms)", limits[key], value, "umbral"))
    if "peor_max_ms" in limits:
        found.append(_at_most("La petición más lenta (ms)", limits["peor_max_ms"], whole.worst, "umbral"))
    if "cortes_vistos_min_pct" in limits:
        seen, within = measured.cuts, limits["margen_corte_s"] + profile.longest_poll_s
        what = f"Cortes nuevos vistos en {within:.0f} s o menos (sondeo más {limits['margen_corte_s']} s)"
        text = f"{_cut(seen.share_pct)} % de {seen.due:,} avistamientos de {seen.cuts} cortes"
        least = limits["cortes_vistos_min_pct"]
        found.append(Judged(what, f"{least} %", text, seen.share_pct >= least, "umbral"))
    if limits.get("fotografias_vistas_min_pct"):
        saw, missed = counts["fotografias_vistas"], counts["fotografias_perdidas"]
        share = 100 * saw / max(1, saw + missed)
        least = limits["fotografias_vistas_min_pct"]
        text = f"{_cut(share)} % ({saw:,} vistas, {missed:,} perdidas)"
        found.append(
            Judged(
                "Fotografías de la sala vistas por cada pantalla",
                f"{least} %",
                text,
                share >= least,
                "umbral",
            )
        )
    return found


def _at_least(what: str, least: float, found: float, kind: str) -> Judged:
    return Judged(what, f"{least:,} o más", f"{found:,}", found >= least, kind)


def _at_most(what: str, most: float, found: float | None, kind: str = "validez") -> Judged:
    if found is None:
        return Judged(what, f"{most:,} o menos", "no se midió", False, kind)
    text = f"{found:,}" if isinstance(found, int) else f"{found:,.1f}"
    return Judged(what, f"{most:,} o menos", text, found <= most, kind)


def _times(count: int) -> str:
    return "ninguna falta" if not count else f"{count:,} {'vez' if count == 1 else 'veces'}"


def _cut(share: float) -> str:
    """Two decimals, never rounded up: 99.999 is not 100."""
    return f"{int(share * 100) / 100:.2f}"


def rows_of(stats: Sequence[Mapping[str, Any]], seconds: float) -> tuple[list[Row], Row]:
    """The rows of Locust's JSON, and all of them together; `seconds` is how long the run lasted."""
    rows = [_row(str(one["name"]), [one], seconds) for one in stats]
    return sorted(rows, key=lambda row: -row.requests), _row("todas", stats, seconds)


def _row(name: str, stats: Sequence[Mapping[str, Any]], seconds: float) -> Row:
    times: dict[int, int] = {}
    for one in stats:
        for time, count in one["response_times"].items():
            times[int(float(time))] = times.get(int(float(time)), 0) + int(count)
    requests = sum(int(one["num_requests"]) for one in stats)
    ordered = sorted(times.items())
    total = sum(times.values())

    def under(share: float) -> int | None:
        passed = 0
        for time, count in ordered:
            passed += count
            if passed >= share * total:
                return time
        return None

    return Row(
        name, requests, sum(int(one["num_failures"]) for one in stats), under(0.5), under(0.95), under(0.99),
        ordered[-1][0] if ordered else None, requests / max(0.001, seconds),
    )  # fmt: skip
