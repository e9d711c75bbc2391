"""Why the system refused something, in Spanish: what Python says of it is in English.

For whoever tells a user of an OSError. It knows nothing of files: the name is of who tells.
"""

from __future__ import annotations

import errno
import os

_REASONS = {
    errno.ENOENT: "no existe",
    errno.EACCES: "no hay permiso",
    errno.EPERM: "no hay permiso",
    errno.EISDIR: "es una carpeta y se esperaba un archivo",
    errno.ENOTDIR: "no es una carpeta",
    errno.EEXIST: "ya existe",
    errno.ENOTEMPTY: "la carpeta no está vacía",
    errno.ELOOP: "es un enlace que no lleva a ningún lado",
    errno.ENOSPC: "no queda espacio en el disco",
    errno.EDQUOT: "no queda espacio de lo que le toca a este usuario",
    errno.EFBIG: "el archivo es más grande de lo que se permite",
    errno.EROFS: "el disco es de solo lectura",
    errno.EIO: "el disco no deja leer o escribir",
    errno.EMFILE: "hay demasiados archivos y conexiones abiertos",
    errno.ENFILE: "hay demasiados archivos y conexiones abiertos",
    errno.ENAMETOOLONG: "el nombre es demasiado largo",
    errno.EBUSY: "está ocupado",
    errno.ECONNREFUSED: "nadie atiende en esa dirección",
    errno.ECONNRESET: "el servidor cortó la conexión",
    errno.ECONNABORTED: "el servidor cortó la conexión",
    errno.EPIPE: "quien leía ya no está",
    errno.ETIMEDOUT: "no hubo respuesta a tiempo",
    errno.EHOSTUNREACH: "no hay camino a esa dirección",
    errno.ENETUNREACH: "no hay camino a esa dirección",
    errno.EADDRINUSE: "ya lo usa otro programa",
    errno.EADDRNOTAVAIL: "esta máquina no tiene esa dirección, o ya no le quedan puertos",
}


def system_reason(error: OSError) -> str:
    """The reason of an error of the system, without final period.

    One that was raised by this project, with its own words, keeps them.

    >>> system_reason(OSError(errno.EACCES, os.strerror(errno.EACCES)))
    'no hay permiso'
    >>> system_reason(OSError(errno.EINVAL, "no es un archivo ordinario"))
    'no es un archivo ordinario'
    """
    number = error.errno or 0
    if error.strerror and error.strerror != os.strerror(number):
        return error.strerror
    return _REASONS.get(number) or f"el sistema respondió «{error.strerror or error}»"
