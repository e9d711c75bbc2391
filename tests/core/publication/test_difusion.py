"""The package of the difusores: the same bytes always, and every field of it in the schema and the guide."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from core.domain.counters import COUNTER_NAMES
from core.errors import InputError
from core.publication.difusion import SCHEMA_FILE, write_difusion
from core.transparency.entries import Aviso
from tests.publication_sample import Night

SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_bytes())


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder of two cuts, the last of them the closing one."""
    night = Night(tmp_path_factory.mktemp("noche") / "trabajo")
    night.first_part()
    night.cut()
    night.second_part()
    night.cut(last=True)
    night.close()
    return night.folder


def checked(definition: str, document: Any) -> None:
    Draft7Validator({**SCHEMA, "oneOf": [{"$ref": f"#/definitions/{definition}"}]}).validate(document)


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_the_guide_has_the_schema_that_is_published(repository: Path) -> None:
    assert (repository / "docs" / "difusion.schema.json").read_bytes() == SCHEMA_FILE.read_bytes()
    Draft7Validator.check_schema(SCHEMA)


def test_what_is_published_is_what_the_schema_says(work: Path) -> None:
    checked("corte", read(work / "corte.json"))
    checked("llaves", read(work / "llaves.json"))
    for number in ("0001", "0002"):
        checked("indice", read(work / "cortes" / number / "indice.json"))
        checked("manifiesto", read(work / "cortes" / number / "manifiesto.json"))
        proof = read(work / "emisiones" / f"{number}.json")
        checked("emision", proof)
        checked("entrada", json.loads(base64.b64decode(proof["entrada"])))


def test_a_notice_is_what_the_schema_says() -> None:
    notice = Aviso("simulacro", 1, "hueco", 1000, None, "se perdió un corte", (1000,), {"corte": 3})
    checked("aviso", json.loads(notice.encode()))


def test_the_schema_refuses_what_nobody_described(work: Path) -> None:
    pointer = read(work / "corte.json")
    assert not Draft7Validator({**SCHEMA, "oneOf": [{"$ref": "#/definitions/corte"}]}).is_valid(
        pointer | {"novedad": 1}
    )
    pointer.pop("modo")
    assert not Draft7Validator({**SCHEMA, "oneOf": [{"$ref": "#/definitions/corte"}]}).is_valid(pointer)


def fields(definition: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a definition with its description, those inside it too."""
    for name, told in definition["properties"].items():
        yield f"{prefix}{name}", told["description"]
        inside = told.get("items") if isinstance(told.get("items"), dict) else None
        more = told.get("additionalProperties")
        if told.get("type") == "object" and "properties" in told:
            yield from fields(told, f"{prefix}{name}.")
        if inside and "properties" in inside:
            yield from fields(inside, f"{prefix}{name}[].")
        if isinstance(more, dict) and "properties" in more:
            yield from fields(more, f"{prefix}{name}.CLAVE.")


def test_every_field_is_in_the_guide_as_the_schema_describes_it(repository: Path) -> None:
    guide = (repository / "docs" / "difusores.md").read_text(encoding="utf-8")
    for name, definition in SCHEMA["definitions"].items():
        section = (
            guide.split(f"\n### {definition['title']}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
        )
        table = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE))
        if name == "encabezado":
            assert set(table) == set(definition["properties"]) == set(COUNTER_NAMES)
        else:
            assert table == dict(fields(definition)), name


def test_the_package_has_the_cut_its_proof_the_keys_and_the_schema_as_they_are_published(work: Path) -> None:
    with zipfile.ZipFile(work / "difusion" / "0002.zip") as package:
        names = package.namelist()
        expected = {f"cortes/0002/{path.name}" for path in (work / "cortes" / "0002").iterdir()}
        assert set(names) == expected | {"emisiones/0002.json", "llaves.json", "checkpoint", "ESQUEMA.json"}
        for name in names:
            if name == "ESQUEMA.json":
                assert package.read(name) == SCHEMA_FILE.read_bytes()
            elif name == "checkpoint":
                note = read(work / "emisiones" / "0002.json")["checkpoint"]
                assert package.read(name) == note.encode()
            else:
                assert package.read(name) == (work / name).read_bytes()


def test_the_same_cut_gives_the_same_bytes_whenever_it_is_made(work: Path, tmp_path: Path) -> None:
    copy = tmp_path / "otra"
    shutil.copytree(work, copy, symlinks=True)
    published = (copy / "difusion" / "0001.zip").read_bytes()
    (copy / "difusion" / "0001.zip").unlink()
    made = write_difusion(copy, 1)
    assert made.path.read_bytes() == published, "though the log and the checkpoint have grown since"
    assert (made.sha256, made.bytes) == (hashlib.sha256(published).hexdigest(), len(published))
    before = made.path.stat().st_ino
    assert write_difusion(copy, 1) == made
    assert made.path.stat().st_ino == before, "one that is the same is not written again"
    assert [path.name for path in made.path.parent.iterdir() if path.name.startswith(".")] == []


def test_a_half_written_package_is_made_again(work: Path, tmp_path: Path) -> None:
    copy = tmp_path / "otra"
    shutil.copytree(work, copy, symlinks=True)
    target = copy / "difusion" / "0001.zip"
    published = target.read_bytes()
    target.write_bytes(published[:100])
    write_difusion(copy, 1)
    assert target.read_bytes() == published


@pytest.mark.parametrize(
    "lost", ["emisiones/0001.json", "llaves.json", "cortes/0001/indice.json", "cortes/0001"]
)
def test_what_is_missing_is_named(work: Path, tmp_path: Path, lost: str) -> None:
    copy = tmp_path / "otra"
    shutil.copytree(work, copy, symlinks=True)
    path = copy / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (copy / "difusion" / "0001.zip").unlink()
    with pytest.raises(InputError, match=lost):
        write_difusion(copy, 1)
    assert [item.name for item in (copy / "difusion").iterdir()] == ["0002.zip"]
