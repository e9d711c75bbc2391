"""The catalogue is rebuilt from what published files say, and what they say wrong is listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.catalogs import CatalogError, ImportedCatalog, import_published
from core.catalogs.import_rows import LONG_CONTIGUA
from core.domain.catalog import Scope
from core.domain.counters import COUNTER_NAMES
from core.errors import InputError
from core.published.reader import PublishedFile, read_published

COLUMNS = (
    "CLAVE_CASILLA,CLAVE_ACTA,ID_ENTIDAD,ENTIDAD,{place},SECCION,ID_CASILLA,TIPO_CASILLA,EXT_CONTIGUA,"
    "UBICACION_CASILLA,TIPO_ACTA,TOTAL_BOLETAS_SOBRANTES,TOTAL_PERSONAS_VOTARON,TOTAL_REP_PARTIDO_CI_VOTARON,"
    "TOTAL_VOTOS_SACADOS,PAN,PRI,MC,C_PAN_PRI,NO_REGISTRADAS,NULOS,TOTAL_VOTOS_ASENTADO,"
    "TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,REPRESENTANTES_PP_CI,OBSERVACIONES,CONTABILIZADA,"
    "MECANISMOS_TRASLADO,CODIGO_INTEGRIDAD,FECHA_HORA_ACOPIO,FECHA_HORA_CAPTURA,FECHA_HORA_VERIFICACION,"
    "ORIGEN,DIGITALIZACION,TIPO_DOCUMENTO"
)
PLACES = {
    "GUB": "ID_DISTRITO,DISTRITO",
    "DIP": "ID_DISTRITO_LOCAL,DISTRITO_LOCAL",
    "AYUN": "ID_MUNICIPIO,MUNICIPIO",
}
TITLES = {"GUB": "GUBERNATURA", "DIP": "DIPUTACIONES LOCALES", "AYUN": "AYUNTAMIENTOS"}


def row(
    key: str,
    kind: str,
    *,
    place: str = "1",
    votes: str = "10,20,30,1,0,2",
    lista: str = "600",
    reps: str = "12",
    voted: str = "3",
    counted: str = "1",
    seccion: str | None = None,
    numero: str | None = None,
    ubicacion: str = "1",
    name: str = "UNO",
) -> str:
    """A row of a casilla with its key in the OPL 2024 way."""
    tipo = key[6:7]
    cells = [
        f"'{key}", f"'{key}{kind}", "'21", "PUEBLA", f"'{place}", name,
        f"'{key[2:6] if seccion is None else seccion}", f"'{key[7:9] if numero is None else numero}", tipo,
        f"'{key[9:11]}", ubicacion, kind, "100", "60", voted, "63", *votes.split(","), "63", "63", lista,
        reps, " - ", counted, "F", "a" * 64, "02/06/2024 20:00:00", "02/06/2024 20:05:00",
        "02/06/2024 20:06:00", "CATD", "ESCANER", "ACTA PREP",
    ]  # fmt: skip
    return ",".join(cells)


def published(folder: Path, contest: str, rows: Sequence[str]) -> PublishedFile:
    lines = [
        TITLES[contest],
        "03/06/2024 20:00 (UTC-6)",
        "",
        ",".join(COUNTER_NAMES),
        ",".join("0" for _ in COUNTER_NAMES),
        "",
        COLUMNS.format(place=PLACES[contest]),
        *rows,
    ]
    path = folder / f"PUE_{contest}_2024.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_published(path)


def imported(folder: Path, **rows: Sequence[str]) -> ImportedCatalog:
    return import_published([published(folder, contest, listed) for contest, listed in rows.items()])


def test_files_of_one_night_share_their_casillas(tmp_path: Path) -> None:
    night = imported(
        tmp_path,
        GUB=[row("210001B0100", "2", place="004"), row("210001C0100", "2", place="004")],
        AYUN=[row("210001B0100", "4", place="114"), row("210001C0100", "4", place="114")],
    ).catalog
    assert [(c.key, c.distrito, c.municipio) for c in night.casillas] == [
        ("210001B0100", 4, 114),
        ("210001C0100", 4, 114),
    ]
    assert [acta.key for acta in night.actas] == [
        "210001B01002", "210001C01002", "210001B01004", "210001C01004",
    ]  # fmt: skip
    assert night.contests["AYUN"].scope is Scope.MUNICIPIO
    assert (night.entidad.id, night.entidad.abbreviation, night.entidad.utc_offset_minutes) == (
        21,
        "PUE",
        -360,
    )


def test_contiguas_past_nine_get_their_number_back_from_their_order(tmp_path: Path) -> None:
    keys = ["210007B0100", *(f"210007C{n:02d}00" for n in range(1, 10)), "210007C0100", "210007C0100"]
    result = imported(tmp_path, GUB=[row(key, "2") for key in keys])
    assert [c.key for c in result.catalog.casillas][-3:] == ["210007C0900", "210007C1000", "210007C1100"]
    assert [(r.row_line, r.column, r.official, r.own) for r in result.repairs][:3] == [
        (18, "CLAVE_CASILLA", "'210007C0100", "'210007C1000"),
        (18, "CLAVE_ACTA", "'210007C01002", "'210007C10002"),
        (18, "ID_CASILLA", "'01", "'10"),
    ]
    assert {r.reason for r in result.repairs} == {LONG_CONTIGUA}
    assert len(result.repairs) == 6


def test_a_key_repeated_without_a_ninth_before_it_is_not_renumbered(tmp_path: Path) -> None:
    result = imported(tmp_path, GUB=[row("210007C0100", "2"), row("210007C0100", "2")])
    assert result.repairs == []
    assert [c.numero for c in result.catalog.casillas] == [1, 1]
    assert len({acta.casilla for acta in result.catalog.actas}) == 2


def test_the_two_actas_of_an_especial_are_of_one_casilla(tmp_path: Path) -> None:
    especial = {"lista": "0", "reps": "1000"}
    result = imported(
        tmp_path,
        DIP=[
            row("210001S0100", "3EMR", **especial),
            row("210001S0100", "3ERP", votes="1,2,3,-,0,0", **especial),
        ],
    )
    mr, rp = result.catalog.actas
    assert mr.casilla == rp.casilla
    assert mr.limit == rp.limit == 1000
    assert result.catalog.layouts[mr.layout].applies == (True,) * 6
    assert result.catalog.layouts[rp.layout].applies == (True, True, True, False, True, True)


def test_rows_outside_the_catalogue_have_no_acta(tmp_path: Path) -> None:
    outside = row("210001C0100", "2", counted="2")
    without_key = row("210001C0200", "2").replace("'210001C0200,", ",", 1)
    third_place = row("210001C0300", "2", ubicacion="3")
    result = imported(tmp_path, GUB=[outside, row("210001B0100", "2"), without_key, third_place])
    assert result.rows == {"GUB": [None, 0, None, None]}
    assert result.catalog.expected("GUB") == 1


def test_a_ballot_takes_its_columns_from_captured_rows_only(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        GUB=[
            row("210001B0100", "2", votes="1,2,-,-,0,0"),
            row("210001C0100", "2", votes="1,2,-,-,0,0"),
            row("210001C0200", "2", votes="-,-,-,-,-,-", counted="-"),
        ],
    )
    masks = {result.catalog.layouts[acta.layout].applies for acta in result.catalog.actas}
    assert masks == {(True, True, False, False, True, True)}


def test_one_noisy_row_does_not_take_a_column_from_a_ballot(tmp_path: Path) -> None:
    rows = [row(f"210001C{n:02d}00", "2") for n in range(1, 6)]
    rows.append(row("210001C0600", "2", votes="1,,3,1,0,0"))
    result = imported(tmp_path, GUB=rows)
    assert {layout.applies for layout in result.catalog.layouts} == {(True,) * 6}


def test_a_group_nobody_captured_takes_the_ballot_of_its_territory(tmp_path: Path) -> None:
    empty = "-,-,-,-,-,-"
    result = imported(
        tmp_path,
        DIP=[
            row("210001B0100", "3", votes="1,2,-,-,0,0"),
            row("210001S0100", "3E", votes=empty, counted="-", lista="0", reps="1000"),
            row("210009B0100", "3", place="2", votes=empty, counted="-"),
            row("210010B0100", "3", place="3", votes="1,2,3,4,0,0"),
        ],
    )
    masks = [result.catalog.layouts[acta.layout].applies for acta in result.catalog.actas]
    assert masks[1] == masks[0]
    assert masks[2] == (True,) * 6


def test_representatives_that_voted_are_not_taken_for_those_accredited(tmp_path: Path) -> None:
    rows = [row(f"210001C{n:02d}00", "2", reps=str(n), voted=str(n)) for n in range(1, 8)]
    rows.append(row("210001S0100", "2", lista="0", reps="0", voted="0"))
    result = imported(tmp_path, GUB=rows)
    assert [acta.limit for acta in result.catalog.actas] == [600 + 2 * 3] * 7 + [1000 + 2 * 3]
    assert result.catalog.casillas[0].representantes == 1
    assert "votaron" in result.catalog.provenance


def test_rows_without_seccion_share_a_key_and_are_told_apart_by_territory_and_order(tmp_path: Path) -> None:
    def advance(place: str) -> str:
        return row("210000A0100", "2", place=place, seccion="N/A", numero="N/A", reps="N/A", lista="5")

    result = imported(tmp_path, GUB=[advance("001"), advance("004"), advance("N/A"), advance("N/A")])
    assert result.repairs == []
    assert len({acta.casilla for acta in result.catalog.actas}) == 4
    assert [c.distrito for c in result.catalog.casillas] == [1, 4, None, None]
    assert {(c.seccion, c.numero, c.representantes) for c in result.catalog.casillas} == {(None, 1, None)}
    assert {acta.limit for acta in result.catalog.actas} == {None}


def test_a_casilla_two_files_describe_differently_is_kept_twice_and_listed(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        GUB=[row("210001B0100", "2"), row("210001C0100", "2")],
        AYUN=[row("210001B0100", "4", lista="601"), row("210001C0100", "4")],
    )
    assert [(d.key, d.contest, d.column, d.first, d.second) for d in result.disagreements] == [
        ("210001B0100", "AYUN", "LISTA_NOMINAL", "600", "601")
    ]
    gub, _, ayun, _ = result.catalog.actas
    assert result.catalog.casilla_of(gub).lista_nominal == 600
    assert result.catalog.casilla_of(ayun).lista_nominal == 601
    assert len(result.catalog.casillas) == 3


def test_every_casilla_has_a_catd_of_its_distrito_and_the_provenance_says_it_is_modelled(
    tmp_path: Path,
) -> None:
    catalog = imported(
        tmp_path, GUB=[row("210001B0100", "2", place="4"), row("210002B0100", "2", place="7")]
    ).catalog
    assert [catalog.catds[c.catd].distrito for c in catalog.casillas] == [4, 7]
    assert "Modelado: los CATD" in catalog.provenance


def test_two_territories_may_share_their_name(tmp_path: Path) -> None:
    catalog = imported(
        tmp_path, GUB=[row("210001B0100", "2", place="24"), row("210002B0100", "2", place="25")]
    ).catalog
    assert [(t.id, t.name) for t in catalog.distritos.values()] == [(24, "UNO"), (25, "UNO")]


def test_rows_that_cannot_be_read_are_all_told_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as refusal:
        imported(
            tmp_path,
            GUB=[
                row("210001B0100", "2", lista="N/D"),
                row("210001X0100", "2"),
                row("210001C0100", "2", seccion="UNO"),
            ],
        )
    assert [(p.line, p.column) for p in refusal.value.problems] == [
        (8, "LISTA_NOMINAL"),
        (9, "TIPO_CASILLA"),
        (10, "SECCION"),
    ]


def test_two_files_of_one_contest_are_refused(tmp_path: Path) -> None:
    one = published(tmp_path, "GUB", [row("210001B0100", "2")])
    with pytest.raises(InputError, match="dos archivos de la elección GUB"):
        import_published([one, one])


def test_files_with_more_than_one_entidad_are_refused_with_the_line(tmp_path: Path) -> None:
    other = row("140001B0100", "2").replace("'21,PUEBLA", "'14,JALISCO")
    with pytest.raises(InputError, match="línea 9, columna ID_ENTIDAD"):
        imported(tmp_path, GUB=[row("210001B0100", "2"), other])
