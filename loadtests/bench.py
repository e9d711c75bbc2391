"""`make carga`: a rehearsal that publishes, loaded behind nginx and behind the embedded server, and its room.

One test of a minute for each, with its verdict and its report; then those who insist; then the room with
browsers. It ends with one table, the ratios asked for, and the invariants once the rehearsal has stopped.
`python -m loadtests.bench --ayuda` says its options.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
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
from loadtests.verdict import PASSED, Invariant

SCENARIO = stage.ROOT / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SEED, SPEED, SLOW, AHEAD = 2021, 60, 5, 206
NGINX_LEAST, EMBEDDED_LEAST = 0.9, 0.25
PAGES = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table."""

    what: str
    asked: str
    found: str
    good: bool | None


def main(argv: list[str] | None = None) -> int:
    """Run the bench; 0 when every figure is reached, 2 when one is not, 3 when something did not run."""
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
    except PrepError as error:
        print(f"make carga: no se pudo: {error}", file=sys.stderr)
        return 3


def _bench(args: argparse.Namespace) -> int:
    folder: Path = args.salida.absolute()
    public, night = folder / "publico", folder / "noche"
    lines: list[Line] = []
    _tell(f"Se prepara el simulacro en vivo hasta el minuto {AHEAD} de la noche…")
    _clean(public, folder / "sala")
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


def _clean(public: Path, room: Path) -> None:
    """What a former bench left is of another rehearsal. Nothing else is removed."""
    for folder, mark in ((public, "corte.json"), (room, "sala.db")):
        if (folder / mark).exists():
            shutil.rmtree(folder)


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
        least = max(1, int(found.validity["peticiones_min"] * share))
        options = replace(
            options, profile=replace(found, validity={**found.validity, "peticiones_min": least})
        )
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
    return [Line(what, "aprobada", found, result.verdict.code == PASSED)]


def _room(night: Path, folder: Path, args: argparse.Namespace) -> list[Line]:
    with stage.room(night, SCENARIO, folder / "sala") as (url, users):
        pages = Pages(url, *users["muro"], PAGES)
        pages.start()
        pages.ready.wait(300)
        pages.started.set()
        result = _test("muro", url, folder / "muro", args, credentials=users)
        pages.finished.set()
        pages.join(60)
    seen: Seen = pages.result
    found = seen.why or f"{seen.share_pct:.2f} % ({seen.seen:,} de {seen.due:,} en {seen.pages} páginas)"
    good = None if seen.why else seen.seen == seen.due
    return [
        *_judged("sala: 200 pantallas que preguntan", result),
        Line(f"sala: fotografías que vieron {PAGES} páginas de Chromium mientras", "100 %", found, good),
    ]


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
    return 0 if all(line.good is not False for line in lines) else 2


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
