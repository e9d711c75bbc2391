"""What a screen of the room counts as seen, new and missed. In a child: Locust patches who imports it."""

from __future__ import annotations

import json
import subprocess
import sys

CHILD = """
import json, sys
from loadtests.people.base import SCENE
from loadtests.people.room import Wall

screens = []
for numbers in json.loads(sys.argv[1]):
    screen = Wall.__new__(Wall)
    screen.tally, screen.tag, screen.seq, screen.boot = SCENE.tally, "", None, ""
    for number in numbers:
        screen.take({"seq": number, "boot_id": "a"}, "")
    screens.append(screen)
for screen in screens:
    screen.on_stop()
print(json.dumps(SCENE.tally.counts))
"""

READ = """
import json
from loadtests.judging.content import Reply
from loadtests.people.base import SCENE
from loadtests.people.room import Wall

kind = {"content-type": "application/json"}
one, other = Wall.__new__(Wall), Wall.__new__(Wall)
one.tally = other.tally = SCENE.tally
first = one.read(Reply(200, kind, b'{"seq": 1}'))
same = other.read(Reply(200, kind, bytes(bytearray(b'{"seq": 1}'))))
assert first == {"seq": 1} and same is first, "read once, whoever gets it"
assert one.read(Reply(200, kind, b'{"seq": 2}')) == {"seq": 2}
assert one.read(Reply(200, kind, b'{"seq"')) is None and other.read(Reply(200, kind, b'{"seq"')) is None
print(SCENE.tally.faults["json"])
"""


FULL = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from locust.env import Environment
from loadtests.people import room
from loadtests.people.base import SCENE

class Room(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200, b'<input name="csrf" value="t">')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(503, b"")

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Room)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
room.ENTER_TRIES = 3
SCENE.url = f"http://127.0.0.1:{server.server_address[1]}"
SCENE.credentials = {"muro": ("m", "buena")}
told = []
environment = Environment()
environment.events.request.add_listener(
    lambda **said: told.append(str(said["exception"])) if said["name"] == "entrar" else None)
wall = type("One", (room.Wall,), {"host": SCENE.url})(environment)
wall.think = lambda seconds: None
print(json.dumps([wall.enter(), told]))
"""


def counted(*screens: list[int]) -> dict[str, int]:
    """The counts of some screens, each with the numbers of the snapshots it got."""
    command = [sys.executable, "-c", CHILD, json.dumps(screens)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return {name.removeprefix("fotografias_"): count for name, count in found.items()}


def test_a_screen_that_stops_getting_snapshots_missed_those_that_others_saw() -> None:
    # 4 and 5 were missed by the second; 6, the last, may have been on its way.
    found = counted([3, 4, 5, 6], [3], [])
    assert found == {"vistas": 5, "nuevas": 3, "perdidas": 2}


def test_a_writer_that_is_frozen_gives_no_new_snapshots() -> None:
    assert counted([3], [3, 3]).get("nuevas", 0) == 0


def test_a_snapshot_is_read_once_and_what_is_no_json_is_told_each_time() -> None:
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2"]


def test_a_room_that_never_has_the_time_to_check_a_password_is_told_as_a_failure_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    entered, told = json.loads(done.stdout)
    assert not entered and told[:2] == ["None", "None"]
    assert len(told) == 3 and "no tuvo lugar" in told[2]
