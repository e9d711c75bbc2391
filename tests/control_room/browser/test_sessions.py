"""Putting people out from the screen: administration anybody, and each person his own other sessions."""

from __future__ import annotations

from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.served import ServedRoom


def test_sessions_are_ended_from_the_screen(state_room: ServedRoom, screen: NewScreen) -> None:
    operator, other = screen(state_room, "operador"), screen(state_room, "operador")
    operator.go("/cuenta", "cuenta")
    operator.page.get_by_role("button", name="Cerrar mis otras sesiones").click()
    operator.page.get_by_text("Sesiones cerradas: 1.").wait_for()
    other.page.goto(f"{state_room.url}/")
    assert other.page.url.startswith(f"{state_room.url}/entrar")

    boss = screen(state_room, "administracion")
    boss.go("/usuarios", "usuarios")
    boss.page.get_by_role("button", name="Cerrar sesiones").click()
    dialog = boss.page.get_by_role("dialog")
    dialog.get_by_label("Usuario, o cuenta institucional").fill("operador")
    dialog.get_by_role("button", name="Cerrar sesiones").click()
    boss.page.get_by_text("Sesiones cerradas: 1.").wait_for()
    operator.page.goto(f"{state_room.url}/")
    assert operator.page.url.startswith(f"{state_room.url}/entrar")
    assert boss.log.complaints == []
