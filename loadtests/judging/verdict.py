"""From what was measured to what it means: passed, a threshold broken, or an invalid test.

Three questions in this order: was it the publication it had to be; is what was served correct (there a
single fault breaks, whatever the generator was doing); do the figures mean anything; and only then, are
they good enough. It measures nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loadtests.codes import BROKEN, INVALID, PASSED
from loadtests.judging.content import CHECKED, CLASSES, DIGEST, EXERCISED, IDENTITY
from loadtests.judging.kinds import LINKED
from loadtests.judging.observer import Watch
from loadtests.judging.tally import CutsSeen, Tally, written
from loadtests.judging.timing import Row
from loadtests.profile import ROOM, Profile

WORDS = {PASSED: "aprobada", BROKEN: "umbral roto", INVALID: "prueba inválida"}


P95_LEAST, P99_LEAST = 20, 100
"""Requests of a kind for its percentiles to be judged apart: with fewer they are only the slowest one."""
SILENT_MOST_S = 6
"""Longest a process may go without reporting before the end; it does every three seconds, and then."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that was judged, as the report says it."""

    what: str
    wanted: str
    found: str
    good: bool | None
    """None: nothing happened in the run that could have shown it."""
    kind: str
    """`identidad`, `contenido`, `validez` or `umbral`."""
    key: str = ""
    """Of the profile or of the report, for those that are shown apart."""


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
    silent_s: Sequence[float] = ()
    """Of each process, seconds from its last report to the end of the run."""
    watch: Watch | None = None
    """How well the observer could see; None: there was none."""
    trivial_cpu_pct: float | None = None
    """Share of a core that the server of the generator's ceiling used; near 100 the ceiling is its own."""


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
        return [one for one in self.judged if one.good is False]

    def of(self, key: str) -> Judged | None:
        """What was judged under a key."""
        return next((one for one in self.judged if one.key == key), None)


def judge(profile: Profile, measured: Measured) -> Verdict:
    """The verdict of a run."""
    judged = [*_content(measured), *_validity(profile, measured), *_thresholds(profile, measured)]
    bad = {one.kind for one in judged if one.good is False}
    if "identidad" in bad:
        code = INVALID
    elif "contenido" in bad:
        code = BROKEN
    elif "validez" in bad:
        code = INVALID
    else:
        code = BROKEN if bad else PASSED
    return Verdict(code, tuple(judged))


NOT_EXERCISED = "no se ejerció"
"""Of a check for which nothing came: neither good nor bad."""


def _content(measured: Measured) -> list[Judged]:
    found = [_of_class(measured.tally, IDENTITY, "Es la publicación esperada", "siempre", "identidad")]
    for kind, text in CLASSES.items():
        if kind != IDENTITY:
            found.append(_of_class(measured.tally, kind, f"Contenido: {text}", "nunca", "contenido"))
    for one in measured.invariants:
        # One that was asked for and could not be looked at says nothing of the server.
        kind = "validez" if one.good is None else "contenido"
        found.append(Judged(f"Invariante: {one.what}", "se cumple", one.detail, bool(one.good), kind))
    return found


def _of_class(tally: Tally, kind: str, what: str, wanted: str, judged: str) -> Judged:
    """A class of fault of content. Where none was possible, to have none says nothing."""
    count = tally.faults.get(kind, 0)
    if count:
        return Judged(what, wanted, f"{count:,} {'vez' if count == 1 else 'veces'}", False, judged)
    seen = exercised(tally)
    if not any(seen[name] for name in EXERCISED[kind]):
        return Judged(what, wanted, NOT_EXERCISED, None, judged)
    text = "ninguna falta"
    if kind == DIGEST:
        never = [many for name, _, many in CHECKED if name in EXERCISED[kind] and not seen[name]]
        text += f"; no se bajaron {', '.join(never)}" if never else ""
    return Judged(what, wanted, text, True, judged)


def exercised(tally: Tally) -> Counter[str]:
    """The counts of what was checked, with those that only the whole tells."""
    linked = tally.requests.get(LINKED)
    more = {
        # The first of each reader has nothing to be compared with.
        "apuntadores_seguidos": max(0, tally.counts["apuntadores"] - len(tally.readers)),
        "enlaces": 0 if linked is None else linked.requests - linked.failures,
    }
    return tally.counts + Counter(more)


def _validity(profile: Profile, measured: Measured) -> list[Judged]:
    limits, tally, whole = profile.validity, measured.tally, measured.whole
    strains = tally.strains()
    wanted = measured.wanted_processes
    found = [
        Judged(
            "El generador terminó bien", "sí", measured.broken_generator or "sí",
            not measured.broken_generator, "validez",
        ),
        _at_least("Peticiones", limits["peticiones_min"], whole.requests, "validez"),
        _at_most(
            "CPU del generador, p95 del peor proceso (% de un núcleo)", limits["cpu_max_pct"],
            _worst(cpu for cpu, _ in strains),
        ),
        _at_most(
            "Retraso del generador, p95 del peor proceso (ms)", limits["retraso_max_ms"],
            _worst(lag for _, lag in strains),
        ),
        Judged(
            "Procesos que dieron carga", f"{wanted}", f"{measured.processes}", measured.processes == wanted,
            "validez",
        ),
    ]  # fmt: skip
    if measured.silent_s:
        what = "Silencio del proceso que antes dejó de informar (s)"
        found.append(_at_most(what, SILENT_MOST_S, max(measured.silent_s)))
    share = 100 * whole.rps / tally.ceiling_rps if tally.ceiling_rps else None
    what = "Peticiones/s, % del techo del generador"
    found.append(replace(_at_most(what, limits["techo_max_pct"], share), key="techo"))
    if profile.thresholds.get("cortes_vistos_min_pct") and whole.lasted_s:
        # A class whose poll does not fit would owe nothing, and pass for having seen everything.
        window = profile.longest_poll_s + profile.thresholds["margen_corte_s"]
        found.append(
            Judged(
                "Duración, para que cada quien tenga el plazo de ver un corte (s)",
                f"más de {window:g}",
                f"{whole.lasted_s:g}",
                whole.lasted_s > window,
                "validez",
            )
        )
    if limits["cortes_min"]:
        what = "Cortes nuevos con tiempo de verse durante la prueba"
        found.append(_at_least(what, limits["cortes_min"], measured.cuts.cuts, "validez"))
    if profile.thresholds.get("cortes_vistos_min_pct") and not (measured.watch and measured.watch.disk):
        lost = measured.watch.lost_pct if measured.watch else None
        what = "Preguntas del vigía sin buena respuesta (%)"
        found.append(_at_most(what, limits["vigia_perdidas_max_pct"], lost))
    if profile.thresholds.get("fotografias_vistas_min_pct"):
        fresh = tally.counts["fotografias_nuevas"]
        found.append(
            _at_least("Fotografías nuevas, sin la primera", limits["fotografias_min"], fresh, "validez")
        )
    if "fallas_max_por_10mil" not in profile.thresholds:
        served = whole.requests - whole.failures
        found.append(_at_least("Peticiones con buena respuesta", 1, served, "validez"))
    if profile.abuse is not None:
        answered = (measured.abuse or {}).get("respuestas", 0)
        found.append(_at_least("Respuestas a quienes insisten", limits["abuso_min"], answered, "validez"))
    return found


def _thresholds(profile: Profile, measured: Measured) -> list[Judged]:
    limits, whole = profile.thresholds, measured.whole
    found = []
    if "fallas_max_por_10mil" in limits:
        share = 10_000 * whole.failures / max(1, whole.requests)
        most = limits["fallas_max_por_10mil"]
        text = f"{whole.failures:,} de {whole.requests:,}"
        wanted = f"a lo más {most:,} por cada 10,000" if most else "ninguna"
        found.append(Judged("Peticiones con falla", wanted, text, share <= most, "umbral", "fallas"))
    for key, value in (("p95_max_ms", whole.p95), ("p99_max_ms", whole.p99)):
        if key in limits:
            one = _at_most(f"{key[:3]} de las peticiones (ms)", limits[key], value, "umbral")
            found.append(replace(one, key=key[:3]))
    if "peor_max_ms" in limits:
        found += _slowest(profile, measured.rows, limits["peor_max_ms"])
    for row in measured.rows:
        found += _of_kind(profile, row)
    if limits.get("cortes_vistos_min_pct"):
        found.append(_cuts(profile, measured.cuts))
    if profile.target == ROOM:
        found += _snapshots(profile, measured.tally)
    if "abuso_max_mbit" in limits:
        abuse = measured.abuse or {}
        seconds = abuse.get("segundos", 0)
        rate = abuse["bytes"] * 8 / seconds / 1e6 if seconds and "bytes" in abuse else None
        what = "Lo que se llevan quienes insisten (Mbit/s)"
        kind = "validez" if rate is None else "umbral"
        found.append(replace(_at_most(what, limits["abuso_max_mbit"], rate, kind), key="abuso"))
    return found


def apart(row: Row, profile: Profile) -> bool:
    """Whether the requests of a name are judged by themselves."""
    return row.name in profile.per_request and row.requests >= P95_LEAST


def _slowest(profile: Profile, rows: Sequence[Row], most: int) -> list[Judged]:
    """The slowest request; of what is judged by its size, the slowest of each name, with what that takes."""
    sized = {row.name: limit for row in rows if (limit := profile.per_request.get(row.name)) and limit.mbit}
    plain = max((row.worst for row in rows if row.worst is not None and row.name not in sized), default=None)
    found = [_at_most("La petición más lenta (ms)", most, plain, "umbral")]
    for row in rows:
        if row.name in sized:
            limit = sized[row.name]
            one = _at_most(
                f"La más lenta de «{row.name}» (ms)", limit.allowed(most, row.mean_bytes), row.worst, "umbral"
            )
            size = f"{most:,} más {row.mean_bytes:,} B a {limit.mbit:,} Mbit/s"
            found.append(replace(one, wanted=f"{one.wanted} ({size})"))
    return found


def _of_kind(profile: Profile, row: Row) -> list[Judged]:
    """What the requests of one name may take, when there are enough of them."""
    limit = profile.per_request.get(row.name)
    found = []
    if limit is not None:
        for word, most, value, least in (
            ("p95", limit.p95_ms, row.p95, P95_LEAST), ("p99", limit.p99_ms, row.p99, P99_LEAST),
        ):  # fmt: skip
            if most is None or row.requests < least:
                continue
            allowed = limit.allowed(most, row.mean_bytes)
            one = _at_most(f"{word} de «{row.name}» (ms)", allowed, value, "umbral")
            if limit.mbit is not None:
                size = f"{most:,} más {row.mean_bytes:,} B a {limit.mbit:,} Mbit/s"
                one = replace(one, wanted=f"{one.wanted} ({size})")
            found.append(one)
    return found


def _cuts(profile: Profile, seen: CutsSeen) -> Judged:
    limits = profile.thresholds
    least, margin = limits["cortes_vistos_min_pct"], limits["margen_corte_s"]
    what = f"Cortes nuevos vistos en el sondeo de cada quien más {margin} s"
    share = seen.share_pct
    if share is None:
        text = "nadie estuvo el tiempo de ver uno"
        return Judged(what, _share(least), text, False, "validez", "cortes")
    cuts = f"{seen.cuts} {'corte' if seen.cuts == 1 else 'cortes'}"
    text = f"{_cut(share)} %: {seen.in_time:,} de {seen.due:,} avistamientos de {cuts}"
    if seen.possible > seen.due:
        text += f"; {seen.possible - seen.due:,} de {seen.possible:,} posibles no tuvieron el plazo completo"
    return Judged(what, _share(least), text, share >= least, "umbral", "cortes")


def _snapshots(profile: Profile, tally: Tally) -> list[Judged]:
    """Of the room: what each screen saw, and what the writer wrote of what it owed."""
    limits, counts = profile.thresholds, tally.counts
    found = []
    if limits.get("fotografias_vistas_min_pct"):
        least = limits["fotografias_vistas_min_pct"]
        saw, missed = counts["fotografias_vistas"], counts["fotografias_perdidas"]
        share = 100 * saw / max(1, saw + missed)
        text = f"{_cut(share)} % ({saw:,} vistas, {missed:,} perdidas)"
        what = "Fotografías de la sala vistas por cada pantalla"
        found.append(Judged(what, _share(least), text, share >= least, "umbral", "fotografias"))
    if limits.get("fotografias_escritas_min_pct"):
        least = limits["fotografias_escritas_min_pct"]
        what = "Fotografías que la sala escribió de las debidas"
        wrote = written(tally)
        share_due = None if wrote is None else wrote.share_pct
        if wrote is None or share_due is None:
            found.append(Judged(what, _share(least), "no se midió", False, "validez"))
        else:
            text = _cut(min(100.0, share_due))  # one more than owed is where the clock began
            text += f" % ({wrote.written:,} de {wrote.due:,}, una cada {wrote.tick_s:g} s)"
            found.append(Judged(what, _share(least), text, share_due >= least, "umbral"))
    return found


def _worst(values: Iterable[float | None]) -> float | None:
    """The greatest; None without values or when one is not known."""
    known = list(values)
    return None if not known or None in known else max(one for one in known if one is not None)


def _at_least(what: str, least: float, found: float, kind: str) -> Judged:
    return Judged(what, f"{least:,} o más", f"{found:,}", found >= least, kind)


def _at_most(what: str, most: float, found: float | None, kind: str = "validez") -> Judged:
    if found is None:
        return Judged(what, f"{most:,} o menos", "no se midió", False, kind)
    text = f"{found:,}" if isinstance(found, int) else f"{found:,.1f}"
    return Judged(what, f"{most:,} o menos", text, found <= most, kind)


def _share(least: int) -> str:
    return f"{least} %" if least == 100 else f"{least} % o más"


def _cut(share: float) -> str:
    """Two decimals, never rounded up: 99.999 is not 100."""
    return f"{int(share * 100) / 100:.2f}"
