"""A night that was sized, for a person and as JSON: the same figures. It computes none."""

from __future__ import annotations

from loadtests.sizing.costs import Costs
from loadtests.sizing.night import MACHINE_CORES, MACHINE_MBIT, NIGHT_H, NODES, SHARE, Night, Origin, Phase

BYTES = {
    "page": "pagina_y_guion", "page_requests": "peticiones_de_la_pagina", "pointer": "corte_json",
    "portal": "objeto_del_portal", "catalog": "catalogo", "drill": "bajar_hasta_una_seccion",
    "view": "vista_de_un_acta", "image": "imagen_de_un_acta", "database": "base_de_datos",
    "package": "paquete_de_difusores", "cut_files": "archivos_nuevos_por_corte",
    "cut_bytes": "bytes_nuevos_por_corte",
}  # fmt: skip
_SHARE = f"{100 * SHARE:.0f} %"


def text(night: Night) -> str:
    """The table, the machines, what goes out, the origin of a CDN and what was supposed."""
    sizes = night.sizes
    out = [
        f"{night.pages:,} páginas abiertas, con las costumbres de «{night.profile.name}»: {night.citizens:,} "
        f"de ciudadanía y {night.readers:,} de lectores de medios que enlazan los datos; además, "
        f"{night.difusores} difusores.",
        f"Bytes como viajan: página y guion {sizes.page:,} ({sizes.page_requests} peticiones), corte.json "
        f"{sizes.pointer:,}, objeto del portal {sizes.portal:,}, catálogo {sizes.catalog:,}, bajar hasta una "
        f"sección {sizes.drill:,}, vista de un acta {sizes.view:,}, su imagen {sizes.image:,}, base de datos "
        f"{sizes.database:,}, paquete de difusores {sizes.package:,}.",
        _costs(night.costs),
        "",
        f"{'':<30}{'peticiones/s':>14}{'Mbit/s':>9}{'saludos/s':>11}{'núcleos':>9}",
    ]
    out += [
        f"{one.name:<30}{one.requests:>14,.0f}{one.mbit:>9,.0f}{one.greetings:>11,.0f}"
        f"{'—' if one.cores is None else f'{one.cores:.1f}':>9}"
        for one in night.phases
    ]
    out += ["", _machines(night), _traffic(night), _origin(night.origin, night.night_gb), "", "Supuestos:"]
    return "\n".join([*out, *(f"  {what}: {value} ({source})" for what, value, source in night.assumptions)])


def _costs(costs: Costs) -> str:
    if costs.objects and costs.not_modified and costs.greetings and costs.mbit:
        return (
            f"nginx con TLS en esta máquina, por segundo de CPU: {costs.not_modified:,.0f} respuestas 304, "
            f"{costs.objects:,.0f} objetos, {costs.greetings:,.0f} saludos nuevos, {costs.mbit:,.0f} Mbit de "
            "archivos grandes."
        )
    lack = " ni ".join(costs.missing) or "todo lo que hace falta"
    return f"No está instalado {lack}: sin medir lo que cuesta cada respuesta, faltan los núcleos."


def _machines(night: Night) -> str:
    many, where = night.network
    out = f"Máquinas: {many} por red ({_short(where)}; {MACHINE_MBIT:,} Mbit/s usados al {_SHARE})"
    if night.cpu is None:
        return f"{out}; por CPU y TLS no se midió."
    fewer, phase = night.cpu
    assert phase.cores and phase.greeting_cores is not None
    out += (
        f" y {fewer} por CPU y TLS ({_short(phase)}: "
        f"{100 * phase.greeting_cores / phase.cores:.0f} % son saludos; {MACHINE_CORES} núcleos usados al "
        f"{_SHARE}). "
    )
    tie = "Empatan" if many == fewer else f"Decide {_decides(night)}"
    beside = ", o una CDN delante" if night.machines > 1 else ""
    return f"{out}{tie}: {night.machines}, y otra por si una falla{beside}."


def _short(phase: Phase) -> str:
    """
    >>> _short(Phase("apertura: todos en un minuto", 1, 1, 1, None, None))
    'apertura'
    """
    return phase.name.partition(",")[0].partition(":")[0]


def _decides(night: Night) -> str:
    if night.cpu is None or night.network[0] > night.cpu[0]:
        return "la red"
    return "la CPU" if night.cpu[0] > night.network[0] else "las dos"


def _traffic(night: Night) -> str:
    return (
        f"Tráfico: {night.hour_gb:,.0f} GB por hora con todas abiertas; {night.night_gb:,.0f} GB en una "
        f"noche de {NIGHT_H} h. Es lo que cobra una CDN."
    )


def _origin(origin: Origin, whole: float) -> str:
    return (
        f"Con una CDN de {NODES} nodos, al origen le llegan {origin.quiet_requests:,.0f} peticiones/s y "
        f"{origin.quiet_mbit:,.1f} Mbit/s entre cortes; en cada corte, a lo más {origin.cut_requests:,.0f} "
        f"peticiones/s y {origin.cut_mbit:,.0f} Mbit/s; en la noche, {origin.night_gb:,.0f} GB de los "
        f"{whole:,.0f}. Con escudo de origen (un solo nodo le pide), {origin.night_gb / NODES:,.1f} GB."
    )


def data(night: Night) -> dict[str, object]:
    """The same figures as the text, as JSON."""
    costs, origin = night.costs, night.origin
    return {
        "paginas_abiertas": night.pages,
        "perfil": night.profile.name,
        "ciudadania": night.citizens,
        "lectores_de_medios": night.readers,
        "difusores": night.difusores,
        "bytes": {name: getattr(night.sizes, key) for key, name in BYTES.items()},
        "por_segundo_de_cpu": {
            "respuestas_304": _round(costs.not_modified), "objetos": _round(costs.objects),
            "saludos_tls": _round(costs.greetings), "mbit_de_archivos_grandes": _round(costs.mbit),
            "no_instalado": list(costs.missing),
        },
        "fases": [
            {
                "fase": one.name, "peticiones_s": round(one.requests), "mbit_s": round(one.mbit),
                "saludos_s": round(one.greetings), "nucleos": _round(one.cores, 1),
                "nucleos_de_saludos": _round(one.greeting_cores, 1),
            }
            for one in night.phases
        ],
        "maquinas": {
            "por_red": night.network[0], "por_cpu_y_tls": night.cpu and night.cpu[0],
            "decide": _decides(night), "hacen_falta": night.machines,
            "con_repuesto": night.machines + 1,
        },
        "trafico": {"gb_por_hora": round(night.hour_gb), "gb_en_la_noche": round(night.night_gb)},
        "origen_con_cdn": {
            "nodos": NODES, "peticiones_s": round(origin.quiet_requests),
            "mbit_s": round(origin.quiet_mbit, 1),
            "en_un_corte_peticiones_s": round(origin.cut_requests),
            "en_un_corte_mbit_s": round(origin.cut_mbit), "gb_en_la_noche": round(origin.night_gb),
        },
        "supuestos": [
            {"que": what, "valor": value, "de_donde": source} for what, value, source in night.assumptions
        ],
    }  # fmt: skip


def _round(value: float | None, places: int | None = None) -> float | None:
    return None if value is None else round(value, places)
