"""The bench removes only what a bench made, and what was not measured is no pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench import MARK, Line, clean, exit_code, of_pages
from loadtests.pages import Seen
from loadtests.stage import StageError


def published(folder: Path, mode: str = "simulacro") -> Path:
    pointer = folder / "publico" / "corte.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(f'{{"modo": "{mode}", "corte": 3}}', encoding="utf-8")
    return pointer


def test_a_publication_the_bench_did_not_make_is_not_removed(tmp_path: Path) -> None:
    pointer = published(tmp_path)
    with pytest.raises(StageError, match="no se borra"):
        clean(tmp_path)
    assert pointer.is_file() and not (tmp_path / MARK).exists()


@pytest.mark.parametrize("name", ["noche", "sala"])
def test_nor_a_night_nor_a_room_of_others(tmp_path: Path, name: str) -> None:
    kept = tmp_path / name / "prep.db"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(StageError, match=name):
        clean(tmp_path)
    assert kept.exists()


@pytest.mark.parametrize("mode", ["oficial", ""], ids=["oficial", "sin_modo"])
def test_an_official_publication_is_never_removed_even_where_a_bench_was(tmp_path: Path, mode: str) -> None:
    clean(tmp_path)
    pointer = published(tmp_path, mode)
    (tmp_path / "sala").mkdir()
    with pytest.raises(StageError, match="simulacro"):
        clean(tmp_path)
    assert pointer.is_file() and (tmp_path / "sala").is_dir(), "nothing was removed"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    pointer = published(tmp_path / "otra")
    clean(tmp_path / "banco")
    (tmp_path / "banco" / "publico").symlink_to(pointer.parent)
    with pytest.raises(StageError, match="no es una carpeta"):
        clean(tmp_path / "banco")
    assert pointer.is_file()


def test_what_a_former_bench_left_is_removed(tmp_path: Path) -> None:
    clean(tmp_path)
    published(tmp_path)
    (tmp_path / "sala").mkdir()
    (tmp_path / "ensayo-nginx").mkdir()
    clean(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [MARK, "ensayo-nginx"]


@pytest.mark.parametrize(
    ("goods", "code"),
    [([True, True], 0), ([True, None], 3), ([None, False], 2), ([True, False], 2), ([], 3)],
    ids=["todo", "sin_medir", "roto_y_sin_medir", "roto", "nada"],
)
def test_what_was_not_measured_is_no_pass(goods: list[bool | None], code: int) -> None:
    assert exit_code([Line("algo", "algo", "algo", good) for good in goods]) == code


@pytest.mark.parametrize(
    ("seen", "good"),
    [
        (Seen(10, 0, 0), None),
        (Seen(0, 0, 0, "no está instalado Chromium"), None),
        (Seen(10, 300, 299), False),
        (Seen(10, 300, 300), True),
    ],
    ids=["congelada", "sin_chromium", "una_menos", "todas"],
)
def test_pages_that_had_no_snapshot_to_see_do_not_pass(seen: Seen, good: bool | None) -> None:
    assert of_pages(seen).good is good
