"""A load profile: who comes, how they behave, in what shape, and what must hold. Data, in TOML.

A profile is a file of `loadtests/perfiles` (asked for by its name) or of anybody (by its path). It is read
whole and every fault is told with its file, line, key and what was expected. It runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.catalogs.problems import Problems, TooManyProblemsError
from core.catalogs.toml_file import TomlFile, TomlTable
from core.errors import UsageError
from loadtests.judging.kinds import GROUPS, KINDS

FOLDER = Path(__file__).parent / "perfiles"
FORMAT = 1

PORTAL, ROOM = "portal", "sala"
TARGETS = (PORTAL, ROOM)


@dataclass(frozen=True, slots=True)
class Key:
    """A whole-number key of a table: its least and most, and its value when it is not written.

    None: it must be written.
    """

    least: int
    most: int
    default: int | None


WHOLE = {"usuarios": Key(1, 1_000_000, None), "duracion_s": Key(1, 7 * 86_400, None)}
"""Of the profile itself."""
WHO = {"peso": Key(0, 10_000, 0), "fijos": Key(0, 1_000_000, 0)}
"""Of each `[[usuario]]`, whatever its class. One of them must be over zero."""
STAGE = {
    "hasta_pct": Key(1, 100, None),
    "usuarios_pct": Key(0, 100, None),
    "llegan_en_s": Key(0, 86_400, 5),
}
"""Of each `[[tramo]]`."""
SCALE = {"peticiones_s": Key(1, 10_000_000, None)}
"""Of `[escala]`: the real crowd."""

_POLL = {"sondeo_s": Key(1, 3600, 30), "variacion_pct": Key(0, 90, 20)}
PEOPLE: dict[str, tuple[str, dict[str, Key]]] = {
    "ciudadano": (
        PORTAL,
        {
            **_POLL,
            "espera_corte_s": Key(0, 600, 30),
            "piensa_s": Key(0, 600, 5),
            "profundiza_pct": Key(0, 100, 30),
            "acta_pct": Key(0, 100, 50),
            "base_pct": Key(0, 100, 2),
            "personas_por_direccion": Key(1, 100_000, 1),
        },
    ),
    "difusor": (PORTAL, _POLL),
    "medio": (PORTAL, _POLL),
    "muro": (ROOM, {}),
    "operador": (ROOM, {"actua_cada_s": Key(1, 3600, 20)}),
}
"""Each class of person: what it asks (portal or room) and its keys."""

THRESHOLDS = {
    "fallas_max_por_10mil": Key(0, 10_000, 0),
    "p95_max_ms": Key(1, 600_000, 250),
    "p99_max_ms": Key(1, 600_000, 800),
    "peor_max_ms": Key(1, 600_000, 5000),
    "cortes_vistos_min_pct": Key(0, 100, 100),
    "margen_corte_s": Key(0, 3600, 15),
    "fotografias_vistas_min_pct": Key(0, 100, 0),
    "fotografias_escritas_min_pct": Key(0, 100, 0),
    "abuso_max_mbit": Key(1, 1_000_000, 100),
}
"""What must hold for a passed test. Content is not among them: there a single fault is too many."""

PER_REQUEST = {
    "p95_max_ms": Key(1, 600_000, 250),
    "p99_max_ms": Key(1, 600_000, 1000),
    "mbit_min": Key(1, 1_000_000, 20),
}
"""What must hold for the requests of one kind, each by itself. With `mbit_min`, what the mean size takes at
that speed is added to the times: nobody downloads a database in what a page takes."""

VALIDITY = {
    "peticiones_min": Key(1, 1_000_000_000, 100),
    "cortes_min": Key(0, 1000, 0),
    "fotografias_min": Key(0, 1_000_000_000, 1),
    "abuso_min": Key(0, 1_000_000_000, 0),
    "cpu_max_pct": Key(10, 100, 90),
    "retraso_max_ms": Key(1, 60_000, 150),
    "techo_max_pct": Key(1, 100, 80),
    "vigia_perdidas_max_pct": Key(0, 100, 10),
}
"""What must hold for the figures to mean anything: otherwise the test is invalid, whatever they say."""

ABUSE = {
    "clientes": Key(1, 10_000, 16),
    "direcciones": Key(1, 200, 4),
    "peticiones_s": Key(1, 1_000_000, 3000),
    "descargas": Key(0, 10_000, 4),
    "lentos": Key(0, 50_000, 100),
    "empieza_pct": Key(0, 100, 10),
}
"""Clients that insist: quick ones and how many requests they try per second in all, those that download
without end, those that open a connection and hardly write; from how many addresses."""


@dataclass(frozen=True, slots=True)
class Person:
    """A class of people: its share of the users (`weight`), or how many there always are (`fixed`)."""

    kind: str
    weight: int
    fixed: int
    settings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stage:
    """Until `until_pct` of the time there are `users_pct` of the users, who come in `ramp_s` seconds."""

    until_pct: int
    users_pct: int
    ramp_s: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What the requests of a kind may take, in ms; None where nothing is asked."""

    p95_ms: int | None
    p99_ms: int | None
    mbit: int | None = None
    """Megabits per second at which the mean size of the answers is added to those times."""

    def allowed(self, most: int, mean_bytes: int) -> int:
        """The limit for answers of a mean size."""
        return most if self.mbit is None else most + mean_bytes * 8 // (1000 * self.mbit)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that was read. Durations in seconds unless the key says otherwise."""

    name: str
    title: str
    about: str
    target: str
    users: int
    seconds: int
    people: tuple[Person, ...]
    stages: tuple[Stage, ...]
    thresholds: Mapping[str, int]
    validity: Mapping[str, int]
    abuse: Mapping[str, int] | None = None
    real_rate: int | None = None
    """Requests per second of the real crowd this one is a part of."""
    real_source: str = ""
    path: str = field(default="", compare=False)
    per_request: Mapping[str, Limit] = field(default_factory=dict)
    """By the name of the kind of request."""

    @property
    def longest_poll_s(self) -> float:
        """Longest time between two questions of anybody who polls the pointer."""
        polls = [longest_poll_s(one.settings) for one in self.people if "sondeo_s" in one.settings]
        return max(polls, default=0.0)

    def as_data(self) -> dict[str, Any]:
        """The profile as JSON holds it, for the processes that generate the load."""
        return asdict(self)


def longest_poll_s(settings: Mapping[str, int]) -> float:
    """Longest time between two questions of a class of person."""
    return settings["sondeo_s"] * (1 + settings["variacion_pct"] / 100)


def names() -> list[str]:
    """The profiles that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find(word: str) -> Path:
    """The file of a profile named by its word or by its path. Raises UsageError when there is none."""
    own = FOLDER / f"{word}.toml"
    if own.parent == FOLDER and own.is_file():
        return own
    path = Path(word)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise UsageError(
        f"no hay un perfil «{word}»; los hay: {', '.join(names())}, o la ruta de un archivo .toml"
    )


def read(path: Path) -> Profile:
    """Read a profile. Raises InputError (of a catalogue's kind: every fault at once) when it is not valid."""
    problems = Problems()
    found: Profile | None = None
    try:
        file = TomlFile(path, problems)
        if file.root is not None:
            found = _profile(file.root, path)
    except TooManyProblemsError:
        pass
    problems.raise_if_any()
    assert found is not None
    return found


def _profile(root: TomlTable, path: Path) -> Profile | None:
    root.only(
        "formato", "nombre", "titulo", "que_es", "objetivo", "usuarios", "duracion_s", "usuario", "tramo",
        "umbrales", "validez", "abuso", "escala",
    )  # fmt: skip
    root.whole("formato", FORMAT, FORMAT)
    name, title, about = root.text("nombre"), root.text("titulo"), root.text("que_es")
    if name is not None and name != path.stem:
        root.fault("nombre", f"el nombre del archivo, {path.stem}", name)
    target = root.text("objetivo")
    if target is not None and target not in TARGETS:
        root.fault("objetivo", "portal o sala", target)
    users, seconds = (_whole(root, name, WHOLE) for name in WHOLE)
    people = tuple(_person(table, target) for table in root.tables("usuario"))
    if not people:
        root.fault(None, message="falta al menos una tabla [[usuario]]")
    stages = _stages(root)
    scale = root.table("escala", required=False)
    scale.only("peticiones_s", "fuente")
    abuse = _whole_keys(root.table("abuso"), ABUSE) if "abuso" in root.data else None
    asked = root.table("umbrales")
    asked.only(*THRESHOLDS, "por_peticion")
    thresholds = _whole_keys(asked, THRESHOLDS, only=False, asked=True)
    per_request = _per_request(asked)
    valid = root.table("validez", required=False)
    validity = _whole_keys(valid, VALIDITY)
    if thresholds.get("cortes_vistos_min_pct") and not validity["cortes_min"]:
        valid.fault("cortes_min", "1 o más, porque se pide cortes_vistos_min_pct", validity["cortes_min"])
    if abuse is not None and not validity["abuso_min"]:
        valid.fault("abuso_min", "1 o más, porque hay [abuso]", validity["abuso_min"])
    rate = _whole(scale, "peticiones_s", SCALE) if scale.data else None
    source = scale.text("fuente") if scale.data else ""
    if root.file.problems.found:
        return None
    assert name and title and about and target and users and seconds
    return Profile(
        name, title, about, target, users, seconds, people, stages, thresholds, validity, abuse,
        rate, source or "", str(path), per_request,
    )  # fmt: skip


def _per_request(asked: TomlTable) -> dict[str, Limit]:
    """The limits of each kind; a later table says otherwise of the kinds it names."""
    found: dict[str, Limit] = {}
    for table in asked.tables("por_peticion"):
        table.only("nombres", *PER_REQUEST)
        keys = _whole_keys(table, PER_REQUEST, only=False, asked=True)
        if "p95_max_ms" not in keys and "p99_max_ms" not in keys:
            table.fault("p95_max_ms", message="falta; se esperaba p95_max_ms, p99_max_ms o los dos")
        limit = Limit(keys.get("p95_max_ms"), keys.get("p99_max_ms"), keys.get("mbit_min"))
        for word in table.texts("nombres") or ():
            if word not in GROUPS and word not in KINDS:
                table.fault("nombres", f"de {', '.join((*GROUPS, *KINDS))}", word)
            found.update(dict.fromkeys(GROUPS.get(word, (word,)), limit))
    return found


def _person(table: TomlTable, target: str | None) -> Person:
    kind = table.text("clase") or ""
    if kind and kind not in PEOPLE:
        table.fault("clase", f"una de {', '.join(PEOPLE)}", kind)
    asks, keys = PEOPLE.get(kind, (None, {}))
    if asks is not None and target in TARGETS and asks != target:
        table.fault("clase", f"alguien que use {'el portal' if target == PORTAL else 'la sala'}", kind)
    if kind in PEOPLE:
        table.only("clase", *WHO, *keys)
    weight, fixed = (_whole(table, name, WHO) or 0 for name in WHO)
    if not weight and not fixed:
        table.fault("peso", message="falta; cada [[usuario]] lleva peso (su parte) o fijos (cuántos siempre)")
    return Person(kind, weight, fixed, _whole_keys(table, keys, only=False))


def _stages(root: TomlTable) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    last = 0
    for table in root.tables("tramo"):
        table.only(*STAGE)
        until, share, ramp = (_whole(table, name, STAGE) for name in STAGE)
        if until is None or share is None or ramp is None:
            continue
        if until <= last:
            table.fault("hasta_pct", f"más que el tramo anterior ({last})", until)
        last = until
        stages.append(Stage(until, share, ramp))
    if not stages:
        return (Stage(100, 100, 5),)
    if last != 100 and not root.file.problems.found:
        root.fault("tramo", "un último tramo con hasta_pct = 100", last)
    return tuple(stages)


def _whole_keys(
    table: TomlTable, keys: Mapping[str, Key], *, only: bool = True, asked: bool = False
) -> dict[str, int]:
    """The values of some keys. `asked` leaves out those not written: what is not asked is not judged."""
    if only:
        table.only(*keys)
    found = {}
    for name, key in keys.items():
        if asked and name not in table.data and name != "margen_corte_s":
            continue
        value = _whole(table, name, keys)
        found[name] = (key.default or 0) if value is None else value
    return found


def _whole(table: TomlTable, name: str, keys: Mapping[str, Key]) -> int | None:
    key = keys[name]
    return table.whole(name, key.least, key.most, key.default)
