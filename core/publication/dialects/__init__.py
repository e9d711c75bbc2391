"""The ways of writing a results CSV: observation texts and file layout, as configuration.

One TOML file per dialect, beside this module. What the rules decide is not here.
"""

from __future__ import annotations

from core.publication.dialects.dialect import (
    DEFAULT_DIALECT,
    DIALECTS,
    Dialect,
    DialectError,
    FileFormat,
    MissingRow,
    dialect_for,
    load_dialect,
)

__all__ = [
    "DEFAULT_DIALECT",
    "DIALECTS",
    "Dialect",
    "DialectError",
    "FileFormat",
    "MissingRow",
    "dialect_for",
    "load_dialect",
]
