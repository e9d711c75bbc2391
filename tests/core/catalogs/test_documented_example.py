"""The example of docs/catalogo.md is a catalogue."""

from __future__ import annotations

import re
from pathlib import Path

from core.catalogs import load_catalog
from core.catalogs.writer import write_catalog

_BLOCK = re.compile(r"^```(?:toml|csv) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documented_example(repository: Path, folder: Path) -> Path:
    text = (repository / "docs" / "catalogo.md").read_text(encoding="utf-8")
    folder.mkdir()
    for name, content in _BLOCK.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_the_documented_example_loads_with_the_actas_the_document_says(
    repository: Path, tmp_path: Path
) -> None:
    catalog = load_catalog(documented_example(repository, tmp_path / "ejemplo"))
    assert {code: catalog.expected(code) for code in catalog.contests} == {"DIP_LOC": 7, "AYUN": 6}
    assert [acta.key for acta in catalog.actas_of("DIP_LOC")] == [
        "140570B01003",
        "140570C01003",
        "140571B01003",
        "140571S01003EMR",
        "140571S01003ERP",
        "140900B01003",
        "140900E01003",
    ]


def test_each_ballot_of_the_example_has_only_who_runs_there(repository: Path, tmp_path: Path) -> None:
    catalog = load_catalog(documented_example(repository, tmp_path / "ejemplo"))

    def ballot(key: str) -> list[str]:
        acta = next(one for one in catalog.actas if one.key == key)
        applies = catalog.layouts[acta.layout].applies
        codes = catalog.contests[acta.contest].codes
        return [code for code, here in zip(codes, applies, strict=True) if here]

    last = ["NO_REGISTRADAS", "NULOS"]
    assert ballot("140570B01003") == ["ROJO", "AZUL", "VERDE", "C_ROJO_VERDE", *last]
    assert ballot("140900B01003") == ["ROJO", "AZUL", "VERDE", *last]
    assert ballot("140571S01003ERP") == ["ROJO", "AZUL", "VERDE", *last]
    assert ballot("140570B01004") == ["ROJO", "AZUL", "VERDE", "CAND_IND_1", *last]
    assert ballot("140900B01004") == ["ROJO", "AZUL", *last]


def test_the_limit_is_lista_nominal_plus_the_representatives_of_the_widest_ballot(
    repository: Path, tmp_path: Path
) -> None:
    catalog = load_catalog(documented_example(repository, tmp_path / "ejemplo"))
    limits = {acta.key: acta.limit for acta in catalog.actas}
    # Guadalajara: three parties and one independent on the widest ballot; two representatives each.
    assert limits["140570B01003"] == limits["140570B01004"] == 640 + 8
    assert limits["140571S01003EMR"] == limits["140571S01003ERP"] == 1000 + 8
    assert limits["140900B01003"] == limits["140900B01004"] == 433 + 6


def test_the_example_survives_being_written_one_acta_at_a_time(repository: Path, tmp_path: Path) -> None:
    catalog = load_catalog(documented_example(repository, tmp_path / "ejemplo"))
    write_catalog(catalog, tmp_path / "copia")
    assert load_catalog(tmp_path / "copia").document() == catalog.document()
