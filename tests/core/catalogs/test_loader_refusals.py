"""A wrong catalogue is refused whole, and everything wrong in it is told with its place."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.catalogs import CatalogError, load_catalog
from core.catalogs.problems import MAX_PROBLEMS
from core.errors import InputError

_BLOCK = re.compile(r"^```(?:toml|csv) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Place = tuple[str, int | None, str | int | None]


@pytest.fixture
def example(repository: Path, tmp_path: Path) -> Path:
    """The documented example, to be spoiled."""
    folder = tmp_path / "catalogo"
    folder.mkdir()
    text = (repository / "docs" / "catalogo.md").read_text(encoding="utf-8")
    for name, content in _BLOCK.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems_of(folder: Path) -> list[tuple[Place, str]]:
    with pytest.raises(CatalogError) as refusal:
        load_catalog(folder)
    return [((Path(p.file).name, p.line, p.column), p.reason) for p in refusal.value.problems]


CASES: dict[str, tuple[str, str, str, Place, str]] = {
    "a repeated casilla": (
        "casillas.csv", "571,B,1,0,1,512", "570,B,1,0,1,512", ("casillas.csv", 4, "clave"), "línea 2",
    ),
    "a casilla without CATD": (
        "casillas.csv", "433,LAG", "433,", ("casillas.csv", 6, "catd"), "falta",
    ),
    "an unknown CATD": (
        "casillas.csv", "433,LAG", "433,ZZZ", ("casillas.csv", 6, "catd"), "ZZZ no está en catds.csv",
    ),
    "a missing lista nominal": (
        "casillas.csv", "2,433,", "2,,", ("casillas.csv", 6, "lista_nominal"), "falta",
    ),
    "a lista nominal that is no number": (
        "casillas.csv", "2,433,", "2,4o3,", ("casillas.csv", 6, "lista_nominal"), "«4o3»",
    ),
    "a negative lista nominal": (
        "casillas.csv", "2,433,", "2,-433,", ("casillas.csv", 6, "lista_nominal"), "«-433»",
    ),
    "a básica with nobody in its list": (
        "casillas.csv", "2,433,", "2,0,", ("casillas.csv", 6, "lista_nominal"), "desde 1",
    ),
    "an unknown sección": (
        "casillas.csv", "900,E", "901,E", ("casillas.csv", 7, "seccion"), "901 no está en secciones.csv",
    ),
    "an unknown type": (
        "casillas.csv", "900,E", "900,X", ("casillas.csv", 7, "tipo"), "«X»",
    ),
    "an unknown distrito": (
        "secciones.csv", "900,2,55", "900,3,55", ("secciones.csv", 4, "distrito"), "no está en distritos.csv",
    ),
    "an unknown municipio": (
        "catds.csv", "2,55", "2,56", ("catds.csv", 3, "municipio"), "56 no está en municipios.csv",
    ),
    "a repeated territory": (
        "municipios.csv", "55,Lagos", "41,Lagos", ("municipios.csv", 3, "id"), "línea 2",
    ),
    "a contender limited to an unknown territory": (
        "contendientes.csv", "VERDE,41", "VERDE,42", ("contendientes.csv", 2, "territorio"), "42",
    ),
    "a candidacy of who does not run in that distrito": (
        "candidaturas.csv", "DIP_LOC,1,C_ROJO_VERDE", "DIP_LOC,2,C_ROJO_VERDE",
        ("candidaturas.csv", 4, "codigo"), "no está en la boleta de DIP_LOC del distrito 2",
    ),
    "a candidacy of who does not run in that municipio": (
        "candidaturas.csv", "AYUN,41,CAND_IND_1", "AYUN,55,CAND_IND_1",
        ("candidaturas.csv", 5, "codigo"), "no está en la boleta de AYUN del municipio 55",
    ),
    "a candidacy of an unknown contender": (
        "candidaturas.csv", "DIP_LOC,1,ROJO", "DIP_LOC,1,NEGRO", ("candidaturas.csv", 2, "codigo"), "NEGRO",
    ),
    "a coalition with an unknown party": (
        "catalogo.toml", '["ROJO", "VERDE"]', '["ROJO", "NEGRO"]', ("catalogo.toml", 26, "partidos"), "NEGRO",
    ),
    "a coalition in an unknown distrito": (
        "catalogo.toml", "territorios = [1]", "territorios = [7]", ("catalogo.toml", 27, "territorios"), "7",
    ),
    "a misspelt key": (
        "catalogo.toml", "acta_especial_rp", "acta_rp", ("catalogo.toml", 19, "acta_rp"), "no se conoce",
    ),
    "an unknown scope": (
        "catalogo.toml", '"municipio"', '"colonia"', ("catalogo.toml", 32, "ambito"), "«colonia»",
    ),
    "a missing column": (
        "catds.csv", "catd,nombre,", "catd,", ("catds.csv", 1, "nombre"), "falta la columna",
    ),
    "a column nobody knows": (
        "casillas.csv", "lista_nominal", "listanominal", ("casillas.csv", 1, 6), "«listanominal»",
    ),
    "a line with a cell too many": (
        "casillas.csv", "218,LAG", "218,LAG,1", ("casillas.csv", 7, None), "7 valores",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "said"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_told_with_file_line_column_and_reason(
    example: Path, name: str, old: str, new: str, place: Place, said: str
) -> None:
    spoil(example, name, old, new)
    told = problems_of(example)
    assert [reason for where, reason in told if where == place and said in reason], told


def test_every_problem_is_told_at_once_and_the_error_lists_them(example: Path) -> None:
    spoil(example, "casillas.csv", "2,433,LAG", "2,,ZZZ")
    spoil(example, "municipios.csv", "55,Lagos de Moreno", "55,")
    with pytest.raises(CatalogError) as refusal:
        load_catalog(example)
    text = str(refusal.value)
    assert "municipios.csv, línea 3, columna nombre" in text
    assert "casillas.csv, línea 6, columna lista_nominal" in text
    assert "casillas.csv, línea 6, columna catd" in text
    listed = refusal.value.as_data()["problemas"]
    assert isinstance(listed, list)
    assert len(listed) == len(refusal.value.problems) >= 3
    assert str(pickle.loads(pickle.dumps(refusal.value))) == text


def test_problems_past_the_limit_are_not_told_but_said_to_exist(example: Path) -> None:
    lines = "".join(f"570,C,{n},0,1,600,NADA\n" for n in range(1, MAX_PROBLEMS + 20))
    (example / "casillas.csv").write_text(
        "seccion,tipo,numero,ext_contigua,ubicacion,lista_nominal,catd\n" + lines, encoding="utf-8"
    )
    with pytest.raises(CatalogError) as refusal:
        load_catalog(example)
    assert len(refusal.value.problems) == MAX_PROBLEMS
    assert refusal.value.more
    assert "hay más" in str(refusal.value)


@pytest.mark.parametrize(
    ("spoiler", "place", "said"),
    [
        (lambda p: p.write_bytes(b""), ("casillas.csv", None, None), "vacío"),
        (
            lambda p: p.write_bytes(b"seccion,tipo,numero,lista_nominal,catd\n1,B,1,600,Ca\xf1ada\n"),
            ("casillas.csv", 2, 13),
            "UTF-8",
        ),
        (lambda p: p.unlink(), ("casillas.csv", None, None), "falta el archivo"),
        (
            lambda p: p.write_text("seccion,tipo,numero,lista_nominal,catd\n", encoding="utf-8"),
            ("casillas.csv", 1, None),
            "ninguna fila",
        ),
    ],
    ids=["an empty file", "a file in another encoding", "a missing file", "a file with no lines"],
)
def test_a_file_that_cannot_be_read_is_refused(
    example: Path, spoiler: Callable[[Path], object], place: Place, said: str
) -> None:
    spoiler(example / "casillas.csv")
    assert [reason for where, reason in problems_of(example) if where == place and said in reason]


def test_a_document_that_is_not_toml_is_refused_with_its_line(example: Path) -> None:
    spoil(example, "catalogo.toml", 'nombre = "JALISCO"', "nombre = JALISCO")
    where, reason = problems_of(example)[0]
    assert where[:2] == ("catalogo.toml", 5)
    assert "TOML" in reason


def test_more_columns_than_an_acta_can_have_are_refused(example: Path) -> None:
    # Seven parties together: 120 combinations.
    parties = '["A", "B", "C", "D", "E", "F", "G"]'
    text = (example / "catalogo.toml").read_text(encoding="utf-8")
    text = text.replace('partidos = ["ROJO", "VERDE"]', f"partidos = {parties}")
    text = text.replace('["ROJO", "AZUL", "VERDE"]', parties)
    (example / "catalogo.toml").write_text(text, encoding="utf-8")
    (example / "candidaturas.csv").unlink()
    (example / "contendientes.csv").unlink()
    assert [reason for _, reason in problems_of(example) if "129 columnas" in reason and "64" in reason]


def test_an_acta_that_names_an_unknown_casilla_or_ballot_is_refused(example: Path, tmp_path: Path) -> None:
    from core.catalogs.writer import write_catalog

    folder = tmp_path / "listado"
    write_catalog(load_catalog(example), folder)
    lines = (folder / "actas.csv").read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("140570B01003,0,3,0", "140570B01003,99,3,0")
    lines[2] = lines[2].replace("140570C01003,1,3,0", "140570C01003,1,3,9")
    lines.append(lines[3])
    (folder / "actas.csv").write_text("\n".join(lines), encoding="utf-8")
    told = dict(problems_of(folder))
    assert "99 no está en casillas.csv" in told["actas.csv", 2, "casilla"]
    assert "9 no está en boletas.csv" in told["actas.csv", 3, "boleta"]
    assert "línea 4" in told["actas.csv", 15, "casilla"]


def test_a_folder_that_is_not_there_is_told_apart_from_a_wrong_catalogue(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no existe") as refusal:
        load_catalog(tmp_path / "nada")
    assert not isinstance(refusal.value, CatalogError)
