"""`prep publicar`: the service that publishes a cut every few minutes, until the last one.

The edge of the service: its options, the wall clock, the ticker, signals and what it writes for people. What
it does at each tick is `service`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.system_reasons import system_reason

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.publishing.config import Config

TICK_S = 5
LOG = "publicador.jsonl"


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--base", metavar="URL", help="base de datos: ruta de SQLite o URL de PostgreSQL")
    add("--trabajo", type=Path, metavar="DIR", help="carpeta de trabajo, donde se arman los cortes")
    add(
        "--destino", action="append", default=[], metavar="X",
        help="carpeta o s3://cubo/prefijo a donde se lleva lo publicado (se puede repetir)",
    )  # fmt: skip
    add("--llave", type=Path, metavar="ARCHIVO", help="llave que firma; en simulacro se hace una si falta")
    add(
        "--ensayo", metavar="NOMBRE",
        help="nombre de este simulacro, que lo distingue de los demás (sin él, la fecha de la operación)",
    )  # fmt: skip
    for number, which in (("1", "primera"), ("2", "segunda")):
        add(
            f"--mitad-{number}", type=Path, metavar="ARCHIVO",
            help=f"archivo con la {which} mitad de la frase de la llave",
        )  # fmt: skip
    add("--cada", type=int, metavar="MIN", help="minutos entre cortes, a lo más 20 (15 si no se dice)")
    add("--inicio", metavar="ISO", help="hora del primer corte (la de apertura de la operación)")
    add("--cierre", metavar="ISO", help="hora del último corte (la de cierre de la operación)")
    add("--imagenes", metavar="DIR", help="dónde están las imágenes de las actas: carpeta o s3://")
    add(
        "--imagenes-faltantes-pct", type=int, metavar="PCT",
        help="de cada cien actas capturadas, cuántas pueden no tener su imagen sin que sea alarma (5)",
    )  # fmt: skip
    add("--presupuesto", type=int, metavar="S", help="segundos que puede tardar un corte antes de detenerlo")
    add(
        "--cierre-anticipado", action="store_true",
        help="cerrar en cuanto estén registradas todas las actas (con la lista de las sin acta)",
    )  # fmt: skip
    add(
        "--testigo", action="append", default=[], metavar="URL=VKEY",
        help="testigo al que se pide que firme cada corte; nunca se le espera (se puede repetir)",
    )  # fmt: skip
    add("--umbral", type=int, metavar="K", help="cuántos testigos se piden (más de la mitad si no se dice)")
    add("--tsa", metavar="URL", help="autoridad que sella la hora de cada corte (RFC 3161); no se le espera")
    add("--responsable", metavar="NOMBRE", help="quién responde del cierre anticipado")
    add("--una-vez", action="store_true", help="hacer lo que toque en este momento y terminar")
    add("--config", type=Path, metavar="TOML", help="archivo con estas mismas opciones")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Publish. Exit 0 when all that was due is out and everywhere, 1 when something remains, 2 bad usage."""
    from core.publishing.run import publish

    config = _config(args)
    assert config.trabajo is not None
    state, finished = publish(config, config.trabajo, once=args.una_vez, tell=_teller(config.trabajo, out))
    alarms = [text for text, _ in state.alarms.values()]
    behind = [one for one in state.destinations if one["estado"] != "al_corriente"]
    data: dict[str, object] = {
        "estado": state.status.value, "corte": state.cut, "perdidas": state.missed, "alarmas": alarms,
        "destinos": state.destinations, "terminado": finished,
    }  # fmt: skip
    said = _STATES[state.status.value]
    if args.una_vez and state.status.value == "fuera_de_horario":
        said = "El publicador hizo lo que tocaba y terminó."
    lines = [f"{said} Último corte: {state.cut or 'ninguno'}."]
    if state.missed:
        lines.append(f"Ranuras perdidas: {len(state.missed)}.")
    lines += [f"ALARMA  {text}" for text in alarms]
    lines += [
        f"DESTINO {one['nombre']}: {one['estado'].replace('_', ' ')}, en el corte {one['corte'] or 'ninguno'}"
        f"{': ' + one['error'] if one['error'] else ''}. Se pone al corriente al volver a correr."
        for one in behind
    ]
    return Answer(ANSWER_IS_NO if alarms or behind else DONE, data, "\n".join(lines))


_STATES = {
    "esperando": "El publicador espera la hora del siguiente corte.",
    "publicando": "El publicador se detuvo.",
    "detenida": "La publicación está detenida por dos personas.",
    "cerrada": "La publicación de esta noche terminó: no hay más que publicar.",
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
        "testigo": tuple(args.testigo),
        "inicio": parse_time(args.inicio) if args.inicio else None,
        "cierre": parse_time(args.cierre) if args.cierre else None,
    }
    config = over(config, **given)
    if not config.base or config.trabajo is None:
        raise UsageError("Faltan --base URL y --trabajo DIR (o decirlos en --config).")
    config.check()
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
        try:
            with (folder / LOG).open("ab") as log:
                log.write(line + b"\n")
        except OSError as error:
            # Publishing does not wait for what is said of it.
            print(f"No se pudo anotar en {LOG}: {system_reason(error)}", file=sys.stderr, flush=True)
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
    if what == "proceso_muerto":
        return f"Se detuvo el proceso que hacía el corte de las {data['ranura']}: {data['motivo']}"
    return {
        "inicio": "El publicador empezó a trabajar.",
        "sin_destino": "Sin --destino, lo publicado queda solo en la carpeta de trabajo: si se pierde, "
        "no hay de dónde seguir.",
        "espera_destinos": "Se espera a que los destinos queden al corriente.",
        "reserva": "Este proceso publica.",
        "reserva_perdida": "Otro publicador tomó la reserva.",
        "ranura_completada": "Se completó un corte que había quedado a medias.",
        "constancias": "Se publicaron firmas de testigos o un sello de tiempo.",
        "terminado": "Salió el último corte: la publicación terminó y la operación está cerrada.",
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
