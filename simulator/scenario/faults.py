"""What goes wrong in a scenario and what is done about it: faults, continuity measures, exercises.

A fault begins at a minute of the night (`a_los_min`) or when something is seen (`cuando`). Part of
what `document` puts together; `night.faults` makes it happen.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from simulator.scenario.base import Minutes, Moment, Part, Share, key


class Where(Moment):
    """CATDs a fault falls on, and when: some CATDs, those of some distritos, of a zone, or a share."""

    catds: tuple[int, ...] = key("catd", "números de CATD; vacío: los que digan las demás claves", ())
    distritos: tuple[int, ...] = key("distritos", "números de distrito; vacío: todos", ())
    zone: Literal["todas", "interior", "metropolitana"] = key(
        "zona", "«todas», «interior» o «metropolitana» (municipios de [zona_metropolitana])", "todas"
    )
    share: Share = key("parte", "parte de esos CATD en que ocurre", 1.0)


class LinkFault(Where):
    """A fault of the links of some CATDs."""

    kind: Literal["sin_enlace", "intermitente", "latencia", "ancho_de_banda", "perdida"] = key(
        "tipo", "«sin_enlace», «intermitente», «latencia», «ancho_de_banda» o «perdida»"
    )
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    cause: str = key("causa", "a qué se debió", "")
    minutes: float = key("dura_min", "cuánto dura si nadie hace nada", gt=0, le=1_560)
    jitter: Share = key("variacion", "variación de inicio y duración entre CATD, de 0 a 1", 0.3)
    up_min: float = key(
        "con_enlace_min", "si es intermitente, minutos medios con enlace", 20.0, gt=0, le=1_560
    )
    down_min: float = key(
        "sin_enlace_min", "si es intermitente, minutos medios sin enlace", 10.0, gt=0, le=1_560
    )
    latency_s: float = key("latencia_s", "con latencia, segundos de más por envío", 5.0, gt=0, le=3_600)
    bandwidth: float = key(
        "ancho_de_banda", "con ancho_de_banda, parte del enlace que queda, de 0 a 1", 0.2, gt=0, le=1
    )
    loss: float = key(
        "perdida", "con perdida, parte de lo enviado que se pierde y se repite", 0.3, ge=0, lt=1
    )
    measures: bool = key("medidas", "si se aplican las medidas de continuidad", True)


class PowerFault(Where):
    """A power cut: at CATDs nobody receives, scans nor sends; in the capture centre nobody captures."""

    place: Literal["catd", "captura"] = key("lugar", "«catd» o «captura» (el centro de captura)", "catd")
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    cause: str = key("causa", "a qué se debió", "")
    minutes: float = key("dura_min", "minutos sin luz de la calle", gt=0, le=1_560)
    jitter: Share = key("variacion", "variación de inicio y duración entre CATD, de 0 a 1", 0.0)
    plant_share: Share = key("planta", "parte de los lugares con planta o respaldo que arranca", 0.0)
    plant_min: float = key("planta_min", "minutos en que la planta da luz", 3.0, ge=0, le=600)
    restart_min: float = key(
        "reanuda_min", "minutos, ya con luz, en que los equipos vuelven a trabajar", 5.0, ge=0, le=600
    )


class ContestFault(Moment):
    """The images of one contest cannot be stored; those of the others can."""

    contest: str = key("contienda", "clave de la contienda")
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    cause: str = key("causa", "a qué se debió", "")
    minutes: float = key("dura_min", "minutos que dura", gt=0, le=1_560)
    remedy: str = key("remedio", "qué se hizo", "")


class MassMarking(Where):
    """Operators empty the queue by marking actas as sin acta, though they are there."""

    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    actas: int = key("actas", "actas que intenta marcar cada CATD", ge=1, le=10_000)
    each_s: float = key("cada_s", "segundos entre una marca y la siguiente", 2.0, gt=0, le=600)


class DeviceClocks(Part):
    """Devices whose clock is wrong, and hours of acopio typed by hand wrongly."""

    share: Share = key("parte", "parte de los CATD y teléfonos con el reloj mal", 0.0)
    drift_min: float = key(
        "desvio_min", "minutos de adelanto (o atraso, si es negativo)", 0.0, ge=-1_560, le=1_560
    )
    mistyped: Share = key("acopio_mal_tecleado", "parte de los acopios cuya hora se teclea mal", 0.0)
    mistyped_min: float = key(
        "mal_tecleado_min", "minutos de diferencia de esas horas", 60.0, ge=-720, le=720
    )


class Duplicates(Part):
    """What comes twice: images sent as if they were of another acta."""

    share: Share = key(
        "imagen_repetida", "parte de las actas del CATD cuya imagen se envía también como de otra", 0.0
    )


class Measure(Part):
    """One step of the continuity plan against an outage."""

    name: str = key("nombre", "cómo se llama la medida", min_length=1)
    after_min: float = key("a_los_min", "minutos de corte tras los que surte efecto", ge=0, le=1_560)
    success: Share = key("exito", "parte de los casos en que funciona", 1.0)
    capacity: float = key("rendimiento", "parte del enlace que devuelve, de 0 a 1", gt=0, le=1)
    authorised_by: str = key("autoriza", "quién la autoriza", "coordinación del CATD")
    authorisation_min: float = key(
        "autorizacion_min", "de esos minutos, los que tarda la autorización", 0.0, ge=0, le=600
    )
    activation_min: float = key(
        "activacion_min", "de esos minutos, los que tarda en ponerse en marcha", 0.0, ge=0, le=600
    )

    @model_validator(mode="after")
    def _check(self) -> Measure:
        if self.authorisation_min + self.activation_min > self.after_min:
            raise ValueError("autorizacion_min y activacion_min no pueden sumar más que a_los_min")
        return self


class Exercise(Part):
    """The continuity plan exercised on purpose in some distritos: the link is left for another medium."""

    distritos: tuple[int, ...] = key("distritos", "números de distrito", min_length=1)
    at_min: Minutes = key("a_los_min", "minutos desde el inicio en que se activa")
    authorised_by: str = key("autoriza", "quién lo autoriza", "coordinación")
    activation_min: float = key("activacion_min", "minutos sin transmitir mientras se cambia", ge=0, le=600)
    minutes: float = key("dura_min", "minutos con el otro medio", gt=0, le=1_560)
    capacity: float = key("rendimiento", "parte del enlace que da el otro medio, de 0 a 1", gt=0, le=1)


class Continuity(Part):
    """The continuity plan."""

    measures: tuple[Measure, ...] = key("medidas", "medidas contra una falla de enlace, en orden", ())
    detection_min: float = key(
        "deteccion_min", "minutos de corte tras los que se detecta y se abre el incidente", 5.0, ge=0, le=600
    )
    exercises: tuple[Exercise, ...] = key("ejercicios", "activaciones del plan por distrito", ())


class PublicationFault(Part):
    """A fault of what is published. `sitio` and `imagenes` are only recorded; the others change the night."""

    kind: Literal[
        "cortes_detenidos", "json_malformado", "imagenes_faltantes", "paquete_atrasado", "sitio", "imagenes"
    ] = key(
        "tipo",
        "«cortes_detenidos» (no sale ningún corte), «json_malformado», «imagenes_faltantes», "
        "«paquete_atrasado», «sitio» o «imagenes» (estas dos solo se registran)",
    )
    cause: str = key("causa", "a qué se debió", "")
    name: str = key("nombre", "cómo se llama en el resumen", min_length=1)
    at_min: Minutes = key("a_los_min", "minutos desde el inicio en que empieza")
    minutes: float = key("dura_min", "minutos que dura", gt=0, le=1_560)
    remedy: str = key("remedio", "qué se hizo", "")
    share: float = key(
        "parte",
        "con json_malformado, parte de los archivos JSON nuevos de cada corte (al menos uno); con "
        "imagenes_faltantes, parte de las actas que se quedan sin imagen",
        1.0,
        gt=0,
        le=1,
    )
    defect: Literal["estructura", "truncado", "vacio"] = key(
        "defecto",
        "con json_malformado, «estructura» (una que no corresponde), «truncado» o «vacio»",
        "estructura",
    )
    catds: tuple[int, ...] = key(
        "catd", "con imagenes_faltantes, números de los CATD cuyas imágenes no llegan; vacío: todos", ()
    )
    piece: Literal["tablas", "comprimidos", "lectura"] = key(
        "pieza",
        "con paquete_atrasado, qué es de antes: «tablas» (los CSV), «comprimidos» (los ZIP) o «lectura» "
        "(lo leído de la base)",
        "tablas",
    )
    behind_min: Minutes = key(
        "atraso_min", "con paquete_atrasado, de hace cuántos minutos, por lo menos; 0: el corte anterior", 0.0
    )

    @field_validator("share", "defect", "catds", "piece", "behind_min")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """A key of another kind of fault would do nothing: it is a mistake of whoever writes."""
        kinds = _KINDS_WITH[info.field_name or ""]
        kind = info.data.get("kind")
        if kind is not None and kind not in kinds:
            raise ValueError(f"esta clave solo va con tipo {' o '.join(f'«{one}»' for one in kinds)}")
        return value


_KINDS_WITH = {
    "share": ("json_malformado", "imagenes_faltantes"),
    "defect": ("json_malformado",),
    "catds": ("imagenes_faltantes",),
    "piece": ("paquete_atrasado",),
    "behind_min": ("paquete_atrasado",),
}
"""Which kinds of publication fault take each key that is not of all of them."""
