"""What went wrong is told in Spanish, whoever said it first."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
from email.message import Message
from urllib.error import HTTPError, URLError

import pytest

from loadtests.reasons import why


def not_json() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "nadie atiende"),
        (OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)), "otro programa"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no hay tal nombre"),
        (TimeoutError("timed out"), "a tiempo"),
        (http.client.RemoteDisconnected("Remote end closed connection"), "sin contestar"),
        (http.client.IncompleteRead(b"", 5), "cortada"),
        (http.client.BadStatusLine("hola"), "no es HTTP"),
        (not_json(), "no es JSON bien formado"),
        (KeyError("catalogo"), "falta «catalogo»"),
        (URLError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), "nadie atiende"),
        (URLError(TimeoutError("timed out")), "a tiempo"),
        (HTTPError("http://x/", 503, "Service Unavailable", Message(), None), "respondió 503"),
        (OSError(errno.EINVAL, "no es un archivo ordinario", "x"), "no es un archivo ordinario"),
    ],
    ids=[
        "nadie",
        "puerto",
        "nombre",
        "tarde",
        "colgo",
        "cortada",
        "no_http",
        "json",
        "clave",
        "pedir_nadie",
        "pedir_tarde",
        "pedir_mal",
        "nuestra",
    ],
)
def test_a_reason_is_told_in_spanish(error: Exception, said: str) -> None:
    found = why(error)
    assert said in found
    assert not any(
        word in found
        for word in ("Errno", "line", "refused", "known", "timed", "Remote", "closed", "urlopen", "Error")
    )
