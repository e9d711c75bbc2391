"""`prep carga`: a load test with its verdict. Arguments and exit codes; the test is `loadtests.run`."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.cli_spanish import ArgumentsError
from core.cli_verb import DONE, Answer, Verb
from core.errors import LONGEST_MESSAGE, InputError, PrepError, UsageError, shown
from loadtests.codes import BROKEN, INVALID
from loadtests.processes import catch_termination
from loadtests.reasons import why

if TYPE_CHECKING:
    from core.cli_output import Output
    from loadtests.profile import Profile
    from loadtests.run import Options

PAGES = 500_000
"""For sizing: open pages when nobody says."""
LIMITS: dict[str, tuple[int, int]] = {
    "usuarios": (1, 1_000_000),
    "trabajadores": (1, 256),
    "maestro": (1, 10_000),
    "puerto_maestro": (1, 65_535),
    "web": (1, 65_535),
    "calibracion": (0, 60),
}
"""The numbers that make sense for each option."""
MOST_PAGES = 1_000_000_000
MOST_S = 7 * 86_400
"""The longest test: that of the longest permission."""
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m(?:in)?)?(?:(\d{1,9})s?)?")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "perfil", metavar="PERFIL", help="un perfil, la ruta de un archivo .toml, «lista» o «dimensionar»"
    )
    parser.add_argument("--objetivo", metavar="URL", help="raíz del portal o de la sala que se prueba")
    parser.add_argument("--usuarios", type=int, metavar="N", help="usuarios; los del perfil si no se dice")
    parser.add_argument("--duracion", metavar="T", help="30s, 5m, 1h30m; la del perfil si no se dice")
    parser.add_argument(
        "--salida", type=Path, metavar="DIR", help="carpeta de los informes; salida/carga/PERFIL, -2, -3…"
    )
    parser.add_argument("--reemplazar", action="store_true", help="rehace el informe que haya en --salida")
    parser.add_argument("--modo", choices=("simulacro", "oficial"), default="simulacro",
                        help="modo que debe tener la publicación; simulacro si no se dice")  # fmt: skip
    parser.add_argument("--eleccion", metavar="TEXTO", help="elección que debe decir corte.json")
    parser.add_argument("--entidad", type=int, metavar="N", help="entidad que debe decir corte.json")
    parser.add_argument("--origen", metavar="TEXTO", help="origen de la bitácora que debe decir corte.json")
    parser.add_argument(
        "--credenciales",
        type=Path,
        metavar="TOML",
        help="para la sala: usuario y contraseña de muro y operador",
    )
    parser.add_argument(
        "--base", metavar="URL", help="base del ensayo: al final se comprueba y se repite su bitácora"
    )
    parser.add_argument(
        "--publicacion", type=Path, metavar="DIR", help="carpeta publicada: al final se verifica completa"
    )
    parser.add_argument("--sin-techo", action="store_true", help="no mide el techo del servidor con wrk")
    parser.add_argument(
        "--techo",
        metavar="URL",
        help="mide el techo de este otro servidor, el mismo sin límites por dirección",
    )
    parser.add_argument(
        "--web",
        nargs="?",
        type=int,
        const=8089,
        metavar="PUERTO",
        help="abre la página de Locust en esta máquina; 8089",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--trabajadores",
        type=int,
        metavar="N",
        help="reparte la carga en N procesos de esta máquina",
    )
    group.add_argument("--maestro", type=int, metavar="N", help="espera a N trabajadores de otras máquinas")
    group.add_argument("--trabajador", metavar="MAESTRO", help="trabaja para el maestro de esa dirección")
    parser.add_argument(
        "--puerto-maestro",
        type=int,
        default=5557,
        metavar="N",
        help="puerto entre maestro y trabajadores; 5557",
    )
    parser.add_argument(
        "--calibracion",
        type=float,
        default=3.0,
        metavar="S",
        help="segundos en que el generador se mide a sí mismo; 3",
    )
    parser.add_argument(
        "--objetivo-ajeno",
        action="store_true",
        help="el objetivo no es de esta máquina y su responsable lo autorizó",
    )
    parser.add_argument(
        "--confirmacion", type=Path, metavar="TOML", help="la autorización del responsable del objetivo ajeno"
    )
    usual = parser.parse_args

    def parse(words: Any = None, namespace: Any = None) -> Any:
        try:
            return usual(words, namespace)
        except ArgumentsError as error:
            print(f"{error.usage}\n{parser.prog}: error: {error}", file=sys.stderr)
            print(f"«{parser.prog} --help» explica el uso.", file=sys.stderr)
            if "--json" in (words or ()):
                print(json.dumps(_no_test(error), ensure_ascii=False))
            # Not the usual 2: here that means that the server did not hold.
            raise SystemExit(INVALID) from None

    parser.parse_args = parse  # type: ignore[method-assign,assignment]


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Make the test. Exit 0 passed, 2 a threshold broken, 3 no valid test."""
    try:
        with catch_termination():
            return _test(args, out)
    except (PrepError, OSError) as found:
        error = found if isinstance(found, PrepError) else PrepError(_os_text(found))
        print(f"prep carga: no hubo prueba: {shown(error, LONGEST_MESSAGE)}", file=sys.stderr)
        return Answer(INVALID, _no_test(error), "")


def _no_test(error: PrepError) -> dict[str, object]:
    return {"veredicto": "prueba inválida", "codigo": INVALID, "error": error.as_data()}


def _os_text(error: OSError) -> str:
    reason = why(error)
    return reason if error.filename is None else f"«{error.filename}»: {reason}"


def _test(args: argparse.Namespace, out: Output) -> Answer:
    import orjson

    from core.whole_file import write_whole
    from loadtests import profile, run
    from loadtests.reporting import report

    if args.perfil == "lista":
        return _list()
    if args.perfil == "dimensionar":
        return _size(args)
    options = _options(args, profile.read(profile.find(args.perfil)))
    if args.trabajador is not None:
        host, port = _master(args.trabajador, args.puerto_maestro)
        _say(args, f"Esperando al maestro en {host}, puerto {port}…")
        code, looked = run.work(options, host, port)
        if code != 0:
            raise PrepError(
                f"el trabajador terminó con {code}: en {host}, puerto {port}, no hay un maestro de prep "
                f"carga, o la prueba se cortó ({options.folder / 'locust.log'} dice más)"
            )
        bad = [f"{one.what}: {one.detail}" for one in looked if not one.good]
        if bad:
            return Answer(BROKEN, {"maestro": args.trabajador, "no_se_cumple": bad}, "\n".join(bad))
        return Answer(
            DONE, {"maestro": args.trabajador}, "El maestro terminó la prueba; el veredicto es suyo."
        )
    for name, port in (("--web", args.web), ("--puerto-maestro", args.puerto_maestro)):
        if name == "--web" or options.processes.distributed:
            # A master that waits for other machines listens on all the addresses of this one.
            _check_port(name, port, "" if name != "--web" and args.maestro else "127.0.0.1")
    what = f"{options.profile.title}: {options.users:,} usuarios, {options.seconds} s, {options.target.url}…"
    if args.maestro is not None:
        what += f"\nSe espera a {args.maestro} trabajadores en el puerto {args.puerto_maestro}."
    if args.web is not None:
        what += (
            f"\nLa página de Locust (en inglés) está en http://127.0.0.1:{args.web} mientras dura la prueba; "
            "se cierra sola al acabar. Lo que se juzga queda en el informe."
        )
    result = run.run(options, lambda: _say(args, what))
    data = report.data(result)
    try:
        # The verdict at the end: when it is there, everything is.
        write_whole(options.folder / run.REPORT, report.html(result).encode())
        write_whole(options.folder / run.VERDICT, orjson.dumps(data, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise InputError(options.folder, message=f"no se pudo escribir el informe: {why(error)}") from error
    return Answer(result.verdict.code, data, report.text(result))


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.silencio and not args.json:
        print(text, file=sys.stderr, flush=True)


def _folder(args: argparse.Namespace, name: str) -> Path:
    """Where the report goes: one nobody has, or the one that was asked for. Raises UsageError.

    A report that is there is only made again when told, and only when it is of a load test.
    """
    from loadtests.run import REPORT, VERDICT

    def taken(folder: Path) -> bool:
        return (folder / VERDICT).exists() or (folder / REPORT).exists()

    if args.salida is None:
        usual = Path("salida/carga") / name
        names = (
            usual.with_name(f"{name}-{number}") if number > 1 else usual for number in itertools.count(1)
        )
        return usual if args.reemplazar else next(one for one in names if not taken(one))
    folder: Path = args.salida
    if taken(folder):
        if not (folder / VERDICT).is_file():
            raise UsageError(f"--salida «{folder}» tiene un {REPORT} que no es de prep carga; use otra")
        if not args.reemplazar:
            raise UsageError(
                f"--salida «{folder}» ya tiene el informe de una prueba; use otra, o --reemplazar si ya no "
                "lo quiere"
            )
    return folder


def _master(word: str, usual: int) -> tuple[str, int]:
    """Host and port of `--trabajador`. Raises UsageError."""
    try:
        parts = urlsplit(f"//{word}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.netloc != word or parts.username is not None or word.endswith(":") or port == 0:
        raise UsageError(
            f"--trabajador «{word}»: se esperaba la dirección del maestro, con su puerto o sin él, como "
            "10.0.0.5:5557"
        )
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--trabajador «{word}»: no se encuentra esa dirección: {why(error)}") from error
    return host, port or usual


def _check_port(name: str, port: int | None, host: str) -> None:
    """Whether one can listen there: Locust would only say it in its log. Raises UsageError."""
    if port is None:
        return
    with socket.socket() as one:
        # As servers do: a port whose last connections are still closing is free.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            raise UsageError(f"{name} {port}: {_os_text(error)}") from error


def _list() -> Answer:
    from loadtests import profile

    found = [profile.read(profile.find(name)) for name in profile.names()]
    text = "\n".join(f"{one.name:<22} {one.about}" for one in found)
    return Answer(DONE, {"perfiles": {one.name: one.about for one in found}}, text)


def _size(args: argparse.Namespace) -> Answer:
    from loadtests import profile
    from loadtests.sizing import costs
    from loadtests.sizing import night as sizing
    from loadtests.sizing import text as sizing_text

    if args.publicacion is None:
        raise UsageError("dimensionar pide --publicacion DIR: de ahí salen los tamaños")
    _within(args, "usuarios", 1, MOST_PAGES)
    habits = profile.read(profile.find("noche-jalisco"))
    sizes = sizing.sizes_of(args.publicacion)
    found = sizing.night(
        habits, args.usuarios or PAGES, sizes, costs.measure(sizing.portal_bytes(args.publicacion))
    )
    return Answer(DONE, sizing_text.data(found), sizing_text.text(found))


def _options(args: argparse.Namespace, profile: Profile) -> Options:
    from loadtests import run, target
    from loadtests.generating.generator import Processes
    from loadtests.judging.content import Expected

    if not args.objetivo:
        raise UsageError("falta --objetivo URL")
    where = target.parse(args.objetivo)
    for name, (least, most) in LIMITS.items():
        _within(args, name, least, most)
    ceiling_target = None
    if not args.sin_techo and profile.target == "portal":
        ceiling_target = target.parse(args.techo) if args.techo else where
        if not ceiling_target.own:
            if args.techo:
                raise UsageError("--techo solo puede ser de esta máquina")
            ceiling_target = None
    options = run.Options(
        profile=profile,
        target=where,
        folder=_folder(args, profile.name),
        users=args.usuarios or profile.users,
        seconds=_seconds(args.duracion) if args.duracion else profile.seconds,
        expected=Expected(args.modo, args.eleccion, args.entidad, args.origen),
        processes=Processes(args.trabajadores or 0, args.maestro or 0, args.puerto_maestro, args.web),
        permission=args.confirmacion,
        foreign=args.objetivo_ajeno,
        base=args.base,
        publication=args.publicacion,
        watched=args.publicacion,
        ceiling_target=ceiling_target,
        calibration_s=args.calibracion,
    )
    if args.credenciales is not None:
        options = replace(options, credentials=run.read_credentials(args.credenciales))
    return options


def _within(args: argparse.Namespace, name: str, least: int, most: int) -> None:
    """Whether an option that was given is a number that makes sense. Raises UsageError."""
    value = getattr(args, name)
    if value is not None and not least <= value <= most:
        option = name.replace("_", "-")
        raise UsageError(f"--{option}: se esperaba un número de {least:,} a {most:,}; se pidió {value}")


def _seconds(word: str) -> int:
    found = _DURATION.fullmatch(word)
    total = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
        if found
        else 0
    )
    if not total:
        raise UsageError(f"--duracion «{word}»: se esperaba algo como 30s, 5m o 1h30m")
    if total > MOST_S:
        raise UsageError(f"--duracion «{word}»: una prueba dura a lo más {MOST_S // 86_400} días")
    return total


VERB = Verb(
    name="carga",
    summary="Prueba con carga el portal o la sala y da un veredicto",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep carga lista",
        "prep carga dimensionar --publicacion salida/carga/publico --usuarios 500000",
        "prep carga humo --objetivo http://127.0.0.1:8070",
        "prep carga noche-jalisco --objetivo http://127.0.0.1:8070 --duracion 5m --trabajadores 2",
        "prep carga muro --objetivo http://127.0.0.1:8050 --credenciales sala.toml",
        "prep carga apertura --objetivo https://prep.ejemplo.mx --objetivo-ajeno --confirmacion permiso.toml",
    ),
)
