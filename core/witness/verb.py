"""`prep testigo`: be a witness of a public log. Makes its key, serves it, and tells what it has cosigned.

What a witness is, who should be one and what a fork means are in docs/testigos.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError
from core.system_reasons import system_reason

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.transparency.notes import Verifier
    from core.witness.state import WitnessState
    from core.witness.witness import Witness

PORT = 8090


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="accion", metavar="ACCIÓN", required=True, title="acciones")
    make = actions.add_parser("llave", help="hace la llave del testigo y muestra su llave pública")
    make.add_argument("archivo", type=Path, metavar="ARCHIVO", help="archivo nuevo para la llave")
    make.add_argument(
        "--nombre", required=True, metavar="NOMBRE", help="nombre del testigo, p. ej. universidad.mx"
    )
    make.add_argument("--sin-cifrar", action="store_true", help="sin frase de paso: arranca solo")
    _halves(make)
    serve = actions.add_parser("atender", help="firma los checkpoints que continúan lo que ya firmó")
    serve.add_argument("--puerto", type=int, default=PORT, metavar="N", help=f"puerto; {PORT} si no se dice")
    serve.add_argument(
        "--anfitrion", default="127.0.0.1", metavar="DIR", help="dirección en que atiende; esta máquina si no"
    )
    look = actions.add_parser(
        "revisar", help="lee una vez el checkpoint de un portal y lo firma si continúa lo que ya firmó"
    )
    look.add_argument("publicacion", metavar="URL|DIR", help="dirección o carpeta de la publicación")
    look.add_argument("--salida", type=Path, metavar="ARCHIVO", help="dónde dejar el checkpoint ya firmado")
    for action in (serve, look):
        action.add_argument(
            "--llave", type=Path, required=True, metavar="ARCHIVO", help="la llave del testigo"
        )
        _halves(action)
        action.add_argument(
            "--estado", type=Path, required=True, metavar="DIR", help="carpeta donde recuerda lo que firmó"
        )
        action.add_argument(
            "--bitacora", action="append", required=True, metavar="VKEY",
            help="llave pública de una bitácora que sigue, o archivo con ella (se puede repetir)",
        )  # fmt: skip
    show = actions.add_parser(
        "ver", help="dice lo último que firmó de cada bitácora y si vio una bifurcación"
    )
    show.add_argument(
        "--estado", type=Path, required=True, metavar="DIR", help="carpeta de estado de un testigo"
    )
    for action in (make, serve, look, show):
        # The frame reads these after the verb; here they are accepted after the action too.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="responde en JSON")
        action.add_argument(
            "--silencio", action="store_true", default=argparse.SUPPRESS, help="no muestra el avance"
        )


def _halves(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mitad-1", type=Path, metavar="ARCHIVO", help="archivo con la primera mitad de la frase"
    )
    parser.add_argument("--mitad-2", type=Path, metavar="ARCHIVO", help="archivo con la segunda mitad")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Do the action asked for. Raises UsageError, KeyFileError, NoteError and WitnessError."""
    actions = {"llave": _key, "atender": _serve, "revisar": _review, "ver": _show}
    return actions[args.accion](args, out)


def _key(args: argparse.Namespace, out: Output) -> Answer:
    from core.transparency.keys import generate_witness
    from core.transparency.passphrase import new_passphrase

    if args.archivo.exists():
        raise UsageError(f"«{args.archivo}» ya existe; una llave no se escribe sobre otra")
    passphrase = None if args.sin_cifrar else new_passphrase((args.mitad_1, args.mitad_2))
    key = generate_witness(args.archivo, args.nombre, passphrase)
    text = (
        f"Llave nueva en {args.archivo}\n"
        f"Llave pública: {key.vkey}\n"
        "Entréguela a quien publica, con la dirección en que atenderá: --testigo DIRECCIÓN=LLAVE."
    )
    return Answer(
        DONE,
        {"archivo": args.archivo, "testigo": key.name, "vkey": key.vkey, "cifrada": passphrase is not None},
        text,
    )


def _serve(args: argparse.Namespace, out: Output) -> Answer:
    import signal
    import threading

    from core.listening import check_port
    from core.witness.server import WitnessServer

    check_port(args.anfitrion, args.puerto)
    with _witness(args) as (witness, _):

        def tell(who: str, status: int, text: str) -> None:
            if not out.silent:
                print(f"{who} {status} {text}", file=sys.stderr, flush=True)

        with WitnessServer(witness, args.anfitrion, args.puerto, tell) as server:

            def stop(*_: object) -> None:
                threading.Thread(target=server.shutdown, daemon=True).start()

            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            followed = ", ".join(witness.origins)
            print(
                f"Testigo {witness.name} en {server.address}; sigue {followed}", file=sys.stderr, flush=True
            )
            server.serve_forever()
            return Answer(DONE, {"testigo": witness.name, "bitacoras": len(witness.notes())}, "")


def _review(args: argparse.Namespace, out: Output) -> Answer:
    """Exit 0 cosigned, 1 when what is published does not go on from what this witness signed."""
    from core.transparency.errors import LogError, NoteError
    from core.whole_file import write_whole
    from core.witness.errors import RefusedError
    from core.witness.review import open_publication, review

    get = open_publication(args.publicacion)
    with _witness(args) as (witness, state):
        try:
            found = review(witness, state, get)
        except (NoteError, LogError, RefusedError, UsageError) as error:
            raise UsageError(f"{args.publicacion}: {error}") from error
    seen = found.seen
    data = {
        "origen": seen.origin, "tamano": seen.size, "raiz": seen.root.hex(), "anterior": found.before,
        "checkpoint": found.note or None, "motivo": found.against or None,
    }  # fmt: skip
    if found.against:
        text = f"NO SE FIRMA: lo publicado no continúa lo que este testigo firmó. {found.against}"
        return Answer(ANSWER_IS_NO, data, text)
    text = f"{seen.origin}: firmadas {seen.size} entradas, que continúan las {found.before} de antes."
    if args.salida is not None:
        write_whole(args.salida, found.note.encode())
        return Answer(DONE, data, f"{text}\nCheckpoint firmado en {args.salida}")
    return Answer(DONE, data, f"{text}\n\n{found.note}")


@contextmanager
def _witness(args: argparse.Namespace) -> Iterator[tuple[Witness, WitnessState]]:
    """The witness of the options, with its state taken meanwhile."""
    from time import time

    from core.transparency.keys import load_witness
    from core.transparency.passphrase import open_passphrase
    from core.witness.state import WitnessState
    from core.witness.witness import Witness

    logs = [_vkey(text) for text in args.bitacora]
    key = load_witness(args.llave, open_passphrase(args.llave, (args.mitad_1, args.mitad_2)))
    state = WitnessState(args.estado, key.verifier)
    try:
        yield Witness(key, state, logs, lambda: int(time())), state
    finally:
        state.close()


def _show(args: argparse.Namespace, out: Output) -> Answer:
    from core.transparency.notes import parse_checkpoint
    from core.witness.state import evidence_of, read_notes

    folder: Path = args.estado
    if not folder.is_dir():
        raise UsageError(f"«{folder}» no es la carpeta de estado de un testigo")
    logs, lines = [], []
    for origin, note in sorted(read_notes(folder).items()):
        checkpoint = parse_checkpoint(note.text)
        at = _cosigned_at(note)
        logs.append(
            {
                "origen": origin, "tamano": checkpoint.size, "raiz": checkpoint.root.hex(), "firmado_s": at,
                "checkpoint": str(note),
            }
        )  # fmt: skip
        lines.append(
            f"{origin}: {checkpoint.size} entradas, raíz {checkpoint.root.hex()}, firmado {_iso(at)}"
        )
    proofs = evidence_of(folder)
    if not logs:
        lines.append("Todavía no ha firmado nada.")
    lines += [f"BIFURCACIÓN: otra raíz firmada para el mismo tamaño, guardada en {path}" for path in proofs]
    return Answer(
        ANSWER_IS_NO if proofs else DONE,
        {"bitacoras": logs, "bifurcaciones": [str(path) for path in proofs]},
        "\n".join(lines),
    )


def _cosigned_at(note: object) -> int:
    from core.transparency.notes import Note, cosigned_at

    assert isinstance(note, Note)
    return cosigned_at(note.signatures[-1])


def _vkey(text: str) -> Verifier:
    from core.errors import InputError
    from core.foreign_text import foreign_bytes
    from core.transparency.errors import NoteError
    from core.transparency.notes import Verifier

    path = Path(text)
    if "+" in text or not path.is_file():
        return Verifier.from_vkey(text)
    try:
        return Verifier.from_vkey(foreign_bytes(path).decode("utf-8-sig").strip())
    except OSError as error:
        raise InputError(path, message=f"no se puede leer: {system_reason(error)}") from error
    except (NoteError, UnicodeDecodeError):
        raise InputError(
            path, message="no tiene una llave pública: se esperaba nombre+identificador+base64"
        ) from None


def _iso(at_s: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


VERB = Verb(
    name="testigo",
    summary="Es testigo de una bitácora pública: firma que continúa lo que ya vio",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep testigo llave universidad.pem --nombre universidad.mx --sin-cifrar",
        "prep testigo atender --llave universidad.pem --estado testigo --bitacora prep.jal.2021.vkey",
        "prep testigo revisar https://prep.ejemplo.mx/ --llave u.pem --estado testigo --bitacora prep.vkey",
        "prep testigo ver --estado testigo",
    ),
)
