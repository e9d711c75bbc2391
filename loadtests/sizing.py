"""How much a real night needs, from the sizes of a real publication and what an answer costs here.

Arithmetic on the habits of a profile (polls, waits, how many go down), the bytes of the files that are
served, and three costs measured on this machine: seconds of CPU of nginx per 304, per object and per TLS
greeting. It says what to buy and when a CDN is needed; it promises nothing of another machine.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from loadtests.ceiling import free_port, nginx_path, started
from loadtests.profile import Profile

HEADERS = 900
"""Bytes of the headers of an answer with the shipped ones (HTTP/1.1), about."""
TLS_BYTES = 3_000
"""Bytes of a TLS 1.3 greeting with a chain of two EC certificates, about, both ways."""
OPENING_S = 60
"""The opening minute."""
NGINX_MBIT = 1_000
"""Of the network of one machine: beyond it, mirrors or a CDN."""
CPU_SHARE = 0.5
"""Of each core, what is counted on: the rest is for the unforeseen."""

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
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
    server {{ listen 127.0.0.1:{tls} ssl; ssl_protocols TLSv1.3; ssl_session_tickets off;
             ssl_certificate {folder}/c.pem; ssl_certificate_key {folder}/k.pem; root {folder}/www; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes as they travel: the first view (page, sheet, script), the pointer, what a cut brings, an acta."""

    page: int
    page_requests: int
    pointer: int
    portal: int
    catalog: int
    drill: int
    acta: int
    database: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Answers per second of CPU of nginx; None what could not be measured."""

    not_modified: float | None
    objects: float | None
    greetings: float | None


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the night, per second."""

    name: str
    requests: float
    mbit: float
    greetings: float
    cores: float | None


def sizes_of(folder: Path) -> Sizes:
    """The sizes of a publication. Raises InputError when the folder is not one."""
    try:
        pointer = json.loads((folder / "corte.json").read_bytes())
        portal = _object(folder, pointer["portal"])
        contest = portal["contiendas"][0]
        root = _object(folder, contest["raiz"])
        territories = [_object(folder, name) for _, name in root["territorios"]]
        middle = sorted(territories, key=lambda one: len(one["secciones"]))[len(territories) // 2]
        section = middle["secciones"][0][1]
        names = dict(root["territorios"])
        path = [contest["raiz"], names[middle["territorio"]], section]
        packages = [one for one in (folder / pointer["base"]).iterdir() if one.suffix == ".zip"]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(folder, message=f"no es una carpeta publicada con un corte: {error!r}") from error
    page = folder / "index.html"
    assets = sorted((folder / "sitio").glob("*")) if (folder / "sitio").is_dir() else []
    used = [one for one in assets if page.is_file() and one.name in page.read_text(encoding="utf-8")]
    views = sorted((folder / "vistas").rglob("*.webp"))[:200]
    return Sizes(
        page=sum(_packed(one) for one in [page, *used] if one.is_file()),
        page_requests=1 + len(used),
        pointer=len((folder / "corte.json").read_bytes()),
        portal=_packed(_path(folder, pointer["portal"])),
        catalog=_packed(_path(folder, portal["catalogo"])),
        drill=sum(_packed(_path(folder, one)) for one in path),
        acta=sum(one.stat().st_size for one in views) // len(views) if views else 150_000,
        database=max((one.stat().st_size for one in packages), default=0),
    )


def phases(profile: Profile, pages: int, sizes: Sizes, costs: Costs, cut_s: int) -> list[Phase]:
    """What `pages` open pages ask for in each phase, with the habits of the profile's citizens."""
    citizen = next((one.settings for one in profile.people if one.kind == "ciudadano"), None)
    if citizen is None:
        raise UsageError(f"el perfil {profile.name} no tiene ciudadanos: no se puede dimensionar con él")
    poll, wait = citizen["sondeo_s"], max(1, citizen["espera_corte_s"])
    down = citizen["profundiza_pct"] / 100
    actas = down * citizen["acta_pct"] / 100
    bases = citizen["base_pct"] / 100
    polls = pages / poll
    opening = pages / OPENING_S
    first = sizes.page_requests + 3
    first_bytes = sizes.page + sizes.pointer + sizes.portal + sizes.catalog + first * HEADERS
    looks = pages / wait
    look_requests = 1 + 3 * down + actas + bases
    look_bytes = (
        sizes.portal
        + down * sizes.drill
        + actas * sizes.acta
        + bases * sizes.database
        + look_requests * HEADERS
    )
    return [
        _phase(
            "apertura: todos en un minuto", opening * first, opening * (first_bytes + TLS_BYTES), opening,
            0.0, costs,
        ),
        _phase("entre cortes: solo preguntan", polls, polls * HEADERS, pages / cut_s, polls, costs),
        _phase(
            f"cada corte, durante {wait} s", polls + looks * look_requests,
            polls * (HEADERS + sizes.pointer * min(1.0, poll / wait)) + looks * look_bytes, 0.0, 0.0, costs,
        ),
    ]  # fmt: skip


def _phase(name: str, requests: float, byte: float, greetings: float, light: float, costs: Costs) -> Phase:
    cores = None
    if costs.not_modified and costs.objects and costs.greetings:
        cores = light / costs.not_modified + (requests - light) / costs.objects + greetings / costs.greetings
    return Phase(name, requests, 8 * byte / 1e6, greetings, cores)


def measure(folder: Path, seconds: float = 3.0) -> Costs:
    """What an answer costs to nginx here, in its own CPU; None where wrk, nginx or openssl lack."""
    wrk, nginx, openssl = shutil.which("wrk"), nginx_path(), shutil.which("openssl")
    if wrk is None or nginx is None or openssl is None:
        return Costs(None, None, None)
    with tempfile.TemporaryDirectory(prefix="prep-dimensionar-") as name:
        home, port, tls = Path(name), free_port(), free_port()
        home.chmod(0o755)
        www = home / "www"
        www.mkdir()
        data = _path(folder, json.loads((folder / "corte.json").read_bytes())["portal"]).read_bytes()
        (www / "o.json").write_bytes(data)
        (www / "o.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", home / "k.pem", "-out", home / "c.pem", "-days", "2", "-subj", "/CN=localhost"],
            check=True, capture_output=True,
        )  # fmt: skip
        (home / "nginx.conf").write_text(_CONF.format(folder=home, port=port, tls=tls), encoding="utf-8")
        with started([nginx, "-p", name, "-c", str(home / "nginx.conf")], port) as process:
            if process is None:
                return Costs(None, None, None)
            url = f"http://127.0.0.1:{port}/o.json"
            tag = _tag(url)
            load = [wrk, "-t1", "-c32", f"-d{seconds:.0f}s"]
            objects = _per_cpu([*load, "-H", "Accept-Encoding: gzip", url], process.pid)
            same = [*load, "-H", "Accept-Encoding: gzip", "-H", f"If-None-Match: {tag}", url]
            greet = [openssl, "s_time", "-connect", f"127.0.0.1:{tls}", "-new", "-time", f"{seconds:.0f}"]
            return Costs(_per_cpu(same, process.pid), objects, _per_cpu(greet, process.pid))


def text(profile: Profile, pages: int, sizes: Sizes, costs: Costs, found: list[Phase]) -> str:
    """The table, and what it means."""
    out = [
        f"{pages:,} páginas abiertas, con las costumbres de «{profile.name}».",
        f"Bytes como viajan: página y guion {sizes.page:,} ({sizes.page_requests} peticiones), corte.json "
        f"{sizes.pointer:,}, objeto del portal {sizes.portal:,}, catálogo {sizes.catalog:,}, bajar hasta una "
        f"sección {sizes.drill:,}, vista de un acta {sizes.acta:,}, base de datos {sizes.database:,}.",
    ]
    if costs.objects and costs.not_modified and costs.greetings:
        out.append(
            f"nginx en esta máquina, por segundo de CPU: {costs.not_modified:,.0f} respuestas 304, "
            f"{costs.objects:,.0f} objetos, {costs.greetings:,.0f} saludos TLS nuevos."
        )
    else:
        out.append("Sin wrk, nginx y openssl no se mide lo que cuesta cada respuesta: faltan los núcleos.")
    out += ["", f"{'':<32}{'peticiones/s':>14}{'Mbit/s':>10}{'saludos/s':>11}{'núcleos':>9}"]
    for one in found:
        cores = "—" if one.cores is None else f"{one.cores / CPU_SHARE:.1f}"
        out.append(f"{one.name:<32}{one.requests:>14,.0f}{one.mbit:>10,.0f}{one.greetings:>11,.0f}{cores:>9}")
    worst = max(one.mbit for one in found)
    machines = max(1, -(-int(worst) // int(NGINX_MBIT * CPU_SHARE)))
    out += [
        "",
        f"Los núcleos cuentan con {CPU_SHARE:.0%} de cada uno. Con red de {NGINX_MBIT:,} Mbit/s usada a la "
        f"mitad: {machines} {'máquina' if machines == 1 else 'máquinas'}"
        + (", o una CDN delante." if machines > 1 else "."),
    ]
    return "\n".join(out)


def data(sizes: Sizes, costs: Costs, found: list[Phase]) -> dict[str, object]:
    """The same, as JSON."""
    rows: list[Mapping[str, object]] = [
        {
            "fase": one.name, "peticiones_s": round(one.requests, 1), "mbit_s": round(one.mbit, 1),
            "saludos_s": round(one.greetings, 1),
            "nucleos": None if one.cores is None else round(one.cores, 2),
        }
        for one in found
    ]  # fmt: skip
    return {
        "bytes": {name: getattr(sizes, name) for name in Sizes.__slots__},
        "por_segundo_de_cpu": {name: getattr(costs, name) for name in Costs.__slots__},
        "fases": rows,
    }


def _per_cpu(command: list[str], server: int) -> float | None:
    """Answers (or connections) per second of CPU of the server's processes."""
    before = _cpu_s(server)
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    spent = _cpu_s(server) - before
    count = re.search(r"(\d+) requests in", done.stdout) or re.search(r"(\d+) connections in", done.stdout)
    return int(count[1]) / spent if count and spent > 0 else None


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


def _tag(url: str) -> str:
    from urllib.request import Request, urlopen

    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"}), timeout=10) as answer:
        return str(answer.headers["ETag"])


def _path(folder: Path, sha256: str) -> Path:
    return folder / "objetos" / sha256[:2] / f"{sha256}.json"


def _object(folder: Path, sha256: str) -> Any:
    return json.loads(_path(folder, sha256).read_bytes())


def _packed(path: Path) -> int:
    """Bytes of a file as it travels: gzip from a thousand on."""
    data = path.read_bytes()
    return len(data) if len(data) < 1024 else len(gzip.compress(data, 9))
