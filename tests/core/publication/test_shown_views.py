"""What people look at of an image is bound by the leaf of its acta: its document has the hash of the view."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.destinations.directory import DirectoryDestination
from core.destinations.distributor import Distributor
from core.destinations.outgoing import Outgoing, OutgoingError
from core.errors import InputError
from core.images.derive import keep
from core.images.store import ImageStore, thumb_key, view_key
from core.publication.public_tree import object_key, public_keys
from tests.publication_sample import Night, photo


def actas_of(work: Path) -> dict[str, dict[str, Any]]:
    """The published documents of actas that say something of an image, by the SHA-256 of the image."""

    def read(name: str) -> Any:
        return orjson.loads((work / object_key(name)).read_bytes())

    cut = orjson.loads((work / "corte.json").read_bytes())["corte"]
    index = orjson.loads((work / f"cortes/{cut:04d}/indice.json").read_bytes())
    found: dict[str, dict[str, Any]] = {}
    for contest in index["contiendas"].values():
        top = read(contest["raiz"])
        found |= {acta["imagen"]: acta for acta in top["fuera_de_catalogo"]}
        for _, territory in top["territorios"]:
            for row in read(territory)["secciones"]:
                found |= {acta["imagen"]: acta for acta in read(row[1])["actas"] if acta.get("imagen")}
    return found


def test_the_document_of_an_acta_says_the_hash_of_the_view_that_is_shown(tmp_path: Path) -> None:
    night = Night(tmp_path)
    night.acta(0)
    night.acta(3, image=False)
    night.outside(1)
    night.cut()
    night.close()
    shown = {name: acta["imagen_vista"] for name, acta in actas_of(tmp_path).items()}
    with_view = {sha256(photo(number)).hexdigest() for number in (0, 201)}
    assert shown == {
        name: sha256((tmp_path / view_key(name)).read_bytes()).hexdigest() if name in with_view else None
        for name in shown
    }
    assert with_view < shown.keys()


def test_what_was_said_of_a_view_stays_said_after_a_restart(tmp_path: Path) -> None:
    night = Night(tmp_path)
    night.acta(0)
    night.cut()
    night.close()
    name = sha256(photo(0)).hexdigest()
    said = actas_of(tmp_path)[name]
    (tmp_path / view_key(name)).write_bytes(ImageStore(tmp_path).view(keep(night.images, photo(9))))
    again = Night(tmp_path)
    again.at = night.at
    again.acta(4)
    assert again.cut().refused is None
    again.close()
    assert actas_of(tmp_path)[name] == said


def test_an_acta_whose_view_is_torn_offers_only_its_original(tmp_path: Path) -> None:
    night = Night(tmp_path)
    name = keep(night.images, photo(0))
    path = tmp_path / view_key(name)
    path.write_bytes(path.read_bytes()[:-20])
    night.acta(0)
    path.write_bytes(path.read_bytes()[:-20])
    night.cut()
    night.close()
    acta = actas_of(tmp_path)[name]
    assert (acta["imagen_archivo"], acta["imagen_vista"]) == ("jpg", None)


@pytest.mark.parametrize("damage", ["of another acta", "empty"])
def test_a_view_that_is_not_the_one_of_the_acta_does_not_leave_the_work_folder(
    tmp_path: Path, damage: str
) -> None:
    night = Night(tmp_path)
    night.acta(0)
    night.acta(3)
    night.cut()
    night.close()
    mine, other = (view_key(sha256(photo(number)).hexdigest()) for number in (0, 3))
    out = Outgoing.read(tmp_path)
    out.item(mine)
    out.item(thumb_key(sha256(photo(0)).hexdigest()))
    (tmp_path / mine).write_bytes((tmp_path / other).read_bytes() if damage == "of another acta" else b"")
    with pytest.raises(OutgoingError, match="No se publica"):
        Outgoing.read(tmp_path).item(mine)
    public = tmp_path.with_name(f"{tmp_path.name}-publico")
    with Distributor(tmp_path, [DirectoryDestination(public)]) as distributor:
        assert distributor.drain(20), "the results do not wait for it"
        assert mine in str(distributor.states()[0]["error"])
    assert (public / "corte.json").is_file() and not (public / mine).exists()


def test_a_folder_that_is_a_link_is_told_and_never_followed(tmp_path: Path) -> None:
    night = Night(tmp_path / "noche")
    night.acta(0)
    night.cut()
    night.close()
    work, secret = tmp_path / "noche", tmp_path / "secreto"
    secret.mkdir()
    (secret / "0001.tsr").write_bytes(b"secreto")
    (work / "sellos").symlink_to(secret)
    with pytest.raises(InputError, match="enlace simbólico"):
        list(public_keys(work))
    (work / "sellos").unlink()
    name = sha256(photo(0)).hexdigest()
    images = work / "imagenes" / name[:2]
    images.rename(tmp_path / "otra")
    images.symlink_to(tmp_path / "otra")
    with pytest.raises(OutgoingError, match="enlace simbólico"):
        Outgoing.read(work).item(f"imagenes/{name[:2]}/{name}.jpg")


@pytest.mark.parametrize("notice", [b"{}", b'{"detalle":[]}', b"[]"], ids=["nothing", "a list", "no object"])
def test_a_notice_that_is_none_is_told_with_its_file(tmp_path: Path, notice: bytes) -> None:
    night = Night(tmp_path)
    night.cut()
    night.close()
    (tmp_path / "avisos").mkdir(exist_ok=True)
    (tmp_path / "avisos" / "0001.json").write_bytes(notice)
    with pytest.raises(InputError, match=r"0001\.json"):
        list(public_keys(tmp_path))
