"""What a person may do from the room: one table of actions, each with its permission and its fields.

`perform` is the only way in: it checks the permission by itself, whatever the door did, then the fields,
and then calls the handler. What an action means to the night is the engine's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from control_room import simulacro_control as drill
from control_room.alerts.rules import RULES
from control_room.room_db import first_effect
from control_room.sources import forecast_worker
from control_room.web.answers import LOG, as_json
from control_room.web.commands import STATION, RefusedError, Stamp, find_proposal
from control_room.web.context import Room, current_room
from control_room.web.fields import (
    CATDS,
    KEY,
    OPTIONAL_TEXT,
    STEP,
    TEXT,
    BadFieldError,
    Field,
    Values,
    check,
)
from control_room.web.gate import SIGNED, RouteTable
from control_room.web.roles import COORDINADOR, ForbiddenError, require
from control_room.web.sessions import Session
from core.domain import commands as orders
from core.domain.commands import AnyCommand
from core.domain.holding import HoldStep
from core.domain.refusals import REFUSAL_TEXTS, Refusal
from core.errors import UsageError

MS_PER_MINUTE = 60_000
RULE_NAMES = frozenset(rule.code for rule in RULES)
LONGEST_SILENCE_MIN = 240
CLIENT_KEY = "llave"
_CLIENT_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")

Handler: TypeAlias = Callable[[Room, Session, Values, Stamp], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. `stamped` actions become a command of the engine."""

    name: str
    permission: str
    fields: dict[str, Field]
    handler: Handler
    stamped: bool = True


ACTIONS: dict[str, Action] = {}
"""Every action by its name."""


def _action(
    name: str, permission: str, *, stamped: bool = True, **fields: Field
) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ACTIONS[name] = Action(name, permission, fields, handler, stamped)
        return handler

    return register


def perform(name: str, body: object) -> dict[str, Any]:
    """Do an action for who is behind the request.

    Raises NoSessionError, ForbiddenError, BadFieldError, RefusedError, NotWrittenError, or what the run says.
    """
    action = ACTIONS[name]
    room = current_room()
    who = require(action.permission)
    given = dict(body) if isinstance(body, dict) else body
    key = given.pop(CLIENT_KEY, None) if isinstance(given, dict) else None
    if key is not None and (not isinstance(key, str) or not _CLIENT_KEY.fullmatch(key)):
        raise BadFieldError(CLIENT_KEY, "«llave» lleva de 8 a 64 letras, números o guiones.")
    values = check(action.fields, given)
    stamp = room.desk.stamp(who.user, f"{name}:{key}" if key else None) if action.stamped else Stamp("", 0)
    try:
        if action.stamped or key is None:
            done = action.handler(room, who, values, stamp)
        else:
            same = repr((who.user, name, key, values))
            done = room.once.do(same, lambda: action.handler(room, who, values, stamp))
    except (RefusedError, ForbiddenError) as error:
        _write_down(room, "rechazo", who, f"{name}: {error}")
        raise
    kind = "usuario" if name.startswith(("usuario_", "mi_")) else "accion"
    _write_down(room, kind, who, f"{name} {_told(values)}".strip())
    return done


def _write_down(room: Room, what: str, who: Session, detail: str) -> None:
    """A line of the access log. What was done is done: a log that fails does not make it an error."""
    try:
        room.log.write(what, who.user, who.role, request.remote_addr or "", detail)
    except SQLAlchemyError as error:
        LOG.error("no se pudo escribir en el registro de accesos: %s de %s", what, who.user, exc_info=error)


def _told(values: Values) -> str:
    """The fields for the log, without passwords."""
    parts = []
    for name, value in values.items():
        if name in ("contrasena", "actual", "nueva") or value in ("", (), {}, None):
            continue
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        parts.append(f"{name}={shown[:80]}")
    return " ".join(parts)


def install(app: Flask, routes: RouteTable) -> None:
    """Add the routes of the actions: one per action, so that the table of the door knows each."""
    for action in ACTIONS.values():
        rule = f"/api/acciones/{action.name}"
        routes.allow(rule, action.permission, "POST")
        app.add_url_rule(rule, f"accion:{action.name}", _view(action.name), methods=["POST"])
    routes.allow("/api/pronostico", "pronosticar", "POST")
    app.add_url_rule("/api/pronostico", "pronostico", what_if, methods=["POST"])
    routes.allow("/api/acciones/<name>", SIGNED, "POST")

    @app.post("/api/acciones/<name>")
    def unknown(name: str) -> Response:
        raise NotFound


def _view(name: str) -> Callable[[], Response]:
    def view() -> Response:
        return as_json({"ok": True, "datos": perform(name, _body())})

    return view


def _body() -> object:
    if not request.is_json:
        raise UnsupportedMediaType
    return request.get_json()


def what_if() -> Response:
    """Forecast with changes; nothing is recorded but that it was asked."""
    room, who = current_room(), require("pronosticar")
    body = _body()
    words = body.get("si") if isinstance(body, dict) else None
    if not isinstance(words, list) or not all(isinstance(one, str) and one.isprintable() for one in words):
        raise BadFieldError("si", "«si» debe ser una lista de textos.")
    _write_down(room, "accion", who, f"pronostico {len(words)} cambios")
    answer = forecast_worker.what_if(
        words, room.options.base, room.options.scenario, run_folder=room.run_folder
    )
    return as_json(answer)


# -- alerts and incidents --------------------------------------------------------------------------


def _send(room: Room, command: AnyCommand, **told: Any) -> dict[str, Any]:
    answer = room.desk.send(command)
    return {"seq": answer.seq_last, "ms": command.at, **told}


def _base(who: Session, stamp: Stamp) -> dict[str, Any]:
    return {"key": stamp.key, "actor": who.user, "station": STATION, "at": stamp.at}


@_action("reconocer_alerta", "reconocer", alerta=KEY, nota=OPTIONAL_TEXT)
def _acknowledge(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    if given["alerta"].split(":")[0] not in RULE_NAMES:
        raise BadFieldError("alerta", f"No hay una alerta «{given['alerta']}».")
    command = orders.AcknowledgeAlert(**_base(who, stamp), alert=given["alerta"], note=given["nota"])
    return _send(room, command)


@_action(
    "silenciar_alerta",
    "silenciar",
    regla=KEY,
    catd=Field("number", required=False),
    motivo=TEXT,
    minutos=Field("number", least=1, most=LONGEST_SILENCE_MIN),
)
def _silence(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    if given["regla"] not in RULE_NAMES:
        raise BadFieldError("regla", f"No hay una regla «{given['regla']}».")
    until = stamp.at + given["minutos"] * MS_PER_MINUTE
    command = orders.SilenceAlert(
        **_base(who, stamp), rule=given["regla"], catd=given["catd"], reason=given["motivo"], until=until
    )
    return _send(room, command, hasta_ms=until)


@_action(
    "abrir_incidente",
    "incidente",
    titulo=Field(longest=120),
    tipo=Field(longest=40),
    causa=OPTIONAL_TEXT,
    catds=CATDS,
    alerta=Field(required=False, longest=120),
)
def _open(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    name = stamp.name("I")
    command = orders.OpenIncident(
        **_base(who, stamp), incident=name, kind=given["tipo"], title=given["titulo"], cause=given["causa"],
        catds=given["catds"], alert=given["alerta"],
    )  # fmt: skip
    return _send(room, command, incidente=name)


@_action("atender_incidente", "incidente", incidente=KEY)
def _attend(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    return _send(room, orders.AttendIncident(**_base(who, stamp), incident=given["incidente"]))


@_action("asignar_incidente", "incidente_coordinar", incidente=KEY, a=Field(longest=64))
def _assign(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.AssignIncident(**_base(who, stamp), incident=given["incidente"], assignee=given["a"])
    return _send(room, command)


@_action("anotar_incidente", "incidente", incidente=KEY, texto=TEXT)
def _note(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.NoteIncident(**_base(who, stamp), incident=given["incidente"], text=given["texto"])
    return _send(room, command)


@_action("contener_incidente", "incidente", incidente=KEY, texto=OPTIONAL_TEXT)
def _contain(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.ContainIncident(**_base(who, stamp), incident=given["incidente"], text=given["texto"])
    return _send(room, command)


@_action("resolver_incidente", "incidente", incidente=KEY, remedio=TEXT)
def _resolve(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.ResolveIncident(
        **_base(who, stamp), incident=given["incidente"], remedy=given["remedio"]
    )
    return _send(room, command)


@_action("cerrar_incidente", "incidente_coordinar", incidente=KEY, causa=TEXT)
def _close(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.CloseIncident(**_base(who, stamp), incident=given["incidente"], cause=given["causa"])
    return _send(room, command)


@_action("reabrir_incidente", "incidente_coordinar", incidente=KEY, motivo=TEXT)
def _reopen(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.ReopenIncident(**_base(who, stamp), incident=given["incidente"], reason=given["motivo"])
    return _send(room, command)


@_action("fusionar_incidente", "incidente_coordinar", incidente=KEY, en=KEY)
def _merge(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.MergeIncident(**_base(who, stamp), incident=given["incidente"], into=given["en"])
    return _send(room, command)


# -- continuity ------------------------------------------------------------------------------------


@_action(
    "proponer_medida",
    "medida_proponer",
    medida=KEY,
    catds=CATDS,
    incidente=Field(required=False, longest=120),
)
def _propose(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    measure = room.plan.measure(given["medida"])
    if measure is None:
        raise BadFieldError("medida", f"El plan de continuidad no tiene la medida «{given['medida']}».")
    name = stamp.name("M")
    command = orders.ProposeMeasure(
        **_base(who, stamp), activation=name, incident=given["incidente"], measure=measure.title,
        catds=given["catds"], effect=measure.effect, steps=measure.steps,
    )  # fmt: skip
    return _send(room, command, activacion=name)


@_action("autorizar_medida", "medida_autorizar", activacion=KEY)
def _authorise(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    proposal = find_proposal(room.database, given["activacion"])
    if proposal is not None and proposal.by != who.user:
        # The engine sees to it that they are two; which roles they have only the room knows.
        roles = {who.role, room.sessions.last_role(proposal.by)}
        if COORDINADOR not in roles:
            text = f"{REFUSAL_TEXTS[Refusal.NEEDS_SUPERVISOR]} Una de las dos debe ser de coordinación."
            raise RefusedError(Refusal.NEEDS_SUPERVISOR.value, text)
    measure = None if proposal is None else room.plan.measure(proposal.measure)
    active_at = stamp.at + (0 if measure is None else measure.activation_min * MS_PER_MINUTE)
    command = orders.AuthoriseMeasure(
        **_base(who, stamp), activation=given["activacion"], active_at=active_at
    )
    told = _send(room, command, activa_ms=active_at)
    if room.mode == "simulacro" and room.run_folder is not None and proposal is not None:
        name = proposal.measure if measure is None else measure.key
        # The browser repeats what got no answer; people sent to a CATD are sent once.
        if first_effect(room.room_database, given["activacion"]):
            told["efecto_simulado"] = drill.apply_effect(room.run_folder, name, proposal.catds, active_at)
    return told


@_action("descartar_medida", "medida_proponer", activacion=KEY, motivo=TEXT)
def _dismiss(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.DismissMeasure(
        **_base(who, stamp), activation=given["activacion"], reason=given["motivo"]
    )
    return _send(room, command)


@_action("marcar_paso", "medida_proponer", activacion=KEY, paso=STEP, nota=OPTIONAL_TEXT)
def _check_step(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.CheckStep(
        **_base(who, stamp), activation=given["activacion"], step=given["paso"], note=given["nota"]
    )
    return _send(room, command)


@_action("terminar_medida", "medida_autorizar", activacion=KEY, motivo=TEXT)
def _end(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    command = orders.EndMeasure(**_base(who, stamp), activation=given["activacion"], reason=given["motivo"])
    return _send(room, command)


# -- the publication -------------------------------------------------------------------------------


@_action("detener_publicacion", "publicacion_proponer", motivo=TEXT)
def _propose_hold(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    name = stamp.name("D")
    command = orders.ProposeHold(**_base(who, stamp), hold=name, reason=given["motivo"])
    return _send(room, command, detencion=name)


def _on_hold(name: str, permission: str, order: type[HoldStep], **fields: Field) -> None:
    """An action on the hold there is; those that need a reason say so in their fields."""

    def act(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
        reason = {"reason": given["motivo"]} if "motivo" in given else {}
        return _send(room, order(**_base(who, stamp), hold=given["detencion"], **reason))

    _action(name, permission, stamped=True, detencion=KEY, **fields)(act)


_on_hold("autorizar_detencion", "publicacion_autorizar", orders.AuthoriseHold)
_on_hold("descartar_detencion", "publicacion_descartar", orders.DismissHold, motivo=TEXT)
_on_hold("reanudar_publicacion", "publicacion_proponer", orders.ProposeRelease, motivo=TEXT)
_on_hold("autorizar_reanudacion", "publicacion_autorizar", orders.AuthoriseRelease)
_on_hold("descartar_reanudacion", "publicacion_descartar", orders.DismissRelease, motivo=TEXT)


# -- the rehearsal ---------------------------------------------------------------------------------


def _run_of(room: Room) -> Any:
    if room.run_folder is None:
        raise UsageError("La sala no mira ninguna corrida: falta --corrida.")
    return room.run_folder


@_action("simulacro_pausa", "simulacro", stamped=False)
def _pause(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    return dict(drill.pause(_run_of(room)))


@_action("simulacro_reanudar", "simulacro", stamped=False)
def _resume(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    return dict(drill.resume(_run_of(room)))


@_action("simulacro_velocidad", "simulacro", stamped=False, velocidad=Field("decimal", least=1, most=3600))
def _speed(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    return dict(drill.set_speed(_run_of(room), given["velocidad"]))


@_action(
    "simulacro_inyectar",
    "simulacro",
    stamped=False,
    toml=Field(required=False, longest=drill.MOST_CHARACTERS),
    forma=Field(required=False, longest=40),
    valores=Field("object", required=False),
)
def _inject(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    if bool(given["toml"]) == bool(given["forma"]):
        raise BadFieldError("toml", "Lleva «toml» o «forma» con sus «valores», uno de los dos.")
    return dict(drill.inject(_run_of(room), given["toml"], given["forma"], given["valores"]))


@_action("simulacro_restablecer", "simulacro", stamped=False, catds=Field("numbers"))
def _restore(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    return dict(drill.restore(_run_of(room), given["catds"]))


# -- users -----------------------------------------------------------------------------------------

_PASSWORD = Field(longest=256)
_USER = Field(longest=32)
_ACCOUNT = Field(longest=64)
"""A user of the room, or `name@provider`."""


@_action(
    "usuario_alta",
    "usuarios",
    stamped=False,
    usuario=_USER,
    nombre=Field(longest=80),
    rol=_USER,
    contrasena=_PASSWORD,
)
def _add_user(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    room.users.add(given["usuario"], given["nombre"], given["rol"], given["contrasena"], room.real_ms())
    return {"usuario": given["usuario"]}


@_action("usuario_baja", "usuarios", stamped=False, usuario=_USER)
def _remove_user(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    room.users.remove(given["usuario"], room.real_ms())
    room.sessions.end_all(given["usuario"], room.real_ms(), "baja")
    return {"usuario": given["usuario"]}


@_action("usuario_rol", "usuarios", stamped=False, usuario=_USER, rol=_USER)
def _change_role(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    room.users.set_role(given["usuario"], given["rol"])
    room.sessions.end_all(given["usuario"], room.real_ms(), "cambio de rol")
    return {"usuario": given["usuario"], "rol": given["rol"]}


@_action("usuario_contrasena", "usuarios", stamped=False, usuario=_USER, contrasena=_PASSWORD)
def _reset_password(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    room.users.set_password(given["usuario"], given["contrasena"])
    room.sessions.end_all(given["usuario"], room.real_ms(), "cambio de contraseña")
    return {"usuario": given["usuario"]}


@_action("usuario_sesiones", "usuarios", stamped=False, usuario=_ACCOUNT)
def _end_sessions(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    # The only way to put out somebody of the identity provider before his session ends by itself.
    ended = room.sessions.end_all(given["usuario"], room.real_ms(), "cierre de administración")
    return {"usuario": given["usuario"], "cerradas": ended}


@_action("mi_contrasena", "cuenta", stamped=False, actual=_PASSWORD, nueva=_PASSWORD)
def _own_password(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    if who.origin != "local":
        raise UsageError("Su contraseña es la del proveedor de identidad: se cambia allá.")
    verdict = room.users.attempt(who.user, given["actual"], request.remote_addr or "", room.real_ms())
    if verdict.user is None:
        room.log.write("falla", who.user, who.role, request.remote_addr or "", "cambio de contraseña")
        raise UsageError(
            "Demasiados intentos; espere unos minutos."
            if verdict.locked_ms
            else "La contraseña actual no es esa."
        )
    room.users.set_password(who.user, given["nueva"])
    room.sessions.end_all(who.user, room.real_ms(), "cambio de contraseña", but=who.digest)
    return {"usuario": who.user}


@_action("mi_sesiones", "cuenta", stamped=False)
def _own_sessions(room: Room, who: Session, given: Values, stamp: Stamp) -> dict[str, Any]:
    ended = room.sessions.end_all(who.user, room.real_ms(), "cierre propio", but=who.digest)
    return {"usuario": who.user, "cerradas": ended}
