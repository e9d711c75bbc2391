"""What a verb that serves over the network does before and after it begins to listen.

It says in plain words that a port cannot be used, and tells when somebody answers there. It serves nothing.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from core.errors import UsageError

READY_S = 60.0


def check_port(host: str, port: int) -> None:
    """Raises UsageError when nobody could listen there."""
    if not 1 <= port <= 65535:
        raise UsageError(f"--puerto va de 1 a 65535; se pidió {port}.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"No se entiende la dirección «{host}» de --anfitrion.") from error
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(address)
        except PermissionError as error:
            raise UsageError(f"No hay permiso para atender en el puerto {port} de {host}.") from error
        except OSError as error:
            raise UsageError(
                f"No se puede atender en {host}, puerto {port}: ya lo usa otro programa o la dirección "
                "no es de esta máquina. Elija otro con --puerto."
            ) from error


def tell_when_ready(host: str, port: int, tell: Callable[[], None], path: str | None) -> None:
    """Call `tell`, in another thread, once `path` is answered at the address; None: once the port is open."""
    reached = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host

    def wait() -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            try:
                with socket.create_connection((reached, port), 1.0) as connection:
                    if path is not None:
                        # The port is open before the application is loaded.
                        connection.settimeout(READY_S)
                        request = f"HEAD {path} HTTP/1.1\r\nHost: prep\r\nConnection: close\r\n\r\n"
                        connection.sendall(request.encode())
                        connection.recv(16)
            except OSError:
                time.sleep(0.2)
                continue
            tell()
            return

    threading.Thread(target=wait, name="aviso", daemon=True).start()
