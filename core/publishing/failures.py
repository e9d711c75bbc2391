"""What went wrong around a cut, in words for whoever has to mend it.

It mends nothing and decides nothing: the service goes on and tries again.
"""

from __future__ import annotations

import errno

from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError, UsageError
from core.system_reasons import system_reason


class OutsideError(PrepError):
    """The database, the disk or the program failed: nothing that is wrong with what is published."""


class FolderBusyError(UsageError):
    """Another process publishes into the folder."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def told(error: Exception) -> PrepError:
    """The error as the service tells it; one that is told already stays as it is."""
    if isinstance(error, PrepError):
        return error
    if isinstance(error, SQLAlchemyError):
        return OutsideError(
            f"La base de datos no responde: {_first_line(getattr(error, 'orig', None) or error)}"
        )
    if isinstance(error, OSError):
        about = f" ({error.filename})" if error.filename else ""
        if error.errno in _NO_ROOM:
            return OutsideError(f"No queda espacio en el disco de la carpeta de trabajo{about}.")
        return OutsideError(
            f"No se pudo leer o escribir en la carpeta de trabajo{about}: {system_reason(error)}."
        )
    return OutsideError(f"Error interno: {type(error).__name__}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
