"""Why something failed, in Spanish: what the system, a server or a broken file made Python say in English.

For whoever tells a user of an exception he did not write. It decides nothing and imports nothing heavy.
"""

from __future__ import annotations

import json
import socket

from core.errors import PrepError, shown
from core.foreign_text import json_place
from core.system_reasons import system_reason

_NAMES = {
    socket.EAI_NONAME: "no hay tal nombre",
    socket.EAI_AGAIN: "el servicio de nombres no contesta",
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): "el nombre no tiene dirección",
}


def why(error: BaseException) -> str:
    """The reason of an exception, without final period."""
    import http.client  # heavy for a verb that only starts

    if isinstance(error, PrepError):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return json_place(error)
    if isinstance(error, KeyError):
        return f"falta «{shown(error.args[0] if error.args else '', 80)}»"
    if isinstance(error, IndexError):
        return "una lista más corta de lo que se esperaba"
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, http.client.IncompleteRead):
        return "la respuesta llegó cortada"
    if isinstance(error, UnicodeError):
        return "no es un texto o un nombre válido"
    if isinstance(error, http.client.HTTPException):
        return "lo que contesta no es HTTP"
    return f"{type(error).__name__}: {shown(error)}"


def _of_system(error: OSError) -> str:
    import http.client
    import ssl
    import urllib.error

    if isinstance(error, urllib.error.HTTPError):
        return f"respondió {error.code}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return why(error.reason)
    if isinstance(error, socket.gaierror):
        return _NAMES.get(error.errno or 0, "no se pudo buscar el nombre")
    if isinstance(error, ssl.SSLError):
        return f"no se entendió con TLS ({error.reason or 'sin detalle'})"
    if isinstance(error, http.client.RemoteDisconnected):
        return "cerró la conexión sin contestar"
    if isinstance(error, TimeoutError):
        return "no hubo respuesta a tiempo"
    if error.errno is None:
        return str(error)  # not of the system: who raised it wrote the reason
    return system_reason(error)
