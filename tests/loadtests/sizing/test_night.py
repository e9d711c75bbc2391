"""A night is sized with arithmetic anyone can repeat, and the bench serves what is shipped."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from loadtests import profile
from loadtests.bench import stage
from loadtests.sizing.costs import Costs, SizingError, certificate
from loadtests.sizing.night import NODES, Sizes, night, sizes_of
from loadtests.sizing.text import data, text

HABITS = profile.read(profile.find("noche-jalisco"))
COSTS = Costs(80_000, 70_000, 2_800, 10_000)
SIZES = Sizes(30_000, 5, 800, 5_000, 3_000, 11_000, 150_000, 250_000, 1_500_000, 6_000_000, 600, 9_000_000)


def test_half_a_million_pages_that_ask_each_half_minute() -> None:
    """Citizens get a 304; those of the newspapers, two whole files each twenty seconds."""
    found = night(HABITS, 500_000, SIZES, COSTS)
    opening, quiet, cut = found.phases
    assert found.readers == 500_000 * 4 // 99 and found.citizens + found.readers == 500_000
    same, again = found.citizens / 30 + 3 / 10, found.readers / 20
    assert quiet.requests == pytest.approx(same + 2 * again)
    linked = 800 + 5_000 + 2 * 900
    assert quiet.mbit == pytest.approx(8 * (same * 900 + again * linked + 500_000 / 1200 * 3_000) / 1e6)
    used = same / 80_000 + 2 * again / 70_000 + 500_000 / 1200 / 2_800 + quiet.mbit / 10_000
    assert quiet.cores == pytest.approx(2 * used), "only half of each core is counted on"
    assert round(opening.greetings) == 8_333
    assert opening.requests == pytest.approx((8 * found.citizens + 2 * found.readers) / 60)
    assert cut.requests > 2 * quiet.requests and cut.mbit > opening.mbit


def test_what_is_copied_and_encrypted_is_counted() -> None:
    """At a cut what goes out are images and databases, not requests."""
    cut = night(HABITS, 500_000, SIZES, COSTS).phases[2]
    assert cut.cores is not None and cut.cores > cut.mbit / 10_000 > 0.5
    heavier = night(HABITS, 500_000, replace(SIZES, image=500_000), COSTS).phases[2]
    assert heavier.cores is not None and heavier.requests == cut.requests and heavier.cores > cut.cores


def test_the_machines_are_those_of_whatever_asks_for_more() -> None:
    found = night(HABITS, 500_000, SIZES, COSTS)
    assert found.network[0] == -(-found.phases[2].mbit // 500) == found.machines > 1
    assert found.cpu is not None and found.cpu[0] < found.machines and "Decide la red" in text(found)
    dear = night(HABITS, 500_000, SIZES, replace(COSTS, greetings=50))
    assert dear.cpu is not None and dear.cpu[1].name.startswith("apertura")
    assert dear.machines == dear.cpu[0] > dear.network[0] and "Decide la CPU" in text(dear)
    few = night(HABITS, 1, SIZES, COSTS)
    assert few.machines == 1 and "Empatan: 1, y otra" in text(few)


def test_what_goes_out_in_the_night_and_what_is_left_for_the_origin() -> None:
    found = night(HABITS, 500_000, SIZES, COSTS)
    _, quiet, cut = found.phases
    per_cut = (cut.mbit - quiet.mbit) * 30 / 8e3
    assert found.hour_gb == pytest.approx(quiet.mbit / 8e3 * 3600 + 3 * per_cut)
    assert found.open_share == pytest.approx(0.75)
    assert 9 * found.hour_gb < found.night_gb < 9.5 * found.hour_gb
    assert found.origin.quiet_requests == NODES / 5
    assert found.origin.night_gb == pytest.approx((3600 * 12 * 10 * 1_700 + 36 * NODES * 9_540_000) / 1e9)
    few = night(HABITS, 100, SIZES, COSTS)
    assert few.origin.night_gb == few.night_gb, "no more than what the readers ask for"


def test_as_json_it_says_what_the_table_says() -> None:
    found = night(HABITS, 500_000, SIZES, COSTS)
    said, told = text(found), json.loads(json.dumps(data(found)))
    for row in told["fases"]:
        cells = f"{row['peticiones_s']:>14,}{row['mbit_s']:>9,}{row['saludos_s']:>11,}{row['nucleos']:>9.1f}"
        assert f"{row['fase']:<30}{cells}" in said
    assert f"{told['maquinas']['por_red']} por red" in said
    assert f": {told['maquinas']['hacen_falta']}, y" in said
    assert f"{told['trafico']['gb_en_la_noche']:,} GB en una noche" in said
    assert len(told["supuestos"]) > 10
    assert all(f"{one['que']}: {one['valor']} ({one['de_donde']})" in said for one in told["supuestos"])
    assert told["paginas_abiertas"] == 500_000 and told["bytes"]["objeto_del_portal"] == 5_000


def test_without_the_programs_it_says_which_lack() -> None:
    found = night(HABITS, 500_000, SIZES, Costs(None, None, None, None, ("openssl",)))
    said = text(found)
    assert "No está instalado openssl" in said and "por CPU y TLS no se midió" in said
    assert json.loads(json.dumps(data(found)))["maquinas"]["por_cpu_y_tls"] is None


@pytest.mark.parametrize("pages", [0, -5])
def test_nobody_is_not_a_night(pages: int) -> None:
    with pytest.raises(UsageError, match="una o más"):
        night(HABITS, pages, SIZES, COSTS)


def test_an_openssl_that_fails_is_told(tmp_path: Path) -> None:
    no = shutil.which("false")
    assert no is not None
    with pytest.raises(SizingError, match="openssl no hizo el certificado"):
        certificate(no, tmp_path)


def test_the_sizes_are_those_of_the_publication(work: Path, tmp_path: Path) -> None:
    sizes = sizes_of(work)
    assert sizes.pointer == (work / "corte.json").stat().st_size
    whole = [one.stat().st_size for one in (work / "vistas").rglob("*.webp") if "_m" not in one.name]
    assert whole and sizes.view == sum(whole) // len(whole) and sizes.image > 1_000 and sizes.drawn
    assert sizes.package == (work / json.loads((work / "corte.json").read_bytes())["difusion"]).stat().st_size
    assert sizes.cut_files > 0 and sizes.cut_bytes > sizes.package // 2
    assert 0 < sizes.portal < 5_000 and sizes.drill > 0 and sizes.database > 1_000
    with pytest.raises(InputError, match="no es una carpeta publicada"):
        sizes_of(tmp_path)
    (tmp_path / "corte.json").write_text("[]")
    with pytest.raises(InputError, match="no es una carpeta publicada"):
        sizes_of(tmp_path)


def test_the_shipped_nginx_is_served_with_only_its_places_changed(tmp_path: Path) -> None:
    shipped = stage.SHIPPED.read_text(encoding="utf-8")
    limited = stage.shipped(shipped, tmp_path / "publico", tmp_path, 18080, limited=True)
    free = stage.shipped(shipped, tmp_path / "publico", tmp_path, 18080, limited=False)
    for text_ in (limited, free):
        assert "listen 127.0.0.1:18080;" in text_ and f"root {tmp_path}/publico;" in text_
        assert "/var/log" not in text_ and "/run/" not in text_ and "\n        ssl_certificate " not in text_
    assert "rate=150r/s" in limited and limited.count("burst=") == free.count("burst=") > 3
    bounds = re.findall(r"(?:rate|burst)=(\d+)|limit_conn \S+ (\d+);", free)
    assert min(int(one or other) for one, other in bounds) > 60_000, "nothing is left that one may reach"
    assert "delay=" not in free
    kept = [
        line for line in shipped.splitlines() if "add_header" in line or "gzip" in line or "_cache" in line
    ]
    assert kept and all(line in limited for line in kept)
    with pytest.raises(stage.StageError):
        stage.shipped("events {}", tmp_path, tmp_path, 18080, limited=True)
