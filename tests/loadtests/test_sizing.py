"""A night is sized with arithmetic anyone can repeat, and the bench serves what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from loadtests import profile, stage
from loadtests.chart import Series, lines
from loadtests.sizing import Costs, Sizes, phases, sizes_of, text

HABITS = profile.read(profile.find("noche-jalisco"))
SIZES = Sizes(30_000, 5, 800, 5_000, 3_000, 11_000, 150_000, 1_500_000)


def test_half_a_million_pages_that_ask_each_half_minute_are_16667_requests_a_second() -> None:
    opening, quiet, cut = phases(HABITS, 500_000, SIZES, Costs(80_000, 70_000, 2_800), 1200)
    assert round(quiet.requests) == 16_667 and round(quiet.mbit) == 120
    assert quiet.cores is not None and round(quiet.cores, 2) == round(
        16_667 / 80_000 + 500_000 / 1200 / 2_800, 2
    )
    assert round(opening.greetings) == 8_333 and opening.requests == pytest.approx(8 * 500_000 / 60)
    assert cut.requests > 2 * quiet.requests and cut.mbit > opening.mbit
    assert "16,667" in text(HABITS, 500_000, SIZES, Costs(None, None, None), [opening, quiet, cut])


def test_the_sizes_are_those_of_the_publication(work: Path, tmp_path: Path) -> None:
    sizes = sizes_of(work)
    assert sizes.pointer == (work / "corte.json").stat().st_size
    assert 0 < sizes.portal < 5_000 and sizes.drill > 0 and sizes.database > 1_000
    with pytest.raises(InputError, match="no es una carpeta publicada"):
        sizes_of(tmp_path)


def test_the_shipped_nginx_is_served_with_only_its_places_changed(tmp_path: Path) -> None:
    shipped = stage.SHIPPED.read_text(encoding="utf-8")
    limited = stage.shipped(shipped, tmp_path / "publico", tmp_path, 18080, limited=True)
    free = stage.shipped(shipped, tmp_path / "publico", tmp_path, 18080, limited=False)
    for text_ in (limited, free):
        assert "listen 127.0.0.1:18080;" in text_ and f"root {tmp_path}/publico;" in text_
        assert "/var/log" not in text_ and "/run/" not in text_ and "\n        ssl_certificate " not in text_
    assert "rate=60r/s" in limited and "rate=60r/s" not in free
    kept = [
        line for line in shipped.splitlines() if "add_header" in line or "gzip" in line or "_cache" in line
    ]
    assert kept and all(line in limited for line in kept)
    with pytest.raises(stage.StageError):
        stage.shipped("events {}", tmp_path, tmp_path, 18080, limited=True)


def test_a_chart_holds_its_lines_its_limit_and_nothing_from_outside() -> None:
    drawn = lines(
        "Tiempo <p95>", "ms", [Series("p95", [(0, 1), (60, 40)], "s1")], marks={20: "corte 7"}, limit=250
    )
    assert drawn.count("<polyline") == 1 and "corte 7" in drawn and "umbral: 250 ms" in drawn
    assert "<p95>" not in drawn and "http" not in drawn
    assert "sin datos" in lines("Nada", "ms", [Series("nada", [], "s1")])
