"""The options of `make carga`, and in what a run is less than the whole bench. It runs nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.cli_spanish import SpanishParser, integer, number

IMAGES = 0.03
"""Part of the actas with their image: enough for those that are opened to bring some."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What the bench is when nobody asks for less."""

    parts: tuple[str, ...] = ("nginx", "integrado", "negacion", "sala")
    seconds: int = 60
    users: int = 500
    images: float = IMAGES


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """The options. Raises ArgumentsError."""
    whole = Whole()
    parser = SpanishParser(
        prog="make carga", add_help=False, usage="bash scripts/carga.sh .venv/bin [OPCIONES]",
        description="Prueba con carga el portal, detrás de nginx y con el servidor integrado, y la sala de "
        "un simulacro en vivo.\nTermina con 0 si todo se alcanzó, 2 si algo no, 3 si algo no se pudo medir, "
        "130 si se interrumpió.",
    )  # fmt: skip
    parser.add_argument("-h", "--ayuda", "--help", action="help", help="muestra esta ayuda y termina")
    parser.add_argument("--salida", type=Path, default=Path("salida/carga"), metavar="DIR",
                        help="carpeta de los informes; salida/carga")  # fmt: skip
    parser.add_argument("--duracion", type=_within(5, 3600), default=whole.seconds, metavar="S",
                        help=f"segundos de cada prueba, de 5 a 3,600; {whole.seconds}")  # fmt: skip
    parser.add_argument("--usuarios", type=_within(1, 100_000), default=whole.users, metavar="N",
                        help=f"usuarios del minuto de la noche; {whole.users}")  # fmt: skip
    parser.add_argument("--imagenes", type=_part, default=IMAGES, metavar="P",
                        help=f"parte de las actas con su imagen, a lo más 1; {IMAGES}")  # fmt: skip
    parser.add_argument("--solo", nargs="+", choices=whole.parts, default=whole.parts,
                        help="solo estas partes: " + ", ".join(whole.parts), metavar="PARTE")  # fmt: skip
    # For whoever installs something before the bench: whether the options are right.
    parser.add_argument("--revisar", action="store_true", help=argparse.SUPPRESS)
    args: argparse.Namespace = parser.parse_args(argv)
    return args


def _within(least: int, most: int) -> Callable[[str], int]:
    def read(word: str) -> int:
        value = integer(word)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"se esperaba un número de {least:,} a {most:,}; se recibió «{word}»"
            )
        return value

    return read


def _part(word: str) -> float:
    value = number(word)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(
            f"se esperaba un número mayor que 0, a lo más 1; se recibió «{word}»"
        )
    return value


def partial(args: argparse.Namespace) -> str:
    """In what a run is less than the whole bench, in Spanish; empty when it is not."""
    whole = Whole()
    said = []
    if out := [one for one in whole.parts if one not in args.solo]:
        said.append(f"sin {' ni '.join(out)}")
    if args.duracion < whole.seconds:
        said.append(f"{args.duracion} s cada prueba y no {whole.seconds}")
    if args.usuarios < whole.users:
        said.append(f"{args.usuarios} usuarios y no {whole.users}")
    if args.imagenes < whole.images:
        said.append(f"{args.imagenes:g} de las actas con su imagen y no {whole.images:g}")
    return "; ".join(said)
