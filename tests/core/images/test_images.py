"""Images of the actas: what is kept, what is shown, what is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.errors import PrepError, UsageError
from core.images.derive import THUMB_SIDE, VIEW_SIDE, keep, views
from core.images.errors import (
    CorruptImageError,
    DecompressionBombError,
    ImageError,
    ImageTooLargeError,
    MissingImageError,
    NotAnImageError,
    StoreError,
    TruncatedImageError,
)
from core.images.probe import MAX_BYTES, MAX_SIDE
from core.images.store import LIST_FROM, ImageStore


def photo(
    size: tuple[int, int] = (600, 800),
    *,
    kind: str = "JPEG",
    mode: str = "RGB",
    exif: Image.Exif | None = None,
    left: str = "white",
) -> bytes:
    """A sheet whose left half has a colour, black elsewhere."""
    image = Image.new(mode, size)
    image.paste(Image.new(mode, (size[0] // 2, size[1]), left), (0, 0))
    out = BytesIO()
    image.save(out, kind, **({"exif": exif} if exif is not None else {}))
    return out.getvalue()


def phone_exif(orientation: int) -> Image.Exif:
    """What a phone writes: how it was held, its maker, when and where."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "TELEFONO-SECRETO"
    exif[0x0132] = "2021:06:06 20:15:00"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (20.0, 40.0, 12.0)
    return exif


def opened(data: bytes) -> Image.Image:
    """A picture, decoded."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG written by hand."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int) -> bytes:
    """A PNG of one bit per pixel, all black, of any size and few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(min(6_000_000, (1 + (width + 7) // 8) * height)), 9)
    chunks = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_the_original_is_kept_byte_by_byte_under_its_sha256(tmp_path: Path) -> None:
    data = photo(exif=phone_exif(6))
    store = ImageStore(tmp_path)
    name = store.put(data)
    assert name == sha256(data).hexdigest()
    assert store.key(name) == f"imagenes/{name[:2]}/{name}.jpg"
    assert (tmp_path / str(store.key(name))).read_bytes() == data
    assert ImageStore(tmp_path).get(name) == data


def test_the_extension_is_that_of_the_content(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    name = store.put(photo(kind="PNG"))
    assert store.key(name) == f"imagenes/{name[:2]}/{name}.png"
    assert ImageStore(tmp_path).key(name) == store.key(name)


def test_what_is_kept_is_never_written_again(tmp_path: Path) -> None:
    data = photo()
    name = keep(ImageStore(tmp_path), data)
    spoilt = tmp_path / "vistas" / name[:2] / f"{name}.webp"
    spoilt.write_bytes(b"otra cosa")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert keep(ImageStore(tmp_path), data) == name
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("torn", [b"", b"\xff\xd8\xff"], ids=["vacía", "a medias"])
def test_an_original_that_was_left_torn_is_mended_when_it_comes_again(tmp_path: Path, torn: bytes) -> None:
    store, data = ImageStore(tmp_path), photo()
    name = store.put(data)
    (tmp_path / str(store.key(name))).write_bytes(torn)
    for again in (store, ImageStore(tmp_path)):
        assert again.put(data) == name
        assert again.get(name) == data


def test_an_image_swapped_on_the_disk_is_told(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    name = store.put(photo())
    (tmp_path / str(store.key(name))).write_bytes(photo(left="gray"))
    with pytest.raises(CorruptImageError, match="otro SHA-256"):
        store.get(name)


def test_what_is_not_there_is_missing_until_it_comes(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    data = photo()
    name = sha256(data).hexdigest()
    assert not store.has(name)
    with pytest.raises(MissingImageError, match=name):
        store.get(name)
    # Another process brings it.
    ImageStore(tmp_path).put(data)
    assert store.has(name)


@pytest.mark.parametrize("how_many", [3, LIST_FROM + 40], ids=["una por una", "con un listado"])
def test_present_says_which_of_many_are_there(tmp_path: Path, how_many: int) -> None:
    here = {ImageStore(tmp_path).put(photo((40 + number, 40))) for number in range(3)}
    asked = here | {sha256(str(number).encode()).hexdigest() for number in range(how_many)}
    assert ImageStore(tmp_path).present(asked) == here


def test_a_key_never_leaves_the_store(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        ImageStore(tmp_path / "almacen").key("../../secreto")


def test_a_place_that_is_no_folder_nor_bucket_is_refused() -> None:
    with pytest.raises(UsageError, match="s3://"):
        ImageStore("ftp://cubo/prefijo")


def test_a_store_that_does_not_answer_is_told_in_spanish(tmp_path: Path) -> None:
    (tmp_path / "imagenes").write_text("un archivo donde debía ir una carpeta")
    with pytest.raises(StoreError, match="no responde"):
        ImageStore(tmp_path).put(photo())


# -- views -----------------------------------------------------------------------------------------


def test_a_view_is_upright_whatever_the_phone_did() -> None:
    # Held so that the top of the scene is the right of the sensor: the white half ends up on top.
    made = views(photo((800, 600), exif=phone_exif(6)))
    image = opened(made.view).convert("L")
    assert image.size == (600, 800)
    assert image.getpixel((300, 100)) > 240  # type: ignore[operator]
    assert image.getpixel((300, 700)) < 15  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_view_tells_nothing_of_the_phone_nor_of_the_place(kind: str) -> None:
    data = photo(kind=kind, exif=phone_exif(1))
    assert b"TELEFONO-SECRETO" in data
    made = views(data)
    for picture in (made.view, made.thumb):
        assert b"SECRETO" not in picture
        assert b"EXIF" not in picture
        image = opened(picture)
        assert not image.getexif()
        assert not set(image.info) & {"exif", "icc_profile", "xmp"}


def test_views_fit_and_are_never_enlarged() -> None:
    large = views(photo((3_000, 4_000)))
    assert opened(large.view).size == (VIEW_SIDE * 3 // 4, VIEW_SIDE)
    assert max(opened(large.thumb).size) == THUMB_SIDE
    small = views(photo((300, 200)))
    assert opened(small.view).size == opened(small.thumb).size == (300, 200)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_any_kind_of_png_has_a_view(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (120, 160)).save(out, "PNG")
    assert opened(views(out.getvalue()).view).size == (120, 160)


def test_what_is_transparent_is_seen_on_white_paper() -> None:
    out = BytesIO()
    Image.new("RGBA", (60, 60), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(views(out.getvalue()).view).convert("L").getpixel((30, 30)) > 250  # type: ignore[operator]


# -- hostile inputs --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hostile:
    """Bytes that are refused, and as what."""

    data: Callable[[], bytes]
    error: type[ImageError]
    says: str


HOSTILE = {
    "vacío": Hostile(bytes, NotAnImageError, "no es una imagen"),
    "texto": Hostile(lambda: b"<script>alert(1)</script>" * 40, NotAnImageError, "JPEG ni PNG"),
    "gif": Hostile(lambda: photo(kind="GIF", mode="L"), NotAnImageError, "JPEG ni PNG"),
    "jpeg cortado": Hostile(lambda: photo((900, 900))[:-400], TruncatedImageError, "hasta el final"),
    "solo la firma": Hostile(lambda: b"\xff\xd8\xff\xe0", TruncatedImageError, "hasta el final"),
    "png cortado": Hostile(lambda: photo(kind="PNG")[:-60], TruncatedImageError, "hasta el final"),
    "png con bytes cambiados": Hostile(
        lambda: png(400, 400).replace(b"IDAT", b"IDAX"), TruncatedImageError, "hasta el final"
    ),
    "bomba": Hostile(lambda: png(8_000, 7_000), DecompressionBombError, "bomba de descompresión"),
    "bomba enorme": Hostile(lambda: png(2**31 - 1, 2**31 - 1), ImageError, "mide|bomba"),
    "muy larga": Hostile(lambda: png(MAX_SIDE + 8, 300), ImageTooLargeError, "pixeles"),
    "muy pesada": Hostile(lambda: photo() + bytes(MAX_BYTES), ImageTooLargeError, "bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_spanish_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    hostile = HOSTILE[name]
    store = ImageStore(tmp_path)
    with pytest.raises(hostile.error, match=hostile.says) as caught:
        keep(store, hostile.data())
    assert isinstance(caught.value, PrepError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
