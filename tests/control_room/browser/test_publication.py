"""The page of the publication: what its service says of itself, and a hold that takes two persons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.publishing.state import PublisherState, Status
from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.served import LiveNight, ServedRoom
from tests.control_room.night_folder import CHICA

REASON = "El portal muestra <b>otra</b> elección"
SAID_MS = 1_622_930_400_000


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    folder = tmp_path_factory.mktemp("publicacion") / "noche"
    # Without cuts of its own it says nothing of them: what the page shows is what is written here.
    with LiveNight(CHICA, folder, 1, "--sin-cortes") as night:
        state = PublisherState("b", 1, "simulacro", Status.WAITING, cut=1, next_at=SAID_MS)
        state.alarm("destino", "El difusor no responde", SAID_MS)
        state.missed.append(SAID_MS)
        state.witnesses = {"de": 3, "con": 2, "detalle": []}
        state.destinations = [
            {"nombre": "difusor", "estado": "sin_respuesta", "corte": 0, "atraso_cortes": 1, "atraso_s": 90}
        ]
        state.write(night.folder, SAID_MS)
        with ServedRoom(night.folder / "prep.db", folder / "sala", "--escenario", CHICA) as served:
            yield served


def test_what_the_publisher_says_and_a_hold_by_two_persons(room: ServedRoom, screen: NewScreen) -> None:
    publisher, boss = screen(room, "publicacion"), screen(room, "coordinador")
    for one in (publisher, boss):
        one.page.goto(f"{room.url}/publicacion")
    service = publisher.page.locator("#pub-servicio")
    service.get_by_text("El difusor no responde").wait_for()
    assert "2 de 3 testigos firmaron" in service.inner_text()
    assert "Un corte no salió" in service.inner_text()
    assert "✕ Sin respuesta" in publisher.page.locator("#pub-destinos").inner_text()
    boss.page.goto(f"{room.url}/")
    boss.page.get_by_text("El publicador falla o no responde").first.wait_for()
    boss.page.goto(f"{room.url}/publicacion")
    publisher.page.get_by_role("button", name="Detener publicación").click()
    publisher.page.get_by_label("Motivo").fill(REASON)
    publisher.page.get_by_role("button", name="Proponer").click()
    boss.page.get_by_role("button", name="Autorizar la detención").wait_for()
    assert publisher.page.get_by_role("button", name="Autorizar la detención").count() == 0
    assert REASON in boss.page.locator("#pub-detencion").inner_text()
    boss.page.get_by_role("button", name="Autorizar la detención").click()
    boss.page.get_by_role("dialog").get_by_role("button", name="Detener publicación").click()
    boss.page.get_by_text("Está detenida: no sale ningún corte.").wait_for()
    publisher.page.get_by_role("button", name="Reanudar").wait_for()
    assert room.snapshot()["detencion"]["estado"] == "detenida"
    assert publisher.log.complaints == [] and boss.log.complaints == []
    assert publisher.log.outside() == []
