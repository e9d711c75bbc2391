"""Every reader of files there is: what it reads, how it is asked to, and what it covers.

`registry` says which of them try each argument of `prep` that names a file, and each module that parses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CHECKPOINT = "estado/prep.jal.proceso-de-prueba-2021%2Fsimulacro.checkpoint"


@dataclass(frozen=True)
class Reader:
    """A reader and the good file to spoil, inside the place.

    Either `argv` (a command of `prep`; «{}» is the place) or `call`. `names` are the words one of which must
    be in what is said of it; the name of the file when empty. `out` is what the command writes, which must
    not be there when it refuses. Those without `odd` are
    only tried with ordinary files: what they read is in the folder of a publication of our own, or it is
    this trial that opens it. `silent` readers go on without the file: they may not fail.
    """

    name: str
    file: str
    argv: tuple[str, ...] = ()
    call: Callable[[Path], object] | None = None
    names: tuple[str, ...] = ()
    out: str = ""
    silent: bool = False
    text: bool = True
    odd: bool = True


def _config(place: Path) -> object:
    from control_room.config import load_config

    return load_config(place / "sala.toml")


def _oidc(place: Path) -> object:
    from control_room.config import load_config

    return load_config(place / "oidc.toml")


def _map(place: Path) -> object:
    from dataclasses import replace

    from control_room.config import load_config
    from control_room.territory.map import map_data
    from tests.publication_sample import sample_catalog

    return map_data(sample_catalog(), replace(load_config().map, file=place / "mapa.geojson"))


def _notes(place: Path) -> object:
    from simulator.rehearsal.data import read_notes

    return read_notes(place / "notas.toml")


def _summary(place: Path) -> object:
    from simulator.rehearsal import sections
    from simulator.rehearsal.data import read_rehearsal, told_by
    from simulator.rehearsal.verdict import judge

    one = read_rehearsal(place / "simulacro", {})
    with told_by(one):
        return sections.build(one, judge(one.data), [])


def _saved(place: Path) -> object:
    from datetime import datetime

    import numpy as np

    from simulator.forecast.report import compare, read_saved

    saved = read_saved(place / "pronostico.json")
    at = [round(datetime.fromisoformat(one["hora"]).timestamp() * 1000) for one in saved["curva"]]
    return compare(saved, np.array(at), np.full(len(at), 2.0), 1 << 50)


def _model(place: Path) -> object:
    from simulator.calibration.report import read_model

    return read_model(place / "modelo.toml")


def _profile(place: Path) -> object:
    from loadtests.profile import read

    return read(place / "apertura.toml")


def _permission(place: Path) -> object:
    from loadtests.target import read_permission

    return read_permission(place / "permiso.toml")


def _credentials(place: Path) -> object:
    from loadtests.run import read_credentials

    return read_credentials(place / "credenciales.toml")


def _publishing(place: Path) -> object:
    from core.publishing.config import read_config

    return read_config(place / "publicar.toml")


def _publisher(place: Path) -> object:
    from control_room.sources.publisher_file import read_publisher

    return read_publisher(place / "corrida")


def _instructions(place: Path) -> object:
    from simulator.live.instructions import InstructionLog

    log = InstructionLog(place / "corrida")
    log.close()
    return log


def _injected(place: Path) -> object:
    from control_room.simulacro_control import injected

    return injected(place / "corrida")


def _fragment(place: Path) -> object:
    from control_room.simulacro_control import read_toml
    from core.catalogs.problems import Problems
    from core.catalogs.tables import read_text

    text = read_text(place / "encima.toml", Problems())
    return None if text is None else read_toml(text)


def _pointer(place: Path) -> object:
    from core.publication.pointer import read_pointer

    return read_pointer(place / "publicacion")


def _keyring(place: Path) -> object:
    from core.transparency import keyring

    return keyring.read(place / "publicacion")


def _photo(place: Path) -> object:
    from core.images.probe import probe

    return probe((place / "foto.jpg").read_bytes())


def _marker(place: Path) -> object:
    from simulator.night.restart import check_same_run

    marker = place / "simulacro/.prep-salida.json"
    wanted: dict[str, Any] = {"semilla": 1}
    check_same_run(place / "simulacro", marker, wanted)
    return None


def _destinations(place: Path) -> object:
    from simulator.night.showing import specs_of

    folder = place / "simulacro"
    return specs_of([], folder, cuts=True, marker=folder / ".prep-salida.json")


def _entry(place: Path) -> object:
    from core.transparency.entries import parse

    return parse((place / "entrada.json").read_bytes())


def _loaded(place: Path) -> object:
    from loadtests.judging.invariants import folder_reader, of_cut, of_replay, pointer_of

    get = folder_reader(place / "publicacion")
    pointer_of(get)
    return of_cut(get), of_replay(str(place / "publicacion/prep.db"), get)


def _canary(place: Path) -> object:
    from control_room.sources.canary import check
    from core.storage.database import open_existing

    database = open_existing(str(place / "publicacion/prep.db"))
    try:
        return check(place / "publicacion/cortes/0003", database, 0, 0)
    finally:
        database.dispose()


@cache
def _closed_night(place: Path) -> tuple[Any, Any]:
    from core.evidence.closing import closing
    from core.storage.database import open_existing
    from core.storage.reading import reading
    from core.storage.store import read_catalog

    database = open_existing(str(place / "cerrada.db"))
    try:
        with reading(database) as connection:
            return closing(database, 0, None), read_catalog(connection)
    finally:
        database.dispose()


def _closed(place: Path) -> object:
    from core.evidence.published import published

    made, catalog = _closed_night(place)
    said = published(place / "publicacion", made["cortes"], catalog, "simulacro")
    # All of it goes to paper.
    for text in (*said["faltas"], *(said["checkpoint"] or "").splitlines()):
        assert text.isprintable() and len(text) < 2_000, text[:200]
    return said


def _catalog(file: str) -> Reader:
    return Reader(f"catalogo {file}", f"catalogo/{file}", ("catalogo", "revisar", "{}/catalogo"))


def _checked(file: str, *, text: bool = True) -> Reader:
    return Reader(f"verificar {file}", f"publicacion/{file}", ("verificar", "{}/publicacion"), text=text)


def _closing(file: str) -> Reader:
    return Reader(f"cierre {file}", f"publicacion/{file}", call=_closed, odd=False)


_WITNESS = ("--llave", "{}/testigo.pem", "--estado", "{}/estado", "--bitacora", "{}/vkey.txt")

READERS: tuple[Reader, ...] = (
    *map(_catalog, ("catalogo.toml", "casillas.csv", "catds.csv", "distritos.csv", "candidaturas.csv")),
    Reader("publicado", "publicado.csv", ("revisar", "{}/publicado.csv")),
    Reader(
        "importar",
        "publicado.csv",
        ("catalogo", "importar", "{}/publicado.csv", "--salida", "{}/salida"),
        out="salida",
    ),
    Reader(
        "escenario",
        "escenario/chica.toml",
        ("escenario", "revisar", "{}/escenario/chica.toml"),
        names=("chica.toml", "catálogo"),
    ),
    Reader(
        "encima",
        "encima.toml",
        ("escenario", "revisar", "{}/escenario/chica.toml", "--con", "{}/encima.toml"),
        names=("encima.toml", "chica.toml"),
    ),
    Reader("fragmento", "encima.toml", call=_fragment, names=("",)),
    Reader("notas", "notas.toml", call=_notes),
    Reader("resumen", "simulacro/resumen.json", call=_summary),
    Reader("marca", "simulacro/.prep-salida.json", call=_marker, names=("simulacro",)),
    Reader("pronostico", "pronostico.json", call=_saved),
    Reader("destinos", "simulacro/.prep-salida.json", call=_destinations, silent=True),
    Reader("entrada", "entrada.json", call=_entry, names=("entrada",), odd=False),
    Reader("carga corte.json", "publicacion/corte.json", call=_loaded, odd=False),
    Reader("carga indice.json", "publicacion/cortes/0003/indice.json", call=_loaded, odd=False),
    Reader(
        "canario indice.json", "publicacion/cortes/0003/indice.json", call=_canary, silent=True, odd=False
    ),
    Reader(
        "canario manifiesto.json",
        "publicacion/cortes/0003/manifiesto.json",
        call=_canary,
        silent=True,
        odd=False,
    ),
    Reader("modelo", "modelo.toml", call=_model),
    Reader("sala", "sala.toml", call=_config),
    Reader("identidad", "oidc.toml", call=_oidc),
    Reader("mapa", "mapa.geojson", call=_map),
    Reader("perfil", "apertura.toml", call=_profile),
    Reader("permiso", "permiso.toml", call=_permission),
    Reader("credenciales", "credenciales.toml", call=_credentials),
    Reader("publicar", "publicar.toml", call=_publishing),
    Reader("publicador", "corrida/publicador.json", call=_publisher, silent=True),
    Reader("instrucciones", "corrida/instrucciones.jsonl", call=_instructions),
    Reader("inyectado", "corrida/instrucciones.jsonl", call=_injected, silent=True),
    Reader("control", "corrida/control.json", ("control", "{}/corrida", "estado"), names=("corrida",)),
    *map(_checked, ("corte.json", "llaves.json", "checkpoint", "cortes/0003/manifiesto.json")),
    _checked("difusion/0003.zip", text=False),
    Reader(
        "paquete",
        "publicacion/difusion/0003.zip",
        ("verificar", "{}/publicacion/difusion/0003.zip"),
        text=False,
        names=("0003.zip", "publicación", "corte.json"),
    ),
    Reader("guardado", "guardado.json", ("verificar", "{}/publicacion", "--guardado", "{}/guardado.json")),
    Reader(
        "llave publica",
        "vkey.txt",
        ("verificar", "{}/publicacion", "--llave", "{}/vkey.txt"),
        names=("llave", "vkey.txt"),
    ),
    Reader("foto", "foto.jpg", ("verificar", "{}/publicacion", "--imagen", "{}/foto.jpg"), text=False),
    Reader("imagen", "foto.jpg", call=_photo, names=("",), text=False, odd=False),
    Reader("apuntador", "publicacion/corte.json", call=_pointer),
    Reader("llaves", "publicacion/llaves.json", ("llave", "ver", "{}/publicacion")),
    Reader("llaves.json", "publicacion/llaves.json", call=_keyring),
    Reader("llave", "llave.pem", ("llave", "ver", "{}/llave.pem", "--abrir")),
    Reader(
        "constancia",
        "constancia/acta-de-ceros.json",
        ("constancia", "verificar", "{}/constancia/acta-de-ceros.json"),
    ),
    *map(_closing, ("corte.json", "checkpoint", "cortes/0003/manifiesto.json", "cortes/0003/indice.json")),
    Reader(
        "base",
        "publicacion/prep.db",
        ("comprobar", "--base", "{}/publicacion/prep.db"),
        text=False,
        odd=False,
    ),
    Reader("testigo estado", CHECKPOINT, ("testigo", "ver", "--estado", "{}/estado")),
    Reader("testigo", CHECKPOINT, ("testigo", "revisar", "{}/publicacion", *_WITNESS)),
    Reader("testigo bitacora", "vkey.txt", ("testigo", "revisar", "{}/publicacion", *_WITNESS)),
    Reader(
        "testigo nota",
        "publicacion/checkpoint",
        ("testigo", "revisar", "{}/publicacion", *_WITNESS),
        names=("publicacion",),
    ),
)
