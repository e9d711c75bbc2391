"""Witnesses and timestamps around the real service: what comes is published, and nothing is waited for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from core.engine import Engine
from core.publication.public_tree import public_keys
from core.publishing.config import Config
from core.publishing.due import MINUTE_MS
from core.publishing.service import Service
from core.publishing.watchdog import Watchdog
from core.publishing.worker import WorkerConfig, rehearsal_of, signing_key
from core.transparency.keys import SigningKey, WitnessKey
from core.transparency.notes import parse_note, witnesses_of
from core.transparency.timestamps import StampError, check, read, request
from core.verification import verificar
from core.witness.attestors import Attestors, Patience
from core.witness.client import WitnessAddress
from tests.core.domain.small import CATALOG, START, Orders, open_engine
from tests.core.witness.servers import dead_witness, slow_witness, witness_at
from tests.core.witness.tsa import authority, make, openssl

QUARTER = 15 * MINUTE_MS
KEY = signing_key(CATALOG, "simulacro", rehearsal=rehearsal_of(CATALOG, START))
HASTE = Patience(timeout_s=2.0, first_retry_s=0.05, last_retry_s=0.2)


class Office:
    """The service of a small night with its witnesses; `now` is the clock."""

    def __init__(self, folder: Path, witnesses: list[WitnessAddress], tsa: str | None = None) -> None:
        self.folder = folder / "publicacion"
        self.folder.mkdir()
        base = str(folder / "prep.db")
        self.engine: Engine = open_engine(base)
        self.orders = Orders()
        self.now = START
        self.attestors = Attestors(self.folder, witnesses, threshold=2, tsa=tsa, patience=HASTE)
        listed = tuple((one.name, one.verifier.vkey) for one in witnesses)
        self.service = Service(
            Config(base=base, trabajo=self.folder), self.engine._store.database, "simulacro", self.folder,
            Watchdog(WorkerConfig(base, self.folder, "simulacro", witnesses=listed, threshold=2)),
            lambda: self.now, lambda *_: None, attestors=self.attestors,
        )  # fmt: skip
        (answer,) = self.engine.execute([self.orders.open()], self.now)
        assert answer.accepted

    def tick(self, at: int) -> dict[str, Any]:
        self.now = at
        self.service.tick()
        found: dict[str, Any] = json.loads((self.folder / "publicador.json").read_bytes())
        return found

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Tick, a second later each time, until the state is such."""
        limit = monotonic() + 20
        while True:
            state = self.tick(self.now + 1000)
            if holds(state):
                return state
            assert monotonic() < limit, state
            sleep(0.02)

    def pointer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "corte.json").read_bytes())
        return found

    def close(self) -> None:
        self.service.close()
        self.attestors.close()
        self.engine._store.close()
        self.engine._store.database.dispose()


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(*arguments: Any) -> Office:
        made.append(Office(tmp_path, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_one_witness_signs_one_is_dead_and_one_slow_and_the_cut_does_not_wait(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    with witness_at(tmp_path, "bueno.mx", KEY.verifier) as good, slow_witness("lento.mx") as slow:
        office = offices([good, dead_witness("muerto.mx"), slow])
        office.tick(START)
        began = monotonic()
        office.tick(START + QUARTER)
        # Neither of the others would have answered yet.
        assert monotonic() - began < HASTE.timeout_s
        pointer = office.pointer()
        assert (pointer["corte"], pointer["testigos"]["de"]) == (2, 3)
        state = office.until(lambda _: office.pointer()["testigos"]["con"] == 1)
        state = office.until(
            lambda told: (
                [one["estado"] for one in told["testigos"]["detalle"]]
                == ["firmo", "sin_respuesta", "sin_respuesta"]
            )
        )
    assert (state["testigos"]["de"], state["testigos"]["con"], state["alarmas"]) == (3, 1, [])
    assert office.pointer()["siguiente_ms"] == pointer["siguiente_ms"]
    note = parse_note((office.folder / "checkpoint").read_bytes())
    assert witnesses_of(note, [good.verifier]) == ["bueno.mx"]
    listed = json.loads((office.folder / "llaves.json").read_bytes())["testigos"]
    assert [one["nombre"] for one in listed] == ["bueno.mx", "muerto.mx", "lento.mx"]
    report = verificar.Verifier(verificar.DirSource(office.folder), verificar.Options()).run()
    (step,) = [one for one in report.steps if one.key == "testigos"]
    assert report.verified and step.result == "aviso" and "1 de 3 testigos cofirmaron" in step.detail


def test_each_cut_is_cosigned_again_and_a_new_process_takes_up_what_was_signed(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    with witness_at(tmp_path, "a.mx", KEY.verifier) as one, witness_at(tmp_path, "b.mx", KEY.verifier) as two:
        office = offices([one, two])
        for cut in range(3):
            office.tick(START + cut * QUARTER)
            office.until(lambda _: office.pointer()["testigos"] == {"de": 2, "con": 2})
        assert office.pointer()["corte"] == 3
        again = Attestors(office.folder, [one, two], patience=HASTE)
        assert again.drain(5.0)
        assert again.witness_states()["con"] == 2
        again.close()


def test_a_witness_that_signed_another_story_is_an_alarm_and_the_cuts_go_on(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    from core.transparency.entries import Apertura
    from core.transparency.log import EmissionLog
    from core.witness.client import cosign

    with witness_at(tmp_path, "a.mx", KEY.verifier) as one:
        other = EmissionLog(tmp_path / "otra", KEY, durable=False)
        other.append(Apertura("simulacro", KEY.origin, 9, "otra", "0" * 64).encode())
        get = lambda name: (tmp_path / "otra" / name).read_bytes()  # noqa: E731
        cosign(one, parse_note(other.checkpoint()), get)
        office = offices([one])
        office.tick(START)
        state = office.until(lambda told: bool(told["alarmas"]))
        assert [alarm["clave"] for alarm in state["alarmas"]] == ["testigo_en_conflicto"]
        assert "no continúa el que firmó" in state["alarmas"][0]["texto"]
        assert state["testigos"]["detalle"][0]["estado"] == "conflicto"
        assert office.tick(START + QUARTER)["corte"] == 2


def test_a_signature_that_does_not_hold_never_reaches_the_checkpoint(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    with witness_at(tmp_path, "a.mx", KEY.verifier) as one:
        office = offices([one])
        office.tick(START)
        before = (office.folder / "checkpoint").read_bytes()
        stranger = WitnessKey("nadie.mx", SigningKey(KEY.origin, KEY.mode, KEY.private).private)
        text = parse_note(before).text
        wrong = office.service._ask("cofirmas", (stranger.cosign(text, 1),), text, office.now)
        assert "«nadie.mx» no es un testigo" in wrong
        assert b"nadie.mx" not in (office.folder / "checkpoint").read_bytes()


def test_a_stamp_is_published_and_openssl_verifies_it_offline(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    tsa = tmp_path / "tsa"
    with authority(tsa) as address:
        office = offices([], address)
        office.tick(START)
        state = office.until(lambda _: office.pointer()["sello"] == "sellos/0001.tsr")
    assert state["sello"]["estado"] == "sellado" and state["sello"]["corte"] == 1
    assert "sellos/0001.tsr" in list(public_keys(office.folder))
    note = json.loads((office.folder / "emisiones/0001.json").read_bytes())["checkpoint"].encode()
    (tsa / "nota").write_bytes(note)
    verify = ("ts", "-verify", "-data", "nota", "-in", office.folder / "sellos/0001.tsr", "-CAfile", "ca.pem")
    done = openssl(tsa, *verify)
    assert done.returncode == 0, done.stderr
    (tsa / "nota").write_bytes(note + b"x")
    assert openssl(tsa, *verify).returncode != 0
    report = verificar.Verifier(verificar.DirSource(office.folder), verificar.Options()).run()
    (step,) = [one for one in report.steps if one.key == "sello"]
    assert report.verified and step.result == "bien"
    stamp = (office.folder / "sellos/0001.tsr").read_bytes()
    assert read(stamp).at_ms // 1000 == verificar.read_stamp(stamp).at_s
    with pytest.raises(StampError, match="de otra cosa"):
        check(stamp, request(b"otra cosa"))
    with pytest.raises(StampError, match="no es un sello"):
        read(stamp[:50])


def test_both_readers_of_stamps_agree_on_any_byte_changed_and_on_any_length(tmp_path: Path) -> None:
    make(tmp_path / "tsa")
    (tmp_path / "tsa/nota").write_bytes(b"nota")
    openssl(tmp_path / "tsa", "ts", "-query", "-data", "nota", "-sha256", "-cert", "-out", "q")
    openssl(tmp_path / "tsa", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q", "-out", "r")
    whole = (tmp_path / "tsa/r").read_bytes()

    def first(data: bytes) -> bytes | None:
        try:
            return read(data).digest
        except StampError:
            return None

    def second(data: bytes) -> bytes | None:
        try:
            return verificar.read_stamp(data).digest
        except verificar.Wrong:
            return None

    assert first(whole) == second(whole) == sha256(b"nota").digest()
    for at in range(0, 400):
        for change in (0x01, 0x80):
            data = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
            one, two = first(data), second(data)
            assert None in (one, two) or one == two
    assert [length for length in range(len(whole)) if first(whole[:length]) or second(whole[:length])] == []


def test_without_the_authority_the_cut_goes_out_and_the_state_says_so(
    tmp_path: Path, offices: Callable[..., Office]
) -> None:
    office = offices([], dead_witness("x").url)
    assert office.tick(START)["corte"] == 1
    state = office.until(lambda told: told["sello"]["estado"] == "sin_respuesta")
    assert state["alarmas"] == [] and "no contesta" in state["sello"]["error"]
    assert not (office.folder / "sellos").exists() and office.pointer()["sello"] is None
