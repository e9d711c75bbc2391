"""`imagenes`: drawing the image of an acta and making its views, beside encoding a JPEG of the same size.

The actas are those of the fifth simulacro of 2021. What a machine encodes per second says how fast it is;
what drawing costs besides is the ratio.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.context import Context, by_turns
from benchmarks.figures import Figure
from core.images.derive import views
from simulator.drawing.draw import Drawer
from simulator.drawing.looks import QUALITY, Look
from simulator.night.ballots import write_actas
from simulator.night.run import catalog_of_the_night
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.seeds import Seeds

SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SEED = 2021
ACTAS, QUICK_ACTAS = 60, 3
TURNS = 3
SHOT_MS = 1_623_031_200_000
LIMITS = {Look.ESCANER: 18, Look.MOVIL: 27}
"""Times what encoding takes."""
VIEWS_LIMIT = 25


def imagenes(context: Context) -> list[Figure]:
    """Images drawn and derived, by look."""
    loaded = load_scenario(SCENARIO)
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    seeds = Seeds(SEED)
    truth = write_actas(catalog, loaded.scenario.votes, loaded.scenario.inconsistencies, seeds)
    drawer = Drawer(catalog, seeds)
    count = QUICK_ACTAS if context.quick else ACTAS
    chosen = range(0, len(catalog.actas), len(catalog.actas) // count)[:count]
    figures = []
    for look, limit in LIMITS.items():
        calibration = context.calibrate()

        def draw(look: Look = look) -> list[bytes]:
            return [drawer.draw(acta, truth[acta], look, look.value, SHOT_MS) for acta in chosen]

        # What is made once per process, grain, light and hands, is not what an image costs.
        images = draw()
        pictures: list[Image.Image] = [Image.open(BytesIO(data)) for data in images]
        for picture in pictures:
            picture.load()

        def encode(pictures: list[Image.Image] = pictures) -> None:
            for picture in pictures:
                picture.save(BytesIO(), "JPEG", quality=QUALITY)

        def derive(images: list[bytes] = images) -> None:
            for data in images:
                views(data)

        drawn, derived, plain = (1_000 * one / count for one in by_turns([draw, derive, encode], TURNS))
        size = sum(map(len, images)) // count
        whole = ("codificar JPEG", plain)
        figures += [
            Figure(
                "imagenes", f"dibujar un acta, {look} / codificar un JPEG igual", drawn / plain, calibration,
                bound=limit, unit="ms", part=("dibujar", drawn), whole=whole,
                note=f"{1_000 / drawn:.0f} por segundo y proceso; {size:,} bytes cada una",
            ),
            Figure(
                "imagenes", f"vista y miniatura, {look} / codificar un JPEG igual", derived / plain,
                calibration, bound=VIEWS_LIMIT, unit="ms", part=("derivar", derived), whole=whole,
                note=f"{1_000 / derived:.0f} por segundo y proceso",
            ),
        ]  # fmt: skip
    return figures
