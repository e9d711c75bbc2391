"""The views people look at, made from the original: a web page's picture and a thumbnail.

Upright (the orientation of the phone is applied first) and without any metadata: where and with what an
acta was photographed is nobody's business but the original's, which stays as it was received. It does not
improve, crop or read what is on the acta.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageOps

from core.images.probe import decode
from core.images.store import VIEW_SUFFIX, ImageStore

VIEW_SIDE = 1_400
"""Longest side of the web view, in pixels; a smaller original is not enlarged."""
THUMB_SIDE = 320
VIEW_QUALITY = 62
THUMB_QUALITY = 55
_METHOD = 0
"""Effort of the encoder: the next one up takes five times longer for a sixth less."""
_GRAY = ("1", "L", "I", "F", "I;16")


@dataclass(frozen=True, slots=True)
class Views:
    """The bytes of both views, and the extension of their format."""

    view: bytes
    thumb: bytes
    suffix: str = VIEW_SUFFIX


def views(data: bytes) -> Views:
    """The views of an original, read to its end.

    Raises NotAnImageError, TruncatedImageError, ImageTooLargeError or DecompressionBombError.
    """
    picture = _plain(_upright(decode(data, VIEW_SIDE)))
    picture.thumbnail((VIEW_SIDE, VIEW_SIDE), Image.Resampling.BOX, reducing_gap=None)
    small = picture.copy()
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BOX)
    return Views(_webp(picture, VIEW_QUALITY), _webp(small, THUMB_QUALITY))


def keep(store: ImageStore, data: bytes) -> str:
    """Keep an image that was received, with its views; returns the SHA-256 of the original.

    It is read whole before anything is written: what is refused leaves nothing behind.
    """
    made = views(data)
    # The original last: where it is, its views are.
    store.put_views(sha256(data).hexdigest(), made)
    return store.put(data)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - the reader of metadata raises of everything; the picture was read whole
        # So broken that it cannot say how the phone was held.
        return image


def _plain(image: Image.Image) -> Image.Image:
    """Gray or colour over white paper, with nothing else in it."""
    if image.mode in ("I", "I;16", "F"):
        # 16-bit gray: the eight high bits.
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        paper = Image.new("RGBA", over.size, "white")
        image = Image.alpha_composite(paper, over)
    plain = image.convert("L" if image.mode in _GRAY else "RGB")
    plain.info.clear()
    return plain


def _webp(image: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", quality=quality, method=_METHOD, exif=b"", icc_profile=None, xmp=b"")
    return out.getvalue()
