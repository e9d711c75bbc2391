"""`make carga`: a rehearsal that publishes, loaded behind nginx and behind the embedded server, and its room.

One test of a minute for each, with its verdict and its report; then those who insist; then the room with
browsers. It ends with one table, the ratios asked for, and the invariants once the rehearsal has stopped.
`python -m loadtests.bench --ayuda` says its options.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from core.errors import PrepError
from loadtests import invariants, profile, report, stage, target
from loadtests.pages import Pages, Seen
from loadtests.run import Options, Result, run
from loadtests.stage import StageError
from loadtests.verdict import BROKEN, INVALID, PASSED, Invariant

SCENARIO = stage.ROOT / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SEED, SPEED, SLOW, AHEAD = 2021, 60, 5, 206
NGINX_LEAST, EMBEDDED_LEAST = 0.9, 0.25
PAGES = 10
MARK = ".banco-de-carga"
"""File of the bench in its folder: without it what is there is somebody else's."""
MADE = ("publico", "noche", "sala")
"""Folders inside that each bench makes again."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table."""

    what: str
    asked: str
    found: str
    good: bool | None
    """None: it was not measured, or what was measured means nothing."""


def main(argv: list[str] | None = None) -> int:
    """Run the bench; 0 when every figure is reached, 2 when one is not, 3 when one could not be measured."""
    parser = argparse.ArgumentParser(prog="make carga", add_help=False)
    parser.add_argument("--ayuda", action="help", help="muestra esta ayuda")
    parser.add_argument("--salida", type=Path, default=Path("salida/carga"))
    parser.add_argument("--duracion", type=int, default=60, help="segundos de cada prueba")
    parser.add_argument("--usuarios", type=int, default=500)
    parser.add_argument("--solo", nargs="+", choices=("nginx", "integrado", "negacion", "sala"),
                        default=("nginx", "integrado", "negacion", "sala"))  # fmt: skip
    args = parser.parse_args(argv)
    try:
        return _bench(args)
    except (PrepError, OSError) as error:
        print(f"make carga: no se pudo: {error}", file=sys.stderr)
        return 3


def _bench(args: argparse.Namespace) -> int:
    folder: Path = args.salida.absolute()
    public, night = folder / "publico", folder / "noche"
    lines: list[Line] = []
    clean(folder)
    _tell(f"Se prepara el simulacro en vivo hasta el minuto {AHEAD} de la noche…")
    with stage.rehearsal(SCENARIO, night, public, seed=SEED, speed=SPEED, ahead=AHEAD):
        servers: dict[str, tuple[Callable[..., AbstractContextManager[str]], float]] = {
            "nginx": (
                lambda limited: stage.nginx(public, folder / f"nginx-{limited}", limited=limited),
                NGINX_LEAST,
            ),
            "integrado": (lambda limited: stage.embedded(public, limited=limited), EMBEDDED_LEAST),
        }
        for name, (serve, least) in servers.items():
            if name in args.solo:
                lines += _portal(name, serve, least, folder, args)
        # From here on no cut is needed: the machine is for what is measured.
        stage.slow_down(night, SLOW)
        if "negacion" in args.solo:
            for name, (serve, _) in servers.items():
                with serve(True) as url:
                    lines += _judged(
                        f"{name}: negación", _test("negacion", url, folder / f"negacion-{name}", args)
                    )
        if "sala" in args.solo:
            lines += _room(night, folder, args)
    _tell("El simulacro terminó; se comprueban los invariantes…")
    lines += [Line(one.what, "se cumple", one.detail, one.good) for one in _invariants(night, public)]
    return _close(lines, folder)


def clean(folder: Path) -> None:
    """Remove what a former bench left, which is of another rehearsal, and sign the folder as a bench's.

    Raises StageError, with nothing removed, when what is there was not made by a bench (it has no mark), is a
    link, or is a publication that is not a rehearsal's.
    """
    there = [folder / name for name in MADE if (folder / name).exists() or (folder / name).is_symlink()]
    if there and not (folder / MARK).is_file():
        names = ", ".join(one.name for one in there)
        raise StageError(
            f"{folder} ya tiene {names} y no lo hizo make carga (le falta {MARK}): no se borra. "
            "Use otra --salida, o quítelo usted."
        )
    for one in there:
        if one.is_symlink() or not one.is_dir():
            raise StageError(f"{one} no es una carpeta de make carga: no se borra.")
    pointer = folder / "publico" / "corte.json"
    if pointer.exists():
        try:
            mode = orjson.loads(pointer.read_bytes()).get("modo")
        except (orjson.JSONDecodeError, AttributeError):
            mode = None
        if mode != "simulacro":
            raise StageError(f"{pointer} no dice que sea de un simulacro (modo «{mode}»): no se borra.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Carpeta de make carga: la corrida siguiente la borra.\n", encoding="utf-8")
    for one in there:
        if one.name != "noche":  # the simulator replaces its own
            shutil.rmtree(one)


def _portal(
    name: str,
    serve: Callable[..., AbstractContextManager[str]],
    least: float,
    folder: Path,
    args: argparse.Namespace,
) -> list[Line]:
    with ExitStack() as stack:
        url = stack.enter_context(serve(True))
        free = stack.enter_context(serve(False))
        result = _test("ensayo", url, folder / f"ensayo-{name}", args, ceiling=free, users=args.usuarios)
    lines = _judged(f"{name}: un minuto de la noche", result)
    for one in result.ceilings:
        found = one.why or f"{one.ratio or 0:.2f} ({one.target_rps:,.0f}/s; nginx {one.nginx_rps:,.0f}/s)"
        good = None if one.ratio is None else one.ratio >= least
        lines.append(
            Line(f"{name}: techo, {one.what} ({one.size:,} B)", f"{least} del de nginx", found, good)
        )
    return lines


def _test(
    name: str, url: str, folder: Path, args: argparse.Namespace, *, ceiling: str | None = None,
    users: int | None = None, credentials: dict[str, tuple[str, str]] | None = None,
) -> Result:  # fmt: skip
    found = profile.read(profile.find(name))
    options = Options(
        profile=found, target=target.parse(url), folder=folder, users=users or found.users,
        seconds=args.duracion, credentials=credentials,
        ceiling_target=None if ceiling is None else target.parse(ceiling),
    )  # fmt: skip
    if args.duracion < found.seconds:
        share = args.duracion / found.seconds
        least = {
            name: max(1, int(found.validity[name] * share)) for name in ("peticiones_min", "fotografias_min")
        }
        options = replace(options, profile=replace(found, validity={**found.validity, **least}))
    _tell(f"{found.title}: {options.users} usuarios, {args.duracion} s, {url}…")
    result = run(options)
    (folder / "veredicto.json").write_bytes(orjson.dumps(report.data(result), option=orjson.OPT_INDENT_2))
    (folder / "informe.html").write_text(report.html(result), encoding="utf-8")
    _tell(report.text(result))
    return result


def _judged(what: str, result: Result) -> list[Line]:
    whole, cuts = result.measured.whole, result.measured.cuts
    found = (
        f"{result.verdict.word}: {whole.requests:,} peticiones, {whole.failures:,} fallas, p95 {whole.p95} ms"
    )
    if cuts.due:
        found += f", cortes vistos {cuts.in_time:,} de {cuts.due:,}"
    good = {PASSED: True, INVALID: None}.get(result.verdict.code, False)
    return [Line(what, "aprobada", found, good)]


def _room(night: Path, folder: Path, args: argparse.Namespace) -> list[Line]:
    with stage.room(night, SCENARIO, folder / "sala") as (url, users):
        pages = Pages(url, *users["muro"], PAGES)
        pages.start()
        pages.ready.wait(300)
        pages.started.set()
        result = _test("muro", url, folder / "muro", args, credentials=users)
        pages.finished.set()
        pages.join(60)
    return [*_judged("sala: 200 pantallas que preguntan", result), of_pages(pages.result)]


def of_pages(seen: Seen) -> Line:
    """The line of the browsers. Without a new snapshot to see, nothing was measured."""
    found = seen.why or f"{seen.share_pct:.2f} % ({seen.seen:,} de {seen.due:,} en {seen.pages} páginas)"
    if not seen.why and not seen.due:
        found = "la sala no tuvo ninguna fotografía nueva"
    good = None if seen.why or not seen.due else seen.seen == seen.due
    return Line(f"sala: fotografías que vieron {PAGES} páginas de Chromium mientras", "100 %", found, good)


def _invariants(night: Path, public: Path) -> list[Invariant]:
    get = invariants.folder_reader(public)
    base = str(night / "prep.db")
    return [
        invariants.of_verification(str(public), "lo publicado"),
        *invariants.of_cut(get),
        invariants.of_replay(base, get),
        invariants.of_base(base),
    ]


def _close(lines: list[Line], folder: Path) -> int:
    table = Table(title="make carga", title_justify="left", show_lines=False)
    for head in ("", "qué", "se pide", "hubo"):
        table.add_column(head, overflow="fold")
    for line in lines:
        table.add_row(
            "—" if line.good is None else "✔" if line.good else "✖", line.what, line.asked, line.found
        )
    Console().print(table)
    rows = [{"que": one.what, "se_pide": one.asked, "hubo": one.found, "bien": one.good} for one in lines]
    (folder / "tabla.json").write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    print(f"Informes en {folder}/*/informe.html")
    return exit_code(lines)


def exit_code(lines: Sequence[Line]) -> int:
    """2 when a figure was not reached; if not, 3 when one was not measured (or there are none); else 0."""
    marks = [line.good for line in lines]
    if False in marks:
        return BROKEN
    return PASSED if marks and None not in marks else INVALID


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
