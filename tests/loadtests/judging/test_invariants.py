"""What is looked at after a load: a good publication holds, a spoilt one does not; neither is a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from loadtests.judging.invariants import Get, folder_reader, of_cut, of_replay, pointer_of


def spoilt(work: Path, wrong: Callable[[str, Any], Any]) -> Get:
    """The files of a publication, their JSON passed through `wrong` (name, content)."""
    real = folder_reader(work)
    return lambda name: json.dumps(wrong(name, json.loads(real(name)))).encode()


def base(work: Path) -> str:
    return str(work / "prep.db")


def test_a_good_publication_holds(work: Path) -> None:
    get = folder_reader(work)
    found = [*of_cut(get), of_replay(base(work), get)]
    assert [one.good for one in found] == [True, True, True], found


def test_an_acta_counted_twice_is_found(work: Path) -> None:
    def wrong(name: str, data: Any) -> Any:
        if "actas" in data:
            data["actas"].append(data["actas"][0])
        return data

    found = of_cut(spoilt(work, wrong))
    assert [one.good for one in found] == [False, False]
    assert "actas repetidas" in found[0].detail


def test_totals_that_are_not_those_of_the_log_are_found(work: Path) -> None:
    def wrong(name: str, data: Any) -> Any:
        for one in data["contiendas"].values() if name.endswith("indice.json") else ():
            one["encabezado"]["TOTAL_VOTOS_C_CS"] = "7"
        return data

    found = of_replay(base(work), spoilt(work, wrong))
    assert found.good is False and "TOTAL_VOTOS_C_CS: 7 publicado" in found.detail


def without(key: str) -> Callable[[str, Any], Any]:
    def wrong(name: str, data: Any) -> Any:
        return {one: value for one, value in data.items() if one != key}

    return wrong


@pytest.mark.parametrize("key", ["contiendas", "territorios", "actas"])
def test_a_publication_without_a_key_is_a_fault_told_with_its_file(work: Path, key: str) -> None:
    found = of_cut(spoilt(work, without(key)))
    assert {one.good for one in found} == {False}
    assert "objetos/" in found[0].detail and key in found[0].detail


def test_an_announced_object_that_is_not_there_is_a_fault(work: Path) -> None:
    def wrong(name: str, data: Any) -> Any:
        return {**data, "portal": "ab" * 32} if name == "corte.json" else data

    found = of_cut(spoilt(work, wrong))
    assert found[0].good is False and "abab" in found[0].detail and "no existe" in found[0].detail


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"corte": "3", "portal": "a", "base": "b"}'],
                         ids=["vacio", "lista", "sin_corte", "corte_texto"])  # fmt: skip
def test_what_is_not_a_publication_was_not_looked_at(tmp_path: Path, work: Path, body: str) -> None:
    (tmp_path / "corte.json").write_text(body, encoding="utf-8")
    get = folder_reader(tmp_path)
    with pytest.raises(InputError, match=r"corte\.json"):
        pointer_of(get)
    assert [one.good for one in (*of_cut(get), of_replay(base(work), get))] == [None, None]


def test_a_database_that_is_not_there_was_not_looked_at(work: Path, tmp_path: Path) -> None:
    found = of_replay(str(tmp_path / "no.db"), folder_reader(work))
    assert found.good is None and "No existe la base" in found.detail
