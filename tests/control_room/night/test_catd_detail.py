"""What a CATD still owes, read from a real database of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import insert, update

from control_room.night.catd_detail import LAST_PULSES, casilla_name, catd_detail
from core.domain.catalog import Casilla
from core.storage import schema
from core.storage.reading import reading
from tests.core.domain.small import CATALOG, MINUTE, START, Orders, open_engine

NOW = START + 30 * MINUTE


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Casillas 0 to 2 are of CATD 0: one finished, one half way, one with a sin acta and nothing else."""
    engine = open_engine(str(tmp_path / "base.db"))
    orders = Orders()
    commands = [
        orders.open(),
        *orders.agreed(0),
        *orders.agreed(5),
        orders.receive(1),
        *orders.disputed(6),
        orders.sin_acta(2),
    ]
    for answer in engine.execute(commands, NOW):
        assert answer.accepted, answer.detail
    published = orders.cut(1, engine.execute([orders.receive(3)], NOW)[0].seq_last or 0)
    assert engine.execute([published], NOW)[0].accepted
    store_database: Database = engine._store.database
    return store_database


def detail(database: Database, catd: int) -> dict[str, Any]:
    with reading(database) as connection:
        return catd_detail(connection, CATALOG, catd, NOW)


def test_each_casilla_says_what_each_of_its_actas_waits_for(database: Database) -> None:
    found = detail(database, 0)
    assert [(one["casilla"], one["actas"]) for one in found["faltan"]] == [
        ("140001S0100", {"GUB": None, "AYUN": "acopio"}),
        ("140001C0100", {"GUB": "digitalizacion", "AYUN": "resolucion"}),
    ]
    assert [one["falta"] for one in found["faltan"]] == ["acopio", "digitalizacion"]
    assert found["por_etapa"] == {
        "acopio": 1, "digitalizacion": 1, "captura": 0, "resolucion": 1, "publicacion": 0,
    }  # fmt: skip
    assert (found["casillas"], found["casillas_completas"], found["sin_acta"]) == (3, 1, 1)


@pytest.mark.parametrize(("finished", "owing"), [("GUB", "AYUN"), ("AYUN", "GUB")])
def test_a_casilla_with_two_actas_of_a_contest_owes_what_either_owes(
    database: Database, finished: str, owing: str
) -> None:
    """An especial has one of each principle; the one that is read last does not hide the other."""
    with database.begin() as connection:
        mine = update(schema.acta).where(schema.acta.c.casilla == 2)
        connection.execute(mine.where(schema.acta.c.contest == finished).values(status="publicada"))
        connection.execute(mine.where(schema.acta.c.contest == owing).values(status="esperada"))
        connection.execute(mine.values(contest="GUB"))
    (row,) = [one for one in detail(database, 0)["faltan"] if one["casilla"] == "140001S0100"]
    assert (row["actas"], row["falta"]) == ({"GUB": "acopio"}, "acopio")


def test_an_acta_that_is_verified_waits_for_its_cut(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "base.db"))
    orders = Orders()
    engine.execute([orders.open(), *orders.agreed(0)], NOW)
    with reading(engine._store.database) as connection:
        found = catd_detail(connection, CATALOG, 0, NOW)
    assert found["por_etapa"]["publicacion"] == 1


def test_another_catd_has_only_its_own_casillas(database: Database) -> None:
    found = detail(database, 1)
    assert {one["casilla"] for one in found["faltan"]} == {"140002B0100", "140000A0100"}
    assert found["distrito"] == {"id": 2, "nombre": "DOS"}
    assert [event["acta"] for event in found["movimientos"]] == ["140002B010002"]


def test_the_last_movements_are_one_for_each_acta_the_last_first_and_name_nobody(database: Database) -> None:
    events = detail(database, 0)["movimientos"]
    assert [event["clase"] for event in events] == [
        "sin_acta_marked", "acta_disputed", "acta_received", "acta_verified", "acta_verified",
    ]  # fmt: skip
    assert not {"ana", "beto"} & {str(value) for event in events for value in event.values()}


def test_heartbeats_come_oldest_first_and_only_the_last_hour(database: Database) -> None:
    rows = [
        {"catd": 0, "at": START + n * MINUTE, "recorded_at": START + n * MINUTE, "link": 100, "waiting": n,
         "staff": '{"acopiadores":2}'}
        for n in range(LAST_PULSES + 5)
    ]  # fmt: skip
    with database.begin() as connection:
        connection.execute(insert(schema.pulse), rows)
    pulses = detail(database, 0)["pulsos"]
    assert [pulses[0]["en_enlace"], pulses[-1]["en_enlace"], len(pulses)] == [5, LAST_PULSES + 4, LAST_PULSES]
    assert pulses[-1]["personal"] == {"acopiadores": 2}
    assert detail(database, 1)["pulsos"] == []


@pytest.mark.parametrize("catd", [-1, 2])
def test_a_catd_that_does_not_exist_is_told(database: Database, catd: int) -> None:
    with pytest.raises(LookupError):
        detail(database, catd)


@pytest.mark.parametrize(
    ("tipo", "seccion", "numero", "ext", "name"),
    [
        ("B", 24, 1, 0, "Sección 24, Básica"),
        ("C", 24, 2, 0, "Sección 24, Contigua 2"),
        ("E", 24, 1, 0, "Sección 24, Extraordinaria 1"),
        ("E", 24, 1, 3, "Sección 24, Extraordinaria 1 Contigua 3"),
        ("S", 24, 1, 0, "Sección 24, Especial 1"),
        ("A", None, 1, 0, "Voto anticipado"),
    ],
)
def test_a_casilla_is_named_as_people_say_it(
    tipo: str, seccion: int | None, numero: int, ext: int, name: str
) -> None:
    assert casilla_name(Casilla(0, "k", seccion, tipo, numero, ext, 1, 1, 1, 1, 1, 0)) == name
