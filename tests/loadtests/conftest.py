"""A publication that the tests of the load tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.portal.site import build_site
from tests.publication_sample import sample


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cuts with their pages, and their database beside them; nobody writes in it."""
    folder = sample(tmp_path_factory.mktemp("carga") / "obra")
    build_site(folder, mode="simulacro")
    return folder
