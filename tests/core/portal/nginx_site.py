"""A real nginx with the configuration that is shipped, TLS included, over a publication."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from loadtests.processes import free_ports

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
BROTLI = next(Path("/usr/lib").glob("nginx/modules/ngx_http_brotli_static_module.so"), None)
FOLDER = "prep2021"


class Site(NamedTuple):
    """A publication, its two ports, and the certificate of the one with TLS."""

    public: Path
    plain: int
    tls: int
    trust: ssl.SSLContext

    def get(self, path: str, method: str = "GET", **fields: str) -> tuple[int, Message, bytes]:
        """Ask for a path over TLS, exactly as it is written."""
        link = http.client.HTTPSConnection("localhost", self.tls, timeout=10, context=self.trust)
        try:
            link.request(
                method, path, headers={name.replace("_", "-"): value for name, value in fields.items()}
            )
            answer = link.getresponse()
            return answer.status, answer.msg, answer.read()
        finally:
            link.close()


def certificate(home: Path) -> ssl.SSLContext:
    """Make a certificate of this machine for itself; gives what trusts it and nobody else."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", home / "prep.key", "-out", home / "prep.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return ssl.create_default_context(cafile=str(home / "prep.pem"))


@contextmanager
def running(
    public: Path,
    home: Path,
    repository: Path,
    *,
    packed: bool,
    told: bool = False,
    other: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Site]:
    """nginx over the folder that holds `public`; `packed` turns brotli on as the file says.

    `told`: who asks is whom the header X-Prueba says, an address of any kind. `other`: more of the file that
    is changed.
    """
    if NGINX is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no está instalado nginx (scripts/sistema.sh lo instala)")
        pytest.skip("no está instalado nginx (scripts/sistema.sh lo instala)")
    trust = certificate(home)
    plain, tls = free_ports(2)
    changes = {
        "/var/log/nginx/": f"{home}/",
        "/run/nginx-prep.pid": f"{home}/nginx.pid",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "/etc/ssl/prep.": f"{home}/prep.",
        "/srv/prep/publico": str(public.parent),
        "worker_processes auto;": "worker_processes 1;",
        **other,
    }
    if packed and BROTLI is not None:
        changes["# load_module modules/"] = f"load_module {BROTLI.parent}/"
        changes["# brotli_static on;"] = "brotli_static on;"
        changes["disable_symlinks on from=$document_root;"] = "disable_symlinks off;"
    if told:
        changes["default_type application/octet-stream;"] = (
            "default_type application/octet-stream; set_real_ip_from 127.0.0.1; real_ip_header X-Prueba;"
        )
    text = (repository / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    if os.geteuid() == 0:
        text = f"user root;\n{text}"
    config = home / "nginx.conf"
    config.write_text(text, encoding="utf-8")
    checked = subprocess.run([NGINX, "-t", "-c", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    process = subprocess.Popen([NGINX, "-c", config, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", tls), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.05)
        yield Site(public, plain, tls, trust)
    finally:
        process.terminate()
        process.wait(15)
