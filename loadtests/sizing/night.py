"""How much a real night needs, from the sizes of a real publication and what an answer costs here.

Arithmetic on the habits of a profile (polls, waits, how many go down), the bytes of the files that are
served and the costs that `costs` measured. It says what to buy, what goes out and what is left for the origin
behind a CDN, with every assumption and where it comes from; it promises nothing of another machine. `text`
tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from core.foreign_text import json_of
from loadtests.profile import Person, Profile
from loadtests.sizing.costs import Costs

HEADERS = 900
"""Bytes of the headers of an answer of deploy/nginx.conf (HTTP/1.1: 786 to 862) and of its TLS record."""
TLS_BYTES = 3_000
"""Bytes of a TLS 1.3 greeting with a chain of two EC certificates, about, both ways."""
OPENING_S = 60
"""The opening minute."""
CUTS_PER_HOUR = 3
"""The least that the regulation lets (Reglamento de Elecciones, art. 339)."""
NIGHT_H = 12
"""From 20:00 to 08:00."""
MACHINE_MBIT, MACHINE_CORES = 1_000, 8
"""Network and cores of one machine."""
SHARE = 0.5
"""Of the network and of each core, what is counted on: the rest is for the unforeseen."""
NODES, NODE_POLL_S = 50, 5
"""Nodes of a CDN, and for how long deploy/nginx.conf lets each keep corte.json."""
VIEW, IMAGE = 90_000, 150_000
"""Bytes supposed of a view and of an image where a publication has none."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes as they travel: the first view (page, sheet, script), the pointer, what a cut brings, an acta."""

    page: int
    page_requests: int
    pointer: int
    portal: int
    catalog: int
    drill: int
    view: int
    image: int
    database: int
    package: int
    cut_files: int = 0
    """Files that a cut brings, on average, and their bytes."""
    cut_bytes: int = 0
    drawn: bool = True
    """The publication has images of actas; otherwise their sizes are supposed."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the night, per second. `cores` are those to have, of which only `SHARE` is used."""

    name: str
    requests: float
    mbit: float
    greetings: float
    cores: float | None
    greeting_cores: float | None


@dataclass(frozen=True, slots=True)
class Origin:
    """What is left for the origin behind a CDN, per second, and in the night."""

    quiet_requests: float
    quiet_mbit: float
    cut_requests: float
    cut_mbit: float
    night_gb: float


@dataclass(frozen=True, slots=True)
class Night:
    """A night that was sized."""

    profile: Profile
    pages: int
    citizens: int
    readers: int
    """Of newspapers that link the data."""
    difusores: int
    sizes: Sizes
    costs: Costs
    phases: tuple[Phase, ...]
    hour_gb: float
    """With all the pages open."""
    night_gb: float
    open_share: float
    """Of the pages, those open on average in the night."""
    origin: Origin
    assumptions: tuple[tuple[str, str, str], ...]
    """What is supposed, its value and where it comes from."""

    @property
    def network(self) -> tuple[int, Phase]:
        """Machines for the network, and the phase that asks for them."""
        worst = max(self.phases, key=lambda one: one.mbit)
        return _machines(worst.mbit / (MACHINE_MBIT * SHARE)), worst

    @property
    def cpu(self) -> tuple[int, Phase] | None:
        """Machines for the CPU, TLS included, and the phase that asks for them; None when not measured."""
        measured = [(one.cores, one) for one in self.phases if one.cores is not None]
        if not measured:
            return None
        cores, worst = max(measured, key=lambda one: one[0])
        return _machines(cores / MACHINE_CORES), worst

    @property
    def machines(self) -> int:
        """Those of whatever asks for more."""
        return max(self.network[0], self.cpu[0] if self.cpu else 1)


def sizes_of(folder: Path) -> Sizes:
    """The sizes of a publication. Raises InputError when the folder is not one."""
    try:
        pointer = json_of((folder / "corte.json").read_bytes())
        portal = _object(folder, pointer["portal"])
        contest = portal["contiendas"][0]
        root = _object(folder, contest["raiz"])
        territories = [_object(folder, name) for _, name in root["territorios"]]
        middle = sorted(territories, key=lambda one: len(one["secciones"]))[len(territories) // 2]
        section = middle["secciones"][0][1]
        names = dict(root["territorios"])
        path = [contest["raiz"], names[middle["territorio"]], section]
        archives = [one for one in (folder / pointer["base"]).iterdir() if one.suffix == ".zip"]
        package = (folder / pointer["difusion"]).stat().st_size
        cuts = max(1, int(pointer["corte"]))
        files, size = _whole(folder)
    except OSError as error:
        why = "no existe" if isinstance(error, FileNotFoundError) else "no se puede leer"
        where = folder if error.filename is None else error.filename
        raise InputError(
            folder, message=f"no es una carpeta publicada con un corte: «{where}» {why}"
        ) from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(
            folder, message="no es una carpeta publicada con un corte: lo que dice corte.json, o el objeto "
            "que nombra, no es de una publicación",
        ) from error  # fmt: skip
    page = folder / "index.html"
    assets = sorted((folder / "sitio").glob("*")) if (folder / "sitio").is_dir() else []
    used = [one for one in assets if page.is_file() and one.name in page.read_text(encoding="utf-8")]
    # Not the small ones of the lists: what is opened is the whole one.
    views = [one for one in sorted((folder / "vistas").rglob("*.webp")) if not one.stem.endswith("_m")][:200]
    images = [one for one in sorted((folder / "imagenes").rglob("*")) if one.is_file()][:200]
    return Sizes(
        page=sum(_packed(one) for one in [page, *used] if one.is_file()),
        page_requests=1 + len(used),
        pointer=len((folder / "corte.json").read_bytes()),
        portal=_packed(_path(folder, pointer["portal"])),
        catalog=_packed(_path(folder, portal["catalogo"])),
        drill=sum(_packed(_path(folder, one)) for one in path),
        view=_mean(views) or VIEW,
        image=_mean(images) or IMAGE,
        database=max((one.stat().st_size for one in archives), default=0),
        package=package,
        cut_files=-(-files // cuts),
        cut_bytes=size // cuts,
        drawn=bool(images),
    )


def portal_bytes(folder: Path) -> bytes:
    """The portal object of a publication that `sizes_of` accepted."""
    return _path(folder, json_of((folder / "corte.json").read_bytes())["portal"]).read_bytes()


def night(profile: Profile, pages: int, sizes: Sizes, costs: Costs) -> Night:
    """What `pages` open pages ask for, with the habits of the profile's citizens, newspapers and difusores.

    Raises UsageError for a profile without citizens, or without anybody.
    """
    if pages < 1:
        raise UsageError(f"las páginas abiertas (--usuarios) son una o más; se pidió {pages:,}")
    citizen, medio, difusor = (_first(profile, kind) for kind in ("ciudadano", "medio", "difusor"))
    if citizen is None:
        raise UsageError(f"el perfil {profile.name} no tiene ciudadanos: no se puede dimensionar con él")
    readers = pages * medio.weight // (citizen.weight + medio.weight) if medio else 0
    citizens = pages - readers
    difusores = difusor.fixed if difusor else 0
    habits = citizen.settings
    poll, wait = habits["sondeo_s"], max(1, habits["espera_corte_s"])
    down, bases = habits["profundiza_pct"] / 100, habits["base_pct"] / 100
    actas = down * habits["acta_pct"] / 100

    # Opening: a citizen asks for the page, its files, the pointer and two objects; a reader, for two files.
    linked = sizes.pointer + sizes.portal + 2 * HEADERS
    first = sizes.page_requests + 3
    first_bytes = sizes.page + sizes.pointer + sizes.portal + sizes.catalog + first * HEADERS + TLS_BYTES
    opening_bytes = citizens * first_bytes + readers * (linked + TLS_BYTES)

    # All the time: 304s, except for the readers, whose newspaper has no memory; each connects once per cut.
    cut_s = 3600 // CUTS_PER_HOUR
    again = readers / medio.settings["sondeo_s"] if medio else 0.0
    same = citizens / poll + (difusores / difusor.settings["sondeo_s"] if difusor else 0.0)
    greetings = pages / cut_s
    quiet_bytes = same * HEADERS + again * linked + greetings * TLS_BYTES

    # At a cut: the pointer and the portal object for each citizen, what those who go down open, the package.
    look_requests = 2 + 3 * down + 2 * actas + 3 * bases
    look_bytes = (
        sizes.pointer + sizes.portal + down * sizes.drill + actas * (sizes.view + sizes.image)
        + bases * sizes.database + look_requests * HEADERS
    )  # fmt: skip
    cut_requests = citizens * look_requests + 2 * difusores
    cut_bytes = citizens * look_bytes + difusores * (sizes.package + 2 * HEADERS)

    opening_requests = (citizens * first + readers * 2) / OPENING_S
    rows = (
        _phase("apertura: todos en un minuto", opening_requests, opening_bytes / OPENING_S,
               pages / OPENING_S, 0.0, costs),
        _phase("entre cortes: solo preguntan", same + 2 * again, quiet_bytes, greetings, same, costs),
        _phase(f"cada corte, durante {wait} s", same + 2 * again + cut_requests / wait,
               quiet_bytes + cut_bytes / wait, greetings, same, costs),
    )  # fmt: skip
    share = _open_share(profile)
    hour = quiet_bytes * 3600 + cut_bytes * CUTS_PER_HOUR
    whole = (opening_bytes + share * NIGHT_H * hour) / 1e9
    return Night(
        profile, pages, citizens, readers, difusores, sizes, costs, rows,
        hour_gb=hour / 1e9, night_gb=whole, open_share=share,
        origin=_origin(sizes, wait, whole), assumptions=_assumptions(profile, citizen, medio, sizes, share),
    )  # fmt: skip


def _origin(sizes: Sizes, wait: int, whole: float) -> Origin:
    """Each node asks for each file once, and for corte.json again and again: never more than `whole` GB."""
    asks = NODES / NODE_POLL_S
    pointer_bytes = asks * (sizes.pointer + HEADERS)
    new = NODES * (sizes.cut_bytes + sizes.cut_files * HEADERS)
    return Origin(
        quiet_requests=asks,
        quiet_mbit=8 * pointer_bytes / 1e6,
        cut_requests=asks + NODES * sizes.cut_files / wait,
        cut_mbit=8 * (pointer_bytes + new / wait) / 1e6,
        night_gb=min(whole, NIGHT_H * (3600 * pointer_bytes + CUTS_PER_HOUR * new) / 1e9),
    )


def _assumptions(
    profile: Profile, citizen: Person, medio: Person | None, sizes: Sizes, share: float
) -> tuple[tuple[str, str, str], ...]:
    habits, file = citizen.settings, f"perfil {profile.name}"
    rows = [
        ("Una página pregunta por corte.json", f"cada {habits['sondeo_s']} s",
         f"{file}; es lo que hace el portal"),
        ("Espera antes de cargar un corte", f"hasta {habits['espera_corte_s']} s, al azar",
         f"{file}; es lo que hace el portal"),
        ("En cada corte baja hasta una sección", f"{habits['profundiza_pct']} %", file),
        ("De ellos, abre un acta (su vista y su imagen)", f"{habits['acta_pct']} %", file),
        ("En cada corte descarga la mayor de las bases", f"{habits['base_pct']} %", file),
    ]  # fmt: skip
    if medio is not None:
        rows.append((
            "Lectores de medios que enlazan los datos",
            f"{100 * medio.weight // (citizen.weight + medio.weight)} % de las páginas; cada "
            f"{medio.settings['sondeo_s']} s, corte.json y el objeto del portal completos", file,
        ))  # fmt: skip
    rows += [
        ("Al abrir no baja nadie", f"{OPENING_S} s para que lleguen todos",
         "supuesto: a las 20:00 casi no hay actas"),
        ("Conexiones nuevas después de abrir", "una por página en cada corte",
         "supuesto: deploy/nginx.conf las guarda 75 s, los teléfonos menos"),
        ("Encabezados de una respuesta", f"{HEADERS} B",
         "de 786 a 862 B con deploy/nginx.conf, más lo que agrega TLS"),
        ("Saludo TLS nuevo", f"{TLS_BYTES:,} B", "supuesto: TLS 1.3, cadena de dos certificados EC"),
        ("Cortes", f"{CUTS_PER_HOUR} por hora", "el mínimo del Reglamento de Elecciones, art. 339"),
        ("La noche", f"{NIGHT_H} h; {100 * share:.0f} % de las páginas abiertas en promedio",
         f"supuesto, de 20:00 a 08:00; tramos del {file}"),
        ("Cada máquina", f"{MACHINE_MBIT:,} Mbit/s y {MACHINE_CORES} núcleos como los de esta, usados al "
         f"{100 * SHARE:.0f} %", "supuesto: la otra mitad es para lo imprevisto"),
        ("La CDN", f"{NODES} nodos, cada uno pide cada archivo una vez y corte.json cada {NODE_POLL_S} s",
         "supuesto; max-age de deploy/nginx.conf"),
    ]  # fmt: skip
    if not sizes.drawn:
        rows.append(("Esta publicación no tiene imágenes de actas",
                     f"vista {VIEW:,} B e imagen {IMAGE:,} B", "supuesto"))  # fmt: skip
    return tuple(rows)


def _phase(name: str, requests: float, byte: float, greetings: float, light: float, costs: Costs) -> Phase:
    """A phase from its bytes per second; `light` of its requests are 304s."""
    mbit = 8 * byte / 1e6
    if not (costs.not_modified and costs.objects and costs.greetings and costs.mbit):
        return Phase(name, requests, mbit, greetings, None, None)
    hands = greetings / costs.greetings
    # What an object costs has its own copy in it: a little is counted twice.
    used = hands + light / costs.not_modified + (requests - light) / costs.objects + mbit / costs.mbit
    return Phase(name, requests, mbit, greetings, used / SHARE, hands / SHARE)


def _first(profile: Profile, kind: str) -> Person | None:
    return next((one for one in profile.people if one.kind == kind), None)


def _open_share(profile: Profile) -> float:
    """Of the users of a profile, those there are on average."""
    if not profile.stages:
        return 1.0
    before = [0, *(one.until_pct for one in profile.stages)]
    parts = zip(profile.stages, before, strict=False)
    return sum(one.users_pct * (one.until_pct - since) for one, since in parts) / 10_000


def _machines(needed: float) -> int:
    return max(1, -int(-needed // 1))


def _whole(folder: Path) -> tuple[int, int]:
    """Files of a publication that somebody may ask for, and their bytes as they travel."""
    files = size = 0
    for one in folder.rglob("*"):
        if one.is_file() and one.suffix not in (".gz", ".br") and ".prep-temporal" not in one.parts:
            files += 1
            size += _packed(one)
    return files, size


def _mean(files: list[Path]) -> int:
    return sum(one.stat().st_size for one in files) // len(files) if files else 0


def _path(folder: Path, sha256: str) -> Path:
    return folder / "objetos" / sha256[:2] / f"{sha256}.json"


def _object(folder: Path, sha256: str) -> Any:
    return json_of(_path(folder, sha256).read_bytes())


def _packed(path: Path) -> int:
    packed = path.with_name(f"{path.name}.gz")
    return packed.stat().st_size if packed.is_file() else path.stat().st_size
