"""The log people read and take away: everything that happened, filtered, paged, sealed."""

from __future__ import annotations

import base64
import csv
import io
import re
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from control_room.room_db import log_alerts
from control_room.web import bitacora
from control_room.web.bitacora import MOST_IN_PDF, LedgerLog
from control_room.web.bitacora_pdf import document
from control_room.web.bitacora_text import KINDS, event_text
from core.domain.events import EventKind
from core.domain.spreadsheet import safe_cell
from core.storage import schema
from tests.builders import START_MS
from tests.control_room.web.rooms import PASSWORD, TestRoom, login

OF_ACTAS = {
    EventKind.ACTA_RECEIVED, EventKind.ACTA_DIGITIZED, EventKind.ACTA_CAPTURED, EventKind.ACTA_DISPUTED,
    EventKind.CAPTURE_REQUESTED, EventKind.ACTA_VERIFIED, EventKind.SIN_ACTA_MARKED, EventKind.IMAGE_REPLACED,
    EventKind.RECALL_REQUESTED, EventKind.RECALL_APPROVED, EventKind.RECALL_DISMISSED,
    EventKind.ACTA_COLLATED, EventKind.OUTSIDE_IDENTIFIED,
}  # fmt: skip


def _filled(room: TestRoom) -> None:
    log_alerts(
        room.room.room_database,
        [
            {
                "ms": START_MS + 90_000 + n, "ms_real": 5, "alerta": f"A01:catd:{n}", "regla": "A01",
                "prioridad": 2, "que": "activa", "detalle": "sin señal", "catds": [n],
            }
            for n in range(3)
        ],
    )  # fmt: skip
    login(room.anonymous(), "operador", PASSWORD)
    room.as_role("operador").done("anotar_incidente", incidente="enlace-1", texto="va una cuadrilla")


def _rows(room: TestRoom, role: str = "auditor", **query: Any) -> list[dict[str, Any]]:
    answer = room.as_role(role).get("/api/bitacora.json", query_string=query)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["filas"])


def test_every_event_of_no_acta_has_its_words() -> None:
    assert set(KINDS) == set(EventKind) - OF_ACTAS


def test_the_three_sources_come_together_newest_first(room: TestRoom) -> None:
    _filled(room)
    rows = _rows(room)
    assert {row["clase"] for row in rows} == {
        "operacion", "cortes", "incidentes", "alertas", "accesos", "acciones"
    }  # fmt: skip
    assert [row["ms"] for row in rows] == sorted((row["ms"] for row in rows), reverse=True)
    note = next(row for row in rows if row["que"] == "Nota de incidente")
    assert (note["quien"], note["desde"], note["seq"]) == ("operador", "sala", 4)
    assert "va una cuadrilla" in note["texto"]
    opened = next(row for row in rows if row["que"] == "Incidente abierto")
    assert opened["texto"] == "enlace-1; «Sin enlace =SUMA(A1)»; CATD 1"


def test_pages_follow_one_another_without_losing_or_repeating_lines(room: TestRoom) -> None:
    _filled(room)
    whole = [row["id"] for row in _rows(room, clase="operacion,cortes,incidentes,alertas")]
    seen: list[str] = []
    before = ""
    for _ in range(20):
        answer = room.as_role("auditor").get(
            "/api/bitacora.json",
            query_string={"cuantos": 2, "antes_de": before, "clase": "operacion,cortes,incidentes,alertas"},
        )
        data = answer.get_json()
        seen += [row["id"] for row in data["filas"]]
        before = data["siguiente"]
        if before is None:
            break
    assert seen == whole
    assert len(whole) == 7


def test_a_filter_leaves_only_what_it_says(room: TestRoom) -> None:
    _filled(room)
    assert {row["clase"] for row in _rows(room, clase="alertas")} == {"alertas"}
    assert [row["que"] for row in _rows(room, texto="CUADRILLA", clase="incidentes")] == ["Nota de incidente"]
    assert {row["quien"] for row in _rows(room, quien="COORDINA", clase="cortes")} == {"coordinacion"}
    assert _rows(room, quien="nadie") == []
    assert all(row["ms"] >= START_MS + 100_000 for row in _rows(room, desde=START_MS + 100_000))
    assert all(row["ms"] <= START_MS + 60_000 for row in _rows(room, hasta=START_MS + 60_000))


@pytest.mark.parametrize(
    "query",
    [
        {"clase": "todo"},
        {"desde": "ayer"},
        {"desde": "999999999999999"},
        {"antes_de": "1.2"},
        {"cuantos": "0"},
        {"cuantos": "9999"},
    ],
)
def test_a_filter_that_will_not_do_is_told(query: dict[str, str], shared_room: TestRoom) -> None:
    assert shared_room.as_role("auditor").get("/api/bitacora.json", query_string=query).status_code == 400


def test_who_entered_from_where_is_only_for_who_may_export(room: TestRoom) -> None:
    _filled(room)
    assert "accesos" in {row["clase"] for row in _rows(room, "auditor")}
    assert "accesos" not in {row["clase"] for row in _rows(room, "operador")}
    assert _rows(room, "operador", clase="accesos") == []


def test_the_csv_holds_every_line_and_the_seal_of_the_ledger(room: TestRoom) -> None:
    _filled(room)
    shown = _rows(room, clase="operacion,cortes,incidentes,alertas")
    answer = room.as_role("coordinador").get(
        "/api/bitacora.csv", query_string={"clase": "operacion,cortes,incidentes,alertas"}
    )
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bitacora.csv"'
    text = answer.data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(shown) + 2
    with room.room.database.connect() as connection:
        table = schema.ledger.c
        hashes = {
            str(row.seq): bytes(row.hash).hex() for row in connection.execute(select(table.seq, table.hash))
        }
    assert rows[-1]["texto"] == f"Bitácora del motor hasta el evento 4; huella {hashes['4']}"
    assert {row["seq"]: row["huella"] for row in rows if row["seq"]} == hashes
    assert rows[0]["hora"] == "2021-06-05 18:03:00-06:00"
    assert ("exporta", "coordinador", "bitácora en csv") in room.log()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    assert safe_cell(f"{start}SUMA(A1)") == f"'{start}SUMA(A1)"
    assert safe_cell("un texto = normal") == "un texto = normal"


def test_a_formula_in_a_name_does_not_reach_the_csv(room: TestRoom) -> None:
    login(room.anonymous(), "=cmd|x", "no-es")
    answer = room.as_role("auditor").get("/api/bitacora.csv", query_string={"clase": "accesos"})
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0]["quien"] == "'=cmd|x"


def test_the_pdf_is_one_and_says_that_it_is_a_rehearsal(room: TestRoom) -> None:
    _filled(room)
    answer = room.as_role("auditor").get("/api/bitacora.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert answer.data.rstrip().endswith(b"%%EOF")
    assert len(answer.data) > 2_000


def _many_alerts(room: TestRoom, count: int) -> None:
    log_alerts(
        room.room.room_database,
        [
            {
                "ms": START_MS + n, "ms_real": 5, "alerta": f"A01:catd:{n}", "regla": "A01", "prioridad": 2,
                "que": "activa", "detalle": "sin señal desde hace rato", "catds": [n],
            }
            for n in range(count)
        ],
    )  # fmt: skip


def _without_compression(body: bytes) -> bytes:
    """The words of a PDF of this program: its streams are flate in ASCII85."""
    found = re.findall(rb"(?<!end)stream\r?\n(.*?)endstream", body, re.S)
    return b"".join(zlib.decompress(base64.a85decode(raw.strip().removesuffix(b"~>"))) for raw in found)


def test_a_long_pdf_holds_the_newest_says_what_it_leaves_out_and_is_quick(room: TestRoom) -> None:
    _many_alerts(room, MOST_IN_PDF + 321)
    begun = time.process_time()
    answer = room.as_role("auditor").get("/api/bitacora.pdf", query_string={"clase": "alertas"})
    # About two seconds of processor; tables of paragraphs took eight and more.
    assert time.process_time() - begun < 5
    words = _without_compression(answer.data).decode("latin-1")
    assert "Quedan fuera 321 m" in words
    assert "CSV" in words
    assert f"A01:catd:{MOST_IN_PDF + 320}:" in words
    assert "A01:catd:320:" not in words
    whole = room.as_role("auditor").get("/api/bitacora.csv", query_string={"clase": "alertas"})
    assert whole.data.count(b"A01:catd:") == MOST_IN_PDF + 321


def test_a_pdf_that_is_whole_says_nothing_of_what_is_left_out(room: TestRoom) -> None:
    _filled(room)
    answer = room.as_role("auditor").get("/api/bitacora.pdf")
    assert b"INCOMPLETA" not in _without_compression(answer.data)


def test_two_pdfs_are_not_made_at_once(room: TestRoom) -> None:
    with bitacora._one_pdf:
        answer = room.as_role("auditor").get("/api/bitacora.pdf")
        assert answer.status_code == 400
        assert "otro PDF" in answer.get_json()["error"]["mensaje"]
        assert room.as_role("auditor").get("/api/bitacora.csv").status_code == 200
    assert room.as_role("auditor").get("/api/bitacora.pdf").status_code == 200


def test_a_line_longer_than_a_page_of_the_pdf_is_all_there() -> None:
    word = "".join(chr(ord("a") + n % 26) for n in range(9_000))
    line = ("1", "hora", "", "incidentes", "Nota", "ana", "sala", f"{word} FIN", "")
    words = _without_compression(document("PREP", "simulacro", [line], ("hecho", "sello")))
    text = b"".join(re.findall(rb"\((.*?)\) Tj", words))
    assert b"FIN" in text
    assert word[-60:].encode() in text
    assert words.count("página".encode("latin-1")) + words.count(rb"p\341gina") >= 2


def test_from_where_somebody_acted_is_only_for_who_may_export(room: TestRoom) -> None:
    _filled(room)
    assert {row["desde"] for row in _rows(room, "auditor", clase="acciones")} == {"127.0.0.1"}
    assert {row["desde"] for row in _rows(room, "operador", clase="acciones")} == {""}
    assert _rows(room, "operador", clase="acciones", texto="127.0.0") == []


def test_an_event_that_cannot_be_read_is_met_again_and_never_skipped(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LedgerLog(room.room.database, room.room.catalog)
    read = event_text

    def broken(kind: EventKind, *more: Any) -> str:
        if kind is EventKind.INCIDENT_OPENED:
            raise ValueError("no se entiende")
        return read(kind, *more)

    monkeypatch.setattr(bitacora, "event_text", broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="no se entiende"):
            log.entries()
    monkeypatch.undo()
    assert [entry.seq for entry in log.entries()] == [1, 2, 3]


def test_new_events_appear_without_reading_the_ledger_again(room: TestRoom) -> None:
    before = len(_rows(room, clase="incidentes"))
    room.as_role("operador").done("atender_incidente", incidente="enlace-1")
    after = _rows(room, clase="incidentes")
    assert len(after) == before + 1
    assert after[0]["que"] == "Incidente atendido"


def test_two_who_open_the_log_at_once_do_not_double_it(room: TestRoom) -> None:
    log = LedgerLog(room.room.database, room.room.catalog)
    together = threading.Barrier(4)

    def read(_: int) -> int:
        together.wait()
        return len(log.entries())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    places = [entry.seq for entry in log.entries()]
    assert len(places) == len(set(places))
