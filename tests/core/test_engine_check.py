"""`prep comprobar` finds what somebody changed by hand, and names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.domain.commands import Choice
from core.domain.events import EventKind
from core.operations.check import Check, check
from core.operations.check_findings import CHECKS, MAX_FINDINGS, Findings
from core.operations.verb_check import VERB
from core.storage.database import connect, open_existing
from core.storage.reading import ledger_events, reading
from core.storage.store import OtherElectionError
from tests.conftest import Prep
from tests.core.domain.small import CATALOG, END, MINUTE, START, Orders, open_engine, sha, votes

NOW = START + 5 * MINUTE


def _night(url: str) -> None:
    """A small night: four actas with a value, one sin acta, two outside of which one was identified."""
    orders = Orders()
    engine = open_engine(url)
    for command in (
        orders.open(), *orders.agreed(0), *orders.disputed(1), orders.resolve(1, Choice.SECOND),
        orders.sin_acta(2, supervisor="sara"), orders.receive_outside("x"), orders.receive_outside("y"),
        orders.identify(3, 1), orders.capture(3, "ana"), orders.capture(3, "beto"), orders.cut(1, 18),
        orders.request_recall(0), *orders.agreed(5, votes(5, 900)), orders.receive(0),
        orders.capture(1, "x"), orders.collate(1), orders.approve_recall(0),
    ):  # fmt: skip
        engine.execute([command], NOW)
    engine._store.close()
    engine._store.database.dispose()


@pytest.fixture
def base(tmp_path: Path) -> str:
    url = str(tmp_path / "base.db")
    _night(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    url = str(tmp_path / "base.db")
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    _night(url)
    yield url


def tamper(url: str, *statements: str) -> None:
    """Run statements as somebody with the password of the database would: triggers out of the way first."""
    database = connect(url)
    with database.begin() as connection:
        if connection.dialect.name == "sqlite":
            triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for (name,) in triggers.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.exec_driver_sql(statement)
    database.dispose()


def checked(url: str) -> Check:
    database = open_existing(url)
    try:
        return check(database)
    finally:
        database.dispose()


def seq_of(url: str, kind: EventKind, acta: int | None = None) -> int:
    """First event of a kind (and acta)."""
    database = connect(url)
    with reading(database) as connection:
        found = next(s for s, e, _ in ledger_events(connection) if e.kind is kind and e.acta == acta)
    database.dispose()
    return found


def named(found: Check) -> set[tuple[str, str, str, str]]:
    """(code, table, key, column) of what was found."""
    return {(f.code, f.table, f.key, f.column) for f in found.findings.listed}


def key(acta: int) -> str:
    return CATALOG.actas[acta].key


def test_an_untouched_night_is_correct(either: str) -> None:
    found = checked(either)
    assert [f.message for f in found.findings.listed] == []
    assert found.correct
    assert found.actas == 9
    header = found.counters["GUB"].as_header()
    assert (header["ACTAS_ESPERADAS"], header["ACTAS_REGISTRADAS"], header["ACTAS_FUERA_CATALOGO"]) == (
        "5", "4", "1",
    )  # fmt: skip
    assert header["TOTAL_VOTOS_C_CS"] == str(83 + 71)
    assert found.counters["AYUN"].as_header()["ACTAS_NO_CONTABILIZADAS"] == "1"


def test_a_vote_changed_in_a_result_is_named_with_its_acta_and_column(either: str) -> None:
    tamper(either, "UPDATE result SET v01 = 9999 WHERE acta = 3")
    found = checked(either)
    assert ("K12", "result", key(3), "v01") in named(found)
    assert ("K18", "result", "GUB", "PRI") in named(found)
    finding = next(f for f in found.findings.listed if f.code == "K12")
    assert (finding.expected, finding.found) == ("30", "9999")
    for part in ("result", key(3), "v01", "«30»", "«9999»"):
        assert part in finding.message


def test_a_status_changed_in_an_acta_is_named(either: str) -> None:
    tamper(either, "UPDATE acta SET status = 'esperada' WHERE id = 5")
    found = checked(either)
    assert ("K10", "acta", key(5), "status") in named(found)
    assert {f.key for f in found.findings.listed if f.code == "K19"} == {"verificada", "esperada"}


def test_an_event_changed_in_the_ledger_is_named_and_so_is_what_follows_from_it(either: str) -> None:
    seq = seq_of(either, EventKind.ACTA_CAPTURED, 3)
    tamper(either, f"UPDATE ledger SET data = replace(data, '[40,30,', '[41,30,') WHERE seq = {seq}")
    found = named(checked(either))
    assert ("K02", "ledger", str(seq), "hash") in found
    assert [f for f in found if f[0] == "K02"] == [("K02", "ledger", str(seq), "hash")]
    assert ("K09", "ledger", str(seq_of(either, EventKind.ACTA_VERIFIED, 3)), "chosen") in found


def test_a_change_that_keeps_the_meaning_of_the_json_is_still_found(base: str) -> None:
    tamper(base, "UPDATE ledger SET data = replace(data, ',', ', ') WHERE seq = 2")
    assert named(checked(base)) == {("K02", "ledger", "2", "hash")}


@pytest.mark.parametrize("column", ["actor", "station", "at", "recorded_at", "device_at"])
def test_no_column_of_an_event_can_be_changed_unseen(base: str, column: str) -> None:
    value = "'otra'" if column in ("actor", "station") else str(NOW + 1)
    tamper(base, f"UPDATE ledger SET {column} = {value} WHERE seq = 2")
    assert ("K02", "ledger", "2", "hash") in named(checked(base))


def test_a_ledger_row_deleted_is_named(either: str) -> None:
    seq = seq_of(either, EventKind.ACTA_DIGITIZED, 0)
    tamper(either, f"DELETE FROM ledger WHERE seq = {seq}")
    found = checked(either)
    assert ("K01", "ledger", str(seq), "seq") in named(found)
    assert ("K04", "ledger", str(seq + 1), "kind") in named(found)
    # The rest of the chain is not accused.
    assert not [f for f in found.findings.listed if f.code == "K02"]


def test_the_end_of_the_ledger_cannot_be_cut_off_unseen(base: str) -> None:
    last = checked(base).events
    tamper(base, f"DELETE FROM ledger WHERE seq = {last}")
    found = checked(base)
    assert ("K10", "acta", key(0), "seq") in named(found)
    assert any(f.code == "K16" and f.table == "command" for f in found.findings.listed)


def test_two_ledger_rows_swapped_are_named(either: str) -> None:
    tamper(
        either,
        "UPDATE ledger SET seq = -1 WHERE seq = 2",
        "UPDATE ledger SET seq = 2 WHERE seq = 3",
        "UPDATE ledger SET seq = 3 WHERE seq = -1",
    )
    found = named(checked(either))
    assert {("K02", "ledger", "2", "hash"), ("K02", "ledger", "3", "hash")} <= found


def test_a_verdict_that_the_rules_do_not_give_is_named(either: str) -> None:
    seq = seq_of(either, EventKind.ACTA_VERIFIED, 5)
    tamper(
        either,
        "UPDATE ledger SET data = replace(data, '\"contabilizada\":false', '\"contabilizada\":true') "
        f"WHERE seq = {seq}",
    )
    found = named(checked(either))
    assert {("K08", "ledger", str(seq), "contabilizada"), ("K02", "ledger", str(seq), "hash")} <= found
    assert ("K12", "result", key(5), "contabilizada") in found


def test_a_result_added_is_named(either: str) -> None:
    tamper(
        either,
        "INSERT INTO result (acta, contabilizada, inconsistent, codes, total, mechanism, origin, medium, "
        "document, image_hash, cotejada, marks, v00) SELECT 7, contabilizada, inconsistent, codes, total, "
        "mechanism, origin, medium, document, image_hash, cotejada, marks, v00 FROM result WHERE acta = 1",
    )
    found = checked(either)
    assert ("K13", "result", key(7), "acta") in named(found)
    assert ("K17", "result", "AYUN", "ACTAS_CAPTURADAS") in named(found)


def test_a_result_taken_away_is_named(base: str) -> None:
    tamper(base, "DELETE FROM result WHERE acta = 1")
    assert ("K13", "result", key(1), "acta") in named(checked(base))


def test_an_image_given_to_another_acta_is_named(either: str) -> None:
    tamper(either, f"UPDATE image SET acta = 8 WHERE contest = 'GUB' AND sha256 = '{sha(1)}'")
    found = checked(either)
    assert named(found) == {("K15", "image", sha(1), "acta")}
    assert (found.findings.listed[0].expected, found.findings.listed[0].found) == ("1", "8")


MORE: list[tuple[str, str, tuple[str, str, str, str]]] = [
    ("an image taken away", f"DELETE FROM image WHERE sha256 = '{sha(1)}'", ("K15", "image", sha(1), "acta")),
    ("an image added", "INSERT INTO image VALUES ('GUB', 'abc', 4)", ("K15", "image", "abc", "acta")),
    ("outside no longer identified", "UPDATE outside SET identified_as = NULL WHERE id = 1",
     ("K14", "outside", "1", "identified_as")),
    ("outside added", "INSERT INTO outside VALUES (9, 'GUB', '', 'CATD', 'MOVIL', 'CC', 'x', 0, NULL)",
     ("K14", "outside", "9", "id")),
    ("outside taken away", "DELETE FROM outside WHERE id = 2", ("K14", "outside", "2", "id")),
    ("a time changed", "UPDATE acta SET verified_at = 1 WHERE id = 1",
     ("K10", "acta", key(1), "verified_at")),
    ("an acta moved to another distrito", "UPDATE acta SET distrito = 2 WHERE id = 0",
     ("K11", "acta", key(0), "distrito")),
    ("an acta taken away", "DELETE FROM acta WHERE id = 6", ("K11", "acta", key(6), "id")),
    ("the mode erased", "DELETE FROM meta WHERE key = 'mode'", ("K20", "meta", "mode", "value")),
    ("another fingerprint", "UPDATE meta SET value = 'x' WHERE key = 'catalog'",
     ("K20", "meta", "catalog", "fingerprint")),
    ("a command taken away", "DELETE FROM command WHERE key = 'k2'", ("K16", "ledger", "2", "seq")),
    ("a command that claims another's event", "UPDATE command SET seq_first = 1 WHERE key = 'k2'",
     ("K16", "command", "k2", "seq_first")),
    ("a refused command with events",
     "UPDATE command SET seq_first = 1 WHERE refusal IS NOT NULL", ("K16", "command", "k24", "seq_first")),
    ("an unknown kind of event", "UPDATE ledger SET kind = 'acta_painted' WHERE seq = 3",
     ("K03", "ledger", "3", "data")),
    ("data that is not JSON", "UPDATE ledger SET data = '{' WHERE seq = 3", ("K03", "ledger", "3", "data")),
    ("data with other keys", "UPDATE ledger SET data = '{}' WHERE seq = 3", ("K03", "ledger", "3", "data")),
    ("an event of no acta", "UPDATE ledger SET acta = 77 WHERE seq = 3", ("K04", "ledger", "3", "acta")),
    ("an event outside the period", "UPDATE ledger SET at = 5 WHERE seq = 2", ("K05", "ledger", "2", "at")),
    ("an event before opening", "UPDATE ledger SET kind = 'acta_collated', acta = 4, "
     "data = '{\"cotejada\":1}' WHERE seq = 1", ("K05", "ledger", "1", "kind")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statement", "wanted"), MORE, ids=[row[0] for row in MORE])
def test_any_other_change_is_named_too(
    base: str, what: str, statement: str, wanted: tuple[str, str, str, str]
) -> None:
    tamper(base, statement)
    assert wanted in named(checked(base))


def _rewrite(url: str, statement: str) -> None:
    """Change the ledger and chain it again: what only the rules of the election can find."""
    from core.storage import schema
    from core.storage.store import EVENTS, GENESIS, chain

    tamper(url)
    database = connect(url)
    with database.begin() as connection:
        connection.exec_driver_sql(statement)
        digest = GENESIS
        for row in connection.execute(EVENTS.order_by(schema.ledger.c.seq)).all():
            digest = chain(digest, row[:9])
            connection.execute(
                schema.ledger.update().where(schema.ledger.c.seq == row[0]).values(hash=digest)
            )
    database.dispose()


@pytest.mark.parametrize(
    ("kind", "acta", "column", "change"),
    [
        (
            EventKind.ACTA_CAPTURED,
            0,
            "actor",
            "UPDATE ledger SET actor = 'ana' WHERE actor = 'beto' AND acta = 0",
        ),
        (EventKind.ACTA_VERIFIED, 0, "chosen", "UPDATE ledger SET actor = 'ana' WHERE acta = 0"),
        (EventKind.ACTA_VERIFIED, 1, "actor", "UPDATE ledger SET actor = 'ana' WHERE actor = 'resuelve'"),
        (EventKind.RECALL_APPROVED, 0, "actor", "UPDATE ledger SET actor = 'pide' WHERE actor = 'aprueba'"),
        (EventKind.ACTA_COLLATED, 1, "actor", "UPDATE ledger SET actor = 'beto' WHERE actor = 'coteja'"),
        (
            EventKind.SIN_ACTA_MARKED,
            2,
            "supervisor",
            "UPDATE ledger SET actor = 'sara' WHERE actor = 'marca'",
        ),
    ],
)
def test_a_person_who_agreed_with_himself_is_named_even_in_a_ledger_chained_again(
    base: str, kind: EventKind, acta: int, column: str, change: str
) -> None:
    _rewrite(base, change)
    found = checked(base)
    assert not [f for f in found.findings.listed if f.code == "K02"]
    seqs = {f.key for f in found.findings.listed if (f.code, f.column) == ("K07", column)}
    database = connect(base)
    with reading(database) as connection:
        of_kind = {str(s) for s, e, _ in ledger_events(connection) if (e.kind, e.acta) == (kind, acta)}
    database.dispose()
    assert seqs & of_kind


def test_a_cut_out_of_order_is_named(base: str) -> None:
    seq = seq_of(base, EventKind.CUT_PUBLISHED)
    change = f"UPDATE ledger SET data = replace(data, '\"seq_high\":18', '\"seq_high\":99') WHERE seq = {seq}"
    _rewrite(base, change)
    assert ("K06", "ledger", str(seq), "seq_high") in named(checked(base))


def test_an_incident_resolved_without_having_been_opened_is_named(base: str) -> None:
    seq = seq_of(base, EventKind.CUT_PUBLISHED)
    data = '{"incident":"i9","remedy":""}'
    _rewrite(base, f"UPDATE ledger SET kind = 'incident_resolved', data = '{data}' WHERE seq = {seq}")
    assert ("K21", "ledger", str(seq), "incident") in named(checked(base))


ROOM_TAMPERED = [
    (
        "K21", "incident", """kind = 'incident_closed', data = replace(data, '{', '{"cause":"x",')""",
        "incident_attended",
    ),
    ("K21", "incident", """"at" = "at" - 1""", "incident_attended"),
    ("K22", "activation", """"at" = "at" - 1""", "measure_step_done"),
    ("K22", "activation", """data = replace(data, '"step":1', '"step":7')""", "measure_step_done"),
    ("K22", "kind", """data = replace(data, 'Traslado', 'Otra cosa')""", "measure_applied"),
    ("K22", "until", """data = replace(data, '"until":1', '"until":9')""", "alert_silenced"),
    ("K07", "actor", """actor = 'coordina'""", "measure_proposed"),
    ("K05", "at", """"at" = "at" + 999999999""", "measure_ended"),
    (
        "K05", "kind", """kind = 'measure_authorised', data = '{"activation":"a1","active_at":1}'""",
        "incident_noted",
    ),
    ("K03", "data", """data = replace(data, '"i1"', '[1]')""", "incident_attended"),
]  # fmt: skip
"""Code, column, and what somebody sets in the rows of a kind."""


@pytest.fixture
def acted(tmp_path: Path) -> str:
    """A base whose control room attended an incident, applied a measure and silenced a rule."""
    url = str(tmp_path / "sala.db")
    orders = Orders()
    engine = open_engine(url)
    for command in (
        orders.open(), orders.incident(), orders.attend(), orders.propose(), orders.authorise(),
        orders.step(step=1), orders.silence(), orders.resolve_incident(), orders.close(at=END),
        orders.end_measure(at=END + 1), orders.note(at=END + 2),
    ):  # fmt: skip
        assert engine.execute([command], END)[0].accepted, command
    engine._store.close()
    engine._store.database.dispose()
    return url


def test_what_the_control_room_did_is_correct_also_after_the_closing(acted: str) -> None:
    assert not named(checked(acted))


@pytest.mark.parametrize(("code", "column", "change", "kind"), ROOM_TAMPERED)
def test_what_the_control_room_could_not_have_done_is_named(
    acted: str, code: str, column: str, change: str, kind: str
) -> None:
    _rewrite(acted, f"UPDATE ledger SET {change} WHERE kind = '{kind}'")
    assert (code, column) in {(found, place) for found, _, _, place in named(checked(acted))}


def test_a_dispute_settled_by_nobody_is_named(base: str) -> None:
    seq = seq_of(base, EventKind.ACTA_VERIFIED, 1)
    change = f"UPDATE ledger SET data = replace(data, 'resolucion', 'capricho') WHERE seq = {seq}"
    _rewrite(base, change)
    assert ("K09", "ledger", str(seq), "basis") in named(checked(base))


def test_a_check_changes_nothing(base: str) -> None:
    before = Path(base).read_bytes()
    checked(base)
    assert Path(base).read_bytes() == before


def test_a_base_without_an_election_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    from core.storage.database import open_database

    url = str(tmp_path / "vacia.db")
    open_database(url).dispose()
    with pytest.raises(OtherElectionError, match="no tiene catálogo"):
        checked(url)


def test_findings_without_end_are_counted_and_only_some_are_kept() -> None:
    findings = Findings()
    for number in range(MAX_FINDINGS + 5):
        findings.add("K12", "result", number, "v00", 1, 2)
    assert (findings.total, len(findings.listed)) == (MAX_FINDINGS + 5, MAX_FINDINGS)


def test_the_command_answers_in_json_with_exit_0_or_1(base: str, prep: Prep) -> None:
    done = prep("comprobar", "--base", base, "--json", "--silencio")
    data: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, data["correcta"], data["hallazgos"]) == (0, True, [])
    assert set(data) >= {"eventos", "actas", "contiendas", "huella_bitacora", "segundos"}
    assert len(data["contiendas"]["GUB"]) == 13
    assert len(data["huella_bitacora"]) == 64
    tamper(base, "UPDATE result SET v01 = 9999 WHERE acta = 3")
    done = prep("comprobar", "--base", base, "--json", "--silencio")
    data = json.loads(done.stdout)
    assert (done.returncode, data["correcta"]) == (1, False)
    first = data["hallazgos"][0]
    assert set(first) == {"codigo", "tabla", "clave", "columna", "esperado", "encontrado", "mensaje"}
    assert (first["codigo"], first["tabla"], first["clave"], first["columna"]) == (
        "K12",
        "result",
        key(3),
        "v01",
    )


def test_the_command_tells_a_person_what_is_wrong(base: str, prep: Prep) -> None:
    tamper(base, "UPDATE acta SET status = 'esperada' WHERE id = 5")
    done = prep("comprobar", "--base", base)
    assert done.returncode == 1
    assert "La base NO es correcta" in done.stdout
    assert key(5) in done.stdout
    assert "Relectura de la bitácora" in done.stderr


def test_a_base_that_is_not_there_is_bad_input(prep: Prep) -> None:
    done = prep("comprobar", "--base", "no-hay.db")
    assert done.returncode == 2
    assert "No existe la base" in done.stderr


def test_every_code_has_a_title_and_the_verb_is_the_declared_one() -> None:
    assert list(CHECKS) == [f"K{number:02d}" for number in range(1, len(CHECKS) + 1)]
    assert VERB.name == "comprobar"
