"""`prep control`: asks a live night how it goes, and tells it what to do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from simulator.live.control import ControlClient

ORDERS = ("estado", "pausa", "reanudar", "velocidad", "inyectar", "restablecer", "trasladar")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("carpeta", type=Path, metavar="DIR", help="carpeta de salida de la corrida en vivo")
    parser.add_argument("orden", metavar="ORDEN", choices=ORDERS, help=f"una de: {', '.join(ORDERS)}")
    parser.add_argument(
        "valor", nargs="?", metavar="VALOR", help="con velocidad, el número; con inyectar, el archivo TOML"
    )
    parser.add_argument(
        "--catd",
        type=int,
        nargs="+",
        default=[],
        metavar="N",
        help="con restablecer: CATD con enlace otra vez",
    )
    parser.add_argument("--capturistas", type=int, metavar="N", help="con trasladar: cuántas personas")
    parser.add_argument(
        "--de-catd",
        type=int,
        metavar="N",
        help="con trasladar: CATD que los presta; sin él, gente de reserva que se suma "
        "(con captura estatal y --a-catd, los mismos del centro estatal)",
    )
    parser.add_argument(
        "--a-catd",
        type=int,
        metavar="N",
        help="con trasladar: CATD al que van; sin él, el centro estatal. Con captura estatal todos "
        "comparten una sola fila: cambiar de lugar solo cuesta el camino",
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from simulator.live.control import ControlClient

    _refuse_idle_arguments(args)
    data = _ask(ControlClient(args.carpeta), args)
    return Answer(DONE, data, _text(args.orden, data, args.catd))


def _refuse_idle_arguments(args: argparse.Namespace) -> None:
    """What an order does not use is an error: nobody may believe it was done."""
    order = args.orden
    moving = (args.capturistas, args.de_catd, args.a_catd)
    if args.valor is not None and order not in ("velocidad", "inyectar"):
        raise UsageError(f"«{order}» no lleva un valor; se encontró «{args.valor}».")
    if args.catd and order != "restablecer":
        raise UsageError("--catd solo va con restablecer.")
    if order != "trasladar" and any(one is not None for one in moving):
        raise UsageError("--capturistas, --de-catd y --a-catd solo van con trasladar.")


def _ask(client: ControlClient, args: argparse.Namespace) -> dict[str, Any]:
    order = args.orden
    if order == "pausa":
        return client.pause()
    if order == "reanudar":
        return client.resume()
    if order == "velocidad":
        return client.set_speed(_speed(args.valor))
    if order == "inyectar":
        if args.valor is None:
            raise UsageError("inyectar lleva el archivo TOML con lo que se inyecta.")
        return client.inject_file(Path(args.valor))
    if order == "restablecer":
        if not args.catd:
            raise UsageError("restablecer lleva --catd con uno o más números de CATD.")
        return client.restore(args.catd)
    if order == "trasladar":
        if args.capturistas is None:
            raise UsageError("trasladar lleva --capturistas con cuántas personas.")
        return client.move_capturistas(args.capturistas, args.de_catd, args.a_catd)
    return client.state()


def _speed(text: str | None) -> float:
    if text is None:
        raise UsageError("Falta el número: velocidad lleva cuántas veces más rápido, por ejemplo 60.")
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"velocidad lleva un número, por ejemplo 60; se encontró «{text}».") from error


def _restored(data: dict[str, Any], asked: list[int]) -> str:
    """Which links are back and which were not cut, where that was asked."""
    if "restablecidos" not in data:
        return ""
    back = data["restablecidos"]
    text = f" Terminan las fallas de enlace de CATD {', '.join(map(str, back))}."
    idle = sorted(set(asked) - set(back))
    return f"{text} No tenían ninguna: CATD {', '.join(map(str, idle))}." if idle else text


def _text(order: str, data: dict[str, Any], asked: list[int]) -> str:
    if order in ("inyectar", "restablecer", "trasladar"):
        return f"Surte efecto en el minuto {data['minuto']:g} de la noche.{_restored(data, asked)}"
    if "minuto" not in data:
        return f"Estado: {data['estado'].replace('_', ' ')}"
    return "\n".join(
        [
            f"Estado: {data['estado'].replace('_', ' ')}, "
            f"minuto {data['minuto']:,.1f} de {data['duracion_min']:,}, a ×{data['velocidad']:g}",
            f"  actas registradas  {data['registradas']:>7,} de {data['esperadas']:,}",
            f"  por capturar       {data['por_capturar']:>7,}",
            f"  en los enlaces     {data['en_enlaces']:>7,}",
            f"  cortes publicados  {data['cortes']:>7,}",
            f"  retraso            {data['retraso_ms']:>7,.0f} ms "
            f"(máximo {data['retraso_maximo_ms']:,.0f} ms); la base, {data['retraso_base_ms']:,.0f} ms",
        ]
    )


VERB = Verb(
    name="control",
    summary="Gobierna una corrida en vivo: pausa, velocidad, fallas y traslados",
    add_arguments=_add_arguments,
    run=_run,
    examples=(
        "prep control salida/s5 estado",
        "prep control salida/s5 velocidad 600",
        "prep control salida/s5 inyectar falla.toml",
        "prep control salida/s5 restablecer --catd 12 14",
        "prep control salida/s5 trasladar --capturistas 20",
    ),
)
