"""A cut's images, brought from where they are kept to the work folder from which they are published."""

from __future__ import annotations

import struct
import subprocess
import sys
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from time import monotonic

import pytest
from PIL import Image, ImageOps

from core.images import bring, derive
from core.images.bring import BroughtImages
from core.images.derive import Views, keep
from core.images.errors import StoreError
from core.images.store import ImageStore, original_key
from core.publication.public_tree import public_keys
from tests.core.images.test_images import photo
from tests.publication_sample import Night
from tests.publication_sample import photo as photo_of


def test_a_cut_publishes_images_kept_in_another_folder(tmp_path: Path) -> None:
    far, work = ImageStore(tmp_path / "almacen"), tmp_path / "trabajo"
    night = Night(work, images=BroughtImages(far, ImageStore(work)))
    night.images = far
    night.acta(0)
    night.acta(3, image=False)
    report = night.cut()
    night.close()
    assert report.emission is not None
    assert (report.emission.with_image, report.emission.missing_images) == (1, 1)
    name = sha256(photo_of(0)).hexdigest()
    keys = {f"imagenes/{name[:2]}/{name}.jpg", far.view_key(name), far.thumb_key(name)}
    assert keys <= set(public_keys(work))
    assert (work / original_key(name, ".jpg")).read_bytes() == photo_of(0)
    assert (work / far.view_key(name)).read_bytes() == far.view(name)


def test_views_the_store_has_not_are_made_and_what_is_no_image_is_missing(tmp_path: Path) -> None:
    far, near = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    bare, torn = far.put(photo()), far.put(photo((500, 600))[:-400])
    damaged = keep(far, photo((70, 80)))
    (tmp_path / "a" / original_key(damaged, ".jpg")).write_bytes(photo((70, 81)))
    assert BroughtImages(far, near).present({bare, torn, damaged, "0" * 64}) == {bare}
    assert near.has_views(bare)
    assert near.present({bare, torn, damaged}) == {bare}


def test_what_does_not_come_in_time_comes_with_the_next_cut(tmp_path: Path) -> None:
    far, near = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    names = {keep(far, photo((40 + number, 40))) for number in range(3)}
    late = count(step=100)
    assert BroughtImages(far, near, patience_s=15, clock=lambda: next(late)).present(names) == set()
    assert BroughtImages(far, near).present(names) == names


def test_a_store_that_does_not_answer_leaves_the_images_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    far, near = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    here, there = keep(near, photo()), keep(far, photo((50, 60)))

    def refuse(names: set[str]) -> set[str]:
        raise StoreError("no responde")

    monkeypatch.setattr(far, "present", refuse)
    assert BroughtImages(far, near).present({here, there}) == {here}
    assert "no se trajeron las imágenes" in caplog.text


BROKEN = {
    "struct.error": "45786966000049492a000800000003001201030001000000060000006987ae000100000028000000"
    "15010500010000003c0000000000003b000000000000000000000000000000000000000000",
    "AttributeError": "45786966000049492a00080000000300120103000100000006000000698704000100000028000000"
    "0e010500010000003c0000000000000000000000000000d500000000000000000000000079000022"
    "000000000000000000000000000000009c000000008900000000000000000000",
}
"""EXIF with which the library raises what is no error of an image."""


@pytest.mark.parametrize("kind", BROKEN)
def test_a_photo_with_broken_metadata_is_shown_as_it_is(tmp_path: Path, kind: str) -> None:
    data, exif = photo((60, 80)), bytes.fromhex(BROKEN[kind])
    torn = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    with pytest.raises((struct.error, AttributeError)):
        ImageOps.exif_transpose(Image.open(BytesIO(torn)))
    store = ImageStore(tmp_path)
    assert store.has_views(keep(store, torn))


def test_whatever_one_photo_does_to_its_reader_the_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    far, near = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    bad, good = far.put(photo((40, 40))), far.put(photo((50, 50)))
    real = derive.views

    def views(data: bytes) -> Views:
        if sha256(data).hexdigest() == bad:
            raise AttributeError("encode")
        return real(data)

    monkeypatch.setattr(bring, "views", views)
    assert BroughtImages(far, near).present({bad, good}) == {good}
    assert f"no se trajo la imagen {bad}" in caplog.text


def test_a_store_that_hangs_does_not_hold_the_end_of_the_process(tmp_path: Path) -> None:
    """Its threads are left behind: an ordinary pool would be waited for."""
    code = (
        "import time\n"
        "from core.images.bring import at_once\n"
        "print(at_once(lambda n: time.sleep(30) if n else n, [0, 1], 0.2))\n"
    )
    started = monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=25
    )
    assert done.stdout == "[0]\n" and monotonic() - started < 20


def test_an_image_a_cut_of_power_left_empty_is_brought_again(tmp_path: Path) -> None:
    far, near = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    name = keep(far, photo())
    assert BroughtImages(far, near).present({name}) == {name}
    for key in (original_key(name, ".jpg"), near.view_key(name), near.thumb_key(name)):
        (tmp_path / "b" / key).write_bytes(b"")
    again = ImageStore(tmp_path / "b")
    assert again.present({name}) == set()
    assert BroughtImages(far, again).present({name}) == {name}
    assert again.get(name) == far.get(name)
    assert (again.view(name), again.thumb(name)) == (far.view(name), far.thumb(name))
