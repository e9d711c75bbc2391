"""The configuration of nginx that is shipped, in a real nginx with TLS, over a real publication."""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest

from core.destinations.compress import br, gz
from core.portal.server import SECURITY, PortalApp
from core.portal.site import build_site
from core.publication.public_tree import Kind, headers, kind, public_keys
from tests.core.portal.nginx_site import BROTLI, FOLDER, Site, running
from tests.publication_sample import sample


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real publication in a folder of a site, with its packed pages and things that are not public."""
    public = sample(tmp_path_factory.mktemp("raiz") / FOLDER)
    build_site(public, mode="simulacro", place="Jalisco")
    (public / ".oculto.json").write_bytes(b"secret")
    (public / "publicador.json").write_bytes(b"secret")
    outside = public.parent.parent / f"{public.parent.name}.json"
    outside.write_bytes(b"secret")
    (public / "fuera.md").symlink_to(outside)
    page = public / "index.html"
    (public / "index.html.gz").write_bytes(gz(page.read_bytes()))
    (public / "index.html.br").write_bytes(br("index.html", page.read_bytes()))
    return public


@pytest.fixture(scope="module")
def site(publication: Path, tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Site]:
    """The publication behind nginx with the shipped file: only its CAMBIAR change."""
    with running(publication, tmp_path_factory.mktemp("nginx"), repository, packed=False) as one:
        yield one


def test_every_kind_of_public_file_has_the_headers_of_the_publication_and_of_the_own_server(
    site: Site,
) -> None:
    """One number in one place: what `public_tree` says is what nginx sends, and what `prep portal` sends."""
    chosen: dict[tuple[str, str], str] = {}
    for key in public_keys(site.public):
        if (site.public / key).is_symlink():
            continue
        chosen.setdefault((key.partition("/")[0] if "/" in key else key, Path(key).suffix), key)
    for number in ("sellos/0001.tsr", "relevos/0001.txt", "avisos/0001.json"):
        (site.public / number).parent.mkdir(exist_ok=True)
        (site.public / number).write_bytes(b'{"detalle":{}}')
        chosen[number, ""] = number
    assert {kind(key) for key in chosen.values()} == set(Kind)
    own = PortalApp(site.public)
    for key in chosen.values():
        status, fields, body = site.get(f"/{FOLDER}/{key.replace(' ', '%20')}")
        assert (status, body) == (200, (site.public / key).read_bytes()), key
        _, ours, _ = own.answer("GET", f"/{key}", {})
        expected = {**headers(key), **SECURITY, "Content-Disposition": ours.get("Content-Disposition")}
        assert {name: fields[name] for name in expected} == expected, key
        assert {name: ours.get(name) for name in expected} == expected, key
        assert fields["Strict-Transport-Security"] == "max-age=31536000"


def test_the_policy_admits_no_script_nor_style_inside_and_no_frame() -> None:
    policy = SECURITY["Content-Security-Policy"]
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert SECURITY["X-Content-Type-Options"] == "nosniff"
    assert SECURITY["Referrer-Policy"] == "no-referrer"


def test_what_did_not_change_is_not_sent_again(site: Site) -> None:
    _, fields, _ = site.get(f"/{FOLDER}/corte.json")
    status, again, body = site.get(f"/{FOLDER}/corte.json", If_None_Match=fields["ETag"])
    assert (status, body) == (304, b"")
    assert again["Cache-Control"] == headers("corte.json")["Cache-Control"]


def test_pages_go_packed_in_what_the_browser_takes(site: Site) -> None:
    page = (site.public / "index.html").read_bytes()
    status, fields, body = site.get(f"/{FOLDER}/", Accept_Encoding="gzip")
    assert (status, fields["Content-Encoding"], gzip.decompress(body)) == (200, "gzip", page)
    assert fields["Vary"] == "Accept-Encoding"
    assert fields["Cache-Control"] == headers("index.html")["Cache-Control"]
    assert site.get(f"/{FOLDER}/")[2] == page, "who takes nothing packed gets the page as it is"


@pytest.mark.skipif(BROTLI is None, reason="nginx sin el módulo de brotli (nginx-light no lo trae)")
def test_pages_go_in_brotli_where_the_module_is(publication: Path, tmp_path: Path, repository: Path) -> None:
    page = (publication / "index.html").read_bytes()
    with running(publication, tmp_path, repository, packed=True) as site:
        _, fields, body = site.get(f"/{FOLDER}/", Accept_Encoding="gzip, br")
        assert (fields["Content-Encoding"], brotli.decompress(body)) == ("br", page)
        _, fields, body = site.get(f"/{FOLDER}/", Accept_Encoding="gzip")
        assert (fields["Content-Encoding"], gzip.decompress(body)) == ("gzip", page)


@pytest.mark.parametrize(
    "path",
    ["prep.db", "prep.db-wal", ".oculto.json", ".emision/0001.json", "publicador.json", "ultimo", "fuera.md",
     "../fuera.json", "%2e%2e/%2e%2e/fuera.json", "sitio/", "cortes/0001/", "index.html.gz", "index.html.br",
     "objetos", "corte.json/", "nada.html"],
)  # fmt: skip
def test_what_is_not_public_does_not_come_out(site: Site, path: str) -> None:
    status, fields, body = site.get(f"/{FOLDER}/{path}")
    assert status in (400, 403, 404)
    assert b"secret" not in body and b"SQLite" not in body
    if status != 400:
        assert fields["X-Content-Type-Options"] == "nosniff"
        assert "immutable" not in (fields["Cache-Control"] or "")


@pytest.mark.parametrize(
    "key",
    [f"objetos/aa/{'a' * 64}.json", "tile/0/000.p/200", f"imagenes/aa/{'a' * 64}.jpg", "cortes/0999/JAL.csv"],
    ids=["an object", "a tile", "an image", "a cut"],
)
def test_what_is_not_there_yet_is_not_missing_for_a_year(site: Site, key: str) -> None:
    status, fields, _ = site.get(f"/{FOLDER}/{key}")
    _, ours, _ = PortalApp(site.public).answer("GET", f"/{key}", {})
    assert (status, fields["Cache-Control"]) == (404, "no-cache")
    assert ours["Cache-Control"] == "no-cache"


def test_nobody_writes(site: Site) -> None:
    status, fields, _ = site.get(f"/{FOLDER}/corte.json", method="POST")
    assert (status, fields["Cache-Control"]) == (405, "no-store")


def test_who_comes_without_tls_is_sent_to_it(site: Site) -> None:
    link = http.client.HTTPConnection("127.0.0.1", site.plain, timeout=10)
    link.request("GET", f"/{FOLDER}/", headers={"Host": "prep.example"})
    answer = link.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://prep.example/{FOLDER}/")
    link.close()


@pytest.fixture(scope="module")
def counted(publication: Path, tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Site]:
    """The same, where a test says which address each request comes from."""
    with running(publication, tmp_path_factory.mktemp("contado"), repository, packed=False, told=True) as one:
        yield one


def ask(site: Site, key: str, times: int, *addresses: str, packing: str = "gzip") -> list[int]:
    """The status of each of so many requests, the addresses in turns, through one connection."""
    link = http.client.HTTPSConnection("localhost", site.tls, timeout=10, context=site.trust)
    found = []
    for turn in range(times):
        fields = {"X-Prueba": addresses[turn % len(addresses)], "Accept-Encoding": packing}
        link.request("GET", f"/{FOLDER}/{key}", headers=fields)
        answer = link.getresponse()
        answer.read()
        found.append(answer.status)
    link.close()
    return found


def test_a_hall_behind_one_address_opens_the_page(counted: Site) -> None:
    """A hundred and fifty phones that open it at once: eight requests each."""
    assert set(ask(counted, "corte.json", 150 * 8, "189.203.1.1")) == {200}


def package(site: Site) -> str:
    """The name of a package of a cut."""
    return f"cortes/0003/{next((site.public / 'cortes' / '0003').glob('*.zip')).name.replace(' ', '%20')}"


def wait_of(site: Site, key: str, times: int, *addresses: str, packing: str = "gzip") -> float:
    """Seconds that so many requests take, none of them refused."""
    begun = time.monotonic()
    assert set(ask(site, key, times, *addresses, packing=packing)) == {200}
    return time.monotonic() - begun


def test_packages_one_after_another_wait_their_turn_and_are_not_refused(counted: Site) -> None:
    assert wait_of(counted, package(counted), 11, "189.203.1.2") < 0.6
    assert wait_of(counted, package(counted), 1, "189.203.1.2") > 0.3
    assert wait_of(counted, "corte.json", 1, "189.203.1.2") < 0.6, "what is light does not"


def test_who_takes_nothing_packed_waits_before_the_others(counted: Site) -> None:
    assert wait_of(counted, "corte.json", 270, "189.203.1.3", packing="identity") > 0.3
    assert wait_of(counted, "corte.json", 270, "189.203.1.4") < wait_of(
        counted, "corte.json", 20, "189.203.1.3", packing="identity"
    )


def test_in_ipv6_the_addresses_of_a_network_are_one(counted: Site) -> None:
    """A house has 2**64 of them: each with a bucket of its own would be no limit."""
    many = [f"2001:db8:0:7::{n:x}" for n in range(1, 12)]
    assert wait_of(counted, package(counted), 11, *many) < 0.6
    assert wait_of(counted, package(counted), 1, "2001:db8:0:7:ffff::1") > 0.3, "the network has had its own"
    others = ("2001:db8:0:8::1", "::ffff:10.9.8.7", "::ffff:10.9.8.8")
    assert wait_of(counted, package(counted), 33, *others) < 0.6, "IPv4 written as IPv6 is no network"
