"""What an answer costs to nginx on this machine, in seconds of its own CPU, over TLS.

For `night`. It serves files of its own with an nginx of its own, asks with wrk and openssl, and
reads what the server used in /proc. It promises nothing of another machine.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from core.errors import PrepError
from loadtests.ceiling import nginx_path, started
from loadtests.processes import free_ports

LARGE = 4 << 20
"""Bytes of the file that tells what copying and encrypting cost."""

_CONF = """
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
daemon off;
events {{ worker_connections 2048; }}
http {{
    access_log off; default_type application/json; gzip_static on; keepalive_requests 10000000;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }} # to learn the tag without a certificate
    server {{ listen 127.0.0.1:{tls} ssl; ssl_protocols TLSv1.3; ssl_session_tickets off;
             ssl_certificate {folder}/c.pem; ssl_certificate_key {folder}/k.pem; root {folder}/www; }}
}}
"""


class SizingError(PrepError):
    """A cost could not be measured for a reason that is not a missing program."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Per second of CPU of nginx with TLS: answers, new greetings, Mbit of large files; None: not known."""

    not_modified: float | None
    objects: float | None
    greetings: float | None
    mbit: float | None
    missing: tuple[str, ...] = ()
    """Programs that are not installed."""


def measure(data: bytes, seconds: float = 3.0) -> Costs:
    """What answers of these bytes cost to nginx here, in its own CPU; all None without wrk, nginx or openssl.

    Raises SizingError when one of them is there and fails.
    """
    found = {"wrk": shutil.which("wrk"), "nginx": nginx_path(), "openssl": shutil.which("openssl")}
    missing = tuple(name for name, path in found.items() if path is None)
    wrk, nginx, openssl = found["wrk"], found["nginx"], found["openssl"]
    if wrk is None or nginx is None or openssl is None:
        return Costs(None, None, None, None, missing)
    with tempfile.TemporaryDirectory(prefix="prep-dimensionar-") as name:
        home, (port, tls) = Path(name), free_ports(2)
        home.chmod(0o755)
        www = home / "www"
        www.mkdir()
        (www / "o.json").write_bytes(data)
        (www / "o.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        (www / "grande").write_bytes(os.urandom(LARGE))
        certificate(openssl, home)
        (home / "nginx.conf").write_text(_CONF.format(folder=home, port=port, tls=tls), encoding="utf-8")
        with started([nginx, "-p", name, "-c", str(home / "nginx.conf")], port) as process:
            if process is None:
                said = (
                    (home / "error.log").read_text(errors="replace") if (home / "error.log").exists() else ""
                )
                raise SizingError(
                    f"nginx no arrancó para medirse: {said.strip()[-300:] or 'no dijo por qué'}"
                )
            url = f"https://127.0.0.1:{tls}/o.json"
            load = [wrk, "-t1", "-c32", f"-d{max(1, round(seconds))}s"]
            same = ["-H", "Accept-Encoding: gzip", "-H", f"If-None-Match: {_tag(port)}"]
            greet = [openssl, "s_time", "-connect", f"127.0.0.1:{tls}", "-new", "-time"]
            large = [wrk, "-t1", "-c8", f"-d{max(1, round(seconds))}s", f"https://127.0.0.1:{tls}/grande"]
            return Costs(
                not_modified=_per_cpu([*load, *same, url], process.pid),
                objects=_per_cpu([*load, "-H", "Accept-Encoding: gzip", url], process.pid),
                greetings=_per_cpu([*greet, str(max(1, round(seconds)))], process.pid),
                mbit=_per_cpu(large, process.pid) * 8 * LARGE / 1e6,
            )


def certificate(openssl: str, home: Path) -> None:
    """Leave `k.pem` and `c.pem` in a folder. Raises SizingError, with what openssl says, when it fails."""
    done = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", home / "k.pem", "-out", home / "c.pem", "-days", "2", "-subj", "/CN=localhost"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-300:]
        raise SizingError(f"openssl no hizo el certificado para medir TLS (salida {done.returncode}): {said}")


def _per_cpu(command: list[str], server: int) -> float:
    """Answers (or connections) per second of CPU of the server's processes. Raises SizingError with none."""
    before = _cpu_s(server)
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    spent = _cpu_s(server) - before
    count = re.search(r"(\d+) requests in", done.stdout) or re.search(r"(\d+) connections in", done.stdout)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if count is None or not int(count[1]) or spent <= 0 or wrong is not None:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise SizingError(f"{Path(command[0]).name} no midió nada (salida {done.returncode}): {said}")
    return int(count[1]) / spent


def _cpu_s(parent: int) -> float:
    """Seconds of CPU of a process and its children."""
    ticks = 0
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = one.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent or one.parent.name == str(parent):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _tag(port: int) -> str:
    url = f"http://127.0.0.1:{port}/o.json"
    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"}), timeout=10) as answer:
        return str(answer.headers["ETag"])
