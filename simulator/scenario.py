"""What a scenario says: the models of one TOML document, with the unit in every name.

A scenario describes a night (calendar, plan, people, links, faults) and what it is expected to end
like; it holds no result and no code. Keys are Spanish because people of the institute write them.
Reading the file and telling what is wrong with it is `scenario_file`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

FORMAT = 1
"""The version of the document; one of another version is refused."""

MS_PER_MINUTE = 60_000
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Minutes: TypeAlias = Annotated[float, Field(ge=0.0, le=1_560.0)]
PerContest: TypeAlias = dict[str, Share]


def key(alias: str, about: str, default: Any = ..., **limits: Any) -> Any:
    """A key of the document: its Spanish name and what it means (shown by editors and in errors)."""
    return Field(default, alias=alias, description=about, **limits)


class Part(BaseModel):
    """Base of every table: unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class Calendar(Part):
    """When the night begins and ends, and how often it publishes."""

    start: datetime = key("inicio", "fecha y hora local con diferencia UTC en que empieza la operación")
    end: datetime = key("fin", "fecha y hora local con diferencia UTC en que termina")
    cuts_per_hour: int = key("cortes_por_hora", "cortes por hora, de 3 a 60", 3, ge=3, le=60)
    publication_min: Minutes = key(
        "publicacion_min", "minutos después del inicio en que se publica el primer corte", 0.0
    )

    @model_validator(mode="after")
    def _check(self) -> Calendar:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError(
                "inicio y fin llevan la diferencia con UTC, por ejemplo 2021-06-03T17:00:00-05:00"
            )
        if self.start.utcoffset() != self.end.utcoffset():
            raise ValueError("inicio y fin deben llevar la misma diferencia con UTC")
        if not timedelta(0) < self.end - self.start <= timedelta(hours=26):
            raise ValueError("fin debe ser posterior a inicio, a lo más 26 horas")
        return self

    @property
    def start_ms(self) -> int:
        """Start in ms since the epoch, UTC."""
        return round(self.start.timestamp()) * 1000

    @property
    def length_ms(self) -> int:
        """Length of the operation."""
        return round(self.end.timestamp()) * 1000 - self.start_ms

    @property
    def utc_offset_minutes(self) -> int:
        """Difference with UTC of the local time."""
        offset = self.start.utcoffset()
        assert offset is not None
        return int(offset.total_seconds() // 60)


class Service(Part):
    """A lognormal service time."""

    median_s: float = key("mediana_s", "mediana en segundos", gt=0.0, le=86_400.0)
    sigma: float = key("sigma", "dispersión (desviación del logaritmo)", 0.4, ge=0.0, le=2.0)


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


class PhoneChannel(Part):
    """PREP Casilla: the CAE photographs the actas at the casilla."""

    adoption: Share = key("adopcion", "parte de las casillas cuya CAE usa PREP Casilla", 0.0)
    success: Share = key("exito", "parte de las actas de esas casillas cuya foto sirve", 0.95)
    shot: Service = key("toma", "tiempo de la toma de un acta", Service(median_s=90, sigma=0.5))
    network: Service = key("red", "tiempo en llegar por la red móvil", Service(median_s=25, sigma=0.9))
    rescanned: Share = key(
        "reescaneo", "parte de las ya enviadas por teléfono que el CATD vuelve a digitalizar", 0.1
    )


class Arrivals(Part):
    """From the end of the count to the CATD."""

    ballots: int = key("boletas", "elecciones que se cuentan en la casilla", 3, ge=1, le=6)
    base_min: Minutes = key("conteo_base_min", "minutos de conteo sin contar las boletas, desde el inicio")
    per_ballot_min: Minutes = key("conteo_por_boleta_min", "minutos de conteo por cada elección")
    count_sigma: float = key("conteo_sigma", "dispersión del conteo", 0.35, ge=0, le=2)
    rural_factor: float = key(
        "conteo_no_urbana_factor", "cuánto más tarda una casilla no urbana", 1.05, gt=0, le=5
    )
    travel_urban_min: Minutes = key(
        "traslado_urbana_min", "mediana del traslado al CATD de una casilla urbana"
    )
    travel_rural_min: Minutes = key("traslado_no_urbana_min", "mediana del traslado de una casilla no urbana")
    travel_sigma: float = key("traslado_sigma", "dispersión del traslado", 0.5, ge=0, le=2)
    late_share: Share = key("tardias", "parte de los paquetes que se quedan atrás", 0.0)
    late_min: Minutes = key("tardias_min", "mediana del atraso de esos paquetes", 0.0)
    mechanisms: dict[Literal["D", "F", "I"], Annotated[float, Field(ge=0)]] = key(
        "mecanismos", "peso de cada mecanismo de traslado (D, F, I)", {"D": 0.2, "F": 0.7, "I": 0.1}
    )


class Envelopes(Part):
    """Actas that never come, and who says so."""

    without_envelope: PerContest = key(
        "sin_sobre", "por contienda, parte de las actas sin sobre PREP en su paquete", {}
    )
    not_delivered: Share = key(
        "paquete_no_entregado", "parte de las casillas cuyo paquete no se entrega", 0.0
    )
    not_installed: Share = key("casilla_no_instalada", "parte de las casillas que no se instalan", 0.0)
    marking_catds: Share = key(
        "catd_que_marcan", "parte de los CATD que registran las actas que no llegarán", 1.0
    )
    marking: Service = key(
        "marcado", "tiempo de registrar una, con su supervisión", Service(median_s=60, sigma=0.4)
    )
    mark_before_end_min: Minutes = key(
        "no_entregados_antes_del_fin_min", "minutos antes del fin en que se registran los no entregados", 60.0
    )


class Shift(Part):
    """Some people from one time to another."""

    people: int = key("personas", "personas del turno", ge=1, le=20_000)
    from_min: Minutes = key("desde_min", "minutos desde el inicio en que empieza", 0.0)
    until_min: Minutes = key("hasta_min", "minutos desde el inicio en que termina", 1_560.0)

    @model_validator(mode="after")
    def _check(self) -> Shift:
        if self.until_min <= self.from_min:
            raise ValueError("hasta_min debe ser mayor que desde_min")
        return self


class Staff(Part):
    """People: at each CATD by its estimated actas, and in the capture centre by shift."""

    actas_per_receiver: int = key(
        "actas_por_acopiador", "actas estimadas por cada acopiador de un CATD", ge=1
    )
    actas_per_scanner: int = key(
        "actas_por_digitalizador", "actas estimadas por cada digitalizador de un CATD", ge=1
    )
    absent: Share = key(
        "ausencia", "parte del personal de los CATD que falta (queda al menos una persona)", 0.0
    )
    capture_place: Literal["estatal", "por_catd"] = key(
        "captura", "«estatal» (un solo grupo) o «por_catd»", "estatal"
    )
    capturistas: tuple[Shift, ...] = key("capturistas", "turnos de la captura estatal", ())
    actas_per_capturista: int = key(
        "actas_por_capturista", "con captura por CATD, actas estimadas por capturista (mínimo dos)", 120, ge=1
    )
    resolvers: int = key("resolutores", "personas que resuelven diferencias", ge=1)
    collators: int = key("cotejadores", "personas que cotejan cerca del fin", 0, ge=0)
    collate_before_end_min: Minutes = key(
        "cotejo_antes_del_fin_min", "minutos antes del fin en que empieza el cotejo", 60.0
    )
    speed_sigma: float = key("velocidad_sigma", "dispersión de la velocidad entre personas", 0.12, ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Staff:
        if self.capture_place == "estatal" and sum(shift.people for shift in self.capturistas) < 2:
            raise ValueError("la captura estatal necesita al menos dos personas en [[personal.capturistas]]")
        return self


class Times(Part):
    """Service times of the people."""

    receive: Service = key("acopio", "recepción de un paquete", Service(median_s=60, sigma=0.4))
    scan: Service = key("digitalizacion", "digitalización de un acta", Service(median_s=45, sigma=0.4))
    rescan_share: Share = key("reescaneo", "parte de las imágenes que se repiten por calidad", 0.03)
    capture: Service = key("captura", "captura de un acta por una persona", Service(median_s=75, sigma=0.35))
    resolve: Service = key("resolucion", "resolución de una diferencia", Service(median_s=60, sigma=0.5))
    collate: Service = key("cotejo", "cotejo de un acta", Service(median_s=40, sigma=0.4))


class Links(Part):
    """What it takes to send over the link of a CATD when nothing fails."""

    image: Service = key(
        "imagen", "envío de una imagen con el enlace completo", Service(median_s=8, sigma=0.5)
    )
    message: Service = key("mensaje", "envío de un registro sin imagen", Service(median_s=1, sigma=0.3))
    resent: Share = key("reenvio", "parte de los envíos que el cliente repite por no recibir respuesta", 0.0)


class Where(Part):
    """CATDs a fault falls on: those of some distritos, of a zone, or a share of either."""

    distritos: tuple[int, ...] = key("distritos", "números de distrito; vacío: todos", ())
    zone: Literal["todas", "interior", "metropolitana"] = key(
        "zona", "«todas», «interior» o «metropolitana» (municipios de [zona_metropolitana])", "todas"
    )
    share: Share = key("parte", "parte de esos CATD en que ocurre", 1.0)


class LinkFault(Where):
    """A fault of the links of some CATDs."""

    kind: Literal["sin_enlace", "intermitente"] = key("tipo", "«sin_enlace» o «intermitente»")
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    at_min: Minutes = key("a_los_min", "minutos desde el inicio en que empieza")
    minutes: float = key("dura_min", "cuánto dura si nadie hace nada", gt=0, le=1_560)
    jitter: Share = key("variacion", "variación de inicio y duración entre CATD, de 0 a 1", 0.3)
    up_min: float = key(
        "con_enlace_min", "si es intermitente, minutos medios con enlace", 20.0, gt=0, le=1_560
    )
    down_min: float = key(
        "sin_enlace_min", "si es intermitente, minutos medios sin enlace", 10.0, gt=0, le=1_560
    )
    measures: bool = key("medidas", "si se aplican las medidas de continuidad", True)


class Measure(Part):
    """One step of the continuity plan against an outage."""

    name: str = key("nombre", "cómo se llama la medida", min_length=1)
    after_min: float = key("a_los_min", "minutos de corte tras los que surte efecto", ge=0, le=1_560)
    success: Share = key("exito", "parte de los casos en que funciona", 1.0)
    capacity: float = key("rendimiento", "parte del enlace que devuelve, de 0 a 1", gt=0, le=1)


class Exercise(Part):
    """The continuity plan exercised on purpose in some distritos: the link is left for another medium."""

    distritos: tuple[int, ...] = key("distritos", "números de distrito", min_length=1)
    at_min: Minutes = key("a_los_min", "minutos desde el inicio en que se activa")
    activation_min: float = key("activacion_min", "minutos sin transmitir mientras se cambia", ge=0, le=600)
    minutes: float = key("dura_min", "minutos con el otro medio", gt=0, le=1_560)
    capacity: float = key("rendimiento", "parte del enlace que da el otro medio, de 0 a 1", gt=0, le=1)


class Continuity(Part):
    """The continuity plan."""

    measures: tuple[Measure, ...] = key("medidas", "medidas contra una falla de enlace, en orden", ())
    exercises: tuple[Exercise, ...] = key("ejercicios", "activaciones del plan por distrito", ())


class PublicationFault(Part):
    """A fault of what is published. Only `cortes_detenidos` changes what this simulator does."""

    kind: Literal["cortes_detenidos", "sitio", "imagenes"] = key(
        "tipo", "«cortes_detenidos» (no sale ningún corte), «sitio» o «imagenes» (solo se registran)"
    )
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    at_min: Minutes = key("a_los_min", "minutos desde el inicio en que empieza")
    minutes: float = key("dura_min", "minutos que dura", gt=0, le=1_560)
    remedy: str = key("remedio", "qué se hizo", "")


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


class Expected(Part):
    """How the night is expected to end."""

    captured_pct: float | None = key(
        "capturadas_pct", "porcentaje de actas capturadas al fin", None, ge=0, le=100
    )
    per_contest_pct: dict[str, Annotated[float, Field(ge=0, le=100)]] = key(
        "capturadas_por_contienda_pct", "porcentaje capturado al fin por contienda", {}
    )
    tolerance_points: float = key(
        "tolerancia_puntos", "puntos porcentuales de diferencia admitida", 3.0, ge=0
    )
    phone_actas: int | None = key("prep_casilla_actas", "actas recibidas por PREP Casilla", None, ge=0)
    phone_tolerance_pct: float = key(
        "prep_casilla_tolerancia_pct", "diferencia admitida, en porcentaje", 3.0, ge=0
    )


class Scenario(Part):
    """One document: a night and what it is expected to end like."""

    schema_version: Literal[1] = key("formato", f"versión del documento; {FORMAT}")
    name: str = key("nombre", "clave corta, la misma del archivo", pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = key("titulo", "nombre para las personas", min_length=1)
    description: str = key("descripcion", "qué ensaya y de dónde salen sus datos", "")
    catalog: str = key(
        "catalogo", "un catálogo incluido (jalisco-2021) o una carpeta relativa al archivo", min_length=1
    )
    mode: Literal["simulacro"] = key("modo", "siempre «simulacro»", "simulacro")
    metropolitan: tuple[int, ...] = key("zona_metropolitana", "municipios de la zona metropolitana", ())
    calendar: Calendar = key("calendario", "fechas y cortes")
    votes: Votes = key("votacion", "el contenido verdadero de las actas", Votes())
    phone: PhoneChannel = key("prep_casilla", "la foto desde la casilla", PhoneChannel())
    arrivals: Arrivals = key("llegadas", "del fin del conteo al CATD")
    envelopes: Envelopes = key("sobres", "actas que no llegan", Envelopes())
    staff: Staff = key("personal", "quién trabaja y dónde")
    times: Times = key("tiempos", "cuánto tarda cada paso", Times())
    links: Links = key("enlaces", "los enlaces sin fallas", Links())
    link_faults: tuple[LinkFault, ...] = key("falla_enlace", "fallas de enlace", ())
    continuity: Continuity = key("continuidad", "el plan de continuidad", Continuity())
    publication_faults: tuple[PublicationFault, ...] = key("falla_publicacion", "fallas de publicación", ())
    keying: Keying = key("captura_errores", "errores de captura", Keying())
    inconsistencies: Inconsistencies = key("inconsistencias", "defectos de las actas", Inconsistencies())
    expected: Expected = key("esperado", "cómo se espera que termine", Expected())

    @model_validator(mode="after")
    def _check(self) -> Scenario:
        length = self.calendar.length_ms / MS_PER_MINUTE
        if self.calendar.publication_min > length:
            raise ValueError("publicacion_min cae después del fin")
        if self.envelopes.mark_before_end_min > length:
            raise ValueError("no_entregados_antes_del_fin_min es mayor que la duración")
        return self

    def without_faults(self) -> Scenario:
        """The same night with every link and publication fault and exercise removed."""
        return self.model_copy(
            update={"link_faults": (), "publication_faults": (), "continuity": Continuity()}
        )
