"""The exported log says what the ledger says, in words other people's libraries read."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from core.domain.commands import Choice
from core.domain.events import EventKind
from core.domain.holding import PUBLICATION_EVENTS
from core.domain.operation import ROOM_EVENTS
from core.engine import Engine
from core.operations.event_log import COLUMNS, ENDS, QUEUES, WORDS, write_animation, write_csv, write_xes
from core.storage.reading import ledger_events, reading
from tests.conftest import Prep
from tests.core.domain.small import MINUTE, START, Orders, open_engine

XES = "{http://www.xes-standard.org/}"
NOW = START + 5 * MINUTE


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(str(tmp_path / "base.db"))
    orders = Orders()
    for command in (
        orders.open(), *orders.agreed(0), *orders.disputed(1), orders.resolve(1, Choice.FIRST),
        orders.sin_acta(3), orders.incident(), orders.receive_outside("x"), orders.receive(0),
    ):  # fmt: skip
        assert engine.execute([command], NOW)[0].accepted
    yield engine
    engine._store.close()
    engine._store.database.dispose()


def of_actas(engine: Engine) -> Counter[tuple[int, str]]:
    with reading(engine._store.database) as connection:
        return Counter(
            (event.acta, WORDS[event.kind])
            for _, event, _ in ledger_events(connection)
            if event.acta is not None
        )


def test_the_csv_has_every_event_of_every_acta_once(engine: Engine, tmp_path: Path) -> None:
    written = write_csv(engine._store.database, tmp_path / "noche.csv")
    with (tmp_path / "noche.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert Counter((int(r["case:concept:name"].split("/")[-1]), r["concept:name"]) for r in rows) == of_actas(
        engine
    )
    assert (written.events, written.actas) == (len(rows), 3)
    times = {datetime.fromisoformat(row["time:timestamp"]) for row in rows}
    assert all(at.utcoffset() is not None for at in times)
    assert {at.timestamp() * 1000 for at in times} == {START + MINUTE}


def test_the_xes_has_a_trace_per_acta_with_its_events_in_order(engine: Engine, tmp_path: Path) -> None:
    write_xes(engine._store.database, tmp_path / "noche.xes")
    root = ElementTree.parse(tmp_path / "noche.xes").getroot()
    assert root.tag == f"{XES}log"
    found: Counter[tuple[int, str]] = Counter()
    traces = root.findall(f"{XES}trace")
    for trace in traces:
        named = {one.get("key"): one.get("value") for one in trace.findall(f"{XES}string")}
        acta = int(str(named["concept:name"]).split("/")[-1])
        activities = [
            str(one.get("value"))
            for event in trace.findall(f"{XES}event")
            for one in event
            if one.get("key") == "concept:name"
        ]
        found.update((acta, activity) for activity in activities)
        if acta == 1:
            assert activities[-2:] == ["diferencia", "verificacion"]
    assert found == of_actas(engine)
    assert len(traces) == 3


def test_every_acta_arrives_once_waits_and_departs_when_it_is_registered(
    engine: Engine, tmp_path: Path
) -> None:
    write_animation(engine._store.database, tmp_path / "colas.csv")
    with (tmp_path / "colas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    arrivals = [row["entity_id"] for row in rows if row["event"] == "arrival"]
    departures = [row["entity_id"] for row in rows if row["event"] == "depart"]
    assert sorted(arrivals) == sorted(set(arrivals)) == sorted(departures)
    assert {row["event_type"] for row in rows} == {"arrival_departure", "queue"}
    assert {row["time"] for row in rows} == {"60.000"}


def test_the_same_ledger_gives_the_same_compressed_bytes(engine: Engine, tmp_path: Path) -> None:
    for name in ("a.xes.gz", "b.xes.gz"):
        write_xes(engine._store.database, tmp_path / name)
    assert (tmp_path / "a.xes.gz").read_bytes() == (tmp_path / "b.xes.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.xes.gz").read_bytes()).startswith(b"<?xml")


def test_every_event_of_an_acta_has_a_word() -> None:
    whole = {
        EventKind.OPERATION_OPENED, EventKind.OPERATION_CLOSED, EventKind.OUTSIDE_RECEIVED,
        EventKind.CUT_PUBLISHED, EventKind.CUT_REFUSED, *PUBLICATION_EVENTS, *ROOM_EVENTS,
    }  # fmt: skip
    assert set(WORDS) == set(EventKind) - whole
    assert set(QUEUES) | set(ENDS) <= set(WORDS)


def test_the_verb_writes_a_file_and_never_over_another(engine: Engine, prep: Prep, tmp_path: Path) -> None:
    engine._store.close()
    base = tmp_path / "base.db"
    done = prep("exportar", "--base", base, "--salida", "noche.csv", "--formato", "csv", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["eventos"] == sum(of_actas(engine).values())
    before = (tmp_path / "noche.csv").read_bytes()
    again = prep("exportar", "--base", base, "--salida", "noche.csv")
    assert again.returncode == 2
    assert (tmp_path / "noche.csv").read_bytes() == before
    assert "no existe" in prep("exportar", "--base", "otra.db", "--salida", "x.csv").stderr.lower()
    assert not (tmp_path / "x.csv").exists()
