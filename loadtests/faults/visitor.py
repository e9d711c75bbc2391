"""Somebody with the control room open: enters by its form, and asks for the snapshot as the page does.

One browser's worth of cookies and nothing else of it: what the page draws is not looked at here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from http.cookiejar import CookieJar
from typing import Any, Self
from urllib.request import HTTPCookieProcessor, build_opener

from loadtests.faults.drill import Drill
from loadtests.faults.processes import RehearsalError, prep
from loadtests.reasons import why
from loadtests.room_form import ENTER, filled, token_of

ROLE = "lectura"
SNAPSHOT = "/api/sala.json"
AGE = "X-Sala-Edad-Ms"
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot as the room serves it, and how old the room says it is, in ms."""

    data: dict[str, Any]
    age_ms: int

    @property
    def seq(self) -> int:
        """Which snapshot of its writer."""
        return int(self.data["seq"])

    @property
    def boot_id(self) -> str:
        """Which writer."""
        return str(self.data["boot_id"])

    @property
    def stale_ms(self) -> int:
        """How old is too old, by its own account."""
        return int(float(self.data["viejo_s"]) * 1000)


class Visitor:
    """Somebody inside. Every method raises RehearsalError when the room does not let it."""

    def __init__(self, port: int) -> None:
        self._site = f"http://127.0.0.1:{port}"
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))

    @classmethod
    def enter(cls, drill: Drill, name: str) -> Self:
        """A new user of the room of a rehearsal, already inside."""
        made = prep(
            *("sala", "usuario", "alta", name, "--rol", ROLE, "--nombre", "Ensayo de fallas", "--generar"),
            *("--base", drill.base, "--sala", drill.room_folder),
        )
        if made.code != 0:
            raise RehearsalError(f"No se pudo dar de alta a quien mira la sala: {made.said}")
        visitor = cls(drill.room_port)
        visitor.sign_in(name, str(made.data["contrasena"]))
        return visitor

    def sign_in(self, name: str, password: str) -> None:
        """Through the form."""
        form, _ = self._ask(ENTER)
        token = token_of(form)
        if token is None:
            raise RehearsalError("La sala no enseña su formulario de entrada.")
        self._ask(ENTER, filled(token, name, password).encode())
        who, _ = self._ask("/api/yo.json")
        if json.loads(who).get("usuario") != name:
            raise RehearsalError("La sala no dejó entrar a quien la mira.")

    def look(self) -> Shown:
        """The snapshot of this moment."""
        body, age = self._ask(SNAPSHOT)
        return Shown(json.loads(body), int(age or 0))

    def _ask(self, path: str, body: bytes | None = None) -> tuple[bytes, str | None]:
        try:
            with self._browser.open(self._site + path, body, timeout=TIMEOUT_S) as answer:
                if answer.status != HTTPStatus.OK:
                    raise RehearsalError(f"La sala contestó {answer.status} a {path}.")
                return bytes(answer.read()), answer.headers.get(AGE)
        except (OSError, HTTPException) as error:
            raise RehearsalError(f"La sala no contestó a {path}: {why(error)}.") from error
