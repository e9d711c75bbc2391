"""Several destinations at once: who is slow, dead or blocked delays nobody, and comes back by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.destinations import Destination, Distributor, Pace, open_destination
from core.destinations.distributor import in_parallel
from core.destinations.s3 import Credentials, S3Destination, parse_address
from tests.core.destinations.work_tree import WorkTree, missing_of_the_shown_cut, shown
from tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

QUICK = Pace(first_retry_s=0.05, last_retry_s=0.1, recheck_s=0.2, silent_s=0.2)
CREDENTIALS = Credentials("llave", "secreto")


def until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.01)
    return False


def by_name(distributor: Distributor) -> dict[str, dict[str, Any]]:
    return {state["nombre"]: state for state in distributor.states()}


@pytest.fixture
def deaf_server() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def s3_at(endpoint: str, name: str, timeout_s: float = 1.0) -> Destination:
    return S3Destination(
        parse_address(f"s3://cubo/prep?endpoint={endpoint}"), CREDENTIALS, name, timeout_s=timeout_s
    )


def test_a_server_that_never_answers_delays_nobody(work: WorkTree, tmp_path: Path, deaf_server: str) -> None:
    good = open_destination(str(tmp_path / "bueno"), "bueno")
    distributor = Distributor(work.root, [s3_at(deaf_server, "sordo", 30.0), good], pace=QUICK)
    assert until(lambda: by_name(distributor)["bueno"]["estado"] == "al_corriente")
    work.publish()
    before = time.monotonic()
    distributor.announce()
    assert time.monotonic() - before < 1.0, "an announcement waits for nobody"
    assert until(lambda: by_name(distributor)["bueno"]["corte"] == 2)
    assert until(lambda: by_name(distributor)["sordo"]["estado"] == "sin_respuesta")
    deaf = by_name(distributor)["sordo"]
    assert (deaf["corte"], deaf["atraso_cortes"]) == (None, 2)
    assert deaf["error"]
    before = time.monotonic()
    distributor.close(0.1)
    assert time.monotonic() - before < 5.0, "closing does not wait for it either"


def test_a_dead_server_is_silent_and_says_why(work: WorkTree, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    destinations = [s3_at(endpoint, "muerto"), open_destination(str(tmp_path / "bueno"), "bueno")]
    with Distributor(work.root, destinations, pace=QUICK) as distributor:
        assert until(lambda: by_name(distributor)["bueno"]["estado"] == "al_corriente")
        assert until(lambda: by_name(distributor)["muerto"]["estado"] == "sin_respuesta")
        assert "no responde" in by_name(distributor)["muerto"]["error"]


def test_a_process_with_a_silent_destination_still_ends(work: WorkTree, deaf_server: str) -> None:
    """No thread of a destination keeps the publisher alive."""
    program = f"""
from core.destinations import Distributor
from core.destinations.s3 import Credentials, S3Destination, parse_address
from pathlib import Path
import time
address = parse_address("s3://cubo/prep?endpoint={deaf_server}")
distributor = Distributor(Path({str(work.root)!r}), [S3Destination(address, Credentials("a", "b"))])
time.sleep(0.3)
distributor.close(0.1)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=20, check=False, cwd=Path.cwd())
    assert done.returncode == 0


def test_a_folder_that_blocks_delays_nobody_and_catches_up_when_it_answers(
    work: WorkTree, tmp_path: Path
) -> None:
    """A FIFO in place of the pointer stands for a network disk that hangs: reading it does not return."""
    blocked = tmp_path / "bloqueado"
    blocked.mkdir()
    os.mkfifo(blocked / "corte.json")
    destinations = [
        open_destination(str(blocked), "bloqueado"),
        open_destination(str(tmp_path / "b"), "bueno"),
    ]
    with Distributor(work.root, destinations, pace=QUICK) as distributor:
        assert until(lambda: by_name(distributor)["bueno"]["estado"] == "al_corriente")
        assert until(lambda: by_name(distributor)["bloqueado"]["estado"] == "sin_respuesta")
        (blocked / "corte.json").rename(blocked / "atorado")
        # Whoever waits at the FIFO is let go, as when the disk comes back.
        with (blocked / "atorado").open("wb"):
            pass
        assert until(lambda: by_name(distributor)["bloqueado"]["estado"] == "al_corriente")
    assert missing_of_the_shown_cut(destinations[0]) == []


def test_a_folder_that_cannot_be_written_says_so_and_recovers(work: WorkTree, tmp_path: Path) -> None:
    place = tmp_path / "publico"
    place.write_text("aquí hay un archivo, no una carpeta")
    destination = open_destination(str(place), "publico")
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert until(lambda: bool(by_name(distributor)["publico"]["error"]))
        assert by_name(distributor)["publico"]["estado"] == "sin_respuesta"
        place.unlink()
        assert until(lambda: by_name(distributor)["publico"]["estado"] == "al_corriente")


def test_a_frozen_s3_server_is_caught_up_when_it_wakes(
    work: WorkTree, tmp_path: Path, s3_server: S3Server
) -> None:
    frozen = S3Destination(
        parse_address(s3_server.new_place()), Credentials(ACCESS_KEY, SECRET_KEY), "s3", timeout_s=1.0
    )
    with Distributor(
        work.root, [frozen, open_destination(str(tmp_path / "b"), "bueno")], pace=QUICK
    ) as distributor:
        assert distributor.drain(20)
        with s3_server.frozen():
            work.publish()
            distributor.announce()
            assert until(lambda: by_name(distributor)["bueno"]["corte"] == 2)
            assert until(lambda: by_name(distributor)["s3"]["estado"] == "sin_respuesta")
            assert until(lambda: by_name(distributor)["s3"]["atraso_cortes"] == 1)
            assert by_name(distributor)["s3"]["corte"] == 1
            assert until(lambda: by_name(distributor)["s3"]["atraso_s"] >= 1)
        assert until(lambda: by_name(distributor)["s3"]["estado"] == "al_corriente", 30)
        assert by_name(distributor)["s3"]["atraso_s"] == 0
    assert missing_of_the_shown_cut(frozen) == []


def test_the_pointer_moves_only_after_everything_it_names(work: WorkTree, tmp_path: Path) -> None:
    """Somebody who reads all the time never finds a pointer that leads to something missing."""
    destination = open_destination(str(tmp_path / "publico"))
    faults: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            faults.extend(missing_of_the_shown_cut(destination))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with Distributor(work.root, [destination], pace=QUICK) as distributor:
            for _ in range(12):
                work.publish(objects=6)
                distributor.announce()
            assert distributor.drain(20)
    finally:
        stop.set()
        reader.join()
    assert faults == []
    pointer = shown(destination)
    assert pointer is not None
    assert pointer["corte"] == 13


def test_a_publisher_killed_while_it_sends_leaves_a_whole_cut(work: WorkTree, tmp_path: Path) -> None:
    """kill -9 of a real process, at ten different moments of the same publication."""
    for _ in range(40):
        work.put_object({"n": os.urandom(8).hex(), "relleno": "x" * 3000})
    public = tmp_path / "publico"
    first = open_destination(str(public))
    with Distributor(work.root, [first], pace=QUICK) as distributor:
        assert distributor.drain(20)
    work.publish(objects=300)
    program = (
        "import sys; from pathlib import Path; from core.destinations import Distributor, open_destination\n"
        f"d = Distributor(Path({str(work.root)!r}), [open_destination({str(public)!r})])\n"
        "print('listo', flush=True); d.drain(30)"
    )
    for attempt in range(10):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path.cwd())
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.004 * attempt)
        process.kill()
        process.wait()
        pointer = shown(first)
        assert pointer is not None
        assert missing_of_the_shown_cut(first) == [], f"attempt {attempt}"
        named = {path.name for path in public.rglob("*") if path.is_file()}
        assert not {name for name in named if name.endswith(".tmp")}
    with Distributor(work.root, [first], pace=QUICK) as distributor:
        assert distributor.drain(20)
    assert not list((public / ".prep-temporal").glob("*")), "what the dead left was taken away"
    assert missing_of_the_shown_cut(first) == []


def test_a_folder_takes_one_publisher_at_a_time(work: WorkTree, tmp_path: Path) -> None:
    held = open_destination(str(tmp_path / "publico"), "uno")
    with held.exclusive(), Distributor(
        work.root, [open_destination(str(tmp_path / "publico"), "dos")], pace=QUICK
    ) as distributor:  # fmt: skip
        assert until(lambda: "otro publicador" in str(by_name(distributor)["dos"]["error"]))
        assert by_name(distributor)["dos"]["estado"] == "atrasado"
    with Distributor(
        work.root, [open_destination(str(tmp_path / "publico"), "dos")], pace=QUICK
    ) as distributor:
        assert distributor.drain(20)


def test_two_destinations_of_one_name_are_refused(work: WorkTree, tmp_path: Path) -> None:
    twins = [open_destination(str(tmp_path / name), "igual") for name in ("a", "b")]
    with pytest.raises(ValueError, match="same name"):
        Distributor(work.root, twins)


class _OtherStory(WorkTree):
    """The same log, by its name and key, with other entries."""

    def leaf(self, index: int) -> bytes:
        return sha256(f"otra {index}".encode()).digest()


def test_a_shorter_log_of_another_story_is_not_continued(tmp_path: Path, work: WorkTree) -> None:
    """As when two rehearsals of one catalogue are sent to the same place."""
    public = tmp_path / "publico"
    other = _OtherStory(tmp_path / "otra-noche")
    other.publish()
    with Distributor(other.root, [open_destination(str(public))], pace=QUICK) as distributor:
        assert distributor.drain(20)
    before = sorted(path for path in public.rglob("*") if path.is_file())
    for _ in range(3 - work.cut):
        work.publish()
    with Distributor(work.root, [open_destination(str(public))], pace=QUICK) as distributor:
        distributor.announce()
        assert until(lambda: "de otra historia" in str(distributor.states()[0]["error"]))
    assert sorted(path for path in public.rglob("*") if path.is_file()) == before


class _Careless(BaseHTTPRequestHandler):
    """An S3 server that overwrites whatever the conditions of the request say."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def test_a_server_that_ignores_conditional_writes_is_refused(work: WorkTree) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Careless) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        careless = s3_at(f"http://127.0.0.1:{server.server_address[1]}", "descuidado")
        with Distributor(work.root, [careless], pace=QUICK) as distributor:
            assert until(lambda: "escritura condicional" in str(by_name(distributor)["descuidado"]["error"]))
        server.shutdown()


def test_work_in_parallel_stops_at_the_first_error() -> None:
    done: list[str] = []

    def work(key: str) -> None:
        if key == "3":
            raise OSError("no")
        time.sleep(0.001)
        done.append(key)

    with pytest.raises(OSError, match="no"):
        in_parallel(work, [str(number) for number in range(1000)], 4)
    assert len(done) < 100
    in_parallel(done.append, ["a", "b", "c"], 4)
    assert {"a", "b", "c"} <= set(done)
