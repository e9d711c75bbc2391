"""`prep carga`: a load test with its verdict. Arguments and exit codes; the test is `loadtests.run`."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import PrepError, UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from loadtests.profile import Profile
    from loadtests.run import Options

INVALID = 3
"""No valid test: as `loadtests.verdict` says, and also when none could be made."""
PAGES, CUT_S = 500_000, 20 * 60
"""For sizing: open pages when nobody says, and seconds between cuts."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s?)?")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "perfil", metavar="PERFIL", help="un perfil, la ruta de un archivo .toml, «lista» o «dimensionar»"
    )
    parser.add_argument("--objetivo", metavar="URL", help="raíz del portal o de la sala que se prueba")
    parser.add_argument("--usuarios", type=int, metavar="N", help="usuarios; los del perfil si no se dice")
    parser.add_argument("--duracion", metavar="T", help="30s, 5m, 1h30m; la del perfil si no se dice")
    parser.add_argument(
        "--salida", type=Path, metavar="DIR", help="carpeta de los informes; salida/carga/PERFIL"
    )
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
        default=0,
        metavar="N",
        help="reparte la carga en N procesos de esta máquina",
    )
    group.add_argument(
        "--maestro", type=int, default=0, metavar="N", help="espera a N trabajadores de otras máquinas"
    )
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


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Make the test. Exit 0 passed, 2 a threshold broken, 3 no valid test."""
    try:
        return _test(args, out)
    except PrepError as error:
        # Not 2: here that means that the server did not hold.
        print(f"prep carga: no hubo prueba: {error}", file=sys.stderr)
        return Answer(
            INVALID, {"veredicto": "prueba inválida", "codigo": INVALID, "error": error.as_data()}, ""
        )


def _test(args: argparse.Namespace, out: Output) -> Answer:
    import orjson

    from loadtests import profile, report, run

    if args.perfil == "lista":
        return _list()
    if args.perfil == "dimensionar":
        return _size(args)
    options = _options(args, profile.read(profile.find(args.perfil)))
    if args.trabajador:
        host, _, port = args.trabajador.partition(":")
        code = run.work(options, host, int(port or args.puerto_maestro))
        if code != 0:
            raise PrepError(f"el trabajador terminó con {code}; {options.folder / 'locust.log'} dice por qué")
        return Answer(
            DONE, {"maestro": args.trabajador}, "El maestro terminó la prueba; el veredicto es suyo."
        )
    if not args.silencio and not args.json:
        what = (
            f"{options.profile.title}: {options.users:,} usuarios, {options.seconds} s, {options.target.url}"
        )
        print(f"{what}…", file=sys.stderr, flush=True)
    result = run.run(options)
    data = report.data(result)
    (options.folder / "veredicto.json").write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    (options.folder / "informe.html").write_text(report.html(result), encoding="utf-8")
    return Answer(result.verdict.code, data, report.text(result))


def _list() -> Answer:
    from loadtests import profile

    found = [profile.read(profile.find(name)) for name in profile.names()]
    text = "\n".join(f"{one.name:<22} {one.about}" for one in found)
    return Answer(DONE, {"perfiles": {one.name: one.about for one in found}}, text)


def _size(args: argparse.Namespace) -> Answer:
    from loadtests import profile, sizing

    if args.publicacion is None:
        raise UsageError("dimensionar pide --publicacion DIR: de ahí salen los tamaños")
    habits = profile.read(profile.find("noche-jalisco"))
    pages = args.usuarios or PAGES
    sizes = sizing.sizes_of(args.publicacion)
    costs = sizing.measure(args.publicacion)
    found = sizing.phases(habits, pages, sizes, costs, CUT_S)
    return Answer(DONE, sizing.data(sizes, costs, found), sizing.text(habits, pages, sizes, costs, found))


def _options(args: argparse.Namespace, profile: Profile) -> Options:
    from loadtests import run, target
    from loadtests.content import Expected
    from loadtests.generator import Processes

    if not args.objetivo:
        raise UsageError("falta --objetivo URL")
    where = target.parse(args.objetivo)
    for name in ("usuarios", "trabajadores", "maestro"):
        value = getattr(args, name)
        if value is not None and value < (1 if name == "usuarios" else 0):
            raise UsageError(f"--{name} debe ser positivo; se pidió {value}")
    if args.calibracion < 0:
        raise UsageError("--calibracion no puede ser negativa")
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
        folder=args.salida or Path("salida/carga") / profile.name,
        users=args.usuarios or profile.users,
        seconds=_seconds(args.duracion) if args.duracion else profile.seconds,
        expected=Expected(args.modo, args.eleccion, args.entidad, args.origen),
        processes=Processes(args.trabajadores, args.maestro, args.puerto_maestro, args.web),
        permission=args.confirmacion,
        foreign=args.objetivo_ajeno,
        base=args.base,
        publication=args.publicacion,
        ceiling_target=ceiling_target,
        calibration_s=args.calibracion,
    )
    if args.credenciales is not None:
        options = replace(options, credentials=run.read_credentials(args.credenciales))
    return options


def _seconds(word: str) -> int:
    found = _DURATION.fullmatch(word)
    total = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
        if found
        else 0
    )
    if not total:
        raise UsageError(f"--duracion «{word}»: se esperaba algo como 30s, 5m o 1h30m")
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
