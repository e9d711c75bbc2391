"""The single-file verifier: what it accepts, and that each kind of tampering is told in Spanish."""

from __future__ import annotations

import ast
import base64
import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymerkle  # type: ignore[import-untyped]
import pytest

from core.transparency.keys import rehearsal_key
from core.verification import verificar
from core.verification.verificar import Unreadable, main
from tests.core.verification.tree import IMAGES, acta_key, digest, dump, make, pack, put

FILE = Path(verificar.__file__)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("publicacion") / "sitio"
    make(root)
    return root


@pytest.fixture
def site(whole: Path, tmp_path: Path) -> Path:
    """A copy of the publication to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "sitio"))


Ask = Callable[..., "tuple[int, dict[str, Any]]"]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Exit code and JSON answer of the verifier."""

    def run(source: Path | str, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code = main([str(source), *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def reasons(answer: tuple[int, dict[str, Any]]) -> str:
    """The reasons of an answer that must be no."""
    assert answer[0] == 1
    return "; ".join(answer[1]["motivos"])


def edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def objects_with(site: Path, text: bytes) -> Path:
    return next(p for p in (site / "objetos").rglob("*.json") if text in p.read_bytes())


def test_a_publication_as_it_came_out_verifies(site: Path, ask: Ask) -> None:
    code, data = ask(site)
    assert (code, data["verificado"], data["corte"], data["cortes"]) == (0, True, 3, 3)
    assert {s["resultado"] for s in data["pasos"]} <= {"bien", "aviso", "no_se_reviso"}


def test_an_acta_comes_with_its_proof_and_its_image(site: Path, ask: Ask) -> None:
    code, data = ask(site, "--acta", acta_key(2))
    acta = data["actas"][0]
    assert code == 0 and acta["votos"]["PAN"] == 102 and acta["bytes_de_prueba"] == 96
    assert "su huella es la publicada" in acta["archivo_de_imagen"]


def test_the_actas_of_a_casilla_are_found_and_one_that_is_not_there_is_a_no(site: Path, ask: Ask) -> None:
    assert ask(site, "--casilla", acta_key(7)[:-1])[1]["actas"][0]["acta"] == acta_key(7)
    assert "no hay ningún acta" in reasons(ask(site, "--acta", "149999B01003"))


def test_a_row_changed_in_the_csv_is_told(site: Path, ask: Ask) -> None:
    edit(site / "cortes/0003/GUB.csv", b",102,150,3,", b",103,149,3,")
    assert "archivo cambiado: GUB.csv" in reasons(ask(site))


def test_a_row_changed_with_its_manifest_is_told(site: Path, ask: Ask) -> None:
    path = site / "cortes/0003/GUB.csv"
    before = digest(path.read_bytes())
    edit(path, b",102,150,3,", b",103,149,3,")
    edit(site / "cortes/0003/manifiesto.json", before.encode(), digest(path.read_bytes()).encode())
    assert "manifiesto.json no es el firmado" in reasons(ask(site))


def test_a_vote_changed_in_an_object_is_told(site: Path, ask: Ask) -> None:
    path = objects_with(site, b'"votos":[107,150,3]')
    edit(path, b'"votos":[107,150,3]', b'"votos":[170,150,3]')
    assert "fue cambiado: su contenido no da su nombre" in reasons(ask(site))


def test_an_object_that_is_not_there_is_told(site: Path, ask: Ask) -> None:
    path = objects_with(site, b'"votos":[107,150,3]')
    path.unlink()
    assert "falta el archivo objetos/" in reasons(ask(site))


def test_a_csv_that_differs_from_the_objects_is_told_even_when_all_is_signed(
    tmp_path: Path, ask: Ask
) -> None:
    site = tmp_path / "sitio"
    make(site)
    real = verificar.parse_csv((site / "cortes/0003/GUB.csv").read_bytes())
    checker = verificar.Verifier(verificar.DirSource(site), verificar.Options())
    checker.run()
    real.rows[1][real.first] = "999"
    checker.tables["GUB"] = real
    with pytest.raises(verificar.Wrong, match="dice una cosa en el CSV y otra en los objetos"):
        checker._tree("GUB")


def test_a_header_that_does_not_come_from_its_rows_is_told() -> None:
    table = verificar.parse_csv(HEADERS)
    found = verificar.recount(table, last=False)
    assert verificar.differences(table.header, found, "x") == [
        "TOTAL_VOTOS_C_CS: x dice 31 y las filas dan 30"
    ]


HEADERS = (
    "TÍTULO\n01/06/2021 20:00\n\n" + "|".join(verificar.COUNTERS) + "\n"
    "3|3|1|2|66.6666|1|33.3333|33.3333|1|50|31|30|60.0000\n\n"
    "CLAVE_CASILLA|CLAVE_ACTA|TIPO_CASILLA|TOTAL_VOTOS_SACADOS|PAN|MC|TOTAL_VOTOS_ASENTADO|TOTAL_VOTOS_CALCULADO|"
    "LISTA_NOMINAL|OBSERVACIONES|CONTABILIZADA\n"
    "a|a1|B|30|10|20|30|30|50|ALGÚN CAMPO ILEGIBLE O SIN DATO|1\n"
    "b|b1|B|-|-|-|-|0|50|SIN ACTA POR PAQUETE NO ENTREGADO|0\n"
    "c|c1|B|-|-|-|-|0|50|-|-\n"
    "|||-||||||FUERA DE CATÁLOGO|2\n"
).encode()


def test_a_removed_cut_is_told_by_name(site: Path, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    assert ask(site, "--guardado", kept)[0] == 0
    shorter = tmp_path / "corto"
    make(shorter, cuts=2)
    assert "ya no está el corte 3, que usted guardó" in reasons(ask(shorter, "--guardado", kept))


def test_a_forked_log_is_told_and_where(site: Path, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    assert ask(site, "--guardado", kept)[0] == 0
    before = kept.read_bytes()
    other = tmp_path / "otro"
    make(other, bonus=40, bonus_from=2)
    assert ask(other)[0] == 0  # by itself it is coherent: only the copy tells
    assert "donde usted guardó el corte 2 hoy hay otra versión" in reasons(ask(other, "--guardado", kept))
    assert kept.read_bytes() == before


def test_a_log_that_grew_agrees_with_the_copy_and_renews_it(tmp_path: Path, ask: Ask) -> None:
    kept, early, late = tmp_path / "copia.json", tmp_path / "a", tmp_path / "b"
    make(early, cuts=1)
    make(late)
    assert ask(early, "--guardado", kept)[0] == 0
    code, data = ask(late, "--guardado", kept)
    step = next(s for s in data["pasos"] if s["clave"] == "guardado")
    assert code == 0 and "se agregaron 2 entradas" in step["detalle"]
    assert len(json.loads(kept.read_bytes())["hojas"]) == 4


def test_a_copy_that_was_tampered_with_is_told(site: Path, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    ask(site, "--guardado", kept)
    raw = json.loads(kept.read_bytes())
    raw["hojas"][1] = "0" * 64
    kept.write_bytes(dump(raw))
    assert "el archivo guardado está alterado" in reasons(ask(site, "--guardado", kept))


def test_an_entry_of_the_log_changed_is_told(site: Path, ask: Ask) -> None:
    edit(next((site / "tile/entries").rglob("4")), b'"seq_high":20', b'"seq_high":21')
    assert "no dan la raíz firmada" in reasons(ask(site))


def test_a_checkpoint_with_another_root_is_told(site: Path, ask: Ask) -> None:
    lines = (site / "checkpoint").read_text().split("\n")
    lines[2] = base64.b64encode(b"\1" * 32).decode()
    (site / "checkpoint").write_text("\n".join(lines))
    assert "la firma del punto de control no es de la llave" in reasons(ask(site))


def test_a_swapped_image_is_told(site: Path, ask: Ask) -> None:
    name = digest(IMAGES[2])
    put(site, f"imagenes/{name[:2]}/{name}.jpg", IMAGES[3])
    assert f"la imagen del acta {acta_key(2)} fue cambiada" in reasons(ask(site, "--acta", acta_key(2)))


def test_a_photo_is_told_whose_it_is(site: Path, tmp_path: Path, ask: Ask) -> None:
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(IMAGES[4])
    code, data = ask(site, "--imagen", photo)
    assert code == 0 and data["encontrado"][0]["acta"] == acta_key(4)
    assert "no la del acta" in reasons(ask(site, "--imagen", photo, "--acta", acta_key(2)))
    photo.write_bytes(b"otra")
    assert "no es ninguna imagen ni archivo publicado" in reasons(ask(site, "--imagen", photo))


def test_a_file_of_an_earlier_cut_is_told_which_it_is(site: Path, tmp_path: Path, ask: Ask) -> None:
    copy = tmp_path / "bajado.zip"
    shutil.copy(site / "cortes/0001/PREP_GUB.zip", copy)
    assert ask(site, "--imagen", copy)[1]["encontrado"][0]["que"] == "PREP_GUB.zip del corte 1"


def test_a_rehearsal_presented_as_official_is_told(site: Path, ask: Ask) -> None:
    assert "usted pidió una publicación de modo «oficial»" in reasons(ask(site, "--modo", "oficial"))
    edit(site / "corte.json", b'"modo":"simulacro"', b'"modo":"oficial"')
    assert "un simulacro presentado como oficial" in reasons(ask(site))


def test_a_rehearsal_key_does_not_vouch_for_an_official_origin(site: Path, ask: Ask) -> None:
    vkey = rehearsal_key("prep.jal.2021/simulacro", "semilla").vkey
    edit(site / "checkpoint", b"/simulacro\n", b"/oficial\n")
    for name in ("corte.json", "llaves.json"):
        edit(site / name, b'"modo":"simulacro"', b'"modo":"oficial"')
    edit(site / "llaves.json", b"2021/simulacro", b"2021/oficial")
    assert "es una llave de simulacro" in reasons(ask(site, "--llave", vkey))


def test_another_key_is_told(site: Path, ask: Ask) -> None:
    other = rehearsal_key("prep.jal.2021/simulacro", "otra semilla")
    assert "no es de la llave en que usted confía" in reasons(ask(site, "--llave", other.vkey))
    assert "no es de la llave" in reasons(ask(pack(site, site / "0003.zip"), "--llave", other.vkey))
    assert "no coincide con su propio identificador" in reasons(ask(site, "--llave", other.vkey[:-2] + "A="))


def test_a_good_key_given_apart_is_said_to_be_so(site: Path, ask: Ask) -> None:
    vkey = rehearsal_key("prep.jal.2021/simulacro", "semilla").vkey
    data = ask(site, "--llave", vkey)[1]
    step = next(s for s in data["pasos"] if s["clave"] == "llave")
    assert step["resultado"] == "bien" and "la que usted dio" in step["detalle"]
    step = next(s for s in ask(site)[1]["pasos"] if s["clave"] == "llave")
    assert step["resultado"] == "aviso" and "tomada del mismo sitio" in step["detalle"]


@pytest.mark.parametrize(
    "name", ["corte.json", "cortes/0003/manifiesto.json", "cortes/0003/GUB.csv", "checkpoint"]
)
def test_a_truncated_file_is_told(site: Path, ask: Ask, name: str) -> None:
    data = (site / name).read_bytes()
    (site / name).write_bytes(data[: len(data) // 2])
    assert reasons(ask(site))


def test_a_pointer_that_leads_outside_is_refused(site: Path, ask: Ask) -> None:
    edit(site / "corte.json", b'"cortes/0003/"', b'"../../etc/"')
    assert "rutas que no son las de su corte" in reasons(ask(site))


def test_the_zip_of_a_cut_for_difusores_verifies_and_says_what_it_does_not_prove(
    site: Path, tmp_path: Path, ask: Ask
) -> None:
    code, data = ask(pack(site, tmp_path / "0003.zip"))
    assert code == 0 and data["corte"] == 3 and len(data["no_se_probo"]) == 3


def test_a_tampered_zip_is_told(site: Path, tmp_path: Path, ask: Ask) -> None:
    edit(site / "cortes/0003/GUB.csv", b",102,150,3,", b",103,149,3,")
    assert "archivo cambiado: GUB.csv" in reasons(ask(pack(site, tmp_path / "0003.zip")))


def test_a_zip_without_a_signature_does_not_verify_but_its_header_is_recounted(site: Path, ask: Ask) -> None:
    answer = ask(site / "cortes/0003/PREP_GUB.zip")
    assert "no trae firma ni prueba" in reasons(answer)
    assert "los 13 contadores" in answer[1]["pasos"][0]["detalle"]


def test_a_zip_cut_short_cannot_be_read(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack(site, tmp_path / "0003.zip")
    path.write_bytes(path.read_bytes()[:-200])
    assert main([str(path)]) == 2
    assert "está incompleto o no es un ZIP" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../fuera", "/etc/x", "a/../../b", "c:x"])
def test_a_zip_that_climbs_out_is_refused(tmp_path: Path, ask: Ask, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "malo.zip", "w") as archive:
        archive.writestr(name, "x")
    assert "se sale de la publicación" in reasons(ask(tmp_path / "malo.zip"))


def test_a_zip_bomb_is_refused_without_opening_it(tmp_path: Path, ask: Ask) -> None:
    with zipfile.ZipFile(tmp_path / "bomba.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ceros", b"\0" * (8 << 20))
    assert "se infla demasiado" in reasons(ask(tmp_path / "bomba.zip"))


def test_what_is_not_there_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (tmp_path, tmp_path / "nada.zip", "ftp://sitio/"):
        assert main([str(source)]) == 2
    assert "No se puede leer" in capsys.readouterr().err


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The publication over HTTP, text compressed as a bucket does, with a path that leads elsewhere."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            path = site / self.path.lstrip("/")
            if "emisiones" in self.path and "desvio" in (site / "llaves.json").read_text():
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/otro.json")
                self.end_headers()
                return
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            self.send_response(200)
            if self.path.startswith("/objetos"):
                import gzip

                data = gzip.compress(data)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.02), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_an_address_verifies_with_its_objects_compressed(served: str, ask: Ask) -> None:
    code, data = ask(served, "--acta", acta_key(3))
    assert code == 0 and data["actas"][0]["acta"] == acta_key(3)
    code, data = ask(served + "index.html", "--completo")
    assert code == 0 and any("las 8 actas dan la raíz" in s["detalle"] for s in data["pasos"])


def test_a_site_that_sends_elsewhere_is_not_followed(
    served: str, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(site / "llaves.json", b"{", b'{"desvio":1,')
    assert main([served]) == 2
    assert "manda a otra dirección" in capsys.readouterr().err


def test_a_site_that_does_not_answer_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        verificar.UrlSource("http://127.0.0.1:9/").get("corte.json")


def test_openssl_agrees_on_the_signature_of_the_checkpoint(site: Path, tmp_path: Path) -> None:
    note = verificar.parse_note((site / "checkpoint").read_bytes())
    key = verificar.parse_key(rehearsal_key("prep.jal.2021/simulacro", "semilla").vkey)
    der = bytes.fromhex("302a300506032b6570032100") + key.public
    for name, data in (("llave.der", der), ("texto", note.text), ("firma", note.signatures[0][2])):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "llave.der", "-rawin"]
    command += ["-in", "texto", "-sigfile", "firma"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "texto").write_bytes(note.text + b"x")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21])
def test_pymerkle_agrees_on_roots_and_proofs(size: int) -> None:
    entries = [b"hoja %d" % i for i in range(size)]
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    leaves = [verificar.leaf_hash(entry) for entry in entries]
    root = other.get_root()
    assert verificar.tree_root(leaves) == root
    for index, leaf in enumerate(leaves):
        path = verificar.inclusion_path(leaves, index)
        assert verificar.root_from_proof(leaf, index, size, path) == root
        theirs = other.prove_inclusion(index + 1)
        pymerkle.verify_inclusion(leaf, root, theirs)
        assert [bytes.fromhex(h) for h in theirs.serialize()["path"]][1:] == path
        if path:
            assert verificar.root_from_proof(leaf, index, size, path[:-1]) != root
            assert verificar.root_from_proof(leaves[index - 1], index, size, path) != root


def test_the_file_needs_only_python_3_9_and_cryptography() -> None:
    tree = ast.parse(FILE.read_text("utf-8"), feature_version=(3, 9))
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    outside = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert outside == {"cryptography"}


def test_the_file_runs_alone(site: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(FILE, tmp_path / "verificar.py"))
    done = subprocess.run(
        [sys.executable, "-I", str(alone), str(site)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0 and done.stdout.startswith("VERIFICADO el corte 3")
