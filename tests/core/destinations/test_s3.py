"""What only a bucket has: headers, compression on the way, and credentials that are never seen."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from core.destinations import Distributor, Pace, open_destination, s3
from core.destinations.distributor import in_parallel
from core.destinations.s3 import Credentials, S3Destination, Weight, find_credentials, parse_address
from core.destinations.target import DestinationError, Item, UnreachableError
from core.errors import InputError, UsageError
from core.publication.public_tree import object_key
from tests.core.destinations.work_tree import WorkTree
from tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

QUICK = Pace(first_retry_s=0.05, last_retry_s=0.1, recheck_s=0.2, silent_s=0.3)
SECRET = "s3cr3t0-que-nadie-debe-ver"


def test_each_object_has_the_headers_of_its_kind(work: WorkTree, s3_server: S3Server) -> None:
    destination = open_destination(s3_server.new_place(), environment=s3_server.environment())
    assert isinstance(destination, S3Destination)
    with Distributor(work.root, [destination], pace=QUICK) as distributor:
        assert distributor.drain(20)

    def told(key: str) -> tuple[str, str, str | None]:
        attributes = obstore.get(destination._store, key).attributes
        return attributes["Content-Type"], attributes["Cache-Control"], attributes.get("Content-Encoding")

    forever = "public, max-age=31536000, immutable"
    briefly = "public, max-age=5, must-revalidate"
    portal = object_key(work.pointer()["portal"])
    assert told(portal) == ("application/json", forever, "gzip")
    assert told("cortes/0001/JAL.csv") == ("text/csv", forever, None), (
        "its hash is that of what is downloaded"
    )
    assert told("difusion/0001.zip") == ("application/zip", forever, None)
    assert told("index.html") == ("text/html; charset=utf-8", "public, max-age=60, must-revalidate", "gzip")
    assert told("corte.json") == ("application/json", briefly, None)
    assert told("checkpoint") == ("text/plain; charset=utf-8", briefly, None)
    packed = bytes(obstore.get(destination._store, portal).bytes())
    assert packed[:2] == b"\x1f\x8b"
    assert len(packed) < (work.root / portal).stat().st_size / 2


def test_objects_that_vanish_are_put_back(work: WorkTree, s3_server: S3Server) -> None:
    spec = s3_server.new_place()
    first = open_destination(spec, environment=s3_server.environment())
    assert isinstance(first, S3Destination)
    with Distributor(work.root, [first], pace=QUICK) as distributor:
        assert distributor.drain(20)
    obstore.delete(first._store, "difusion/0001.zip")
    work.publish()
    again = open_destination(spec, environment=s3_server.environment())
    with Distributor(work.root, [again], pace=QUICK) as distributor:
        assert distributor.drain(20)
    assert again.get("difusion/0001.zip") is not None


@pytest.mark.parametrize(
    "spec",
    [
        f"s3://cubo/p?secret_access_key={SECRET}",
        f"s3://cubo/p?aws_access_key_id=a&token={SECRET}",
        f"s3://usuario:{SECRET}@cubo/p",
        f"s3://cubo/p?endpoint=http://usuario:{SECRET}@servidor",
    ],
)
def test_credentials_in_the_address_are_refused_without_repeating_them(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_destination(spec, environment={})
    assert "credenciales" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("s3://", "nombre de cubo"),
        ("s3://MAYUSCULAS/p", "nombre de cubo"),
        ("s3://cubo?puerta=1", "no tiene la opción «puerta»"),
        ("s3://cubo?endpoint=servidor:9000", "http:// o https://"),
        ("ftp://servidor/p", "ftp://"),
        ("", "falta el destino"),
    ],
)
def test_an_address_that_is_none_says_what_was_expected(spec: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        open_destination(spec, environment={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})


def test_what_is_sent_at_once_weighs_no_more_than_was_said() -> None:
    weight, carried, most = Weight(10), 0, 0
    lock = threading.Lock()

    def carry(size: str) -> None:
        nonlocal carried, most
        with weight.holding(int(size)):
            with lock:
                carried += min(int(size), 10)
                most = max(most, carried)
            time.sleep(0.01)
            with lock:
                carried -= min(int(size), 10)

    in_parallel(carry, [str(size) for size in (4, 6, 3, 25, 7, 1, 9, 5)], 8)
    assert (carried, most) == (0, 10)


def test_a_large_file_is_sent_alone(
    tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "IN_FLIGHT", 100_000)
    destination = open_destination(s3_server.new_place(), environment=s3_server.environment())
    sent: list[int] = []
    busy = []

    def counted(*args: Any, **options: Any) -> Any:
        busy.append(len(args[2]))
        sent.append(sum(busy))
        try:
            return put(*args, **options)
        finally:
            busy.remove(len(args[2]))

    put = obstore.put
    monkeypatch.setattr(obstore, "put", counted)
    items = {}
    for number in range(8):
        key = f"difusion/{number:04d}.zip"
        data = bytes([number]) * 60_000
        (tmp_path / f"{number}").write_bytes(data)
        items[key] = Item(key, tmp_path / f"{number}", sha256(data).hexdigest(), len(data))

    def send(key: str) -> None:
        destination.put_new(items[key])

    in_parallel(send, list(items), destination.width)
    assert (len(sent), max(sent)) == (8, 60_000)


def test_an_address_is_taken_apart() -> None:
    found = parse_address("s3://cubo/a/b%20c/?endpoint=http://h:9000&region=mx-1&credenciales=/x/y&perfil=z")
    assert (found.bucket, found.prefix, found.region, found.profile) == ("cubo", "a/b c", "mx-1", "z")
    assert found.endpoint == "http://h:9000"
    assert found.credentials_file == Path("/x/y")
    assert str(found) == "s3://cubo/a/b c en http://h:9000"


def test_a_destination_may_be_given_a_name(tmp_path: Path) -> None:
    assert open_destination(f"radio={tmp_path}").name == "radio"
    assert open_destination(str(tmp_path)).name == str(tmp_path)
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert open_destination("tv=s3://cubo/p?region=mx-1", environment=keys).name == "tv"
    assert open_destination("s3://cubo/p?region=mx-1", environment=keys).name == "s3://cubo/p"


def test_credentials_come_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "credenciales"
    file.write_text(f"[radio]\naws_access_key_id = a\naws_secret_access_key = {SECRET}%x\n")
    file.chmod(0o600)
    address = parse_address(f"s3://cubo?credenciales={file}&perfil=radio")
    found = find_credentials(address, {})
    assert (found.access_key_id, found.secret_access_key) == ("a", f"{SECRET}%x")
    assert SECRET not in repr(found)
    assert (
        find_credentials(parse_address("s3://cubo?perfil=radio"), {"PREP_S3_CREDENCIALES": str(file)})
        == found
    )
    file.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        find_credentials(address, {})
    file.chmod(0o600)
    file.write_text(f"[otro]\naws_secret_access_key = {SECRET}")
    with pytest.raises(InputError) as caught:
        find_credentials(address, {})
    assert SECRET not in str(caught.value)
    with pytest.raises(InputError, match="no se pueden leer"):
        find_credentials(parse_address(f"s3://cubo?credenciales={tmp_path / 'no'}"), {})


def test_without_credentials_it_says_where_they_go() -> None:
    with pytest.raises(UsageError, match="AWS_ACCESS_KEY_ID"):
        open_destination("s3://cubo", environment={})


def test_refused_credentials_are_told_and_not_shown(s3_server: S3Server) -> None:
    address = parse_address(s3_server.new_place())
    wrong = S3Destination(address, Credentials(ACCESS_KEY, SECRET))
    with pytest.raises(DestinationError, match="no acepta las credenciales") as caught, wrong.exclusive():
        pass
    assert SECRET not in str(caught.value)
    assert ACCESS_KEY not in str(caught.value)
    assert not isinstance(caught.value, UnreachableError), "it does answer"


def test_nothing_secret_in_argv_logs_or_state(work: WorkTree, s3_server: S3Server) -> None:
    """A whole publication in a process of its own: the secret is nowhere in what can be seen of it."""
    program = (
        "import json, sys; from pathlib import Path; from core.destinations import *\n"
        "d = Distributor(Path(sys.argv[1]), [open_destination(sys.argv[2])])\n"
        "ok = d.drain(20)\n"
        "print(json.dumps(d.states())); d.close()\n"
        "print(vars(d._couriers[0]._destination)['address'])\n"
        "print(open('/proc/self/cmdline').read()); sys.exit(not ok)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(work.root), s3_server.new_place()],
        env=s3_server.environment() | {"RUST_LOG": "debug"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path.cwd(),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])[0]["estado"] == "al_corriente"
    assert SECRET_KEY not in done.stdout + done.stderr


def test_a_store_of_this_server_obeys_conditions(s3_server: S3Server) -> None:
    """What the destinations rest on, asked of the server directly."""
    store = S3Store(
        "prep",
        endpoint=s3_server.endpoint,
        region="us-east-1",
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        client_options={"allow_http": True},
    )
    first = obstore.put(store, "condiciones", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "condiciones", b"2", mode="create")
    obstore.put(store, "condiciones", b"3", mode={"e_tag": first["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.put(store, "condiciones", b"4", mode={"e_tag": first["e_tag"]})
    assert bytes(obstore.get(store, "condiciones").bytes()) == b"3"
