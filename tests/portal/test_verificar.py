"""The portal's verifying page in real Chromium: what it accepts and that each tampering is told."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.portal.site import build_site
from core.transparency.notes import Note, parse_note
from core.verification.verificar import read_kept
from tests.core.verification.stories import (
    ACTA,
    Stories,
    acta_key,
    contest_of,
    csv_name,
    image_path,
    make_stories,
    move_a_vote,
    other_figures,
    public_copy,
    rotated,
)
from tests.core.witness.logs import witness_key
from tests.core.witness.tsa import make, openssl
from tests.publication_sample import Night, photo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


CSV = f"cortes/0003/{csv_name(contest_of(ACTA))}"


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return make_stories(tmp_path_factory.mktemp("publicaciones"))


def show(site: Path, found: Path) -> None:
    """Put another publication where the browser looks, with its pages."""
    if site.exists():
        shutil.rmtree(site)
    shutil.copytree(found, site)
    build_site(site, mode="simulacro", place="Jalisco")


@pytest.fixture
def site(stories: Stories, tmp_path: Path) -> Path:
    root = tmp_path / "publico"
    show(root, stories.whole)
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
    assert "firma válida" in steps and "AYUN: los 13 contadores salen de 17 filas" in steps
    assert "3 cortes seguidos, sin faltar ninguno" in steps
    assert all(url.startswith((address.rsplit("/", 1)[0], "about:")) for url in asked)


def test_an_acta_is_proved_from_its_link_and_a_casilla_by_hand(page: Page, address: str, site: Path) -> None:
    contest, key = contest_of(ACTA), acta_key(ACTA)
    verdict(page, f"{address}#corte=3&contienda={contest}&acta={key}")
    page.wait_for_selector("#acta p:has-text('está en el árbol firmado')")
    assert "su imagen tiene la huella publicada" in page.inner_text("#acta")
    page.fill("#clave", key[:-1])
    page.click("#buscar button")
    page.wait_for_selector(f"#acta p:has-text('{key}')")
    image_path(site, ACTA).write_bytes(photo(0))
    page.fill("#clave", key)
    page.click("#buscar button")
    page.wait_for_selector("#acta p:has-text('No verifica: la imagen del acta')")


def test_a_photo_and_a_file_are_told_what_they_are(page: Page, address: str, site: Path) -> None:
    verdict(page, address)
    page.set_input_files("#archivo", {"name": "f.jpg", "mimeType": "image/jpeg", "buffer": photo(ACTA)})
    page.wait_for_selector(f"#hallado p:has-text('Es la imagen del acta {acta_key(ACTA)}')")
    found = next((site / "cortes/0001").glob("*_AYUN_*.zip"))
    page.set_input_files("#archivo", found)
    page.wait_for_selector(f"#hallado p:has-text('Es {found.name} del corte 1.')")
    page.set_input_files("#archivo", {"name": "otra.jpg", "mimeType": "image/jpeg", "buffer": b"otra"})
    page.wait_for_selector("#hallado p:has-text('no es ninguna imagen ni archivo publicado')")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "cortes/0003/manifiesto.json",
            b'"ultimo": false',
            b'"ultimo": true',
            "manifiesto.json no es el firmado",
        ),
        ("corte.json", b'"modo":"simulacro"', b'"modo":"oficial"', "un simulacro presentado como oficial"),
        ("checkpoint", b"\n4\n", b"\n5\n", "la firma del punto de control no es de la llave"),
        ("tile/entries/000.p/4", b'"corte":2', b'"corte":9', "no dan la raíz firmada"),
    ],
)
def test_a_tampering_is_told(
    page: Page, address: str, site: Path, name: str, old: bytes, new: bytes, told: str
) -> None:
    replace(site / name, old, new)
    said = verdict(page, address)
    assert said.startswith("NO VERIFICA") and told in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("portal", ""),
        ("instante", "2030-01-01T00:00:00-06:00"),
        ("eleccion", "OTRA"),
        ("indice_sha256", "0" * 64),
    ],
)
def test_a_pointer_to_figures_nobody_signed_is_told(
    page: Page, address: str, site: Path, name: str, value: str
) -> None:
    pointer = json.loads((site / "corte.json").read_bytes())
    (site / "corte.json").write_text(json.dumps(pointer | {name: value or other_figures(site)}))
    said = verdict(page, address)
    assert said.startswith("NO VERIFICA") and f"corte.json dice {name} = {value}" in said


def test_a_pointer_to_another_log_is_told(page: Page, address: str, site: Path) -> None:
    pointer = json.loads((site / "corte.json").read_bytes())
    pointer["bitacora"]["raiz"] = "0" * 64
    (site / "corte.json").write_text(json.dumps(pointer))
    assert "la bitácora que dice corte.json no es la firmada" in verdict(page, address)


def test_a_checkpoint_a_cache_kept_is_no_fraud(
    page: Page, address: str, site: Path, stories: Stories
) -> None:
    page.add_init_script("const real = setTimeout; window.setTimeout = (f, ms, ...r) => real(f, 0, ...r);")
    old, asked = (stories.cuts[1] / "checkpoint").read_text(), count(1)
    page.route(
        "**/checkpoint", lambda route: route.fulfill(body=old) if next(asked) <= 2 else route.continue_()
    )
    assert "VERIFICADO el corte 3" in verdict(page, address) and next(asked) == 4
    page.unroute("**/checkpoint")
    (site / "checkpoint").write_text(old)
    said = verdict(page, address)
    assert "se está actualizando" in said and "NO VERIFICA" not in said
    assert page.get_attribute("#veredicto", "data-resultado") == "aviso"
    replace(site / "checkpoint", b"\n3\n", b"\n2\n")
    assert verdict(page, address).startswith("NO VERIFICA: la firma del punto de control")


def test_a_swapped_view_which_is_what_people_see_is_told(page: Page, address: str, site: Path) -> None:
    name, other = image_path(site, ACTA).stem, image_path(site, 0).stem
    verdict(page, address)
    for told in ("y también la vista que enseña el portal", "No verifica: la vista de la imagen del acta"):
        page.fill("#clave", acta_key(ACTA))
        page.click("#buscar button")
        page.wait_for_selector(f"#acta p:has-text('{told}')")
        shutil.copy(site / f"vistas/{other[:2]}/{other}.webp", site / f"vistas/{name[:2]}/{name}.webp")


def test_a_row_changed_in_the_csv_is_told(page: Page, address: str, site: Path) -> None:
    move_a_vote(site / CSV)
    assert f"archivo cambiado: {Path(CSV).name}" in verdict(page, address)


def test_a_changed_object_is_told(page: Page, address: str, site: Path) -> None:
    for path in (site / "objetos").rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b'"votos":[', b'"votos":[1'))
    assert "fue cambiado: su contenido no da su nombre" in verdict(page, address)


def test_a_fork_and_a_removed_cut_are_told_against_the_copy_kept(
    page: Page, address: str, site: Path, stories: Stories, tmp_path: Path
) -> None:
    verdict(page, address)
    assert "VERIFICADO" in verdict(page, address)
    assert "se agregaron 0 entradas" in page.inner_text("#pasos")
    with page.expect_download() as download:
        page.click("#exportar")
    copy = tmp_path / "copia.json"
    download.value.save_as(copy)
    kept = read_kept(copy.read_bytes())  # the same file serves verificar.py
    for found, told in (
        (stories.other, "donde usted guardó el corte 2 hoy hay otra versión"),
        (stories.cuts[1], "ya no está el corte 3, que usted guardó"),
    ):
        show(site, found)
        said = verdict(page, address)
        assert told in said and f"usted guardó 4 entradas con raíz {kept.note.root.hex()}" in said
    page.evaluate("localStorage.clear()")
    verdict(page, address)
    page.set_input_files("#importar", copy)
    page.wait_for_selector("#copia p:has-text('ya no está el corte 3')")


def test_a_copy_kept_under_the_old_key_follows_its_changes(
    page: Page, address: str, site: Path, tmp_path: Path
) -> None:
    before, _, after, _ = rotated(tmp_path / "cambio")
    show(site, before)
    assert "VERIFICADO" in verdict(page, address)
    show(site, after)
    (site / "relevos/0002.txt").rename(tmp_path / "relevo")
    assert "falta relevos/0002.txt" in verdict(page, address)
    (tmp_path / "relevo").rename(site / "relevos/0002.txt")
    assert "VERIFICADO" in verdict(page, address)
    assert "2 cambio(s) de llave, firmados por la anterior" in page.inner_text("#pasos")
    assert "VERIFICADO" in verdict(page, address)  # the copy bears the new key by now
    assert "firma válida de la llave que usted guardó" in page.inner_text("#pasos")


def test_witnesses_and_the_timestamp_are_told(page: Page, address: str, site: Path, tmp_path: Path) -> None:
    names = [witness_key(name) for name in ("a.mx", "b.mx")]
    night = Night(tmp_path / "noche", witnesses=[(one.name, one.vkey) for one in names], threshold=1)
    night.first_part()
    night.cut()
    text = parse_note((night.folder / "checkpoint").read_bytes()).text
    night.publisher.attest([names[0].cosign(text, 1_622_941_260)], text, generated_ms=night.at + 1)
    make(tmp_path / "tsa")
    note = json.loads((night.folder / "emisiones/0001.json").read_bytes())["checkpoint"]
    (tmp_path / "tsa/nota").write_text(note)
    openssl(tmp_path / "tsa", "ts", "-query", "-data", "nota", "-sha256", "-cert", "-out", "q")
    (night.folder / "sellos").mkdir()
    stamp = night.folder / "sellos/0001.tsr"
    openssl(tmp_path / "tsa", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q", "-out", stamp)
    night.publisher.attest((), "", generated_ms=night.at + 2)
    night.close()
    show(site, public_copy(night.folder, tmp_path / "copia"))
    assert "VERIFICADO" in verdict(page, address)
    steps = page.inner_text("#pasos")
    assert "1 de 2 testigos cofirmaron: a.mx (el último, 2021-06-06 01:01:00 UTC)" in steps
    assert "Sello de tiempo: es de este corte y dice que ya existía el" in steps
    cosigned = parse_note((site / "checkpoint").read_bytes())
    (site / "checkpoint").write_text(str(Note(text, cosigned.signatures[:1])))
    assert "VERIFICADO" in verdict(page, address)
    assert "Ojo · Testigos: 0 de 2 testigos cofirmaron; se esperaban 1" in page.inner_text("#pasos")
    (site / "sellos/0001.tsr").write_bytes(stamp.read_bytes()[:-200])
    assert "sello de tiempo está dañado" in verdict(page, address)


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
