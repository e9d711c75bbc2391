"""One good file of each kind the project reads, made by the project itself, in one folder."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.cli import main
from core.domain.commands import CloseOperation
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store
from core.transparency.log import LogReader
from simulator.calibration.delays import QUANTILES
from tests.conftest import REPOSITORY
from tests.core.catalogs.test_documented_example import documented_example
from tests.core.published.sample import clean
from tests.publication_sample import START, photo, sample

DATA = REPOSITORY / "tests/simulator/data"


class Told(NamedTuple):
    """How a command ended: its exit code (or what escaped from it) and all it wrote."""

    code: int
    text: str


@contextlib.contextmanager
def _captured() -> Iterator[io.BytesIO]:
    """Standard output and error as a terminal in UTF-8 would take them: what cannot be written fails."""
    told = io.BytesIO()
    both = io.TextIOWrapper(told, encoding="utf-8", write_through=True)
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = both
    try:
        yield told
    finally:
        sys.stdout, sys.stderr = before
        both.detach()


def prep(*arguments: str) -> Told:
    """`prep` in this process."""
    with _captured() as told:
        code = main(list(arguments))
    return Told(code, told.getvalue().decode("utf-8", "replace"))


def _done(*arguments: object) -> None:
    told = prep(*map(str, arguments))
    assert told.code in (0, 1), told.text


def _close(base: Path, closed: Path) -> None:
    """The same night, after its end."""
    with (
        contextlib.closing(sqlite3.connect(base)) as one,
        contextlib.closing(sqlite3.connect(closed)) as other,
    ):
        one.backup(other)
    store = Store(open_database(str(closed)))
    at = START + 24 * 3_600_000
    engine = Engine(store, store.load_catalog(), "simulacro")
    (told,) = engine.execute([CloseOperation(key="cierre", actor="a", station="e", at=at)], at)
    assert told.accepted
    store.close()
    store.database.dispose()


def build(place: Path) -> Path:
    """Make them all."""
    documented_example(REPOSITORY, place / "catalogo")
    clean().write(place, "publicado.csv")
    shutil.copytree(DATA, place / "escenario")
    shutil.copy(REPOSITORY / "scenarios/incidencias/x04-sincronia-detenida.toml", place / "encima.toml")
    shutil.copy(REPOSITORY / "control_room/sala.toml", place / "sala.toml")
    shutil.copy(REPOSITORY / "loadtests/perfiles/apertura.toml", place / "apertura.toml")
    work = sample(place / "publicacion")
    _done("llave", "generar", place / "llave.pem", "--origen", "prep.jal.2021/simulacro", "--sin-cifrar")
    _done("testigo", "llave", place / "testigo.pem", "--nombre", "universidad.mx", "--sin-cifrar")
    _close(work / "prep.db", place / "cerrada.db")
    entries = LogReader(lambda key: (work / key).read_bytes()).entries()
    (place / "entrada.json").write_bytes(next(iter(entries)))
    vkey = json.loads((work / "llaves.json").read_bytes())["llaves"][0]["vkey"]
    texts = {
        "vkey.txt": vkey + "\n",
        "publicar.toml": (
            'base = "noche.db"\ntrabajo = "t"\ncada = 15\ninicio = "2027-06-06T20:00:00-06:00"\n'
            'destino = ["a"]\ncierre_anticipado = false\n'
        ),
        "oidc.toml": (
            '[acceso]\nfallos_usuario = 5\n[oidc]\nemisor = "https://identidad.ejemplo.mx"\n'
            'cliente = "sala"\n'
            'reclamo = "groups"\n[oidc.roles]\nprep-coordinacion = "coordinador"\n'
        ),
        "notas.toml": '[simulacro-1]\ndifusores = "a"\nauditor = "b"\ncompromisos = ["d", "e"]\n',
        "permiso.toml": (
            'formato = 1\nresponsable = "a"\ncargo = "b"\ncontacto = "c"\nobjetivo = "http://x.mx"\n'
            "desde = 2027-06-06T20:00:00-06:00\nhasta = 2027-06-07T20:00:00-06:00\nusuarios_max = 5\n"
            "duracion_max_s = 60\n"
        ),
        "credenciales.toml": (
            '[muro]\nusuario = "a"\ncontrasena = "b"\n[operador]\nusuario = "c"\ncontrasena = "d"\n'
        ),
        "modelo.toml": (
            "formato = 3\ngrupos_por_territorio = true\nen_orden_de_llegada = false\nmomentos_ms = [0]\n"
            "capturas_por_hora = [60]\n"
            + "".join(
                f'[[base_{kind}]]\ncontienda = "GUB"\nmomentos_ms = [0]\nactas = [5]\n'
                f"cuantiles_ms = [{list(range(QUANTILES))}]\n"
                for kind in ("captura", "verificacion")
            )
        ),
        "corrida/control.json": '{"puerto": 1, "token": "a"}',
        "corrida/instrucciones.jsonl": '{"virtual_ms": 60000, "document": {"restablecer": {"catd": [1]}}}\n'
        * 2,
        "corrida/publicador.json": json.dumps(
            {
                "formato": 1,
                "estado": "esperando",
                "corte": 3,
                "instante_ms": 1,
                "perdidas": [1, 2],
                "alarmas": [{"clave": "a", "texto": "b", "desde_ms": 1}],
                "destinos": [{"nombre": "a", "estado": "atrasado", "corte": 1, "error": "x"}],
                "testigos": {"de": 1, "con": 1, "umbral": 1},
                "sello": {"estado": "x"},
            }
        ),
        "mapa.geojson": json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {"id": number, "nombre": f"Distrito {number}"},
                        "geometry": {
                            "type": "Polygon",
                            "coordinates": [[[-103.0, 20.0], [-103.5, 20.0], [-103.5, 20.5], [-103.0, 20.0]]],
                        },
                    }
                    for number in (1, 2)
                ],
            }
        ),
        "pronostico.json": json.dumps(
            {
                "formato": 1,
                "ahora": "2021-06-06T21:00:00-05:00",
                "huella_catalogo": "a",
                "esperadas": 136,
                "curva": [{"hora": "2021-06-06T22:00:00-05:00", "p10": 1.0, "p50": 2.0, "p90": 3.0}],
            }
        ),
    }
    for name, text in texts.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    (place / "foto.jpg").write_bytes(photo(3))
    _done(
        "constancia",
        "ceros",
        "--base",
        work / "prep.db",
        "--salida",
        place / "constancia",
        "--llave",
        place / "llave.pem",
    )
    _done("verificar", work, "--guardado", place / "guardado.json")
    _done(
        "testigo",
        "revisar",
        work,
        "--llave",
        place / "testigo.pem",
        "--estado",
        place / "estado",
        "--bitacora",
        place / "vkey.txt",
    )
    _done(
        "simular",
        place / "escenario/chica.toml",
        "--salida",
        place / "simulacro",
        "--semilla",
        "1",
        "--silencio",
    )
    (place / "simulacro/prep.db").unlink()
    (place / "credenciales.toml").chmod(0o600)
    return place
