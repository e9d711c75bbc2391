"""Nobody else's server is asked anything without its owner's written word."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from loadtests.target import Target, TargetError, allow, parse

NOW = datetime.fromisoformat("2027-06-01T12:00:00-06:00")
FOREIGN = Target("https", "prep.example", 443, own=False, loopback=False)
WORD = """\
formato = 1
responsable = "Ana Pérez"
cargo = "Titular de Informática"
contacto = "ana@example.mx"
objetivo = "https://127.0.0.1:8443"
desde = 2027-06-01T10:00:00-06:00
hasta = 2027-06-01T14:00:00-06:00
usuarios_max = 100
duracion_max_s = 60
"""


def asked(word: Path | None, *, foreign: bool = True, users: int = 10, seconds: int = 10, abuse: bool = False,
          now: datetime = NOW, target: Target = FOREIGN, before_s: float = 0.0) -> object:  # fmt: skip
    return allow(target, word, foreign, users=users, seconds=seconds, abuse=abuse, now=now, before_s=before_s)


@pytest.fixture
def word(tmp_path: Path) -> Path:
    path = tmp_path / "permiso.toml"
    path.write_text(WORD, encoding="utf-8")
    return path


@pytest.fixture
def named() -> Target:
    """The target of the word, as if it were not of this machine."""
    return Target("https", "127.0.0.1", 8443, own=False, loopback=False)


def test_this_machine_needs_no_permission() -> None:
    own = parse("http://127.0.0.1:8070/")
    assert own.own and own.loopback and own.url == "http://127.0.0.1:8070"
    assert asked(None, foreign=False, target=own) is None


def test_an_address_nobody_here_has_is_foreign() -> None:
    assert not parse("http://192.0.2.7").own


@pytest.mark.parametrize("foreign", [True, False], ids=["con_bandera", "sin_bandera"])
def test_another_machine_is_refused_without_its_owners_word(foreign: bool) -> None:
    with pytest.raises(TargetError, match="no es esta máquina"):
        asked(None, foreign=foreign)


def test_the_flag_is_needed_besides_the_word(word: Path, named: Target) -> None:
    with pytest.raises(TargetError, match="objetivo-ajeno"):
        asked(word, foreign=False, target=named)
    assert asked(word, target=named) is not None


def test_a_test_that_ends_within_the_word_is_allowed(word: Path, named: Target) -> None:
    assert asked(word, target=named, now=NOW + timedelta(hours=2, seconds=-13), before_s=3.0) is not None


def test_the_word_is_for_its_target_only(word: Path) -> None:
    with pytest.raises(InputError, match=r"https://prep\.example"):
        asked(word)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"users": 101}, "100 usuarios"),
        ({"seconds": 61}, "60 s"),
        ({"abuse": True}, "abusivos"),
        ({"now": NOW + timedelta(hours=3)}, "la autorización es del"),
        ({"now": NOW + timedelta(hours=2, seconds=-9)}, "terminaría después"),
        ({"now": NOW + timedelta(hours=2, seconds=-12), "before_s": 3.0}, "terminaría después"),
        ({"now": NOW - timedelta(hours=3)}, "la autorización es del"),
    ],
    ids=["usuarios", "duracion", "negacion", "despues", "no_alcanza", "ni_con_calibracion", "antes"],
)
def test_what_goes_beyond_the_word_is_refused(
    word: Path, named: Target, what: dict[str, object], said: str
) -> None:
    with pytest.raises(TargetError, match=said):
        asked(word, target=named, **what)  # type: ignore[arg-type]


def test_a_word_without_an_hour_zone_is_told_with_its_line(word: Path, named: Target) -> None:
    word.write_text(WORD.replace("14:00:00-06:00", "14:00:00"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        asked(word, target=named)
    assert caught.value.line == 7 and "huso" in str(caught.value)


@pytest.mark.parametrize(
    "host",
    ["127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost"],
    ids=["127_8", "v6", "mapeada", "nombre"],
)
def test_every_loopback_address_is_this_machine(host: str) -> None:
    found = parse(f"http://{host}:8070")
    assert found.own and found.loopback and found.addresses


@pytest.mark.parametrize("host", ["[::ffff:192.0.2.7]", "[2001:db8::7]"], ids=["mapeada", "v6"])
def test_a_foreign_address_is_foreign_however_it_is_written(host: str) -> None:
    assert not parse(f"http://{host}").own


@pytest.mark.parametrize("host", ["224.0.0.1", "255.255.255.255", "0.0.0.0", "0", "[::]", "[ff02::1]"])
def test_an_address_of_many_machines_or_of_none_is_refused(host: str) -> None:
    with pytest.raises(TargetError, match="no es la dirección de una máquina"):
        parse(f"http://{host}")


def test_the_judged_address_is_the_one_asked_and_the_name_only_travels() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        # A name that leads nowhere, as one that leads elsewhere since it was judged.
        found = Target("http", "prep.invalid", port, own=True, loopback=True, addresses=("127.0.0.1",))
        asked: list[bytes] = []

        def answer() -> None:
            with server.accept()[0] as one:
                asked.append(one.recv(4096))
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nya")

        thread = threading.Thread(target=answer)
        thread.start()
        status, _, body = found.get("/corte.json")
        thread.join()
    assert (status, body) == (200, b"ya")
    assert f"Host: prep.invalid:{port}".encode() in asked[0]
    assert found.pinned_url == f"http://127.0.0.1:{port}" and found.netloc == f"prep.invalid:{port}"


def test_of_several_addresses_those_that_answer_are_kept() -> None:
    with socket.create_server(("127.0.0.3", 0)) as server:
        port = int(server.getsockname()[1])
        found = Target("http", "sitio.invalid", port, True, True, ("127.0.0.2", "127.0.0.3")).answering()
    assert found.addresses == ("127.0.0.3",)
    with pytest.raises(TargetError, match="no contesta"):
        found.answering()


@pytest.mark.parametrize("url", ["ftp://a", "127.0.0.1:80", "http://a/ruta", "http://u:c@127.0.0.1"])
def test_an_address_that_is_not_the_root_of_a_site_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse(url)
