"""`prep llave`: make, look at and replace the key that signs the public log, and rehearse doing so.

The ceremony of two persons, custody and what to do after a loss are in docs/llaves.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.transparency.keys import SigningKey

NEW = "PREP_LLAVE_FRASE_NUEVA"


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="accion", metavar="ACCIÓN", required=True, title="acciones")
    make = actions.add_parser("generar", help="hace una llave nueva, cifrada con las mitades de dos personas")
    make.add_argument("archivo", type=Path, metavar="ARCHIVO", help="archivo nuevo para la llave")
    who = make.add_mutually_exclusive_group(required=True)
    who.add_argument("--origen", metavar="ORIGEN", help="origen del registro, p. ej. prep.jal.2021/oficial")
    who.add_argument("--testigo", metavar="NOMBRE", help="hace una llave de testigo con ese nombre")
    make.add_argument(
        "--sin-cifrar", action="store_true", help="sin frase de paso: solo de simulacro o de testigo"
    )
    _halves(make)
    look = actions.add_parser("ver", help="dice de qué registro y modo es una llave, sin abrirla")
    look.add_argument(
        "archivo", type=Path, metavar="ARCHIVO", help="archivo de llave, o carpeta con llaves.json"
    )
    look.add_argument("--abrir", action="store_true", help="comprueba además que la frase de paso la abre")
    _halves(look)
    change = actions.add_parser("rotar", help="entrega el registro a otra llave; la anterior firma el cambio")
    change.add_argument("--trabajo", type=Path, required=True, metavar="DIR", help="carpeta de trabajo")
    change.add_argument("--llave", type=Path, required=True, metavar="ARCHIVO", help="la llave en uso")
    change.add_argument("--nueva", type=Path, required=True, metavar="ARCHIVO", help="la llave nueva")
    change.add_argument("--motivo", required=True, metavar="TEXTO", help="por qué; queda publicado")
    change.add_argument("--instante", metavar="ISO", help="momento del cambio, con zona; sin él, ahora")
    _halves(change)
    change.add_argument("--nueva-mitad-1", type=Path, metavar="ARCHIVO", help="primera mitad de la nueva")
    change.add_argument("--nueva-mitad-2", type=Path, metavar="ARCHIVO", help="segunda mitad de la nueva")
    drill = actions.add_parser("ensayo", help="ensaya la ceremonia completa con una llave que se destruye")
    _halves(drill)
    for action in (make, look, change, drill):
        # The frame reads these after the verb; here they are accepted after the action too.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="responde en JSON")
        action.add_argument(
            "--silencio", action="store_true", default=argparse.SUPPRESS, help="no muestra el avance"
        )


def _halves(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mitad-1", type=Path, metavar="ARCHIVO", help="archivo con la primera mitad")
    parser.add_argument("--mitad-2", type=Path, metavar="ARCHIVO", help="archivo con la segunda mitad")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Do the action asked for. Raises UsageError, KeyFileError and the errors of the log."""
    actions = {"generar": _generate, "ver": _show, "rotar": _rotate, "ensayo": _rehearse}
    return actions[args.accion](args)


def _generate(args: argparse.Namespace) -> Answer:
    from core.transparency.keys import generate, generate_witness, mode_of
    from core.transparency.passphrase import new_passphrase

    path: Path = args.archivo
    if args.origen is not None and mode_of(args.origen) == "oficial" and args.sin_cifrar:
        raise UsageError("una llave oficial se guarda cifrada: quite --sin-cifrar")
    if path.exists():
        raise UsageError(f"«{path}» ya existe; una llave no se escribe sobre otra")
    passphrase = None if args.sin_cifrar else new_passphrase((args.mitad_1, args.mitad_2))
    data: dict[str, object] = {"archivo": path, "cifrada": passphrase is not None}
    if args.testigo is not None:
        witness = generate_witness(path, args.testigo, passphrase)
        data |= {"testigo": witness.name, "vkey": witness.vkey}
    else:
        key = generate(path, args.origen, passphrase)
        data |= {"origen": key.origin, "modo": key.mode, "vkey": key.vkey}
    lines = [f"Llave nueva en {path}", f"Llave pública: {data['vkey']}"]
    if passphrase is None:
        lines.append("Sin cifrar: cualquiera que lea el archivo puede firmar con ella.")
    else:
        lines.append("Se abre con la primera mitad seguida de la segunda; sin ambas no hay cómo recuperarla.")
    return Answer(DONE, data, "\n".join(lines))


def _show(args: argparse.Namespace) -> Answer:
    from core.transparency import keyring
    from core.transparency.keys import load_key, load_witness, read_headers
    from core.transparency.passphrase import open_passphrase

    path: Path = args.archivo
    if path.is_dir():
        ring = keyring.read(path)
        if ring is None:
            raise UsageError(f"«{path}» no tiene {keyring.NAME}")
        lines = [f"Registro {ring.origin} ({ring.mode})"]
        for one in ring.keys:
            until = _iso(one.until_ms) if one.until_ms is not None else "hoy"
            lines.append(f"{one.vkey}  de {_iso(one.since_ms)} a {until}")
        lines += [f"testigo {name}: {vkey}" for name, vkey in ring.witnesses]
        return Answer(DONE, ring.as_data(), "\n".join(lines))
    headers = read_headers(path)
    data: dict[str, object] = {"archivo": path, **headers, "abierta": None}
    if args.abrir:
        load = load_witness if "testigo" in headers else load_key
        load(path, open_passphrase(path, (args.mitad_1, args.mitad_2)))
        data["abierta"] = True
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if args.abrir:
        lines.append("La frase de paso la abre, y guarda la llave que dice.")
    return Answer(DONE, data, "\n".join(lines))


def _rotate(args: argparse.Namespace) -> Answer:
    import time

    from core.transparency import keyring
    from core.transparency.entries import Llave, parse
    from core.transparency.errors import RetiredKeyError
    from core.transparency.keys import load_key
    from core.transparency.log import CHECKPOINT, EmissionLog
    from core.transparency.passphrase import open_passphrase

    work: Path = args.trabajo
    # Asked before anybody types anything.
    ring = keyring.read(work)
    if ring is None or not (work / CHECKPOINT).is_file():
        raise UsageError(f"«{work}» no tiene un registro público: faltan checkpoint o {keyring.NAME}")
    at_ms = time.time_ns() // 1_000_000 if args.instante is None else _milliseconds(args.instante)
    if at_ms < ring.keys[-1].since_ms:
        raise UsageError("el instante del cambio es anterior al comienzo de la llave en uso")
    old = load_key(args.llave, open_passphrase(args.llave, (args.mitad_1, args.mitad_2)))
    halves = (args.nueva_mitad_1, args.nueva_mitad_2)
    new = load_key(args.nueva, open_passphrase(args.nueva, halves, variable=NEW), mode=old.mode)
    try:
        log = EmissionLog(work, old)
    except RetiredKeyError:
        # The change was cut off between the log and the list of keys: only the list is left to write.
        log = EmissionLog(work, new)
        done = parse(log.entries()[_change(log.entries(), old, new)])
        assert isinstance(done, Llave)
        at_ms, index = done.instante_ms, log.index_of(done.encode())
    else:
        index = log.rotate(new, args.motivo, at_ms)
    ring.rotated(old.vkey, new.vkey, at_ms).write(work)
    data: dict[str, object] = {
        "origen": new.origin, "hoja": index, "anterior": old.vkey, "nueva": new.vkey, "instante_ms": at_ms,
    }  # fmt: skip
    text = (
        f"El registro pasó a la llave nueva en su entrada {index}, firmada por las dos.\n"
        f"Llave pública nueva: {new.vkey}\n"
        "Publique la nueva por los mismos medios que la anterior; la vieja ya no firma este registro."
    )
    return Answer(DONE, data, text)


def _change(entries: list[bytes], old: SigningKey, new: SigningKey) -> int:
    """Where the log says that the old key gave way to the new one. Raises UsageError."""
    from core.transparency.entries import Llave, parse

    for index in reversed(range(len(entries))):
        entry = parse(entries[index])
        if isinstance(entry, Llave) and (entry.anterior, entry.nueva) == (old.vkey, new.vkey):
            return index
    raise UsageError("la llave en uso ya fue sustituida por otra que no es la nueva")


def _rehearse(args: argparse.Namespace) -> Answer:
    import tempfile

    from core.transparency.errors import KeyFileError
    from core.transparency.keys import generate, load_key
    from core.transparency.notes import Checkpoint, open_checkpoint
    from core.transparency.passphrase import given_halves, new_passphrase, open_passphrase

    files = (args.mitad_1, args.mitad_2)
    halves = given_halves(files)
    steps = ["Cada persona dio su mitad."]
    with tempfile.TemporaryDirectory(prefix="prep-ensayo-") as place:
        path = Path(place) / "ensayo.pem"
        passphrase = new_passphrase(files)
        made = generate(path, "prep.ensayo/simulacro", passphrase)
        steps.append("Se hizo y se guardó una llave cifrada con las dos mitades.")
        for half in halves or ():
            try:
                load_key(path, half.encode())
            except KeyFileError:
                continue
            raise KeyFileError("una sola mitad abrió la llave: no use esta ceremonia")
        if halves is not None:
            steps.append("Ninguna mitad la abre sola.")
        opened = load_key(path, open_passphrase(path, files), mode="simulacro")
        steps.append("Las dos mitades, dadas otra vez, la abren.")
        text = Checkpoint(opened.origin, 0, bytes(32)).text
        open_checkpoint(f"{text}\n{opened.sign(text)}", [made.verifier])
        steps.append("Lo que firma se verifica con la llave pública.")
    steps.append("La llave del ensayo se destruyó.")
    numbered = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    return Answer(DONE, {"pasos": steps, "vkey": made.vkey}, "\n".join([*numbered, "Ensayo completo."]))


def _milliseconds(text: str) -> int:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--instante: se esperaba fecha y hora ISO con zona; se encontró «{text}»") from None
    if moment.tzinfo is None:
        raise UsageError(f"--instante: a «{text}» le falta la zona, p. ej. -06:00")
    return round(moment.timestamp() * 1000)


def _iso(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


VERB = Verb(
    name="llave",
    summary="Genera, muestra, ensaya y cambia la llave que firma el registro público",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep llave ensayo",
        "prep llave generar oficial.pem --origen prep.jal.2021/oficial",
        "prep llave ver oficial.pem --abrir",
        "prep llave rotar --trabajo salida/noche --llave vieja.pem --nueva nueva.pem --motivo «Cambio»",
    ),
)
