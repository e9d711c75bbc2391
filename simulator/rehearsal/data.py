"""Reads what `prep simular` left in a folder, so that a report can be made of it.

It checks that the summary has what the report needs and that the database beside it, when there is
one, ends as the summary says. It also reads the notes that only people can give (difusores, auditor,
commitments). It judges nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import InputError, shown
from core.foreign_text import foreign_bytes, foreign_str, json_of, json_place, toml_of
from simulator.night.verb import DATABASE, SUMMARY

_NEEDED: dict[str, type] = {
    "escenario": str, "titulo": str, "semilla": int, "modo": str, "huella": str, "verdad_sha256": str,
    "escenario_sha256": str, "catalogo": dict, "inicio": str, "fin": str, "personal": dict, "total": dict,
    "etapas_por_contienda": dict, "por_catd": list, "fases": list, "tiempos": list,
    "avance_por_corte": list, "cortes_por_hora": dict, "cortes_no_publicados": list,
    "base_en_ceros": dict, "prep_casilla": dict, "por_origen": dict, "inconsistencias": list,
    "incidentes": list, "medidas": list, "enlaces": dict, "rechazos": dict, "rechazos_provocados": dict,
    "puntuacion": dict, "avance": list, "veredicto": list, "contiendas": dict, "contiendas_verdad": dict,
    "por_contienda": dict, "comparacion": dict,
}  # fmt: skip
"""Keys of the summary the report is made from, and what each must be."""

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
"""Where the reader of TOML says the fault is."""

_KINDS = {str: "un texto", int: "un número entero", dict: "un objeto", list: "una lista"}


@dataclass(frozen=True)
class Notes:
    """What people add to the report of one rehearsal. Empty texts are left to be filled in by hand."""

    difusores: str = ""
    auditor: str = ""
    remarks: str = ""
    commitments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rehearsal:
    """One rehearsal that ran. `checked` says whether its database was compared with its summary.

    `label` tells it from the others it is reported with and `file` is the name, without ending, of its
    report; both are given by `labels`.
    """

    folder: Path
    data: dict[str, Any]
    checked: bool
    notes: Notes = field(default_factory=Notes)
    label: str = ""
    file: str = ""

    @property
    def name(self) -> str:
        """What it is called beside others: its label, or its scenario."""
        return self.label or str(self.data["escenario"])

    @property
    def start(self) -> datetime:
        """Start, local."""
        return datetime.fromisoformat(self.data["inicio"])

    @property
    def end(self) -> datetime:
        """End, local."""
        return datetime.fromisoformat(self.data["fin"])

    @property
    def title(self) -> str:
        """Name for people."""
        return str(self.data["titulo"])


def read_rehearsal(folder: Path, notes: dict[str, Notes]) -> Rehearsal:
    """Read one output folder.

    Raises InputError when there is no summary, it lacks something, it is not of a rehearsal, or the
    database beside it ended otherwise.
    """
    path = folder / SUMMARY
    if not path.is_file():
        raise InputError(
            path, expected="el resumen que deja «prep simular --salida DIR» (DIR con resumen.json)"
        )
    try:
        data = json_of(foreign_bytes(path))
    except json.JSONDecodeError as error:
        told = f"{json_place(error)}; se esperaba un documento JSON completo"
        raise InputError(path, message=told) from error
    if not isinstance(data, dict):
        raise InputError(path, expected="un objeto JSON", found=type(data).__name__)
    for key, kind in _NEEDED.items():
        if not isinstance(data.get(key), kind):
            expected = f"{_KINDS[kind]}; si es de otra versión, corre de nuevo «prep simular»"
            raise InputError(path, column=key, expected=expected, found=_seen(data, key))
    if not isinstance(data.get("encima", []), list):
        raise InputError(path, column="encima", expected=_KINDS[list], found=_seen(data, "encima"))
    if data["modo"] != "simulacro":
        raise InputError(path, column="modo", expected="«simulacro»", found=data["modo"])
    for key in ("inicio", "fin"):
        try:
            datetime.fromisoformat(data[key]).timestamp()
        except (ValueError, OverflowError) as error:
            raise InputError(
                path, column=key, expected="una fecha y hora ISO 8601", found=data[key]
            ) from error
    return Rehearsal(folder, data, _same_end(folder, data), notes.get(data["escenario"], Notes()))


@contextmanager
def told_by(rehearsal: Rehearsal) -> Iterator[None]:
    """While a report is made of a summary, whose inner parts are not checked one by one.

    Raises InputError when one that the report needs is missing or is something else.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        what = f"«{error.args[0]}»" if isinstance(error, KeyError) else str(error)
        raise InputError(
            rehearsal.folder / SUMMARY,
            message=f"algo falta, o no es lo que deja «prep simular»: {shown(what)}",
        ) from error


def _seen(data: dict[str, Any], key: str) -> str:
    return "nada" if key not in data else type(data[key]).__name__


def _same_end(folder: Path, data: dict[str, Any]) -> bool:
    base = folder / DATABASE
    if not base.is_file():
        return False
    from core.storage.database import open_existing
    from simulator.output import state_fingerprint

    database = open_existing(str(base))
    try:
        found = state_fingerprint(database)
    finally:
        database.dispose()
    if found != data["huella"]:
        raise InputError(
            base, expected=f"la base con que se hizo {SUMMARY} (huella {data['huella'][:16]}…)",
            found=f"huella {found[:16]}…",
        )  # fmt: skip
    return True


def read_notes(path: Path) -> dict[str, Notes]:
    """Notes by scenario: a TOML with a table per scenario (`difusores`, `auditor`, `observaciones`,
    `compromisos`). Raises InputError."""
    try:
        text = foreign_str(path)
    except OSError as error:
        raise InputError(path, expected="un archivo TOML con una tabla por escenario") from error
    except UnicodeDecodeError as error:
        raise InputError(path, message="no es un texto en UTF-8") from error
    try:
        found = toml_of(text)
    except tomllib.TOMLDecodeError as error:
        # The reader's own reason is in English; it gives no place when the fault is where the text ends.
        place = _PLACE.search(str(error))
        if place:
            raise InputError(path, int(place[1]), int(place[2]), message="no es TOML válido") from error
        lines = text.split("\n")
        raise InputError(
            path, len(lines), len(lines[-1]) + 1, message="no es TOML válido: termina antes de tiempo"
        ) from error
    notes = {}
    for name, table in found.items():
        if not isinstance(table, dict):
            raise InputError(path, column=name, expected="una tabla por escenario, por ejemplo [simulacro-1]")
        for key, value in table.items():
            is_list = key == "compromisos"
            if key not in ("difusores", "auditor", "observaciones", "compromisos"):
                raise InputError(
                    path, column=f"{name}.{key}", expected="difusores, auditor, observaciones o compromisos"
                )
            if is_list != isinstance(value, list) or not all(
                isinstance(one, str) for one in (value if is_list else [value])
            ):
                wanted = "una lista de textos" if is_list else "un texto"
                raise InputError(path, column=f"{name}.{key}", expected=wanted, found=value)
        notes[name] = Notes(
            table.get("difusores", ""), table.get("auditor", ""), table.get("observaciones", ""),
            tuple(table.get("compromisos", ())),
        )  # fmt: skip
    return notes
