"""The bench removes only what a bench made, and what was not measured is no pass."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loadtests.bench.browsers import LOWEST, NICE, Seen, counted, give_way, told
from loadtests.bench.main import MARK, clean, main, of_pages, tried
from loadtests.bench.options import Whole, partial
from loadtests.bench.page import Line, data, exit_code, html, verdict
from loadtests.bench.stage import StageError, StillPausedError
from loadtests.codes import BROKEN, INVALID


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
    (tmp_path / "minuto-nginx").mkdir()
    (tmp_path / "minuto-nginx" / "veredicto.json").touch()
    (tmp_path / "muro").mkdir()
    for name in ("tabla.json", "tabla.html"):
        (tmp_path / name).write_text("APTO")
    clean(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [MARK, "muro"], (
        "nothing says what a former one said"
    )


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


def test_each_page_must_see_what_any_of_them_saw() -> None:
    """From the one it showed at the start; the very last may be on its way."""
    before = [4, 5]
    assert counted([[4, 5, 6, 7, 8], [5, 6, 7, 8]], before) == Seen(2, 5, 5)
    assert counted([[4, 5, 6, 7, 8], [5, 7]], before) == Seen(2, 5, 4), "one jumped over the sixth"
    assert counted([[4, 5, 6, 7, 8], [5]], before) == Seen(2, 5, 3), "one stopped"
    assert counted([[4], [5]], before) == Seen(2, 0, 0)


def test_what_pages_missed_says_nothing_where_the_pollers_could_not_be_measured() -> None:
    assert of_pages(Seen(10, 300, 299), INVALID).good is None
    assert of_pages(Seen(10, 300, 299), BROKEN).good is False
    assert of_pages(Seen(10, 300, 300), INVALID).good is True


@pytest.mark.skipif(sys.platform != "linux", reason="la prioridad de un hilo es cosa de Linux")
def test_what_the_pages_start_gives_way_and_cannot_put_itself_above() -> None:
    """As Chromium does when root starts it."""
    tell = "import os; print(os.nice(0))"
    raise_it = f"{tell}; os.setpriority(os.PRIO_PROCESS, 0, -8); print(os.nice(0))"
    said: list[str] = []

    def start() -> None:
        give_way()
        done = subprocess.run([sys.executable, "-c", raise_it], capture_output=True, text=True, check=False)
        said.append(done.stdout)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert said == [f"{min(os.nice(0) + NICE, LOWEST)}\n"], "it is lower, and was not let go up"
    mine = subprocess.run(
        [sys.executable, "-c", "import os; print(os.nice(0))"], capture_output=True, text=True
    )
    assert mine.stdout == f"{os.nice(0)}\n", "only those of that thread"


@pytest.mark.parametrize(
    "options",
    [
        ["--duracion", "0"], ["--duracion", "4"], ["--usuarios", "0"], ["--imagenes", "1.5"],
        ["--imagenes", "0"],
        ["--solo", "nada"], ["--x"],
    ],
    ids=["cero", "poco", "nadie", "de_mas", "sin_imagenes", "parte", "desconocida"],
)  # fmt: skip
def test_wrong_options_are_told_in_spanish_before_anything_is_done(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, "--salida", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "uso: " in said and "make carga: error: argumento" in said and "--ayuda" in said
    assert "usage" not in said and "choose" not in said and not list(tmp_path.iterdir())


def test_the_help_is_in_spanish(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("--ayuda", "--help"):
        with pytest.raises(SystemExit):
            main([word])
        said = capsys.readouterr().out
        assert "opciones:" in said and "usage" not in said and "segundos de cada prueba" in said


LINES = [
    Line("nginx: un minuto", "aprobada", "aprobada: <b>10</b> peticiones", True, "minuto-nginx/informe.html"),
    Line("sala", "100 %", "99 %", False),
    Line("techo", "0.9", "wrk no terminó", None),
]


def test_the_page_joins_the_verdicts_links_the_reports_and_needs_nothing() -> None:
    page = html(LINES, "", [("Máquina", "2 núcleos")])
    assert "✖ NO APTO" in page and "1 de 3 se alcanzaron, 1 no, 1 sin poder medirse" in page
    assert 'href="minuto-nginx/informe.html"' in page and "&lt;b&gt;" in page and "http" not in page
    told = data(LINES, "", [("Máquina", "2 núcleos")])
    assert told["dictamen"] == "NO APTO" and told["codigo"] == 2
    assert told["cifras"][0]["informe"] == "minuto-nginx/informe.html"  # type: ignore[index]
    assert "APTO. " in verdict(LINES[:1], "") and "SIN DICTAMEN" in verdict(LINES[::2], "")


def test_less_than_the_whole_bench_is_never_told_as_the_whole() -> None:
    whole = Whole()
    asked = argparse.Namespace(
        solo=list(whole.parts), duracion=whole.seconds, usuarios=whole.users, imagenes=whole.images
    )
    assert partial(asked) == ""
    asked.solo, asked.duracion, asked.imagenes = ["nginx"], 20, 0.01
    less = partial(asked)
    assert less == (
        "sin integrado ni negacion ni sala; 20 s cada prueba y no 60; "
        "0.01 de las actas con su imagen y no 0.03"
    )
    assert "APTO en lo que se corrió" in verdict(LINES[:1], less) and less in html(LINES[:1], less, [])


def test_a_part_that_cannot_be_done_leaves_the_others() -> None:
    def broken(why: str) -> list[Line]:
        raise StageError(why)

    assert tried("sala", broken, "prep sala no arrancó") == [
        Line("sala", "aprobada", "no se pudo: prep sala no arrancó", None)
    ]
    assert tried("sala", lambda: LINES) is LINES


def test_nothing_is_measured_on_a_rehearsal_that_stays_paused() -> None:
    def stuck() -> list[Line]:
        raise StillPausedError("se quedó en pausa")

    with pytest.raises(StillPausedError):
        tried("sala", stuck)


def test_what_the_system_or_the_browser_says_is_told_in_spanish() -> None:
    def full() -> list[Line]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (line,) = tried("sala", full)
    assert "No space" not in line.found and "espacio" in line.found
    assert told(TimeoutError("Page.goto: Timeout 90000ms exceeded.\nCall log:")) == (
        "las páginas no contestaron a tiempo (TimeoutError: Page.goto: Timeout 90000ms exceeded.)"
    )
    assert told(ValueError()) == "las páginas no se pudieron mirar (ValueError)"
