"""Entries of the log: the same facts are the same bytes, and what is not an entry is refused."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.transparency.entries import Apertura, Aviso, Cierre, Emision, Llave, canonical, parse
from core.transparency.errors import EntryError
from tests.core.transparency.samples import HEADER, ORIGIN, emission, notice, opening

EVERY = [
    Apertura("oficial", "prep.jal.2021/oficial", 14, "Elección", "a" * 64),
    Emision(
        "simulacro", 14, "E", "a" * 64, 1, 5, True, 9, "b" * 64, "c" * 64, 3, {"GOB": ("d" * 64, HEADER)}
    ),
    Aviso("simulacro", 1, "correccion", 1, None, "Motivo.", (1, 2), {"acta": "x", "n": [1, None, True]}),
    Cierre("simulacro", 3, 3, 99),
    Llave("a", "b", "Rotación.", 7),
]


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.KIND)
def test_what_is_written_is_read_back(entry: Emision) -> None:
    assert parse(entry.encode()) == entry
    assert json.loads(entry.encode())["clase"] == entry.KIND


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_canonical_bytes_are_those_of_the_other_writer_of_the_publication(value: object) -> None:
    assert canonical(value) == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=3))
def test_a_notice_with_any_detail_is_read_back(detail: dict[str, object]) -> None:
    entry = Aviso("simulacro", 2, "detenida", 1, None, "Motivo.", (), detail)
    assert parse(entry.encode()) == entry


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no es JSON"),
        (b"[]", "no es un objeto"),
        (b'{"clase":"otra"}', "no existe"),
        (b'{"clase": "cierre"}', "canónico"),
        (b'{"clase":"cierre","clase":"cierre"}', "canónico"),
        (opening().replace(b'"entidad":14', b'"entidad":"14"'), "clave «entidad»: se esperaba un entero"),
        (opening().replace(b'"entidad":14', b'"entidad":1.5'), "no cabe en JSON canónico"),
        (opening().replace(b'"entidad":14', b'"entidad":true'), "clave «entidad»"),
        (opening().replace(b'"entidad":14,', b""), "falta la clave «entidad»"),
        (opening()[:-1] + b',"otra":1}', "«otra»"),
        (opening().replace(b'"modo":"simulacro"', b'"modo":"ensayo"'), "oficial o simulacro"),
        (opening().replace(b"aaaa", b"AAAA"), "SHA-256"),
        (emission(1).replace(b'"CONTADOR_3":"3",', b""), "trece contadores"),
        (notice(1).replace(b'"hueco"', b'"otro"'), "hueco, detenida"),
        (b'{"clase":"cierre","formato":1,"modo":"simulacro","n":' + b"9" * 20 + b"}", "53 bits"),
        (b"[" * 60_000, "no es JSON"),
    ],
)
def test_what_is_not_an_entry_is_refused_saying_what_was_expected(data: bytes, said: str) -> None:
    with pytest.raises(EntryError, match=said):
        parse(data)


def test_an_entry_longer_than_its_length_can_say_is_refused() -> None:
    with pytest.raises(EntryError, match="65,535"):
        Aviso("simulacro", 1, "hueco", 1, 2, "x" * 70_000).encode()


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(EntryError, match="UTF-8"):
        Aviso("simulacro", 1, "hueco", 1, 2, "\ud800").encode()


def test_the_origin_is_in_the_opening() -> None:
    opened = parse(opening())
    assert isinstance(opened, Apertura)
    assert opened.origen == ORIGIN
