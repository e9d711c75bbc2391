"""Catalogues: read from a folder, rebuilt from published files, or shipped with the project.

`open_catalog` is the one door for whoever names a catalogue in a scenario or a command.
"""

from __future__ import annotations

from pathlib import Path

from core.catalogs.import_rows import Repair
from core.catalogs.importer import Disagreement, ImportedCatalog, import_published
from core.catalogs.jalisco import YEARS, jalisco
from core.catalogs.loader import load_catalog
from core.catalogs.national import national
from core.catalogs.problems import CatalogError
from core.domain.catalog import Catalog
from core.errors import InputError

__all__ = [
    "CatalogError",
    "Disagreement",
    "ImportedCatalog",
    "Repair",
    "import_published",
    "jalisco",
    "load_catalog",
    "national",
    "open_catalog",
]

SHIPPED = {f"jalisco-{year}": year for year in YEARS}
"""Catalogues that ship with the project, by the name they are referred to with."""


def open_catalog(reference: str, base: Path) -> Catalog:
    """The catalogue a scenario names: one that ships, or a folder relative to `base`.

    A shipped name always means the one shipped, whatever folders there are. Raises `InputError`
    when there is no such catalogue and `CatalogError` when the folder holds a wrong one.
    """
    if reference in SHIPPED:
        return jalisco(SHIPPED[reference])
    folder = base / reference
    if not folder.is_dir():
        names = ", ".join(SHIPPED)
        raise InputError(
            reference, message=f"no hay tal catálogo; se esperaba una carpeta o uno de los incluidos: {names}"
        )
    return load_catalog(folder)
