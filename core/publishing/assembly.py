"""Puts a publisher together: the packages, the public log with its key, the portal's pages, the images.

One place for it, so that the service, a rehearsal in virtual time and one that is live publish alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine as Database

from core.publication.cut import Publisher
from core.publishing.office import PublicationOffice

if TYPE_CHECKING:
    from core.engine import Engine
    from core.images.store import ImageStore
    from core.transparency.keys import SigningKey


def publication(
    engine: Engine,
    database: Database,
    workdir: Path,
    *,
    key: SigningKey | None,
    images: ImageStore | None = None,
) -> PublicationOffice:
    """The office that publishes one operation into `workdir`; without a key, packages only.

    Raises UsageError when the key is of another mode or process than what the folder holds.
    """
    publisher = Publisher(engine, database, workdir, key=key, images=images)
    if key is not None:
        # Only what is certified is shown: the portal reads the pointer, which names the log.
        from core.portal.site import build_site

        catalog = engine.catalog
        build_site(workdir, mode=engine.mode, place=catalog.entidad.name, election=catalog.election)
    return PublicationOffice(engine, database, publisher, workdir)
