"""Rooms of the tests of the web side: one that nobody spoils, and one for each test that does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control_room.web.rooms import TestRoom, make_room


@pytest.fixture(scope="session")
def shared_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    """A room in a rehearsal, for tests that only look."""
    room = make_room(tmp_path_factory.mktemp("sala"))
    yield room
    room.room.close()


@pytest.fixture(scope="session")
def official_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    """A room in an official night, for tests that only look."""
    room = make_room(tmp_path_factory.mktemp("oficial"), "oficial")
    yield room
    room.room.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    """A room of this test's own."""
    made = make_room(tmp_path)
    yield made
    made.room.close()
