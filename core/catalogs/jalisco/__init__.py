"""Jalisco: the catalogue that ships with the project."""

from __future__ import annotations

from core.catalogs.jalisco.build import YEARS, jalisco

__all__ = ["YEARS", "jalisco"]
