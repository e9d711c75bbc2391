"""The report says what was measured to who has ten seconds, on a telephone too, and in Spanish."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser

from loadtests import profile
from loadtests.ceiling import Ceiling
from loadtests.judging.content import GOES_BACK
from loadtests.judging.kinds import IMAGE, LINKED, PAGE, POINTER
from loadtests.judging.observer import Watch
from loadtests.judging.tally import CutsSeen, Reader, Tally, merge, over_time
from loadtests.judging.timing import rows
from loadtests.judging.verdict import Invariant, Measured, judge
from loadtests.reporting import report
from loadtests.reporting.chart import Series, lines
from loadtests.reporting.failures import by_status
from loadtests.run import Options, Result
from loadtests.target import Target

ENGLISH = re.compile(
    r"\b(requests?|failures?|failed|users?|response|average|connection|refused|reset|error\(|\w+Error"
    r"|None|True|False|null|p95_max|seconds?|host|name)\b"
)


CUT = "sin respuesta: cortó la conexión"


def a_tally() -> Tally:
    """Of a minute: readers that asked, a page that was slow once, a picture that failed."""
    found = Tally(cpu_pct=Counter({40: 60}), lag_ms=Counter({1: 600}), ceiling_rps=3000.0)
    for second in range(60):
        for turn in range(30):
            found.note(POINTER, 2 + turn, 800, failed=False, at_s=second + turn / 30)
        found.note(PAGE, 230 if second == 30 else 9, 3000, failed=False, at_s=second)
    found.note(IMAGE, 1234, 0, failed=True, at_s=59.5)
    found.readers = [Reader(0.0, 12.0, 60.0)]
    found.counts = Counter(apuntadores=1800, objetos=60, guiones=4)
    return found


def a_result(tally: Tally | None = None) -> Result:
    """A test whose report has all there is to say."""
    tally = tally or a_tally()
    night = profile.read(profile.find("ensayo"))
    target = Target("http", "127.0.0.1", 8070, True, True, ("127.0.0.1",))
    each, whole = rows(tally.requests, 60)
    measured = Measured(
        each, whole, tally, 1, CutsSeen(3, 753, 753, 11.0, 20.0, shown=753, possible=1500), None,
        [Invariant("la base sale entera", None, "no se pudo abrir")], "",
        [(IMAGE, "CatchResponseError('500')", 1), (PAGE, f"CatchResponseError('{CUT}')", 2)],
        watch=Watch(240, 1),
    )  # fmt: skip
    history = [
        {"Name": "Aggregated", "Timestamp": str(1000 + second), "User Count": "500"} for second in range(60)
    ]
    return Result(
        Options(night, target, Path("salida"), 500, 60), measured, judge(night, measured),
        [Ceiling("corte.json", 800, 35_000.0, 38_000.0, ratios=(0.9, 0.92, 0.95))],
        history, {7: 1010.0, 8: 1040.0}, 1000.0, None, "2026-11-21T19:15:46+00:00",
    )  # fmt: skip


def said(page: str) -> str:
    """The text of a page, its style left out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S)))


def test_who_has_ten_seconds_reads_the_verdict_and_five_figures_with_their_limits() -> None:
    result = a_result()
    page = report.html(result)
    top = said(page[: page.index("<figure>")])
    assert "Prueba inválida" in top and "no dicen nada del servidor" in top
    for figure in (
        "Usuarios 500 durante 60 s", "Peticiones 1,861 ✖ 1 con falla; se pide ninguna",
        "Tiempo de respuesta p95 30 ms ✔ se piden 250 ms o menos",
        "Cortes vistos a tiempo 100 % ✔ se pide 100 %",
        "Techo del servidor 0.92", "Techo del generador usado 1.0 % ✔ se pide 80 % o menos",
    ):  # fmt: skip
        assert figure in top, (figure, top)
    assert "13:15:46, hora del centro" in page


def test_the_report_has_no_english_nothing_from_elsewhere_and_no_table_wider_than_the_page() -> None:
    page = report.html(a_result())
    assert ENGLISH.findall(said(page) + report.text(a_result())) == []
    assert "<script" not in page and "http-equiv" not in page and "src=" not in page and "url(" not in page
    assert page.count("<table") == page.count('<div class="ancho" tabindex="0"><table') >= 9
    assert "500 error interno del servidor 1" in said(page)
    assert "se cumplen 0 de 1 invariante; 1 no se pudo mirar" in said(page).lower()


def test_the_report_fits_a_telephone(browser: Browser) -> None:
    screen = browser.new_page(viewport={"width": 390, "height": 800})
    try:
        screen.set_content(report.html(a_result()))
        assert screen.evaluate("document.documentElement.scrollWidth") == 390
    finally:
        screen.close()


def test_what_could_not_be_seen_is_neither_good_nor_bad() -> None:
    result = a_result()
    looked = {one.what: one for one in result.verdict.judged}
    linked = looked["Contenido: datos que la página de otro sitio no puede leer (CORS)"]
    assert (linked.good, linked.found) == (None, "no se ejerció")
    bytes_of = looked["Contenido: contenido que no es el que dice su nombre o su manifiesto"]
    assert bytes_of.good is True and "no se bajaron archivos, paquetes, imágenes, vistas" in bytes_of.found
    assert linked not in result.verdict.reasons
    assert "— Contenido: datos que la página de otro sitio" in said(report.html(result))
    tally = a_tally()
    tally.note(LINKED, 5, 10, failed=False, at_s=1)
    tally.fault(GOES_BACK, "aquí")
    looked = {one.what: one for one in a_result(tally).verdict.judged}
    assert looked[linked.what].good is True
    assert looked["Contenido: un corte anterior después de uno más nuevo"].good is False


def test_the_cuts_nobody_was_there_long_enough_to_see_are_told() -> None:
    judged = a_result().verdict.of("cortes")
    assert judged is not None
    assert judged.found.endswith("747 de 1,500 posibles no tuvieron el plazo completo")


def test_a_second_that_was_slow_is_seen_in_the_report_and_its_data() -> None:
    result = a_result()
    data = json.loads(json.dumps(report.data(result)))
    assert data["entorno"]["prep"] and {"procesador", "núcleos", "nginx", "wrk"} <= set(data["entorno"])
    slots = data["por_tiempo"]["ranuras"]
    assert len(slots) == 60 and slots[59]["fallas"] == 1
    assert (slots[29]["p99_ms"], slots[30]["p99_ms"]) == (31, 230)
    assert "p99, 30 s: 230 ms" in report.html(result)
    assert "con falla, 60 s: 1" in report.html(result)
    healthy = a_tally()
    del healthy.slots[59]
    assert 'class="s2"' not in report.html(a_result(healthy)), "no line where there were no failures"


def test_the_seconds_of_several_processes_add_up_whatever_the_width_of_their_slots() -> None:
    one, other = Tally(), Tally(slot_s=10)
    for at in (0.5, 9.9, 10.0):
        one.note(POINTER, 3, 1, failed=False, at_s=at)
    other.note(POINTER, 3, 1, failed=True, at_s=12)
    whole = merge([one, other])
    assert [(at, slot.requests, slot.failures) for at, slot in over_time(whole, 35)] == [
        (0, 2, 0), (10, 2, 1), (20, 0, 0),
    ]  # fmt: skip


def test_a_chart_holds_its_lines_its_limit_and_nothing_from_outside() -> None:
    drawn = lines(
        "Tiempo <p95>", "ms", [Series("p95", [(0, 1), (60, 90)], "s1")], last=60, marks={20: "corte 7"},
        limit=250,
    )  # fmt: skip
    assert drawn.count("<polyline") == 1 and "corte 7" in drawn and 'class="limite"' in drawn
    assert re.findall(r">([\d,.]+)</text>", drawn) == ["0", "50", "100", "150", "200", "250"]
    assert re.findall(r">(\d+ s)</text>", drawn) == ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]
    assert "<p95>" not in drawn and "http" not in drawn
    far = lines("Tiempo", "ms", [Series("p95", [(0, 40)], "s1")], last=60, limit=5000)
    assert "fuera de la escala" in far and 'class="limite"' not in far
    assert "sin datos" in lines("Nada", "ms", [Series("nada", [], "s1")], last=60)


def test_failures_are_told_by_their_status() -> None:
    found = by_status([
        (PAGE, "CatchResponseError('500')", 3), (IMAGE, "CatchResponseError('500')", 1),
        (PAGE, "TimeoutError('sin respuesta al terminar')", 2), (PAGE, f"CatchResponseError('{CUT}')", 1),
        (PAGE, "CatchResponseError('no se pudo entrar: 401')", 1),
    ])  # fmt: skip
    assert found == [
        ("401", "falta entrar", 1), ("500", "error interno del servidor", 4),
        ("sin respuesta", "cortó la conexión", 1), ("sin respuesta al terminar", "", 2),
    ]  # fmt: skip


def test_a_test_too_short_to_see_a_cut_is_not_valid() -> None:
    result = a_result()
    short = replace(result.measured, whole=replace(result.measured.whole, lasted_s=27.0), invariants=())
    reasons = [one for one in judge(result.options.profile, short).reasons if one.kind == "validez"]
    assert [(one.wanted, one.found) for one in reasons] == [("más de 27", "27")]


def test_those_who_insist_have_their_figure_and_a_room_its_snapshots() -> None:
    result = a_result()
    abuse = {"bytes": 10**9, "segundos": 50, "respuestas": 40_000, "limitadas": 39_000}
    wanted = {
        "negacion": "Se llevan quienes insisten 160 Mbit/s ✔ se pide 200 o menos 40,000 respuestas, 39,000",
        "muro": "Fotografías vistas 99.5 % ✔ se pide 99 % o más 398 de 400",
    }
    tally = replace(result.measured.tally, counts=Counter(fotografias_vistas=398, fotografias_perdidas=2))
    for name, figure in wanted.items():
        found = profile.read(profile.find(name))
        measured = replace(
            result.measured, tally=tally, abuse=abuse if found.abuse else None, cuts=CutsSeen()
        )
        page = report.html(
            replace(
                result, options=replace(result.options, profile=found), measured=measured,
                verdict=judge(found, measured),
            )
        )  # fmt: skip
        top = said(page[: page.index("<figure>")])
        assert figure in top and "Cortes vistos" not in top, top
