"""The single-file verifier: what it accepts, and that each kind of tampering is told in Spanish."""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import http.server
import json
import re
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
from tests.core.verification.stories import (
    ACTA,
    Stories,
    acta_key,
    contest_of,
    csv_name,
    image_path,
    move_a_vote,
    section_object,
)
from tests.publication_sample import photo

FILE = Path(verificar.__file__)


CSV = f"cortes/0003/{csv_name(contest_of(ACTA))}"
VOTES = re.compile(rb'("votos":\[)(\d+)')


def package(site: Path, to: Path, **changed: bytes) -> Path:
    """The ZIP for difusores of the last cut, with some of its files changed (by their last name)."""
    with zipfile.ZipFile(site / "difusion/0003.zip") as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(Path(name).stem, old.read(name)))
    return to


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


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_publication_as_it_came_out_verifies(site: Path, ask: Ask) -> None:
    code, data = ask(site)
    assert (code, data["verificado"], data["corte"], data["cortes"]) == (0, True, 3, 3)
    assert {s["resultado"] for s in data["pasos"]} <= {"bien", "aviso", "no_se_reviso"}


def test_an_acta_comes_with_its_proof_and_its_image(site: Path, ask: Ask) -> None:
    code, data = ask(site, "--acta", acta_key(ACTA))
    acta = data["actas"][0]
    assert code == 0 and acta["votos"]["PAN"] == 30 + ACTA and acta["bytes_de_prueba"] == 160
    assert "su huella es la publicada" in acta["archivo_de_imagen"]


def test_the_actas_of_a_casilla_are_found_and_one_that_is_not_there_is_a_no(site: Path, ask: Ask) -> None:
    casilla = ask(site, "--acta", acta_key(ACTA))[1]["actas"][0]["casilla"]
    found = [acta["acta"] for acta in ask(site, "--casilla", casilla)[1]["actas"]]
    assert acta_key(ACTA) in found and len(found) == 2
    assert "no hay ningún acta" in reasons(ask(site, "--acta", "149999B01003"))


def test_a_row_changed_in_the_csv_is_told(site: Path, ask: Ask) -> None:
    move_a_vote(site / CSV)
    assert f"archivo cambiado: {Path(CSV).name}" in reasons(ask(site))


def test_a_row_changed_with_its_manifest_is_told(site: Path, ask: Ask) -> None:
    before = digest((site / CSV).read_bytes())
    move_a_vote(site / CSV)
    after = digest((site / CSV).read_bytes())
    edit(site / "cortes/0003/manifiesto.json", before.encode(), after.encode())
    assert "manifiesto.json no es el firmado" in reasons(ask(site))


def test_a_vote_changed_in_an_object_is_told(site: Path, ask: Ask) -> None:
    path = section_object(site, ACTA)
    path.write_bytes(VOTES.sub(lambda m: m[1] + b"7" + m[2], path.read_bytes(), count=1))
    assert "fue cambiado: su contenido no da su nombre" in reasons(ask(site))


def test_an_object_that_is_not_there_is_told(site: Path, ask: Ask) -> None:
    section_object(site, ACTA).unlink()
    assert "falta el archivo objetos/" in reasons(ask(site))


def test_a_csv_that_differs_from_the_objects_is_told_even_when_all_is_signed(site: Path) -> None:
    contest = contest_of(ACTA)
    checker = verificar.Verifier(verificar.DirSource(site), verificar.Options())
    checker.run()
    table = checker.tables[contest]
    row = next(row for row in table.rows if row[table.column("CONTABILIZADA")] == "1")
    row[table.first] = "999"
    with pytest.raises(verificar.Wrong, match="dice una cosa en el CSV y otra en los objetos"):
        checker._tree(contest)


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


def test_a_removed_cut_is_told_by_name(stories: Stories, site: Path, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    assert ask(site, "--guardado", kept)[0] == 0
    told = reasons(ask(stories.cuts[1], "--guardado", kept))
    assert "usted guardó 4 entradas" in told and "hoy hay 3" in told
    assert "ya no está el corte 3, que usted guardó" in told


def test_a_forked_log_is_told_with_both_sizes_and_roots(stories: Stories, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    mine = ask(stories.cuts[1], "--guardado", kept)[1]
    before = kept.read_bytes()
    theirs = ask(stories.other)  # by itself it is coherent: only the copy tells
    assert theirs[0] == 0
    told = reasons(ask(stories.other, "--guardado", kept))
    assert "BIFURCACIÓN" in told and "donde usted guardó el corte 2 hoy hay otra versión" in told
    assert f"usted guardó 3 entradas con raíz {mine['raiz']}" in told
    assert f"hoy hay 4 con raíz {theirs[1]['raiz']}" in told
    assert kept.read_bytes() == before


def test_two_portals_and_a_checkpoint_somebody_kept_are_compared(
    stories: Stories, site: Path, tmp_path: Path, ask: Ask
) -> None:
    def told(*arguments: str | Path) -> str:
        code, data = ask(*arguments)
        step = next(one for one in data["pasos"] if one["clave"] == "contra")
        assert (code == 0) == (step["resultado"] != "mal")
        return f"{step['resultado']}: {step['detalle']}"

    assert told(site, "--contra", stories.whole).startswith("bien: las dos tienen las mismas 4 entradas")
    assert told(site, "--contra", stories.cuts[0]).startswith("bien: es la misma historia")
    assert told(stories.cuts[0], "--contra", site).startswith("bien: es la misma historia")
    fork = told(site, "--contra", stories.other)
    assert "BIFURCACIÓN: aquí hay 4 entradas con raíz" in fork and "allá 4 con raíz" in fork
    assert "la primera entrada distinta es la 2" in fork
    note = tmp_path / "checkpoint-del-testigo"
    shutil.copy(stories.other / "checkpoint", note)
    assert "BIFURCACIÓN" in told(site, "--contra", note)
    shutil.copy(stories.cuts[1] / "checkpoint", note)
    assert told(site, "--contra", note).startswith("bien")
    assert told(stories.cuts[0], "--contra", note).startswith("aviso: aquí hay 2 entradas")
    note.write_bytes((site / "checkpoint").read_bytes().replace(b"\n4\n", b"\n3\n"))
    assert "no lo firmó ninguna llave" in told(site, "--contra", note)


def test_a_log_that_grew_agrees_with_the_copy_and_renews_it(
    stories: Stories, tmp_path: Path, ask: Ask
) -> None:
    kept = tmp_path / "copia.json"
    assert ask(stories.cuts[0], "--guardado", kept)[0] == 0
    code, data = ask(stories.whole, "--guardado", kept)
    step = next(s for s in data["pasos"] if s["clave"] == "guardado")
    assert code == 0 and "se agregaron 2 entradas" in step["detalle"]
    assert len(json.loads(kept.read_bytes())["hojas"]) == 4


def test_a_copy_that_was_tampered_with_is_told(site: Path, tmp_path: Path, ask: Ask) -> None:
    kept = tmp_path / "copia.json"
    ask(site, "--guardado", kept)
    raw = json.loads(kept.read_bytes())
    raw["hojas"][1] = "0" * 64
    kept.write_bytes(verificar.canonical(raw))
    assert "el archivo guardado está alterado" in reasons(ask(site, "--guardado", kept))


def test_an_entry_of_the_log_changed_is_told(site: Path, ask: Ask) -> None:
    edit(site / "tile/entries/000.p/4", b'"corte":2', b'"corte":9')
    assert "no dan la raíz firmada" in reasons(ask(site))


def test_a_checkpoint_with_another_root_is_told(site: Path, ask: Ask) -> None:
    lines = (site / "checkpoint").read_text().split("\n")
    lines[2] = base64.b64encode(b"\1" * 32).decode()
    (site / "checkpoint").write_text("\n".join(lines))
    assert "la firma del punto de control no es de la llave" in reasons(ask(site))


def test_a_swapped_image_is_told(site: Path, ask: Ask) -> None:
    image_path(site, ACTA).write_bytes(photo(0))
    told = reasons(ask(site, "--acta", acta_key(ACTA)))
    assert f"la imagen del acta {acta_key(ACTA)} fue cambiada" in told


def test_a_photo_is_told_whose_it_is(site: Path, tmp_path: Path, ask: Ask) -> None:
    image = tmp_path / "foto.jpg"
    image.write_bytes(photo(ACTA))
    code, data = ask(site, "--imagen", image)
    assert code == 0 and data["encontrado"][0]["acta"] == acta_key(ACTA)
    assert "no la del acta" in reasons(ask(site, "--imagen", image, "--acta", acta_key(0)))
    image.write_bytes(b"otra")
    assert "no es ninguna imagen ni archivo publicado" in reasons(ask(site, "--imagen", image))


def test_a_file_of_an_earlier_cut_is_told_which_it_is(site: Path, tmp_path: Path, ask: Ask) -> None:
    copy = tmp_path / "bajado.zip"
    found = next((site / "cortes/0001").glob("*_AYUN_*.zip"))
    shutil.copy(found, copy)
    assert ask(site, "--imagen", copy)[1]["encontrado"][0]["que"] == f"{found.name} del corte 1"


def test_a_rehearsal_presented_as_official_is_told(site: Path, ask: Ask) -> None:
    assert "usted pidió una publicación de modo «oficial»" in reasons(ask(site, "--modo", "oficial"))
    edit(site / "corte.json", b'"modo":"simulacro"', b'"modo":"oficial"')
    assert "un simulacro presentado como oficial" in reasons(ask(site))


def test_a_rehearsal_key_does_not_vouch_for_an_official_origin(
    stories: Stories, site: Path, ask: Ask
) -> None:
    edit(site / "checkpoint", b"/simulacro\n", b"/oficial\n")
    for name in ("corte.json", "llaves.json"):
        edit(site / name, b'"modo":"simulacro"', b'"modo":"oficial"')
    origin = stories.key.origin.encode()
    official = origin.replace(b"/simulacro", b"/oficial")
    edit(site / "llaves.json", b'"origen":"' + origin, b'"origen":"' + official)
    assert "es una llave de simulacro" in reasons(ask(site, "--llave", stories.key.vkey))


def test_a_rehearsal_with_its_mode_changed_everywhere_is_told_for_what_it_is(site: Path, ask: Ask) -> None:
    for path in (site / "checkpoint", site / "corte.json", site / "llaves.json"):
        path.write_bytes(path.read_bytes().replace(b"simulacro", b"oficial"))
    assert "es un simulacro presentado como oficial" in reasons(ask(site))


def test_another_key_is_told(stories: Stories, site: Path, tmp_path: Path, ask: Ask) -> None:
    other = rehearsal_key(stories.key.origin, "otra semilla").vkey
    assert "no es de la llave en que usted confía" in reasons(ask(site, "--llave", other))
    assert "no es de la llave" in reasons(ask(site / "difusion/0003.zip", "--llave", other))
    for mistaken in (other[:-2] + "A=", "foo"):
        code, answer = ask(site, "--llave", mistaken)
        assert code == 2 and "la llave que se dio: " in answer["error"]["mensaje"]


def test_a_good_key_given_apart_is_said_to_be_so(stories: Stories, site: Path, ask: Ask) -> None:
    data = ask(site, "--llave", stories.key.vkey)[1]
    step = next(s for s in data["pasos"] if s["clave"] == "llave")
    assert step["resultado"] == "bien" and "la que usted dio" in step["detalle"]
    step = next(s for s in ask(site)[1]["pasos"] if s["clave"] == "llave")
    assert step["resultado"] == "aviso" and "tomada del mismo sitio" in step["detalle"]


@pytest.mark.parametrize("name", ["corte.json", "cortes/0003/manifiesto.json", CSV, "checkpoint"])
def test_a_truncated_file_is_told(site: Path, ask: Ask, name: str) -> None:
    data = (site / name).read_bytes()
    (site / name).write_bytes(data[: len(data) // 2])
    assert reasons(ask(site))


def test_a_pointer_that_leads_outside_is_refused(site: Path, ask: Ask) -> None:
    edit(site / "corte.json", b'"cortes/0003/"', b'"../../etc/"')
    assert "rutas que no son las de su corte" in reasons(ask(site))


def test_the_zip_of_a_cut_for_difusores_verifies_and_says_what_it_does_not_prove(
    site: Path, ask: Ask
) -> None:
    code, data = ask(site / "difusion/0003.zip")
    assert code == 0 and data["corte"] == 3 and len(data["no_se_probo"]) == 3


def test_a_tampered_zip_is_told(site: Path, tmp_path: Path, ask: Ask) -> None:
    move_a_vote(site / CSV)
    path = Path(CSV)
    spoilt = package(site, tmp_path / "0003.zip", **{path.stem: (site / CSV).read_bytes()})
    assert f"archivo cambiado: {path.name}" in reasons(ask(spoilt))


def test_a_zip_without_a_signature_does_not_verify_but_its_header_is_recounted(site: Path, ask: Ask) -> None:
    answer = ask(next((site / "cortes/0003").glob("*_AYUN_*.zip")))
    assert "no trae firma ni prueba" in reasons(answer)
    assert "los 13 contadores" in answer[1]["pasos"][0]["detalle"]


def test_a_zip_cut_short_cannot_be_read(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = package(site, tmp_path / "0003.zip")
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
    code, data = ask(served, "--acta", acta_key(ACTA))
    assert code == 0 and data["actas"][0]["acta"] == acta_key(ACTA)
    code, data = ask(served + "index.html", "--completo")
    assert code == 0 and any("las 32 actas dan la raíz" in s["detalle"] for s in data["pasos"])


def test_a_site_that_sends_elsewhere_is_not_followed(
    served: str, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(site / "llaves.json", b"{", b'{"desvio":1,')
    assert main([served]) == 2
    assert "manda a otra dirección" in capsys.readouterr().err


def test_a_site_that_does_not_answer_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        verificar.UrlSource("http://127.0.0.1:9/").get("corte.json")


def test_openssl_agrees_on_the_signature_of_the_checkpoint(
    stories: Stories, site: Path, tmp_path: Path
) -> None:
    note = verificar.parse_note((site / "checkpoint").read_bytes())
    key = verificar.parse_key(stories.key.vkey)
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
