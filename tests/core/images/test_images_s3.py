"""The images in a real S3 server: written once, found by their hash, and its silence told in Spanish."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from core.images.derive import keep
from core.images.errors import MissingImageError, StoreError
from core.images.store import LIST_FROM, ImageStore
from core.publication.public_tree import public_keys
from core.publishing.assembly import publication
from tests.core.images.test_images import photo
from tests.publication_sample import STEP, Night
from tests.s3_server import S3Server, s3_server

__all__ = ["s3_server"]


@pytest.fixture
def spec(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of the server, and the credentials in the environment."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server.spec(s3_server.new_bucket())


def test_an_image_goes_to_a_bucket_once_and_comes_back(spec: str, s3_server: S3Server) -> None:
    data = photo()
    name = keep(ImageStore(spec), data)
    store = ImageStore(spec)
    assert store.key(name) == f"imagenes/{name[:2]}/{name}.jpg"
    assert store.get(name) == data
    assert store.has_views(name)
    assert store.view(name)[:4] == store.thumb(name)[:4] == b"RIFF"
    bucket = spec.removeprefix("s3://").split("/")[0]
    there = S3Store(
        bucket, prefix="prep", endpoint=s3_server.endpoint, region="us-east-1",
        client_options={"allow_http": True}, virtual_hosted_style_request=False,
    )  # fmt: skip
    before = obstore.head(there, store.view_key(name))
    assert obstore.get(there, store.view_key(name)).attributes["Content-Type"] == "image/webp"
    assert keep(ImageStore(spec), data) == name
    assert obstore.head(there, store.view_key(name))["last_modified"] == before["last_modified"]


def test_a_bucket_says_which_of_many_are_there(spec: str) -> None:
    here = {ImageStore(spec).put(photo((40 + number, 40))) for number in range(3)}
    absent = {sha256(str(number).encode()).hexdigest() for number in range(LIST_FROM + 1)}
    assert ImageStore(spec).present(here | absent) == here
    with pytest.raises(MissingImageError):
        ImageStore(spec).get(min(absent))


def test_a_bucket_that_is_not_ours_is_told_in_spanish(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "otro-secreto-que-no-es")
    with pytest.raises(StoreError, match="no responde"):
        ImageStore(spec).put(photo())


def test_a_cut_brings_the_images_of_a_bucket_to_the_folder_it_is_published_from(
    spec: str, tmp_path: Path
) -> None:
    night = Night(tmp_path / "noche")
    night.images = ImageStore(spec)
    night.acta(0)
    night.acta(3)
    work = tmp_path / "trabajo"
    office = publication(night.engine, night.database, work, key=night.key, images=ImageStore(spec))
    report = office.cut(night.at + STEP)
    night.close()
    assert report.emission is not None
    assert (report.emission.with_image, report.emission.missing_images) == (2, 0)
    shown = [key for key in public_keys(work) if key.startswith(("imagenes/", "vistas/"))]
    assert len(shown) == 2 * 3
    assert all((work / key).is_file() for key in shown)
