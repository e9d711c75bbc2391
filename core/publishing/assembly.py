"""Puts a publisher together: the packages, the public log with its key, the portal's pages, the images.

One place for it, so that the service, a rehearsal in virtual time and one that is live publish alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine as Database

from core.publication.cut import Publisher
from core.publication.ledger_match import check_folder, recorded_cuts
from core.publishing.office import PublicationOffice

if TYPE_CHECKING:
    from core.engine import Engine
    from core.images.store import ImageStore
    from core.publication.emission import ImageSource
    from core.publication.interference import Interference
    from core.transparency.keys import SigningKey


def publication(
    engine: Engine,
    database: Database,
    workdir: Path,
    *,
    key: SigningKey | None,
    images: ImageStore | None = None,
    interfere: Interference | None = None,
    witnesses: Sequence[tuple[str, str]] | None = None,
    threshold: int | None = None,
) -> PublicationOffice:
    """The office that publishes one operation into `workdir`; without a key, packages only.

    Images kept anywhere else are brought to `workdir`, from where they go to the destinations. `interfere`
    is for tests and rehearsals; `witnesses` (name, vkey) and `threshold` go to `llaves.json`, None leaves
    what it has. Raises UsageError, with nothing touched, when the folder is of another night than the
    database, and when the key is of another mode or process than what it holds.
    """
    if key is not None:
        # Before the publisher finishes what another one left half done, and signs it.
        check_folder(workdir, recorded_cuts(database))
    publisher = Publisher(
        engine, database, workdir, key=key, images=_at_hand(images, workdir), interfere=interfere,
        witnesses=witnesses, threshold=threshold,
    )  # fmt: skip
    if key is not None:
        # Only what is certified is shown: the portal reads the pointer, which names the log.
        from core.portal.site import build_site

        catalog = engine.catalog
        build_site(workdir, mode=engine.mode, place=catalog.entidad.name, election=catalog.election)
    return PublicationOffice(engine, database, publisher, workdir)


def _at_hand(images: ImageStore | None, workdir: Path) -> ImageSource | None:
    """The images as a cut needs them: in the work folder, which is what the destinations copy."""
    if images is None or images.is_folder(workdir):
        return images
    from core.images.bring import BroughtImages
    from core.images.store import ImageStore

    return BroughtImages(images, ImageStore(workdir))
