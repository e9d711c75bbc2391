"""The verifier before answers and files nobody would publish: it says no or that it cannot read, and why."""

from __future__ import annotations

import io
import random
import time
import zipfile
from pathlib import Path

import pytest

from core.verification import verificar
from core.verification.verificar import Unreadable, Wrong, main
from tests.raw_server import CUT_IN_A_CHUNK, CUT_IN_THE_HEAD, CUT_SHORT, DRIPS, NOT_HTTP, answer, raw_server

NAMES = "|".join(verificar.COUNTERS)
COLUMNS = (
    "CLAVE_CASILLA|TIPO_CASILLA|TOTAL_VOTOS_SACADOS|PAN|TOTAL_VOTOS_ASENTADO|OBSERVACIONES|CONTABILIZADA\n"
)


def package(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("emisiones/0001.json", '{"checkpoint":"ñ"}')
        archive.writestr("cortes/0001/año.csv", "a" * 300)
    return stream.getvalue()


@pytest.mark.parametrize(
    "said",
    [NOT_HTTP, CUT_IN_A_CHUNK, CUT_SHORT, CUT_IN_THE_HEAD],
    ids=["no es HTTP", "a medio trozo", "incompleta", "a media cabecera"],
)
def test_an_answer_cut_short_or_that_is_not_http_cannot_be_read(
    said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with raw_server(said) as url:
        assert main([url]) == 2
    assert capsys.readouterr().err.startswith("No se puede leer: ")


@pytest.mark.parametrize("part", DRIPS)
def test_an_answer_that_comes_drop_by_drop_does_not_hold_it_for_ever(
    part: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verificar, "TIMEOUT_S", 0.4)
    began = time.monotonic()
    with raw_server(DRIPS[part], b"a") as url:
        assert main([url]) == 2
    assert time.monotonic() - began < 5
    assert "No se puede leer: " in capsys.readouterr().err


def test_a_zip_packed_in_another_way_is_refused() -> None:
    with pytest.raises(Wrong, match="de un modo que no se usa"):
        verificar.ZipSource(package(zipfile.ZIP_LZMA), "x.zip")


def test_a_zip_with_any_byte_changed_never_ends_in_a_crash() -> None:
    rng = random.Random(5)
    good, refused = package(), 0
    for _ in range(3_000):
        spoilt = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        try:
            source = verificar.ZipSource(bytes(spoilt), "x.zip")
            for name in source.names():
                source.get(name)
        except (Wrong, Unreadable):
            refused += 1
    assert refused > 1_000


def test_a_csv_with_a_huge_cell_is_told() -> None:
    text = f"T\n{NAMES}\n{'|'.join('0' * 13)}\n\n{COLUMNS}{'9' * 200_000}|B|1|1|1|-|1\n"
    with pytest.raises(Wrong, match="no se puede separar en celdas"):
        verificar.parse_csv(text.encode())


def test_a_thing_signed_without_its_form_is_a_no() -> None:
    checker = verificar.Verifier(verificar.DirSource(Path()), verificar.Options())
    checker.entry = {"corte": 1}
    checker._whole = lambda: checker._cut("cortes/0001/", some=False)  # type: ignore[method-assign]
    checker.check = lambda *_, **__: True  # type: ignore[method-assign]
    assert "lo firmado no tiene la forma esperada" in "; ".join(checker.run().reasons)


@pytest.mark.parametrize("flag", [[], ["--json"]], ids=["texto", "json"])
def test_what_the_site_writes_cannot_pass_for_a_line_of_the_report(
    flag: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    forged = (
        rb'{"corte":3,"base":"cortes/0003/","emision":"emisiones/0003.json","instante":"\ud800\u001b[2K"}'
    )
    report = verificar.Report(source="\ud800\n  bien Firma: \x1b[2K")
    report.add("x", "X", "mal", "uno\n  bien Firma: v\u00e1lida\x1b[2K")
    lines = report.as_text().split("\n")
    assert not any(line.startswith("  bien") for line in lines) and "\x1b" not in report.as_text()
    assert "\ud800" not in verificar.as_json(report.as_data())
    with raw_server(answer(forged)) as url:
        assert main([url, *flag]) == 1
    shown = capfdbinary.readouterr().out
    assert b"corte 3 de" in shown and b"\x1b" not in shown


def test_a_path_too_long_to_exist_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a" * 5_000]) == 2
    assert "No se puede leer" in capsys.readouterr().err
