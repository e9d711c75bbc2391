"""`prep constancia`: the actas de ceros, de hashes and de cierre, and checking a signed one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.domain.catalog import Catalog
    from core.evidence.common import Constancia
    from core.transparency.keys import SigningKey

_FILES = {
    "acta_de_ceros": "acta-de-ceros",
    "acta_de_hashes": "acta-de-hashes",
    "acta_de_cierre": "acta-de-cierre",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="accion", required=True, metavar="ACCIÓN")
    for name, summary in (
        ("ceros", "la base no tiene nada más que las actas esperadas"),
        ("hashes", "qué está instalado, y si es lo mismo que en un acta anterior"),
        ("cierre", "qué pasó entre la apertura y el cierre"),
    ):
        one = actions.add_parser(name, help=summary)
        one.add_argument(
            "--base", required=True, metavar="URL", help="base de datos: ruta de SQLite o URL de PostgreSQL"
        )
        one.add_argument(
            "--salida", required=True, metavar="DIR", type=Path, help="donde quedan el DOCX, el PDF y el JSON"
        )
        one.add_argument(
            "--llave", metavar="ARCHIVO", type=Path,
            help="llave con que se firma; en simulacro, sin ella, una de ensayo",
        )  # fmt: skip
        for number, which in (("1", "primera"), ("2", "segunda")):
            one.add_argument(
                f"--mitad-{number}", metavar="ARCHIVO", type=Path,
                help=f"archivo con la {which} mitad de la frase de la llave; sin él, se teclea",
            )  # fmt: skip
        one.add_argument(
            "--instante", metavar="ISO", help="hora que lleva la constancia (por omisión, la de la máquina)"
        )
        if name == "hashes":
            one.add_argument(
                "--contra",
                metavar="ANTERIOR.json",
                type=Path,
                help="acta de hashes anterior con que se compara",
            )
        if name == "cierre":
            one.add_argument(
                "--trabajo",
                metavar="DIR",
                type=Path,
                help="carpeta de la publicación, para comparar lo publicado",
            )
    one = actions.add_parser("verificar", help="comprueba la firma de una constancia")
    one.add_argument("archivo", metavar="ARCHIVO", type=Path, help="el JSON firmado")
    one.add_argument(
        "--vkey", metavar="LLAVE", help="llave pública que debe haberla firmado (la de llaves.json)"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    if args.accion == "verificar":
        return _verify(args)
    return _take(args)


def _take(args: argparse.Namespace) -> Answer:
    """Exit 0 when the answer is yes (zeros, no changes, in order), 1 when it is no; written in both cases."""
    from core.evidence import signing
    from core.evidence.closing import closing
    from core.evidence.hashes import hashes
    from core.evidence.read_only import open_read_only
    from core.evidence.zeros import zeros
    from core.storage.reading import read_catalog, read_meta, reading

    if args.salida.is_file():
        raise UsageError(f"«{args.salida}» no es una carpeta.")
    at_ms = _instant(args.instante)
    compared = None
    database = open_read_only(args.base)
    try:
        with reading(database) as connection:
            key = _key(args, read_meta(connection).get("mode", ""), read_catalog(connection))
            if args.accion == "ceros":
                made = zeros(connection, at_ms)
            elif args.accion == "hashes":
                made = hashes(connection, at_ms, key.vkey)
                compared = _compare(made, args.contra) if args.contra else None
        if args.accion == "cierre":
            made = closing(database, at_ms, args.trabajo)
    finally:
        database.dispose()
    if compared is not None:
        made["comparacion"] = compared
    sealed = signing.seal(made, key)
    paths = _write(args.salida, made, sealed, key.vkey)
    good, lines = _words(made)
    data: dict[str, object] = {
        "clase": made["clase"],
        "respuesta": good,
        "modo": made["modo"],
        "sha256": signing.digest_of(made),
        "llave": key.vkey,
        "detalle": made,
        "escritos": paths,
    }
    text = "\n".join(
        [*lines, f"Huella de la constancia: {data['sha256']}", *(f"Escrito: {one}" for one in paths)]
    )
    return Answer(DONE if good else ANSWER_IS_NO, data, text)


def _verify(args: argparse.Namespace) -> Answer:
    from core.evidence.signing import SignatureError, digest_of, read_sealed, summary

    try:
        found, vkey = read_sealed(args.archivo, args.vkey)
    except SignatureError as error:
        return Answer(ANSWER_IS_NO, {"valida": False, "motivo": str(error)}, f"NO verifica. {error}")
    data: dict[str, object] = {"valida": True, "llave": vkey, "sha256": digest_of(found), **summary(found)}
    lines = [
        f"La firma es válida: {args.archivo.name} es lo que se firmó.",
        f"Modo {found['modo']}, levantada {found['levantada']}. Huella: {data['sha256']}",
        f"Llave: {vkey}",
    ]
    if args.vkey is None:
        lines.append("La llave es la que trae el archivo: compárela con la publicada, o dé «--vkey».")
    return Answer(DONE, data, "\n".join(lines))


def _instant(given: str | None) -> int:
    import time
    from datetime import datetime

    if given is None:
        return time.time_ns() // 1_000_000
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise UsageError(f"«{given}» no es una fecha y hora ISO.") from error
    if moment.tzinfo is None:
        raise UsageError(f"A «{given}» le falta su zona, por ejemplo -06:00.")
    return int(moment.timestamp() * 1000)


def _key(args: argparse.Namespace, mode: str, catalog: Catalog) -> SigningKey:
    from core.transparency.keys import load_key, origin_of, read_headers, rehearsal_key
    from core.transparency.passphrase import open_passphrase

    path: Path | None = args.llave
    if path is None:
        if mode != "simulacro":
            raise UsageError(
                "En modo oficial la constancia se firma con la llave de la publicación: falta «--llave»."
            )
        origin = origin_of(catalog.entidad.abbreviation, f"constancias {catalog.election}", mode)
        return rehearsal_key(origin, catalog.fingerprint())
    # Before anybody types anything: a missing file is said at once.
    read_headers(path)
    return load_key(path, open_passphrase(path, (args.mitad_1, args.mitad_2)), mode=mode)


def _compare(made: Constancia, path: Path) -> dict[str, Any]:
    from core.evidence.common import HASHES
    from core.evidence.hashes import differences
    from core.evidence.signing import digest_of, read_sealed

    before, vkey = read_sealed(path)
    if before["clase"] != HASHES:
        raise UsageError(f"«{path}» no es un acta de hashes.")
    return {
        "contra": before["levantada"],
        "contra_sha256": digest_of(before),
        "contra_llave": vkey,
        "diferencias": differences(before, made),
    }


def _write(folder: Path, made: Constancia, sealed: bytes, vkey: str) -> list[Path]:
    from core.documents.docx import write_docx
    from core.documents.pdf import write_pdf
    from core.evidence.common import HASHES
    from core.evidence.components import listing
    from core.evidence.papers import paper
    from core.evidence.signing import digest_of

    document = paper(made, digest_of(made), vkey)
    name = _FILES[made["clase"]]
    contents = {"json": sealed, "docx": write_docx(document), "pdf": write_pdf(document)}
    if made["clase"] == HASHES:
        contents["sha256"] = listing(made["componentes"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ending, data in contents.items():
        path = folder / f"{name}.{ending}"
        path.write_bytes(data)
        paths.append(path)
    return paths


def _words(made: Constancia) -> tuple[bool, list[str]]:
    """The answer, and how it is told."""
    from core.evidence.common import HASHES, ZEROS

    if made["clase"] == ZEROS:
        if made["en_ceros"]:
            return True, [
                f"La base está en ceros: {made['actas_esperadas']:,} actas esperadas y ningún resultado."
            ]
        opening = made["apertura"]
        more = opening is not None and opening["en_ceros_al_abrir"]
        return False, [
            "La base NO está en ceros.",
            *made["motivos"],
            *(["Al abrirse sí lo estaba: la apertura es el evento 1."] if more else []),
        ]
    if made["clase"] == HASHES:
        head = f"{len(made['componentes']):,} componentes: {made['componentes_sha256']}"
        compared = made.get("comparacion")
        if compared is None:
            return True, [head]
        found = compared["diferencias"]
        if not found:
            return True, [head, f"Sin cambios desde el acta de {compared['contra']}."]
        listed = [f"  {one['que']}: {one['clase']}" for one in found[:20]]
        rest = [f"  … y {len(found) - 20:,} más"] if len(found) > 20 else []
        return False, [head, f"CAMBIÓ desde el acta de {compared['contra']}:", *listed, *rest]
    closed = made["cierre"]
    head = (
        f"Cerrada {closed['instante']}: {len(made['cortes']):,} cortes, "
        f"{closed['pendientes']:,} actas sin registrar."
    )
    return bool(made["conforme"]), [head, *made["faltas"]]


VERB = Verb(
    name="constancia",
    summary="Levanta el acta de ceros, de hashes o de cierre, firmada",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep constancia ceros --base salida/simulacro-5/prep.db --salida constancias",
        "prep constancia hashes --base URL --salida despues --contra antes/acta-de-hashes.json",
        "prep constancia cierre --base URL --trabajo salida/simulacro-5 --salida actas --llave prep.pem",
        "prep constancia verificar constancias/acta-de-cierre.json --vkey LLAVE",
    ),
)
