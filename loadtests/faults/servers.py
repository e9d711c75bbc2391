"""Servers of one's own: an S3 (SeaweedFS), and a proxy that makes an address slow.

The server is started from the package's binary on loopback ports, in a folder of its own, and thrown away
afterwards. None of them touches a server that is already running on the machine. Of the rehearsal of faults
and of the tests.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from loadtests.faults.processes import RehearsalError, wait_until
from loadtests.processes import free_ports
from loadtests.tied import tied

START_S = 60.0
BUCKET = "prep"
"""The one that is there from the start."""
SOCKETS = Path("/tmp")
"""Where SeaweedFS puts a socket for each port, whatever it is told; one that is killed leaves them."""
ACCESS_KEY, SECRET_KEY = "prep-pruebas", "secreto-de-las-pruebas-0123456789"
_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port", "s3.port.grpc",
)  # fmt: skip


def find_weed() -> Path | None:
    """SeaweedFS, of the environment's package or on the path; None without it."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    on_path = shutil.which("weed")
    return Path(on_path) if on_path else None


class S3:
    """An S3 server with one bucket. It keeps its ports and its data when it is killed and started again.

    Requests are signed with ACCESS_KEY and SECRET_KEY; with `public`, anybody may read without.
    """

    def __init__(self, binary: Path, folder: Path, *, public: bool = False) -> None:
        self._binary = binary
        self._folder = folder
        self._public = public
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Of its S3 side, on 127.0.0.1."""
        return self._ports["s3.port"]

    @property
    def endpoint(self) -> str:
        """The address of its S3 side."""
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start it, without waiting."""
        (self._folder / "datos").mkdir(parents=True, exist_ok=True)
        config = self._folder / "s3.json"
        who: list[dict[str, object]] = [
            {
                "name": "prep",
                "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
        if self._public:
            who.append({"name": "anonymous", "actions": ["Read"]})
        config.write_text(json.dumps({"identities": who}), encoding="utf-8")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                tied([
                    *(str(self._binary), f"-logdir={self._folder}", "server"),
                    *(f"-dir={self._folder / 'datos'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                    *("-volume.max=100", "-master.volumeSizeLimitMB=64", "-master.telemetry=false"),
                    # Alone: it does not wait for others to choose who leads.
                    "-master.peers=none",
                    *("-s3", f"-s3.config={config}"),
                    *("-s3.port.iceberg=0", "-s3.port.lance=0"),
                    *(f"-{name}={port}" for name, port in self._ports.items()),
                ]),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Until a file can be written and read back. Raises RehearsalError with what it said."""
        wait_until("el servidor S3 contesta", self._ready, START_S)

    def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for port in self._ports.values():
                for left in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                    left.unlink(missing_ok=True)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The server takes connections and answers nothing, as one that hangs does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def create_bucket(self, name: str) -> None:
        """Have that bucket, empty when it was not there. Raises OSError."""
        # obstore does not make buckets: the filer keeps each one as a folder.
        filer = f"http://127.0.0.1:{self._ports['filer.port']}/buckets/{name}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(filer, method="POST"), timeout=10):
                pass
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise

    @property
    def _log(self) -> Path:
        return self._folder / "weed.log"

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RehearsalError(
                f"El servidor S3 no arrancó: {self._log.read_text(errors='replace')[-2000:]}"
            )
        try:
            self.create_bucket(BUCKET)
            store = S3Store(
                BUCKET, endpoint=self.endpoint, region="us-east-1", access_key_id=ACCESS_KEY,
                secret_access_key=SECRET_KEY, client_options={"allow_http": True, "timeout": "5s"},
                retry_config={"max_retries": 0},
            )  # fmt: skip
            obstore.put(store, "listo", b"listo")
            return bytes(obstore.get(store, "listo").bytes()) == b"listo"
        except (OSError, BaseError):
            return False


class Proxy:
    """A TCP proxy on loopback: lets through, delays each piece, or hangs (takes and says nothing)."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.delay_s = 0.0
        self.passed = threading.Event()
        self.passed.set()
        self.refusing = False
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def slow(self, delay_s: float) -> None:
        """Every piece of whatever passes waits this long."""
        self.delay_s = delay_s

    def hang(self) -> None:
        """Nothing passes from here on."""
        self.passed.clear()

    def refuse(self) -> None:
        """Every connection is closed as soon as it is made, those there are when they say something."""
        self.refusing = True

    def normal(self) -> None:
        """Everything passes at once again."""
        self.delay_s = 0.0
        self.refusing = False
        self.passed.set()

    def close(self) -> None:
        """Take no more connections."""
        self.normal()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                there = socket.create_connection(self._target, 5)
            except OSError:
                client.close()
                continue
            for source, target in ((client, there), (there, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self.passed.wait()
                if self.refusing:
                    break
                if self.delay_s:
                    time.sleep(self.delay_s)
                target.sendall(data)
        except OSError:
            pass
        finally:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
