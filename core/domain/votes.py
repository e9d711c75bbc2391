"""Votes of a territory seen by candidacy and by party.

The division of combination votes is made on the aggregate of the distrito or municipio, never
acta by acta (LGIPE 311.1.c): equal shares, and what is left over goes, one vote each, to the
parties of the combination with the highest vote of their own. The PREP is informative: these
figures assign no seats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.catalog import Contest
from core.domain.contenders import ContenderKind


def divide_combination(
    votes: int, members: Sequence[str], own: Mapping[str, int], order: Sequence[str]
) -> dict[str, int]:
    """Share the votes of one combination among its parties.

    `own` are the votes each party got on its own line in the same territory; ties in the
    remainder follow the registration `order`.

    >>> own = {"PT": 5, "MORENA": 9, "PVEM": 5}
    >>> divide_combination(8, ["PT", "MORENA", "PVEM"], own, ["PVEM", "PT", "MORENA"])
    {'PT': 2, 'MORENA': 3, 'PVEM': 3}
    """
    share, left = divmod(votes, len(members))
    result = dict.fromkeys(members, share)
    rank = {party: position for position, party in enumerate(order)}
    by_vote = sorted(members, key=lambda party: (-own.get(party, 0), rank.get(party, len(rank))))
    for party in by_vote[:left]:
        result[party] += 1
    return result


def by_party(contest: Contest, totals: Mapping[str, int]) -> dict[str, int]:
    """Votes by party and by every other contender, combinations divided.

    `totals` are the sums of one distrito or municipio by column code. Candidaturas comunes are
    one emblem and stay whole (their convenio is not applied by the PREP).
    """
    result = {
        c.code: totals.get(c.code, 0) for c in contest.columns if c.kind is not ContenderKind.COMBINACION
    }
    own = dict(result)
    for contender in contest.columns:
        if contender.kind is ContenderKind.COMBINACION:
            shares = divide_combination(
                totals.get(contender.code, 0), contender.parties, own, contest.parties
            )
            for party, votes in shares.items():
                result[party] = result.get(party, 0) + votes
    return result


def by_candidacy(contest: Contest, territory: int | None, totals: Mapping[str, int]) -> dict[str, int]:
    """Votes by candidacy in one territory: parties and combinations that support the same person.

    Columns without a registered candidacy stand for themselves. Keys are the name of the
    propietaria, or the column code.
    """
    who = {
        candidacy.code: candidacy.propietaria
        for candidacy in contest.candidacies
        if candidacy.territory in (None, territory)
    }
    result: dict[str, int] = {}
    for contender in contest.columns:
        name = who.get(contender.code, contender.code)
        result[name] = result.get(name, 0) + totals.get(contender.code, 0)
    return result
