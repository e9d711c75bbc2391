"""The document of the access says what the tables say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from control_room.web.limits import AccessLimits, read
from control_room.web.roles import PERMISSIONS, ROLES
from core.errors import InputError


def _text(repository: Path) -> str:
    return (repository / "docs" / "sala-acceso.md").read_text(encoding="utf-8")


def test_the_table_of_permissions_is_the_one_of_the_code(repository: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \|$", _text(repository), re.M)
    assert {name: set(roles.split(", ")) for name, roles in rows} == {
        name: set(roles) for name, roles in PERMISSIONS.items()
    }
    assert set(rows[0][1].split(", ")) == set(ROLES)


def test_the_limits_of_the_document_are_the_defaults(repository: Path) -> None:
    block = re.search(r"```toml\n(\[acceso\].*?)```", _text(repository), re.S)
    assert block is not None
    found = tomllib.loads(block[1])["acceso"]
    assert found == asdict(AccessLimits())
    assert read(found) == AccessLimits()


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"fallos": 3}, "acceso.fallos"),
        ({"muro_horas": 0}, "acceso.muro_horas"),
        ({"ventana_min": "15"}, "acceso.ventana_min"),
    ],
)
def test_a_limit_that_will_not_do_is_told_with_its_key(raw: dict[str, object], key: str) -> None:
    with pytest.raises(InputError) as told:
        read(raw)
    assert told.value.column == key
