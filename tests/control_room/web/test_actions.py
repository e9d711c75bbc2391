"""What people do from the room becomes events of the ledger, once, stamped by the server."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from control_room import simulacro_control as drill
from core.domain.events import EventKind, decode_data
from core.errors import UsageError
from core.storage import schema
from core.storage.database import connect, open_existing
from tests.builders import START_MS
from tests.control_room.web.rooms import PASSWORD, TestRoom, make_room

LAST_MS = START_MS + 180_000
"""When the last event of the night of these tests was recorded: what its clock says."""


def _events(room: TestRoom, after: int = 3) -> list[tuple[str, str, str, int, dict[str, object]]]:
    """(kind, actor, station, at, data) of the ledger after a sequence."""
    table = schema.ledger.c
    query = select(table.kind, table.actor, table.station, table["at"], table.data).where(table.seq > after)
    with room.room.database.connect() as connection:
        return [
            (row[0], row[1], row[2], row[3], dict(decode_data(EventKind(row[0]), row[4])))
            for row in connection.execute(query.order_by(table.seq))
        ]


def test_an_incident_goes_from_open_to_closed_with_who_and_when(room: TestRoom) -> None:
    operator, boss = room.as_role("operador"), room.as_role("coordinador")
    opened = operator.done(
        "abrir_incidente", titulo="Sin luz", tipo="luz", causa="", catds=[1, 0, 1], alerta="A01:catd:1"
    )
    key = opened["incidente"]
    operator.done("atender_incidente", incidente=key)
    boss.done("asignar_incidente", incidente=key, a="operador")
    operator.done("anotar_incidente", incidente=key, texto="Va la planta\ncon dos personas")
    operator.done("contener_incidente", incidente=key, texto="Con planta de luz")
    operator.done("resolver_incidente", incidente=key, remedio="Volvió la luz")
    boss.done("cerrar_incidente", incidente=key, causa="Transformador")
    found = _events(room)
    assert [one[0] for one in found] == [
        "incident_opened", "incident_attended", "incident_assigned", "incident_noted",
        "incident_contained", "incident_resolved", "incident_closed",
    ]  # fmt: skip
    assert {one[2] for one in found} == {"sala"}
    assert [one[1] for one in found][:3] == ["operador", "operador", "coordinador"]
    assert all(one[3] == LAST_MS for one in found)
    assert found[0][4] == {
        "incident": key, "kind": "luz", "title": "Sin luz", "cause": "", "catds": [1, 0],
        "alert": "A01:catd:1",
    }  # fmt: skip
    assert ("accion", "coordinador") in {(what, who) for what, who, _ in room.log()}


def test_the_engine_s_no_is_a_409_with_its_text_and_is_written_down(room: TestRoom) -> None:
    boss = room.as_role("coordinador")
    answer = boss.act("cerrar_incidente", incidente="enlace-1", causa="x")
    assert answer.status_code == 409
    error = answer.get_json()["error"]
    assert error["codigo"] == "INCIDENTE_NO_PERMITE"
    assert error["mensaje"].startswith("El incidente no permite esa acción.")
    assert room.log()[-1][:2] == ("rechazo", "coordinador")
    assert _events(room) == []


def test_the_same_key_sent_again_is_the_same_command(room: TestRoom) -> None:
    operator = room.as_role("operador")
    fields = {"titulo": "Sin luz", "tipo": "luz", "catds": [0], "llave": "b2c4d6e8-1234"}
    first = operator.done("abrir_incidente", **fields)
    # The night's clock has moved on between the two: it is still the same command.
    operator.done("anotar_incidente", incidente=first["incidente"], texto="algo")
    assert operator.done("abrir_incidente", **fields) == first
    assert [one[0] for one in _events(room)] == ["incident_opened", "incident_noted"]
    # Another person's key is another one, though it reads the same.
    other = room.as_role("coordinador").done("abrir_incidente", **fields)
    assert other["incidente"] != first["incidente"]


def test_a_key_used_for_something_else_is_refused(room: TestRoom) -> None:
    operator = room.as_role("operador")
    operator.done("anotar_incidente", incidente="enlace-1", texto="uno", llave="la-misma-llave")
    answer = operator.act("anotar_incidente", incidente="enlace-1", texto="dos", llave="la-misma-llave")
    assert answer.status_code == 409
    assert answer.get_json()["error"]["codigo"] == "CLAVE_REUTILIZADA"


def test_the_commands_of_the_room_have_keys_that_say_so(room: TestRoom) -> None:
    operator = room.as_role("operador")
    operator.done("reconocer_alerta", alerta="A01:catd:0", nota="")
    operator.done("reconocer_alerta", alerta="A01:catd:0", nota="", llave="12345678")
    with room.room.database.connect() as connection:
        keys = connection.execute(select(schema.command.c.key)).scalars().all()
    assert sum(key.startswith("sala-") for key in keys) == 2


def test_a_silence_ends_when_it_was_asked_to(room: TestRoom) -> None:
    operator = room.as_role("operador")
    told = operator.done("silenciar_alerta", regla="A01", catd=1, motivo="Ejercicio avisado", minutos=30)
    assert told["hasta_ms"] == LAST_MS + 30 * 60_000
    assert _events(room)[0][4] == {
        "rule": "A01", "catd": 1, "reason": "Ejercicio avisado", "until": told["hasta_ms"]
    }  # fmt: skip
    for minutes in (0, 241, -5):
        assert operator.act("silenciar_alerta", regla="A01", motivo="x", minutos=minutes).status_code == 400


def _proposed(room: TestRoom, role: str, user: str = "") -> str:
    measure = room.room.plan.measures[0].key
    told = room.as_role(user or role).done("proponer_medida", medida=measure, catds=[0], incidente="enlace-1")
    return str(told["activacion"])


def test_a_measure_takes_two_persons_and_one_of_them_coordinates(room: TestRoom) -> None:
    key = _proposed(room, "operador")
    room.add("operador2", "operador")
    alone = room.as_role("operador").act("autorizar_medida", activacion=key)
    assert alone.status_code == 409
    assert alone.get_json()["error"]["codigo"] == "MISMA_PERSONA"
    two_operators = room.as_role("operador2").act("autorizar_medida", activacion=key)
    assert two_operators.status_code == 409
    assert "coordinación" in two_operators.get_json()["error"]["mensaje"]
    assert [one[0] for one in _events(room)] == ["measure_proposed"]
    room.as_role("coordinador").done("autorizar_medida", activacion=key)
    kinds = [one[0] for one in _events(room)]
    assert kinds == ["measure_proposed", "measure_authorised", "measure_applied"]
    works = LAST_MS + room.room.plan.measures[0].activation_min * 60_000
    assert _events(room)[1][4]["active_at"] == works
    room.as_role("operador").done("marcar_paso", activacion=key, paso=0, nota="listo")
    room.as_role("operador").done("terminar_medida", activacion=key, motivo="ya no hace falta")


def test_an_operator_may_authorise_what_a_coordinator_proposed(room: TestRoom) -> None:
    key = _proposed(room, "coordinador")
    assert room.as_role("coordinador").act("autorizar_medida", activacion=key).status_code == 409
    room.as_role("operador").done("autorizar_medida", activacion=key)


def test_a_proposal_carries_the_steps_of_the_plan_and_not_those_of_the_browser(room: TestRoom) -> None:
    _proposed(room, "operador")
    measure = room.room.plan.measures[0]
    data = _events(room)[0][4]
    assert data["steps"] == list(measure.steps)
    assert data["effect"] == measure.effect
    assert data["measure"] == measure.title
    answer = room.as_role("operador").act("proponer_medida", medida="inventada", catds=[])
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tipo": "luz"}, "titulo"),
        ({"titulo": "   ", "tipo": "luz"}, "titulo"),
        ({"titulo": 7, "tipo": "luz"}, "titulo"),
        ({"titulo": "x" * 121, "tipo": "luz"}, "titulo"),
        ({"titulo": "a\x00b", "tipo": "luz"}, "titulo"),
        ({"titulo": "x", "tipo": "luz", "catds": "0"}, "catds"),
        ({"titulo": "x", "tipo": "luz", "catds": [True]}, "catds"),
        ({"titulo": "x", "tipo": "luz", "catds": [-1]}, "catds"),
        ({"titulo": "x", "tipo": "luz", "otro": 1}, "otro"),
        ({"titulo": "x", "tipo": "luz", "llave": "corta"}, "llave"),
    ],
)
def test_a_field_that_will_not_do_is_named(
    fields: dict[str, object], field: str, shared_room: TestRoom
) -> None:
    answer = shared_room.as_role("operador").act("abrir_incidente", **fields)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["campo"] == field


def test_the_message_of_a_field_has_the_word_people_read(shared_room: TestRoom) -> None:
    answer = shared_room.as_role("operador").act("abrir_incidente", titulo="x" * 121, tipo="luz")
    assert answer.get_json()["error"] == {"mensaje": "«título» pasa de 120 caracteres.", "campo": "titulo"}


def test_a_catd_that_does_not_exist_is_refused_by_the_engine(room: TestRoom) -> None:
    answer = room.as_role("operador").act("abrir_incidente", titulo="x", tipo="luz", catds=[99])
    assert answer.status_code == 409
    assert answer.get_json()["error"]["codigo"] == "CATD_DESCONOCIDO"


def test_commands_wait_for_a_database_that_is_busy_for_a_moment(room: TestRoom) -> None:
    operator = room.as_role("operador")
    operator.done("anotar_incidente", incidente="enlace-1", texto="antes")
    busy = connect(room.room.options.base)
    with busy.connect().execution_options(prep_write=True) as connection:
        begun = connection.begin()
        threading.Timer(0.4, begun.rollback).start()
        operator.done("anotar_incidente", incidente="enlace-1", texto="durante")
    busy.dispose()
    assert len(_events(room)) == 2


def test_a_database_that_does_not_answer_is_told_and_the_order_may_be_sent_again(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from control_room.web import commands

    operator = room.as_role("operador")
    operator.done("anotar_incidente", incidente="enlace-1", texto="antes")
    monkeypatch.setattr(commands, "ANSWER_S", 0.3)
    fields = {"incidente": "enlace-1", "texto": "durante", "llave": "una-sola-vez"}
    busy = connect(room.room.options.base)
    with busy.connect().execution_options(prep_write=True) as connection, connection.begin():
        answer = operator.act("anotar_incidente", **fields)
        assert answer.status_code == 503
        assert "no se hará dos veces" in answer.get_json()["error"]["mensaje"]
    busy.dispose()
    monkeypatch.undo()
    operator.done("anotar_incidente", **fields)
    assert [one[4]["text"] for one in _events(room)] == ["antes", "durante"]


def test_an_engine_that_takes_long_to_open_does_not_hold_whoever_sends_an_order(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from control_room.web import commands

    gate = threading.Event()

    def slow(base: str) -> Any:
        gate.wait(20)
        return open_existing(base)

    monkeypatch.setattr(commands, "open_existing", slow)
    monkeypatch.setattr(commands, "ANSWER_S", 0.3)
    operator = room.as_role("operador")
    begun = time.monotonic()
    fields = {"incidente": "enlace-1", "texto": "una vez", "llave": "mientras-abre"}
    for _ in range(3):
        assert operator.act("anotar_incidente", **fields).status_code == 503
    assert time.monotonic() - begun < 3
    gate.set()
    monkeypatch.undo()
    operator.done("anotar_incidente", **fields)
    assert [one[4]["text"] for one in _events(room)] == ["una vez"]


def test_an_engine_that_could_not_open_is_tried_again(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from control_room.web import commands

    def broken(_: str) -> Any:
        raise UsageError("no está")

    monkeypatch.setattr(commands, "open_existing", broken)
    operator = room.as_role("operador")
    assert operator.act("anotar_incidente", incidente="enlace-1", texto="x").status_code == 400
    monkeypatch.undo()
    operator.done("anotar_incidente", incidente="enlace-1", texto="x")


def test_an_authorisation_sent_again_is_felt_once_by_the_run(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("sala")
    room = make_room(folder, run_folder=folder)
    told: list[str] = []

    def feel(_: object, measure: str, *more: object) -> dict[str, str]:
        told.append(measure)
        return {"estado": "aplicado"}

    monkeypatch.setattr(drill, "apply_effect", feel)
    key = _proposed(room, "operador")
    first = room.as_role("coordinador").done("autorizar_medida", activacion=key, llave="la-misma-1")
    again = room.as_role("coordinador").done("autorizar_medida", activacion=key, llave="la-misma-1")
    assert "efecto_simulado" in first
    assert "efecto_simulado" not in again
    assert len(told) == 1
    room.room.close()


def test_what_is_no_command_of_the_engine_is_done_once_by_its_key_too(room: TestRoom) -> None:
    admin = room.as_role("administracion")
    fields = {"usuario": "relevo", "nombre": "Relevo", "rol": "operador", "contrasena": PASSWORD}
    assert admin.done("usuario_alta", **fields, llave="alta-de-relevo") == {"usuario": "relevo"}
    assert admin.done("usuario_alta", **fields, llave="alta-de-relevo") == {"usuario": "relevo"}
    # Another order is another one, whatever its key; and without a key nothing is remembered.
    other = {**fields, "nombre": "Otro", "llave": "alta-de-relevo"}
    assert admin.act("usuario_alta", **other).status_code == 400
    assert admin.act("usuario_alta", **fields).status_code == 400


def test_a_log_that_fails_does_not_undo_what_was_done(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(room.room.log, "write", full)
    room.as_role("operador").done("anotar_incidente", incidente="enlace-1", texto="queda")
    assert [one[4]["text"] for one in _events(room)] == ["queda"]


def test_an_order_with_the_database_lost_may_be_sent_again(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from control_room.web import actions

    def lost(*_: object) -> None:
        raise OperationalError("SELECT secreto", {}, Exception("server closed the connection"))

    monkeypatch.setattr(actions, "find_proposal", lost)
    answer = room.as_role("coordinador").act("autorizar_medida", activacion="M-1")
    assert answer.status_code == 503
    assert answer.get_json() == {"error": {"mensaje": "La base de datos no contesta."}}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("silenciar_alerta", {"regla": "A99", "motivo": "x", "minutos": 5}),
        ("silenciar_alerta", {"regla": "a01", "motivo": "x", "minutos": 5}),
        ("reconocer_alerta", {"alerta": "Z01:catd:1", "nota": ""}),
    ],
)
def test_a_rule_that_does_not_exist_is_refused(
    action: str, fields: dict[str, object], shared_room: TestRoom
) -> None:
    assert shared_room.as_role("operador").act(action, **fields).status_code == 400


def test_half_a_character_is_told_and_is_no_internal_error(shared_room: TestRoom) -> None:
    operator, body = shared_room.as_role("operador"), json.dumps({"\ud800": 1})
    headers = {"X-CSRF": operator.session.csrf}
    for path, text in (("/api/acciones/atender_incidente", body), ("/api/pronostico", '{"si": ["\\ud800"]}')):
        answer = operator.client.post(path, data=text, headers=headers, content_type="application/json")
        assert answer.status_code == 400, path
        assert answer.is_json


def test_without_a_live_run_the_instructor_is_told_so(room: TestRoom) -> None:
    answer = room.as_role("instructor").act("simulacro_pausa")
    assert answer.status_code == 400
    assert "--corrida" in answer.get_json()["error"]["mensaje"]


def test_an_action_that_failed_leaves_no_accepted_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    room = make_room(tmp_path_factory.mktemp("sala"), write=False)
    room.as_role("operador").act("atender_incidente", incidente="no-hay")
    assert [what for what, _, _ in room.log()] == ["rechazo"]
    room.room.close()


def test_publication_proposes_a_hold_and_coordination_authorises_it_both_ways(room: TestRoom) -> None:
    publisher, boss = room.as_role("publicacion"), room.as_role("coordinador")
    assert publisher.act("detener_publicacion", motivo=" ").status_code == 400
    key = publisher.done("detener_publicacion", motivo="El portal muestra otra elección")["detencion"]
    assert publisher.act("autorizar_detencion", detencion=key).status_code == 403
    assert boss.act("detener_publicacion", motivo="x").status_code == 403
    boss.done("autorizar_detencion", detencion=key)
    again = boss.act("autorizar_detencion", detencion=key)
    assert again.status_code == 409
    assert again.get_json()["error"]["codigo"] == "PUBLICACION_NO_PERMITE"
    publisher.done("reanudar_publicacion", detencion=key, motivo="Ya se corrigió")
    boss.done("descartar_reanudacion", detencion=key, motivo="Falta probar")
    publisher.done("reanudar_publicacion", detencion=key, motivo="Probado")
    boss.done("autorizar_reanudacion", detencion=key)
    assert [(one[0], one[1]) for one in _events(room)] == [
        ("hold_proposed", "publicacion"),
        ("hold_authorised", "coordinador"),
        ("release_proposed", "publicacion"),
        ("release_dismissed", "coordinador"),
        ("release_proposed", "publicacion"),
        ("release_authorised", "coordinador"),
    ]
    assert _events(room)[0][4] == {"hold": key, "reason": "El portal muestra otra elección"}


def test_a_proposed_hold_may_be_dismissed_and_another_proposed(room: TestRoom) -> None:
    publisher = room.as_role("publicacion")
    key = publisher.done("detener_publicacion", motivo="Duda")["detencion"]
    publisher.done("descartar_detencion", detencion=key, motivo="Era otra cosa")
    other = publisher.done("detener_publicacion", motivo="Duda")["detencion"]
    assert other != key
