"""What a scenario says: the models of one TOML document, with the unit in every name.

A scenario describes a night (calendar, plan, people, links, faults) and what it is expected to end
like; it holds no result and no code. Keys are Spanish because people of the institute write them.
Reading the file and telling what is wrong with it is `file`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from simulator.scenario.actas import Inconsistencies, Keying, Votes
from simulator.scenario.base import MS_PER_MINUTE, SEEN, Minutes, Part, PerContest, Service, Share, key
from simulator.scenario.faults import (
    ContestFault,
    Continuity,
    DeviceClocks,
    Duplicates,
    LinkFault,
    MassMarking,
    PowerFault,
    PublicationFault,
)
from simulator.scenario.people import Staff

FORMAT = 1
"""The version of the document; one of another version is refused."""
RUNNING = get_args(SEEN)
"""What may be looked at while the night runs."""
OF_A_CONTEST = (
    "capturadas_pct", "contabilizadas_pct", "con_imagen_pct", "no_contabilizadas_pct", "sin_acta_pct",
)  # fmt: skip
"""What a probe may look at in one contest alone."""


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
    special_factor: float = key(
        "conteo_especial_factor", "cuánto más tarda una casilla especial", 1.0, gt=0, le=5
    )
    abroad_min: Minutes = key(
        "sin_seccion_min", "minuto en que se cuentan las actas del extranjero y de voto anticipado", 240.0
    )
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
    metropolitan_factor: float = key(
        "sin_sobre_metropolitana_factor",
        "cuántas veces más faltan sobres en la zona metropolitana",
        1.0,
        ge=0,
        le=20,
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
    backup_share: Share = key("respaldo", "parte de los CATD con un segundo enlace", 0.0)
    backup_capacity: float = key(
        "respaldo_rendimiento", "parte del enlace que da el segundo, de 0 a 1", 0.5, gt=0, le=1
    )
    switch_min: Minutes = key("respaldo_conmuta_min", "minutos en que entra el segundo enlace", 1.0)
    resent: Share = key("reenvio", "parte de los envíos que el cliente repite por no recibir respuesta", 0.0)


class Planned(Part):
    """What the institute estimated beforehand (its first, second or final estimate)."""

    estimate: str = key("estimacion", "cuál estimación es y de cuándo", "")
    by_catd: dict[str, Annotated[int, Field(ge=1)]] = key(
        "actas_por_catd", "actas estimadas por CATD (con su número); los demás, las del catálogo", {}
    )
    arrived_pct: dict[str, Annotated[float, Field(ge=0, le=100)]] = key(
        "acopiadas_pct", "porcentaje que se estima acopiado a cada minuto de la noche", {}
    )


class Probe(Part):
    """Something looked at during the night or at its end, with what it should be."""

    name: str = key("nombre", "qué se prueba", min_length=1)
    seen: (
        SEEN
        | Literal[
            "capturadas_pct",
            "contabilizadas_pct",
            "con_imagen_pct",
            "no_contabilizadas_pct",
            "sin_acta_pct",
            "brecha_contiendas_puntos",
            "prep_casilla_actas",
            "cortes_no_publicados",
            "imagenes_faltantes",
            "rechazos_provocados",
            "duplicados",
            "fuera_de_catalogo",
            "actas_con_error",
            "votos_mal_puestos",
            "diferencias",
            "avisos_de_hora",
            "incidentes",
        ]
    ) = key("dato", "qué dato se mira; los de la noche en curso admiten a_los_min, los demás son del fin")
    contest: str | None = key("contienda", "con un porcentaje del fin, la de una sola contienda", None)
    at_min: Minutes | None = key("a_los_min", "minuto en que se mira; sin él, al fin", None)
    least: float | None = key("minimo", "lo menos que debe ser", None)
    most: float | None = key("maximo", "lo más que debe ser", None)

    @model_validator(mode="after")
    def _check(self) -> Probe:
        if self.least is None and self.most is None:
            raise ValueError("una prueba lleva minimo, maximo o los dos")
        if self.at_min is not None and self.seen not in RUNNING:
            raise ValueError(f"a_los_min solo se admite con {', '.join(RUNNING)}")
        if self.contest is not None and self.seen not in OF_A_CONTEST:
            raise ValueError(f"contienda solo se admite con {', '.join(OF_A_CONTEST)}")
        return self


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
    plan: Planned = key("plan", "lo que se estimó antes de la noche", Planned())
    envelopes: Envelopes = key("sobres", "actas que no llegan", Envelopes())
    staff: Staff = key("personal", "quién trabaja y dónde")
    times: Times = key("tiempos", "cuánto tarda cada paso", Times())
    links: Links = key("enlaces", "los enlaces sin fallas", Links())
    link_faults: tuple[LinkFault, ...] = key("falla_enlace", "fallas de enlace", ())
    power_faults: tuple[PowerFault, ...] = key("falla_electrica", "cortes de luz", ())
    contest_faults: tuple[ContestFault, ...] = key("falla_contienda", "fallas de una sola contienda", ())
    mass_markings: tuple[MassMarking, ...] = key("marcado_masivo", "marcas masivas de sin acta", ())
    clocks: DeviceClocks = key("relojes", "relojes mal puestos", DeviceClocks())
    duplicates: Duplicates = key("duplicados", "imágenes que llegan como de otra acta", Duplicates())
    continuity: Continuity = key("continuidad", "el plan de continuidad", Continuity())
    publication_faults: tuple[PublicationFault, ...] = key("falla_publicacion", "fallas de publicación", ())
    keying: Keying = key("captura_errores", "errores de captura", Keying())
    inconsistencies: Inconsistencies = key("inconsistencias", "defectos de las actas", Inconsistencies())
    probes: tuple[Probe, ...] = key("prueba", "qué se mira durante la noche y al fin", ())
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
        """The same night with every fault and exercise removed."""
        return self.model_copy(
            update={
                "link_faults": (), "power_faults": (), "contest_faults": (), "mass_markings": (),
                "publication_faults": (), "continuity": Continuity(), "clocks": DeviceClocks(),
                "duplicates": Duplicates(),
            }
        )  # fmt: skip
