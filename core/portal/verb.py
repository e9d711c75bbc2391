"""`prep portal`: serves the public files of a folder to browsers."""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output

PORT = 8070
READY_S = 30.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "carpeta",
        type=Path,
        metavar="DIR",
        help="carpeta publicada: un destino, o la de trabajo de una corrida",
    )
    parser.add_argument("--puerto", type=int, default=PORT, metavar="N", help=f"puerto; {PORT} si no se dice")
    parser.add_argument(
        "--anfitrion", default="127.0.0.1", metavar="DIR", help="dirección en que atiende; esta máquina si no"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Serve until Ctrl-C or SIGTERM. The folder may still be empty: cuts are seen as they come."""
    from core.portal.server import serve

    folder: Path = args.carpeta
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} no es una carpeta.")
    _check_port(args.anfitrion, args.puerto)
    host = f"[{args.anfitrion}]" if ":" in args.anfitrion else args.anfitrion
    address = f"http://{host}:{args.puerto}/"

    def tell() -> None:
        print(f"Portal en {address} (Ctrl-C para terminar)", file=sys.stderr, flush=True)

    _tell_when_ready(args.anfitrion, args.puerto, tell)
    serve(folder, args.anfitrion, args.puerto)
    return Answer(DONE, {"carpeta": folder, "direccion": address}, "")


def _check_port(host: str, port: int) -> None:
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
        except OSError as error:
            raise UsageError(
                f"No se puede atender en {host}, puerto {port}: ya lo usa otro programa, hace falta permiso "
                "o la dirección no es de esta máquina. Elija otro con --puerto."
            ) from error


def _tell_when_ready(host: str, port: int, tell: Callable[[], None]) -> None:
    """Call `tell`, from another thread, once somebody answers there."""

    def wait() -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            try:
                with socket.create_connection(
                    ("127.0.0.1" if host in ("0.0.0.0", "") else host, port), 1.0
                ) as connection:
                    connection.settimeout(READY_S)
                    connection.sendall(
                        b"HEAD /corte.json HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n"
                    )
                    connection.recv(16)
            except OSError:
                time.sleep(0.2)
                continue
            tell()
            return

    threading.Thread(target=wait, name="aviso", daemon=True).start()


VERB = Verb(
    name="portal",
    summary="Sirve el portal público de una carpeta publicada",
    add_arguments=_arguments,
    run=_run,
    examples=("prep portal salida/portal/publico --puerto 8070",),
)
