"""What the publisher says of itself, as the room takes it: its shape and no more."""

from __future__ import annotations

import json
import os
from pathlib import Path

from control_room.sources.publisher_file import NAME, publisher_age_s, read_publisher
from core.publishing.state import PublisherState, Status

AT = 1_622_930_400_000


def test_what_the_service_writes_is_what_the_room_reads(tmp_path: Path) -> None:
    state = PublisherState("b", 7, "simulacro", Status.PUBLISHING, cut=3, at=AT, next_at=AT + 1_200_000)
    state.missed.append(AT - 1_200_000)
    state.alarm("corte", "El corte de las 20:00 no salió", AT)
    state.witnesses = {"de": 3, "con": 2, "detalle": []}
    state.destinations = [
        {
            "nombre": "difusor", "estado": "atrasado", "corte": 2, "atraso_cortes": 1, "atraso_s": 61,
            "error": "no responde", "subidos": 9, "bytes": 100,
        }
    ]  # fmt: skip
    state.write(tmp_path, AT + 5_000)
    assert read_publisher(tmp_path) == {
        "estado": "publicando",
        "corte": 3,
        "instante_ms": AT,
        "siguiente_ms": AT + 1_200_000,
        "generado_ms": AT + 5_000,
        "perdidas": [AT - 1_200_000],
        "alarmas": [{"clave": "corte", "texto": "El corte de las 20:00 no salió", "desde_ms": AT}],
        "destinos": [
            {
                "nombre": "difusor", "estado": "atrasado", "corte": 2, "atraso_cortes": 1, "atraso_s": 61,
                "error": "no responde",
            }
        ],
        "testigos": {"de": 3, "con": 2, "umbral": None},
        "sello": None,
    }  # fmt: skip


def test_the_age_of_the_file_is_that_of_its_last_writing(tmp_path: Path) -> None:
    assert publisher_age_s(None, AT) is publisher_age_s(tmp_path, AT) is None
    PublisherState("b", 7, "simulacro").write(tmp_path, AT)
    os.utime(tmp_path / NAME, (AT / 1000, AT / 1000))
    assert publisher_age_s(tmp_path, AT + 31_000) == 31
    assert publisher_age_s(tmp_path, AT - 1) == 0


def test_every_state_of_the_service_is_known_to_the_room(tmp_path: Path) -> None:
    for status in Status:
        PublisherState("b", 7, "simulacro", status).write(tmp_path, AT)
        found = read_publisher(tmp_path)
        assert found is not None and found["estado"] == status.value


def test_without_a_file_or_with_another_in_its_place_nothing_is_said(tmp_path: Path) -> None:
    assert read_publisher(None) is None
    assert read_publisher(tmp_path) is None
    for text in ("", "[]", "{", '{"formato": 2}'):
        (tmp_path / NAME).write_text(text, encoding="utf-8")
        assert read_publisher(tmp_path) is None


def test_what_is_not_what_it_should_be_is_not_shown(tmp_path: Path) -> None:
    strange = {
        "formato": 1, "estado": "<b>", "corte": "tres", "siguiente_ms": -1, "perdidas": [True, "x", 5],
        "alarmas": ["x", {"texto": 4}], "destinos": {"a": 1}, "testigos": None, "sello": [],
    }  # fmt: skip
    (tmp_path / NAME).write_text(json.dumps(strange), encoding="utf-8")
    found = read_publisher(tmp_path)
    assert found is not None
    assert (found["estado"], found["corte"], found["siguiente_ms"]) == ("desconocido", 0, None)
    assert found["perdidas"] == [5]
    assert found["alarmas"] == [{"clave": "", "texto": "", "desde_ms": None}] * 2
    assert (
        found["destinos"] == []
        and found["testigos"] == {"de": 0, "con": 0, "umbral": None}
        and found["sello"] is None
    )
