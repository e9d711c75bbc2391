"""Two nights side by side: what is told of each is what its own tables and its own curve say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from control_room.compare import CURVES, Night, compare, night_of, read_night
from control_room.web import comparisons
from control_room.web.comparisons import Comparisons
from core.errors import UsageError
from simulator.forecast.state import state_as_of
from tests.control_room.night_folder import MINUTE, copy, database, play, stop_at


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("noches")
    return play(folder / "una", seed=1), play(folder / "dos", seed=2)


def test_a_night_beside_itself_differs_in_nothing(nights: tuple[Path, Path]) -> None:
    data = compare(nights[0], nights[0])
    assert data["esta"] == data["otra"]
    assert data["mismo_catalogo"] is True
    assert all(row["diferencia"] in (0, None) for row in data["diferencias"])
    for name in CURVES:
        assert data["curvas"][name]["esta"] == data["curvas"][name]["otra"]


def test_the_curve_of_registered_is_that_of_the_ledger_at_every_moment(nights: tuple[Path, Path]) -> None:
    night = read_night(nights[0])
    opened = database(nights[0])
    for minute in range(0, night.length_min + 1, 30):
        state = state_as_of(opened, night.starts_ms + minute * MINUTE)
        assert night.count_at("registradas", minute * MINUTE) == (state.registered >= 0).sum()
    opened.dispose()


def test_the_steps_are_never_more_than_the_ones_before(nights: tuple[Path, Path]) -> None:
    data = compare(*nights)
    for which in ("esta", "otra"):
        for number in range(len(data["minutos"])):
            values = [data["curvas"][name][which][number] for name in CURVES]
            if None not in values:
                assert values == sorted(values, reverse=True)
        final = data[which]["final"]
        assert final["publicadas"] == final["registradas"], "el último corte es del final"
        assert final["cortes"] > 5
        assert final["cortes_rechazados"] == 0
        assert final["incidentes"] == len(data[which]["incidentes"]) > 0


def test_the_goals_are_the_minutes_at_which_the_curve_gets_there(nights: tuple[Path, Path]) -> None:
    night = read_night(nights[0])
    reached = night.as_data()["hitos"]
    assert reached["50"] is not None and reached["80"] is not None
    for goal in (50, 80):
        needed = -(-goal * night.expected // 100)
        minute = reached[str(goal)]
        assert night.count_at("registradas", (minute + 1) * MINUTE) >= needed
        assert night.count_at("registradas", minute * MINUTE - 1) < needed


def test_differences_are_of_this_night_less_the_other(nights: tuple[Path, Path]) -> None:
    data = compare(*nights)
    rows = {row["nombre"]: row for row in data["diferencias"]}
    for name in ("Registradas", "Minutos hasta 50 % registrado", "Cortes publicados"):
        row = rows[name]
        assert row["diferencia"] == pytest.approx(row["esta"] - row["otra"], abs=1e-6)
    assert rows["Registradas"]["esta"] == pytest.approx(
        data["esta"]["final"]["registradas"] * 100 / data["esta"]["esperadas"], abs=1e-3
    )


def test_a_night_under_way_ends_where_it_goes(nights: tuple[Path, Path], tmp_path: Path) -> None:
    half = copy(nights[0], tmp_path / "mitad")
    start = read_night(half).starts_ms
    stop_at(half, start + 100 * MINUTE)
    data = compare(half, nights[0])
    assert data["esta"]["cerrada"] is False and data["otra"]["cerrada"] is True
    assert data["esta"]["duracion_min"] <= 100
    curve = data["curvas"]["registradas"]
    past = [n for n, minute in enumerate(data["minutos"]) if minute > 100]
    assert past
    assert all(curve["esta"][n] is None for n in past)
    for n, minute in enumerate(data["minutos"]):
        if minute <= data["esta"]["duracion_min"] - 1:
            assert curve["esta"][n] == curve["otra"][n]


def test_incidents_have_their_minutes_and_measures(nights: tuple[Path, Path]) -> None:
    incidents = read_night(nights[0]).incidents
    assert all(0 <= one["minuto"] <= 240 for one in incidents)
    assert any(one["medidas"] for one in incidents)
    for one in incidents:
        assert one["fin_min"] is None or one["fin_min"] >= one["minuto"]


def test_a_night_is_found_by_its_run_its_room_its_file_or_its_url(nights: tuple[Path, Path]) -> None:
    folder = nights[0]
    (folder / "sala").mkdir(exist_ok=True)
    whole = read_night(folder)
    for place in (folder / "sala", folder / "prep.db", f"sqlite:///{folder / 'prep.db'}"):
        assert read_night(place).final == whole.final
    assert whole.name == "una"
    assert read_night(folder / "sala").name == "una"


def test_a_folder_without_a_night_of_its_own_is_not_taken_for_the_one_above(
    nights: tuple[Path, Path],
) -> None:
    (nights[0] / "cortes-de-otra").mkdir(exist_ok=True)
    with pytest.raises(UsageError, match=r"falta prep\.db"):
        read_night(nights[0] / "cortes-de-otra")


def test_the_night_of_the_room_is_that_of_its_open_database(nights: tuple[Path, Path]) -> None:
    opened = database(nights[0])
    now = [0.0]
    beside = Comparisons(opened, "esta noche", lambda: now[0])
    data = beside.with_night(nights[1])
    assert data["esta"]["nombre"] == "esta noche"
    whole = compare(nights[0], nights[1])
    assert data["curvas"] == whole["curvas"]
    assert data["otra"] == whole["otra"]
    opened.dispose()


def test_many_viewers_of_a_comparison_read_the_nights_once(
    nights: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, now = database(nights[0]), [0.0]
    read: list[str] = []

    def of_this(database: Database, name: str) -> Night:
        read.append(name)
        return night_of(database, name)

    def of_that(place: Path) -> Night:
        read.append(place.name)
        return read_night(place)

    monkeypatch.setattr(comparisons, "night_of", of_this)
    monkeypatch.setattr(comparisons, "read_night", of_that)
    beside = Comparisons(opened, "esta", lambda: now[0])
    first = beside.with_night(nights[1])
    assert beside.with_night(nights[1]) == first
    assert read == ["esta", "dos"]
    now[0] = 31.0
    beside.with_night(nights[1])
    assert read == ["esta", "dos", "esta"]
    opened.dispose()


def test_the_answer_is_json_and_small(nights: tuple[Path, Path]) -> None:
    assert len(json.dumps(compare(*nights))) < 60_000


def test_what_is_not_a_night_is_refused_with_its_reason(nights: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"falta prep\.db"):
        compare(nights[0], tmp_path)
    with pytest.raises(UsageError, match="No existe"):
        compare(nights[0], tmp_path / "nada")
    begun = copy(nights[0], tmp_path / "sin abrir")
    stop_at(begun, 0)
    with pytest.raises(UsageError, match="no se ha abierto"):
        compare(begun, nights[0])
