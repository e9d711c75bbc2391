"""Small catalogues and random snapshots for tests. They obey the rules but imitate no real place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from core.catalogs.ballots import LayoutBook, acta_limit, casilla_key, representatives_margin
from core.domain.catalog import (
    ActaEntry,
    Casilla,
    Catalog,
    Catd,
    Contest,
    Entidad,
    Scope,
    Territory,
)
from core.domain.contenders import (
    LAST_COLUMNS,
    Candidacy,
    Contender,
    ContenderKind,
    coalition_combinations,
)
from core.domain.fields import Field, Mark
from core.domain.rules import ActaReading, judge
from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot

START_MS = 1_622_937_600_000
"""2021-06-06 00:00 UTC: evening of the day before in the entidad of these catalogues (UTC-6)."""

PARTIES = ("PAN", "PRI", "PRD", "PT", "PVEM", "MC", "MORENA")
COALITION = ("PAN", "PRI", "PRD")
SCOPES = {"GUB": Scope.ENTIDAD, "DIP_LOC": Scope.DISTRITO, "AYUN": Scope.MUNICIPIO}
TIPO_ACTA = {"GUB": "2", "DIP_LOC": "3", "AYUN": "4"}


def small_columns(coalition: Sequence[str] = COALITION, independents: int = 1) -> tuple[Contender, ...]:
    """Parties, a coalition's combinations, independents and the last two."""
    parties = [Contender(code, ContenderKind.PARTIDO, code, (code,)) for code in PARTIES]
    own = [Contender(f"CAND_IND_{n}", ContenderKind.INDEPENDIENTE) for n in range(1, independents + 1)]
    return (*parties, *coalition_combinations(coalition), *own, *LAST_COLUMNS)


def small_catalog(
    *,
    contests: Sequence[str] = ("DIP_LOC", "AYUN"),
    distritos: int = 2,
    municipios: int = 3,
    secciones: int = 8,
    casillas: int = 3,
    especiales: int = 1,
    anticipado: bool = True,
    coalition: Sequence[str] = COALITION,
    independents: int = 1,
    entidad: Entidad | None = None,
) -> Catalog:
    """A catalogue of `secciones` with `casillas` each (B, then C), some especiales and an A per distrito.

    Sections are dealt out to distritos and municipios in blocks. The combinations do not run in the
    last distrito or municipio, and the independent only in the first.
    """
    entidad = entidad or Entidad(14, "JALISCO", "JAL", -360)
    places = {
        False: {n: Territory(n, f"DISTRITO {n}") for n in range(1, distritos + 1)},
        True: {n: Territory(n, f"MUNICIPIO {n}") for n in range(1, municipios + 1)},
    }
    columns = small_columns(coalition, independents)
    found = {
        name: Contest(name, f"ELECCIÓN {name}", SCOPES[name], columns, _candidacies(name, places))
        for name in contests
    }
    rows: list[Casilla] = []
    for number in range(secciones):
        seccion = number + 1
        distrito = number * distritos // secciones + 1
        municipio = number * municipios // secciones + 1
        kinds = [("B", 1), *(("C", n) for n in range(1, casillas))]
        if number < especiales:
            kinds.append(("S", 1))
        for tipo, n in kinds:
            lista = 0 if tipo == "S" else 400 + (number * 37 + n * 11) % 350
            rows.append(
                Casilla(
                    len(rows), casilla_key(entidad.id, seccion, tipo, n, 0), seccion, tipo, n, 0,
                    1 + number % 2, lista, 14, distrito, municipio, distrito - 1,
                )
            )  # fmt: skip
    for distrito in range(1, distritos + 1) if anticipado else ():
        rows.append(
            Casilla(
                len(rows), casilla_key(entidad.id, None, "A", 1, 0), None, "A", 1, 0, 1, 5 + distrito, None,
                distrito, min(distrito, municipios), distrito - 1,
            )
        )  # fmt: skip
    book = LayoutBook()
    actas: list[ActaEntry] = []
    for name, contest in found.items():
        municipal = contest.scope is Scope.MUNICIPIO
        for casilla in rows:
            territory = casilla.municipio if municipal else casilla.distrito
            mask = tuple(_runs(c, territory, municipios if municipal else distritos) for c in columns)
            tipo_acta = TIPO_ACTA[name] + ("E" if casilla.special else "")
            margin = representatives_margin(columns, mask)
            limit = acta_limit(casilla.tipo, casilla.lista_nominal, margin)
            actas.append(
                ActaEntry(
                    len(actas), casilla.key + tipo_acta, name, casilla.id, tipo_acta,
                    book.id_of(name, mask), limit,
                )
            )  # fmt: skip
    return Catalog(
        entidad=entidad,
        election="Proceso de prueba 2021",
        distritos=places[False],
        municipios=places[True],
        catds=[Catd(n - 1, f"CATD {n}", distrito=n) for n in places[False]],
        casillas=rows,
        contests=found,
        layouts=book.layouts,
        actas=actas,
        provenance="Inventado para las pruebas.",
    )


def random_acta(catalog: Catalog, entry: ActaEntry, dice: random.Random) -> PublishedActa:
    """One captured acta: mostly clean, some with marks, over the limit, or sin acta."""
    at = START_MS + 7_200_000 + dice.randrange(0, 36_000_000)
    if dice.random() < 0.05:
        code = dice.choice(["S1", "S2", "S3", "S4"])
        return PublishedActa(
            entry.id, (), (), 0, False, False, (code,), dice.choice("DFI"), "CATD", "ESCANER", "", "",
            None, at, at + 60_000, 0,
        )  # fmt: skip
    casilla = catalog.casilla_of(entry)
    applies = catalog.layouts[entry.layout].applies
    most = max(1, (entry.limit or 20) // (2 * max(1, sum(applies))))
    if dice.random() < 0.05:
        most *= 6
    votes: list[Field] = [dice.randrange(most + 1) if here else Mark.NO_APLICA for here in applies]
    kind = dice.random()
    for column, here in enumerate(applies):
        if here and (kind < 0.05 or (kind < 0.2 and dice.random() < 0.3)):
            votes[column] = dice.choice([Mark.ILEGIBLE, Mark.SIN_DATO])
    total = sum(vote for vote in votes if not isinstance(vote, Mark))
    without = casilla.seccion is None
    left: list[Field] = [Mark.SIN_DATO, 100]
    drawn: list[Field] = [Mark.ILEGIBLE, total]
    written: list[Field] = [total, total + 1, Mark.SIN_DATO]
    totals: tuple[Field, ...] = (
        Mark.NO_APLICA if without else dice.choice(left),
        total,
        Mark.NO_APLICA if without else 3,
        dice.choice(drawn),
        dice.choice(written),
    )
    verdict = judge(ActaReading(tuple(votes), entry.limit, totals[4], identified_later=dice.random() < 0.02))
    phone = dice.random() < 0.3
    return PublishedActa(
        entry.id, tuple(votes), totals, verdict.total, verdict.contabilizada, verdict.inconsistent,
        verdict.codes, dice.choice(["D", "F", "I", ""]), "CASILLA" if phone else "CATD",
        "MOVIL" if phone else "ESCANER", "ACTA PREP", f"{dice.getrandbits(256):064x}", at, at + 600_000,
        at + 900_000, dice.choice([0, 0, 1]),
    )  # fmt: skip


def random_snapshot(
    catalog: Catalog, seed: int = 0, *, captured: float = 0.8, outside: int = 2, seq_high: int = 1000
) -> Snapshot:
    """A snapshot in which about `captured` of the actas are in, and some are fuera de catálogo."""
    dice = random.Random(seed)
    actas = [
        random_acta(catalog, entry, dice) if dice.random() < captured else None for entry in catalog.actas
    ]
    contests = list(catalog.contests)
    lost = [
        PublishedOutside(
            n, contests[n % len(contests)], "", "CASILLA", "MOVIL", "ACTA PREP",
            f"{dice.getrandbits(256):064x}", START_MS + 9_000_000 + n,
        )
        for n in range(outside)
    ]  # fmt: skip
    return Snapshot(seq_high, actas, lost, None)


def next_snapshot(
    catalog: Catalog, before: Snapshot, seed: int, *, share: float = 0.05, seq_high: int | None = None
) -> Snapshot:
    """The snapshot after: about `share` of the actas captured, corrected or withdrawn."""
    dice = random.Random(seed)
    actas = list(before.actas)
    changed = [entry for entry in catalog.actas if dice.random() < share]
    for entry in changed:
        actas[entry.id] = None if dice.random() < 0.1 else random_acta(catalog, entry, dice)
    high = before.seq_high + len(changed) if seq_high is None else seq_high
    return replace(before, seq_high=high, actas=actas, changed=frozenset(entry.id for entry in changed))


def _runs(contender: Contender, territory: int | None, last: int) -> bool:
    if contender.kind is ContenderKind.COMBINACION:
        return last == 1 or territory != last
    return contender.kind is not ContenderKind.INDEPENDIENTE or territory == 1


def _candidacies(contest: str, places: dict[bool, dict[int, Territory]]) -> tuple[Candidacy, ...]:
    """A person per party, and one for the coalition wherever it runs."""
    if contest == "GUB":
        territories: list[int | None] = [None]
    else:
        territories = list(places[SCOPES[contest] is Scope.MUNICIPIO])
    result: list[Candidacy] = []
    for territory in territories:
        for code in PARTIES:
            joint = code in COALITION and territory != len(territories)
            who = "PERSONA DE LA COALICIÓN" if joint else f"PERSONA DE {code}"
            result.append(Candidacy(territory, code, f"{who} {territory or ''}".strip(), "SUPLENTE"))
        if territory is None or territory != len(territories):
            result.extend(
                Candidacy(territory, combination.code, f"PERSONA DE LA COALICIÓN {territory or ''}".strip())
                for combination in coalition_combinations(COALITION)
            )
    return tuple(result)
