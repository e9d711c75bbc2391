"""`prep publicar`: the service that publishes a cut every few minutes, until the last one.

The edge of the service: its options, the wall clock, the ticker, signals and what it writes for people. What
it does at each tick is `service`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.publishing.config import Config

TICK_S = 5
LOG = "publicador.jsonl"
PASSPHRASE = "PREP_LLAVE_FRASE"


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--base", metavar="URL", help="base de datos: ruta de SQLite o URL de PostgreSQL")
    add("--trabajo", type=Path, metavar="DIR", help="carpeta de trabajo, donde se arman los cortes")
    add(
        "--destino", action="append", default=[], metavar="X",
        help="carpeta o s3://cubo/prefijo a donde se lleva lo publicado (se puede repetir)",
    )  # fmt: skip
    add("--llave", type=Path, metavar="ARCHIVO", help="llave que firma; en simulacro se hace una si falta")
    add("--cada", type=int, metavar="MIN", help="minutos entre cortes, a lo más 20 (15 si no se dice)")
    add("--inicio", metavar="ISO", help="hora del primer corte (la de apertura de la operación)")
    add("--cierre", metavar="ISO", help="hora del último corte (la de cierre de la operación)")
    add("--imagenes", metavar="DIR", help="dónde están las imágenes de las actas: carpeta o s3://")
    add("--presupuesto", type=int, metavar="S", help="segundos que puede tardar un corte antes de detenerlo")
    add(
        "--cierre-anticipado", action="store_true",
        help="cerrar en cuanto estén registradas todas las actas (con la lista de las sin acta)",
    )  # fmt: skip
    add("--responsable", metavar="NOMBRE", help="quién responde del cierre anticipado")
    add("--una-vez", action="store_true", help="hacer lo que toque en este momento y terminar")
    add("--config", type=Path, metavar="TOML", help="archivo con estas mismas opciones")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Publish. Exit 0 when everything that was due went out, 1 when an alarm remains, 2 for bad usage."""
    from core.publishing.run import publish

    config = _config(args)
    assert config.trabajo is not None
    state, finished = publish(config, config.trabajo, once=args.una_vez, tell=_teller(config.trabajo, out))
    alarms = [text for text, _ in state.alarms.values()]
    data: dict[str, object] = {
        "estado": state.status.value, "corte": state.cut, "perdidas": state.missed, "alarmas": alarms,
        "terminado": finished,
    }  # fmt: skip
    lines = [f"{_STATES[state.status.value]} Último corte: {state.cut or 'ninguno'}."]
    lines += [f"ALARMA  {text}" for text in alarms]
    return Answer(ANSWER_IS_NO if alarms else DONE, data, "\n".join(lines))


_STATES = {
    "esperando": "El publicador espera la hora del siguiente corte.",
    "publicando": "El publicador se detuvo.",
    "detenida": "La publicación está detenida por dos personas.",
    "cerrada": "La publicación terminó.",
    "fuera_de_horario": "El publicador se detuvo, o no es hora de publicar.",
    "en_reserva": "Otro publicador está trabajando; este quedó en reserva.",
}


def _config(args: argparse.Namespace) -> Config:
    from core.errors import UsageError
    from core.publishing.config import Config, over, parse_time, read_config

    config = read_config(args.config) if args.config is not None else Config()
    given: dict[str, Any] = {
        **vars(args),
        "destino": tuple(args.destino),
        "inicio": parse_time(args.inicio) if args.inicio else None,
        "cierre": parse_time(args.cierre) if args.cierre else None,
    }
    config = over(config, **given)
    if not config.base or config.trabajo is None:
        raise UsageError("Faltan --base URL y --trabajo DIR (o decirlos en --config).")
    if config.cierre_anticipado and not config.responsable:
        raise UsageError("El cierre anticipado lleva quién responde de él: --responsable NOMBRE.")
    return config


def _teller(folder: Path, out: Output) -> Any:
    """Writes each happening as a JSON line in the folder, and for people where they look."""
    import sys
    from time import time

    import orjson

    folder.mkdir(parents=True, exist_ok=True)

    def tell(what: str, data: dict[str, Any]) -> None:
        line = orjson.dumps({"hora_ms": round(time() * 1000), "que": what, **data})
        with (folder / LOG).open("ab") as log:
            log.write(line + b"\n")
        if not out.silent:
            print(_words(what, data), file=sys.stderr, flush=True)

    return tell


def _words(what: str, data: dict[str, Any]) -> str:
    if what == "corte":
        return f"Corte {data['corte']} publicado en {data['segundos']:.1f} s."
    if what == "alarma":
        return f"ALARMA: {data['texto']}"
    if what == "aviso":
        return f"Aviso en la bitácora pública: publicación {data['tipo']}."
    return {
        "inicio": "El publicador empezó a trabajar.",
        "reserva": "Este proceso publica.",
        "reserva_perdida": "Otro publicador tomó la reserva.",
        "ranura_completada": "Se completó un corte que había quedado a medias.",
        "terminado": "Salió el último corte: la publicación terminó.",
        "fin": "El publicador terminó.",
    }.get(what, what)


VERB = Verb(
    name="publicar",
    summary="Publica un corte cada pocos minutos y lo lleva a sus destinos",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep publicar --base noche.db --trabajo publicacion --destino /srv/prep --cada 15",
        "prep publicar --config publicador.toml --llave oficial.pem",
    ),
)
