"""What a scenario holds, told to people: calendar, people, faults by time, measures and probes.

Plain Spanish sentences and the same as data. It runs nothing: what the night would end like is
`prep simular`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.domain.catalog import Catalog
from simulator.scenario.base import MS_PER_MINUTE, Moment, When
from simulator.scenario.document import Probe, Scenario
from simulator.scenario.faults import PublicationFault, Where
from simulator.scenario.file import LoadedScenario

_SEEN = {
    "registradas_pct": "el porcentaje registrado",
    "por_capturar": "las actas por capturar",
    "en_enlaces": "los envíos detenidos en los enlaces",
    "catd_sin_enlace": "los CATD sin enlace",
}
_KINDS = {
    "sin_enlace": "sin enlace",
    "intermitente": "enlace intermitente",
    "latencia": "enlace con latencia",
    "ancho_de_banda": "enlace con menos ancho de banda",
    "perdida": "enlace con pérdida",
    "cortes_detenidos": "no sale ningún corte",
    "json_malformado": "archivos JSON mal formados",
    "imagenes_faltantes": "imágenes que no llegan",
    "paquete_atrasado": "paquetes de antes",
    "sitio": "falla del sitio (solo se registra)",
    "imagenes": "falla de las imágenes (solo se registra)",
}
_DEFECTS = {
    "estructura": "con una estructura que no corresponde", "truncado": "truncados", "vacio": "vacíos",
}  # fmt: skip
_PIECES = {"tablas": "tablas", "comprimidos": "comprimidos", "lectura": "lectura de la base"}
Told = tuple[float | None, str]
"""(minute it begins, or None when on a condition; the sentence)."""


def summary_data(loaded: LoadedScenario, catalog: Catalog) -> dict[str, object]:
    """The summary as data: every list has the sentences of the text."""
    scenario = loaded.scenario
    calendar = scenario.calendar
    return {
        "escenario": scenario.name,
        "titulo": scenario.title,
        "escenario_sha256": loaded.sha256,
        "formato": scenario.schema_version,
        "encima": [overlay.as_data() for overlay in loaded.overlays],
        "catalogo": scenario.catalog,
        "actas": {contest: catalog.expected(contest) for contest in catalog.contests},
        "catd": len(catalog.catds),
        "inicio": calendar.start.isoformat(),
        "fin": calendar.end.isoformat(),
        "calendario": _calendar(scenario),
        "personal": _people(scenario),
        "fallas": [text for _, text in _faults(scenario)],
        "medidas": _measures(scenario),
        "pruebas": [_probe(probe) for probe in scenario.probes],
        "esperado": _expected(scenario),
    }


def summary_text(data: dict[str, Any]) -> str:
    """The data of `summary_data` as a page of text."""
    actas = ", ".join(f"{contest} {count:,}" for contest, count in data["actas"].items())
    lines = [data["titulo"], f"Catálogo {data['catalogo']}: actas {actas}; {data['catd']} CATD."]
    for one in data["encima"]:
        name = f"{one['clave']} {one['titulo']}" if one["clave"] else one["archivo"]
        lines.append(f"Encima: {name}")
    for title, sentences in (
        ("Calendario", data["calendario"]),
        ("Personal", data["personal"]),
        ("Fallas", data["fallas"] or ["ninguna"]),
        ("Continuidad", data["medidas"] or ["sin medidas ni ejercicios"]),
        ("Pruebas", data["pruebas"] or ["ninguna"]),
        ("Se espera", data["esperado"] or ["nada escrito"]),
    ):
        lines += ["", f"{title}:", *(f"  {sentence}" for sentence in sentences)]
    return "\n".join(lines)


def _calendar(scenario: Scenario) -> list[str]:
    calendar = scenario.calendar
    publication = calendar.start + timedelta(minutes=calendar.publication_min)
    return [
        f"del {calendar.start:%d/%m/%Y %H:%M} al {calendar.end:%d/%m/%Y %H:%M}, "
        f"{_zone(calendar.utc_offset_minutes)}; {length_words(calendar.length_ms)}",
        f"{calendar.cuts_per_hour} cortes por hora desde las {publication:%H:%M}",
    ]


def length_words(ms: int) -> str:
    """A length in hours and minutes."""
    hours, minutes = divmod(ms // MS_PER_MINUTE, 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


def _zone(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def _people(scenario: Scenario) -> list[str]:
    staff = scenario.staff
    if staff.capture_place == "estatal":
        shifts = ", ".join(
            f"{shift.people} de {_at(scenario, shift.from_min)} {_until(scenario, shift.until_min)}"
            for shift in staff.capturistas
        )
        capture = f"captura estatal: {shifts}"
    else:
        capture = f"captura en cada CATD: una persona por {staff.actas_per_capturista} actas, al menos dos"
    lines = [
        capture,
        f"en cada CATD: un acopiador por {staff.actas_per_receiver} actas y un digitalizador por "
        f"{staff.actas_per_scanner}",
        f"para resolver diferencias, {staff.resolvers}; para cotejar, {staff.collators}",
    ]
    if staff.absent or staff.absent_capture:
        lines.append(f"faltan: {_pct(staff.absent)} en los CATD, {_pct(staff.absent_capture)} en la captura")
    if staff.rests.every_min:
        lines.append(f"descansan {staff.rests.minutes:g} min por cada {staff.rests.every_min:g} de trabajo")
    moved = len(staff.transfers) + len(staff.capture_transfers)
    if moved:
        lines.append(f"{moved} traslados de personas o de captura durante la noche")
    lines.append(f"PREP Casilla en {_pct(scenario.phone.adoption)} de las casillas")
    return lines


def _faults(scenario: Scenario) -> list[Told]:
    told: list[Told] = []
    for link in scenario.link_faults:
        told.append(_told(scenario, link, link.name, f"{_KINDS[link.kind]} {_where(link)}", link.minutes))
    for power in scenario.power_faults:
        place = "en el centro de captura" if power.place == "captura" else _where(power)
        told.append(_told(scenario, power, power.name, f"corte de luz {place}", power.minutes))
    for contest in scenario.contest_faults:
        what = f"no se guardan las imágenes de {contest.contest}"
        told.append(_told(scenario, contest, contest.name, what, contest.minutes))
    for marking in scenario.mass_markings:
        what = f"hasta {marking.actas} marcas de sin acta por CATD {_where(marking)}"
        told.append(_told(scenario, marking, marking.name, what, None))
    for fault in scenario.publication_faults:
        told.append(
            (
                fault.at_min,
                f"{_at(scenario, fault.at_min)}, {fault.minutes:g} min: {fault.name} ({_published(fault)})",
            )
        )
    return sorted(told, key=lambda one: (one[0] is None, one[0] or 0.0))


def _published(fault: PublicationFault) -> str:
    words = _KINDS[fault.kind]
    if fault.kind == "json_malformado":
        return f"{words}, {_DEFECTS[fault.defect]}, en {_pct(fault.share)} de los nuevos de cada corte"
    if fault.kind == "imagenes_faltantes":
        places = f" {_places('CATD', fault.catds)}" if fault.catds else ""
        return f"{words}{places}, {_pct(fault.share)} de las actas"
    if fault.kind == "paquete_atrasado":
        when = f"al menos {fault.behind_min:g} min antes" if fault.behind_min else "del corte anterior"
        return f"{_PIECES[fault.piece]} {when}"
    return words


def _told(scenario: Scenario, moment: Moment, name: str, what: str, minutes: float | None) -> Told:
    begins = _when(moment.when) if moment.when is not None else _at(scenario, moment.at_min or 0.0)
    length = "" if minutes is None else f", {minutes:g} min"
    return moment.at_min, f"{begins}{length}: {name} ({what.strip()})"


def _when(when: When) -> str:
    limit = f"llega a {when.over:g}" if when.over is not None else f"baja a {when.under:g}"
    return f"cuando {_SEEN[when.seen]} {limit}"


def _where(fault: Where) -> str:
    if fault.catds:
        places = _places("CATD", fault.catds)
    elif fault.distritos:
        places = _places("distrito", fault.distritos)
    else:
        places = {
            "todas": "en los CATD",
            "interior": "en el interior",
            "metropolitana": "en la zona metropolitana",
        }[fault.zone]
    share = "" if fault.share == 1 else f", {_pct(fault.share)} de ellos"
    return places + share


def _measures(scenario: Scenario) -> list[str]:
    lines = [
        f"a los {measure.after_min:g} min de corte: {measure.name}; autoriza {measure.authorised_by}; "
        f"funciona en {_pct(measure.success)} de los casos y da {_pct(measure.capacity)} del enlace"
        for measure in scenario.continuity.measures
    ]
    for exercise in sorted(scenario.continuity.exercises, key=lambda one: one.at_min):
        places = _places("distrito", exercise.distritos)
        lines.append(
            f"{_at(scenario, exercise.at_min)}: ejercicio del plan {places}, "
            f"{exercise.activation_min:g} min en cambiar y {exercise.minutes:g} min con "
            f"{_pct(exercise.capacity)} del enlace; autoriza {exercise.authorised_by}"
        )
    if scenario.links.backup_share:
        lines.append(
            f"enlace de respaldo en {_pct(scenario.links.backup_share)} de los CATD, con "
            f"{_pct(scenario.links.backup_capacity)} del principal"
        )
    return lines


def limits_words(probe: Probe) -> str:
    """The least and the most a probe admits."""
    limits = [f"al menos {probe.least:g}"] if probe.least is not None else []
    limits += [f"a lo más {probe.most:g}"] if probe.most is not None else []
    return " y ".join(limits)


def _probe(probe: Probe) -> str:
    when = "al fin" if probe.at_min is None else f"a los {probe.at_min:g} min"
    place = f" de {probe.contest}" if probe.contest else ""
    return f"{probe.name}: {probe.seen}{place} {when}, {limits_words(probe)}"


def _expected(scenario: Scenario) -> list[str]:
    expected = scenario.expected
    lines = []
    if expected.captured_pct is not None:
        lines.append(f"{expected.captured_pct:g} % capturado ± {expected.tolerance_points:g} puntos")
    for contest, percent in expected.per_contest_pct.items():
        lines.append(f"{contest}: {percent:g} % capturado ± {expected.tolerance_points:g} puntos")
    if expected.phone_actas is not None:
        lines.append(f"{expected.phone_actas:,} actas por PREP Casilla ± {expected.phone_tolerance_pct:g} %")
    return lines


def _pct(share: float) -> str:
    return f"{100 * share:.3g} %"


def _at(scenario: Scenario, minute: float) -> str:
    return f"{scenario.calendar.start + timedelta(minutes=minute):%H:%M}"


def _until(scenario: Scenario, minute: float) -> str:
    end = scenario.calendar.length_ms / MS_PER_MINUTE
    return "al fin" if minute >= end else f"a {_at(scenario, minute)}"


def _places(name: str, numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return f"en el {name} {numbers[0]}"
    plural = name if name.isupper() else f"{name}s"
    return f"en los {plural} {', '.join(str(number) for number in numbers)}"
