"""The client of the difusores before answers no good server gives: it says so and goes on the next time."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import random
import time
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.raw_server import CUT_IN_A_CHUNK, CUT_SHORT, DRIPS, NOT_HTTP, answer, raw_server

CLIENT = Path(__file__).resolve().parents[3] / "core" / "portal" / "assets_py" / "difusor.py"


@pytest.fixture(scope="module")
def difusor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("difusor", CLIENT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pointer(**changed: Any) -> bytes:
    """A pointer of a first cut."""
    told = {
        "formato": 1, "modo": "simulacro", "corte": 1, "hoja": 1, "avisos": 0, "ultimo": False,
        "instante": "20:00", "siguiente_ms": None, "manifiesto_sha256": "a" * 64, "difusion": None,
        "bitacora": {"origen": "x/simulacro", "tamano": 2, "raiz": "b" * 64},
    }  # fmt: skip
    return json.dumps(told | changed).encode()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (NOT_HTTP, "sin lectura"),
        (CUT_IN_A_CHUNK, "sin lectura"),
        (CUT_SHORT, "sin lectura"),
        (answer(b"[" * 60_000), "rechazado"),
        (answer(b'{"bitacora":' * 5_000), "rechazado"),
        (answer(b'{"formato":' + b"1" * 5_000 + b"}"), "rechazado"),
    ],
    ids=["no es HTTP", "a medio trozo", "incompleta", "listas hondas", "objetos hondos", "cifras"],
)
def test_an_answer_that_is_not_one_is_told_and_asked_again(
    difusor: ModuleType, tmp_path: Path, said: bytes, outcome: str
) -> None:
    with raw_server(said) as url:
        client = difusor.Broadcaster(url, tmp_path)
        assert client.poll()[0] == client.poll()[0] == outcome
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", DRIPS)
def test_an_answer_that_comes_drop_by_drop_does_not_hold_the_night(
    difusor: ModuleType, tmp_path: Path, part: str
) -> None:
    began = time.monotonic()
    with raw_server(DRIPS[part], b"a") as url:
        assert difusor.Broadcaster(url, tmp_path, wait_s=0.4).poll()[0] == "sin lectura"
    assert time.monotonic() - began < 5


def test_everything_a_state_names_is_on_the_disk_before_it(
    difusor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order a cut of power needs: the tree, its name, and only then the state."""
    (tmp_path / "arbol/cortes/0001").mkdir(parents=True)
    seen: list[str] = []
    real = os.fsync

    def sync(descriptor: int) -> None:
        seen.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()).removeprefix(str(tmp_path)))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    difusor._place(tmp_path / "arbol", tmp_path / "0001")
    assert seen == ["/arbol/cortes/0001", "/arbol/cortes", "/arbol", ""]


def test_a_mistaken_command_is_told_in_spanish(
    difusor: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        difusor.main([])
    assert ended.value.code == 2
    assert "faltan estos argumentos: url, carpeta" in capsys.readouterr().err


def test_a_defect_nobody_foresaw_does_not_end_the_night(
    difusor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = difusor.Broadcaster("http://127.0.0.1:9", tmp_path)

    def broken() -> None:
        raise MemoryError("no cabe")

    monkeypatch.setattr(client, "_poll", broken)
    assert client.poll() == ("sin lectura", "la visita no se completó (MemoryError: no cabe)")


def test_what_the_server_says_does_not_move_the_cursor(difusor: ModuleType, tmp_path: Path) -> None:
    said = pointer(bitacora={"origen": "\ud800\x1b[2K\n", "tamano": 2, "raiz": "b" * 64})
    (tmp_path / "0001").mkdir()
    kept = json.loads(pointer()) | {"carpeta": "0001"}
    (tmp_path / "estado.json").write_text(json.dumps(kept))
    with raw_server(answer(said)) as url:
        outcome, text = difusor.Broadcaster(url, tmp_path).poll()
    assert outcome == "rechazado" and text.isprintable() and "use otra carpeta" in text


def package(method: int) -> bytes:
    stream = io.BytesIO()
    known = ("emisiones/0001.json", "llaves.json", "checkpoint", "ESQUEMA.json")
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in ("cortes/0001/manifiesto.json", "cortes/0001/AÑO.csv", *known):
            archive.writestr(name, "{}" * 50)
    return stream.getvalue()


def test_a_package_with_any_byte_changed_is_refused(difusor: ModuleType, tmp_path: Path) -> None:
    rng, archive, tree = random.Random(5), tmp_path / "p.zip", tmp_path / "arbol"
    said = {"corte": 1, "manifiesto_sha256": "x"}
    goods = [package(zipfile.ZIP_DEFLATED), package(zipfile.ZIP_LZMA)]
    for turn in range(300):
        spoilt = bytearray(goods[turn % 2])
        for _ in range(rng.randint(1, 4)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        archive.write_bytes(spoilt)
        with pytest.raises(difusor.RefusedError):
            difusor.check_package(archive, said, tree, 1_000_000)
