"""Each fault of content is seen by the reader it is shown to, and a good publication has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests.judging.content import (
    CHANGED,
    CLOSED,
    DIGEST,
    GOES_BACK,
    IDENTITY,
    MISSING,
    MIXED,
    NOT_JSON,
    TAG,
    TYPE,
    Expected,
    PointerReader,
    Reply,
    check_asset,
    check_checkpoint,
    check_digest,
    check_index,
    check_package,
    check_page,
    check_portal,
    check_root,
    check_section,
    check_shared,
    check_territory,
    json_object,
)

JSON = {"content-type": "application/json"}


class Told:
    """What a check told."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def __call__(self, kind: str, where: str) -> None:
        assert where
        self.kinds.append(kind)


@pytest.fixture
def pointer(work: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work / "corte.json").read_bytes())
    return found


@pytest.fixture
def told() -> Told:
    return Told()


def obj(work: Path, name: str) -> Any:
    return json.loads((work / "objetos" / name[:2] / f"{name}.json").read_bytes())


def said(
    pointer: dict[str, Any], tag: str = '"a"', status: int = 200, kind: str = "application/json"
) -> Reply:
    fields = {"content-type": kind, "etag": tag}
    return Reply(status, fields, b"" if status == 304 else json.dumps(pointer).encode())


def test_a_cut_and_the_next_one_are_taken_and_nothing_is_told(pointer: dict[str, Any], told: Told) -> None:
    reader = PointerReader(Expected(), told)
    assert reader.take(said(pointer)) == pointer
    assert reader.ask_headers() == {"If-None-Match": '"a"'}
    assert reader.take(Reply(304, {"etag": '"a"'}, b"")) is None
    later = {**pointer, "corte": 4, "instante_ms": pointer["instante_ms"] + 1}
    assert reader.take(said(later, '"b"')) == later
    assert told.kinds == []


def test_a_pointer_written_again_for_its_witnesses_is_the_same_cut(
    pointer: dict[str, Any], told: Told
) -> None:
    reader = PointerReader(Expected(), told)
    reader.take(said(pointer))
    assert reader.take(said({**pointer, "testigos": {"de": 2, "con": 1}, "generado_ms": 9}, '"b"')) is None
    assert told.kinds == []


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        (GOES_BACK, lambda p: said({**p, "corte": 2}, '"b"')),
        (GOES_BACK, lambda p: said({**p, "corte": 9, "instante_ms": 1}, '"b"')),
        (GOES_BACK, lambda p: said({**p, "bitacora": {**p["bitacora"], "tamano": 2}}, '"b"')),
        (CHANGED, lambda p: said({**p, "portal": "0" * 64}, '"b"')),
        (TAG, lambda p: said({**p, "avisos": 7})),
        (TAG, said),
        (TAG, lambda p: said(p, '"b"', 304)),
        (TAG, lambda p: Reply(304, {}, b"x")),
        (TAG, lambda p: Reply(200, JSON, json.dumps(p).encode())),
        (NOT_JSON, lambda p: Reply(200, {**JSON, "etag": '"b"'}, b'{"corte":')),
        (NOT_JSON, lambda p: said({key: p[key] for key in p if key != "portal"}, '"b"')),
        (NOT_JSON, lambda p: said({**p, "corte": 10**400}, '"b"')),
        (NOT_JSON, lambda p: said({**p, "instante_ms": "ayer"}, '"b"')),
        (TYPE, lambda p: said(p, '"b"', kind="text/html")),
        (IDENTITY, lambda p: said({**p, "modo": "oficial"}, '"b"')),
        (IDENTITY, lambda p: said({**p, "entidad": 15}, '"b"')),
    ],
    ids=[
        "corte_anterior", "hora_anterior", "bitacora_menor", "corte_cambiado", "misma_etiqueta",
        "sin_304", "304_de_otra", "304_con_contenido", "sin_etiqueta", "cortado", "sin_clave",
        "numero_enorme", "hora_que_no_lo_es", "tipo", "modo", "entidad",
    ],
)  # fmt: skip
def test_each_way_a_pointer_may_lie_is_told(
    pointer: dict[str, Any], told: Told, kind: str, second: Callable[[dict[str, Any]], Reply]
) -> None:
    reader = PointerReader(Expected(entidad=14), told)
    reader.take(said(pointer))
    reader.take(second(pointer))
    assert told.kinds == [kind]


def test_a_304_nobody_asked_for_is_told(told: Told) -> None:
    PointerReader(Expected(), told).take(Reply(304, {"etag": '"a"'}, b""))
    assert told.kinds == [TAG]


def test_going_down_a_good_cut_tells_nothing_and_each_mixture_is_told(
    work: Path, pointer: dict[str, Any], told: Told
) -> None:
    portal = obj(work, pointer["portal"])
    older = obj(work, obj(work, portal["historial"])["cortes"][0]["portal"])
    check_portal(pointer, portal, told)
    for contest, before in zip(portal["contiendas"], older["contiendas"], strict=True):
        root = obj(work, contest["raiz"])
        check_root(contest, root, told)
        for number, name in root["territorios"]:
            place = obj(work, name)
            check_territory(contest, number, place, told)
            for row in place["secciones"]:
                check_section(row, obj(work, row[1]), told)
        assert told.kinds == []
        check_root(before, root, told)
        number, name = root["territorios"][0]
        check_territory(before, number, obj(work, name), told)
        row = obj(work, name)["secciones"][0]
        section = obj(work, row[1])
        check_section([*row[:3], row[3] + 1, *row[4:]], section, told)
        assert told.kinds == [MIXED] * 3
        told.kinds.clear()
    check_portal(pointer, older, told)
    assert told.kinds == [MIXED]


def test_the_files_of_a_cut_are_those_of_its_manifest(
    work: Path, pointer: dict[str, Any], told: Told
) -> None:
    folder = work / pointer["base"]
    index = (folder / "indice.json").read_bytes()
    assert check_digest("indice.json", index, pointer["indice_sha256"], told)
    check_index(pointer, obj(work, pointer["portal"]), json.loads(index), told)
    assert told.kinds == []
    check_index(pointer, obj(work, pointer["portal"]), {"contiendas": {}}, told)
    assert not check_digest("indice.json", index + b" ", pointer["indice_sha256"], told)
    assert told.kinds == [MIXED, MIXED, DIGEST]


def test_a_package_is_the_one_of_its_cut_or_is_told(work: Path, pointer: dict[str, Any], told: Told) -> None:
    package = (work / pointer["difusion"]).read_bytes()
    assert check_package(pointer, package, told)
    assert told.kinds == []
    assert not check_package(pointer, (work / "difusion/0001.zip").read_bytes(), told)
    assert not check_package(pointer, package[: len(package) // 2], told)
    assert told.kinds == [DIGEST, DIGEST]
    assert MISSING not in told.kinds


def test_a_package_that_would_fill_the_memory_is_not_opened(
    work: Path, pointer: dict[str, Any], told: Told
) -> None:
    body = bytearray((work / pointer["difusion"]).read_bytes())
    at = body.rfind(b"PK\x01\x02") + 24
    body[at : at + 4] = (2**31).to_bytes(4, "little")
    assert not check_package(pointer, bytes(body), told)
    assert not check_package(pointer, b"<html>", told)
    assert told.kinds == [DIGEST, DIGEST]


def test_the_checkpoint_reaches_the_pointer(work: Path, pointer: dict[str, Any], told: Told) -> None:
    note = (work / "checkpoint").read_bytes()
    check_checkpoint(pointer, note, told)
    assert told.kinds == []
    lines = note.split(b"\n")
    check_checkpoint(pointer, b"\n".join([lines[0], b"2", *lines[2:]]), told)
    check_checkpoint(pointer, b"\n".join([b"otro", *lines[1:]]), told)
    check_checkpoint(pointer, b"<html>", told)
    assert told.kinds == [GOES_BACK, IDENTITY, DIGEST]


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b"\xff", b"[" * 100_000], ids=["lista", "cortado", "bytes", "anidado"]
)
def test_what_is_not_a_json_object_is_told(body: bytes, told: Told) -> None:
    assert json_object("x", Reply(200, JSON, body), told) is None
    assert told.kinds == [NOT_JSON]


def test_a_page_names_scripts_that_are_what_their_names_say(work: Path, told: Told) -> None:
    page = (work / "index.html").read_bytes()
    named = check_page(Reply(200, {}, page), told)
    assert len(named) > 1
    assert all(check_asset(name, (work / name).read_bytes(), told) for name in named)
    assert told.kinds == []
    assert not check_asset(named[0], (work / named[1]).read_bytes(), told)
    assert check_page(Reply(404, {}, b""), told) == check_page(Reply(200, {}, b"<html>"), told) == []
    assert told.kinds == [DIGEST, MISSING, MISSING]


def test_data_that_the_page_of_another_site_may_not_read_are_told(told: Told) -> None:
    for allowed in ("*", "https://diario.example"):
        reply = Reply(200, {"access-control-allow-origin": allowed}, b"")
        check_shared("x", reply, "https://diario.example", told)
    assert told.kinds == []
    for fields in ({}, {"access-control-allow-origin": "https://otro.example"}):
        check_shared("x", Reply(200, fields, b""), "https://diario.example", told)
    assert told.kinds == [CLOSED, CLOSED]
