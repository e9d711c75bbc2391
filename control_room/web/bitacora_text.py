"""What each line of the log says in Spanish. Words only: what a line is and when it came is `bitacora`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from core.domain.catalog import Catalog
from core.domain.events import EventKind as Kind
from core.domain.holding import HOLD_TABLE

MOST_CATDS = 8
"""CATDs named in a line; the rest are counted."""

KINDS: dict[Kind, tuple[str, str]] = {
    Kind.OPERATION_OPENED: ("operacion", "Inicio de la operación"),
    Kind.OPERATION_CLOSED: ("operacion", "Cierre de la operación"),
    Kind.OUTSIDE_RECEIVED: ("operacion", "Acta fuera de catálogo"),
    Kind.DUPLICATE_RECORDED: ("operacion", "Imagen repetida"),
    Kind.CUT_PUBLISHED: ("cortes", "Corte publicado"),
    Kind.CUT_REFUSED: ("cortes", "Corte rechazado"),
    Kind.CUT_MISSED: ("cortes", "Corte no publicado"),
    Kind.NOTICE_ISSUED: ("cortes", "Aviso público"),
    Kind.HOLD_PROPOSED: ("cortes", "Detención propuesta"),
    Kind.HOLD_AUTHORISED: ("cortes", "Publicación detenida"),
    Kind.HOLD_DISMISSED: ("cortes", "Detención descartada"),
    Kind.RELEASE_PROPOSED: ("cortes", "Reanudación propuesta"),
    Kind.RELEASE_AUTHORISED: ("cortes", "Publicación reanudada"),
    Kind.RELEASE_DISMISSED: ("cortes", "Reanudación descartada"),
    Kind.INCIDENT_OPENED: ("incidentes", "Incidente abierto"),
    Kind.INCIDENT_ATTENDED: ("incidentes", "Incidente atendido"),
    Kind.INCIDENT_ASSIGNED: ("incidentes", "Incidente asignado"),
    Kind.INCIDENT_NOTED: ("incidentes", "Nota de incidente"),
    Kind.INCIDENT_CONTAINED: ("incidentes", "Incidente contenido"),
    Kind.INCIDENT_RESOLVED: ("incidentes", "Incidente resuelto"),
    Kind.INCIDENT_CLOSED: ("incidentes", "Incidente cerrado"),
    Kind.INCIDENT_REOPENED: ("incidentes", "Incidente reabierto"),
    Kind.INCIDENT_MERGED: ("incidentes", "Incidente fusionado"),
    Kind.MEASURE_APPLIED: ("continuidad", "Medida aplicada"),
    Kind.MEASURE_PROPOSED: ("continuidad", "Medida propuesta"),
    Kind.MEASURE_AUTHORISED: ("continuidad", "Medida autorizada"),
    Kind.MEASURE_DISMISSED: ("continuidad", "Medida descartada"),
    Kind.MEASURE_STEP_DONE: ("continuidad", "Paso de medida hecho"),
    Kind.MEASURE_ENDED: ("continuidad", "Medida terminada"),
    Kind.ALERT_ACKNOWLEDGED: ("alertas", "Alerta reconocida"),
    Kind.ALERT_SILENCED: ("alertas", "Alerta silenciada"),
}
"""Class and name of each kind of event that is of no acta."""

ALERT_WORDS = {
    "activa": "Alerta activa",
    "despejada": "Alerta despejada",
    "reconocida": "Alerta vista",
    "silenciada": "Alerta en silencio",
    "vence_silencio": "Vence el silencio",
    "sube": "Alerta sube de prioridad",
    "baja": "Alerta baja de prioridad",
}
ACCESS_WORDS = {
    "entra": "Entra",
    "sale": "Sale",
    "falla": "Intento fallido",
    "bloqueo": "Bloqueo por intentos",
    "negado": "Acceso negado",
    "accion": "Acción",
    "rechazo": "Acción rechazada",
    "usuario": "Cambio de usuarios",
    "exporta": "Exportación",
}


def event_text(kind: Kind, data: Mapping[str, Any], catalog: Catalog) -> str:
    """One line about an event. Texts people wrote come between «»."""
    zone = timezone(timedelta(minutes=catalog.entidad.utc_offset_minutes))
    get = data.get

    def hour(key: str) -> str:
        return datetime.fromtimestamp(int(get(key, 0)) / 1000, UTC).astimezone(zone).strftime("%H:%M:%S")

    catds = _catds(get("catds") or (), catalog)
    if kind is Kind.OPERATION_OPENED:
        return f"De las {hour('starts_at')} a las {hour('ends_at')}"
    if kind is Kind.OPERATION_CLOSED:
        return f"Quedaron {get('pending')} actas sin registrar"
    if kind is Kind.CUT_PUBLISHED:
        last = ", el último" if get("last") else ""
        return (
            f"Corte {get('number')} hasta el evento {get('seq_high')}{last}; huella {get('manifest_sha256')}"
        )
    if kind is Kind.CUT_REFUSED:
        return f"Corte {get('number')}: «{get('reason')}»"
    if kind is Kind.CUT_MISSED:
        return f"El de las {hour('slot')}: «{get('reason')}»"
    if kind is Kind.NOTICE_ISSUED:
        return f"Aviso {get('number')}, {get('type')}: «{get('reason')}»"
    if kind in HOLD_TABLE:
        return _joined(str(get("hold")), _quoted(get("reason")))
    if kind is Kind.OUTSIDE_RECEIVED:
        return f"Número {get('outside')} de {get('contest')}: «{get('claimed')}»"
    if kind is Kind.MEASURE_APPLIED:
        return _joined(
            f"«{get('measure')}», autoriza {get('authorised_by')}, desde las {hour('active_at')}",
            _of(get("incident")), catds, _quoted(get("effect")),
        )  # fmt: skip
    if kind is Kind.MEASURE_AUTHORISED:
        return f"{get('activation')}, activa desde las {hour('active_at')}"
    if kind is Kind.MEASURE_STEP_DONE:
        return _joined(f"{get('activation')}, paso {int(get('step', 0)) + 1}", _quoted(get("note")))
    if kind is Kind.ALERT_SILENCED:
        catd = get("catd")
        where = "en todas partes" if catd is None else _catds((catd,), catalog)
        return _joined(f"{get('rule')} hasta las {hour('until')}", where, _quoted(get("reason")))
    if kind is Kind.INCIDENT_MERGED:
        return f"{get('incident')} en {get('into')}"
    if kind is Kind.DUPLICATE_RECORDED:
        return str(get("what"))
    head = get("incident") if kind in _ABOUT_INCIDENTS else get("activation") or get("alert") or ""
    words = ("title", "measure", "cause", "text", "remedy", "reason", "note")
    told = [_quoted(get(word)) for word in words if get(word)]
    person = f"a {get('assignee')}" if get("assignee") else ""
    return _joined(str(head), *told, person, catds)


_ABOUT_INCIDENTS = frozenset(kind for kind, (name, _) in KINDS.items() if name == "incidentes")


def _catds(numbers: Sequence[int], catalog: Catalog) -> str:
    names = [
        catalog.catds[number].name if 0 <= number < len(catalog.catds) else str(number)
        for number in list(numbers)[:MOST_CATDS]
    ]
    rest = len(numbers) - len(names)
    return ", ".join(names) + (f" y {rest} más" if rest > 0 else "")


def _of(incident: object) -> str:
    return f"por {incident}" if incident else ""


def _quoted(text: object) -> str:
    return f"«{text}»" if text else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
