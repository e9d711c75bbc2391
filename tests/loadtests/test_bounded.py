"""A site that answers for ever is told, and takes neither the memory nor the time of who tests it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import pytest

from core.cli import main
from loadtests.bounded import MIB, TooMuchError
from loadtests.target import TargetError, parse
from tests.loadtests.endless import endless

BUFFERS = 16 * MIB
"""What the system keeps on both sides of a connection, at the most."""

PERSON = """
import json, resource, sys
from locust.env import Environment
from loadtests.people.base import SCENE, Person

class One(Person):
    host = sys.argv[1]
    abstract = False

person = One(Environment(user_classes=[One]))
failures = []
person.environment.events.request.add_listener(lambda exception, **_: failures.append(str(exception)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
got = person.ask("/corte.json", "corte.json", most=1 << 20)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([got, SCENE.tally.as_data()["ejemplos"], failures, after - before]))
"""


@pytest.mark.parametrize("way", ["cuerpo", "trozos", "cabecera", "anunciado"])
def test_an_answer_without_end_is_read_up_to_its_limit(way: str) -> None:
    with endless(way) as server, pytest.raises(TargetError, match=r"corte\.json no se pudo leer") as told:
        parse(server.url).get("/corte.json", most=MIB)
    assert "Errno" not in str(told.value)
    assert server.sent < BUFFERS


def test_an_answer_by_drops_is_read_up_to_its_time() -> None:
    with endless("goteo") as server:
        connection = parse(server.url).connect(seconds=0.3)
        since = time.monotonic()
        connection.request("GET", "/")
        with pytest.raises(TooMuchError, match="no acabó en"):
            connection.getresponse().read()
        connection.close()
    assert time.monotonic() - since < 5


def test_an_endless_target_makes_no_test_and_takes_no_memory(capsys: pytest.CaptureFixture[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with endless("cuerpo") as server:
        code = main(["carga", "humo", "--objetivo", server.url, "--sin-techo"])
    said = capsys.readouterr().err
    assert code == 3 and "pasa de 1 MB o no acaba nunca" in said
    assert "usuarios" not in said, "it is not told as if it had begun"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("way", ["cuerpo", "bomba"])
def test_the_people_of_a_load_read_up_to_a_limit_too(way: str) -> None:
    with endless(way) as server:
        command = [sys.executable, "-c", PERSON, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    got, examples, failures, grew_kb = json.loads(done.stdout)
    assert got is None and len(failures) == 1
    assert all("pasa de 1 MB o no acaba nunca" in one for one in (failures[0], examples["excepcion"][0]))
    assert server.sent < BUFFERS and grew_kb < 32 * 1024
