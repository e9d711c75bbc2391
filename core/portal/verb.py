"""`prep portal`: serves the public files of a folder to browsers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError
from core.listening import check_port, tell_when_ready
from core.portal.limit import RATE

if TYPE_CHECKING:
    from core.cli_output import Output

PORT = 8070


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "carpeta",
        type=Path,
        metavar="DIR",
        help="carpeta publicada: un destino, o la de trabajo de una corrida",
    )
    parser.add_argument("--puerto", type=int, default=PORT, metavar="N", help=f"puerto; {PORT} si no se dice")
    parser.add_argument(
        "--limite",
        type=int,
        default=RATE,
        metavar="N",
        help=f"peticiones por segundo de cada dirección; 0, ni eso ni las descargas se limitan; {RATE} si no",
    )
    parser.add_argument(
        "--anfitrion", default="127.0.0.1", metavar="DIR", help="dirección en que atiende; esta máquina si no"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Serve until Ctrl-C or SIGTERM. The folder may still be empty: cuts are seen as they come."""
    from core.portal.server import serve

    folder: Path = args.carpeta
    if not folder.is_dir():
        raise UsageError(
            f"{folder} no es una carpeta."
            if folder.exists()
            else f"No existe la carpeta {folder}. Si la noche "
            "todavía no empieza, créela vacía: el portal muestra los cortes conforme llegan."
        )
    if args.limite < 0:
        raise UsageError("--limite es un número de peticiones por segundo, o 0 para no limitar.")
    check_port(args.anfitrion, args.puerto)
    host = f"[{args.anfitrion}]" if ":" in args.anfitrion else args.anfitrion
    address = f"http://{host}:{args.puerto}/"

    def tell() -> None:
        print(f"Portal en {address} (Ctrl-C para terminar)", file=sys.stderr, flush=True)

    tell_when_ready(args.anfitrion, args.puerto, tell, "/corte.json")
    serve(folder, args.anfitrion, args.puerto, args.limite)
    return Answer(DONE, {"carpeta": folder, "direccion": address}, "")


VERB = Verb(
    name="portal",
    summary="Sirve el portal público de una carpeta publicada",
    add_arguments=_arguments,
    run=_run,
    examples=("prep portal salida/portal-publico --puerto 8070",),
)
