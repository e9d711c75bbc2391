"""What the actas of a scenario say and how they are typed: votes, defects and errors of the hand.

Part of what `document` puts together; it draws nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.scenario.base import Part, Share, key


class Votes(Part):
    """The sealed truth: how people voted."""

    turnout: Share = key("participacion", "participación media, de 0 a 1", 0.5)
    turnout_sigma: float = key(
        "participacion_desviacion", "desviación de la participación entre casillas", 0.08, ge=0, le=0.3
    )
    null_share: Share = key("nulos", "parte de votos nulos", 0.03)
    unregistered_share: Share = key(
        "no_registradas", "parte de votos por candidaturas no registradas", 0.0006
    )
    combination_share: Share = key(
        "combinaciones", "parte del voto de una coalición que marca varios emblemas", 0.04
    )
    preferences: dict[str, Annotated[float, Field(ge=0)]] = key(
        "preferencias", "peso de cada contendiente por su clave; los que no están pesan 1", {}
    )
    spread: float = key("dispersion", "cuánto cambia el voto de un territorio a otro", 0.35, ge=0, le=1.5)


class Keying(Part):
    """Errors of the people who type."""

    per_capture: Share = key("por_captura", "parte de las capturas con algún error", 0.02)
    person_sigma: float = key("persona_sigma", "dispersión de esa parte entre personas", 0.4, ge=0, le=2)
    weights: dict[Literal["digito", "transposicion", "renglon", "omision"], Annotated[float, Field(ge=0)]] = (
        key(
            "tipos",
            "peso de cada error: dígito perdido, transposición, renglón equivocado, campo omitido",
            {"digito": 0.4, "transposicion": 0.25, "renglon": 0.2, "omision": 0.15},
        )
    )
    shared: Share = key(
        "lectura_comun", "parte de las actas en que todas las personas leen mal lo mismo", 0.0004
    )
    marks: Share = key(
        "marcas", "parte de las capturas que confunden ilegible y sin dato donde los hay", 0.05
    )
    resolver_right: Share = key(
        "acierto_resolucion", "parte de las diferencias en que se elige la captura correcta", 0.98
    )
    totals: Share = key("totales", "parte de las capturas con error en un total asentado", 0.0)
    swapped: dict[str, Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]] = key(
        "columnas_cambiadas", "por contienda, dos contendientes cuyas casillas de captura están cambiadas", {}
    )
    same_person_attempts: int = key(
        "intentos_misma_persona",
        "segundas capturas que intenta la misma persona (el motor debe rechazarlas)",
        0,
        ge=0,
    )


class Inconsistencies(Part):
    """What is wrong on the actas themselves, as shares of the actas."""

    some_illegible: Share = key("algun_ilegible", "con algún campo ilegible", 0.01)
    some_empty: Share = key("algun_sin_dato", "con algún campo sin dato", 0.08)
    all_illegible: Share = key("todos_ilegibles", "con todos los campos ilegibles", 0.002)
    all_empty: Share = key("todos_sin_dato", "con todos los campos vacíos", 0.002)
    exceeds: Share = key("excede_lista", "cuya suma excede la lista nominal", 0.004)
    letter_differs: Share = key("letra_distinta", "con letra distinta del número", 0.01)
    only_one: Share = key("solo_letra_o_numero", "con cantidades solo en letra o solo en número", 0.02)
    arithmetic: Share = key("totales_no_cuadran", "cuyos totales asentados no cuadran", 0.1)
    outside: int = key("fuera_de_catalogo", "actas fuera de catálogo por contienda", 0, ge=0, le=10_000)
