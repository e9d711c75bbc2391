"""Reads back from disk the JSON of a cut and checks it before the cut goes out.

Independent on purpose: the standard library's parser, its own sums, and nothing shared with what wrote
the objects. What an earlier cut already had checked is not read again. Which objects to write is
`json_levels`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import PrepError
from core.system_reasons import system_reason

ADDED = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
)
"""The counters of a level that are the sum of those below it."""

_BLOCK = 1 << 20
_STATES = frozenset({"no_capturada", "capturada", "sin_acta"})


class ObjectDefectError(PrepError):
    """A JSON file of the cut is not readable, or its sums do not hold: the cut must not go out.

    `path` is the file and `name` the object it should hold, None for a file that is not an object.
    """

    def __init__(self, path: str | Path, defect: str, name: str | None = None) -> None:
        self.path = path = Path(path)
        super().__init__(f"{path.parent.name}/{path.name}: {defect}")
        self.defect = defect
        self.name = name


class Facts(NamedTuple):
    """What is added up of a level: votes by column and the counters of ADDED."""

    votes: tuple[int, ...]
    counters: tuple[int, ...]


class ObjectCheck:
    """Checks the tree of objects of one contest, cut after cut."""

    def __init__(self, objects: Path) -> None:
        self._objects = objects
        self._base = os.fspath(objects)
        self._territories: dict[str, Facts] = {}
        self._sections: dict[Any, dict[str, Facts]] = {}
        self.read = 0
        """Objects read back so far."""

    def take(self, other: ObjectCheck) -> None:
        """Go on from what another one, of the same objects, has checked."""
        self._territories, self._sections, self.read = other._territories, other._sections, other.read

    def check(self, contest: str, root: str, header: Mapping[str, str]) -> None:
        """Check everything under a root that was not checked before.

        `header` is that of the results CSV of the same contest. Raises ObjectDefectError.
        """
        path, document = self._document(root, contest, "entidad")
        _same(path, root, "contadores", document["contadores"], dict(header))
        known, self._territories = self._territories, {}
        children: list[Facts] = []
        for territory, name in _links(path, root, document, "territorios"):
            facts = known.get(name) or self._territory(contest, territory, name)
            self._territories[name] = facts
            children.append(facts)
        outside = _list(path, root, document, "fuera_de_catalogo")
        _adds_up(path, root, document, children, outside=len(outside))

    def _territory(self, contest: str, territory: Any, name: str) -> Facts:
        path, document = self._document(name, contest, "territorio")
        known, found = self._sections.get(territory, {}), {}
        for _, child in _links(path, name, document, "secciones"):
            found[child] = known.get(child) or self._section(contest, child)
        self._sections[territory] = found
        return _adds_up(path, name, document, found.values())

    def _section(self, contest: str, name: str) -> Facts:
        path, document = self._document(name, contest, "seccion")
        actas = _list(path, name, document, "actas")
        width = len(document["votos"])
        votes: list[int] = [0] * width
        captured = counted = electors = total = special = 0
        try:
            for acta in actas:
                state = acta["estado"]
                if state == "no_capturada":
                    continue
                captured += 1
                if state not in _STATES:
                    raise ObjectDefectError(path, f"un acta está «{state}»", name)
                if not acta["contabilizada"]:
                    continue
                counted += 1
                own, calculated = acta["votos"], acta["calculado"]
                numbers = [vote if type(vote) is int else 0 for vote in own]
                if len(numbers) != width or sum(numbers) != calculated:
                    raise ObjectDefectError(path, f"el acta {acta['acta']} no suma su total", name)
                votes = list(map(add, votes, numbers))
                electors += acta["lista_nominal"]
                total += calculated
                if acta["tipo_casilla"] == "S":
                    special += calculated
        except (KeyError, TypeError) as error:
            raise ObjectDefectError(path, f"un acta no tiene lo que debe: {error}", name) from error
        sums = (
            len(actas),
            captured,
            0,
            captured,
            counted,
            captured - counted,
            electors,
            total,
            total - special,
        )
        facts = _facts(path, name, document)
        _same(path, name, "votos", list(facts.votes), votes)
        _same(path, name, "contadores", facts.counters, sums)
        return facts

    def _document(self, name: str, contest: str, level: str) -> tuple[str, dict[str, Any]]:
        """Where an object is, and the object, which is what its name says, of that contest and level."""
        path = f"{self._base}/{name[:2]}/{name}.json"
        self.read += 1
        document = parsed(path, name)
        if document.get("contienda") != contest or document.get("nivel") != level:
            raise ObjectDefectError(path, f"no es de nivel «{level}» de {contest}", name)
        return path, document


def parsed(path: str | Path, name: str | None = None) -> dict[str, Any]:
    """A JSON file of the cut as the standard library reads it. `name` is the SHA-256 it must have."""
    try:
        # A Path and a buffer per object would cost as much as the reading.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            data = os.read(descriptor, _BLOCK)
            while len(data) % _BLOCK == 0 and (more := os.read(descriptor, _BLOCK)):
                data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ObjectDefectError(path, f"no se puede leer ({system_reason(error)})", name) from error
    try:
        document = json.loads(data)
    except ValueError as error:
        raise ObjectDefectError(path, f"no es JSON: {error}", name) from error
    if not isinstance(document, dict):
        raise ObjectDefectError(path, "no es un objeto JSON", name)
    if name is not None and sha256(data).hexdigest() != name:
        raise ObjectDefectError(path, "su contenido no es el que dice su nombre", name)
    return document


def check_index(
    directory: Path, *, number: int, at_ms: int, instant: str, roots: Mapping[str, str],
    headers: Mapping[str, Mapping[str, str]],
) -> None:  # fmt: skip
    """`indice.json` and `manifiesto.json` are JSON and speak of this cut. Raises ObjectDefectError."""
    path = directory / "indice.json"
    index = parsed(path)
    _same(path, None, "corte", index.get("corte"), number)
    _same(path, None, "instante", index.get("instante"), instant)
    contests = index.get("contiendas")
    if not isinstance(contests, dict) or contests.keys() != roots.keys():
        raise ObjectDefectError(path, "no tiene las contiendas del corte")
    for contest, told in contests.items():
        _same(path, None, f"raiz de {contest}", told.get("raiz"), roots[contest])
        _same(path, None, f"encabezado de {contest}", told.get("encabezado"), dict(headers[contest]))
    path = directory / "manifiesto.json"
    manifest = parsed(path)
    _same(path, None, "corte", manifest.get("corte"), number)
    _same(path, None, "instante_ms", manifest.get("instante_ms"), at_ms)
    _same(path, None, "raices_json", manifest.get("raices_json"), dict(roots))


def _facts(path: str | Path, name: str, document: Mapping[str, Any]) -> Facts:
    try:
        counters = document["contadores"]
        votes = tuple(document["votos"])
        found = Facts(votes, tuple(int(counters[key]) for key in ADDED))
    except (KeyError, TypeError, ValueError) as error:
        raise ObjectDefectError(path, f"no tiene lo que debe: {error}", name) from error
    if any(type(vote) is not int for vote in votes):
        raise ObjectDefectError(path, "«votos» no son números", name)
    return found


def _adds_up(
    path: str | Path, name: str, document: Mapping[str, Any], children: Any, *, outside: int = 0
) -> Facts:
    """The facts of a level, once they are the sum of its children's."""
    facts = _facts(path, name, document)
    votes = [0] * len(facts.votes)
    counters: Sequence[int] = [0] * len(ADDED)
    for child in children:
        if len(child.votes) != len(votes):
            raise ObjectDefectError(path, "sus partes tienen otras columnas de votos", name)
        votes = list(map(add, votes, child.votes))
        counters = list(map(add, counters, child.counters))
    # Actas fuera de catálogo belong to no section: the top level adds them.
    counters = [
        value + outside if key in _OUTSIDE else value for key, value in zip(ADDED, counters, strict=True)
    ]
    _same(path, name, "votos", list(facts.votes), votes)
    _same(path, name, "contadores", list(facts.counters), counters)
    return facts


_OUTSIDE = frozenset({"ACTAS_REGISTRADAS", "ACTAS_FUERA_CATALOGO"})


def _links(path: str | Path, name: str, document: Mapping[str, Any], key: str) -> list[tuple[Any, str]]:
    pairs = _list(path, name, document, key)
    try:
        return [(place, str(child)) for place, child, *_ in pairs]
    except (TypeError, ValueError) as error:
        raise ObjectDefectError(path, f"«{key}» no es una lista de pares", name) from error


def _list(path: str | Path, name: str, document: Mapping[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    if not isinstance(found, list):
        raise ObjectDefectError(path, f"falta «{key}»", name)
    return found


def _same(path: str | Path, name: str | None, what: str, said: object, found: object) -> None:
    if said != found:
        if isinstance(said, Mapping) and isinstance(found, Mapping):
            keys = sorted(key for key in {*said, *found} if said.get(key) != found.get(key))
            what, said, found = f"{what} ({keys[0]})", said.get(keys[0]), found.get(keys[0])
        raise ObjectDefectError(path, f"«{what}» dice {_short(said)}; se esperaba {_short(found)}", name)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
