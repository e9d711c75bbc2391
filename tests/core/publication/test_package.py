"""The folder of a cut: whole or absent, refused when it lies, unchanged objects not written again."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.publication import package_files
from core.publication.package import HeaderMismatchError, Output, PackageBuilder, PackageError
from core.publication.results_csv import ResultsCsv
from core.tally.snapshot import Snapshot
from tests.builders import START_MS, next_snapshot, random_snapshot, small_catalog

CATALOG = small_catalog()
CUT_MS = START_MS + 40_000_000


def publish(builder: PackageBuilder, snapshot: Snapshot, number: int, *, last: bool = False) -> Path:
    built = builder.build(snapshot, number, CUT_MS + number, last)
    directory = builder.commit(built)
    builder.point(number)
    return directory


def index_of(directory: Path) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads((directory / "indice.json").read_bytes())
    return document


def objects_from(workdir: Path, root: str) -> Iterator[dict[str, Any]]:
    """Every object under a root; each must be what its name says."""
    data = (workdir / "objetos" / root[:2] / f"{root}.json").read_bytes()
    assert sha256(data).hexdigest() == root
    document = orjson.loads(data)
    yield document
    for _, child, *_ in [*document.get("territorios", []), *document.get("secciones", [])]:
        yield from objects_from(workdir, child)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_cut_holds_every_file_and_the_manifest_tells_each(tmp_path: Path) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    snapshot = random_snapshot(CATALOG, 1)
    built = builder.build(snapshot, 1, CUT_MS, False)
    assert not builder.directory(1).exists()
    directory = builder.commit(built)
    builder.point(1)
    assert (tmp_path / "ultimo").resolve() == directory.resolve()
    assert not (tmp_path / "ultimo").readlink().is_absolute()
    names = {path.name for path in directory.iterdir()}
    assert names == {
        "JAL_DIP_LOC_2021.csv", "JAL_DIP_LOC_2021.xlsx", "JAL_AYUN_2021.csv", "JAL_AYUN_2021.xlsx",
        "RESUMEN.xlsx", "20210606_0506_PREP_DIP_LOC_JAL.zip", "20210606_0506_PREP_AYUN_JAL.zip",
        "20210606_0506_PREP_JAL.zip", "indice.json", "manifiesto.json",
    }  # fmt: skip
    manifest = orjson.loads((directory / "manifiesto.json").read_bytes())
    assert sha256((directory / "manifiesto.json").read_bytes()).hexdigest() == built.manifest_sha256
    assert {entry["ruta"] for entry in manifest["archivos"]} == names - {"manifiesto.json"}
    for entry in manifest["archivos"]:
        data = (directory / entry["ruta"]).read_bytes()
        assert (len(data), sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert manifest["catalogo_sha256"] == CATALOG.fingerprint()
    assert (manifest["corte"], manifest["ultimo"], manifest["seq_high"]) == (1, False, snapshot.seq_high)
    assert manifest["instante"] == "2021-06-06T05:06:40-06:00"
    content = next(e["sha256_contenido"] for e in manifest["archivos"] if e["ruta"] == "JAL_AYUN_2021.csv")
    text = (directory / "JAL_AYUN_2021.csv").read_text(encoding="utf-8-sig")
    assert content == sha256(text.encode()).hexdigest()


def test_the_zips_open_and_hold_the_same_results(tmp_path: Path) -> None:
    directory = publish(PackageBuilder(CATALOG, tmp_path, mode="oficial"), random_snapshot(CATALOG, 1), 1)
    with zipfile.ZipFile(directory / "20210606_0506_PREP_JAL.zip") as outer:
        assert outer.testzip() is None
        inner = io.BytesIO(outer.read("20210606_0506_PREP_AYUN_JAL.zip"))
        assert b"20210606_0506_PREP_AYUN_JAL.zip" in outer.read("LEEME.txt")
    with zipfile.ZipFile(inner) as archive:
        assert archive.namelist() == ["JAL_AYUN_2021.csv", "JAL_AYUN_CANDIDATURAS_2021.csv", "LEEME.txt"]
        assert archive.read("JAL_AYUN_2021.csv") == (directory / "JAL_AYUN_2021.csv").read_bytes()
        leeme = archive.read("LEEME.txt").decode("utf-8-sig")
        catalogue = archive.read("JAL_AYUN_CANDIDATURAS_2021.csv").decode("utf-8-sig")
        people = list(csv.reader(io.StringIO(catalogue)))
    head = (directory / "JAL_AYUN_2021.csv").read_text(encoding="utf-8-sig").split("\n")[6]
    for column in head.split(","):
        assert f" {column}: " in leeme
    assert "SIMULACRO" not in leeme
    assert people[0] == ["ID_ENTIDAD", "ID_MUNICIPIO_LOCAL", "PARTIDO_CI", "CANDIDATURA_PROPIETARIA",
                         "CANDIDATURA_SUPLENTE"]  # fmt: skip
    assert ["14", "001", "C_PAN_PRI", "PERSONA DE LA COALICIÓN 1", ""] in people
    assert not any(row[1] == "003" and row[2].startswith("C_") for row in people)


def test_the_same_data_gives_the_same_bytes_whatever_happened_before(tmp_path: Path) -> None:
    first, second = random_snapshot(CATALOG, 1), random_snapshot(CATALOG, 1)
    second = next_snapshot(CATALOG, second, 8, share=0.3)
    kept = PackageBuilder(CATALOG, tmp_path / "a", mode="simulacro")
    publish(kept, first, 1)
    incremental = publish(kept, second, 2)
    anew = PackageBuilder(CATALOG, tmp_path / "b", mode="simulacro")
    whole = publish(anew, replace(second, changed=None), 2)
    assert tree(incremental) == tree(whole)


def test_a_header_that_does_not_come_from_its_rows_refuses_the_cut_and_leaves_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    snapshot = random_snapshot(CATALOG, 1)
    before = publish(builder, snapshot, 1)
    kept = tree(before)
    after = next_snapshot(CATALOG, snapshot, 2, share=0.3)
    honest = ResultsCsv.head
    monkeypatch.setattr(
        ResultsCsv,
        "head",
        lambda self, header, at: honest(self, replace(header, contabilizadas=header.contabilizadas + 1), at),
    )
    with pytest.raises(HeaderMismatchError, match="ACTAS_CONTABILIZADAS"):
        builder.build(after, 2, CUT_MS, False)
    assert [path.name for path in (tmp_path / "cortes").iterdir()] == ["0001"]
    assert (tmp_path / "ultimo").resolve() == before.resolve() and tree(before) == kept
    monkeypatch.undo()
    # What changed in the refused cut is in the next, although its own snapshot does not name it.
    later = next_snapshot(CATALOG, after, 3, share=0.1)
    incremental = publish(builder, later, 2)
    anew = PackageBuilder(CATALOG, tmp_path / "otro", mode="oficial")
    assert tree(incremental) == tree(publish(anew, replace(later, changed=None), 2))


def test_a_build_that_dies_in_the_middle_leaves_nothing_and_the_next_one_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    snapshot = random_snapshot(CATALOG, 1)
    publish(builder, snapshot, 1)
    after = next_snapshot(CATALOG, snapshot, 2, share=0.3)

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_sheet", "write_zip"):
        with monkeypatch.context() as patch:
            patch.setattr(package_files, name, full_disk)
            with pytest.raises(OSError, match="No space"):
                builder.build(after, 2, CUT_MS, False)
        assert [path.name for path in (tmp_path / "cortes").iterdir()] == ["0001"]
        after = next_snapshot(CATALOG, after, 5, share=0.1)
    incremental = publish(builder, after, 2)
    anew = PackageBuilder(CATALOG, tmp_path / "otro", mode="oficial")
    assert tree(incremental) == tree(publish(anew, replace(after, changed=None), 2))


def test_a_cut_nobody_recorded_is_replaced_by_the_one_built_again(tmp_path: Path) -> None:
    snapshot = random_snapshot(CATALOG, 1)
    dead = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    dead.commit(dead.build(snapshot, 1, CUT_MS, False))
    alive = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    later = replace(next_snapshot(CATALOG, snapshot, 2, share=0.5), changed=None)
    directory = publish(alive, later, 1)
    assert [path.name for path in (tmp_path / "cortes").iterdir()] == ["0001"]
    assert index_of(directory)["contiendas"]["AYUN"]["encabezado"]
    assert (tmp_path / "ultimo" / "indice.json").is_file()


def test_only_objects_with_something_new_are_written(tmp_path: Path) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    snapshot = random_snapshot(CATALOG, 1, captured=1.0)
    first = builder.build(snapshot, 1, CUT_MS, False)
    builder.commit(first)
    # Every section, every territory and the entidad: nothing else.
    assert first.trees["AYUN"].objects == first.trees["AYUN"].written
    same = builder.build(replace(snapshot, changed=frozenset()), 2, CUT_MS + 1, False)
    assert [tree.written for tree in same.trees.values()] == [0, 0]
    assert [tree.root for tree in same.trees.values()] == [tree.root for tree in first.trees.values()]
    entry = next(entry for entry in CATALOG.actas_of("AYUN") if CATALOG.casilla_of(entry).seccion == 4)
    actas = list(snapshot.actas)
    actas[entry.id] = None
    one = builder.build(Snapshot(9, actas, snapshot.outside, frozenset({entry.id})), 3, CUT_MS + 2, False)
    assert (one.trees["DIP_LOC"].written, one.trees["AYUN"].written) == (0, 3)
    # A process that starts later finds what is on disk and writes none of it again.
    again = PackageBuilder(CATALOG, tmp_path, mode="oficial").build(snapshot, 4, CUT_MS + 3, False)
    assert [tree.written for tree in again.trees.values()] == [0, 0]


def test_json_levels_add_up_and_say_how_much_of_each_is_in(tmp_path: Path) -> None:
    directory = publish(PackageBuilder(CATALOG, tmp_path, mode="simulacro"), random_snapshot(CATALOG, 6), 1)
    index = index_of(directory)
    for contest, told in index["contiendas"].items():
        documents = list(objects_from(tmp_path, told["raiz"]))
        assert len(documents) == told["objetos"]
        by_level: dict[str, list[dict[str, Any]]] = {}
        for document in documents:
            assert document["modo"] == "simulacro" and document["contienda"] == contest
            assert document["capturadas"] == int(document["contadores"]["ACTAS_CAPTURADAS"])
            by_level.setdefault(document["nivel"], []).append(document)
        (whole,) = by_level["entidad"]
        assert whole["contadores"] == told["encabezado"]
        assert whole["esperadas"] == CATALOG.expected(contest)
        for level in ("territorio", "seccion"):
            for key in ("esperadas", "capturadas"):
                assert sum(document[key] for document in by_level[level]) == whole[key]
            columns = zip(*(document["votos"] for document in by_level[level]), strict=True)
            assert [sum(column) for column in columns] == whole["votos"]
        for section in by_level["seccion"]:
            assert len(section["actas"]) == section["esperadas"]
            counted = [acta["votos"] for acta in section["actas"] if acta.get("contabilizada")]
            sums = [
                sum(vote for vote in column if isinstance(vote, int)) for column in zip(*counted, strict=True)
            ]
            assert section["votos"] == (sums or [0] * len(whole["votos"]))
            assert "corte" not in section and "instante" not in section


def test_a_rehearsal_says_so_in_every_place_a_reader_looks(tmp_path: Path) -> None:
    directory = publish(PackageBuilder(CATALOG, tmp_path, mode="simulacro"), random_snapshot(CATALOG, 1), 1)
    assert (
        (directory / "JAL_AYUN_2021.csv")
        .read_text(encoding="utf-8-sig")
        .startswith("ELECCIÓN AYUN - SIMULACRO\n")
    )
    archives = [path for path in directory.iterdir() if path.suffix == ".zip"]
    assert len(archives) == 3 and all(path.name.endswith("_SIMULACRO.zip") for path in archives)
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            assert "SIMULACRO" in archive.read("LEEME.txt").decode("utf-8-sig")
    assert index_of(directory)["modo"] == "simulacro"
    assert "SIMULACRO" in index_of(directory)["aviso"]


def test_a_replay_keeps_the_name_of_its_source_and_an_unmarked_title(tmp_path: Path) -> None:
    source = "QROO_AYUN_2019.csv"
    outputs = (Output("AYUN", "qroo-2019", csv_name=source, title="AYUNTAMIENTOS", mark_title=False),)
    directory = publish(
        PackageBuilder(CATALOG, tmp_path, mode="simulacro", outputs=outputs), random_snapshot(CATALOG, 1), 1
    )
    data = (directory / "QROO_AYUN_2019.csv").read_bytes()
    assert data.startswith(b"sep=|\nAYUNTAMIENTOS\n2021/06/06 05:06 (UTC-6)\n")
    assert (directory / "QROO_AYUN_2019.xlsx").is_file()
    assert not list(directory.glob("*DIP_LOC*"))


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ((Output("GUB"),), "GUB"),
        ((Output("AYUN", csv_name="../fuera.csv"),), "fuera"),
        ((Output("AYUN", csv_name="x.txt"),), "x.txt"),
        ((Output("AYUN", csv_name="x.csv"), Output("DIP_LOC", csv_name="x.csv")), "mismo nombre"),
        ((Output("AYUN"), Output("AYUN")), "misma elección"),
    ],
)
def test_outputs_that_do_not_go_together_are_refused(
    tmp_path: Path, outputs: tuple[Output, ...], words: str
) -> None:
    with pytest.raises(PackageError, match=words):
        PackageBuilder(CATALOG, tmp_path, mode="oficial", outputs=outputs)


def test_the_pointer_never_leads_to_a_cut_that_is_not_there(tmp_path: Path) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    directory = publish(builder, random_snapshot(CATALOG, 1), 1)
    with pytest.raises(PackageError, match="corte 2"):
        builder.point(2)
    assert (tmp_path / "ultimo").resolve() == directory.resolve()
    with pytest.raises(PackageError, match="ensayo"):
        PackageBuilder(CATALOG, tmp_path, mode="ensayo")
