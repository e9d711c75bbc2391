"""The dialects: every rule has a text, precedence is as the LEEME says, and strangers are refused."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from core.domain.rules import RULES, SITUATIONS, Severity
from core.publication.dialects import DIALECTS, DialectError, load_dialect
from core.publication.dialects.dialect import PUBLISHED_CODES, read_dialect

PUBLISHED = [rule for rule in RULES if rule.severity is not Severity.NOTICE]


@pytest.mark.parametrize("name", DIALECTS)
def test_every_combination_of_published_rules_has_a_text(name: str) -> None:
    table = load_dialect(name).observations
    codes = [rule.code for rule in PUBLISHED]
    for size in range(1, len(codes) + 1):
        for chosen in combinations(codes, size):
            assert table.text(chosen)
    for situation in SITUATIONS:
        assert table.text((situation.code,))


@pytest.mark.parametrize("name", DIALECTS)
def test_the_declared_inconsistencies_are_those_of_the_rule_catalogue(name: str) -> None:
    dialect = load_dialect(name)
    # Combinations the rules can give: one of the all-fields rules, or any of the others.
    alone = [("V1",), ("V2",), ("V3",), ()]
    some = [chosen for size in range(4) for chosen in combinations(("V4", "V5", "V6"), size)]
    for codes in {*alone, *some}:
        for identified in ((), ("I1",)):
            together = (*codes, *identified)
            if not together:
                continue
            counts = any(rule.in_inconsistency_percentage for rule in PUBLISHED if rule.code in together)
            assert (dialect.observations.text(together) in dialect.inconsistent) is counts, together
    for situation in SITUATIONS:
        assert dialect.observations.text((situation.code,)) not in dialect.inconsistent


@pytest.mark.parametrize("name", ["opl-2024", "opl-2024-acentos", "qroo-2019"])
def test_excede_lista_nominal_prevails_in_the_structure_of_the_local_institutes(name: str) -> None:
    table = load_dialect(name).observations
    assert table.text(("V4", "V5", "V6", "I1")) == "EXCEDE LISTA NOMINAL"


def test_the_federal_structure_joins_its_observations() -> None:
    table = load_dialect("ine-2024").observations
    assert table.text(("V4", "V5", "V6")) == "Excede Lista Nominal, Ilegible, Sin dato"
    assert table.text(("V4", "V6")) == "Excede Lista Nominal, Sin dato"
    assert table.text(("V5", "V6")) == "Ilegible, Sin dato"
    assert table.text(("V1",)) == "Todos los campos ilegibles"
    assert table.text(("V2",)) == "Todos los campos vacíos"


def test_the_two_local_dialects_differ_only_where_the_leeme_and_puebla_did() -> None:
    plain, accented = load_dialect("opl-2024"), load_dialect("opl-2024-acentos")
    assert plain.file == accented.file
    assert accented.observations.text(("V5",)) == "ALGÚN CAMPO ILEGIBLE O SIN DATO"
    assert (plain.sin_acta.calculado, accented.sin_acta.calculado) == ("0", "SIN ACTA")
    assert (plain.sin_acta.origen, accented.sin_acta.origen) == ("CATD", "N/A")


def test_an_unknown_dialect_is_refused_by_name() -> None:
    with pytest.raises(DialectError, match=r"ine-1994.*opl-2024"):
        load_dialect("ine-1994")


def test_a_dialect_without_the_text_of_a_rule_is_refused() -> None:
    raw = _document()
    raw["observaciones"]["tabla"] = [row for row in raw["observaciones"]["tabla"] if row["codigos"] != ["V6"]]
    with pytest.raises(DialectError, match="V6"):
        read_dialect(raw)


def test_a_dialect_without_a_table_is_refused_with_the_name_of_what_is_missing() -> None:
    raw = _document()
    del raw["sin_acta"]["documento"]
    with pytest.raises(DialectError, match="documento"):
        read_dialect(raw)


def test_a_dialect_that_names_a_total_nobody_knows_is_refused() -> None:
    raw = _document()
    raw["no_aplica"]["A"] = ["TOTAL_DE_LUNAS"]
    with pytest.raises(DialectError, match="TOTAL_DE_LUNAS"):
        read_dialect(raw)


def _document() -> dict:  # type: ignore[type-arg]  # a TOML document, of any shape
    import tomllib
    from importlib import resources

    text = (resources.files("core.publication.dialects") / "opl-2024.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def test_the_table_of_texts_in_the_document_is_what_the_dialects_write(repository: Path) -> None:
    lines = (repository / "docs" / "dialectos.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    names = next(row for row in rows if row[0] == "código")[1:]
    dialects = [load_dialect(name.strip("`")) for name in names]
    told = {row[0]: row[1:] for row in rows if row[0] in PUBLISHED_CODES}
    assert set(told) == set(PUBLISHED_CODES)
    for code, texts in told.items():
        assert texts == [dialect.observations.text((code,)) for dialect in dialects]
