"""The linter: nothing on a clean file, and each finding on a file spoiled in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import main
from core.published.findings import KIND_BY_CODE, KINDS, SEVERITIES, Finding, Findings
from core.published.review import review_file
from tests.core.published.sample import Sample, acta, clean, federal, outside, pipes

Spoil = Callable[[Sample], object]


def found(sample: Sample, folder: Path) -> dict[str, list[Finding]]:
    findings = review_file(sample.write(folder))
    by_code: dict[str, list[Finding]] = {}
    for finding in findings.sorted():
        by_code.setdefault(finding.code, []).append(finding)
    return by_code


@pytest.mark.parametrize("make", [clean, pipes, federal])
def test_a_clean_file_has_no_findings(tmp_path: Path, make: Callable[[], Sample]) -> None:
    assert found(make(), tmp_path) == {}


def test_the_participation_of_the_operation_is_as_good_as_that_of_the_last_cut(tmp_path: Path) -> None:
    sample = clean()
    sample.header["PORCENTAJE_PARTICIPACION_CIUDADANA"] = "19.8000"
    assert found(sample, tmp_path) == {}
    sample.header["PORCENTAJE_PARTICIPACION_CIUDADANA"] = "19.8001"
    assert set(found(sample, tmp_path)) == {"H08"}


def header(name: str, value: str) -> Spoil:
    return lambda sample: sample.header.update({name: value})


def cell(section: str, **cells: str) -> Spoil:
    return lambda sample: sample.row(section).update(cells)


ELEVEN_HOURS = {"FECHA_HORA_CAPTURA": "03/06/2024 01:10:00", "FECHA_HORA_VERIFICACION": "03/06/2024 01:15:00"}

LEEME_NAME = "ACTAS_FUERA_DE_CATALOGO"

CASES: list[tuple[str, str | None, Spoil]] = [
    ("E03", "ORIGEN", lambda s: s.columns.remove("ORIGEN")),
    ("E04", LEEME_NAME, lambda s: s.renames.update(ACTAS_FUERA_CATALOGO=LEEME_NAME)),
    ("H01", "ACTAS_CAPTURADAS", header("ACTAS_CAPTURADAS", "ocho")),
    ("H01", "PORCENTAJE_ACTAS_CAPTURADAS", header("PORCENTAJE_ACTAS_CAPTURADAS", "n/d")),
    ("H02", "TOTAL_VOTOS_C_CS", header("TOTAL_VOTOS_C_CS", "496.0")),
    ("H02", "ACTAS_CONTABILIZADAS", header("ACTAS_CONTABILIZADAS", "5.0")),
    ("H03", "PORCENTAJE_PARTICIPACION_CIUDADANA", header("PORCENTAJE_PARTICIPACION_CIUDADANA", "24.8")),
    ("H04", "PORCENTAJE_ACTAS_CAPTURADAS", header("PORCENTAJE_ACTAS_CAPTURADAS", "88.8888%")),
    ("H05", "PORCENTAJE_ACTAS_INCONSISTENCIAS", header("PORCENTAJE_ACTAS_INCONSISTENCIAS", "0.0120")),
    ("H05", "LISTA_NOMINAL_ACTAS_CONTABILIZADAS", header("LISTA_NOMINAL_ACTAS_CONTABILIZADAS", "2500")),
    ("H06", "ACTAS_REGISTRADAS", header("ACTAS_REGISTRADAS", "10")),
    ("H06", "ACTAS_CAPTURADAS", header("ACTAS_NO_CONTABILIZADAS", "4")),
    ("H06", "TOTAL_VOTOS_C_CS", header("TOTAL_VOTOS_S_CS", "497")),
    ("H07", "PORCENTAJE_ACTAS_CONTABILIZADAS", header("PORCENTAJE_ACTAS_CONTABILIZADAS", "55.5556")),
    ("K01", "CLAVE_CASILLA", cell("0102", CLAVE_CASILLA="210102C0100", CLAVE_ACTA="210102C01002")),
    ("K02", "CLAVE_ACTA", cell("0102", CLAVE_ACTA="210102B01009")),
    ("K06", "ID_DISTRITO", cell("0102", ID_DISTRITO="1")),
    ("T01", "FECHA_HORA_CAPTURA", cell("0102", FECHA_HORA_CAPTURA="2024-06-02 21:10:00")),
    ("T01", "FECHA_HORA_CAPTURA", cell("0102", FECHA_HORA_CAPTURA="02/06/2024 25:10:00")),
    ("T02", "FECHA_HORA_ACOPIO", cell("0102", FECHA_HORA_ACOPIO="01/06/2024 12:00:00")),
    ("T03", "FECHA_HORA_ACOPIO", cell("0102", FECHA_HORA_ACOPIO="02/06/2024 00:50:00", **ELEVEN_HOURS)),
    ("T04", "FECHA_HORA_ACOPIO", cell("0102", FECHA_HORA_ACOPIO="02/06/2024 12:50:00", **ELEVEN_HOURS)),
    ("T05", "FECHA_HORA_ACOPIO", cell("0102", FECHA_HORA_ACOPIO="03/06/2024 12:50:00", **ELEVEN_HOURS)),
    ("T06", "FECHA_HORA_CAPTURA", cell("0102", FECHA_HORA_ACOPIO="02/06/2024 21:11:00")),
    ("T07", "FECHA_HORA_VERIFICACION", cell("0102", FECHA_HORA_VERIFICACION="02/06/2024 21:09:00")),
    ("T08", "FECHA_HORA_VERIFICACION", cell("0102", FECHA_HORA_VERIFICACION="03/06/2024 20:01:00")),
    ("T09", "FECHA_HORA_VERIFICACION", cell("0102", FECHA_HORA_VERIFICACION="-")),
    ("O01", "OBSERVACIONES", cell("0101", LISTA_NOMINAL="79")),
    ("O03", "OBSERVACIONES", cell("0104", LISTA_NOMINAL="501")),
    ("O04", "OBSERVACIONES", cell("0102", NULOS="0")),
    ("O05", "OBSERVACIONES", cell("0102", OBSERVACIONES=" - ")),
    ("O06", "OBSERVACIONES", cell("0103", PAN="0")),
    ("O07", "OBSERVACIONES", cell("0103", OBSERVACIONES="ALGUN CAMPO ILEGIBLE O SIN DATO")),
    ("O08", "CONTABILIZADA", cell("0105", CONTABILIZADA="1", CODIGO_INTEGRIDAD="N/A")),
    ("O09", "TOTAL_VOTOS_CALCULADO", cell("0102", TOTAL_VOTOS_CALCULADO="97")),
    ("O10", "TOTAL_VOTOS_CALCULADO", cell("0102", TOTAL_VOTOS_CALCULADO="96.0")),
    ("O11", "NULOS", cell("0102", NULOS="sin_dato")),
    ("O12", "C_PAN_PRI", cell("0102", C_PAN_PRI="", TOTAL_VOTOS_CALCULADO="91")),
    ("O13", "PAN", cell("0102", PAN="treinta", TOTAL_VOTOS_CALCULADO="66")),
    ("O13", "PAN", cell("0102", PAN="-30")),
    ("O14", "OBSERVACIONES", cell("0101", OBSERVACIONES="ACTA ROTA")),
    ("O15", "CONTABILIZADA", cell("0106", PAN="10")),
    ("C02", "CODIGO_INTEGRIDAD", cell("0102", CODIGO_INTEGRIDAD="abc123")),
    ("C03", "FECHA_HORA_ACOPIO", cell("0102", FECHA_HORA_ACOPIO="N/A")),
    ("C04", "TIPO_DOCUMENTO", cell("0102", TIPO_DOCUMENTO="FOTOCOPIA")),
    ("C04", "MECANISMOS_TRASLADO", cell("0102", MECANISMOS_TRASLADO="X")),
    ("C05", "TOTAL_VOTOS_CALCULADO", cell("0105", TOTAL_VOTOS_CALCULADO="0")),
    ("C05", "ORIGEN", cell("0105", ORIGEN="CATD", DIGITALIZACION="ESCANER")),
    ("C06", "DIGITALIZACION", cell("0102", ORIGEN="CASILLA")),
    ("C07", "CODIGO_INTEGRIDAD", cell("0102", CODIGO_INTEGRIDAD="-")),
    ("C08", "LISTA_NOMINAL", cell("0106", LISTA_NOMINAL="N/A")),
    ("C09", "LISTA_NOMINAL", lambda s: s.row("0101", "S").update(LISTA_NOMINAL="700")),
    ("R01", None, lambda s: s.rows.insert(0, s.rows.pop(8))),
    ("R02", None, lambda s: s.rows.insert(3, s.rows.pop(9))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "column", "spoil"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_each_defect_is_found_under_its_code(
    tmp_path: Path, code: str, column: str | None, spoil: Spoil
) -> None:
    sample = clean()
    spoil(sample)
    by_code = found(sample, tmp_path)
    assert code in by_code, by_code
    assert by_code[code][0].column == column
    assert by_code[code][0].message


def test_every_code_of_the_catalogue_is_found_by_some_test_of_this_file() -> None:
    here = {"E01", "E02", "H08", "K03", "K04", "K05", "K07", "O02", "O16", "C01"}
    assert {case[0] for case in CASES} | here == {kind.code for kind in KINDS}


def test_a_row_with_the_wrong_number_of_cells_does_not_put_the_header_in_doubt(tmp_path: Path) -> None:
    path = clean().write(tmp_path)
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    lines[8] += ",sobra"
    lines.insert(10, "")
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    findings = review_file(path)
    assert findings.counts() == {"E01": 1, "E02": 1}
    assert [f.line for f in findings.sorted()] == [9, 11]


def test_contiguas_from_ten_up_written_c01_are_told_apart_from_other_repeated_keys(tmp_path: Path) -> None:
    sample = clean()
    sample.rows[9:9] = [acta("0200", "C", f"{n:02d}") for n in range(1, 10)]
    image = iter(f"{n:064x}" for n in range(1, 20))
    for _ in range(2):
        sample.rows.insert(18, acta("0200", "C", "01", CODIGO_INTEGRIDAD=next(image)))
    sample.rows.insert(20, acta("0201", CODIGO_INTEGRIDAD=next(image)))
    sample.rows.insert(20, acta("0201"))
    by_code = found(sample, tmp_path)
    assert [f.message.split()[-1] for f in by_code["K04"]] == ["10", "11"]
    assert len(by_code["K03"]) == 1
    assert "R01" not in by_code


def test_votes_of_no_section_share_their_key_without_error(tmp_path: Path) -> None:
    sample = clean()
    early = {"SECCION": "N/A", "ID_CASILLA": "N/A", "REPRESENTANTES_PP_CI": "N/A", "LISTA_NOMINAL": "5"}
    for number in range(2):
        sample.rows.insert(0, acta("0000", "A", **early, CODIGO_INTEGRIDAD=f"{number:064x}"))
    by_code = found(sample, tmp_path)
    assert len(by_code["K05"]) == 1
    # Their sum is above their lista nominal, and no limit is theirs: nobody can say that they exceed.
    assert not {"K01", "K02", "K03", "O01", "R01"} & set(by_code)


def test_a_key_without_the_wrapper_of_the_others_is_pointed_out(tmp_path: Path) -> None:
    path = clean().write(tmp_path)
    text = path.read_text(encoding="utf-8-sig").replace("'210102B0100,", "210102B0100,")
    path.write_text(text, encoding="utf-8-sig")
    assert review_file(path).counts() == {"K07": 1}


def test_the_same_image_in_two_actas_is_an_error(tmp_path: Path) -> None:
    sample = clean()
    sample.row("0102")["CODIGO_INTEGRIDAD"] = sample.row("0101")["CODIGO_INTEGRIDAD"].upper()
    sample.rows.append(outside("otra"))
    by_code = found(sample, tmp_path)
    assert [f.line for f in by_code["C01"]] == [12]


def test_an_exceeding_acta_is_only_a_warning_where_the_column_holds_those_who_voted(tmp_path: Path) -> None:
    sample = pipes()
    for number in range(30):
        sample.rows.insert(9 + number, acta(f"{200 + number:04d}", REPRESENTANTES_PP_CI="3"))
    for row in sample.rows:
        if row["REPRESENTANTES_PP_CI"] == "20":
            row["REPRESENTANTES_PP_CI"] = "3"
    sample.row("0215")["LISTA_NOMINAL"] = "95"
    by_code = found(sample, tmp_path)
    assert "O01" not in by_code
    assert len(by_code["O02"]) == 1
    # Three parties on the ballot, two representatives each.
    assert "el límite es 101 y cabe" in by_code["O02"][0].message
    assert by_code["O02"][0].severity == "aviso"


def test_a_column_of_representatives_that_holds_the_limit_is_told_once(tmp_path: Path) -> None:
    sample = clean()
    for number in range(30):
        sample.rows.insert(9 + number, acta(f"{200 + number:04d}"))
    for row in sample.rows:
        if row["REPRESENTANTES_PP_CI"] == "20":
            row["REPRESENTANTES_PP_CI"] = str(int(row["LISTA_NOMINAL"]) + 20)
    by_code = found(sample, tmp_path)
    assert len(by_code["O16"]) == 1
    assert not {"O01", "O03"} & set(by_code)


def test_the_federal_words_for_a_mix_of_marks_are_accepted(tmp_path: Path) -> None:
    sample = federal()
    sample.row("0103")["OBSERVACIONES"] = "\"['Ilegible', 'Sin dato']\""
    sample.row("0102")["OBSERVACIONES"] = "Sin dato"
    assert found(sample, tmp_path) == {}


def test_the_start_of_the_operation_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clean().write(tmp_path)
    assert main(["revisar", str(path), "--inicio", "02/06/2024 21:05", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["por_codigo"]) == {"T02"}
    assert main(["revisar", str(path), "--inicio", "ayer"]) == 2


def test_the_command_answers_with_its_exit_code_and_its_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = clean()
    path = sample.write(tmp_path)
    assert main(["revisar", str(path)]) == 0
    assert "Sin hallazgos" in capsys.readouterr().out
    sample.row("0102")["NULOS"] = "sin_dato"
    sample.write(tmp_path)
    assert main(["revisar", str(path), "--json"]) == 0, "un aviso no es un error"
    capsys.readouterr()
    sample.header["TOTAL_VOTOS_C_CS"] = "496.0"
    sample.write(tmp_path)
    assert main(["revisar", str(path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["hallazgos"][0] == {
        "codigo": "H02",
        "severidad": "error",
        "linea": 5,
        "columna": "TOTAL_VOTOS_C_CS",
        "mensaje": "«496.0» debe ser 496",
    }
    assert answer["por_codigo"] == {"H02": 1, "O11": 1}
    assert main(["revisar", str(path), "--todo"]) == 1
    assert "sin_dato" in capsys.readouterr().out
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["revisar", str(path), "--json"]) == 2
    assert "ACTAS_ESPERADAS" in json.loads(capsys.readouterr().out)["error"]["mensaje"]


def test_a_code_out_of_the_catalogue_cannot_be_recorded() -> None:
    with pytest.raises(KeyError):
        Findings().add("Z99", "no existe")


def test_the_documentation_has_the_table_of_the_catalogue(repository: Path) -> None:
    text = (repository / "docs" / "revisar.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    listed = [tuple(part.strip().strip("`") for part in line.strip("|").split("|")) for line in rows]
    assert listed == [(kind.code, kind.severity, kind.text, kind.source) for kind in KINDS]


def test_codes_are_unique_and_severities_known() -> None:
    assert len(KIND_BY_CODE) == len(KINDS)
    assert {kind.severity for kind in KINDS} == set(SEVERITIES)
