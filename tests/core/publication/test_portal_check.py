"""The object people look at is compared with the checked figures, and a cut where they differ stays in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.publication.object_check import ObjectDefectError
from core.publication.objects import ObjectStore
from core.publication.portal_check import check_portal
from core.publication.portal_data.portal import PortalData
from tests.publication_sample import Night, sample


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("portal"))


def cut(work: Path) -> dict[str, Any]:
    """What the last cut of the folder is checked against."""
    manifest = orjson.loads((work / "cortes/0003/manifiesto.json").read_bytes())
    index = orjson.loads((work / "cortes/0003/indice.json").read_bytes())
    return {
        "name": manifest["portal"], "number": 3, "at_ms": manifest["instante_ms"], "last": False,
        "mode": "simulacro", "roots": manifest["raices_json"],
        "headers": {contest: told["encabezado"] for contest, told in index["contiendas"].items()},
    }  # fmt: skip


def _row(portal: dict[str, Any]) -> list[Any]:
    row: list[Any] = next(one for one in portal["contiendas"][0]["territorios"] if one[6])
    return row


def _swap_first_parties(portal: dict[str, Any]) -> None:
    parties = portal["contiendas"][0]["por_partido"]
    parties[0][1], parties[1][1] = parties[1][1], parties[0][1]


def _another_leader(portal: dict[str, Any]) -> None:
    row = _row(portal)
    row[6], row[7], row[8] = [["OTRO", ["PRI"]]], row[8], row[7]


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "corte": lambda one: one.update(corte=2),
    "instante": lambda one: one.update(instante_ms=0),
    "modo": lambda one: one.update(modo="oficial"),
    "encabezado": lambda one: one["contiendas"][0]["encabezado"].update(ACTAS_CAPTURADAS="1"),
    "raiz": lambda one: one["contiendas"][0].update(raiz=one["contiendas"][1]["raiz"]),
    "sin una contienda": lambda one: one["contiendas"].pop(),
    "columnas": lambda one: one["contiendas"][0]["por_columna"].reverse(),
    "partidos": _swap_first_parties,
    "candidaturas": lambda one: one["contiendas"][0].update(por_candidatura=[["ALGUIEN", ["PAN"], 999_999]]),
    "fila": lambda one: _row(one).__setitem__(2, 0),
    "participacion": lambda one: _row(one).__setitem__(5, "100.0000"),
    "quien va adelante": _another_leader,
    "sin un territorio": lambda one: one["contiendas"][0]["territorios"].pop(),
    "sin figuras": lambda one: one["contiendas"][0].pop("por_columna"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_portal_object_with_another_figure_is_told(work: Path, change: str, tmp_path: Path) -> None:
    given = cut(work)
    check_portal(work / "objetos", **given)
    store = ObjectStore(work / "objetos")
    portal = orjson.loads(store.get(given["name"]))
    CHANGES[change](portal)
    given["name"] = store.put(orjson.dumps(portal, option=orjson.OPT_SORT_KEYS))
    with pytest.raises(ObjectDefectError, match="portal"):
        check_portal(work / "objetos", **given)


def test_a_cut_whose_portal_would_show_other_votes_is_refused_and_the_one_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = Night(tmp_path)
    night.first_part()
    assert night.cut().refused is None
    before = (tmp_path / "corte.json").read_bytes()
    real = PortalData._put

    def other_votes(self: PortalData, document: dict[str, Any]) -> str:
        if "contiendas" in document and "historial" in document:
            document["contiendas"][0]["por_columna"] = [
                votes + 1 for votes in document["contiendas"][0]["por_columna"]
            ]
        return real(self, document)

    night.second_part()
    with monkeypatch.context() as wrong:
        wrong.setattr(PortalData, "_put", other_votes)
        refused = night.cut().refused
    assert refused is not None
    assert "por_columna" in refused
    assert (tmp_path / "corte.json").read_bytes() == before
    assert night.cut().refused is None
    night.close()
