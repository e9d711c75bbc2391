"""The report of a rehearsal: its fields, its formats, and the verdict by rule."""

from __future__ import annotations

import base64
import copy
import json
import re
import zipfile
import zlib
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import docx
import pytest

from core.cli import main
from core.documents.document import Curve, Document, Heading, Lane, Line, Picture, Status, Table
from core.documents.docx import write_docx
from core.documents.pdf import write_pdf
from core.documents.png import draw_png
from core.domain.events import Event, EventKind
from core.errors import InputError
from simulator.night.facts import gather
from simulator.night.tables import cuts_by_hour
from simulator.rehearsal import general as rehearsal_general
from simulator.rehearsal import sections
from simulator.rehearsal.data import Notes, Rehearsal, read_notes, read_rehearsal
from simulator.rehearsal.html import write_html
from simulator.rehearsal.svg import WIDTH, draw_svg
from simulator.rehearsal.verdict import judge, passes
from simulator.scenario.base import MS_PER_HOUR
from tests.simulator.conftest import DATA


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one small rehearsal; read-only."""
    made = tmp_path_factory.mktemp("simulacro") / "s1"
    assert main(["simular", str(DATA / "chica.toml"), "--salida", str(made), "--semilla", "1"]) == 0
    return made


@pytest.fixture(scope="module")
def rehearsal(folder: Path) -> Rehearsal:
    return read_rehearsal(folder, {})


@pytest.fixture(scope="module")
def document(rehearsal: Rehearsal) -> Document:
    return sections.build(rehearsal, judge(rehearsal.data), [])


def good(data: dict[str, Any]) -> dict[str, Any]:
    """A copy of a summary in which everything went as it should."""
    data = copy.deepcopy(data)
    for share in (data["total"], *data["por_contienda"].values()):
        whole = share["esperadas"]
        share.update(capturadas=whole, contabilizadas=whole, capturadas_con_imagen=whole)
        share.update(capturadas_pct=100.0, contabilizadas_pct=100.0, capturadas_con_imagen_pct=100.0)
    for share in data["etapas_por_contienda"].values():
        share.update(con_imagen=share["esperadas"], con_imagen_pct=100.0)
    data["puntuacion"]["actas"].update(sin_acta=0, sin_acta_con_su_causa=0)
    for hour in data["cortes_por_hora"]["horas"]:
        hour.update(publicados=3, cumple=True)
    data["cortes_por_hora"].update(cumple=True)
    return data


def ruling(data: dict[str, Any], key: str) -> Any:
    return next(one for one in judge(data) if one.key == key)


# -- the fields ------------------------------------------------------------------------------------

FIELDS = {
    "hora de la base en ceros": ["base en ceros", "hora de la base en ceros", "17:00:00"],
    "hora de la primera acta": ["primera acta"],
    "inicio y término": ["03/06/2021 17:00", "03/06/2021 21:00"],
    "actas por elección": ["DIP_LOC", "AYUN", "esperadas"],
    "actas por etapa": ["acopiadas", "digitalizadas", "verificadas", "publicadas"],
    "capturadas, contabilizadas y con imagen aparte": ["capturadas", "contabilizadas", "con imagen"],
    "porcentaje en cada corte": ["Anexo A. Avance en cada corte"],
    "por CATD": ["Anexo B. Por CATD", "min sin enlace"],
    "personal por función": ["capturistas", "digitalizadores", "acopiadores", "resolutores", "cotejadores"],
    "CAE con PREP Casilla y origen": ["CAE enviaron al menos una imagen", "CASILLA/MOVIL", "CATD/ESCANER"],
    "tiempos por fase": ["mediana", "p90", "p95", "segunda captura → verificación"],
    "inconsistencias y tratamiento": [
        "Sin acta por paquete no entregado", "Sin acta por paquete entregado sin sobre",
        "Sin acta por casilla no instalada", "registrada sin acta",
    ],
    "pruebas de energía, enlace y traslado": ["corte de energía", "corte de enlace", "traslado de personas"],
    "difusores": ["difusores conectados"],
    "auditor": ["verificación del ente auditor al inicio"],
    "incidentes con hora, impacto y remedio": ["Paquetes mal formados", "impacto", "remedio", "detectado: "],
    "plan de continuidad": ["Plan de continuidad", "Datos móviles", "autorizó"],
    "cortes debidos, publicados y no publicados": ["Debidos 13, publicados 11, no publicados 2"],
    "comparación": ["Comparación con los simulacros anteriores"],
    "compromisos": ["Compromisos"],
    "veredicto": ["Veredicto", "RE 349 (a)", "RE 349 (b)", "RE 349 (c)", "RE 339"],
    "marcado como simulacro": ["SIMULACRO", "Datos ficticios"],
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_the_report_has_every_field_a_rehearsal_report_has(document: Document, field: str) -> None:
    page = write_html(document)
    assert [words for words in FIELDS[field] if words not in page] == []


def test_every_catd_and_every_cut_has_its_row(document: Document, rehearsal: Rehearsal) -> None:
    tables = {block.titles[0]: block for block in document.blocks if isinstance(block, Table)}
    assert len(tables["CATD"].rows) == len(rehearsal.data["por_catd"])
    assert len(tables["corte"].rows) == len(rehearsal.data["cortes"])


def test_what_falls_short_is_said_with_what_the_law_asks(document: Document) -> None:
    page = write_html(document)
    assert "Faltaron 14 actas por procesar" in page
    assert "la autoridad decide si hace un simulacro adicional" in page


def test_notes_of_people_take_the_place_of_what_is_to_be_filled_in(rehearsal: Rehearsal) -> None:
    noted = Rehearsal(
        rehearsal.folder,
        rehearsal.data,
        True,
        Notes("Cinco difusores", "La UdG", "Sin lluvia", ("Otro ensayo",)),
    )
    page = write_html(sections.build(noted, judge(noted.data), []))
    assert all(words in page for words in ("Cinco difusores", "La UdG", "Sin lluvia", "Otro ensayo"))
    assert sections.TO_FILL not in page


# -- the three formats -----------------------------------------------------------------------------


def words_of_docx(packed: bytes) -> str:
    made: Any = docx.Document(BytesIO(packed))
    parts = [paragraph.text for paragraph in made.paragraphs]
    parts += [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    parts += [paragraph.text for paragraph in made.sections[0].header.paragraphs]
    return "\n".join(parts)


def words_of_pdf(packed: bytes) -> str:
    """The text shown on the pages of a PDF of ours, in one line."""
    text = ""
    for stream in re.findall(rb"/ASCII85Decode /FlateDecode.*?stream\r?\n(.*?)endstream", packed, re.S):
        content = zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
        if b" Tj" not in content:
            continue
        for shown in re.findall(rb"\((.*?)(?<!\\)\) Tj", content, re.S):
            plain = re.sub(rb"\\(\d{3})", lambda octal: bytes([int(octal[1], 8)]), shown)
            text += re.sub(rb"\\([()\\])", rb"\1", plain).decode("cp1252") + " "
    return text


class Written(NamedTuple):
    page: str
    word: bytes
    pdf: bytes


@pytest.fixture(scope="module")
def written(document: Document) -> Written:
    return Written(write_html(document), write_docx(document), write_pdf(document))


def test_the_three_formats_say_the_same(document: Document, written: Written) -> None:
    page, word, pdf = written.page, words_of_docx(written.word), words_of_pdf(written.pdf)
    for block in document.blocks:
        if isinstance(block, Heading):
            assert block.text in page
            assert block.text in word
            assert block.text in pdf
        if isinstance(block, Table) and block.rows:
            for cell in (*block.titles, *block.rows[-1]):
                shown = cell.word if isinstance(cell, Status) else cell
                assert shown in word
                assert shown.split(" ")[0].replace("→", "a") in pdf
    for text in (page, word, pdf):
        assert "SIMULACRO" in text
        assert "«sin acta»" in text


def test_pictures_are_in_the_three_formats(document: Document, written: Written) -> None:
    charts = sum(isinstance(block, Picture) for block in document.blocks)
    assert charts == 3
    assert written.page.count("<svg ") == charts
    with zipfile.ZipFile(BytesIO(written.word)) as file:
        assert sum(name.endswith(".png") for name in file.namelist()) == charts
    # Each picture is an image and its transparency.
    assert written.pdf.count(b"/Subtype /Image") == 2 * charts == 2 * written.pdf.count(b"/SMask")


def test_the_same_rehearsal_gives_the_same_bytes(document: Document, written: Written) -> None:
    draw_png.cache_clear()
    assert Written(write_html(document), write_docx(document), write_pdf(document)) == written


def test_files_are_dated_at_the_end_of_the_night(document: Document, written: Written) -> None:
    assert b"D:20210603210000-05'00'" in written.pdf
    assert docx.Document(BytesIO(written.word)).core_properties.created == document.at


def test_the_page_asks_nothing_of_anybody(document: Document) -> None:
    page = write_html(document).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http" not in page
    assert "<script" not in page
    assert " src=" not in page
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def drawn(chart: Curve, tag: str) -> list[dict[str, float]]:
    """Where the SVG of a chart has its marks of a kind: x, y, and the sizes they have."""
    found = []
    for one in re.findall(rf"<{tag} [^>]*>", draw_svg(chart)):
        found.append({k: float(v) for k, v in re.findall(r'\b(x|y|width|height|font-size)="([\d.]+)"', one)})
    return found


def test_labels_of_close_incidents_cover_neither_a_bar_nor_each_other() -> None:
    lanes = tuple(Lane(f"{n}. Corte de enlace en el distrito {n}", 2.0 * n, 200.0) for n in range(1, 9))
    chart = Curve("a", "Avance", "", (Line("capturadas", "#000000", ((0, 0), (240, 90))),), (), 240, lanes)
    bars = [(one["y"], one["y"] + one["height"]) for one in drawn(chart, "rect")]
    # A label goes from its letters' height over its line to the tails below it.
    labels = [(one["y"] - 10, one["y"] + 3) for one in drawn(chart, "text") if one.get("font-size") == 12]
    assert len(bars) == len(labels) == len(lanes)
    spans = sorted([*bars, *labels])
    assert all(above[1] <= below[0] for above, below in pairwise(spans))


def test_the_legend_of_many_runs_takes_more_rows_and_stays_inside() -> None:
    names = [f"simulacro-5 (semilla {n}, con x04 y x13)" for n in range(6)]
    chart = Curve("a", "A", "", tuple(Line(n, "#000000", ((0, 0), (9, 9))) for n in names), (), 240)
    keys = [one for one in drawn(chart, "text") if one["x"] != 42]
    assert len(keys) == len(names)
    assert len({(one["x"], one["y"]) for one in keys}) == len(names)
    assert all(one["x"] + 7.4 * len(names[0]) < WIDTH for one in keys)
    assert draw_png(chart)


# -- the verdict -----------------------------------------------------------------------------------


def test_a_rehearsal_that_did_everything_passes(rehearsal: Rehearsal) -> None:
    rulings = judge(good(rehearsal.data))
    assert [one.key for one in rulings if not one.met] == []
    assert passes(rulings)


def test_a_rehearsal_that_falls_short_does_not_pass_and_says_the_three_figures(rehearsal: Rehearsal) -> None:
    found = ruling(rehearsal.data, "procesado")
    assert not found.met
    assert "capturadas 122 de 136 (89.7058 %)" in found.seen
    assert "con imagen 115" in found.seen
    assert "contabilizadas 109" in found.seen


def test_a_hundred_per_cent_by_sin_acta_is_not_a_pass(rehearsal: Rehearsal) -> None:
    data = good(rehearsal.data)
    data["etapas_por_contienda"]["AYUN"]["con_imagen_pct"] = 60.7
    found = ruling(data, "procesado")
    assert not found.met
    assert "AYUN solo tiene imagen en 60.7000 %" in found.seen
    assert "100 % capturado por sin acta no es aprobar" in found.seen
    assert judge(data, 60.0)[0].met


def test_sin_acta_without_a_cause_is_not_a_pass(rehearsal: Rehearsal) -> None:
    data = good(rehearsal.data)
    data["puntuacion"]["actas"].update(sin_acta=5, sin_acta_con_su_causa=3)
    found = ruling(data, "procesado")
    assert not found.met
    assert "2 marcas sin acta no tienen causa" in found.seen


def test_a_required_phase_without_events_is_named(rehearsal: Rehearsal) -> None:
    data = good(rehearsal.data)
    for phase in data["fases"]:
        if phase["fase"] in ("cotejo", "toma fotográfica en la casilla"):
            phase["eventos"] = 0
    found = ruling(data, "fases")
    assert not found.met
    assert found.seen == "No se ejercitó: cotejo."


@pytest.mark.parametrize(
    ("touched", "measures", "met", "word"),
    [
        (4, True, True, "total"),
        (2, True, True, "parcial"),
        (0, True, True, "parcial"),
        (0, False, False, "no se aplicó"),
    ],
)
def test_continuity_is_total_partial_or_absent(
    rehearsal: Rehearsal, touched: int, measures: bool, met: bool, word: str
) -> None:
    data = good(rehearsal.data)
    data["incidentes"] = [one for one in data["incidentes"] if one["tipo"] == "continuidad" and touched]
    for one in data["incidentes"]:
        one["catd"] = touched
    if not measures:
        data["medidas"] = []
    found = ruling(data, "continuidad")
    assert found.met is met
    assert word in found.seen


def test_an_hour_with_two_cuts_is_named(rehearsal: Rehearsal) -> None:
    found = ruling(rehearsal.data, "cortes")
    assert not found.met
    assert found.seen == "Publicados 11 de 13 cortes; con menos de 3 en la hora que empieza a las 17:00 (1)."


def test_actas_before_the_opening_are_not_a_base_in_zeros(rehearsal: Rehearsal) -> None:
    data = good(rehearsal.data)
    data["base_en_ceros"].update(cumple=False, actas_antes_de_abrir=3)
    found = ruling(data, "ceros")
    assert not found.met
    assert "3 eventos de actas antes de la apertura" in found.seen


# -- where the figures come from -------------------------------------------------------------------


def event(kind: EventKind, at: int, acta: int | None = None, **data: Any) -> Event:
    return Event(kind, acta, at, None, at, "alguien", "estacion", data)


RECEIVED: dict[str, Any] = {"origin": "CATD", "mechanism": "F", "flags": []}


def test_a_ledger_with_an_acta_before_the_opening_is_seen() -> None:
    ledger = [
        (1, event(EventKind.ACTA_RECEIVED, 5, 0, **RECEIVED), b"\0" * 32),
        (2, event(EventKind.OPERATION_OPENED, 9, starts_at=9, ends_at=99), b"\1" * 32),
    ]
    opening = gather(ledger, 1).opening
    assert opening is not None
    assert (opening.first_kind, opening.opened_seq, opening.acta_events_before) == ("acta_received", 2, 1)


def test_a_cut_holds_what_was_recorded_up_to_its_sequence() -> None:
    verified: dict[str, Any] = {"basis": "coincidencia", "contabilizada": True, "notices": []}
    cut: dict[str, Any] = {"manifest_sha256": "", "last": False}
    ledger = [
        (1, event(EventKind.OPERATION_OPENED, 0, starts_at=0, ends_at=99), b""),
        (2, event(EventKind.ACTA_VERIFIED, 10, 0, **verified), b""),
        (3, event(EventKind.SIN_ACTA_MARKED, 11, 1), b""),
        (4, event(EventKind.CUT_PUBLISHED, 12, number=1, seq_high=2, **cut), b""),
        (5, event(EventKind.RECALL_APPROVED, 13, 0), b""),
        (6, event(EventKind.CUT_PUBLISHED, 14, number=2, seq_high=5, **cut), b""),
    ]
    first, second = gather(ledger, 2).cuts
    assert (first.progress.captured, first.progress.counted, first.progress.with_image) == (1, 1, 1)
    assert (second.progress.captured, second.progress.counted, second.progress.with_image) == (1, 0, 0)


def test_only_whole_hours_are_judged_for_cuts() -> None:
    third = MS_PER_HOUR // 3
    due = [0, third, 2 * third, MS_PER_HOUR, MS_PER_HOUR + third]
    told = cuts_by_hour(due, due, str)
    assert [hour["cumple"] for hour in told["horas"]] == [True, None]
    assert told["cumple"]
    late = cuts_by_hour(due, [0, 2 * third, MS_PER_HOUR, MS_PER_HOUR + third], str)
    assert [hour["cumple"] for hour in late["horas"]] == [False, None]
    assert (late["no_publicados"], late["mayor_espera_min"], late["cumple"]) == (1, 40, False)
    assert not cuts_by_hour(due, [], str)["cumple"]


def test_the_tables_add_up_to_the_summary(rehearsal: Rehearsal) -> None:
    data = rehearsal.data
    for key, total in (
        ("capturadas", "capturadas"),
        ("contabilizadas", "contabilizadas"),
        ("con_imagen", "capturadas_con_imagen"),
    ):
        assert sum(one[key] for one in data["por_catd"]) == data["total"][total]
        assert sum(one[key] for one in data["etapas_por_contienda"].values()) == data["total"][total]
    last = data["avance_por_corte"][-1]
    assert (last["capturadas"], last["contabilizadas"]) == (
        data["total"]["capturadas"],
        data["total"]["contabilizadas"],
    )
    recorded = {one["codigo"]: one["registradas"] for one in data["inconsistencias"]}
    assert {code: recorded[code] for code in data["observaciones"]} == data["observaciones"]


def test_the_summary_for_people_tells_when_each_incident_was_seen_and_what_was_done(
    folder: Path, rehearsal: Rehearsal
) -> None:
    text = (folder / "resumen.md").read_text(encoding="utf-8")
    section = text.partition("## Incidentes")[2].partition("## Captura")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    titles = next(line for line in lines if line[0] == "desde")
    told = [dict(zip(titles, line, strict=True)) for line in lines if len(line) == len(titles)]
    links = [one for one in rehearsal.data["incidentes"] if one["detectado"]]
    assert links
    for one in links:
        row = next(row for row in told if (row["qué pasó"], row["desde"]) == (one["nombre"], one["desde"]))
        for title, key in (
            ("detectado", "detectado"), ("autorizado", "autorizado"), ("autorizó", "autorizado_por"),
            ("activo", "activo"),
        ):  # fmt: skip
            assert row[title] == (one[key] or "—")
    measures = section.partition("## Medidas")[2]
    for one in rehearsal.data["medidas"]:
        assert f"| {one['medida']} |" in measures
        assert f"| {one['autorizo']} | {one['autorizada'][11:16]} | {one['activa'][11:16]} |" in measures


# -- what is read ----------------------------------------------------------------------------------


def copy_with(folder: Path, target: Path, **changes: Any) -> Path:
    data = json.loads((folder / "resumen.json").read_text(encoding="utf-8"))
    target.mkdir()
    (target / "resumen.json").write_text(json.dumps(data | changes), encoding="utf-8")
    return target


def test_a_summary_that_does_not_match_its_database_is_refused(folder: Path, tmp_path: Path) -> None:
    other = copy_with(folder, tmp_path / "otra", huella="0" * 64)
    (other / "prep.db").write_bytes((folder / "prep.db").read_bytes())
    with pytest.raises(InputError, match=r"prep\.db.*huella 0000"):
        read_rehearsal(other, {})


def test_without_its_database_the_report_says_it_was_not_compared(folder: Path, tmp_path: Path) -> None:
    alone = read_rehearsal(copy_with(folder, tmp_path / "sola"), {})
    assert not alone.checked
    page = write_html(sections.build(alone, judge(alone.data), []))
    assert "no: la base no está en la carpeta" in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"modo": "oficial"}, "columna modo: se esperaba «simulacro»"),
        ({"por_catd": None}, "columna por_catd: se esperaba una lista"),
        ({"inicio": "ayer"}, "columna inicio: se esperaba una fecha"),
    ],
)
def test_a_summary_that_lacks_something_is_told_by_its_key(
    folder: Path, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        read_rehearsal(copy_with(folder, tmp_path / "mala", **changes), {})


def test_a_folder_without_summary_and_one_with_broken_json_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"resumen\.json: se esperaba el resumen que deja"):
        read_rehearsal(tmp_path, {})
    (tmp_path / "resumen.json").write_text('{\n "a": ', encoding="utf-8")
    with pytest.raises(InputError, match="línea 2"):
        read_rehearsal(tmp_path, {})


def test_notes_are_read_by_scenario_and_wrong_ones_told(tmp_path: Path) -> None:
    path = tmp_path / "notas.toml"
    path.write_text('[chica]\ndifusores = "Cinco"\ncompromisos = ["uno", "dos"]\n', encoding="utf-8")
    assert read_notes(path) == {"chica": Notes("Cinco", "", "", ("uno", "dos"))}
    for text, told in (
        ("[chica]\ndifusor = 1\n", r"chica\.difusor"),
        ('[chica]\ncompromisos = "uno"\n', "una lista de textos"),
        ("chica = 1\n", "una tabla por escenario"),
        ("chica =", r"notas\.toml, línea 1, columna 8: no es TOML válido: termina antes de tiempo$"),
        ("[chica]\ndifusores = Cinco\n", r"notas\.toml, línea 2, columna 13: no es TOML válido$"),
        ('[chica]\ndifusores = """Cinco', "línea 2, columna 21: no es TOML válido: termina antes de tiempo$"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=told):
            read_notes(path)
    with pytest.raises(InputError, match="un archivo TOML"):
        read_notes(tmp_path / "nada.toml")


# -- several ---------------------------------------------------------------------------------------


def earlier(rehearsal: Rehearsal) -> Rehearsal:
    data = good(rehearsal.data)
    data.update(escenario="anterior", titulo="El anterior", inicio="2021-05-30T17:00:00-05:00")
    return Rehearsal(rehearsal.folder, data, False)


def test_a_report_compares_with_the_rehearsals_before(rehearsal: Rehearsal) -> None:
    document = sections.build(rehearsal, judge(rehearsal.data), [earlier(rehearsal)])
    table = next(
        block
        for block in document.blocks
        if isinstance(block, Table) and block.titles == ("dato", "anterior", "chica")
    )
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["fecha"] == ("30/05/2021", "03/06/2021")
    assert rows["capturadas %"] == ("100.0000", "89.7058")
    assert rows["cortes no publicados"] == ("2", "2")
    assert sum(isinstance(block, Picture) for block in document.blocks) == 4


def test_the_general_report_has_the_verdict_of_each_and_how_many_there_must_be(rehearsal: Rehearsal) -> None:
    both = [earlier(rehearsal), rehearsal]
    document = rehearsal_general.build(both, [judge(one.data) for one in both])
    page = write_html(document)
    assert "1 de 2 simulacros cumplen todas las reglas" in page
    assert "El artículo 349 pide al menos 3; este informe cubre 2" in page
    assert "chica: Procesar el 100 %" in page
    assert "anterior: Procesar el 100 %" not in page
    assert "Paquetes mal formados" in page
