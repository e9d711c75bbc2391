"""The configuration of nginx that is shipped, in a real nginx with TLS, over a real publication."""

from __future__ import annotations

import gzip
import http.client
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


LOWERED = {
    "rate=150r/s": "rate=1r/m",
    "rate=30r/s": "rate=1r/m",
    "rate=20r/s": "rate=1r/m",
    "rate=1r/s": "rate=1r/m",
    "burst=1500 delay=1400": "burst=1400 delay=1400",
    "burst=300 delay=250": "burst=250 delay=250",
    "burst=200 delay=150": "burst=150 delay=150",
    "burst=30 delay=10": "burst=11 delay=10",
}
"""Nothing comes back while a test lasts, however slow the machine, and of each queue only a package waits."""
HELD = {
    "paquete 1m;": "paquete 1k;",
    "imagen 512k;": "imagen 1k;",
    "limit_conn a_la_vez 200;": "limit_conn a_la_vez 11;",
    "limit_conn imagenes_a_la_vez 40;": "limit_conn imagenes_a_la_vez 3;",
}
"""A download of what weighs lasts as long as any test, and few fit at once."""
PACKAGE, IMAGE = "difusion/9999.zip", f"imagenes/ff/{'f' * 64}.jpg"


@pytest.fixture(scope="module")
def counted(publication: Path, tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Site]:
    """The same with the rates lowered, where a test says which address each request comes from."""
    home = tmp_path_factory.mktemp("contado")
    with running(publication, home, repository, packed=False, told=True, other=LOWERED) as one:
        yield one


def linked(site: Site, key: str, address: str, packing: str = "gzip") -> http.client.HTTPSConnection:
    """A connection with a request made."""
    link = http.client.HTTPSConnection("localhost", site.tls, timeout=20, context=site.trust)
    link.request("GET", f"/{FOLDER}/{key}", headers={"X-Prueba": address, "Accept-Encoding": packing})
    return link


def ask(site: Site, key: str, times: int, *addresses: str, packing: str = "gzip") -> list[int]:
    """The status of each of so many requests, the addresses in turns, through one connection."""
    link = http.client.HTTPSConnection("localhost", site.tls, timeout=20, context=site.trust)
    found = []
    for turn in range(times):
        fields = {"X-Prueba": addresses[turn % len(addresses)], "Accept-Encoding": packing}
        link.request("GET", f"/{FOLDER}/{key}", headers=fields)
        answer = link.getresponse()
        answer.read()
        found.append(answer.status)
    link.close()
    return found


def waits(site: Site, key: str, address: str) -> bool:
    """Whether a request is neither answered nor refused in a while: its turn is a minute away."""
    link = linked(site, key, address)
    link.sock.settimeout(1.5)
    try:
        link.getresponse()
    except TimeoutError:
        return True
    else:
        return False
    finally:
        link.close()


def one_of(site: Site, pattern: str) -> str:
    """The name of a file of the publication."""
    return sorted(site.public.glob(pattern))[0].relative_to(site.public).as_posix().replace(" ", "%20")


def test_a_hall_behind_one_address_opens_the_page_and_who_insists_is_refused(counted: Site) -> None:
    """A hundred and fifty phones that open it at once: eight requests each."""
    assert ask(counted, "corte.json", 150 * 8, "189.203.1.1") == [200] * 1200
    assert ask(counted, "corte.json", 202, "189.203.1.1") == [200] * 201 + [429]
    assert ask(counted, "corte.json", 1, "189.203.1.9") == [200], "the others go on"


def test_packages_one_after_another_wait_their_turn_before_they_are_refused(counted: Site) -> None:
    package = one_of(counted, "cortes/0003/*.zip")
    assert ask(counted, package, 11, "189.203.1.2") == [200] * 11
    assert waits(counted, package, "189.203.1.2")
    for key in (package, one_of(counted, "difusion/*.zip"), one_of(counted, "cortes/0003/*.csv")):
        assert ask(counted, key, 1, "189.203.1.2") == [429], key
        assert ask(counted, key, 1, "189.203.1.9") == [200], key
    assert ask(counted, "corte.json", 1, "189.203.1.2") == [200], "what is light goes on"


def test_images_have_a_limit_of_their_own(counted: Site) -> None:
    image, view = one_of(counted, "imagenes/*/*"), one_of(counted, "vistas/*/*")
    assert ask(counted, image, 151, "189.203.1.5") == [200] * 151
    assert ask(counted, image, 1, "189.203.1.5") == ask(counted, view, 1, "189.203.1.5") == [429]
    assert ask(counted, "corte.json", 1, "189.203.1.5") == [200]


def test_who_takes_nothing_packed_is_refused_before_the_others(counted: Site) -> None:
    assert ask(counted, "corte.json", 252, "189.203.1.3", packing="identity") == [200] * 251 + [429]
    assert ask(counted, "corte.json", 260, "189.203.1.3") == [200] * 260


def test_in_ipv6_the_addresses_of_a_network_are_one(counted: Site) -> None:
    """A house has 2**64 of them: each with a bucket of its own would be no limit."""
    package = one_of(counted, "cortes/0003/*.zip")
    many = [f"2001:db8:0:7::{n:x}" for n in range(1, 12)]
    assert ask(counted, package, 11, *many) == [200] * 11
    assert waits(counted, package, "2001:db8:0:7:ffff::1"), "the network has had its own"
    assert ask(counted, package, 1, "2001:db8:0:7:a::1") == [429]
    others = ("2001:db8:0:8::1", "::ffff:10.9.8.7", "::ffff:10.9.8.8")
    assert ask(counted, package, 33, *others) == [200] * 33, "IPv4 written as IPv6 is no network"


def test_downloads_at_once_are_few_and_slow_and_the_others_go_on(
    publication: Path, tmp_path: Path, repository: Path
) -> None:
    """With no speed of their own these would be over, and the next of each would not be refused."""
    files = {key: publication / key for key in (PACKAGE, IMAGE)}
    links: list[http.client.HTTPSConnection] = []
    with running(publication, tmp_path, repository, packed=False, told=True, other=HELD) as site:

        def begun(key: str, address: str) -> int:
            """The status of a download that is left open."""
            links.append(linked(site, key, address))
            return links[-1].getresponse().status

        try:
            for key, at_once, address in ((PACKAGE, 8, "189.203.1.1"), (IMAGE, 3, "189.203.1.2")):
                files[key].parent.mkdir(exist_ok=True)
                files[key].write_bytes(b"\0" * 400_000)
                assert [begun(key, address) for _ in range(at_once + 1)] == [200] * at_once + [429], key
                assert begun(key, "189.203.1.3") == 200
                assert ask(site, "corte.json", 1, address) == [200]
            assert [begun(IMAGE, "189.203.1.1") for _ in range(3)] == [200] * 3
            # Eleven are open: no more of any kind.
            assert ask(site, "corte.json", 1, "189.203.1.1") == [429]
            assert ask(site, "corte.json", 1, "189.203.1.2") == [200]
        finally:
            for link in links:
                link.close()
            for file in files.values():
                file.unlink(missing_ok=True)
