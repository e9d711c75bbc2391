"""What the whole suite shares: real data, a PostgreSQL of its own, the command, Hypothesis profiles."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster import Cluster, find_binaries
from tests.groups import group_of, in_order
from tests.machine import faster_processes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"

# Every run tries the same examples: a red run can be repeated and a green one means the same everywhere.
settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# For looking further by hand: HYPOTHESIS_PROFILE=a_fondo make test
settings.register_profile("a_fondo", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

Prep = Callable[..., "subprocess.CompletedProcess[str]"]

# As soon as this is read: the workers of xdist and every command they start inherit it.
faster_processes()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist loadgroup``, each group of tests goes to one worker, in the order of the collection.

    The mark of xdist for it is not obeyed with pytest 9.2, whose items have no name to write over.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        """Each group is one unit of work."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    # By itself it would begin with the groups of most tests, which are not those that last longest.
    config.option.loadscopereorder = False
    return ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what lasts longest, so that no worker is left with it at the end."""
    # Each worker collects, with an option of its own: it is told not to distribute.
    if config.getoption("loadgroup", False):
        items.sort(key=lambda item: in_order(item.nodeid))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: compressed ones carry the hour, and no two workers agree on it."""
    return argname if isinstance(val, bytes) else None


def missing_postgres() -> NoReturn:
    """Ends a test that needs PostgreSQL where there is none: a failure under CI, a skip elsewhere."""
    reason = "no está instalado PostgreSQL 15 o posterior (scripts/sistema.sh lo instala)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the published files of real nights; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no están los datos reales (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this worker's own; without binaries it fails under CI and skips elsewhere."""
    binaries = find_binaries()
    if binaries is None:
        missing_postgres()
    with Cluster(binaries) as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that only this test uses."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture
def prep(tmp_path: Path) -> Prep:
    """Runs the ``prep`` command as a user would, in a folder of its own."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "prep", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the system; without it the test fails under CI and is skipped elsewhere.

    One for all: in one process the library lets only one be driven.
    """
    from playwright.sync_api import sync_playwright

    from tests.control_room.browser.screens import launch

    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()
