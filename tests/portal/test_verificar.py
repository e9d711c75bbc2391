"""The portal's verifying page in real Chromium: what it accepts and that each tampering is told."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.portal.site import build_site
from core.verification.verificar import read_kept
from tests.core.verification.tree import IMAGES, acta_key, digest, make, put

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "publico"
    make(root)
    build_site(root, mode="simulacro", place="Jalisco")
    return root


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.02), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/verificar.html"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    yield opened
    context.close()


def verdict(page: Page, address: str) -> str:
    """What the page concludes at an address, loaded afresh."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-listo=si]")
    return page.inner_text("#veredicto")


def replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_publication_verifies_and_asks_nobody_else(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert "VERIFICADO el corte 3 (SIMULACRO" in verdict(page, address)
    steps = page.inner_text("#pasos")
    assert "firma válida" in steps and "GUB: los 13 contadores salen de 8 filas" in steps
    assert "3 cortes seguidos, sin faltar ninguno" in steps
    assert all(url.startswith((address.rsplit("/", 1)[0], "about:")) for url in asked)


def test_an_acta_is_proved_from_its_link_and_a_casilla_by_hand(page: Page, address: str, site: Path) -> None:
    verdict(page, f"{address}#corte=3&contienda=GUB&acta={acta_key(2)}")
    page.wait_for_selector("#acta p:has-text('está en el árbol firmado')")
    assert "su imagen tiene la huella publicada" in page.inner_text("#acta")
    page.fill("#clave", acta_key(7)[:-1])
    page.click("#buscar button")
    page.wait_for_selector(f"#acta p:has-text('{acta_key(7)}')")
    name = digest(IMAGES[2])
    put(site, f"imagenes/{name[:2]}/{name}.jpg", IMAGES[3])
    page.fill("#clave", acta_key(2))
    page.click("#buscar button")
    page.wait_for_selector("#acta p:has-text('No verifica: la imagen del acta')")


def test_a_photo_and_a_file_are_told_what_they_are(page: Page, address: str, site: Path) -> None:
    verdict(page, address)
    page.set_input_files("#archivo", {"name": "foto.jpg", "mimeType": "image/jpeg", "buffer": IMAGES[4]})
    page.wait_for_selector(f"#hallado p:has-text('Es la imagen del acta {acta_key(4)}')")
    page.set_input_files("#archivo", site / "cortes/0001/PREP_GUB.zip")
    page.wait_for_selector("#hallado p:has-text('Es PREP_GUB.zip del corte 1.')")
    page.set_input_files("#archivo", {"name": "otra.jpg", "mimeType": "image/jpeg", "buffer": b"otra"})
    page.wait_for_selector("#hallado p:has-text('no es ninguna imagen ni archivo publicado')")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("cortes/0003/GUB.csv", b",102,150,3,", b",103,149,3,", "archivo cambiado: GUB.csv"),
        (
            "cortes/0003/manifiesto.json",
            b'"seq_high":30',
            b'"seq_high":31',
            "manifiesto.json no es el firmado",
        ),
        ("corte.json", b'"modo":"simulacro"', b'"modo":"oficial"', "un simulacro presentado como oficial"),
        ("checkpoint", b"\n4\n", b"\n3\n", "la firma del punto de control no es de la llave"),
        ("tile/entries/000.p/4", b'"seq_high":20', b'"seq_high":21', "no dan la raíz firmada"),
    ],
)
def test_a_tampering_is_told(
    page: Page, address: str, site: Path, name: str, old: bytes, new: bytes, told: str
) -> None:
    replace(site / name, old, new)
    said = verdict(page, address)
    assert said.startswith("NO VERIFICA") and told in said


def test_a_changed_object_is_told(page: Page, address: str, site: Path) -> None:
    for path in (site / "objetos").rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b'"votos":[', b'"votos":[1'))
    assert "fue cambiado: su contenido no da su nombre" in verdict(page, address)


def test_a_fork_and_a_removed_cut_are_told_against_the_copy_kept(
    page: Page, address: str, site: Path, tmp_path: Path
) -> None:
    verdict(page, address)
    assert "VERIFICADO" in verdict(page, address)
    assert "se agregaron 0 entradas" in page.inner_text("#pasos")
    with page.expect_download() as download:
        page.click("#exportar")
    copy = tmp_path / "copia.json"
    download.value.save_as(copy)
    assert read_kept(copy.read_bytes()).note.size == 4  # the same file serves verificar.py
    for (cuts, bonus), told in (
        ((3, 40), "donde usted guardó el corte 2 hoy hay otra versión"),
        ((2, 0), "ya no está el corte 3, que usted guardó"),
    ):
        for folder in ("tile", "checkpoint"):
            path = site / folder
            path.rename(tmp_path / f"{folder}-{len(told)}")
        (site / "llaves.json").unlink()
        make(site, cuts=cuts, bonus=bonus, bonus_from=2)
        assert told in verdict(page, address)
    page.evaluate("localStorage.clear()")
    verdict(page, address)
    page.set_input_files("#importar", copy)
    page.wait_for_selector("#copia p:has-text('ya no está el corte 3')")


def test_a_browser_without_ed25519_says_so_and_names_the_other_way(page: Page, address: str) -> None:
    page.add_init_script(
        "const real = SubtleCrypto.prototype.importKey;"
        "SubtleCrypto.prototype.importKey = function (f, k, a, ...r) {"
        " if ((a.name || a) === 'Ed25519') return"
        " Promise.reject(new DOMException('no', 'NotSupportedError'));"
        " return real.call(this, f, k, a, ...r); };"
    )
    said = verdict(page, address)
    assert "no pudo comprobar la firma: use verificar.py" in said and "VERIFICADO" not in said
