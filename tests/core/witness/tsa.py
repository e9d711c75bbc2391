"""A time-stamping authority of its own for the tests: `openssl ts -reply` behind a real HTTP server."""

from __future__ import annotations

import http.server
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.core.witness.servers import serving

CONFIG = """
[tsa]
default_tsa = sello
[sello]
dir = .
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
certs = ./ca.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run openssl in a folder."""
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)


def make(folder: Path) -> None:
    """A certificate authority (`ca.pem`) and the authority's key and certificate."""
    folder.mkdir(parents=True)
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    (folder / "uso").write_text("extendedKeyUsage = critical,timeStamping\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    steps: tuple[tuple[str, ...], ...] = (
        ("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=CA"),
        ("req", "-new", *curve, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA de prueba"),
        (
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "tsa.pem", "-days", "3650", "-extfile", "uso",
        ),
    )  # fmt: skip
    for step in steps:
        done = openssl(folder, *step)
        assert done.returncode == 0, done.stderr


@contextmanager
def authority(folder: Path) -> Iterator[str]:
    """Serve one; gives its address. Its certificates are made when they are not there."""
    if not folder.exists():
        make(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            (folder / "peticion").write_bytes(data)
            done = openssl(
                folder, "ts", "-reply", "-config", "tsa.cnf", "-section", "sello", "-queryfile", "peticion",
                "-out", "respuesta",
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            body = (folder / "respuesta").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(http.server.HTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address
