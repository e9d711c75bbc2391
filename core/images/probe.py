"""What a received file is, before it is trusted: its format, its size, whether it can be read to its end.

Everything that comes in is hostile until looked at: nothing is decoded before its header says that it is
a JPEG or a PNG of a size a photo or a scan of an acta can have. It keeps nothing.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from core.images.errors import (
    DecompressionBombError,
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
)

MAX_BYTES = 25_000_000
"""Largest file: a phone's photo of the best quality weighs half."""
MAX_SIDE = 12_000
"""Longest side in pixels: a legal sheet at 800 dpi."""
MAX_PIXELS = 60_000_000
"""Most pixels: the sensor of a phone has 12 to 50 million."""
BOMB_PIXELS = 4_000_000
"""Pixels from which a file that is too small for them is taken for a bomb."""
BOMB_RATIO = 1_000
"""Pixels per byte of a bomb; a blank scan of one bit per pixel stays under 300."""

FORMATS = {"JPEG": ".jpg", "PNG": ".png"}
"""Extension by format."""
_DAMAGED = "La imagen está incompleta o dañada: no se puede leer hasta el final."


@dataclass(frozen=True, slots=True)
class Probe:
    """What the header of an image says: `format` is a key of FORMATS, sizes in pixels as stored."""

    format: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """Extension the original is published with."""
        return FORMATS[self.format]


def probe(data: bytes) -> Probe:
    """Look at the header only; nothing is decoded.

    Raises NotAnImageError, ImageTooLargeError, DecompressionBombError, TruncatedImageError.
    """
    with _opened(data) as image:
        return _probe_of(image)


def decode(data: bytes, least_side: int | None = None) -> Image.Image:
    """The whole picture, read to its end; the file may be kept once this has answered.

    With `least_side` a JPEG may come already reduced, never under that many pixels of its longest side.
    Raises what `probe` raises.
    """
    image = _opened(data)
    if least_side is not None and image.format != "PNG":
        longest = max(image.size)
        reduced = max(1, longest // least_side)
        image.draft(None, (image.width // reduced, image.height // reduced))
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, IndexError, struct.error, zlib.error) as error:
        raise TruncatedImageError(
            "La imagen está incompleta o dañada: no se puede leer hasta el final."
        ) from error
    return image


def _opened(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise ImageTooLargeError(
            f"El archivo pesa {len(data):,} bytes; la imagen de un acta pesa a lo más {MAX_BYTES:,}."
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns of its own limit; ours, below, is lower and is an error.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=tuple(FORMATS))
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            "La imagen mide muchos más pixeles que cualquier foto de un acta."
        ) from error
    except UnidentifiedImageError as error:
        if _begins_well(data):
            raise TruncatedImageError(_DAMAGED) from error
        raise NotAnImageError(
            "El archivo no es una imagen JPEG ni PNG, los formatos en que se guarda la imagen de un acta."
        ) from error
    except (OSError, SyntaxError, ValueError, IndexError, struct.error, zlib.error) as error:
        raise TruncatedImageError(
            "La imagen está incompleta o dañada: su encabezado no se puede leer."
        ) from error
    _check_size(image, len(data))
    return image


def _begins_well(data: bytes) -> bool:
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


def _probe_of(image: Image.Image) -> Probe:
    # Some phones put several pictures in one JPEG; the first one is the photo.
    return Probe("PNG" if image.format == "PNG" else "JPEG", image.width, image.height)


def _check_size(image: Image.Image, size: int) -> None:
    width, height = image.size
    pixels = width * height
    if pixels > BOMB_PIXELS and pixels > BOMB_RATIO * size:
        raise DecompressionBombError(
            f"El archivo pesa {size:,} bytes y dice medir {width:,} × {height:,} pixeles: "
            "es una bomba de descompresión, no un acta."
        )
    if max(width, height) > MAX_SIDE or pixels > MAX_PIXELS:
        raise ImageTooLargeError(
            f"La imagen mide {width:,} × {height:,} pixeles; se admiten hasta {MAX_SIDE:,} por lado "
            f"y {MAX_PIXELS:,} en total."
        )
