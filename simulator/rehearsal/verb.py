"""`prep informe`: the report of one rehearsal, or of several and the general one, in three formats."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.documents.document import Document
    from simulator.rehearsal.data import Rehearsal
    from simulator.rehearsal.verdict import Ruling


def _arguments(parser: argparse.ArgumentParser) -> None:
    from simulator.rehearsal.verdict import MINIMUM_WITH_IMAGE

    parser.add_argument(
        "carpetas", nargs="+", metavar="DIR", type=Path,
        help="carpeta de salida de «prep simular»; varias dan además el informe general",
    )  # fmt: skip
    parser.add_argument(
        "--salida", required=True, metavar="CARPETA", type=Path, help="donde quedan los informes"
    )
    parser.add_argument(
        "--notas", metavar="TOML", type=Path,
        help="difusores, auditor, observaciones y compromisos de cada escenario",
    )  # fmt: skip
    parser.add_argument(
        "--minimo-con-imagen", metavar="PORCENTAJE", type=float, default=MINIMUM_WITH_IMAGE,
        help=f"actas con imagen que debe tener cada elección para aprobar ({MINIMUM_WITH_IMAGE:g})",
    )  # fmt: skip


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Exit 0 when every rehearsal meets every rule, 1 when one does not."""
    from core.errors import UsageError
    from simulator.rehearsal import general, sections
    from simulator.rehearsal.data import read_notes, read_rehearsal, told_by
    from simulator.rehearsal.labels import GENERAL, REPORT, labelled, on_top
    from simulator.rehearsal.verdict import judge, passes

    if not 0 <= args.minimo_con_imagen <= 100:
        raise UsageError("--minimo-con-imagen debe estar entre 0 y 100.")
    real = [folder.resolve() for folder in args.carpetas]
    repeated = {folder for folder in real if real.count(folder) > 1}
    if repeated:
        raise UsageError(f"«{min(repeated).name}» está repetida.")
    if args.salida.is_file():
        raise UsageError(f"«{args.salida}» no es una carpeta.")
    notes = read_notes(args.notas) if args.notas else {}
    rehearsals = labelled(
        sorted(
            (read_rehearsal(folder, notes) for folder in args.carpetas),
            key=lambda one: (one.start, one.data["escenario"], one.data["semilla"], on_top(one.data)),
        )
    )
    rulings, documents = [], []
    for at, one in enumerate(rehearsals):
        with told_by(one):
            rulings.append(judge(one.data, args.minimo_con_imagen))
            documents.append(sections.build(one, rulings[at], rehearsals[:at]))
    names = [one.file for one in rehearsals]
    if len(rehearsals) > 1:
        documents.append(general.build(rehearsals, rulings))
        names.append(GENERAL)
    args.salida.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with out.progress("informes", len(documents)) as progress:
        for name, document in zip(names, documents, strict=True):
            written += _write(args.salida, name, document)
            progress.advance(detail=name)
    good = all(passes(found) for found in rulings)
    data = _data(rehearsals, rulings, good)
    _write_json(args.salida / f"{REPORT}.json", data)
    data["escritos"] = [*written, args.salida / f"{REPORT}.json"]
    return Answer(DONE if good else ANSWER_IS_NO, data, _text(rehearsals, rulings, args.salida, names))


def _write(folder: Path, name: str, document: Document) -> list[Path]:
    from core.documents.docx import write_docx
    from core.documents.pdf import write_pdf
    from simulator.rehearsal.html import write_html

    paths = [folder / f"{name}.{ending}" for ending in ("docx", "pdf", "html")]
    paths[0].write_bytes(write_docx(document))
    paths[1].write_bytes(write_pdf(document))
    paths[2].write_text(write_html(document), encoding="utf-8", newline="\n")
    return paths


def _data(rehearsals: list[Rehearsal], rulings: list[list[Ruling]], good: bool) -> dict[str, object]:
    from simulator.rehearsal.labels import on_top
    from simulator.rehearsal.verdict import passes

    return {
        "cumple": good,
        "simulacros": [
            {
                "nombre": one.name,
                "archivo": one.file,
                "escenario": one.data["escenario"],
                "titulo": one.title,
                "semilla": one.data["semilla"],
                "encima": on_top(one.data),
                "inicio": one.data["inicio"],
                "fin": one.data["fin"],
                "huella": one.data["huella"],
                "base_comparada": one.checked,
                "cumple": passes(found),
                "reglas": [ruling.as_data() for ruling in found],
                "total": one.data["total"],
                "etapas_por_contienda": one.data["etapas_por_contienda"],
                "cortes_por_hora": one.data["cortes_por_hora"],
                "comparacion": one.data["comparacion"],
            }
            for one, found in zip(rehearsals, rulings, strict=True)
        ],
    }


def _write_json(path: Path, data: dict[str, object]) -> None:
    import json

    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _text(rehearsals: list[Rehearsal], rulings: list[list[Ruling]], folder: Path, names: list[str]) -> str:
    from simulator.rehearsal.labels import REPORT, on_top
    from simulator.rehearsal.verdict import answer

    said = {"sí": "cumple", "no": "NO cumple"}
    lines = []
    for one, found in zip(rehearsals, rulings, strict=True):
        more = f", con {', '.join(on_top(one.data))}" if on_top(one.data) else ""
        lines.append(f"{one.title} ({one.data['escenario']}, semilla {one.data['semilla']}{more})")
        for ruling in found:
            word = answer(ruling).word
            lines.append(f"  {said.get(word, word)}: {ruling.rule} {ruling.seen}")
    lines += ["", *(f"Escrito: {folder / name}.docx, .pdf y .html" for name in names)]
    return "\n".join([*lines, f"Datos: {folder / REPORT}.json"])


VERB = Verb(
    name="informe",
    summary="Escribe el informe de un simulacro, o de varios, y dice si cumple",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep informe salida/s5 --salida informes/s5",
        "prep informe salida/s1 salida/s2 salida/s3 --salida informes --notas notas.toml",
    ),
)
