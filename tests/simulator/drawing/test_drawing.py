"""The pictures of actas: what they say is what the acta says, and the same acta is the same picture."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from core.domain.catalog import Catalog
from core.domain.fields import Mark
from core.images.derive import views
from simulator.drawing.draw import Drawer
from simulator.drawing.form import Line, qr_text, sheet_of
from simulator.drawing.looks import Look
from simulator.drawing.numerals import in_words
from simulator.night.ballots import Content
from simulator.seeds import Seeds
from tests.builders import small_catalog
from tests.conftest import REPOSITORY

SHOT_MS = 1_623_031_200_000
"""6 June 2021, 21:00 in Jalisco's summer (UTC-5)."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return small_catalog()


def content(catalog: Catalog, acta: int, value: int | Mark = 123, **lesser: int) -> Content:
    """An acta whose boxes all hold the same."""
    applies = catalog.layouts[catalog.actas[acta].layout].applies
    votes = tuple(value if exists else Mark.NO_APLICA for exists in applies)
    return Content(votes, (value,) * 5, lesser.get("letter", 0), lesser.get("only", 0))


def picture(catalog: Catalog, look: Look = Look.ESCANER, seed: int = 1, acta: int = 3) -> bytes:
    return Drawer(catalog, Seeds(seed)).draw(acta, content(catalog, acta), look, look.value, SHOT_MS)


def ink_in(image: Image.Image, line: Line) -> float:
    """How dark the boxes of a line are, leaving their frames out; 0 is paper."""
    left = line.boxes_x + 4
    region = np.asarray(image.convert("L"))[line.top + 4 : line.top + line.height - 4, left : left + 90]
    return float((255 - region.astype(float)).mean())


@pytest.mark.parametrize("look", Look)
def test_the_same_acta_and_seed_are_the_same_bytes_in_another_process(catalog: Catalog, look: Look) -> None:
    code = (
        "from tests.simulator.drawing.test_drawing import *\n"
        "Drawer(small_catalog(), Seeds(9)).draw(5, content(small_catalog(), 5), Look.ESCANER, 'otra', 0)\n"
        f"print(sha256(picture(small_catalog(), Look('{look}'))).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert other.stdout.strip() == sha256(picture(catalog, look)).hexdigest()


def test_another_acta_another_seed_and_another_attempt_are_other_pictures(catalog: Catalog) -> None:
    drawer, said = Drawer(catalog, Seeds(1)), content(catalog, 3)
    pictures = {
        picture(catalog),
        picture(catalog, seed=2),
        picture(catalog, acta=4),
        picture(catalog, Look.MOVIL),
        drawer.draw(3, said, Look.ESCANER, "escaner-2", SHOT_MS),
    }
    assert len(pictures) == 5


@pytest.mark.parametrize("look", Look)
def test_the_qr_says_the_key_of_the_acta_and_that_it_is_a_rehearsal(catalog: Catalog, look: Look) -> None:
    image = Image.open(BytesIO(views(picture(catalog, look)).view))
    entry = catalog.actas[3]
    (found,) = zxingcpp.read_barcodes(image)
    assert found.text == qr_text(entry.contest, entry.key)
    assert "SIMULACRO" in found.text


def test_a_scan_is_a_letter_page_of_a_hundred_dots_per_inch(catalog: Catalog) -> None:
    image = Image.open(BytesIO(picture(catalog)))
    assert (image.format, image.mode, image.size) == ("JPEG", "L", (850, 1_100))
    assert image.info["dpi"] == (100, 100)
    assert not image.getexif()


def test_a_photo_has_what_a_phone_writes_and_its_view_has_not(catalog: Catalog) -> None:
    data = picture(catalog, Look.MOVIL)
    exif = Image.open(BytesIO(data)).getexif()
    # The catalogue's clock is UTC-6.
    assert exif[0x0132] == "2021:06:06 20:00:00"
    assert exif.get_ifd(0x8769)[0x9003] == exif[0x0132]
    assert not Image.open(BytesIO(views(data).view)).getexif()


def test_every_photo_has_an_upright_view_however_the_phone_was_held(catalog: Catalog) -> None:
    drawer, said = Drawer(catalog, Seeds(4)), content(catalog, 3)
    held = set()
    for number in range(8):
        data = drawer.draw(3, said, Look.MOVIL, f"movil-{number}", SHOT_MS)
        original = Image.open(BytesIO(data))
        held.add(original.getexif()[0x0112])
        view = Image.open(BytesIO(views(data).view))
        assert view.height > view.width
        # The QR is at the top right of the sheet.
        (found,) = zxingcpp.read_barcodes(view)
        assert found.position.top_left.x > view.width / 2
        assert found.position.top_left.y < view.height / 3
    assert len(held) > 1


def test_what_the_acta_leaves_empty_is_empty_and_what_is_illegible_is_a_blot(catalog: Catalog) -> None:
    drawer = Drawer(catalog, Seeds(2))
    entry = catalog.actas[3]
    lines = sheet_of(catalog, entry, catalog.casilla_of(entry)).votes.values()

    def darkness(value: int | Mark) -> float:
        data = drawer.draw(3, content(catalog, 3, value), Look.ESCANER, "escaner", 0)
        image = Image.open(BytesIO(data))
        return sum(ink_in(image, line) for line in lines) / len(lines)

    empty, written, spoilt = (darkness(value) for value in (Mark.SIN_DATO, 888, Mark.ILEGIBLE))
    assert empty * 1.2 < written
    assert written * 1.2 < spoilt


def test_letters_that_say_another_number_change_only_the_letters(catalog: Catalog) -> None:
    drawer = Drawer(catalog, Seeds(2))

    def drawn(**lesser: int) -> bytes:
        return drawer.draw(3, content(catalog, 3, 123, **lesser), Look.ESCANER, "escaner", 0)

    assert len({drawn(), drawn(letter=1), drawn(only=1)}) == 3


def test_a_sheet_has_a_row_for_each_contender_that_runs_and_for_no_other(catalog: Catalog) -> None:
    for entry in (catalog.actas[0], catalog.actas[-1]):
        sheet = sheet_of(catalog, entry, catalog.casilla_of(entry))
        applies = catalog.layouts[entry.layout].applies
        assert set(sheet.votes) == {position for position, exists in enumerate(applies) if exists}
        bottoms = [line.top + line.height for line in sheet.votes.values()]
        assert bottoms == sorted(bottoms)
        assert bottoms[-1] <= sheet.totals[4].top
        assert sheet.totals[4].top + sheet.totals[4].height < min(y for _, y in sheet.signatures)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "cero"), (16, "dieciseis"), (21, "veintiuno"), (31, "treinta y uno"), (100, "cien"),
        (101, "ciento uno"), (999, "novecientos noventa y nueve"), (1_000, "mil"), (2_015, "dos mil quince"),
        (21_500, "veintiun mil quinientos"), (400_030, "cuatrocientos mil treinta"),
    ],
)  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert " ".join(in_words(number)) == words


def test_an_acta_of_no_casilla_shows_the_key_it_claims(catalog: Catalog) -> None:
    data = Drawer(catalog, Seeds(1)).draw_outside(3, content(catalog, 3), "149123B0100", 0)
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(data)))
    assert found.text == qr_text(catalog.actas[3].contest, "149123B0100")
