"""Reading published files: every variant of the layouts, and the refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from core.errors import InputError
from core.published.layout import parse_time, time_format_of, unwrap, wrap
from core.published.reader import PublishedFile, read_published
from core.published.render import render
from tests.core.published.sample import VOTES, Sample, clean, federal, pipes


def read(sample: Sample, folder: Path, name: str = "archivo.csv") -> PublishedFile:
    return read_published(sample.write(folder, name))


def test_the_opl_2024_layout_is_read_cell_by_cell(tmp_path: Path) -> None:
    published = read(clean(), tmp_path)
    assert published.layout.name == "opl-2024"
    assert published.layout.bom and published.layout.key_wrapper == "apostrophe"
    assert published.contest == "GUB"
    assert published.cut_at == datetime(2024, 6, 3, 20, 0, tzinfo=timezone(timedelta(hours=-6)))
    assert published.header["TOTAL_VOTOS_C_CS"] == "496"
    assert (published.header_line, published.column_line, published.row_lines[0]) == (4, 7, 8)
    assert published.vote_columns == VOTES
    assert published.cell(published.rows[0], "CLAVE_CASILLA") == "'210101B0100"
    assert published.cell(published.rows[0], "OBSERVACIONES") == " - "


def test_the_pipes_of_2019_are_read_with_their_old_names(tmp_path: Path) -> None:
    published = read(pipes(), tmp_path)
    assert published.layout.name == "qroo-2019"
    assert published.layout.has_sep_line and published.layout.key_wrapper == "equals"
    assert published.contest == "DIP_LOC"
    assert published.utc_offset_hours == -5
    assert published.vote_columns[-2:] == ["NO_REGISTRADOS", "NULOS"]
    assert published.index("NO_REGISTRADAS") == published.index("NO_REGISTRADOS")
    assert len(published.cell(published.rows[0], "CODIGO_INTEGRIDAD")) == 64


def test_the_federal_layout_leaves_the_codes_of_the_urna_out_of_the_votes(tmp_path: Path) -> None:
    published = read(federal(), tmp_path)
    assert published.layout.name == "ine-2021"
    assert published.layout.key_wrapper == "quotes"
    assert published.contest == "DIP_FED"
    assert published.vote_columns == VOTES
    assert published.has("TOTAL_VOTOS_CALCULADO") and not published.layout.blank_after_date


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1"])
@pytest.mark.parametrize("blank", [[], [""], ["\t\t"]])
def test_any_line_end_encoding_and_blank_lines_are_read_and_rendered_back(
    tmp_path: Path, newline: str, encoding: str, blank: list[str]
) -> None:
    sample = clean()
    sample.title = "DIPUTACIONES LOCALES (INCLUYE RESULTADOS DE MAYORÍA RELATIVA)"
    sample.newline, sample.encoding, sample.after_date = newline, encoding, blank
    path = sample.write(tmp_path)
    published = read_published(path)
    assert published.title == sample.title
    assert len(published.rows) == len(sample.rows)
    assert published.row_lines[-1] == published.column_line + len(sample.rows)
    assert render(published) == path.read_bytes()


@pytest.mark.parametrize("make", [clean, pipes, federal])
def test_rendering_gives_the_same_bytes_back(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = make().write(tmp_path)
    assert render(read_published(path)) == path.read_bytes()


def test_a_cell_with_the_separator_inside_quotes_is_one_cell(tmp_path: Path) -> None:
    sample = federal()
    sample.rows[0]["OBSERVACIONES"] = "\"['Ilegible', 'Sin dato']\""
    published = read(sample, tmp_path)
    assert published.cell(published.rows[0], "OBSERVACIONES") == "['Ilegible', 'Sin dato']"


@pytest.mark.parametrize(
    ("title", "name", "contest"),
    [
        ("GUBERNATURA", "x.csv", "GUB"),
        ("JEFATURA DE GOBIERNO", "x.csv", "GUB"),
        ("AYUNTAMIENTOS", "x.csv", "AYUN"),
        ("ALCALDÍAS", "x.csv", "AYUN"),
        ("PRESIDENCIAS MUNICIPALES", "x.csv", "AYUN"),
        ("PRESIDENCIA DE LA REPÚBLICA", "x.csv", "PRES"),
        ("SENADURÍAS", "x.csv", "SEN"),
        ("DIPUTACIONES LOCALES", "x.csv", "DIP_LOC"),
        ("DIPUTACIONES FEDERALES", "x.csv", "DIP_FED"),
        ("ELECCIÓN 2024", "CDMX_ALC_2024.csv", "AYUN"),
        ("ELECCIÓN 2024", "PRES_2024.csv", "PRES"),
    ],
)
def test_the_contest_is_known_by_the_title_or_by_the_name_of_the_file(
    tmp_path: Path, title: str, name: str, contest: str
) -> None:
    sample = clean()
    sample.title = title
    assert read(sample, tmp_path, name).contest == contest


def test_the_deviations_of_cdmx_are_read(tmp_path: Path) -> None:
    sample = clean()
    sample.title, sample.wrapper, sample.encoding = "JEFATURA DE GOBIERNO", "{}", "iso-8859-1"
    sample.cut = "3/6/2024 20:00(UTC-6)"
    sample.after_date, sample.after_counters = ["\t\t\t"], ["\t\t\t"]
    sample.columns.remove("ID_DISTRITO")
    sample.renames = {
        "DISTRITO": "DISTRITO_LOCAL",
        "TOTAL_PERSONAS_VOTARON": "PERSONAS_VOTARON",
        "TOTAL_VOTOS_CALCULADO": "TOTAL_VOTOS_CALCULADOS",
        "MECANISMOS_TRASLADO": "MECANISMO_TRASLADO",
    }
    for row in sample.rows:
        row["FECHA_HORA_CAPTURA"] += " (UTC-6)" if "/2" in row["FECHA_HORA_CAPTURA"] else ""
    published = read(sample, tmp_path)
    assert published.layout.name == "cdmx-2024"
    assert published.territory == (None, "DISTRITO")
    assert published.cut_at.hour == 20


def spoil(sample: Sample, before: str, after: str, folder: Path) -> Path:
    text = sample.text()
    assert before in text
    path = folder / "malo.csv"
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("ACTAS_ESPERADAS,", "ACTAS_PREVISTAS,", 1, "ACTAS_ESPERADAS"),
        ("CLAVE_CASILLA,", "CLAVE,", 5, "CLAVE_CASILLA"),
        ("ACTAS_CAPTURADAS,PORC", "CAPTURADAS,PORC", 4, "ACTAS_CAPTURADAS"),
        (",24.8000", "", 5, "13 contadores y 12 valores"),
        ("03/06/2024 20:00 (UTC-6)", "3 de junio", 2, "línea del corte"),
        ("03/06/2024 20:00 (UTC-6)", "31/06/2024 20:00 (UTC-6)", 2, "no existe"),
        ("LISTA_NOMINAL,REP", "LISTA,REP", 7, "LISTA_NOMINAL"),
        (",PRI,", ",PAN,", 7, "repetida"),
        ("GUBERNATURA", "RIFA", 1, "no se reconoce la elección"),
        ("02/06/2024 21:10:00,02/06/2024 21:15:00", "02/06/2024 21:10:00", 8, "35 celdas"),
    ],
)
def test_what_is_not_a_prep_file_is_refused_with_line_and_reason(
    tmp_path: Path, before: str, after: str, line: int, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_published(spoil(clean(), before, after, tmp_path))
    assert caught.value.line == line
    assert words in str(caught.value)
    assert caught.value.expected


def test_other_separators_are_refused(tmp_path: Path) -> None:
    sample = clean()
    sample.separator = ";"
    with pytest.raises(InputError, match="separador desconocido"):
        read(sample, tmp_path)


def test_a_zip_and_a_utf16_text_are_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match="va dentro del ZIP"):
        read_published(path)
    path.write_text(clean().text(), encoding="utf-16")
    with pytest.raises(InputError, match="UTF-8"):
        read_published(path)
    with pytest.raises(InputError, match="no se puede leer"):
        read_published(tmp_path / "no-existe.csv")


def test_ragged_rows_are_kept_for_who_asks_for_them(tmp_path: Path) -> None:
    path = spoil(clean(), "02/06/2024 21:10:00,02/06/2024 21:15:00", "02/06/2024 21:10:00", tmp_path)
    published = read_published(path, keep_ragged=True)
    assert len(published.rows[0]) == 35


def test_wrappers_come_off_and_go_back_on() -> None:
    for wrapper in ("equals", "quotes", "apostrophe", "none"):
        assert unwrap(wrap("230085B0100", wrapper)) == "230085B0100"
    assert unwrap("'N/A") == "N/A"


def test_times_are_utc_milliseconds_and_none_without_time(tmp_path: Path) -> None:
    layout = read(clean(), tmp_path).layout
    expected = int(datetime(2024, 6, 3, 3, 0, tzinfo=UTC).timestamp()) * 1000
    assert parse_time("02/06/2024 21:00:00", layout, -6) == expected
    assert [parse_time(cell, layout, -6) for cell in ("", "-", "N/A")] == [None, None, None]


@pytest.mark.parametrize(
    "cell", ["2024-06-02 21:00:00", "31/06/2024 21:00:00", "02/06/2024 24:00:00", "ayer"]
)
def test_a_time_that_is_not_one_says_so(tmp_path: Path, cell: str) -> None:
    layout = read(clean(), tmp_path).layout
    with pytest.raises(ValueError, match=cell.split()[0]):
        parse_time(cell, layout, -6)


def test_one_odd_time_does_not_set_the_format_of_the_file(tmp_path: Path) -> None:
    sample = clean()
    sample.rows[0]["FECHA_HORA_ACOPIO"] = "2024-06-02 21:00:00"
    assert read(sample, tmp_path).layout.date_format == "%d/%m/%Y %H:%M:%S"
    assert time_format_of("2024-06-02 21:00:00") == ("%Y-%m-%d %H:%M:%S", "")
