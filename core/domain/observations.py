"""From rule codes to the text of the OBSERVACIONES column.

The strings are configuration: each dialect is an ordered table of combinations, and the first
row whose codes are all present gives the text. The order is therefore the precedence («excede
lista nominal» prevails in the OPL structure; the federal one joins them). Which dialects exist and
what their files look like is `core.publication.dialects`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ObservationTable:
    """Observation strings of one dialect.

    `combinations` are pairs (codes that must all be present, text), in precedence order; `none`
    is written for a captured acta without observation, `not_captured` for one not captured yet.
    """

    combinations: tuple[tuple[frozenset[str], str], ...]
    none: str
    not_captured: str
    _cache: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def text(self, codes: Iterable[str]) -> str:
        """The observation for the codes of one captured acta.

        Raises KeyError when codes were given and no row of the table covers any of them: a
        dialect must have a text for every rule and situation that is published.
        """
        key = tuple(codes)
        if not key:
            return self.none
        if key not in self._cache:
            present = frozenset(key)
            for needed, text in self.combinations:
                if needed <= present:
                    self._cache[key] = text
                    break
            else:
                raise KeyError(f"no observation for {', '.join(key)}")
        return self._cache[key]
