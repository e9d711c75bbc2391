"""Compares the tables of the database with what the ledger says, row by row and added up.

Every table is read as a stream and looked at once. The sums are made twice on purpose: by the
database over `result`, and here from the states of `rebuild`. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, case, func, select

from core.domain.acta import ActaState, Status, value_of
from core.domain.catalog import Catalog
from core.domain.counters import COUNTER_NAMES, CountedActa, Counters, Tally
from core.domain.fields import Mark
from core.operations.check_findings import Findings
from core.operations.rebuild import Rebuilt
from core.storage import schema
from core.storage.rows import acta_times, result_row

_STEP = 5_000

Place = tuple[str, int | None, int | None]
"""Contest, distrito, municipio."""

_RESULT_COLUMNS = tuple(column.name for column in schema.result.columns)
_ACTA_COLUMNS = tuple(column.name for column in schema.acta.columns)
_OUTSIDE_COLUMNS = tuple(column.name for column in schema.outside.columns)


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from connection.execution_options(stream_results=True, yield_per=_STEP).execute(query)


def _whole(table: Table) -> Select[Any]:
    return select(*table.columns)


class Comparison:
    """The tables of one database against one `Rebuilt`."""

    def __init__(self, connection: Connection, rebuilt: Rebuilt, findings: Findings) -> None:
        self._connection = connection
        self._rebuilt = rebuilt
        self._findings = findings
        self._catalog: Catalog = rebuilt.catalog

    def run(self) -> dict[str, Counters]:
        """Compare all but what is fixed; returns the counters of each contest, from the ledger."""
        self.actas()
        self.results()
        self.outside()
        self.images()
        self.commands()
        self.slots()
        self.statuses()
        return self.sums()

    def _key(self, acta: int) -> str:
        if 0 <= acta < len(self._catalog.actas):
            return self._catalog.actas[acta].key
        return f"id {acta}"

    def fixed(self) -> None:
        """Catalogue, fingerprint and mode."""
        rows = self._connection.execute(select(schema.meta.c.key, schema.meta.c.value))
        meta = {str(key): str(value) for key, value in rows}
        computed = self._catalog.fingerprint()
        stored = self._connection.execute(select(schema.catalog.c.fingerprint)).scalar()
        for table, found in (("meta", meta.get("catalog")), ("catalog", stored)):
            if found != computed:
                self._findings.add("K20", table, "catalog", "fingerprint", computed, found)
        if not meta.get("mode"):
            self._findings.add("K20", "meta", "mode", "value", "oficial o simulacro", meta.get("mode"))

    def actas(self) -> None:
        """Every row of `acta`: what is fixed against the catalogue, the rest against the states."""
        rebuilt, size, add = self._rebuilt, len(self._catalog.actas), self._findings.add
        following = 0
        for row in _stream(self._connection, _whole(schema.acta).order_by(schema.acta.c.id)):
            acta = int(row[0])
            if not 0 <= acta < size:
                add("K11", "acta", f"id {acta}", "id", None, acta)
                continue
            for missing in range(following, acta):
                add("K11", "acta", self._key(missing), "id", missing, None)
            following = acta + 1
            entry = self._catalog.actas[acta]
            casilla = self._catalog.casillas[entry.casilla]
            state = rebuilt.states[acta]
            wanted = (
                acta, entry.key, entry.contest, entry.casilla, casilla.distrito, casilla.municipio,
                casilla.seccion, casilla.catd, state.status.value, rebuilt.seqs[acta], *acta_times(state),
            )  # fmt: skip
            found = tuple(row)
            if found == wanted:
                continue
            for column, name in enumerate(_ACTA_COLUMNS):
                if found[column] != wanted[column] and (column < 8 or acta not in rebuilt.damaged):
                    code = "K11" if column < 8 else "K10"
                    add(code, "acta", entry.key, name, wanted[column], found[column], f"acta {acta}")
        for missing in range(following, size):
            add("K11", "acta", self._key(missing), "id", missing, None)

    def results(self) -> None:
        """Every row of `result`, and those that should be there."""
        rebuilt, add = self._rebuilt, self._findings.add
        seen = bytearray(len(rebuilt.states))
        for row in _stream(self._connection, _whole(schema.result).order_by(schema.result.c.acta)):
            acta = int(row[0])
            known = 0 <= acta < len(seen)
            if known:
                seen[acta] = 1
                if acta in rebuilt.damaged:
                    continue
            wanted = result_row(acta, rebuilt.states[acta]) if known else None
            if wanted is None:
                status = rebuilt.states[acta].status.value if known else "no está en el catálogo"
                add("K13", "result", self._key(acta), "acta", None, acta, f"acta {acta}, {status}")
                continue
            found = tuple(row)
            if found != wanted:
                for name, one, other in zip(_RESULT_COLUMNS, wanted, found, strict=True):
                    if one != other:
                        add("K12", "result", self._key(acta), name, one, other, f"acta {acta}")
        for acta, state in enumerate(rebuilt.states):
            if not seen[acta] and acta not in rebuilt.damaged and result_row(acta, state) is not None:
                add("K13", "result", self._key(acta), "acta", acta, None, f"acta {acta}")

    def outside(self) -> None:
        """Actas fuera de catálogo."""
        left = dict(self._rebuilt.outside)
        for row in _stream(self._connection, _whole(schema.outside).order_by(schema.outside.c.id)):
            wanted = left.pop(row[0], None)
            if wanted is None:
                self._findings.add("K14", "outside", row[0], "id", None, row[0])
                continue
            for name, one, other in zip(_OUTSIDE_COLUMNS, wanted, row, strict=True):
                if one != other:
                    self._findings.add("K14", "outside", row[0], name, one, other)
        for number in left:
            self._findings.add("K14", "outside", number, "id", number, None)

    def slots(self) -> None:
        """A slot that says its cut went out: that cut is in the ledger, and of no other slot."""
        known = {number for _, number, _ in self._rebuilt.operation.cuts}
        table = schema.emission_slot
        published: set[int] = set()
        rows = select(table.c.slot, table.c.number).where(table.c.number.is_not(None)).order_by(table.c.slot)
        for slot, number in _stream(self._connection, rows):
            if number not in known:
                self._findings.add("K24", "emission_slot", slot, "number", "un corte de la bitácora", number)
            elif number in published:
                self._findings.add("K24", "emission_slot", slot, "number", "un corte de otra ranura", number)
            published.add(number)

    def images(self) -> None:
        """Who owns each image."""
        left = self._rebuilt.images
        for contest, sha256, owner in _stream(self._connection, _whole(schema.image)):
            wanted = left.get(contest, {}).pop(sha256, None)
            if wanted != owner:
                name = self._key(owner) if owner >= 0 else "fuera de catálogo"
                what = f"imagen de la contienda {contest}, hoy de {name}"
                self._findings.add("K15", "image", sha256, "acta", wanted, owner, what)
        for contest, images in left.items():
            for sha256, owner in images.items():
                what = f"imagen de la contienda {contest}"
                self._findings.add("K15", "image", sha256, "acta", owner, None, what)

    def commands(self) -> None:
        """Every accepted command has its events, and every event its command."""
        last, add = self._rebuilt.seq, self._findings.add
        claimed = bytearray(last + 1)
        query = select(
            schema.command.c.key,
            schema.command.c.refusal,
            schema.command.c.seq_first,
            schema.command.c.seq_last,
        )
        for key, refusal, first, end in _stream(self._connection, query):
            if refusal is not None:
                if first is not None or end is not None:
                    add("K16", "command", key, "seq_first", None, first, "orden rechazada con eventos")
                continue
            if first is None or end is None or not 1 <= first <= end <= last:
                add("K16", "command", key, "seq_last", f"entre 1 y {last}", f"{first} a {end}")
                continue
            for seq in range(first, end + 1):
                if claimed[seq]:
                    add("K16", "command", key, "seq_first", "eventos de una sola orden", seq)
                    break
                claimed[seq] = 1
        position = claimed.find(0, 1)
        while position != -1:
            add("K16", "ledger", position, "seq", "una orden que lo cause", None)
            position = claimed.find(0, position + 1)

    def statuses(self) -> None:
        """How many actas are in each state."""
        wanted = Counter(state.status.value for state in self._rebuilt.states)
        query = select(schema.acta.c.status, func.count()).group_by(schema.acta.c.status)
        found: Counter[str] = Counter(
            {str(status): int(count) for status, count in self._connection.execute(query)}
        )
        for status in sorted({*wanted, *found, *(status.value for status in Status)}):
            if wanted[status] != found[status]:
                self._findings.add("K19", "acta", status, "status", wanted[status], found[status])

    # -- sums --------------------------------------------------------------------------------------

    def sums(self) -> dict[str, Counters]:
        """Header counters by contest and votes by territory, made twice."""
        tallies, votes, last_cut = self._from_states()
        by_database = self._tallies_in_database()
        counters: dict[str, Counters] = {}
        for contest, tally in tallies.items():
            counters[contest] = tally.counters(last_cut=last_cut)
            wanted = counters[contest].as_header()
            found = by_database[contest].counters(last_cut=last_cut).as_header()
            for name in COUNTER_NAMES:
                if wanted[name] != found[name]:
                    self._findings.add("K17", "result", contest, name, wanted[name], found[name])
            self._compare_votes(contest, votes, tally.votes)
        return counters

    def _from_states(self) -> tuple[dict[str, Tally], dict[Place, list[int]], bool]:
        catalog, rebuilt = self._catalog, self._rebuilt
        tallies = {contest: Tally(esperadas=catalog.expected(contest)) for contest in catalog.contests}
        votes: dict[Place, list[int]] = {}
        for acta, state in enumerate(rebuilt.states):
            counted = _counted(state)
            if counted is None:
                continue
            entry = catalog.actas[acta]
            casilla = catalog.casillas[entry.casilla]
            contabilizada, inconsistent, total = counted
            tallies[entry.contest].add(
                CountedActa(contabilizada, inconsistent, casilla.special, total, casilla.lista_nominal)
            )
            value = value_of(state)
            if contabilizada and value is not None:
                place = (entry.contest, casilla.distrito, casilla.municipio)
                sums = votes.get(place)
                if sums is None:
                    sums = votes[place] = [0] * len(catalog.contests[entry.contest].columns)
                for column, field in enumerate(value.value.votes):
                    if not isinstance(field, Mark):
                        sums[column] += field
        for row in rebuilt.outside.values():
            if row[8] is None and row[1] in tallies:
                tallies[row[1]].fuera_catalogo += 1
        return tallies, votes, rebuilt.last_cut

    def _tallies_in_database(self) -> dict[str, Tally]:
        catalog, acta, result = self._catalog, schema.acta, schema.result
        tallies = {contest: Tally(esperadas=catalog.expected(contest)) for contest in catalog.contests}
        counts = case((result.c.contabilizada, 1), else_=0)
        query = (
            select(
                acta.c.contest,
                acta.c.casilla,
                func.count(),
                func.sum(counts),
                func.sum(case((result.c.inconsistent, 1), else_=0)),
                func.sum(case((result.c.contabilizada, result.c.total), else_=0)),
            )
            .join_from(result, acta, acta.c.id == result.c.acta)
            .group_by(acta.c.contest, acta.c.casilla)
        )
        for contest, place, captured, counted, inconsistent, total in _stream(self._connection, query):
            tally = tallies.get(contest)
            if tally is None or not 0 <= place < len(catalog.casillas):
                continue  # named by `actas`
            casilla = catalog.casillas[place]
            tally.capturadas += int(captured)
            tally.contabilizadas += int(counted)
            tally.inconsistentes += int(inconsistent)
            tally.lista_nominal += int(counted) * casilla.lista_nominal
            tally.votes += int(total)
            if casilla.special:
                tally.votes_special += int(total)
        pending = (
            select(schema.outside.c.contest, func.count())
            .where(schema.outside.c.identified_as.is_(None))
            .group_by(schema.outside.c.contest)
        )
        for contest, count in self._connection.execute(pending):
            if contest in tallies:
                tallies[contest].fuera_catalogo = int(count)
        return tallies

    def _compare_votes(self, contest: str, votes: dict[Place, list[int]], whole: int) -> None:
        acta, result = schema.acta, schema.result
        codes = self._catalog.contests[contest].codes
        slots = [result.c[name] for name in schema.VOTE_SLOTS[: len(codes)]]
        query = (
            select(acta.c.distrito, acta.c.municipio, *(func.sum(slot) for slot in slots))
            .join_from(result, acta, acta.c.id == result.c.acta)
            .where(acta.c.contest == contest, result.c.contabilizada)
            .group_by(acta.c.distrito, acta.c.municipio)
        )
        left = {place: sums for place, sums in votes.items() if place[0] == contest}
        added = 0
        for row in self._connection.execute(query):
            place = (contest, row[0], row[1])
            wanted = left.pop(place, [0] * len(codes))
            found = [int(value or 0) for value in row[2:]]
            added += sum(found)
            self._votes_differ(place, codes, wanted, found)
        for place, wanted in left.items():
            self._votes_differ(place, codes, wanted, [0] * len(codes))
        if added != whole:
            self._findings.add("K18", "result", contest, "votos", whole, added, "suma de los territorios")

    def _votes_differ(
        self, place: Place, codes: Sequence[str], wanted: Sequence[int], found: Sequence[int]
    ) -> None:
        contest, distrito, municipio = place
        for code, one, other in zip(codes, wanted, found, strict=True):
            if one != other:
                what = f"distrito {_or_dash(distrito)}, municipio {_or_dash(municipio)}"
                self._findings.add("K18", "result", contest, code, one, other, what)


def _or_dash(number: int | None) -> str:
    return "—" if number is None else str(number)


def _counted(state: ActaState) -> tuple[bool, bool, int] | None:
    """(contabilizada, inconsistent, total) of a registered acta, None for the others."""
    value = value_of(state)
    if value is not None:
        return value.contabilizada, value.inconsistent, value.total
    return (False, False, 0) if state.status is Status.SIN_ACTA else None
