"""A small real night for the portal: the engine, the publisher, the log, two witnesses, one notice, images.

`PortalNight.start` plays it as far as a cut and leaves the pages written; tests go on from there. Its
catalogue has more municipios than a table shows at once, and a name that would be markup if anybody let it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.domain.catalog import Catalog, Territory
from core.domain.commands import IssueNotice, NoticeType
from core.portal.site import SiteOptions, build_site
from core.transparency.keys import WitnessKey
from core.transparency.notes import parse_note
from tests import publication_sample
from tests.builders import small_catalog
from tests.publication_sample import STEP, Night

HOSTILE = "<img src=x onerror=alert(1)> & «Distrito»"
CUTS = 3
WITNESSES = tuple(
    WitnessKey(f"testigo.example/{name}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
    for number, name in enumerate(("uno", "dos"), 1)
)
OPTIONS = SiteOptions(
    difusores=(("Diario <b>", "https://diario.example/"),),
    contact="prep@example.mx",
    poll_ms=200,
    wait_ms=100,
)
"""Pages that ask often and do not wait, so that tests are quick."""


def catalog() -> Catalog:
    """Three distritos, thirty municipios, thirty sections: 128 actas of two contests."""
    made = small_catalog(distritos=3, municipios=30, secciones=30, casillas=2)
    return replace(made, distritos={**made.distritos, 2: Territory(2, HOSTILE)})


class PortalNight(Night):
    """The sample's night with this catalogue and two witnesses."""

    def __init__(self, folder: Path, **options: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(publication_sample, "sample_catalog", catalog)
            given = {"witnesses": [(one.name, one.vkey) for one in WITNESSES], "threshold": 1, **options}
            super().__init__(folder, **given)

    def play(self, cut: int) -> None:
        """What happens before a cut, and the cut."""
        (self.first_part, self.second_part, self.third_part)[cut - 1]()
        assert self.cut().refused is None

    def start(self, cuts: int) -> PortalNight:
        """Everything up to a cut, with the pages, a notice and what one witness and a timestamp leave."""
        for cut in range(1, cuts + 1):
            self.play(cut)
        place, election = self.catalog.entidad.name, self.catalog.election
        build_site(self.folder, mode="simulacro", place=place, election=election, options=OPTIONS)
        self.send(
            IssueNotice(
                type=NoticeType.GAP, since=self.at - STEP, until=self.at, reason="Un corte no salió a tiempo",
                **self._who("publicador"),
            )
        )  # fmt: skip
        assert self.publisher.notices() == 1
        self.witness(0)
        return self

    def witness(self, which: int) -> None:
        """A witness signs the checkpoint of the latest cut."""
        log = self.publisher.log
        assert log is not None
        text = parse_note(log.checkpoint()).text
        line = WITNESSES[which].cosign(text, self.at // 1000)
        assert self.publisher.attest([line], text, generated_ms=self.at) == 1

    def clave(self, acta: int) -> str:
        """CLAVE_ACTA of an acta."""
        return self.catalog.actas[acta].key
