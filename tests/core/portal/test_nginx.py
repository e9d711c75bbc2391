"""The configuration of nginx that is shipped, in a real nginx."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from core.portal.server import SECURITY
from core.portal.site import build_site

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[str]:
    """A publication behind nginx with the shipped file; only its paths and its port change."""
    if NGINX is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no está instalado nginx (scripts/sistema.sh lo instala)")
        pytest.skip("no está instalado nginx (scripts/sistema.sh lo instala)")
    home = tmp_path_factory.mktemp("nginx")
    public = home / "publico"
    build_site(public, mode="oficial", place="Jalisco")
    (public / "corte.json").write_bytes(b'{"corte":1}')
    (public / "prep.db").write_bytes(b"secret")
    (public / ".emision").mkdir()
    (public / ".emision" / "0001.json").write_bytes(b"secret")
    (home / "fuera.json").write_bytes(b"secret")
    (public / "fuera.json").symlink_to(home / "fuera.json")
    page = public / "index.html"
    (public / "index.html.gz").write_bytes(gzip.compress(page.read_bytes(), mtime=0))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = (repository / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/var/log/nginx/", f"{home}/"),
        ("/run/nginx-prep.pid", f"{home}/nginx.pid"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/srv/prep/publico", str(public)),
        ("worker_processes auto;", "worker_processes 1;"),
    ):
        assert old in text
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
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def _get(url: str, method: str = "GET", **fields: str) -> tuple[int, Message, bytes]:
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers, method=method), timeout=10
        ) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_pointer_is_short_lived_and_revalidated(server: str) -> None:
    status, fields, body = _get(f"{server}/corte.json")
    assert (status, body) == (200, b'{"corte":1}')
    assert fields["Cache-Control"].startswith("public, max-age=10")
    assert fields["Content-Type"] == "application/json"
    assert _get(f"{server}/corte.json", If_None_Match=fields["ETag"])[0] == 304


def test_pages_go_packed_with_the_same_security_headers_as_the_own_server(server: str) -> None:
    status, fields, body = _get(f"{server}/", Accept_Encoding="gzip")
    assert (status, fields["Content-Encoding"]) == (200, "gzip")
    page = gzip.decompress(body).decode()
    for name, value in SECURITY.items():
        assert fields[name] == value, name
    asset = page.split('href="sitio/')[1].split('"')[0]
    assert "immutable" in _get(f"{server}/sitio/{asset}")[1]["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["/prep.db", "/.emision/0001.json", "/fuera.json", "/../fuera.json", "/%2e%2e/fuera.json", "/sitio/",
     "/index.html.gz"],
)  # fmt: skip
def test_what_is_not_public_does_not_come_out(server: str, path: str) -> None:
    status, _, body = _get(server + path)
    assert status in (400, 403, 404)
    assert b"secret" not in body


def test_nobody_writes(server: str) -> None:
    assert _get(f"{server}/corte.json", method="POST")[0] == 405
