"""What people write by hand on an acta: digits, numbers in words, signatures, and what cannot be read.

A hand is one person's way of writing; its digits are strokes with the control points moved a little, its
words are slanted letters on an uneven line. Everything is a small gray plane (uint8, 255 is paper) that is
made once and stamped many times. It knows nothing of forms.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from math import cos, pi, sin
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Plane: TypeAlias = NDArray[np.uint8]

HANDS = 10
"""Different people who write."""
VARIANTS = 4
"""Ways in which the same person writes the same digit."""
_SCALE = 4
"""Strokes are drawn this many times larger and then reduced, which makes their edges soft."""

_STROKES: dict[str, tuple[str, ...]] = {
    # Points in a box of 10 by 16, one polyline per stroke; smoothed when drawn.
    "0": ("51 20 06 19 2f 5g 8f a9 95 72 51 31",),
    "1": ("24 61 6g",),
    "2": ("14 32 61 84 77 4b 1f 4e 9f",),
    "3": ("22 51 83 75 47 79 9c 7f 3g 0e",),
    "4": ("31 1a 5a 9a", "72 6a 6g"),
    "5": ("21 17 57 8a 8d 5g 1f", "21 91"),
    "6": ("71 34 1a 1d 3g 7g 9d 7a 3a 1c",),
    "7": ("12 91 68 4g", "38 88"),
    "8": ("82 41 14 37 69 9d 5g 1d 39 75 82",),
    "9": ("85 52 25 49 78 85 7c 5g",),
}


def stamp(plane: Plane, sprite: Plane, x: int, y: int) -> None:
    """Write a sprite on a plane in place, its top left corner at x, y; what falls outside is lost."""
    height, width = plane.shape
    top, left = max(0, y), max(0, x)
    bottom, right = min(height, y + sprite.shape[0]), min(width, x + sprite.shape[1])
    if top >= bottom or left >= right:
        return
    place = plane[top:bottom, left:right]
    np.minimum(place, sprite[top - y : bottom - y, left - x : right - x], out=place)


@lru_cache(maxsize=8_192)
def digit(hand: int, which: str, variant: int, height: int) -> Plane:
    """One digit as a hand writes it, `height` pixels high."""
    draw = Random(f"digito/{hand}/{which}/{variant}")
    slant, weight = _manner(hand)
    lines = []
    for stroke in _STROKES[which]:
        points = [_point(pair) for pair in stroke.split()]
        moved = [(x + draw.uniform(-0.55, 0.55), y + draw.uniform(-0.55, 0.55)) for x, y in points]
        lines.append(_smooth(moved) if len(moved) > 2 else moved)
    size = height * _SCALE / 16
    width = round(height * 0.86 * _SCALE)
    picture = Image.new("L", (width, height * _SCALE), 255)
    pen = ImageDraw.Draw(picture)
    thick = max(_SCALE, round(weight * height * _SCALE / 15))
    for line in lines:
        path = [(width * 0.14 + (x + slant * (16 - y)) * size * 0.92, y * size * 0.92 + 2) for x, y in line]
        pen.line(path, fill=0, width=thick, joint="curve")
        for x, y in (path[0], path[-1]):
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=0)
    return _inked(picture, hand)


@lru_cache(maxsize=4_096)
def word(hand: int, text: str, height: int) -> Plane:
    """A word as a hand writes it; `height` is that of the line, ascenders and descenders included."""
    draw = Random(f"palabra/{hand}/{text}")
    slant, weight = _manner(hand)
    size = round(height * 0.80 * _SCALE)
    font = _font(size)
    letters = [(letter, font.getlength(letter) * draw.uniform(0.86, 1.02)) for letter in text]
    room = round(sum(width for _, width in letters) + height * _SCALE)
    picture = Image.new("L", (room, height * _SCALE), 255)
    pen = ImageDraw.Draw(picture)
    x, base = height * _SCALE * 0.2, height * _SCALE * 0.74
    drift = draw.uniform(-0.05, 0.05)
    for letter, width in letters:
        base += draw.uniform(-0.03, 0.03) * size + drift * width * 0.3
        pen.text(
            (x, base), letter, font=font, fill=0, anchor="ls",
            stroke_width=max(0, round(_SCALE * (weight - 0.62))),
        )  # fmt: skip
        x += width
    lean = (slant - 0.06) * 1.4
    tilted = picture.transform(
        picture.size, Image.Transform.AFFINE, (1, lean, -lean * base, 0, 1, 0),
        Image.Resampling.BILINEAR, fillcolor=255,
    )  # fmt: skip
    return _inked(tilted.crop((0, 0, round(x + height * _SCALE * 0.3), picture.height)), hand)


@lru_cache(maxsize=512)
def signature(number: int, width: int, height: int) -> Plane:
    """A signature: loops along a line, with a flourish."""
    draw = Random(f"firma/{number}")
    picture = Image.new("L", (width * 2, height * 2), 255)
    pen = ImageDraw.Draw(picture)
    loops, phase = draw.randint(4, 8), draw.uniform(0, pi)
    steps = 26 * loops
    points = []
    for step in range(steps):
        along = step / steps
        swing = (0.16 + 0.22 * abs(sin(along * 5 + phase))) * (1.1 - along)
        angle = 2 * pi * loops * along + phase
        points.append(
            (
                width * 2 * (0.1 + 0.7 * along + 0.05 * cos(angle)),
                height * 2 * (0.5 + swing * sin(angle) + draw.uniform(-0.008, 0.008)),
            )
        )
    pen.line(points, fill=0, width=3, joint="curve")
    if draw.random() < 0.7:
        level = height * 2 * draw.uniform(0.66, 0.85)
        pen.line(
            [(width * 0.1, level), (width * 0.9, level - 4), (width * 1.9, level - height * 0.4)],
            fill=0, width=3, joint="curve",
        )  # fmt: skip
    reduced = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(reduced.point(lambda value: 40 + value * 215 // 255), dtype=np.uint8)


@lru_cache(maxsize=256)
def blot(number: int, width: int, height: int) -> Plane:
    """Something crossed out and stained until nobody can tell what it said."""
    draw = Random(f"mancha/{number}")
    picture = Image.new("L", (width * 2, height * 2), 255)
    pen = ImageDraw.Draw(picture)
    points = [
        (draw.uniform(0.04, 0.96) * width * 2, draw.uniform(0.15, 0.85) * height * 2) for _ in range(26)
    ]
    pen.line(points, fill=20, width=4, joint="curve")
    for _ in range(3):
        x, y = draw.uniform(0.1, 0.8) * width * 2, draw.uniform(0.1, 0.5) * height * 2
        pen.ellipse((x, y, x + width * draw.uniform(0.2, 0.5), y + height * 0.9), fill=70)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), dtype=np.uint8)


@lru_cache(maxsize=HANDS)
def _manner(hand: int) -> tuple[float, float]:
    """Slant (part of the height) and weight (part of a normal pen) of a hand."""
    draw = Random(f"mano/{hand}")
    return draw.uniform(-0.02, 0.16), draw.uniform(0.75, 1.25)


def _inked(picture: Image.Image, hand: int) -> Plane:
    reduced = picture.resize(
        (max(1, picture.width // _SCALE), picture.height // _SCALE), Image.Resampling.BOX
    )
    ink = 28 + (hand * 37) % 50
    return np.asarray(reduced.point(lambda value: ink + value * (255 - ink) // 255), dtype=np.uint8)


def _point(pair: str) -> tuple[float, float]:
    return int(pair[0], 17), int(pair[1], 17)


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points with a Catmull-Rom curve through them."""
    padded = [points[0], *points, points[-1]]
    curve = []
    for number in range(len(points) - 1):
        a, b, c, d = padded[number : number + 4]
        for step in range(6):
            t = step / 6
            curve.append((_between(a[0], b[0], c[0], d[0], t), _between(a[1], b[1], c[1], d[1], t)))
    return [*curve, points[-1]]


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t
    )


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_file("cmmi10.ttf")), size)


def font_file(name: str) -> Path:
    """A font of those that come with matplotlib, found without importing it."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name
