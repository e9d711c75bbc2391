"""The server's own ceiling, with wrk, and that of nginx with the same bytes beside it.

Locust cannot find the limit of a static server: it measures itself first. wrk can. Both servers are asked in
pairs, one right after the other and the first one in turns; what is told is the median of the ratios of the
pairs and how far it may be from the true one, because what else the machine does changes from one second to
the next. It says too when wrk was the limit.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from loadtests.processes import free_port
from loadtests.target import Target
from loadtests.tied import tied

PAIRS = 9
CONNECTIONS = 32
BUSY = 0.9
"""Share of its core from which wrk is the limit."""
SLOWED = 4
"""Times that the target's best turn exceeds its usual one from which it is being slowed down on purpose."""
SLOW, SLOW_DROP = 0.1, 1.5
"""The same of a server that is this slow beside nginx: part of the burst may have gone before."""
BAD = 0.01
"""Share of the answers from which they mean nothing."""
REMEDY = "señale en --techo otro igual sin límites (por ejemplo, prep portal DIR --limite 0)"
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ALL = re.compile(r"(\d+) requests in")
_BAD = re.compile(r"Non-2xx or 3xx responses:\s+(\d+)")
_CUT = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATES = re.compile(r"estados (\d+) (\d+)")
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
_COUNT = """
local all = {}
function setup(thread) table.insert(all, thread) end
function init(args) limited = 0; broken = 0 end
function response(status, headers, body)
  if status == 429 then limited = limited + 1 elseif status >= 500 then broken = broken + 1 end
end
function done(summary, latency, requests)
  local many, wrong = 0, 0
  for _, one in ipairs(all) do many = many + one:get("limited"); wrong = wrong + one:get("broken") end
  io.write(string.format("estados %d %d\\n", many, wrong))
end
"""
"""For wrk, only once something went wrong: reading each answer would make it slower."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Requests per second of the target and of nginx for one path (medians); None where not measured."""

    what: str
    size: int
    """Bytes of the body as it travels."""
    target_rps: float | None
    nginx_rps: float | None
    why: str = ""
    ratios: tuple[float, ...] = ()
    """Of the target to nginx in each pair, in order of size."""
    broken: bool = False
    """The server answered with errors of its own: that is no limit."""

    @property
    def ratio(self) -> float | None:
        """Of the target to nginx: the median of the pairs."""
        return median(self.ratios) if self.ratios else None

    @property
    def between(self) -> tuple[float, float] | None:
        """Where the true median is, 96 times of a hundred with nine pairs: all but the extreme ones."""
        if not self.ratios:
            return None
        out = 1 if len(self.ratios) >= PAIRS else 0
        return self.ratios[out], self.ratios[-1 - out]

    def reaches(self, least: float) -> bool | None:
        """Whether the ratio is at least that; None when not measured, or when the noise does not let tell."""
        between = self.between
        if self.broken:
            return False
        if between is None or between[0] < least <= between[1]:
            return None
        return between[0] >= least

    def text(self) -> str:
        """The ratio, its range and the two figures, in Spanish; or why there are none."""
        if self.ratio is None or self.between is None:
            return self.why
        low, high = self.between
        rates = f"{self.target_rps or 0:,.0f}/s y nginx {self.nginx_rps or 0:,.0f}/s"
        return f"{self.ratio:.2f} (de {low:.2f} a {high:.2f} en {len(self.ratios)} pares; {rates})"


@dataclass(frozen=True, slots=True)
class Turn:
    """What wrk saw in one turn: answers per second, the share not good, the share of a core it used."""

    rate: float
    bad: float
    busy: float


def nginx_path() -> str | None:
    """The nginx of the system."""
    return shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float) -> bool:
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
def started(command: list[str], port: int, seconds: float = 20.0) -> Iterator[subprocess.Popen[bytes] | None]:
    """A server of this run's own, ended with it; None when it does not begin to listen in so many seconds."""
    process = subprocess.Popen(
        tied(command, signal.SIGTERM),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process if wait_for_port(port, process, seconds) else None
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(target: Target, paths: dict[str, str], seconds: float, pairs: int = PAIRS) -> list[Ceiling]:
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
        (folder / "estados.lua").write_text(_COUNT, encoding="utf-8")
        with started([nginx, "-p", name, "-c", str(folder / "nginx.conf")], port) as process:
            if process is None:
                return [Ceiling(what, bodies[what], None, None, "nginx no arrancó") for what in paths]
            asking = Asking(wrk, target, f"http://127.0.0.1:{port}", folder / "estados.lua", seconds)
            return [asking.both(path, what, bodies[what], pairs) for what, path in paths.items()]


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
    www.parent.chmod(0o755)


@dataclass(frozen=True, slots=True)
class Asking:
    """wrk, against the target and against the nginx beside it, `seconds` (whole) each time."""

    wrk: str
    target: Target
    beside: str
    script: Path
    seconds: float

    def both(self, path: str, what: str, size: int, pairs: int) -> Ceiling:
        """The ceiling for a path. It stops at the first turn whose answers mean nothing."""
        mine: list[Turn] = []
        theirs: list[Turn] = []
        for number in range(pairs):
            turns = [(self.target.pinned_url, mine), (self.beside, theirs)]
            # Whoever goes second finds the machine as the first one left it.
            for url, found in turns if number % 2 == 0 else turns[::-1]:
                turn = self.turn(f"{url}{path}")
                if turn is None:
                    return Ceiling(what, size, None, None, "wrk no terminó")
                if turn.bad > BAD:
                    return self._refused(f"{url}{path}", what, size, turn)
                found.append(turn)
        return judged(what, size, mine, theirs)

    def turn(self, url: str, script: Path | None = None) -> Turn | None:
        """One turn; None when wrk did not end well."""
        said, busy = self._run(url, script)
        rate, everything = _RATE.search(said), _ALL.search(said)
        if rate is None or everything is None:
            return None
        wrong, cut = _BAD.search(said), _CUT.search(said)
        bad = (int(wrong[1]) if wrong else 0) + (sum(map(int, cut.groups())) if cut else 0)
        return Turn(float(rate[1]), bad / max(1, int(everything[1]) + bad), busy)

    def _run(self, url: str, script: Path | None) -> tuple[str, float]:
        """What wrk says, and the share of a core it used."""
        # The name goes in Host when what is asked is the address that was judged.
        command = [
            self.wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(self.seconds))}s", "--timeout", "2s",
            *(["-s", str(script)] if script else []), "-H", "Accept-Encoding: gzip",
            "-H", f"Host: {self.target.netloc}", url,
        ]  # fmt: skip
        since = time.monotonic()
        with subprocess.Popen(tied(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            said = process.stdout.read()
            # Only `wait4` says what this child used, whatever others end meanwhile.
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        spent = (used.ru_utime + used.ru_stime) / max(0.001, time.monotonic() - since)
        return (said.decode() if process.returncode == 0 else ""), spent

    def _refused(self, url: str, what: str, size: int, turn: Turn) -> Ceiling:
        """Why the answers were not good: a limit for each address is one thing, a broken server another."""
        share = f"{100 * turn.bad:.0f} % de las respuestas no fueron buenas"
        if url.startswith(self.beside):
            return Ceiling(what, size, None, None, f"{share}, y eran del nginx de al lado")
        why, broken = explained(self._run(url, self.script)[0])
        return Ceiling(what, size, None, None, f"{share}: {why}", broken=broken)


def explained(said: str) -> tuple[str, bool]:
    """What bad answers were, of what wrk said with the script, and whether the server is broken."""
    found = _STATES.search(said)
    limited, broken = (int(found[1]), int(found[2])) if found else (0, 0)
    if broken or not limited:
        return (f"{broken:,} errores del servidor" if broken else "ni límites ni errores 5xx"), True
    return f"el servidor limita a cada dirección; {REMEDY}", False


def judged(what: str, size: int, mine: list[Turn], theirs: list[Turn]) -> Ceiling:
    """The ceiling that the turns of a target and of the nginx beside it tell, or why they tell none."""
    rates = [median(one.rate for one in found) for found in (mine, theirs)]
    slow = rates[0] < SLOW * rates[1] and _drop(mine) >= SLOW_DROP
    if slow or _drop(mine) >= SLOWED > _drop(theirs):
        why = f"el servidor frena a cada dirección (pasado un momento bajó demasiado); {REMEDY}"
        return Ceiling(what, size, None, None, why)
    ratios = tuple(sorted(one.rate / other.rate for one, other in zip(mine, theirs, strict=True)))
    busy = median(one.busy for one in theirs)
    if busy >= BUSY:
        # The faster server is the one that finds it: the ratio would look better than it is.
        why = f"wrk usó {100 * busy:.0f} % de su núcleo ante nginx: el tope fue suyo"
        return Ceiling(what, size, rates[0], rates[1], why)
    return Ceiling(what, size, rates[0], rates[1], ratios=ratios)


def _drop(turns: list[Turn]) -> float:
    """How many times its usual turn the best one is: the first, where a burst is let through."""
    rates = [one.rate for one in turns]
    return max(rates) / max(1.0, median(rates))
