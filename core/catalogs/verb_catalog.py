"""The verb `prep catalogo`: import one from published files, check a folder, show totals, start a base."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from rich.table import Table

    from core.catalogs.problems import CatalogError
    from core.catalogs.summary import Load, Totals
    from core.cli_output import Output
    from core.domain.catalog import Catalog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the four sub-verbs."""
    actions = parser.add_subparsers(dest="accion", metavar="ACCIÓN", required=True, title="acciones")
    one = actions.add_parser(
        "importar", help="reconstruye el catálogo de una noche desde sus archivos publicados"
    )
    one.add_argument(
        "archivos", metavar="ARCHIVO.csv", type=Path, nargs="+", help="CSV de resultados, uno por elección"
    )
    one.add_argument(
        "--salida", metavar="DIR", type=Path, required=True, help="carpeta nueva para el catálogo"
    )
    two = actions.add_parser("revisar", help="revisa la carpeta de un catálogo y lista todos sus problemas")
    two.add_argument("carpeta", metavar="DIR", type=Path, help="carpeta con catalogo.toml y sus tablas")
    three = actions.add_parser("mostrar", help="muestra los totales de un catálogo y de dónde viene")
    three.add_argument(
        "referencia", metavar="REFERENCIA", help="jalisco-2021, jalisco-2024, jalisco-2027 o una carpeta"
    )
    three.add_argument("--catds", action="store_true", help="lista el estimado de actas de cada CATD")
    four = actions.add_parser(
        "instalar", help="prepara la base de una noche: catálogo, modo y horario de la operación"
    )
    four.add_argument("referencia", metavar="REFERENCIA", help="jalisco-2027 o una carpeta")
    four.add_argument(
        "--base", metavar="URL", required=True, help="base de datos: archivo o URL de PostgreSQL"
    )
    four.add_argument("--modo", choices=("simulacro", "oficial"), required=True, help="qué noche es")
    four.add_argument("--apertura", metavar="HORA", help="cuándo empieza, como 2027-06-06T18:00:00-06:00")
    four.add_argument("--cierre", metavar="HORA", help="cuándo termina, a lo más 24 horas después")
    four.add_argument("--responsable", metavar="NOMBRE", help="quién abre la operación")
    for action in (one, two, three, four):
        # The frame reads these after the verb; here they are accepted after the action too.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="responde en JSON")
        action.add_argument(
            "--silencio", action="store_true", default=argparse.SUPPRESS, help="no muestra el avance"
        )


def run(args: argparse.Namespace, out: Output) -> Answer:
    """Do the action asked for."""
    if args.accion == "importar":
        return _import(args.archivos, args.salida, out)
    if args.accion == "revisar":
        return _check(args.carpeta)
    if args.accion == "instalar":
        return _install(args)
    return _show(args.referencia, args.catds)


def _import(files: list[Path], target: Path, out: Output) -> Answer:
    from core.catalogs.importer import import_published
    from core.catalogs.loader import load_catalog
    from core.catalogs.problems import CatalogError
    from core.catalogs.writer import write_catalog
    from core.published.reader import read_published

    published = []
    with out.progress("archivos leídos", len(files)) as progress:
        for file in files:
            published.append(read_published(file))
            progress.advance()
    imported = import_published(published)
    catalog = imported.catalog
    written = write_catalog(catalog, target)
    data: dict[str, object] = {
        "archivos": files,
        "salida": target,
        "escritos": [path.name for path in written],
        **_data(catalog),
        "fuera_de_catalogo": {
            contest: sum(acta is None for acta in rows) for contest, rows in imported.rows.items()
        },
        "reparaciones": [
            {
                "archivo": repair.file,
                "fila": repair.row_line,
                "columna": repair.column,
                "oficial": repair.official,
                "propio": repair.own,
                "motivo": repair.reason,
            }
            for repair in imported.repairs
        ],
        "desacuerdos": [
            {
                "clave": item.key,
                "contienda": item.contest,
                "columna": item.column,
                "primero": item.first,
                "segundo": item.second,
            }
            for item in imported.disagreements
        ],
    }
    rows = len({(repair.file, repair.row_line) for repair in imported.repairs})
    text = [_text(catalog), f"Reparaciones: {rows:,} filas ({len(imported.repairs):,} celdas)."]
    text += (
        [f"Desacuerdos entre archivos: {len(imported.disagreements):,}."] if imported.disagreements else []
    )
    text.append(f"Escrito en {target} ({', '.join(path.name for path in written)}).")
    try:
        same = load_catalog(target).fingerprint() == catalog.fingerprint()
    except CatalogError as error:
        # Only a source that names two casillas alike gets here: people must settle which is which.
        text.append(f"La carpeta quedó escrita, pero no se puede cargar como está:\n{error}")
        return Answer(ANSWER_IS_NO, {**data, **_problems(error)}, "\n".join(text))
    if not same:
        raise AssertionError(f"{target} does not load back to the catalogue it was written from")
    text.append(f"Para verlo: prep catalogo mostrar {target}")
    return Answer(DONE, data, "\n".join(text))


def _check(folder: Path) -> Answer:
    from core.catalogs.loader import load_catalog
    from core.catalogs.problems import CatalogError

    try:
        catalog = load_catalog(folder)
    except CatalogError as error:
        many = f"{len(error.problems)} o más problemas" if error.more else f"{len(error.problems)} problemas"
        count = "1 problema" if len(error.problems) == 1 else many
        lines = [f"{folder}: el catálogo no es válido, {count}:", *(f"  {one}" for one in error.problems)]
        data: dict[str, object] = {"carpeta": folder, "valido": False, **_problems(error)}
        return Answer(ANSWER_IS_NO, data, "\n".join(lines))
    return Answer(
        DONE,
        {"carpeta": folder, "valido": True, "problemas": [], "hay_mas": False, **_data(catalog)},
        f"{folder}: el catálogo es válido.\n{_text(catalog)}",
    )


def _show(reference: str, with_catds: bool) -> Answer:
    from core.catalogs import open_catalog
    from core.catalogs.summary import loads

    catalog = open_catalog(reference, Path())
    data: dict[str, object] = {"referencia": reference, **_data(catalog)}
    if not with_catds:
        return Answer(DONE, data, _text(catalog))
    estimate = loads(catalog)
    data["estimado"] = [
        {
            "catd": load.catd.id,
            "nombre": load.catd.name,
            "distrito": load.catd.distrito,
            "municipio": load.catd.municipio,
            "casillas": load.casillas,
            "actas": load.actas,
            "total": load.total,
        }
        for load in estimate
    ]
    return Answer(DONE, data, _text(catalog), (_table(catalog, estimate),))


def _install(args: argparse.Namespace) -> Answer:
    import time

    from core.catalogs import open_catalog
    from core.errors import UsageError
    from core.operations.install import Opening, install
    from core.publishing.config import iso, parse_time

    period = (args.apertura, args.cierre, args.responsable)
    if any(period) and not all(period):
        raise UsageError("--apertura, --cierre y --responsable van juntos.")
    opening = None
    if all(period):
        opening = Opening(parse_time(args.apertura), parse_time(args.cierre), args.responsable)
    catalog = open_catalog(args.referencia, Path())
    done = install(args.base, catalog, args.modo, opening, time.time_ns() // 1_000_000)
    data: dict[str, object] = {
        "modo": done.mode,
        "actas": done.actas,
        "huella": catalog.fingerprint(),
        "apertura": None if done.period is None else iso(done.period[0]),
        "cierre": None if done.period is None else iso(done.period[1]),
        "asiento": done.ledger_head,
    }
    text = [f"La base está lista: {catalog.election}, modo {done.mode}, {done.actas:,} actas esperadas."]
    if done.period is None:
        text.append(
            "La operación no se ha abierto: repita la orden con --apertura, --cierre y --responsable."
        )
    else:
        text.append(f"La operación va de {data['apertura']} a {data['cierre']}.")
    return Answer(DONE, data, "\n".join(text))


def _problems(error: CatalogError) -> dict[str, object]:
    data = error.as_data()
    return {"problemas": data["problemas"], "hay_mas": data["hay_mas"]}


def _data(catalog: Catalog) -> dict[str, object]:
    from core.catalogs.summary import totals

    counted = totals(catalog)
    return {
        "eleccion": catalog.election,
        "entidad": {"id": catalog.entidad.id, "nombre": catalog.entidad.name},
        "contiendas": {
            contest.id: {
                "nombre": contest.name,
                "ambito": contest.scope.value,
                "actas": counted.actas[contest.id],
                "columnas": list(contest.codes),
                "boletas": counted.ballots[contest.id],
            }
            for contest in catalog.contests.values()
        },
        "actas": counted.all_actas,
        "casillas": {"total": counted.all_casillas, **counted.casillas},
        "lista_nominal": counted.lista_nominal,
        "distritos": len(catalog.distritos),
        "municipios": len(catalog.municipios),
        "secciones": counted.sections,
        "catds": len(catalog.catds),
        "huella": catalog.fingerprint(),
        "procedencia": catalog.provenance,
    }


def _text(catalog: Catalog) -> str:
    from core.catalogs.summary import totals

    counted = totals(catalog)
    return "\n".join(
        [
            f"{catalog.election} ({catalog.entidad.name})",
            *_contest_lines(catalog, counted),
            f"  Casillas: {counted.all_casillas:,} ("
            + ", ".join(f"{count:,} {tipo}" for tipo, count in counted.casillas.items())
            + f"); lista nominal {counted.lista_nominal:,}",
            f"  Territorio: {len(catalog.distritos):,} distritos, {len(catalog.municipios):,} municipios, "
            f"{counted.sections:,} secciones, {len(catalog.catds):,} CATD",
            f"  Huella: {catalog.fingerprint()}",
            f"  Procedencia: {catalog.provenance or 'no se dice'}",
        ]
    )


def _contest_lines(catalog: Catalog, counted: Totals) -> list[str]:
    lines = [f"  Actas esperadas: {counted.all_actas:,}"]
    for contest in catalog.contests.values():
        ballots = counted.ballots[contest.id]
        kinds = f"{ballots:,} boleta distinta" if ballots == 1 else f"{ballots:,} boletas distintas"
        lines.append(
            f"    {contest.id}: {counted.actas[contest.id]:,}, "
            f"{len(contest.columns)} columnas de votos, {kinds}"
        )
    return lines


def _table(catalog: Catalog, estimate: list[Load]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False, title="Estimado de actas por CATD")
    table.add_column("CATD", no_wrap=True)
    table.add_column("casillas", justify="right")
    for code in catalog.contests:
        table.add_column(code, justify="right")
    table.add_column("total", justify="right")
    for load in estimate:
        counts = [f"{load.actas[code]:,}" for code in catalog.contests]
        table.add_row(Text(load.catd.name), f"{load.casillas:,}", *counts, f"{load.total:,}")
    return table


VERB = Verb(
    name="catalogo",
    summary="Importa, revisa o muestra un catálogo de casillas, contendientes y actas",
    add_arguments=add_arguments,
    run=run,
    examples=(
        "prep catalogo mostrar jalisco-2024 --catds",
        "prep catalogo importar PUE_GUB_2024.csv PUE_DIP_LOC_2024.csv --salida puebla",
        "prep catalogo revisar puebla",
    ),
)
