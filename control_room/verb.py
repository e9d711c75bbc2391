"""`prep sala`: serves the control room, runs its writer alone, and looks after its users."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from control_room.web.context import Room, RoomOptions
    from control_room.web.users import Users
    from core.cli_output import Output

PORT = 8060
USER_ORDERS = ("alta", "baja", "rol", "contrasena", "sesiones", "lista")
DEMO_USERS = {
    "muro": "lectura",
    "operador": "operador",
    "coordinador": "coordinador",
    "publicacion": "publicacion",
    "instructor": "instructor",
    "auditor": "auditor",
    "administracion": "administracion",
}
DEMO_NAME = "Demostración"
"""How the names of demonstration users begin: only those may be given another password without asking."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "orden",
        nargs="*",
        metavar="ORDEN",
        help="nada: sirve la sala; escritor: solo el escritor; usuario alta|baja|rol|contrasena|sesiones "
        "NOMBRE, usuario lista; demo-usuarios",
    )
    parser.add_argument(
        "--base", metavar="URL", help="base de datos de la noche: ruta de SQLite o URL de PostgreSQL"
    )
    parser.add_argument("--puerto", type=int, default=PORT, metavar="N", help=f"puerto; {PORT} si no se dice")
    parser.add_argument(
        "--anfitrion", default="127.0.0.1", metavar="DIR", help="dirección en que atiende; esta máquina si no"
    )
    parser.add_argument(
        "--sala",
        type=Path,
        metavar="DIR",
        help="carpeta de la sala; «sala» junto a la base de SQLite si no se dice",
    )
    parser.add_argument("--config", type=Path, metavar="TOML", help="configuración de la sala")
    parser.add_argument("--escenario", type=Path, metavar="TOML", help="escenario de la noche, para su plan")
    parser.add_argument(
        "--corrida",
        type=Path,
        metavar="DIR",
        help="carpeta de la corrida del simulador, o la --trabajo de prep publicar; la de la base si es una",
    )
    parser.add_argument("--publico", metavar="DIR|URL", help="dónde está lo que el público ve")
    parser.add_argument(
        "--sin-escritor", action="store_true", help="no arranca escritor: hay otro en la carpeta"
    )
    parser.add_argument(
        "--demo", action="store_true", help="crea usuarios de demostración y enseña sus contraseñas"
    )
    parser.add_argument(
        "--detras-de-proxy", action="store_true", help="la atiende un proxy con https en su nombre"
    )
    parser.add_argument(
        "--certificado", type=Path, metavar="PEM", help="certificado para atender con https sin proxy"
    )
    parser.add_argument("--llave-privada", type=Path, metavar="PEM", help="llave privada del certificado")
    parser.add_argument("--rol", metavar="ROL", help="con usuario alta o rol: el rol")
    parser.add_argument("--nombre", metavar="TEXTO", help="con usuario alta: nombre de la persona")
    parser.add_argument(
        "--generar", action="store_true", help="con usuario alta o contrasena: la inventa y la enseña"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    order = args.orden[0] if args.orden else ""
    if order == "usuario":
        return _users(args)
    if order in ("", "escritor", "demo-usuarios") and len(args.orden) > 1:
        raise UsageError(f"«{order}» no lleva «{args.orden[1]}».")
    if order == "":
        return _serve(args, out)
    if order == "escritor":
        return _write(args, out)
    if order == "demo-usuarios":
        return _demo(args)
    raise UsageError(f"No hay una orden «{order}»; las hay: escritor, usuario, demo-usuarios.")


# -- serving ---------------------------------------------------------------------------------------


def _options(args: argparse.Namespace) -> RoomOptions:
    from control_room.web.context import RoomOptions, folder_of

    if not args.base:
        raise UsageError("Falta --base con la base de datos de la noche.")
    folder = folder_of(args.base, args.sala).absolute()
    return RoomOptions(
        base=args.base,
        folder=folder,
        host=args.anfitrion,
        port=args.puerto,
        config=args.config,
        scenario=args.escenario,
        run_folder=args.corrida or _run_folder(args.base),
        public=args.publico,
        behind_proxy=args.detras_de_proxy,
        https=args.certificado is not None,
        demo=args.demo,
    )


_OF_A_NIGHT = (".prep-salida.json", "control.json", "resumen.json", "publicador.json")


def _run_folder(base: str) -> Path | None:
    """The folder of the SQLite file when a run of the simulator made it, or a publisher works in it."""
    from core.storage.database import parse_url

    url = parse_url(base)
    if url.get_backend_name() != "sqlite":
        return None
    folder = Path(url.database or "").absolute().parent
    made = any((folder / name).is_file() for name in _OF_A_NIGHT)
    return folder if made else None


def _serve(args: argparse.Namespace, out: Output) -> Answer:
    from control_room.web.context import open_room
    from control_room.web.serve import WriterChild, serve, writer_command
    from core.listening import check_port, tell_when_ready

    options = _options(args)
    if (args.certificado is None) != (args.llave_privada is None):
        raise UsageError("--certificado y --llave-privada van juntos.")
    for path in (args.certificado, args.llave_privada):
        if path is not None and not path.is_file():
            raise UsageError(f"No existe «{path}».")
    if args.certificado is not None:
        _check_certificate(args.certificado, args.llave_privada)
    _check_inputs(args, options)
    room = open_room(options)
    try:
        demo = _demo_users(options, room) if options.demo else {}
        _check_no_demo_users(options, room)
        if not any(one["baja_ms"] is None for one in room.users.list()):
            out.warn("Nadie puede entrar todavía: «prep sala usuario alta NOMBRE --rol ROL» crea usuarios.")
        mode, title = room.mode, room.config.title or f"PREP {room.catalog.entidad.name}"
    finally:
        room.close()
    del room
    # What was read to check it is not gone through again when leaving: Ctrl-C answers at once.
    gc.freeze()
    check_port(options.host, options.port)
    scheme = "https" if options.https else "http"
    shown = f"[{options.host}]" if ":" in options.host else options.host
    address = f"{scheme}://{shown}:{options.port}/"
    if not _is_loopback(options.host) and not options.secure:
        out.warn("La sala atiende a otras máquinas sin https: las contraseñas viajan a la vista.")

    def ready() -> None:
        out.note(f"{title} ({mode}). Sala de control en {address}")
        for user, password in demo.items():
            out.note(f"  {user:<15} {password}   rol {DEMO_USERS[user]}")
        out.note("Ctrl-C la detiene.")

    tell_when_ready(options.host, options.port, ready, None if options.https else "/entrar")
    writer = None if args.sin_escritor else WriterChild(writer_command(options), out.warn)
    serve(options, writer, certificate=args.certificado, key=args.llave_privada)
    return Answer(DONE, {"direccion": address, "sala": str(options.folder)}, "La sala se detuvo.")


def _check_certificate(certificate: Path, key: Path) -> None:
    """Raises UsageError when they cannot be read or are not of each other."""
    import ssl

    try:
        # Nobody is asked for a password: the server could not give it either.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            f"El certificado «{certificate}» y la llave «{key}» no se entienden o no son uno del otro "
            "(se esperaba PEM, la llave sin contraseña)."
        ) from error


def _check_inputs(args: argparse.Namespace, options: RoomOptions) -> None:
    """What the writer would find wrong, told before anything starts."""
    if options.scenario is not None:
        from simulator.scenario.file import load_scenario

        load_scenario(options.scenario)
    if args.corrida is not None and not args.corrida.is_dir():
        raise UsageError(f"No existe la carpeta de la corrida «{args.corrida}».")


def _write(args: argparse.Namespace, out: Output) -> Answer:
    from control_room.config import load_config
    from control_room.web.serve import CHILD, leave_with_parent
    from control_room.writing.writer import WriterOptions, run_writer

    options = _options(args)
    scenario: Any = None
    if options.scenario is not None:
        from simulator.scenario.file import load_scenario

        scenario = load_scenario(options.scenario)
    # One started by hand, by a service or with nohup stays though whoever started it is gone.
    if os.environ.get(CHILD, "").isdigit():
        leave_with_parent(int(os.environ[CHILD]))
    out.note(f"Escritor de la sala en {options.folder}")
    run_writer(
        WriterOptions(
            database=options.base,
            room=options.folder,
            config=load_config(options.config),
            run_folder=options.run_folder,
            scenario=scenario,
            public=options.public,
        )
    )
    return Answer(DONE, {"sala": str(options.folder)}, "")


# -- users -----------------------------------------------------------------------------------------


def _users(args: argparse.Namespace) -> Answer:
    from control_room import room_db
    from control_room.config import load_config
    from control_room.web import limits
    from control_room.web.context import folder_of, real_ms
    from control_room.web.sessions import AccessLog, Sessions
    from control_room.web.users import Users

    order, user = _user_order(args)
    if args.sala is None and not args.base:
        raise UsageError("Falta --base (o --sala con la carpeta de la sala).")
    config = load_config(args.config)
    found = limits.read(config.access, str(config.path))
    room = room_db.open_room(folder_of(args.base or "", args.sala))
    try:
        users, sessions = Users(room, found), Sessions(room, found)
        log = AccessLog(room, real_ms, real_ms)
        if order == "lista":
            return _listed(users)
        now = real_ms()
        password = ""
        if order in ("alta", "contrasena"):
            password = _invented() if args.generar else _asked()
        if order == "alta":
            if not args.rol:
                raise UsageError("usuario alta lleva --rol.")
            users.add(user, args.nombre or user, args.rol, password, now)
        elif order == "baja":
            users.remove(user, now)
        elif order == "rol":
            if not args.rol:
                raise UsageError("usuario rol lleva --rol.")
            users.set_role(user, args.rol)
        elif order == "contrasena":
            users.set_password(user, password)
        ended = sessions.end_all(user, now, order)
        log.write("usuario", "(consola)", "", "", f"{order} {user} {args.rol or ''}".strip())
    finally:
        room.dispose()
    data: dict[str, object] = {"usuario": user, "orden": order}
    text = f"Hecho: {order} de «{user}»."
    if order == "sesiones":
        data["cerradas"] = ended
        text = f"Sesiones cerradas de «{user}»: {ended}."
    if args.generar and password:
        data["contrasena"] = password
        text += f"\nContraseña: {password}"
    return Answer(DONE, data, text)


def _user_order(args: argparse.Namespace) -> tuple[str, str]:
    if len(args.orden) < 2 or args.orden[1] not in USER_ORDERS:
        raise UsageError(f"usuario lleva una de: {', '.join(USER_ORDERS)}.")
    order = args.orden[1]
    wanted = 2 if order == "lista" else 3
    if len(args.orden) != wanted:
        raise UsageError(
            "usuario lista no lleva nombre." if wanted == 2 else f"usuario {order} lleva un nombre."
        )
    return order, args.orden[2] if wanted == 3 else ""


def _listed(users: Users) -> Answer:
    found = users.list()
    lines = [
        f"{one['usuario']!s:<20} {one['rol']!s:<15} {one['nombre']}{' (baja)' if one['baja_ms'] else ''}"
        for one in found
    ]
    return Answer(DONE, {"usuarios": found}, "\n".join(lines) or "No hay usuarios.")


def _asked() -> str:
    """A password typed twice, or one line of the standard input: never an argument, which others can see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    first = getpass("Contraseña: ")
    if getpass("Otra vez: ") != first:
        raise UsageError("Las dos contraseñas no son iguales.")
    return first


def _invented() -> str:
    import secrets

    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


# -- the demonstration -----------------------------------------------------------------------------


def _demo(args: argparse.Namespace) -> Answer:
    from control_room.web.context import open_room

    options = _options(args)
    room = open_room(options)
    try:
        made = _demo_users(options, room)
    finally:
        room.close()
    lines = [f"{user:<15} {password}   rol {DEMO_USERS[user]}" for user, password in made.items()]
    return Answer(DONE, {"usuarios": made}, "\n".join(lines))


def _check_no_demo_users(options: RoomOptions, room: Room) -> None:
    """Raises UsageError where accounts whose passwords were shown on a screen would be a way in."""
    if room.mode == "simulacro" and _is_loopback(options.host) and not options.behind_proxy:
        return
    left = [
        str(one["usuario"])
        for one in room.users.list()
        if one["baja_ms"] is None and str(one["nombre"]).startswith(DEMO_NAME)
    ]
    if left:
        raise UsageError(
            f"La sala tiene usuarios de demostración ({', '.join(left)}) y así no se puede servir en una "
            "jornada oficial ni a otras máquinas. Délos de baja con «prep sala usuario baja NOMBRE» (antes, "
            "alta de otra cuenta de administración) o use otra carpeta con --sala."
        )


def _demo_users(options: RoomOptions, room: Room) -> dict[str, str]:
    """One user per role with a password made up on the spot; those of an earlier demonstration get another.

    Raises UsageError in an official night, when other machines can reach the room, and when somebody who is
    not of a demonstration has one of the names.
    """
    users, now_ms = room.users, room.real_ms()
    if room.mode != "simulacro":
        raise UsageError("En una jornada oficial no hay usuarios de demostración.")
    if not _is_loopback(options.host) or options.behind_proxy:
        raise UsageError("Los usuarios de demostración solo se admiten si la sala atiende a esta máquina.")
    made: dict[str, str] = {}
    for user, role in DEMO_USERS.items():
        known = users.get(user)
        if known is not None and not known.name.startswith(DEMO_NAME):
            raise UsageError(f"«{user}» ya es un usuario de la sala y no es de demostración.")
        made[user] = _invented()
        if known is None:
            users.add(user, f"{DEMO_NAME} · {role}", role, made[user], now_ms)
        else:
            users.set_password(user, made[user])
            room.sessions.end_all(user, now_ms, "demostración")
    return made


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


VERB = Verb(
    name="sala",
    summary="Sirve la sala de control: la noche en vivo, sus alertas, incidentes y bitácora",
    add_arguments=_add_arguments,
    run=_run,
    examples=(
        "prep sala --base salida/simulacro-5/prep.db --demo",
        "prep sala --base postgresql://usuario@servidor/prep --config sala.toml --detras-de-proxy",
        "prep sala escritor --base salida/simulacro-5/prep.db",
        "prep sala usuario alta ana --rol coordinador --nombre 'Ana Ruiz' --base salida/simulacro-5/prep.db",
    ),
)
