"""What the portal object says that changed between two cuts, from the engine to the published object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.commands import ApproveRecall, RequestRecall
from core.publication.portal_data.changes import kind_of
from core.publication.public_tree import object_key
from tests.publication_sample import Night

CAPTURED = {
    "acta": "x",
    "hoja": 3,
    "estado": "capturada",
    "votos": [5],
    "cotejada": 0,
    "imagen_archivo": None,
}
MISSING = {"acta": "x", "hoja": 3, "estado": "no_capturada"}


def told(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts and details of the first contest in the latest cut."""

    def get(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((folder / object_key(name)).read_bytes())
        return document

    portal = get(json.loads((folder / "corte.json").read_bytes())["portal"])
    return portal["cambios"]["DIP_LOC"], get(portal["detalle_cambios"])["contiendas"]["DIP_LOC"]


def test_an_acta_taken_back_is_named_as_withdrawn_and_as_new_when_it_returns(tmp_path: Path) -> None:
    night = Night(tmp_path)
    try:
        night.first_part()
        night.cut()
        counts, details = told(tmp_path)
        assert counts["nuevas"] == sum(row[1] for _, found in details["secciones"] for row in found) > 0
        who: dict[str, Any] = {"actor": "pide", "station": "E1", "at": night.at}
        night.send(
            RequestRecall(acta=3, reason="error de captura", key="r1", **who),
            ApproveRecall(acta=3, key="r2", **{**who, "actor": "aprueba"}),
        )
        night.cut()
        counts, details = told(tmp_path)
        acta = night.catalog.actas[3]
        where = [night.catalog.territory_of(acta), night.catalog.casilla_of(acta).seccion, acta.key, 3]
        assert counts == {"nuevas": 0, "corregidas": 0, "retiradas": 1, "cotejadas": 0, "secciones": 1}
        assert details["retiradas"] == [where] and details["corregidas"] == []
        assert details["secciones"] == [[where[0], [[where[1], 0, 0, 1, 0]]]]
        night.capture(3, first=40)
        night.cut()
        counts, details = told(tmp_path)
        assert (counts["nuevas"], details["retiradas"]) == (1, [])
        night.collate(0)
        night.correct(6, first=55)
        night.cut()
        counts, details = told(tmp_path)
        assert (counts["cotejadas"], counts["corregidas"]) == (1, 1)
        assert [row[3] for row in details["corregidas"]] == [6]
    finally:
        night.close()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        pytest.param(None, MISSING, None, id="esperada"),
        pytest.param(None, CAPTURED, "nuevas", id="nueva-en-seccion-nueva"),
        pytest.param(MISSING, {**CAPTURED, "estado": "sin_acta"}, "nuevas", id="sin-acta"),
        pytest.param(CAPTURED, {**CAPTURED, "imagen_archivo": "jpg"}, None, id="llego-su-imagen"),
        pytest.param(
            CAPTURED, {**CAPTURED, "cotejada": 1, "imagen_archivo": "jpg"}, "cotejadas", id="cotejo"
        ),
        pytest.param(CAPTURED, {**CAPTURED, "cotejada": 1, "votos": [6]}, "corregidas", id="votos"),
        pytest.param(CAPTURED, MISSING, "retiradas", id="retirada"),
    ],
)
def test_what_happened_to_an_acta(old: dict[str, Any] | None, new: dict[str, Any], what: str | None) -> None:
    assert kind_of(old, new) == what
