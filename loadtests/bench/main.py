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
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ParamSpec

import orjson
from rich.console import Console
from rich.table import Table

from core.cli_spanish import ArgumentsError
from core.cli_verb import INTERRUPTED
from core.errors import PrepError
from loadtests import ceiling, profile, target
from loadtests.bench import page as bench_page
from loadtests.bench import stage
from loadtests.bench.browsers import Pages, Seen
from loadtests.bench.options import arguments, partial
from loadtests.bench.page import Line, exit_code
from loadtests.bench.stage import StageError, StillPausedError
from loadtests.codes import INVALID, PASSED
from loadtests.judging import invariants
from loadtests.judging.verdict import Invariant
from loadtests.processes import catch_termination
from loadtests.reasons import why
from loadtests.reporting import report
from loadtests.reporting.machine import machine
from loadtests.reporting.page import moment
from loadtests.run import Options, Result, run

P = ParamSpec("P")
SCENARIO = stage.ROOT / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SEED, SPEED, SLOW, AHEAD = 2021, 60, 5, 206
NGINX_LEAST, EMBEDDED_LEAST = 0.9, 0.25
PAGES = 10
SHORT_S = 40
"""With less, nobody has the time to see a cut: twelve seconds between questions, fifteen to see it, and one
that comes."""
MARK = ".banco-de-carga"
"""File of the bench in its folder: without it what is there is somebody else's."""
TESTS = ("minuto-nginx", "minuto-integrado", "negacion-nginx", "negacion-integrado", "pantallas")
MADE = ("publico", "noche", "sala", *TESTS, "nginx-con-limites", "nginx-sin-limites")
"""Folders inside that each bench makes again."""
TOLD = ("tabla.json", "tabla.html")
"""What a bench ends with: one that does not end leaves none."""


def main(argv: list[str] | None = None) -> int:
    """Run the bench; 0 when every figure is reached, 2 when one is not, 3 when one could not be measured
    (or the options are not right), 130 when it was interrupted."""
    try:
        args = arguments(argv)
    except ArgumentsError as error:
        print(
            error.usage, f"make carga: error: {error}", "«--ayuda» explica el uso.", sep="\n", file=sys.stderr
        )
        return INVALID
    if args.revisar:
        return PASSED
    try:
        with catch_termination():
            return _bench(args)
    except KeyboardInterrupt:
        print("\nInterrumpido desde el teclado: no hay dictamen.", file=sys.stderr)
        return INTERRUPTED
    except (PrepError, OSError) as error:
        print(f"make carga: no se pudo: {why(error)}", file=sys.stderr)
        return INVALID


def _bench(args: argparse.Namespace) -> int:
    folder: Path = args.salida.absolute()
    public, night = folder / "publico", folder / "noche"
    lines: list[Line] = []
    clean(folder)
    if args.duracion < SHORT_S and {"nginx", "integrado"} & set(args.solo):
        _tell(
            f"Con menos de {SHORT_S} s nadie tiene el plazo de ver un corte: esas pruebas saldrán inválidas."
        )
    _tell(f"Se prepara el simulacro en vivo hasta el minuto {AHEAD} de la noche…")
    with stage.rehearsal(SCENARIO, night, public, seed=SEED, speed=SPEED, ahead=AHEAD, images=args.imagenes):
        servers: dict[str, tuple[Callable[..., AbstractContextManager[str]], float]] = {
            "nginx": (
                lambda limited: stage.nginx(
                    public, folder / f"nginx-{'con' if limited else 'sin'}-limites", limited=limited
                ),
                NGINX_LEAST,
            ),
            "integrado": (lambda limited: stage.embedded(public, limited=limited), EMBEDDED_LEAST),
        }
        for name, (serve, least) in servers.items():
            if name in args.solo:
                what = f"{name}: un minuto de la noche"
                lines += tried(what, _portal, name, serve, least, folder, args)
        # From here on no cut is needed: the machine is for what is measured.
        stage.slow_down(night, SLOW)
        if "negacion" in args.solo:
            for name, (serve, _) in servers.items():
                what = f"{name}: negación"
                lines += tried(what, _denied, what, serve, folder / f"negacion-{name}", args)
        if "sala" in args.solo:
            lines += tried("sala: 200 pantallas que preguntan", _room, night, folder, args)
    _tell("El simulacro terminó; se comprueban los invariantes…")
    lines += [Line(one.what, "se cumple", one.detail, one.good) for one in _invariants(night, public)]
    return _close(lines, folder, args)


def tried(what: str, do: Callable[P, list[Line]], *args: P.args, **kwargs: P.kwargs) -> list[Line]:
    """The lines of a part; that it could not be done, when so: the others still are."""
    try:
        return do(*args, **kwargs)
    except StillPausedError:
        raise  # what came after would be measured on a night that stands still
    except (PrepError, OSError) as error:
        _tell(f"{what}: no se pudo: {why(error)}")
        return [Line(what, "aprobada", f"no se pudo: {why(error)}", None)]


def _denied(
    what: str, serve: Callable[..., AbstractContextManager[str]], folder: Path, args: argparse.Namespace
) -> list[Line]:
    with serve(True) as url:
        return _judged(what, _test("negacion", url, folder, args, watched=folder.parent / "publico"))


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
    for name in TOLD:
        (folder / name).unlink(missing_ok=True)
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
        result = _test("ensayo", url, folder / f"minuto-{name}", args, free=free, users=args.usuarios,
                       watched=folder / "publico")  # fmt: skip
    lines = _judged(f"{name}: un minuto de la noche", result)
    for one in result.ceilings:
        what = f"{name}: techo, {one.what} ({one.size:,} B)"
        good = one.reaches(least)
        noise = "; con esa dispersión no se puede decir si llega" if good is None and one.between else ""
        report_ = f"{result.options.folder.name}/informe.html"
        lines.append(Line(what, f"{least} del de nginx", one.text() + noise, good, report_))
    return lines


def _test(
    name: str, url: str, folder: Path, args: argparse.Namespace, *, free: str | None = None,
    users: int | None = None, credentials: dict[str, tuple[str, str]] | None = None,
    watched: Path | None = None,
) -> Result:  # fmt: skip
    found = profile.read(profile.find(name))
    options = Options(
        profile=found, target=target.parse(url), folder=folder, users=users or found.users,
        seconds=args.duracion, credentials=credentials,
        watched=watched,
    )  # fmt: skip
    if args.duracion < found.seconds:
        share = args.duracion / found.seconds
        least = {
            name: max(1, int(found.validity[name] * share)) for name in ("peticiones_min", "fotografias_min")
        }
        # Whoever comes has to be there most of the time: the ramps are as short as the test.
        stages = tuple(replace(one, ramp_s=round(one.ramp_s * share)) for one in found.stages)
        shorter = replace(found, validity={**found.validity, **least}, stages=stages)
        options = replace(options, profile=shorter)
    _tell(f"{found.title}: {options.users} usuarios, {args.duracion} s, {url}…")
    result = run(options)
    if free is not None:
        result = _with_ceilings(result, target.parse(free), folder.parent / "noche")
    (folder / "veredicto.json").write_bytes(orjson.dumps(report.data(result), option=orjson.OPT_INDENT_2))
    (folder / "informe.html").write_text(report.html(result), encoding="utf-8")
    _tell(report.text(result))
    return result


def _with_ceilings(result: Result, free: target.Target, night: Path) -> Result:
    """The result with the ceilings of a server, which has no limits, while the rehearsal waits: what it does
    would be taken from one turn and not from the next."""
    try:
        with stage.paused(night):
            sha256 = target.pointer_of(free)["portal"]
            paths = {"corte.json": "/corte.json", "objeto del portal": f"/objetos/{sha256[:2]}/{sha256}.json"}
            ceilings = ceiling.measure(free, paths, result.options.ceiling_s)
    except StillPausedError:
        raise
    except PrepError as error:
        ceilings = [ceiling.Ceiling("corte.json", 0, None, None, f"no se pudo: {error}")]
    return replace(result, ceilings=ceilings, options=replace(result.options, ceiling_target=free))


def _judged(what: str, result: Result) -> list[Line]:
    measured = result.measured
    whole, cuts = measured.whole, measured.cuts
    found = (
        f"{result.verdict.word}: {whole.requests:,} peticiones, {whole.failures:,} fallas, p95 {whole.p95} ms"
    )
    if cuts.due:
        found += f", cortes vistos {cuts.in_time:,} de {cuts.due:,}"
    if images := measured.tally.counts["imagenes"]:
        found += f", {images:,} {'imagen' if images == 1 else 'imágenes'} de actas"
    if (abuse := measured.abuse) is not None:
        mbit = 8 * abuse["bytes"] / max(1, abuse["segundos"]) / 1e6
        found += (
            f"; quienes insisten: {abuse['respuestas']:,} respuestas ({abuse['limitadas']:,} negadas, "
            f"{abuse['errores']:,} errores), {mbit:,.0f} Mbit/s"
        )
    reasons = [f"{one.what}: {one.found} (se pide {one.wanted})" for one in result.verdict.reasons]
    if reasons:
        found += ". No se cumplió: " + "; ".join(reasons[:3]) + ("…" if len(reasons) > 3 else "")
    good = {PASSED: True, INVALID: None}.get(result.verdict.code, False)
    return [Line(what, "aprobada", found, good, f"{result.options.folder.name}/informe.html")]


def _room(night: Path, folder: Path, args: argparse.Namespace) -> list[Line]:
    with stage.room(night, SCENARIO, folder / "sala") as (url, users):
        pages = Pages(url, *users["muro"], PAGES)
        pages.start()
        try:
            pages.ready.wait(300)
            pages.started.set()
            result = _test("muro", url, folder / "pantallas", args, credentials=users)
        finally:
            # Whatever happened, no browser is left.
            pages.started.set()
            pages.finished.set()
            pages.join(60)
    return [
        *_judged("sala: 200 pantallas que preguntan", result),
        of_pages(pages.result, result.verdict.code),
    ]


def of_pages(seen: Seen, beside: int = PASSED) -> Line:
    """The line of the browsers. Without a new snapshot to see, nothing was measured.

    `beside` is the verdict of those who polled meanwhile: where they could not be measured, what a page
    missed says nothing of the room either.
    """
    found = seen.why or f"{seen.share_pct:.2f} % ({seen.seen:,} de {seen.due:,} en {seen.pages} páginas)"
    good = None if seen.why or not seen.due else seen.seen == seen.due
    if not seen.why and not seen.due:
        found = "la sala no tuvo ninguna fotografía nueva"
    elif good is False and beside == INVALID:
        found += "; la máquina no dio para medir (la prueba de las pantallas es inválida)"
        good = None
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


def _close(lines: list[Line], folder: Path, args: argparse.Namespace) -> int:
    table = Table(title="make carga", title_justify="left", show_lines=False)
    for head in ("", "qué", "se pide", "hubo"):
        table.add_column(head, overflow="fold")
    for line in lines:
        table.add_row(line.mark, line.what, line.asked, line.found)
    Console().print(table)
    less, about = partial(args), _about(args)
    (folder / "tabla.json").write_bytes(
        orjson.dumps(bench_page.data(lines, less, about), option=orjson.OPT_INDENT_2)
    )
    (folder / "tabla.html").write_text(bench_page.html(lines, less, about), encoding="utf-8")
    print(bench_page.verdict(lines, less))
    if less:
        print(f"Corrida parcial: {less}.")
    print(f"Informe: {folder / 'tabla.html'}")
    return exit_code(lines)


def _about(args: argparse.Namespace) -> list[tuple[str, str]]:
    return [
        ("terminó", moment(datetime.now().astimezone().isoformat(timespec="seconds"))),
        ("simulacro", f"{SCENARIO.relative_to(stage.ROOT)}, semilla {SEED}"),
        ("velocidad", f"×{SPEED}; en la negación y la sala, ×{SLOW}"),
        ("pruebas", f"{', '.join(args.solo)}; {args.duracion} s cada una"),
        ("usuarios del minuto de la noche", f"{args.usuarios:,}"),
        *machine().items(),
    ]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
