"""The summary of a simulated night: one document for programs, the same for people, in Spanish.

Captured, counted and captured with image are told apart: a night that is «100 % captured» by marking
actas sin acta is not a night that went well. It computes nothing that `results` does not.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator.night.continuity import Incident
from simulator.night.counts import Share
from simulator.night.probes import evaluate, limits
from simulator.night.results import Results, verdict_of
from simulator.night.run import Night
from simulator.night.score import KIND_WORDS
from simulator.night.tables import local_time
from simulator.scenario.base import MS_PER_MINUTE

_NO_IMAGES = (
    "Las imágenes no existen en este simulador: cada código de integridad es el SHA-256 de la identidad de "
    "la imagen (escenario, acta, intento)."
)
_NOTES = ("Las fallas de sitio y de imágenes se registran como incidentes; no cambian lo publicado.",)


def summary(night: Night, results: Results, fingerprint: str) -> dict[str, Any]:
    """Everything there is to tell, as plain data."""
    scenario, model, feed = night.loaded.scenario, night.model, night.feed
    calendar = scenario.calendar
    accuracy = results.accuracy
    return {
        "escenario": scenario.name,
        "titulo": scenario.title,
        "escenario_sha256": night.loaded.sha256,
        "semilla": night.seed,
        "modo": scenario.mode,
        "huella": fingerprint,
        "verdad_sha256": night.truth_sha256,
        "catalogo": {
            "nombre": scenario.catalog,
            "huella": night.catalog.fingerprint(),
            "procedencia": night.catalog.provenance,
        },
        "inicio": calendar.start.isoformat(),
        "fin": calendar.end.isoformat(),
        "personal": night.people.by_role(),
        "contiendas": results.headers,
        "contiendas_verdad": results.truth_headers,
        "total": results.total.as_data(),
        "por_contienda": {name: share.as_data() for name, share in results.by_contest.items()},
        "por_distrito": {str(name): share.as_data() for name, share in results.by_distrito.items()},
        "por_origen": results.by_origin,
        "prep_casilla_actas": results.phone_actas,
        "observaciones": results.by_observation,
        "incidentes": [_incident(night, incident) for incident in night.incidents],
        "enlaces": {
            "catd_con_falla": sum(bool(link.limits) for link in night.links),
            "minutos_sin_enlace": sum(link.down_ms(model.length_ms) for link in night.links) // MS_PER_MINUTE,
            "sin_transmitir_al_fin": night.curve[-1].waiting_in_links,
        },
        "captura": {
            "capturas_con_error": model.wrong_captures,
            "diferencias": model.disputes,
            "terceras_capturas": model.third_captures,
            "espera_maxima": max(pool.longest for pool in night.capture.pools),
            "sin_capturar_al_fin": night.curve[-1].backlog,
            "actas_comparadas": accuracy.compared,
            "actas_con_error": accuracy.wrong_actas,
            "campos_comparados": accuracy.fields,
            "campos_con_error": accuracy.wrong_fields,
            "votos_mal_puestos": accuracy.votes_moved,
        },
        "motor": {
            "ordenes": feed.sent,
            "repetidas": feed.repeated,
            "eventos": dict(sorted(feed.events.items())),
            "avisos_de_hora": dict(sorted(feed.flags.items())),
        },
        "rechazos": dict(sorted(feed.refusals.items())),
        "rechazos_ejemplos": feed.examples,
        "rechazos_provocados": dict(sorted(feed.provoked.items())),
        **({"rechazos_por_la_sala": dict(sorted(feed.overtaken.items()))} if feed.overtaken else {}),
        "cortes": [
            {
                "numero": cut.number,
                "hora": local_time(night, cut.at),
                "ultimo": cut.last,
                "carpeta": str(cut.directory),
            }
            for cut in night.cuts
        ],
        "cortes_no_publicados": [
            {"hora": local_time(night, missed.at), "motivo": missed.reason} for missed in night.missed
        ],
        "avance": [
            {
                "minuto": point.at_ms // MS_PER_MINUTE,
                "registradas": point.registered,
                "por_capturar": point.backlog,
                "en_enlaces": point.waiting_in_links,
            }
            for point in night.curve
        ],
        "comparacion": _comparable(night, results),
        **results.tables,
        "puntuacion": results.score.as_data(),
        "encima": [overlay.as_data() for overlay in night.loaded.overlays],
        "veredicto": [*verdict_of(scenario.expected, results), *evaluate(night, results)],
        "notas": [_about_images(night), *_NOTES],
    }


def _about_images(night: Night) -> str:
    images = night.model.images
    if images is None:
        return _NO_IMAGES
    return (
        f"Las imágenes son dibujos del simulador ({images.fraction:.2%} de las actas); el código de "
        "integridad de las demás es el SHA-256 de su identidad (escenario, acta, intento), sin imagen detrás."
    )


def _comparable(night: Night, results: Results) -> dict[str, object]:
    """The figures by which one rehearsal is compared with another."""
    size = results.total.expected
    reached: dict[str, int | None] = {}
    for percent in (25, 50, 75, 80, 90, 95, 100):
        at = next((point.at_ms for point in night.curve if point.registered * 100 >= percent * size), None)
        reached[str(percent)] = None if at is None else at // MS_PER_MINUTE
    data = results.total.as_data()
    return {
        "duracion_min": night.model.length_ms // MS_PER_MINUTE,
        "capturadas_pct": data["capturadas_pct"],
        "contabilizadas_pct": data["contabilizadas_pct"],
        "capturadas_con_imagen_pct": data["capturadas_con_imagen_pct"],
        "minuto_en_que_se_alcanza_pct": reached,
        "prep_casilla_actas": results.phone_actas,
        "cortes_publicados": len(night.cuts),
        "cortes_no_publicados": len(night.missed),
        "incidentes": len(night.incidents),
        "diferencias": night.model.disputes,
        "actas_con_error": results.accuracy.wrong_actas,
    }


def _clock(night: Night, at_ms: int) -> str:
    return (night.loaded.scenario.calendar.start + timedelta(milliseconds=at_ms)).strftime("%H:%M")


def _incident(night: Night, incident: Incident) -> dict[str, object]:
    end = min(incident.end_ms, night.model.length_ms)
    return {
        "tipo": incident.kind,
        "nombre": incident.name,
        "desde": _clock(night, incident.start_ms),
        "hasta": _clock(night, end),
        "desde_min": incident.start_ms // MS_PER_MINUTE,
        "hasta_min": end // MS_PER_MINUTE,
        "catd": incident.places,
        "distritos": list(incident.distritos),
        "remedio": incident.remedy,
        "causa": incident.cause,
        "detectado": _moment(night, incident.detected_ms),
        "autorizado_por": incident.authorised_by,
        "autorizado": _moment(night, incident.authorised_ms),
        "activo": _moment(night, incident.active_ms),
        "efecto": incident.effect,
    }


def _moment(night: Night, at_ms: int) -> str | None:
    return None if at_ms < 0 else _clock(night, at_ms)


# -- for people ------------------------------------------------------------------------------------


def markdown(night: Night, results: Results, data: dict[str, Any]) -> str:
    """The summary as a Markdown document."""
    parts = [
        f"# {data['titulo']}\n\nSimulacro: los datos no son de ninguna elección.\n",
        _heading(night, data),
        _verdict(data),
        _contests(results),
        _where(results),
        _incidents(data),
        _measures(data),
        _capture(data),
        _score(data["puntuacion"]),
        _phases(data),
        _cuts(data),
        "## Notas\n\n" + "\n".join(f"- {note}" for note in data["notas"]) + "\n",
    ]
    return "\n".join(parts)


def _table(titles: list[str], rows: list[list[object]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return str(_or_dash(value)).replace("|", "\\|").replace("\n", " ")


def _heading(night: Night, data: dict[str, Any]) -> str:
    calendar = night.loaded.scenario.calendar
    staff = ", ".join(f"{count:,} {role}" for role, count in data["personal"].items())
    return (
        f"- Inicio: {calendar.start:%d/%m/%Y %H:%M}; fin: {calendar.end:%d/%m/%Y %H:%M} "
        f"(UTC{calendar.utc_offset_minutes // 60:+d})\n"
        f"- Personal: {staff}\n"
        f"- Escenario `{data['escenario']}`, semilla {data['semilla']}\n"
        f"- Huella del estado final: `{data['huella']}`\n"
        f"- Huella de la verdad sellada: `{data['verdad_sha256']}`\n"
    )


def _verdict(data: dict[str, Any]) -> str:
    rows: list[list[object]] = [
        [one["prueba"], limits(one), f"{one['obtenido']:,}", "sí" if one["cumple"] else "NO"]
        for one in data["veredicto"]
    ]
    if not rows:
        return "## Veredicto\n\nEl escenario no dice cómo debe terminar.\n"
    return "## Veredicto\n\n" + _table(["prueba", "esperado", "obtenido", "cumple"], rows)


def _row(name: object, share: Share) -> list[object]:
    data = share.as_data()
    return [
        name, f"{share.expected:,}", f"{share.captured:,}", f"{data['capturadas_pct']:.4f}",
        f"{share.with_image:,}", f"{share.counted:,}", f"{data['contabilizadas_pct']:.4f}",
    ]  # fmt: skip


_SHARE_TITLES = ["esperadas", "capturadas", "%", "digitalizadas", "contabilizadas", "%"]


def _contests(results: Results) -> str:
    rows = [_row(name, share) for name, share in results.by_contest.items()]
    rows.append(_row("total", results.total))
    text = "## Actas por contienda\n\n" + _table(["contienda", *_SHARE_TITLES], rows)
    for contest, header in results.headers.items():
        rows = [[name, value, results.truth_headers[contest][name]] for name, value in header.items()]
        text += f"\n### {contest}\n\n" + _table(["dato", "al cierre", "si llegara todo"], rows)
    return text


def _where(results: Results) -> str:
    origins = _table(["origen", "actas"], [[name, f"{n:,}"] for name, n in results.by_origin.items()])
    districts = _table(
        ["distrito", *_SHARE_TITLES],
        [
            _row("sin distrito" if name is None else name, share)
            for name, share in results.by_distrito.items()
        ],
    )
    return f"## Por origen\n\n{origins}\n## Por distrito\n\n{districts}"


_INCIDENT_TITLES = [
    "desde", "hasta", "qué pasó", "causa", "CATD", "detectado", "autorizado", "autorizó", "activo", "efecto",
    "remedio",
]  # fmt: skip
MOST_MEASURES = 60
"""Measures listed for people; `resumen.json` has them all."""


def _incidents(data: dict[str, Any]) -> str:
    rows = [
        [
            one["desde"],
            one["hasta"],
            one["nombre"],
            one["causa"] or None,
            one["catd"] or None,
            one["detectado"],
            one["autorizado"],
            one["autorizado_por"] or None,
            one["activo"],
            one["efecto"] or None,
            one["remedio"] or None,
        ]
        for one in data["incidentes"]
    ]
    if not rows:
        return "## Incidentes\n\nNinguno.\n"
    links = data["enlaces"]
    return (
        "## Incidentes\n\n"
        + _table(_INCIDENT_TITLES, rows)
        + f"\nCATD con falla de enlace: {links['catd_con_falla']}; minutos sin enlace, sumados: "
        f"{links['minutos_sin_enlace']:,}; envíos que no salieron al cierre: "
        f"{links['sin_transmitir_al_fin']:,}.\n"
    )


def _measures(data: dict[str, Any]) -> str:
    found = data["medidas"]
    if not found:
        return "## Medidas\n\nNo se aplicó ninguna.\n"
    rows: list[list[object]] = [
        [
            one["medida"], one["incidente"] or "sin incidente", one["autorizo"], one["autorizada"][11:16],
            one["activa"][11:16], one["efecto"] or None,
            ", ".join(map(str, one["catd"])) or "toda la operación",
        ]
        for one in found[:MOST_MEASURES]
    ]  # fmt: skip
    titles = ["medida", "incidente", "autorizó", "autorizada", "activa", "efecto", "CATD (número)"]
    more = ""
    if len(found) > len(rows):
        more = f"\nVan las primeras {len(rows)} de {len(found):,}; todas están en `resumen.json`.\n"
    return "## Medidas\n\n" + _table(titles, rows) + more


def _capture(data: dict[str, Any]) -> str:
    capture = data["captura"]
    refused = ", ".join(f"{code} {count}" for code, count in data["rechazos"].items()) or "ninguno"
    provoked = (
        ", ".join(f"{code} {count}" for code, count in data["rechazos_provocados"].items()) or "ninguno"
    )
    return (
        "## Captura\n\n"
        f"- Capturas con algún error: {capture['capturas_con_error']:,}; "
        f"diferencias: {capture['diferencias']:,}; terceras capturas: {capture['terceras_capturas']:,}.\n"
        f"- Contra la verdad sellada pasaron con error {capture['actas_con_error']:,} actas de "
        f"{capture['actas_comparadas']:,} y "
        f"{capture['campos_con_error']:,} campos de {capture['campos_comparados']:,}; "
        f"{capture['votos_mal_puestos']:,} votos mal puestos.\n"
        f"- Mayor espera de captura: {capture['espera_maxima']:,} actas; al cierre: "
        f"{capture['sin_capturar_al_fin']:,}.\n"
        f"- Rechazos del motor no provocados: {refused}; provocados a propósito: {provoked}.\n"
    )


def _score(score: dict[str, Any]) -> str:
    double, actas = score["doble_captura"], score["actas"]
    kinds = ", ".join(f"{KIND_WORDS[name]} {n:,}" for name, n in score["tipos_de_error"].items())
    erring = [(one["con_error"], name, one) for name, one in score["capturistas"].items() if one["con_error"]]
    erring.sort(key=lambda item: (-item[0], item[1]))
    rows: list[list[object]] = [
        [
            name,
            f"{one['capturas']:,}",
            one["con_error"],
            one["campos_con_error"],
            f"{one['exactitud_pct']:.4f}",
        ]
        for _, name, one in erring[:10]
    ]
    people = _table(["capturista", "capturas", "con error", "campos", "exactitud %"], rows) if rows else ""
    return (
        "## Puntuación contra la verdad sellada\n\n"
        f"- Campos tecleados bien: {score['exactitud_tecleada_pct']:.4f} %; "
        f"publicados bien: {score['exactitud_publicada_pct']:.4f} %.\n"
        f"- Errores por tipo: {kinds}.\n"
        f"- Actas con alguna captura errada: {double['actas_con_alguna_captura_errada']:,}; la doble captura "
        f"detectó {double['detectadas']:,} y dejó pasar {double['pasaron_dos_iguales']:,} (dos capturas "
        f"iguales) y {double['pasaron_mal_resueltas']:,} (mal resueltas); sin verificar al fin: "
        f"{double['sin_verificar_al_fin']:,}.\n"
        f"- De {actas['publicadas']:,} actas, {actas['contabilizada_correcta_pct']:.4f} % con su "
        f"CONTABILIZADA y {actas['observaciones_correctas_pct']:.4f} % con sus OBSERVACIONES correctas.\n\n"
        f"{people}"
    )


def _phases(data: dict[str, Any]) -> str:
    rows: list[list[object]] = [
        [
            one["paso"],
            f"{one['actas']:,}",
            *(_or_dash(one[key]) for key in ("mediana_min", "p90_min", "p95_min")),
        ]
        for one in data["tiempos"]
    ]
    return "## Tiempos por fase (minutos)\n\n" + _table(["paso", "actas", "mediana", "p90", "p95"], rows)


def _or_dash(value: object) -> object:
    return "—" if value is None else value


def _cuts(data: dict[str, Any]) -> str:
    if data["cortes_por_hora"]["sin_cortes"]:
        return "## Cortes\n\nSe corrió sin cortes; la regla de tres por hora no se ejercitó.\n"
    missed = len(data["cortes_no_publicados"])
    kept = "sí" if data["cortes_por_hora"]["cumple"] else "NO"
    text = (
        f"## Cortes\n\nPublicados: {len(data['cortes'])}; no publicados: {missed}; "
        f"al menos tres por hora completa: {kept}.\n"
    )
    if data["cortes_no_publicados"]:
        rows = [[one["hora"], one["motivo"]] for one in data["cortes_no_publicados"]]
        text += "\n" + _table(["hora", "motivo"], rows)
    return text
