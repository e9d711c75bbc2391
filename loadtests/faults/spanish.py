"""What the system makes programs say in English, in Spanish, for the pages people read.

The data keeps every word as it was said.
"""

from __future__ import annotations

import errno
import os
import re

from loadtests.reasons import why

OTHERS = {
    "database is locked": "otro proceso tiene tomada la base",
    "unable to open database file": "no se puede abrir el archivo de la base",
    "file is not a database": "el archivo no es una base",
    "File too large": "el archivo es más grande de lo que se permite",
    "disk I/O error": "el disco no deja leer o escribir",
    "consuming input failed: server closed the connection unexpectedly": "el servidor cerró la conexión",
    "server closed the connection unexpectedly": "el servidor cerró la conexión",
    "FATAL:  ": "",
    "FATAL: ": "",
    "connection failed: connection to server at ": "no se pudo conectar con el servidor de la base en ",
    "connection to server at ": "no se pudo conectar con el servidor de la base en ",
    ", port ": ", puerto ",
    " failed: ": ": ",
    "Is the server running on that host and accepting TCP/IP connections?": "¿Está arrancado en esa máquina?",
    "the database system is shutting down": "el servidor de la base se está apagando",
    "the database system is starting up": "el servidor de la base está arrancando",
    "the database system is in recovery mode": "el servidor de la base se está recuperando",
    "terminating connection due to administrator command": "el servidor de la base cerró la conexión",
    "terminating connection due to unexpected postmaster exit": "el servidor de la base murió",
    "terminating connection because of crash of another server process": "otro proceso del servidor murió",
    "(sqlite3.OperationalError) ": "",
    "(psycopg.OperationalError) ": "",
    "(psycopg.errors.AdminShutdown) ": "",
    "(psycopg.errors.CannotConnectNow) ": "",
    "(psycopg.errors.CrashShutdown) ": "",
    "timed out": "no hubo respuesta a tiempo",
}


def _words() -> dict[str, str]:
    found = dict(OTHERS)
    for code in errno.errorcode:
        said = os.strerror(code)
        told = why(OSError(code, said))
        if said not in told:
            found[said] = told
    return found


_WORDS = _words()
_SAID = re.compile(
    r"(?:\[Errno -?\d+\] )?(" + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)) + r")"
    r"(?: \(os error \d+\))?"
)


def in_spanish(text: str) -> str:
    """A text with those reasons in Spanish."""
    return _SAID.sub(lambda found: _WORDS[found[1]], text)
