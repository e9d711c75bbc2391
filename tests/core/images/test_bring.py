"""A cut's images, brought from where they are kept to the work folder from which they are published."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from core.images.bring import BroughtImages
from core.images.derive import keep
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
