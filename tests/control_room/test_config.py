"""The configuration of the room: what ships, what a file changes, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_room.config import DEFAULTS, load_config
from core.errors import InputError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mia.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_ships_is_complete_and_every_key_of_it_is_explained() -> None:
    config = load_config()
    assert (config.tick_s, config.stale_s, config.history_every_min) == (2.0, 12.0, 1)
    assert config.cut_every_min is None
    assert config.map.file is None
    assert len(config.plan.measures) > 5
    top = DEFAULTS.read_text(encoding="utf-8").split("[[continuidad.medidas]]")[0]
    keys = [line for line in top.splitlines() if "=" in line and not line.startswith("#")]
    assert all("# " in line for line in keys)


def test_a_file_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, '[sala]\ntick_s = 1\n[mapa]\narchivo = "m.json"\n[alertas.A01]\ndemora_s = 5\n')
    (tmp_path / "m.json").write_text("{}", encoding="utf-8")
    config, shipped = load_config(path), load_config()
    assert (config.tick_s, config.stale_s) == (1.0, shipped.stale_s)
    assert config.map.file == tmp_path / "m.json"
    assert config.alerts == {**shipped.alerts, "A01": {"demora_s": 5}}
    assert config.plan == shipped.plan


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[sala]\ntick_s = 0\n", 2, "tick_s"),
        ('[sala]\n\nviejo_s = "doce"\n', 3, "viejo_s"),
        ("[sala]\nhistoria_cada_min = 1.5\n", 2, "historia_cada_min"),
        ("[sala]\ntik_s = 2\n", 2, "tik_s"),
        ("[salas]\ntick_s = 2\n", 1, "salas"),
        ('[mapa]\nnivel = "seccion"\n', 2, "nivel"),
        ("[portal]\nurl = 8080\n", 2, "url"),
        ("[publicacion]\ncada_min = true\n", 2, "cada_min"),
        ('[mapa]\narchivo = "no-esta.geojson"\n', 2, "archivo"),
        ("[alertas.A01]\np3_min = 900\n", 2, "alertas.A01.p3_min"),
        ("[alertas.A01]\nminutos = 3\n", 2, "alertas.A01.minutos"),
        ("[alertas.A99]\np3_min = 3\n", 1, "alertas.A99"),
    ],
)
def test_a_wrong_key_is_told_with_its_file_and_line(tmp_path: Path, text: str, line: int, key: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(path), line, key)


def test_what_is_not_toml_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="TOML"):
        load_config(written(tmp_path, "[sala"))
    with pytest.raises(InputError):
        load_config(tmp_path / "no-esta.toml")
