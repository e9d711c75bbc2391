"""The limits are read whole or refused with their key; the document says what the rules are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from control_room.alerts.document import limit_cells, put, rule_cells, tables, toml
from control_room.alerts.rules import INHIBITIONS, RULE, RULES
from control_room.alerts.thresholds import default_thresholds, read
from control_room.config import load_config
from core.errors import InputError, UsageError

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "alertas.md"


def test_what_is_configured_goes_over_the_defaults() -> None:
    found = read({"A01": {"p1_min": 20, "demora_s": 5, "activa": True}, "A10": {"activa": False}})
    assert found.rules["A01"]["p1_min"] == 20 and found.rules["A01"]["p2_min"] == 5
    assert found.delay_ms("A01") == 5000
    assert found.off == {"A10"}


@pytest.mark.parametrize(
    ("given", "key", "reason"),
    [
        ({"A99": {}}, "alertas.A99", "A01 a A17"),
        ({"A01": 3}, "alertas.A01", "una tabla"),
        ({"A01": {"p9_min": 3}}, "alertas.A01.p9_min", "p3_min"),
        ({"A01": {"p3_min": "tres"}}, "alertas.A01.p3_min", "un número"),
        ({"A01": {"p3_min": True}}, "alertas.A01.p3_min", "un número"),
        ({"A01": {"p3_min": -1}}, "alertas.A01.p3_min", "de 1 a"),
        ({"A01": {"p3_min": 7}}, "alertas.A01.p3_min", "no más que p2_min (5)"),
        ({"A05": {"vuelve_pp": 6}}, "alertas.A05.vuelve_pp", "no más que p2_pp"),
        ({"A01": {"activa": 1}}, "alertas.A01.activa", "true o false"),
        ({"general": {"operadores": 3}}, "alertas.general.operadores", "miradas"),
        ({"general": {"suelta_distritos": 6}}, "alertas.general.suelta_distritos", "estado_distritos"),
        ({"A01": {"p3_min": float("nan")}}, "alertas.A01.p3_min", "un número"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key(given: dict[str, Any], key: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        read(given, "mia.toml")
    assert refused.value.column == key and refused.value.file == "mia.toml"
    assert reason in str(refused.value)


def test_the_default_configuration_is_the_defaults() -> None:
    assert read(tomllib.loads(toml())["alertas"]) == default_thresholds()


def test_the_rooms_own_configuration_is_good() -> None:
    config = load_config(None)
    assert set(read(config.alerts).rules) == set(RULE)


def cells(name: str) -> list[list[str]]:
    """The rows of the table after a heading of the document."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_the_document_is_the_rules() -> None:
    assert cells("Reglas") == [rule_cells(rule) for rule in RULES]
    assert cells("Límites") == [row for row in limit_cells()]
    assert cells("Qué calla a qué") == [list(row) for row in INHIBITIONS]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_says_its_own_limits(rule: Any) -> None:
    said = re.findall(r"{(\w+)}", rule.raises + rule.clears + rule.priority)
    assert set(said) == {limit.key for limit in rule.limits}


def test_a_document_without_marks_is_not_written() -> None:
    with pytest.raises(UsageError):
        put("# Otro\n", "reglas", tables()["reglas"])
