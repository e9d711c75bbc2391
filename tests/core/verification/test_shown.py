"""The verifier and what people see: the portal's figures, its images, a cache in between, a row too many."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.verification import verificar
from core.verification.verificar import main
from tests.core.verification.stories import (
    ACTA,
    Stories,
    acta_key,
    contest_of,
    csv_name,
    image_path,
    other_figures,
)
from tests.publication_sample import photo

CSV = f"cortes/0003/{csv_name(contest_of(ACTA))}"


def reasons(source: Path | str, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main([str(source), *arguments, "--json"])
    return code, "; ".join(json.loads(capsys.readouterr().out)["motivos"])


def repoint(site: Path, **changed: Any) -> None:
    pointer = json.loads((site / "corte.json").read_bytes())
    (site / "corte.json").write_bytes(verificar.canonical(pointer | changed))


def test_figures_of_the_portal_that_nobody_signed_are_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repoint(site, portal=other_figures(site))
    code, told = reasons(site, capsys)
    assert code == 1 and "corte.json dice portal = " in told


@pytest.mark.parametrize(
    ("name", "value"),
    [("instante", "2030-01-01T00:00:00-06:00"), ("eleccion", "OTRA"), ("indice_sha256", "0" * 64)],
)
def test_a_pointer_that_says_what_nobody_signed_is_told(
    site: Path, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    repoint(site, **{name: value})
    code, told = reasons(site, capsys)
    assert code == 1 and f"corte.json dice {name} = {value}" in told


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda c: c["encabezado"].update(ACTAS_CAPTURADAS="999"), "los encabezados que enseña"),
        (lambda c: c.update(raiz="0" * 64), "los encabezados que enseña"),
        (lambda c: c["por_columna"].__setitem__(0, 999), "los votos de DIP_LOC que enseña el portal no son"),
    ],
    ids=["encabezado", "raiz", "votos"],
)
def test_a_portal_signed_with_other_figures_than_the_actas_is_told(
    site: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[dict[str, Any]], None], told: str
) -> None:
    checker = verificar.Verifier(verificar.DirSource(site), verificar.Options())
    assert checker.run().verified
    real, name = checker._object, checker.manifest["portal"]

    def forged(asked: str) -> dict[str, Any]:
        found = real(asked)
        if asked == name:
            spoil(found["contiendas"][0])
        return found

    monkeypatch.setattr(checker, "_object", forged)
    with pytest.raises(verificar.Wrong, match=told):
        checker._portal()


def test_a_row_of_the_csv_that_no_object_has_is_told(site: Path) -> None:
    checker = verificar.Verifier(verificar.DirSource(site), verificar.Options())
    assert checker.run().verified
    table = checker.tables[contest_of(ACTA)]
    counted = next(row for row in table.rows if row[table.column("CONTABILIZADA")] == "1")
    table.rows.append(list(counted))
    with pytest.raises(verificar.Wrong, match="tiene filas que no están en los objetos: "):
        checker._tree(contest_of(ACTA))


def test_a_vote_the_objects_do_not_have_is_told() -> None:
    acta = {"votos": [3, None], "imagen": None}
    assert verificar._same_acta(acta, True, ["3", "-"], "1", "")
    assert not verificar._same_acta(acta, True, ["3", "7"], "1", "")
    assert not verificar._same_acta(acta, True, ["3", "-", "9"], "1", "")


def test_a_swapped_image_is_told_without_naming_its_acta(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = image_path(site, ACTA)
    good = path.read_bytes()
    path.write_bytes(photo(0))
    code, told = reasons(site, capsys)
    assert (
        code == 1
        and told == f"la imagen del acta {acta_key(ACTA)} fue cambiada: su huella no es la publicada"
    )
    path.unlink()
    assert main([str(site)]) == 0
    assert "faltan 1 que deberían estar" in capsys.readouterr().out
    path.write_bytes(good)
    assert main([str(site)]) == 0
    assert "  bien Imágenes de las actas: 32 archivos de 16 imágenes tienen" in capsys.readouterr().out


def test_a_swapped_view_which_is_what_people_see_is_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = image_path(site, ACTA).stem, image_path(site, 0).stem
    view = site / f"vistas/{name[:2]}/{name}.webp"
    shutil.copy(site / f"vistas/{other[:2]}/{other}.webp", view)
    told = f"la vista de la imagen del acta {acta_key(ACTA)} fue cambiada: su huella no es la publicada"
    assert reasons(site, capsys) == (1, told)
    code, by_key = reasons(site, capsys, "--acta", acta_key(ACTA))
    assert code == 1 and by_key.count(told) == 2


def test_an_earlier_cut_taken_away_or_changed_is_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(site)]) == 0
    assert "  bien Todos los cortes: los 3 están enteros" in capsys.readouterr().out
    path = next((site / "cortes/0002").glob("*.csv"))
    good = path.read_bytes()
    path.write_bytes(good + b" ")
    assert reasons(site, capsys) == (1, f"el archivo {path.name} del corte 2 fue cambiado")
    path.write_bytes(good)
    package = site / "difusion/0001.zip"
    good = package.read_bytes()
    shutil.copy(site / "difusion/0002.zip", package)
    code, told = reasons(site, capsys)
    assert code == 1 and "el ZIP no trae cortes/0001/manifiesto.json" in told
    package.unlink()
    code, told = reasons(site, capsys)
    assert code == 1 and "del corte 1, falta el archivo difusion/0001.zip" in told
    package.write_bytes(good)
    (site / "cortes/0002").rename(site / "cortes/.0002")
    code, told = reasons(site, capsys)
    assert code == 1 and "del corte 2, falta el archivo cortes/0002/manifiesto.json" in told


def test_a_pointer_to_the_package_of_something_else_is_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repoint(site, difusion="../../etc/passwd")
    code, told = reasons(site, capsys)
    assert code == 1 and "da otro paquete de difusión que el de su corte 3" in told


def test_an_acta_is_told_to_people_and_not_to_programs(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(site), "--acta", acta_key(ACTA)]) == 0
    shown = capsys.readouterr().out
    assert "  votos: PAN 39, PRI " in shown and "  contabilizada: sí" in shown
    assert "{" not in shown and "['" not in shown


def test_a_reader_that_leaves_is_no_crash(site: Path) -> None:
    command = [sys.executable, verificar.__file__, str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "faltan estos argumentos: URL|DIR|ARCHIVO.zip"),
        (["x", "--nada"], "no se conocen estos argumentos: --nada"),
        (["x", "--modo", "otro"], "no es uno de"),
        (["x", "--acta"], "el argumento --acta: lleva un valor"),
    ],
    ids=["nada", "de más", "modo", "sin valor"],
)
def test_a_mistaken_command_is_told_in_spanish(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and told in error and error.startswith("uso: ")


def test_a_walk_that_stops_does_not_say_that_actas_vanished(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = verificar.Verifier._rows_of

    def changed(self: verificar.Verifier, contest: str, top: dict[str, Any]) -> Any:
        rows = real(self, contest, top)
        cells = rows[acta_key(ACTA)][0][0] if acta_key(ACTA) in rows else []
        cells[:1] = ["999"] if cells else []
        return rows

    monkeypatch.setattr(verificar.Verifier, "_rows_of", changed)
    code, told = reasons(site, capsys)
    assert code == 1 and "PAN: 999 en el CSV y 39 en los objetos" in told and "los objetos tienen" not in told


def test_a_silence_of_some_seconds_over_twenty_minutes_is_told(site: Path) -> None:
    checker = verificar.Verifier(verificar.DirSource(site), verificar.Options())
    checker.run()
    cuts = [entry for entry in checker.entries if entry["clase"] == "emision"]
    cuts[-1]["instante_ms"] = cuts[-2]["instante_ms"] + 20 * 60_000
    assert checker._silences() == []
    cuts[-1]["instante_ms"] += 30_000
    assert checker._silences() == ["20.5 min entre los cortes 2 y 3"]


class _Cache(http.server.SimpleHTTPRequestHandler):
    """A site whose cache gives the checkpoint of before as many times as it is told."""

    old: Path
    stale = 0

    def do_GET(self) -> None:
        kind = type(self)
        if self.path == "/checkpoint" and kind.stale:
            kind.stale -= 1
            self.directory = str(self.old)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cached(stories: Stories, site: Path) -> Iterator[tuple[str, type[_Cache]]]:
    kind = type("Cache", (_Cache,), {"old": stories.cuts[1]})
    handler = functools.partial(kind, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.02), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", kind
        server.shutdown()


def test_a_checkpoint_some_seconds_old_is_asked_again_and_is_no_fraud(
    cached: tuple[str, type[_Cache]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verificar, "CACHED_S", (0, 0))
    url, cache = cached
    cache.stale = 2
    assert reasons(url, capsys) == (0, "")
    cache.stale = 3
    assert main([url]) == 2
    assert "se está actualizando" in capsys.readouterr().err


def test_a_checkpoint_behind_that_nobody_signed_is_a_no(
    cached: tuple[str, type[_Cache]],
    site: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verificar, "CACHED_S", ())
    (site / "checkpoint").write_bytes((site / "checkpoint").read_bytes().replace(b"\n4\n", b"\n3\n"))
    code, told = reasons(cached[0], capsys)
    assert code == 1 and "la firma del punto de control no es de la llave" in told
