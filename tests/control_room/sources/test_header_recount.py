"""The counters told from the ledger alone, against those the publisher wrote, whatever happened between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.domain.commands import AnyCommand, Choice
from core.domain.fields import Mark
from core.engine import Engine
from core.operations.header_recount import HeaderRecount
from core.publication.cut import Publisher
from core.storage.database import open_database
from core.storage.store import Store
from tests.core.domain.small import CATALOG, MINUTE, START, WIDTH, Orders, votes

AT = START + 30 * MINUTE


class Night:
    """An election of nine actas under way, its publisher, and a recount that keeps up with it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(open_database(str(folder / "prep.db")))
        self.engine = Engine(self.store, CATALOG, "simulacro")
        self.orders = Orders()
        self.engine.execute([self.orders.open()], AT)
        self.publisher = Publisher(self.engine, self.store.database, folder)
        self.recount = HeaderRecount(CATALOG)

    def send(self, *commands: object) -> None:
        answers = self.engine.execute(list(commands), AT)  # type: ignore[arg-type]
        assert all(answer.accepted for answer in answers)

    def cut(self, *, last: bool = False) -> dict[str, dict[str, str]]:
        """Publish; the header as written, once the recount has said the same."""
        report = self.publisher.cut(AT, last=last)
        self.read()
        assert self.recount.header(report.number) == report.headers
        assert self.recount.last is not None
        assert (self.recount.last.seq_high, self.recount.last.last) == (report.seq_high, last)
        return report.headers

    def read(self) -> None:
        with self.store.database.connect() as connection:
            self.recount.read(connection)

    def close(self) -> None:
        self.store.close()
        self.store.database.dispose()


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    made = Night(tmp_path)
    yield made
    made.close()


def test_an_empty_cut_counts_nothing(night: Night) -> None:
    assert {header["ACTAS_CAPTURADAS"] for header in night.cut().values()} == {"0"}
    assert {name: header["ACTAS_ESPERADAS"] for name, header in night.recount.header(1).items()} == {
        "GUB": "5", "AYUN": "4",
    }  # fmt: skip


def test_special_casillas_and_the_last_cut_have_their_own_formulas(night: Night) -> None:
    orders = night.orders
    night.send(*orders.agreed(0), *orders.agreed(2))
    running = night.cut()["GUB"]
    assert int(running["TOTAL_VOTOS_C_CS"]) > int(running["TOTAL_VOTOS_S_CS"]) > 0
    last = night.cut(last=True)["GUB"]
    assert last["PORCENTAJE_PARTICIPACION_CIUDADANA"] != running["PORCENTAJE_PARTICIPACION_CIUDADANA"]


def test_what_stops_being_registered_stops_being_counted(night: Night) -> None:
    orders = night.orders
    night.send(*orders.agreed(0), *orders.agreed(5), orders.sin_acta(3))
    assert night.cut()["GUB"]["ACTAS_CAPTURADAS"] == "2"
    night.send(orders.request_recall(0))
    assert night.cut()["GUB"]["ACTAS_CAPTURADAS"] == "2", "un retiro pedido aún no es un retiro"
    night.send(orders.approve_recall(0), orders.receive(3))
    assert night.cut()["GUB"]["ACTAS_CAPTURADAS"] == "0"
    blank = [Mark.ILEGIBLE] * WIDTH
    night.send(orders.capture(0, "carla", votes(0, *blank)), orders.capture(0, "dora", votes(0, *blank)))
    header = night.cut()["GUB"]
    assert (header["ACTAS_CAPTURADAS"], header["ACTAS_CONTABILIZADAS"]) == ("1", "0")


def test_an_acta_outside_the_catalogue_is_counted_until_somebody_says_whose_it_is(night: Night) -> None:
    orders = night.orders
    night.send(
        orders.receive_outside("una"), orders.receive_outside("dos", contest="AYUN"), orders.sin_acta(1)
    )
    before = night.cut()
    assert [before[name]["ACTAS_FUERA_CATALOGO"] for name in ("GUB", "AYUN")] == ["1", "1"]
    night.send(orders.identify(1, 1))
    after = night.cut()["GUB"]
    assert (after["ACTAS_FUERA_CATALOGO"], after["ACTAS_CAPTURADAS"]) == ("0", "0")
    night.send(orders.capture(1, "ana"), orders.capture(1, "beto"))
    assert night.cut()["GUB"]["ACTAS_CAPTURADAS"] == "1"


def test_a_cut_that_missed_the_last_events_is_counted_without_them(night: Night) -> None:
    """The recount goes to the very event the cut includes, though the ledger is longer by then."""
    orders = night.orders
    night.send(*orders.agreed(0))
    first = night.publisher.cut(AT)
    night.send(*orders.agreed(5), *orders.agreed(1))
    second = night.publisher.cut(AT)
    night.send(*orders.agreed(3))
    night.read()
    assert night.recount.header(1) == first.headers
    assert night.recount.header(2) == second.headers
    assert list(night.recount.cuts) == [1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_sent_the_ledger_and_the_publisher_count_the_same(night: Night, seed: int) -> None:
    dice = random.Random(seed)
    accepted = 0
    for turn in range(8):
        commands = [anything(night.orders, dice) for _ in range(45)]
        # One by one: most are refused, as they must be.
        accepted += sum(night.engine.execute([command], AT)[0].accepted for command in commands)
        night.cut(last=turn == 7)
    assert accepted > 60


def anything(orders: Orders, dice: random.Random) -> AnyCommand:
    """A command that may or may not make sense."""
    acta, person = dice.randrange(9), dice.choice(("ana", "beto", "carla"))
    values = votes(acta, dice.choice((40, 41)), dice.choice((5, Mark.ILEGIBLE, 300)))
    builders: tuple[Callable[[], AnyCommand], ...] = (
        lambda: orders.receive(acta),
        lambda: orders.digitize(acta, dice.random()),
        lambda: orders.capture(acta, person, values),
        lambda: orders.capture(acta, person, values),
        lambda: orders.resolve(acta, dice.choice(tuple(Choice))),
        lambda: orders.sin_acta(acta, supervisor="manda"),
        lambda: orders.request_recall(acta),
        lambda: orders.approve_recall(acta),
        lambda: orders.dismiss_recall(acta),
        lambda: orders.replace_image(acta, dice.random()),
        lambda: orders.collate(acta),
        lambda: orders.receive_outside(dice.random(), dice.choice(("GUB", "AYUN"))),
        lambda: orders.identify(acta, dice.randrange(1, 4)),
    )
    return dice.choice(builders)()
