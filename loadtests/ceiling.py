"""The server's own ceiling, with wrk, and that of nginx with the same bytes beside it.

Locust cannot find the limit of a static server: it measures itself first. wrk can. Both servers are asked in
turns, several times; each figure is the best turn, because what else the machine does only takes away.
"""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from loadtests.target import Target

ROUNDS = 5
CONNECTIONS = 32
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses:\s+(\d+)")
_ALL = re.compile(r"(\d+) requests in")
_OWN = frozenset(
    {
        "accept-ranges", "connection", "content-encoding", "content-length", "content-type", "date", "etag",
        "keep-alive", "last-modified", "server", "transfer-encoding", "vary",
    }
)  # fmt: skip
"""Headers that nginx makes by itself."""
_NGINX = """
worker_processes auto;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
daemon off;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    sendfile on;
    tcp_nopush on;
    etag on;
    gzip_static on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}/www; {places} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Requests per second of the target and of nginx for one path; None where it could not be measured."""

    what: str
    size: int
    """Bytes of the body as it travels."""
    target_rps: float | None
    nginx_rps: float | None
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """Of the target to nginx."""
        if self.target_rps is None or not self.nginx_rps:
            return None
        return self.target_rps / self.nginx_rps


def nginx_path() -> str | None:
    """The nginx of the system."""
    return shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


def free_port() -> int:
    """One that nobody uses at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20.0) -> bool:
    """Whether somebody listens there before the time is over, or the process ends."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as one:
            one.settimeout(0.5)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


@contextmanager
def started(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes] | None]:
    """A server of this run's own, ended with it; None when it does not begin to listen."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process if wait_for_port(port, process) else None
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(target: Target, paths: dict[str, str], seconds: float) -> list[Ceiling]:
    """The ceilings of some paths (by what they are), `seconds` each time one server is asked."""
    wrk, nginx = shutil.which("wrk"), nginx_path()
    missing = " ni ".join(name for name, found in (("wrk", wrk), ("nginx", nginx)) if found is None)
    if wrk is None or nginx is None:
        return [Ceiling(what, 0, None, None, f"no está instalado {missing}") for what in paths]
    with tempfile.TemporaryDirectory(prefix="prep-techo-") as name:
        folder, port = Path(name), free_port()
        (folder / "tmp").mkdir()
        bodies, places = {}, ""
        for what, path in paths.items():
            _, headers, body = target.get(path, {"Accept-Encoding": "gzip"})
            bodies[what] = len(body)
            places += f"location = {path} {{ {_same_headers(headers)} }} "
            _place(folder / "www", path, body, headers.get("content-encoding") == "gzip")
        (folder / "nginx.conf").write_text(
            _NGINX.format(folder=folder, port=port, places=places), encoding="utf-8"
        )
        with started([nginx, "-p", name, "-c", str(folder / "nginx.conf")], port) as process:
            if process is None:
                return [Ceiling(what, bodies[what], None, None, "nginx no arrancó") for what in paths]
            beside = f"http://127.0.0.1:{port}"
            return [
                _both(wrk, target, beside, path, what, bodies[what], seconds) for what, path in paths.items()
            ]


def _same_headers(headers: Mapping[str, str]) -> str:
    """What makes nginx send the headers of the target too: they are bytes like the others."""
    return " ".join(
        f'add_header {name} "{value}";'
        for name, value in headers.items()
        if name not in _OWN and not set(value) & set('"$\\')
    )


def _place(www: Path, path: str, body: bytes, packed: bool) -> None:
    """The same bytes for nginx: as they travel."""
    file = www / urlsplit(path).path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    if packed:
        file.write_bytes(gzip.decompress(body))
        file.with_name(f"{file.name}.gz").write_bytes(body)
    else:
        file.write_bytes(body)
    for one in (www, *www.rglob("*")):
        # nginx lowers its workers' privileges when it is started by root.
        one.chmod(0o755 if one.is_dir() else 0o644)
    for one in (www.parent,):
        one.chmod(0o755)


def _both(wrk: str, target: Target, beside: str, path: str, what: str, size: int, seconds: float) -> Ceiling:
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        for url, found in ((target.url, mine), (beside, theirs)):
            rate, bad = _wrk(wrk, f"{url}{path}", seconds)
            if rate is None or bad > 0.01:
                share = f"{100 * bad:.0f} % de las respuestas no fueron 200"
                why = f"{share}: el servidor limita a cada dirección" if rate else "wrk no terminó"
                return Ceiling(what, size, None, None, why)
            found.append(rate)
    return Ceiling(what, size, max(mine), max(theirs))


def _wrk(wrk: str, url: str, seconds: float) -> tuple[float | None, float]:
    """Requests per second, and the share of the answers that were not good."""
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-H", "Accept-Encoding: gzip", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    rate, everything = _RATE.search(done.stdout), _ALL.search(done.stdout)
    if done.returncode != 0 or rate is None or everything is None:
        return None, 0.0
    bad = _BAD.search(done.stdout)
    return float(rate[1]), (int(bad[1]) if bad else 0) / max(1, int(everything[1]))
