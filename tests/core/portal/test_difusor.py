"""The client of the difusores, run as they run it, against a real night published in a folder."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.destinations import Distributor, open_destination
from tests.publication_sample import Night, sample

CLIENT = Path(__file__).resolve().parents[3] / "core" / "portal" / "assets_py" / "difusor.py"


class Site(SimpleHTTPRequestHandler):
    """A folder over HTTP with ETag and 304, as nginx does; it counts and can be told to fail."""

    server: Server

    def do_GET(self) -> None:
        key = self.path.lstrip("/")
        self.server.asked.append(key)
        path = Path(self.directory) / key
        if self.server.later.get(key):
            self.send_response(429)
            self.send_header("Retry-After", self.server.later[key].pop())
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.server.broken(key) or not path.is_file():
            self.send_error(503 if self.server.broken(key) else 404)
            return
        data = path.read_bytes()
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.server.not_modified += 1
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.server.cuts_short(key) else data)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root: Path) -> None:
        self.asked: list[str] = []
        self.not_modified = 0
        self.broken: Callable[[str], bool] = lambda key: False
        self.later: dict[str, list[str]] = {}
        self.cuts_short: Callable[[str], bool] = lambda key: False
        super().__init__(("127.0.0.1", 0), partial(Site, directory=str(root)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of three cuts."""
    return sample(tmp_path_factory.mktemp("noche") / "trabajo")


@pytest.fixture
def public(night: Path, tmp_path: Path) -> Path:
    """What a destination shows of it, for this test to spoil."""
    folder = tmp_path / "publico"
    with Distributor(night, [open_destination(str(folder))]) as distributor:
        assert distributor.drain(20)
    for path in folder.rglob("*"):
        # The destination links the files of the work folder, which other tests share.
        if path.is_file():
            copy = path.with_name(f".{path.name}.copia")
            shutil.copyfile(path, copy)
            copy.replace(path)
    return folder


@pytest.fixture
def server(public: Path) -> Iterator[Server]:
    with Server(public) as site:
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield site
        site.shutdown()


def run(server: Server | str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """One visit of the client, with Python alone: no package of the environment."""
    url = server if isinstance(server, str) else server.url
    return subprocess.run(
        [sys.executable, "-I", "-S", str(CLIENT), url, str(folder), "--una-vez", *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def state(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "estado.json").read_bytes())
    return found


def back_to(public: Path, night: Path, cut: int) -> None:
    """Make the site announce an earlier cut, as an old copy of it would."""
    pointer = json.loads((public / "corte.json").read_bytes())
    base = f"cortes/{cut:04d}/"
    manifest = (night / base / "manifiesto.json").read_bytes()
    proof = json.loads((night / f"emisiones/{cut:04d}.json").read_bytes())
    told = json.loads(manifest)
    root = bytes.fromhex(pointer["bitacora"]["raiz"]).hex() if cut == pointer["corte"] else "0" * 64
    pointer |= {
        "corte": cut,
        "base": base,
        "instante": told["instante"],
        "emision": f"emisiones/{cut:04d}.json",
        "hoja": proof["hoja"],
        "difusion": f"difusion/{cut:04d}.zip",
        "manifiesto_sha256": hashlib.sha256(manifest).hexdigest(),
        "bitacora": pointer["bitacora"] | {"tamano": proof["tamano"], "raiz": root},
    }
    (public / "corte.json").write_text(json.dumps(pointer))


def repack(
    path: Path, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None
) -> None:
    """Write a ZIP again with its members changed; None takes one away."""
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w") as package:
        for name, data in (members | (extra or {})).items():
            changed = change(name, data)
            if changed is not None:
                package.writestr(name, changed)


def same(name: str, data: bytes) -> bytes:
    return data


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(CLIENT.read_text(encoding="utf-8"))
    named = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    named |= {
        node.module.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert named <= sys.stdlib_module_names


def test_the_last_cut_is_downloaded_checked_and_named_as_the_valid_one(
    server: Server, night: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "medio"
    done = run(server, folder)
    assert done.returncode == 0, done.stderr
    assert "corte 3" in done.stdout
    assert "simulacro" in done.stdout
    kept = state(folder)
    assert (kept["corte"], kept["carpeta"]) == (3, "0003")
    for path in (night / "cortes/0003").iterdir():
        assert (folder / "0003/cortes/0003" / path.name).read_bytes() == path.read_bytes()
    package = (night / "difusion/0003.zip").read_bytes()
    assert (folder / "0003.zip").read_bytes() == package
    assert kept["difusion_sha256"] == hashlib.sha256(package).hexdigest()
    assert not list(folder.glob(".*"))


def test_a_second_visit_downloads_nothing(server: Server, tmp_path: Path) -> None:
    run(server, tmp_path / "medio")
    server.asked.clear()
    done = run(server, tmp_path / "medio")
    assert done.returncode == 0
    assert server.asked == ["corte.json"]


def test_an_earlier_cut_is_refused_and_the_last_good_one_stays(
    server: Server, public: Path, night: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "medio"
    run(server, folder)
    before = (folder / "estado.json").read_bytes()
    back_to(public, night, 2)
    done = run(server, folder)
    assert done.returncode == 1
    assert "algo anterior (corte 2" in done.stderr
    assert (folder / "estado.json").read_bytes() == before
    assert (folder / "0003").is_dir()


def test_it_goes_from_one_cut_to_the_next(server: Server, public: Path, night: Path, tmp_path: Path) -> None:
    folder, last = tmp_path / "medio", (public / "corte.json").read_bytes()
    back_to(public, night, 2)
    assert run(server, folder).returncode == 0
    assert state(folder)["corte"] == 2
    (public / "corte.json").write_bytes(last)
    assert run(server, folder).returncode == 0
    assert state(folder)["corte"] == 3
    assert (folder / "0002").is_dir(), "the earlier cuts stay"


def spoil_a_row(path: Path) -> None:
    repack(path, lambda name, data: data.replace(b"1", b"7", 1) if name.endswith(".csv") else data)


def spoil_the_manifest(path: Path) -> None:
    repack(
        path, lambda name, data: data.replace(b'"bytes": ', b'"bytes":  ') if "manifiesto" in name else data
    )


def spoil_the_proof(path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        if not name.startswith("emisiones/"):
            return data
        proof = json.loads(data)
        proof["prueba"][0] = "0" * 64
        return json.dumps(proof).encode()

    repack(path, change)


def swap_the_checkpoint(path: Path) -> None:
    repack(path, lambda name, data: data + b"\n" if name == "checkpoint" else data)


def take_a_file_away(path: Path) -> None:
    repack(path, lambda name, data: None if name.endswith("RESUMEN.xlsx") else data)


def add_a_file(path: Path) -> None:
    repack(path, same, {"cortes/0003/OTRO.csv": b"1"})


def climb_out(path: Path) -> None:
    repack(path, same, {"cortes/0003/../../../fuera.txt": b"1"})


def break_the_zip(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def put_another_cut(path: Path) -> None:
    shutil.copyfile(path.with_name("0002.zip"), path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_a_row, "no es el del manifiesto"),
        (spoil_the_manifest, "no es el que anuncia corte.json"),
        (spoil_the_proof, "no está en la bitácora"),
        (swap_the_checkpoint, "no es el de la emisión"),
        (take_a_file_away, "no son los del manifiesto"),
        (add_a_file, "no son los del manifiesto"),
        (climb_out, "no es de un corte"),
        (break_the_zip, "está dañado"),
        (put_another_cut, "no es de un corte"),
    ],
)
def test_a_package_that_is_not_the_published_one_is_refused_whole(
    server: Server, public: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    folder = tmp_path / "medio"
    spoil(public / "difusion/0003.zip")
    done = run(server, folder)
    assert done.returncode == 1
    assert reason in done.stderr
    assert list(folder.iterdir()) == [], "nothing half checked stays"
    assert not (tmp_path / "fuera.txt").exists()


def test_a_rehearsal_is_never_taken_for_the_election(server: Server, tmp_path: Path) -> None:
    done = run(server, tmp_path / "medio", "--modo", "oficial")
    assert done.returncode == 1
    assert "es de modo simulacro" in done.stderr


def test_a_folder_of_another_publication_is_not_touched(server: Server, public: Path, tmp_path: Path) -> None:
    folder = tmp_path / "medio"
    run(server, folder)
    pointer = json.loads((public / "corte.json").read_bytes())
    pointer |= {"modo": "oficial", "bitacora": pointer["bitacora"] | {"origen": "otra/oficial"}}
    (public / "corte.json").write_text(json.dumps(pointer))
    done = run(server, folder)
    assert done.returncode == 1
    assert "use otra carpeta" in done.stderr
    assert state(folder)["corte"] == 3


def test_the_same_cut_with_another_content_is_an_alarm(server: Server, public: Path, tmp_path: Path) -> None:
    folder = tmp_path / "medio"
    run(server, folder)
    pointer = json.loads((public / "corte.json").read_bytes())
    (public / "corte.json").write_text(json.dumps(pointer | {"manifiesto_sha256": "a" * 64}))
    done = run(server, folder)
    assert done.returncode == 1
    assert "cambió de contenido después de publicarse" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"formato": 2}', "null", "x" * 70_000])
def test_a_pointer_that_is_not_one_is_refused(
    server: Server, public: Path, tmp_path: Path, text: str
) -> None:
    (public / "corte.json").write_text(text)
    done = run(server, tmp_path / "medio")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_server_that_fails_half_way_is_tried_again(server: Server, tmp_path: Path) -> None:
    left = [2]

    def cuts(key: str) -> bool:
        left[0] -= key.startswith("difusion/")
        return key.startswith("difusion/") and left[0] >= 1

    server.cuts_short = cuts
    done = run(server, tmp_path / "medio")
    assert done.returncode == 0, done.stderr
    assert server.asked.count("difusion/0003.zip") == 2


def test_what_cannot_be_read_keeps_the_last_good_one(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "medio"
    run(server, folder)
    server.broken = lambda key: True
    done = run(server, folder)
    assert done.returncode == 2
    assert "respondió 503" in done.stderr
    assert state(folder)["corte"] == 3
    assert run("http://127.0.0.1:9", folder).returncode == 2


def test_before_the_first_cut_it_says_so(server: Server, public: Path, tmp_path: Path) -> None:
    (public / "corte.json").unlink()
    done = run(server, tmp_path / "medio")
    assert done.returncode == 2
    assert "todavía no hay cortes" in done.stderr


@pytest.mark.parametrize("arguments", [["ftp://x", "c"], ["http://x", "c", "--cada", "0"], ["http://x"]])
def test_wrong_arguments_end_with_two(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(CLIENT), *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2


def test_it_follows_the_cuts_until_it_is_stopped_asking_only_for_changes(tmp_path: Path) -> None:
    work, folder, public = tmp_path / "trabajo", tmp_path / "medio", tmp_path / "publico"
    night = Night(work)
    night.first_part()
    night.cut()
    with (
        Distributor(work, [open_destination(str(public))]) as distributor,
        Server(public) as site,
    ):
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        assert distributor.drain(20)
        client = subprocess.Popen(
            [sys.executable, str(CLIENT), site.url, str(folder), "--cada", "1"],
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            assert client.stdout is not None
            assert "corte 1" in client.stdout.readline()
            limit = time.monotonic() + 15
            while site.not_modified < 1 and time.monotonic() < limit:
                time.sleep(0.05)
            assert site.not_modified >= 1, "an unchanged pointer costs no bytes"
            night.second_part()
            night.cut()
            assert distributor.drain(20)
            lines = iter(client.stdout.readline, "")
            assert any("corte 2" in line for line in lines)
        finally:
            client.send_signal(signal.SIGTERM)
            code = client.wait(10)
        site.shutdown()
    night.close()
    assert code == 0
    assert state(folder)["corte"] == 2


def test_dying_at_any_moment_leaves_the_last_good_one(
    server: Server, public: Path, night: Path, tmp_path: Path
) -> None:
    folder, last = tmp_path / "medio", (public / "corte.json").read_bytes()
    back_to(public, night, 2)
    run(server, folder)
    (public / "corte.json").write_bytes(last)
    # What a run that died between two steps leaves: partial names, and a folder no state names.
    (folder / ".0003.zip.parcial").write_bytes(b"PK")
    (folder / ".0003.parcial").mkdir()
    (folder / "0003").mkdir()
    assert state(folder)["corte"] == 2
    assert run(server, folder).returncode == 0
    assert state(folder)["corte"] == 3
    assert (folder / "0003/cortes/0003/manifiesto.json").is_file()
    assert [path.name for path in (folder / "0003/cortes").iterdir()] == ["0003"]


def test_a_server_that_says_when_to_come_back_is_obeyed(server: Server, tmp_path: Path) -> None:
    server.later = {"corte.json": ["1"], "difusion/0003.zip": ["0", "1"]}
    began = time.monotonic()
    done = run(server, tmp_path / "cortes")
    assert (done.returncode, done.stdout[:5]) == (0, "nuevo"), done.stderr
    assert time.monotonic() - began >= 3, "a second each time, at least"
    assert server.asked == ["corte.json"] * 2 + ["difusion/0003.zip"] * 3


def test_a_server_that_says_to_come_back_tomorrow_is_not_waited_for(server: Server, tmp_path: Path) -> None:
    server.later = {"corte.json": ["86400"]}
    done = run(server, tmp_path / "cortes")
    assert done.returncode == 2
    assert "corte.json: el servidor respondió 429" in done.stderr
