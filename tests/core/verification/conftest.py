"""A publication with several stories, made once for a file of tests, and a copy of it to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.core.verification.stories import Stories, make_stories


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return make_stories(tmp_path_factory.mktemp("publicaciones"))


@pytest.fixture
def site(stories: Stories, tmp_path: Path) -> Path:
    """A copy of the publication to spoil."""
    return Path(shutil.copytree(stories.whole, tmp_path / "sitio"))
