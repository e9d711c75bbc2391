"""Why the system refused something, in Spanish: what Python says of it is in English.

For whoever tells a user of an OSError. It knows nothing of files: the name is of who tells.
"""

from __future__ import annotations

import errno

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


class UnusableFileError(OSError):
    """A file that this project does not take; `strerror` says why, in Spanish."""


def system_reason(error: OSError) -> str:
    """The reason of an error of the system, without final period.

    >>> system_reason(PermissionError(errno.EACCES, "Permission denied"))
    'no hay permiso'
    >>> system_reason(UnusableFileError(errno.EINVAL, "no es un archivo ordinario"))
    'no es un archivo ordinario'
    """
    if isinstance(error, UnusableFileError):
        return error.strerror or str(error)
    return _REASONS.get(error.errno or 0) or f"el sistema respondió «{error.strerror or error}»"
