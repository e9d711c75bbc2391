"""A certified cut: whole at every step, the same bytes after any death, refused when something is spoiled."""

from __future__ import annotations

import base64
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.images.derive import keep
from core.publication.interference import STEPS, CutStep, Interference
from core.publication.public_tree import Kind, headers, is_public, kind, object_key, public_keys
from core.tally.snapshot import Snapshot
from core.transparency import keyring
from core.transparency.acta_tree import proof
from core.transparency.log import LogReader
from core.transparency.merkle import leaf_hash, verify_inclusion
from core.transparency.notes import open_checkpoint
from tests.publication_sample import Night, photo, sample


class Death(BaseException):
    """The process stops here."""


class Dies(Interference):
    """Stops the publisher when a step of a cut is done."""

    def __init__(self, step: str, number: int) -> None:
        self.step, self.number = step, number

    def at(self, step: str, about: CutStep) -> None:
        if (step, about.number) == (self.step, self.number):
            raise Death


class Spoils(Interference):
    """Changes something at a step of the second cut."""

    def __init__(self, step: str, spoil: Any) -> None:
        self.step, self.spoil = step, spoil

    def at(self, step: str, about: CutStep) -> None:
        if step == self.step and about.number == 2:
            self.spoil(about)


def document(work: Path, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work / key).read_bytes())
    return found


def public(work: Path) -> dict[str, bytes]:
    return {key: (work / key).read_bytes() for key in public_keys(work)}


def actas_of(work: Path, root: str) -> list[dict[str, Any]]:
    """Every acta document under the root of a contest."""
    whole = document(work, object_key(root))
    found: list[dict[str, Any]] = list(whole["fuera_de_catalogo"])
    for _, name in whole["territorios"]:
        for _, section, *_ in document(work, object_key(name))["secciones"]:
            found += document(work, object_key(section))["actas"]
    return found


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("muestra") / "w")


def test_two_nights_of_the_same_seed_are_the_same_bytes(work: Path, tmp_path: Path) -> None:
    assert public(sample(tmp_path / "otra")) == public(work)


def test_every_public_name_has_a_kind_and_headers_and_the_pointer_is_the_last(work: Path) -> None:
    keys = list(public_keys(work))
    assert len(set(keys)) == len(keys)
    assert keys[-2:] == ["checkpoint", "corte.json"]
    assert all(headers(key)["Cache-Control"] for key in keys)
    assert not [key for key in keys if key.startswith((".", "prep.db")) or key == "ultimo"]
    assert kind("tile/0/x001/000.p/3") is Kind.TILE
    for name in (
        "prep.db",
        ".emision/0001.json",
        "cortes/0001/../../prep.db",
        "objetos/ab/cd.json",
        "../a.html",
    ):
        assert not is_public(name)


def test_everything_the_pointer_leads_to_is_public_and_is_what_it_says(work: Path) -> None:
    files = public(work)
    pointer = json.loads(files["corte.json"])
    base = pointer["base"]
    assert sha256(files[base + "indice.json"]).hexdigest() == pointer["indice_sha256"]
    assert sha256(files[base + "manifiesto.json"]).hexdigest() == pointer["manifiesto_sha256"]
    for contest in json.loads(files[base + "indice.json"])["contiendas"].values():
        assert actas_of(work, contest["raiz"])
        assert object_key(contest["raiz"]) in files
    portal = json.loads(files[object_key(pointer["portal"])])
    names = [portal["catalogo"], portal["historial"], portal["detalle_cambios"]]
    names += [one[key] for one in portal["contiendas"] for key in ("raiz", "cobertura", "inconsistencias")]
    assert all(object_key(name) in files for name in names)
    assert all(sha256(files[object_key(name)]).hexdigest() == name for name in names)


def test_the_entry_of_a_cut_is_in_the_signed_log_and_every_acta_in_its_tree(work: Path) -> None:
    ring = keyring.read(work)
    assert ring is not None
    for number in (1, 2, 3):
        bundle = document(work, f"emisiones/{number:04d}.json")
        entry = base64.b64decode(bundle["entrada"])
        checkpoint, _ = open_checkpoint(bundle["checkpoint"], ring.verifiers)
        path = [bytes.fromhex(node) for node in bundle["prueba"]]
        verify_inclusion(leaf_hash(entry), bundle["hoja"], bundle["tamano"], path, checkpoint.root)
        told = json.loads(entry)
        assert (
            told["manifiesto_sha256"]
            == sha256((work / f"cortes/{number:04d}/manifiesto.json").read_bytes()).hexdigest()
        )
        root, size = bytes.fromhex(told["actas"]["raiz"]), told["actas"]["hojas"]
        found = 0
        for contest, one in told["contiendas"].items():
            for acta in actas_of(work, one["raiz"]):
                leaf = json.dumps(
                    {"acta": acta, "contienda": contest}, sort_keys=True, ensure_ascii=False,
                    separators=(",", ":"),
                ).encode()  # fmt: skip
                steps = proof(lambda key: (work / key).read_bytes(), root, size, acta["hoja"])
                verify_inclusion(leaf_hash(leaf), acta["hoja"], size, steps, root)
                found += 1
        assert found == size
    entries = LogReader(lambda key: (work / key).read_bytes()).entries()
    assert [json.loads(entry)["clase"] for entry in entries] == [
        "apertura", "emision", "emision", "emision"
    ]  # fmt: skip


def test_the_portal_tells_what_changed_and_what_is_missing(work: Path) -> None:
    portal = document(work, object_key(document(work, "corte.json")["portal"]))
    assert portal["cambios"]["DIP_LOC"] == {
        "secciones": 2, "nuevas": 0, "corregidas": 1, "retiradas": 0, "cotejadas": 1
    }  # fmt: skip
    assert portal["cambios"]["AYUN"]["nuevas"] == 2
    assert (portal["imagenes"], portal["imagenes_faltantes"]) == (True, 1)
    history = document(work, object_key(portal["historial"]))["cortes"]
    assert [cut["corte"] for cut in history] == [1, 2, 3]
    assert [cut["hoja"] for cut in history] == [1, 2, None]
    second = document(work, object_key(history[1]["portal"]))
    assert (second["corte"], second["cambios"]["DIP_LOC"]["nuevas"]) == (2, 3)
    for one in portal["contiendas"]:
        header, panel = one["encabezado"], one["estadistica"]
        assert sum(row[2] for row in one["territorios"]) == int(header["ACTAS_CAPTURADAS"])
        assert sum(row[4] for row in one["territorios"]) == int(header["TOTAL_VOTOS_C_CS"])
        assert sum(row[2] for row in panel["ubicacion"]) == int(header["ACTAS_CAPTURADAS"])
        assert sum(row[1] for row in panel["tipos"]) == int(header["ACTAS_ESPERADAS"])
        assert sum(one["por_columna"]) == sum(votes for _, votes in one["por_partido"])
        coverage = document(work, object_key(one["cobertura"]))
        assert sum(row[4] for row in coverage["catds"]) == int(header["ACTAS_ESPERADAS"])


@pytest.mark.parametrize("step", STEPS)
def test_a_publisher_that_dies_at_any_step_ends_with_the_bytes_of_one_that_did_not(
    work: Path, tmp_path: Path, step: str
) -> None:
    night = Night(tmp_path / "w", interfere=Dies(step, 2))
    night.first_part()
    night.cut()
    before = public(night.folder)
    night.second_part()
    with pytest.raises(Death):
        night.cut()
    if STEPS.index(step) < STEPS.index("apuntado"):
        seen = public(night.folder)
        assert seen["corte.json"] == before["corte.json"]
        assert all(seen[key] == data for key, data in before.items() if kind(key) is Kind.IMMUTABLE)
    night.close()
    again = Night(night.folder)
    again.at = night.at
    if again.engine.operation.last_cut < 2:
        assert again.publisher.cut(night.at, next_ms=night.at + 20 * 60_000).refused is None
    again.third_part()
    again.cut()
    again.close()
    assert {key: sha256(data).hexdigest() for key, data in public(night.folder).items()} == {
        key: sha256(data).hexdigest() for key, data in public(work).items()
    }


def spoil_object(about: CutStep) -> None:
    path = about.objects()[0]
    path.write_bytes(path.read_bytes()[:-1])


def spoil_image_of_sums(about: CutStep) -> None:
    """An object that is good JSON, of another content."""
    path = next(path for path in about.objects() if b'"nivel":"seccion"' in path.read_bytes())
    path.write_bytes(path.read_bytes().replace(b'"capturadas":', b'"capturadas":1'))


def stale_table(about: CutStep) -> None:
    for path in (about.workdir / "cortes" / "0001").glob("*.csv"):
        shutil.copy(path, about.directory)


def stale_archive(about: CutStep) -> None:
    old = sorted((about.workdir / "cortes" / "0001").glob("*_AYUN_*.zip"))[0]
    shutil.copy(old, sorted(about.directory.glob("*_AYUN_*.zip"))[0])


@pytest.mark.parametrize(
    ("step", "spoil", "why"),
    [
        ("objetos", spoil_object, "no es JSON"),
        ("objetos", spoil_image_of_sums, "no es el que dice su nombre"),
        ("construido", stale_table, "es del corte"),
        ("construido", stale_archive, "no es el de este corte"),
    ],
)
def test_a_spoiled_or_stale_file_refuses_the_cut_and_the_next_one_is_sound(
    tmp_path: Path, step: str, spoil: Any, why: str
) -> None:
    night = Night(tmp_path / "w", interfere=Spoils(step, spoil))
    night.first_part()
    night.cut()
    before = public(night.folder)
    night.second_part()
    report = night.cut()
    assert report.refused is not None
    assert why in report.refused
    assert report.emission is None
    assert public(night.folder) == before
    night.publisher._interfere.spoil = lambda _: None  # type: ignore[attr-defined]
    assert night.cut().refused is None
    assert document(night.folder, "corte.json")["corte"] == 2
    night.close()


def test_a_reading_that_lags_behind_the_ledger_is_refused(tmp_path: Path) -> None:
    class Late(Interference):
        kept: Snapshot | None = None

        def snapshot(self, about: CutStep, found: Snapshot) -> Snapshot:
            self.kept = self.kept or found
            return self.kept

    night = Night(tmp_path / "w", interfere=Late())
    night.first_part()
    assert night.cut().refused is None
    night.second_part()
    refused = night.cut().refused
    assert refused is not None
    assert "atrasada" in refused
    night.close()


def test_the_last_cut_closes_the_log(tmp_path: Path) -> None:
    night = Night(tmp_path / "w")
    night.first_part()
    report = night.cut(last=True)
    assert report.emission is not None
    log = night.publisher.log
    assert log is not None
    assert log.frozen
    assert document(night.folder, "corte.json")["bitacora"]["tamano"] == 3
    before = public(night.folder)
    night.publisher.recover()
    assert public(night.folder) == before
    night.close()


def test_images_that_come_later_are_published_with_the_next_cut(tmp_path: Path) -> None:
    night = Night(tmp_path / "w")
    night.first_part()
    first = night.cut().emission
    keep(night.images, photo(6))
    second = night.cut().emission
    assert first is not None
    assert second is not None
    assert (first.missing_images, second.missing_images) == (1, 0)
    assert second.with_image == first.with_image + 1
    portal = document(night.folder, object_key(second.portal))
    assert portal["cambios"]["DIP_LOC"] == dict.fromkeys(portal["cambios"]["DIP_LOC"], 0)
    digest = sha256(photo(6)).hexdigest()
    keys = set(public_keys(night.folder))
    assert {f"imagenes/{digest[:2]}/{digest}.jpg", f"vistas/{digest[:2]}/{digest}_m.webp"} <= keys
    night.close()
