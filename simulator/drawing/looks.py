"""How a sheet looks once it is an image: from the scanner of a CATD, or from the phone of a CAE.

The scanner gives a clean gray page, hardly turned; the phone, a colour photo of a sheet on a table, seen at
an angle, with uneven light, and with what a phone writes in it. Grain and light are made once per process.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from simulator.drawing.form import DPI, HEIGHT, WIDTH
from simulator.drawing.handwriting import Plane

QUALITY = 50
GRAINS = 4
"""Different grains of the scanner, and different lights of a photo."""
_TAG_MAKE, _TAG_MODEL, _TAG_ORIENTATION = 0x010F, 0x0110, 0x0112
_TAG_DATE, _TAG_EXIF, _TAG_SHOT = 0x0132, 0x8769, 0x9003
_HELD = {1: None, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
"""Orientation a phone writes, and how the sensor's picture is turned from the upright one."""
_PHONES = (("Motorola", "moto g(20)"), ("samsung", "SM-A127M"), ("Xiaomi", "M2006C3MG"))
_PHOTO = (900, 1_180)


class Look(StrEnum):
    """Who made the image."""

    ESCANER = "escaner"
    MOVIL = "movil"


def scanned(form: Plane, ink: Plane, draw: Random) -> bytes:
    """A page from a scanner: JPEG, gray, 100 dots per inch."""
    page = Image.fromarray(np.minimum(form, ink))
    angle, moved = draw.uniform(-0.7, 0.7), (draw.randint(-4, 4), draw.randint(-4, 4))
    turned = page.rotate(angle, Image.Resampling.BILINEAR, translate=moved, fillcolor=250)
    return _jpeg(ImageChops.multiply(turned, _grain(draw.randrange(GRAINS))))


def photographed(form: Plane, ink: Plane, draw: Random, taken_ms: int, utc_minutes: int) -> bytes:
    """A photo from a phone, `taken_ms` ms UTC by its clock: JPEG, colour, with the metadata of a phone."""
    paper, pen = Image.fromarray(form), Image.fromarray(ink)
    # Blue ink: what is written takes less from the blue than from the red.
    sheet = Image.merge(
        "RGB",
        (
            ImageChops.multiply(paper, pen),
            ImageChops.multiply(paper, pen.point(lambda value: 55 + value * 200 // 255)),
            ImageChops.multiply(paper, pen.point(lambda value: 135 + value * 120 // 255)),
        ),
    )
    corners = _corners(draw)
    photo = sheet.transform(
        _PHOTO,
        Image.Transform.PERSPECTIVE,
        _perspective(corners),
        Image.Resampling.BILINEAR,
        fillcolor="white",
    )
    mask = Image.new("L", _PHOTO, 0)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    light = draw.randrange(GRAINS)
    seen = Image.composite(photo, _table(light), mask)
    lit = ImageChops.multiply(seen, _light(light))
    orientation = draw.choice(tuple(_HELD))
    turn = _HELD[orientation]
    if turn is not None:
        lit = lit.transpose(turn)
    return _jpeg(lit, exif=_exif(draw, orientation, taken_ms, utc_minutes))


def _jpeg(image: Image.Image, **values: Any) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY, dpi=(DPI, DPI), **values)
    return out.getvalue()


def _exif(draw: Random, orientation: int, taken_ms: int, utc_minutes: int) -> bytes:
    make, model = draw.choice(_PHONES)
    local = datetime.fromtimestamp(taken_ms // 1_000, UTC) + timedelta(minutes=utc_minutes)
    text = f"{local:%Y:%m:%d %H:%M:%S}"
    exif = Image.Exif()
    exif[_TAG_MAKE], exif[_TAG_MODEL] = make, model
    exif[_TAG_ORIENTATION], exif[_TAG_DATE] = orientation, text
    exif.get_ifd(_TAG_EXIF)[_TAG_SHOT] = text
    return exif.tobytes()


def _corners(draw: Random) -> list[tuple[float, float]]:
    """Where the corners of the sheet are in the photo: top left, top right, bottom right, bottom left."""
    width, height = _PHOTO

    def near(x: float, y: float) -> tuple[float, float]:
        return x + draw.uniform(-14, 14), y + draw.uniform(-14, 14)

    # The phone leans: the far side of the sheet looks narrower.
    lean = draw.uniform(0, 26)
    return [
        near(28 + lean, 30), near(width - 28 - lean, 30), near(width - 24, height - 28), near(24, height - 28)
    ]  # fmt: skip


def _perspective(corners: list[tuple[float, float]]) -> tuple[float, ...]:
    """Coefficients that take the photo's points to the sheet's."""
    sheet = ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT))
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, sheet, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    # Rounded, so that another linear algebra library cannot move a pixel.
    return tuple(round(float(one), 9) for one in np.linalg.solve(np.array(rows), np.array(values)))


@lru_cache(maxsize=GRAINS)
def _grain(number: int) -> Image.Image:
    """Paper and glass of a scanner, to multiply a page by."""
    noise = np.random.RandomState(1_000 + number)
    grain = 250 + noise.standard_normal((HEIGHT, WIDTH)) * 3
    dust = noise.randint(0, HEIGHT * WIDTH, 160)
    grain.reshape(-1)[dust] -= noise.uniform(40, 170, 160)
    # The side of the sheet that does not lie flat on the glass.
    edge = np.clip(np.arange(WIDTH) / 26 if number % 2 else (WIDTH - 1 - np.arange(WIDTH)) / 26, 0, 1)
    return Image.fromarray(np.clip(grain * (0.90 + 0.10 * edge), 0, 255).astype(np.uint8))


@lru_cache(maxsize=GRAINS)
def _light(number: int) -> Image.Image:
    """Uneven warm light and the noise of a small sensor, to multiply a photo by."""
    noise = np.random.RandomState(2_000 + number)
    width, height = _PHOTO
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = noise.uniform(0.15, 0.85) * width, noise.uniform(0.1, 0.9) * height
    away = np.hypot((columns - x) / width, (rows - y) / height)
    level = 252 - 84 * np.clip(away, 0, 1.1)
    # The shadow of whoever holds the phone.
    shadow = (columns - rows * noise.uniform(-0.3, 0.3)) / width - noise.uniform(0.72, 0.9)
    level -= 34 * np.clip(shadow * 9, 0, 1)
    bands = [
        np.clip(level * tint + noise.standard_normal(level.shape) * 4.5, 0, 255)
        for tint in (1.0, 0.975, 0.90)
    ]
    return Image.fromarray(np.stack(bands, axis=-1).astype(np.uint8))


@lru_cache(maxsize=GRAINS)
def _table(number: int) -> Image.Image:
    """The table of a casilla."""
    noise = np.random.RandomState(3_000 + number)
    width, height = _PHOTO
    wood = noise.standard_normal((height // 6 + 1, 1)).repeat(6, axis=0)[:height] * 9
    base = np.array(((148, 104, 66), (176, 172, 166), (96, 70, 52), (196, 188, 172))[number % 4])
    table = base + (wood + noise.standard_normal((height, width)) * 3)[:, :, None]
    return Image.fromarray(np.clip(table, 0, 255).astype(np.uint8))
