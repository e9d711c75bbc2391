"""The two kinds of destination, for the tests that both must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.destinations import Destination, open_destination
from tests.core.destinations.work_tree import WorkTree
from tests.s3_server import S3Server, s3_server

__all__ = ["s3_server"]

Opener = Callable[[], Destination]


@pytest.fixture
def work(tmp_path: Path) -> WorkTree:
    """A work folder with one cut."""
    tree = WorkTree(tmp_path / "trabajo")
    tree.publish()
    return tree


@pytest.fixture(params=["carpeta", "s3"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one same empty place, each time as another publisher would."""
    if request.param == "carpeta":
        yield lambda: open_destination(str(tmp_path / "publico"))
        return
    server: S3Server = request.getfixturevalue("s3_server")
    spec = server.new_place()
    yield lambda: open_destination(spec, environment=server.environment())


@pytest.fixture
def destination(reopen: Opener) -> Destination:
    """An empty destination of each kind."""
    return reopen()
