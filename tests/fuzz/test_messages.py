"""What an error quotes from a file is safe to look at: short, and without what a terminal would obey."""

from __future__ import annotations

import json
import pickle
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LONGEST_SHOWN, InputError, shown
from core.foreign_text import json_of, json_place, toml_of, whole_of
from tests.fuzz.places import prep


@given(st.text(st.characters(exclude_categories=()), max_size=400))
def test_a_value_that_is_shown_is_printable_short_and_can_be_written(text: str) -> None:
    told = shown(text)
    assert all(one.isprintable() or one == "\n" for one in told)
    assert len(told) <= 10 * LONGEST_SHOWN + 40
    told.encode()


@given(st.text(max_size=20))
def test_a_whole_number_is_one_of_plain_digits_only(text: str) -> None:
    plain = text != "" and set(text) <= set("0123456789") and len(text) <= 15
    assert whole_of(text) == (int(text) if plain else None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
        st.lists,
        max_leaves=5,
    )
)
def test_json_that_is_well_formed_is_read_as_it_is(value: object) -> None:
    assert json_of(json.dumps(value)) == value


def test_numbers_that_toml_does_not_have_are_refused_wherever_they_are() -> None:
    assert toml_of(f"a = {2**63 - 1}") == {"a": 2**63 - 1}
    for text in (
        f"a = {2**63}",
        f"[b]\nc = [[{-(2**63) - 1}]]",
        f"a = {'9' * 5_000}",
        f"a = {'[' * 9_000}{']' * 9_000}",
    ):
        with pytest.raises(tomllib.TOMLDecodeError):
            toml_of(text)


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ('{"a": 1,\n "b": NaN}', (2, 7), "finito"),
        ("[1,\n\n -Infinity]", (3, 2), "finito"),
        ('{"1e999 NaN": 1,\n"b": 1e999}', (2, 6), "finito"),
        (f"[1,\n{'9' * 400}.0]", (2, 1), "finito"),
        (f'["{"9" * 30}",\n  {2**63}]', (2, 3), "cifras"),
        (f"[{-(2**63) - 1}]", (1, 2), "cifras"),
        (f"[0,\n{'9' * 5_000}]", (2, 1), "cifras"),
        ('{"a": {"b": 1},\n "b": [{"b": 2}],\n "\\u0061": 3}', (3, 2), "repetida"),
        ('["\\ud83d\\ude00",\n"\\ud800"]', (2, 2), "escribir"),
        (b'{"a":\n "\xff"}', (2, 3), "UTF-8"),
        ("[1,\n", (2, 1), "bien formado"),
    ],
    ids=range(11),
)
def test_json_that_others_would_read_otherwise_is_refused_with_its_place(
    text: str | bytes, place: tuple[int, int], why: str
) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json_of(text)
    assert (caught.value.lineno, caught.value.colno) == place
    assert why in json_place(caught.value)
    assert json_place(caught.value).startswith(f"línea {place[0]}, posición {place[1]}: ")


def test_json_of_what_fits_is_taken(tmp_path: Path) -> None:
    told = [2**63 - 1, -(2**63), 1e308, "NaN 1e999 " + "9" * 400, {"a": {"a": 1}}, "\N{PILE OF POO}"]
    assert json_of(json.dumps(told)) == told
    assert json_of("\ufeff[1]") == json_of(b"\xef\xbb\xbf[1]") == [1]


def test_a_reader_says_file_line_and_position_of_what_it_refuses(tmp_path: Path) -> None:
    path = tmp_path / "llaves.json"
    path.write_text('{"origen": "x",\n "umbral": NaN}', encoding="utf-8")
    told = prep("llave", "ver", str(tmp_path))
    assert told.code == 2
    assert "llaves.json" in told.text and "línea 2, posición 12" in told.text


def test_a_huge_value_is_told_in_a_line_also_after_crossing_a_process(tmp_path: Path) -> None:
    error = InputError(tmp_path / "a.toml", 1, "clave" * 100_000, "un número", "\x1b[2J" * 100_000)
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert len(str(one)) < 2_000
        assert "\x1b" not in str(one)


def test_the_command_never_sends_a_terminal_what_it_would_obey(tmp_path: Path) -> None:
    path = tmp_path / "hostil.toml"
    path.write_text('formato = 1\n"\\u001b[2J\\u202e" = 1\n', encoding="utf-8")
    told = prep("escenario", "revisar", str(path))
    assert told.code in (1, 2)
    assert "\x1b" not in told.text and "\u202e" not in told.text
