"""What the service is told: options of the command over a TOML file over what the database says.

It opens nothing; whether the hours make sense is `due.Schedule`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.catalogs.problems import Problems, TooManyProblemsError
from core.catalogs.toml_file import TomlFile, TomlTable
from core.errors import InputError, UsageError
from core.publishing.due import DEFAULT_MIN, LONGEST_MIN, MINUTE_MS, Schedule

ONLY_REHEARSAL = "--ensayo es solo para un simulacro sin --llave: la llave ya dice el origen."


@dataclass(frozen=True)
class Config:
    """How to publish. Names are those of the keys of the TOML file; None is what nobody said.

    `cada` in minutes; `inicio` and `cierre` in ms UTC; `presupuesto` in seconds; `imagenes_faltantes_pct` is
    how many of every hundred captured actas may lack their image before it is an alarm.
    """

    base: str = ""
    trabajo: Path | None = None
    destino: tuple[str, ...] = ()
    llave: Path | None = None
    mitad_1: Path | None = None
    mitad_2: Path | None = None
    cada: int = DEFAULT_MIN
    inicio: int | None = None
    cierre: int | None = None
    imagenes: str | None = None
    presupuesto: int | None = None
    imagenes_faltantes_pct: int = 5
    cierre_anticipado: bool = False
    responsable: str = ""
    ensayo: str = ""
    """Name of a rehearsal, which goes in the origin of its log; empty: the date its operation opens."""
    testigo: tuple[str, ...] = ()
    """URL=VKEY of each witness."""
    umbral: int | None = None
    """How many witnesses are asked for; None: more than half."""
    tsa: str | None = None
    """Where to ask for RFC 3161 timestamps."""
    extra: dict[str, Any] = field(default_factory=dict)

    def schedule(self, starts_at: int, ends_at: int) -> Schedule:
        """The slots, within the operating period of the database (ms UTC).

        Raises UsageError when the hours asked for are not inside it, or would end the publication before
        the operation: that only can be with every acta registered (RE 353.6).
        """
        first = starts_at if self.inicio is None else self.inicio
        end = ends_at if self.cierre is None else self.cierre
        if not starts_at <= first or not end <= ends_at:
            raise UsageError(
                "El inicio y el cierre de la publicación deben quedar dentro del periodo de la operación "
                f"(de {iso(starts_at)} a {iso(ends_at)})."
            )
        if end < ends_at:
            raise UsageError(
                f"El último corte sale al cierre de la operación ({iso(ends_at)}); antes, solo con todas las "
                "actas registradas: --cierre-anticipado (RE 353)."
            )
        return Schedule(first, end, self.cada * MINUTE_MS)

    def check(self) -> None:
        """See that each number is one that can be, whatever the database says. Raises UsageError."""
        if not 1 <= self.cada <= LONGEST_MIN:
            raise UsageError(
                f"--cada {self.cada}: entre un corte y otro van de 1 a {LONGEST_MIN} minutos; son al menos "
                "tres por hora."
            )
        if self.presupuesto is not None and self.presupuesto < 1:
            raise UsageError(f"--presupuesto {self.presupuesto}: un corte tarda al menos un segundo.")
        if self.ensayo and self.llave is not None:
            raise UsageError(ONLY_REHEARSAL)
        if not 0 <= self.imagenes_faltantes_pct <= 100:
            raise UsageError(f"--imagenes-faltantes-pct {self.imagenes_faltantes_pct}: va de 0 a 100.")

    @property
    def threshold(self) -> int:
        """How many witnesses are asked for. Raises UsageError when there are not so many."""
        asked = self.umbral
        if asked is None:
            return len(self.testigo) // 2 + 1 if self.testigo else 0
        if not 0 <= asked <= len(self.testigo):
            raise UsageError(f"Se piden {asked} testigos y hay {len(self.testigo)} (--umbral).")
        return asked

    def budget(self, schedule: Schedule) -> int:
        """How long a cut may take, ms. Raises UsageError when one made again would leave fewer than three."""
        if self.presupuesto is None:
            return schedule.budget
        if not 0 < self.presupuesto * 1000 <= schedule.budget:
            raise UsageError(
                f"El presupuesto de un corte va de 1 a {schedule.budget // 1000} segundos: uno que se repite "
                "no debe dejar más de veinte minutos sin corte. Con un --cada menor puede tardar más."
            )
        return self.presupuesto * 1000


_TEXTS = ("base", "imagenes", "responsable", "ensayo", "tsa")
_PATHS = ("trabajo", "llave", "mitad_1", "mitad_2")
_LISTS = ("destino", "testigo")
_NUMBERS = ("cada", "presupuesto", "imagenes_faltantes_pct", "umbral")
_TIMES = ("inicio", "cierre")
_FLAGS = ("cierre_anticipado",)
KEYS = (*_TEXTS, *_PATHS, *_LISTS, *_NUMBERS, *_TIMES, *_FLAGS)


def read_config(path: Path) -> Config:
    """Read a TOML file. Raises InputError naming the key and what was expected."""
    problems = Problems()
    root = TomlFile(path, problems).root
    if root is None:
        raise problems.found[0]
    with suppress(TooManyProblemsError):
        root.only(*KEYS)
    if problems.found:
        raise problems.found[0]
    values: dict[str, Any] = {key: _value(path, root, key) for key in root.data}
    return replace(Config(), **values)


def _value(path: Path, root: TomlTable, key: str) -> object:
    value = root.data[key]
    if key in _TEXTS and isinstance(value, str):
        return value
    if key in _PATHS and isinstance(value, str):
        return path.parent / value
    if key in _LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if key in _NUMBERS and type(value) is int and value >= 0:
        return value
    if key in _FLAGS and isinstance(value, bool):
        return value
    if key in _TIMES:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return round(value.timestamp() * 1000)
        if isinstance(value, str):
            try:
                return parse_time(value)
            except UsageError as error:
                raise InputError(path, root.line(key), key, message=str(error)) from None
    wanted = {
        **dict.fromkeys((*_TEXTS, *_PATHS), "un texto"), **dict.fromkeys(_LISTS, "una lista de textos"),
        **dict.fromkeys(_NUMBERS, "un número entero"), **dict.fromkeys(_FLAGS, "true o false"),
        **dict.fromkeys(_TIMES, "una hora con su diferencia con UTC"),
    }[key]  # fmt: skip
    raise InputError(path, root.line(key), key, wanted, value)


def over(config: Config, /, **given: Any) -> Config:
    """A configuration with what was said besides; None and empty lists leave what there was."""
    known = {one.name for one in fields(Config)}
    said = {
        name: value
        for name, value in given.items()
        # A zero is said: it is refused where it makes no sense.
        if name in known and not (value is None or value is False or value == ())
    }
    return replace(config, **said)


def parse_time(text: str) -> int:
    """ms UTC of an ISO 8601 time that says its difference with UTC. Raises UsageError otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"«{text}» no es una hora ISO 8601, como 2027-06-06T20:00:00-06:00.") from error
    if found.tzinfo is None:
        raise UsageError(f"La hora «{text}» debe decir su diferencia con UTC, como -06:00.")
    return round(found.timestamp() * 1000)


def iso(at: int) -> str:
    """A time (ms UTC) for people, in UTC."""
    from datetime import UTC

    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
