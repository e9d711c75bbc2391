"""The grain of a scenario's document: what every table of it is, and the kinds of value it has.

Keys are Spanish, with the unit in every name; what the tables mean is in the modules that define them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

MS_PER_MINUTE = 60_000
MS_PER_HOUR = 60 * MS_PER_MINUTE
MOST_MINUTES = 1_560.0
"""The longest operation: 24 hours and the two before publication."""
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Minutes: TypeAlias = Annotated[float, Field(ge=0.0, le=MOST_MINUTES)]
PerContest: TypeAlias = dict[str, Share]


def ms_of(minutes: float) -> int:
    """Minutes of the document as whole ms."""
    return round(minutes * MS_PER_MINUTE)


def key(alias: str, about: str, default: Any = ..., **limits: Any) -> Any:
    """A key of the document: its Spanish name and what it means (shown by editors and in errors)."""
    return Field(default, alias=alias, description=about, **limits)


class Part(BaseModel):
    """Base of every table: unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class Service(Part):
    """A lognormal service time."""

    median_s: float = key("mediana_s", "mediana en segundos", gt=0.0, le=86_400.0)
    sigma: float = key("sigma", "dispersión (desviación del logaritmo)", 0.4, ge=0.0, le=2.0)


SEEN = Literal["registradas_pct", "por_capturar", "en_enlaces", "catd_sin_enlace"]
"""What a condition or a probe may look at while the night runs: actas registered (percent of the
expected), actas digitized and not captured, shipments held in the links, CATDs without link."""


class When(Part):
    """A condition over what is seen of the night, looked at once a minute."""

    seen: SEEN = key("dato", "«registradas_pct», «por_capturar», «en_enlaces» o «catd_sin_enlace»")
    over: float | None = key("llega_a", "se cumple cuando el dato llega a esto o lo pasa", None)
    under: float | None = key("baja_a", "se cumple cuando el dato baja a esto o menos", None)
    after_min: Minutes = key("despues_de_min", "no se mira antes de este minuto", 0.0)

    @model_validator(mode="after")
    def _check(self) -> When:
        if (self.over is None) == (self.under is None):
            raise ValueError("cuando lleva llega_a o baja_a, uno de los dos")
        return self


class Moment(Part):
    """When something begins: at a minute of the night, or when a condition is met."""

    at_min: Minutes | None = key("a_los_min", "minutos desde el inicio en que empieza", None)
    when: When | None = key("cuando", "en vez de a_los_min: al cumplirse esta condición", None)

    @model_validator(mode="after")
    def _one_moment(self) -> Moment:
        if (self.at_min is None) == (self.when is None):
            raise ValueError("lleva a_los_min o cuando, uno de los dos")
        return self
