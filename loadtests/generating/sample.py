"""The bytes that the generator is measured with: what the target answers most, as it travels.

Of a portal, the object that a page loads first of each cut; of the room, a snapshot, which has to be asked
for from inside.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import Any

from loadtests.judging.kinds import SNAPSHOT
from loadtests.reasons import why
from loadtests.room_form import ENTER, SENT_AS, filled, token_of
from loadtests.target import Target, TargetError

TRIES = 20
_PACKED = {"Accept-Encoding": "gzip"}
_NOT_IN = "la sala no dejó entrar con lo que dice --credenciales"
_REFUSED = {
    401: "el usuario o la contraseña que dice --credenciales no sirven en la sala; no se volvió a intentar",
    429: "la sala tiene bloqueada la entrada por intentos fallidos; espere los minutos que diga",
    503: "la sala no tuvo lugar para comprobar la contraseña",
}


def of_portal(target: Target, pointer: dict[str, Any]) -> tuple[bytes, bool]:
    """The portal object of the last cut, and whether it is gzip. Raises TargetError without it."""
    sha256 = pointer["portal"]
    status, headers, body = target.get(f"/objetos/{sha256[:2]}/{sha256}.json", _PACKED)
    if status != 200:
        raise TargetError(f"{target.url} anuncia un objeto del portal que no entrega ({status}).")
    return body, headers.get("content-encoding") == "gzip"


def of_room(target: Target, people: Mapping[str, tuple[str, str]]) -> tuple[bytes, bool]:
    """A snapshot of the room, and whether it is gzip, after entering once as each class of person.

    `people` is user and password of each. Raises TargetError when it does not let one in: nobody tries a
    second time, since the room locks who insists.
    """
    found = b"", False
    for kind, (user, password) in sorted(people.items()):
        found = _inside(target, kind, user, password)
    return found


def _inside(target: Target, kind: str, user: str, password: str) -> tuple[bytes, bool]:
    connection = target.connect()
    cookies: dict[str, str] = {}

    def ask(
        method: str, path: str, body: str | None = None, **more: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), **_PACKED, **more}
        connection.request(method, path, body, sent if cookies else {**_PACKED, **more})
        answer = connection.getresponse()
        read = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            cookies[name.strip()] = value.strip()
        return answer, read

    try:
        for _ in range(TRIES):
            answer, form = ask("GET", ENTER, **{"Accept-Encoding": "identity"})
            token = token_of(form)
            if answer.status != 200 or token is None:
                raise TargetError(f"{target.url}{ENTER} no es la entrada de la sala ({answer.status}).")
            answer, _ = ask("POST", ENTER, filled(token, user, password), **SENT_AS)
            if answer.status != 503:
                break
            time.sleep(0.5)  # it checks a few passwords at a time
        if answer.status != 303:
            raise TargetError(f"{_REFUSED.get(answer.status, _NOT_IN)} ({kind}, «{user}»; {answer.status}).")
        answer, snapshot = ask("GET", SNAPSHOT)
        if answer.status != 200:
            raise TargetError(f"{target.url}{SNAPSHOT} respondió {answer.status}.")
        return snapshot, answer.headers.get("Content-Encoding") == "gzip"
    except (OSError, http.client.HTTPException) as error:
        raise TargetError(f"{target.url} no se pudo leer: {why(error)}.") from error
    finally:
        connection.close()
