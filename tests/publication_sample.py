"""A tiny night of two contests, played through the real engine and publisher: three certified cuts.

`sample(folder)` leaves the work folder as a rehearsal does and returns it; the same bytes every time.
`Night` is the same night step by step, for a test that wants to go on with it.
"""

from __future__ import annotations

import hashlib
import io
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from core.domain.catalog import Catalog
from core.domain.commands import (
    ApproveRecall,
    Capture,
    Collate,
    Digitize,
    MarkSinActa,
    Medium,
    OpenOperation,
    Origin,
    Receive,
    ReceiveOutside,
    RequestRecall,
    Totals,
)
from core.domain.fields import Field, Mark
from core.domain.rules import SinActaReason
from core.engine import Engine
from core.images.derive import keep
from core.images.store import ImageStore
from core.publication.cut import CutReport, Publisher
from core.storage.database import open_database
from core.storage.store import Store
from core.transparency.keys import origin_of, rehearsal_key
from tests.builders import small_catalog

MINUTE = 60_000
START = 1_622_937_600_000
"""6 June 2021, 18:00 UTC-6."""
STEP = 20 * MINUTE
SEED = "muestra"


def sample_catalog() -> Catalog:
    """Two distritos, three municipios, six sections, a casilla especial and voto anticipado: 30 actas."""
    return small_catalog(secciones=6, casillas=2)


def photo(number: int) -> bytes:
    """A small JPEG that depends on the number."""
    picture = Image.new("RGB", (64, 88), (240, 238, 230))
    for place in range(8):
        shade = 20 if number >> place & 1 else 200
        picture.paste((shade, shade, shade), (4 + 7 * place, 10, 9 + 7 * place, 60))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream.getvalue()


class Night:
    """The night. `publisher` takes what is given in `options`, besides its key and its images."""

    def __init__(self, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.catalog = sample_catalog()
        self.database = open_database(str(folder / "prep.db"))
        self.store = Store(self.database)
        self.engine = Engine(self.store, self.catalog, "simulacro")
        self._numbers = count(self.engine.seq)
        self.images = ImageStore(folder)
        self.key = rehearsal_key(
            origin_of(self.catalog.entidad.abbreviation, self.catalog.election, "simulacro"), SEED
        )
        self.at = START
        if not self.engine.operation.opened:
            self.send(
                OpenOperation(
                    starts_at=START, ends_at=START + 24 * 60 * MINUTE, **self._who("coordina")
                )
            )  # fmt: skip
        given: dict[str, Any] = {"key": self.key, "images": self.images, **options}
        self.publisher = Publisher(self.engine, self.database, folder, **given)

    def close(self) -> None:
        """Let the database go."""
        self.store.close()
        self.database.dispose()

    def send(self, *commands: Any) -> None:
        """Commands the engine must take."""
        for answer in self.engine.execute(list(commands), self.at):
            assert answer.accepted, answer

    def acta(self, acta: int, *, first: int = 40, image: bool = True, mark: bool = False) -> None:
        """A whole acta: `first` votes for the first column, one less in each that follows."""
        data = photo(acta)
        name = keep(self.images, data) if image else hashlib.sha256(data).hexdigest()
        movil = acta % 4 == 1
        self.send(
            Receive(
                acta=acta, origin=Origin.CASILLA if movil else Origin.CATD, mechanism="D",
                **self._who("acopia"),
            ),
            Digitize(
                acta=acta, image_hash=name, medium=Medium.MOVIL if movil else Medium.ESCANER,
                document="ACTA PREP", **self._who("digitaliza"),
            ),
        )  # fmt: skip
        self.capture(acta, first=first, mark=mark)

    def capture(self, acta: int, *, first: int, mark: bool = False) -> None:
        """Two captures that agree."""
        applies = self.catalog.layouts[self.catalog.actas[acta].layout].applies
        votes: list[Field] = [
            max(0, first - 3 * place) if here else Mark.NO_APLICA for place, here in enumerate(applies)
        ]
        if mark:
            votes[1] = Mark.ILEGIBLE
        total = sum(field for field in votes if not isinstance(field, Mark))
        seccion = self.catalog.casilla_of(self.catalog.actas[acta]).seccion
        none = Mark.NO_APLICA if seccion is None else Mark.SIN_DATO
        totals = Totals(none, total, none, total, total)
        for actor in ("ana", "beto"):
            self.send(Capture(acta=acta, votes=tuple(votes), totals=totals, **self._who(actor)))

    def sin_acta(self, acta: int) -> None:
        """An acta that will not arrive."""
        self.send(
            MarkSinActa(
                acta=acta, reason=SinActaReason.PAQUETE_NO_ENTREGADO, supervisor="supervisa",
                authorised_at=self.at, **self._who("marca"),
            )
        )  # fmt: skip

    def outside(self, number: int) -> None:
        """An acta fuera de catálogo."""
        self.send(
            ReceiveOutside(
                contest="AYUN", claimed="sección ilegible", origin=Origin.CATD,
                image_hash=keep(self.images, photo(200 + number)), medium=Medium.ESCANER,
                document="ACTA PREP", **self._who("acopia"),
            )
        )  # fmt: skip

    def correct(self, acta: int, first: int) -> None:
        """Take a published acta back and capture it again."""
        self.send(
            RequestRecall(acta=acta, reason="error de captura", **self._who("pide")),
            ApproveRecall(acta=acta, **self._who("aprueba")),
        )
        self.capture(acta, first=first)

    def collate(self, acta: int) -> None:
        """Cotejo of a published acta."""
        self.send(Collate(acta=acta, accepted=True, **self._who("coteja")))

    def cut(self, *, last: bool = False) -> CutReport:
        """The cut of the next twenty minutes."""
        self.at += STEP
        return self.publisher.cut(self.at, last=last, next_ms=None if last else self.at + STEP)

    def first_part(self) -> None:
        """What the first cut has: a third of the actas, an especial, an acta without its image."""
        for acta in range(0, len(self.catalog.actas), 3):
            self.acta(acta, first=30 + acta, image=acta != 6)

    def second_part(self) -> None:
        """More actas: over the limit, with an illegible field, sin acta, fuera de catálogo."""
        self.acta(1, first=400)
        self.acta(4, first=60, mark=True)
        self.acta(16, first=50)
        self.sin_acta(7)
        self.outside(1)

    def third_part(self) -> None:
        """A correction, a cotejo, one more acta fuera de catálogo, and some actas."""
        self.correct(3, first=90)
        self.collate(0)
        self.outside(2)
        self.acta(19, first=45)
        self.acta(28, first=20)

    def _who(self, actor: str) -> dict[str, Any]:
        return {"key": f"m{next(self._numbers)}", "actor": actor, "station": "E1", "at": self.at}


def sample(folder: Path) -> Path:
    """Play the night: three cuts, the last of them not yet the closing one. Returns the work folder."""
    night = Night(folder)
    try:
        for part in (night.first_part, night.second_part, night.third_part):
            part()
            assert night.cut().refused is None
        return folder
    finally:
        night.close()
