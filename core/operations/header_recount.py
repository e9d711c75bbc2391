"""The header counters of every cut, counted again from the ledger up to the very event each cut includes.

Independent of what published them: neither the tables of results nor the sums of the publisher are read,
only the events. It goes forward through the ledger and reads each event once, so that keeping up with a
night costs what is new. Whether the counts are those that were published is for who compares them to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, case, func, select

from core.domain.catalog import Catalog
from core.domain.counters import CountedActa, Tally
from core.domain.events import EventKind
from core.storage import schema

_WITH_DATA = (
    EventKind.ACTA_VERIFIED.value,
    EventKind.OUTSIDE_RECEIVED.value,
    EventKind.OUTSIDE_IDENTIFIED.value,
)
_READ = (
    *_WITH_DATA,
    EventKind.SIN_ACTA_MARKED.value,
    EventKind.ACTA_RECEIVED.value,
    EventKind.RECALL_APPROVED.value,
)
_SIN_ACTA = CountedActa(False, False, False, 0, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A published cut as the ledger has it."""

    number: int
    seq_high: int
    manifest_sha256: str
    last: bool
    at_ms: int
    seq: int


class HeaderRecount:
    """The cuts of a ledger, each with its thirteen counters by contest. One instance per database."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tallies = {name: Tally(esperadas=catalog.expected(name)) for name in catalog.contests}
        self._counted: dict[int, CountedActa] = {}
        self._outside: dict[int, str] = {}
        self._seq = 0
        self._cuts_seq = 0
        self.cuts: dict[int, Cut] = {}
        """By number, in order."""
        self._headers: dict[int, dict[str, dict[str, str]]] = {}

    @property
    def last(self) -> Cut | None:
        """The last cut that went out, as of the last `read`."""
        return self.cuts[next(reversed(self.cuts))] if self.cuts else None

    def header(self, number: int) -> dict[str, dict[str, str]]:
        """Counters by contest of a cut that was read, as its header should write them."""
        return self._headers[number]

    def read(self, connection: Connection) -> None:
        """Read the cuts recorded since the last call, and the events each includes."""
        for cut in self._new_cuts(connection):
            self._read_to(connection, cut.seq_high)
            self.cuts[cut.number] = cut
            self._headers[cut.number] = {
                name: tally.counters(last_cut=cut.last).as_header() for name, tally in self._tallies.items()
            }
            self._cuts_seq = cut.seq

    def at_end(self, connection: Connection, *, last_cut: bool) -> dict[str, dict[str, str]]:
        """Counters by contest at the end of the ledger, whatever the cuts included; call it after `read`.

        `last_cut` is the formula of participation. What was read stays read: no cut may be added after it.
        """
        head = connection.execute(select(func.max(schema.ledger.c.seq))).scalar() or 0
        self._read_to(connection, int(head))
        return {name: t.counters(last_cut=last_cut).as_header() for name, t in self._tallies.items()}

    def _new_cuts(self, connection: Connection) -> list[Cut]:
        table = schema.ledger
        rows = connection.execute(
            select(table.c.seq, table.c["at"], table.c.data)
            .where(table.c.acta.is_(None), table.c.kind == EventKind.CUT_PUBLISHED.value)
            .where(table.c.seq > self._cuts_seq)
            .order_by(table.c.seq)
        )
        found = []
        for seq, at, data in rows:
            cut = orjson.loads(data)
            found.append(
                Cut(
                    cut["number"],
                    cut["seq_high"],
                    cut["manifest_sha256"],
                    bool(cut["last"]),
                    int(at),
                    int(seq),
                )
            )
        return found

    def _read_to(self, connection: Connection, seq_high: int) -> None:
        table = schema.ledger
        data_wanted = case((table.c.kind.in_(_WITH_DATA), table.c.data), else_="")
        rows = connection.execution_options(stream_results=True, yield_per=5000).execute(
            select(table.c.kind, table.c.acta, data_wanted)
            .where(table.c.seq > self._seq, table.c.seq <= seq_high, table.c.kind.in_(_READ))
            .order_by(table.c.seq)
        )
        for kind, acta, data in rows:
            self._fold(kind, acta, data)
        self._seq = max(self._seq, seq_high)

    def _fold(self, kind: str, acta: int | None, data: str) -> None:
        if acta is None:
            if kind == EventKind.OUTSIDE_RECEIVED:
                found = orjson.loads(data)
                self._outside[found["outside"]] = found["contest"]
                self._tallies[found["contest"]].fuera_catalogo += 1
            return
        if kind == EventKind.ACTA_VERIFIED:
            self._set(acta, self._verified(acta, orjson.loads(data)))
        elif kind == EventKind.SIN_ACTA_MARKED:
            self._set(acta, _SIN_ACTA)
        else:
            # Received or identified after its mark, or recalled: it is not registered any more.
            self._set(acta, None)
            if kind == EventKind.OUTSIDE_IDENTIFIED:
                contest = self._outside.pop(orjson.loads(data)["outside"], None)
                if contest is not None:
                    self._tallies[contest].fuera_catalogo -= 1

    def _verified(self, acta: int, data: dict[str, object]) -> CountedActa:
        casilla = self._catalog.casillas[self._catalog.actas[acta].casilla]
        return CountedActa(
            bool(data["contabilizada"]),
            bool(data["inconsistent"]),
            casilla.special,
            int(str(data["total"])),
            casilla.lista_nominal,
        )

    def _set(self, acta: int, new: CountedActa | None) -> None:
        tally = self._tallies[self._catalog.actas[acta].contest]
        old = self._counted.pop(acta, None)
        if old is not None:
            tally.add(old, -1)
        if new is not None:
            tally.add(new)
            self._counted[acta] = new
