"""The catalogue of alert rules: one row each, with its limits, delays and where it comes from.

`python -m control_room.alerts.rules` writes the tables of docs/alertas.md from it (`--toml`: the default
configuration). What the rules compute is in `watch` and `flow`; how an alert lives, in `book`. Sources:
reference control-room §4.5 (which takes the guide EEMUA 191 for the budget), Reglamento de Elecciones
art. 339 and 353 and Anexo 13; the numbers that no document fixes are the project's own and configurable.
"""

from __future__ import annotations

from collections.abc import Mapping

from control_room.alerts import flow, publishing, watch
from control_room.alerts.model import Limit, Rule, Scope
from control_room.night.facts import Phase

ALWAYS = frozenset(Phase)
OWN = "Criterio del proyecto"

RULES: tuple[Rule, ...] = (
    Rule(
        "A01",
        "CATD sin señal",
        "{n} CATD sin señal",
        Scope.CATD,
        raises="Sin latido más de {p3_min}, con algo por recibir o digitalizar",
        clears="{latidos} seguidos",
        priority="P3; P2 a más de {p2_min}; P1 a más de {p1_min}, o a más de {p3_min} si calla más de "
        "{distrito_pct} del distrito y son al menos {distrito_catd}. No baja mientras siga",
        delay_s=0,
        clear_delay_s=0,
        limits=(
            Limit("p3_min", 3, "min", "silencio que se tolera", least=1),
            Limit("p2_min", 5, "min", "silencio de P2", least=1),
            Limit("p1_min", 10, "min", "silencio de P1", least=1),
            Limit("distrito_pct", 30, "%", "parte del distrito en silencio que ya es P1", most=100),
            Limit("distrito_catd", 3, "CATD", "los menos que deben callar en el distrito para eso", least=1),
            Limit("latidos", 2, "latidos", "latidos sin hueco que la despejan", least=1),
        ),
        source=f"{OWN}; el plan de continuidad pide detectar la falta de enlace (RE art. 348, Anexo 13)",
        judge=watch.no_signal,
        ascending=(("p3_min", "p2_min", "p1_min"),),
    ),
    Rule(
        "A02",
        "CATD vivo sin actas",
        "{n} CATD vivos sin actas",
        Scope.CATD,
        raises="Con latido de hace menos de {latido_min} y actas por recibir, ninguna en {veces} su "
        "intervalo planeado ({veces_primera} si es la primera) y al menos {min}; sin plan, en {sin_plan_min}",
        clears="Llega un acta",
        priority="P2",
        delay_s=0,
        clear_delay_s=0,
        limits=(
            Limit("min", 15, "min", "lo menos que se espera", least=1),
            # Packages come at random: about e^-veces of the gaps of a night are longer than so many planned
            # ones. With 3 a normal night has some 190 false alarms, with 8 nine (docs/alertas.md).
            Limit("veces", 8, "veces", "cuántos intervalos planeados entre sus paquetes", least=1),
            Limit("veces_primera", 40, "veces", "lo mismo antes de la primera acta", least=1),
            Limit("sin_plan_min", 60, "min", "lo que se espera cuando no hay plan", least=1),
            Limit("latido_min", 3, "min", "edad del latido con que se le tiene por vivo", least=1),
        ),
        source=OWN,
        judge=watch.no_actas,
    ),
    Rule(
        "A03",
        "Rezago creciente",
        "Rezago creciente",
        Scope.ESTADO,
        raises="Lo digitalizado y no registrado crece desde hace {crece_min}, son al menos {actas} y "
        "es más de {trabajo_min} de trabajo al ritmo actual",
        clears="Menos de {vuelve_min} de trabajo",
        priority="P2",
        delay_s=60,
        clear_delay_s=120,
        limits=(
            Limit("crece_min", 10, "min", "tiempo de crecer", least=2, most=30),
            Limit("trabajo_min", 15, "min", "trabajo acumulado", least=1),
            Limit("vuelve_min", 10, "min", "trabajo acumulado con que se despeja"),
            Limit("actas", 50, "actas", "rezago que no se mira"),
        ),
        source=OWN,
        judge=flow.backlog,
        ascending=(("vuelve_min", "trabajo_min"),),
    ),
    Rule(
        "A04",
        "Ritmo bajo el plan",
        "Ritmo bajo el plan",
        Scope.ESTADO,
        raises="El ritmo de 15 minutos es menos de {p2_pct} del planeado, hay trabajo y el plan pide al "
        "menos {plan_minimo}",
        clears="{vuelve_pct} del plan o más",
        priority="P2; P1 con menos de {p1_pct}, y vuelve a P2 desde {p2_pct}",
        delay_s=300,
        clear_delay_s=600,
        limits=(
            Limit("p2_pct", 70, "%", "parte del plan de P2", most=100),
            Limit("p1_pct", 50, "%", "parte del plan de P1", most=100),
            Limit("vuelve_pct", 80, "%", "parte del plan que la despeja", most=200),
            Limit("plan_minimo", 5, "actas por minuto", "plan que no se mira"),
        ),
        source=OWN,
        judge=flow.rate,
        ascending=(("p1_pct", "p2_pct", "vuelve_pct"),),
    ),
    Rule(
        "A05",
        "Avance bajo el plan",
        "Avance bajo el plan",
        Scope.ESTADO,
        raises="El avance va más de {p2_pp} abajo del planeado a esta hora",
        clears="Menos de {vuelve_pp} abajo",
        priority="P2; P1 a más de {p1_pp}, y vuelve a P2 desde {p2_pp}",
        delay_s=300,
        clear_delay_s=300,
        limits=(
            Limit("p2_pp", 5, "puntos", "atraso de P2", most=100),
            Limit("p1_pp", 10, "puntos", "atraso de P1", most=100),
            Limit("vuelve_pp", 3, "puntos", "atraso con que se despeja", most=100),
        ),
        source=f"{OWN}; el simulacro debe procesar el 100 % (RE art. 349)",
        judge=flow.progress,
        ascending=(("vuelve_pp", "p2_pp", "p1_pp"),),
    ),
    Rule(
        "A06",
        "Cierre estimado tarde",
        "Cierre estimado tarde",
        Scope.ESTADO,
        raises="Uno de cada diez pronósticos, o más, termina después del cierre legal",
        clears="Nueve de cada diez terminan más de {vuelve_min} antes",
        priority="P2",
        delay_s=180,
        clear_delay_s=180,
        limits=(Limit("vuelve_min", 30, "min", "holgura que la despeja"),),
        source="RE art. 353: la publicación termina a más tardar 24 horas después de su inicio",
        judge=flow.late_end,
    ),
    Rule(
        "A07",
        "Publicación atrasada",
        "Publicación atrasada",
        Scope.PUBLICACION,
        raises="Pasan {p2_s} de la hora del corte y no ha salido, o el corte fue rechazado",
        clears="Sale el corte",
        priority="P2; P1 a los {p1_s}. No baja hasta que sale",
        delay_s=0,
        clear_delay_s=0,
        limits=(
            Limit("p2_s", 60, "s", "atraso de P2"),
            Limit("p1_s", 180, "s", "atraso de P1"),
        ),
        source="RE art. 339: al menos tres actualizaciones por hora",
        judge=watch.late_cut,
        ascending=(("p2_s", "p1_s"),),
        # The last cut is also due after the hour of the end.
        phases=frozenset({Phase.OPEN, Phase.CLOSED}),
    ),
    Rule(
        "A08",
        "Lo público no es lo verificado",
        "Lo público no es lo verificado",
        Scope.PUBLICACION,
        raises="La huella o las cuentas de lo público son otras (al instante); o lo público es de un corte "
        "anterior desde hace más de {atras_s}; o salió un corte y quedan sin publicar más de {cortes} "
        "de trabajo y de {actas}",
        clears="Son iguales",
        priority="P1",
        delay_s=0,
        clear_delay_s=0,
        limits=(
            Limit("atras_s", 90, "s", "tiempo que lo público puede ser de un corte anterior"),
            Limit("cortes", 2, "cortes", "cuántos cortes de trabajo pueden faltar", least=1),
            Limit("actas", 50, "actas", "faltante que no se mira", least=2),
        ),
        source="RE art. 339; Guerrero 2021: los datos existían y no llegaron al sitio",
        judge=watch.divergence,
        phases=ALWAYS,
    ),
    Rule(
        "A09",
        "Inconsistencias sobre lo normal",
        "{n} CATD con inconsistencias sobre lo normal",
        Scope.CATD,
        raises="Con al menos {n} verificadas, más inconsistentes que el límite binomial de "
        "{confianza_pct} con la proporción del estado",
        clears="No más que el límite de {despeje_pct}",
        priority="P2",
        delay_s=120,
        clear_delay_s=300,
        limits=(
            Limit("n", 20, "actas", "actas verificadas con que se empieza a mirar", least=1),
            Limit("confianza_pct", 99, "%", "confianza del límite", least=50, most=100),
            Limit("despeje_pct", 95, "%", "confianza con que se despeja", least=50, most=100),
        ),
        source=f"{OWN}; qué es inconsistencia: Anexo 13 num. 31",
        judge=watch.inconsistencies,
        ascending=(("despeje_pct", "confianza_pct"),),
    ),
    Rule(
        "A10",
        "Portal lento o con errores",
        "Portal lento o con errores",
        Scope.PLATAFORMA,
        raises="En un minuto, visto desde fuera: p95 de más de {p95_ms} o más de {errores_pct} con error, "
        "en al menos {consultas}",
        clears="Tres minutos buenos",
        priority="P1",
        delay_s=0,
        clear_delay_s=180,
        limits=(
            Limit("p95_ms", 1000, "ms", "tiempo de respuesta que 95 de 100 no pasan"),
            Limit("errores_pct", 0.1, "%", "parte de las consultas con error", most=100),
            Limit("consultas", 5, "consultas", "consultas del minuto con que se empieza a mirar", least=1),
        ),
        source=f"{OWN}; la publicación no se interrumpe (RE art. 339)",
        judge=watch.portal,
        phases=ALWAYS,
        ledger=False,
    ),
    Rule(
        "A11",
        "La sala estuvo detenida",
        "La sala estuvo detenida",
        Scope.PLATAFORMA,
        raises="La instantánea anterior tenía más de {vieja_s}",
        clears="Un minuto con menos de {vuelve_s}",
        priority="P1",
        delay_s=0,
        clear_delay_s=60,
        limits=(
            Limit("vieja_s", 10, "s", "edad de la instantánea"),
            Limit("vuelve_s", 5, "s", "edad con que se despeja"),
        ),
        source=OWN,
        judge=watch.old_snapshot,
        phases=ALWAYS,
        ledger=False,
        ascending=(("vuelve_s", "vieja_s"),),
    ),
    Rule(
        "A12",
        "Base de datos sin respuesta",
        "Base de datos sin respuesta",
        Scope.PLATAFORMA,
        raises="La base de datos no responde",
        clears="Responde",
        priority="P1",
        delay_s=0,
        clear_delay_s=0,
        limits=(),
        source=OWN,
        judge=watch.no_database,
        phases=ALWAYS,
        ledger=False,
    ),
    Rule(
        "A13",
        "Disco casi lleno",
        "Disco casi lleno",
        Scope.PLATAFORMA,
        raises="Queda libre menos de {libre_pct} del disco",
        clears="{vuelve_pct} o más",
        priority="P2",
        delay_s=60,
        clear_delay_s=60,
        limits=(
            Limit("libre_pct", 15, "%", "parte libre", most=100),
            Limit("vuelve_pct", 17, "%", "parte libre con que se despeja", most=100),
        ),
        source=OWN,
        judge=watch.disk,
        phases=ALWAYS,
        ledger=False,
        ascending=(("libre_pct", "vuelve_pct"),),
    ),
    Rule(
        "A14",
        "Reloj desfasado",
        "Reloj desfasado",
        Scope.PLATAFORMA,
        raises="El reloj de la máquina está a más de {desvio_s} de la hora",
        clears="{vuelve_s} o menos",
        priority="P2",
        delay_s=60,
        clear_delay_s=60,
        limits=(
            Limit("desvio_s", 2, "s", "desvío, de adelanto o de atraso"),
            Limit("vuelve_s", 1, "s", "desvío con que se despeja"),
        ),
        source=f"{OWN}; las horas de cada fase se publican (Anexo 13 num. 15)",
        judge=watch.clock,
        phases=ALWAYS,
        ledger=False,
        ascending=(("vuelve_s", "desvio_s"),),
    ),
    Rule(
        "A15",
        "Más alertas de las que se pueden atender",
        "Más alertas de las que se pueden atender",
        Scope.PLATAFORMA,
        raises="En diez minutos se levantan más de {por_operador} por persona, con {operadores}",
        clears="Cinco minutos sin pasar de eso",
        priority="P3",
        delay_s=0,
        clear_delay_s=300,
        limits=(
            Limit("por_operador", 1, "alerta", "presupuesto de cada diez minutos por persona"),
            Limit("operadores", 2, "personas", "quienes atienden la sala", least=1),
        ),
        source="Guía EEMUA 191: alrededor de una alarma cada diez minutos por operador",
        judge=watch.nothing,
        phases=ALWAYS,
        ledger=False,
    ),
    Rule(
        "A16",
        "El publicador falla o no responde",
        "El publicador falla o no responde",
        Scope.PUBLICACION,
        raises="El publicador da una alarma suya (un corte que no pasa su comprobación, uno perdido, "
        "imágenes que faltan) o, en la operación, su archivo de estado no cambia en {calla_s} reales",
        clears="Ninguna alarma suya y su archivo cambia",
        priority="P2; P1 si se perdió un corte, falta el último o no puede trabajar, y a los {p1_s} de "
        "silencio",
        delay_s=0,
        clear_delay_s=0,
        limits=(
            Limit("calla_s", 30, "s", "silencio del publicador que se tolera", least=5),
            Limit("p1_s", 120, "s", "silencio de P1", least=5),
        ),
        source=f"{OWN}; la publicación no se interrumpe y lleva al menos tres cortes por hora (RE art. 339)",
        judge=publishing.publisher,
        phases=frozenset({Phase.OPEN, Phase.CLOSED}),
        ledger=False,
        ascending=(("calla_s", "p1_s"),),
    ),
    Rule(
        "A17",
        "Un destino o los testigos van atrás",
        "Un destino o los testigos van atrás",
        Scope.PUBLICACION,
        raises="Un destino no responde o le falta lo último desde hace más de {atras_s}; o firmaron menos "
        "testigos que los pedidos",
        clears="Todos los destinos al corriente y los testigos pedidos",
        priority="P2; P1 si ninguno está al corriente desde hace más de {p1_s}; P3 si solo faltan testigos",
        delay_s=60,
        clear_delay_s=60,
        limits=(
            Limit("atras_s", 60, "s", "atraso de un destino que se tolera"),
            Limit("p1_s", 600, "s", "atraso de todos que ya es P1"),
        ),
        source=f"{OWN}; los difusores publican lo mismo que el instituto (RE art. 339, Anexo 13)",
        judge=publishing.destinations,
        phases=frozenset({Phase.OPEN, Phase.CLOSED}),
        ledger=False,
        ascending=(("atras_s", "p1_s"),),
    ),
)

RULE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}

GENERAL: tuple[Limit, ...] = (
    Limit("miradas", 2, "miradas", "veces seguidas que se ve una falta para levantarla o subirla", least=1),
    Limit("agrupa_catd", 3, "CATD", "alertas de una regla en un distrito que se vuelven una línea", least=2),
    Limit("estado_distritos", 5, "distritos", "con alertas de una regla en más, son una línea del estado", 1),
    Limit("suelta_distritos", 2, "distritos", "con las de tantos o menos, vuelven a decirse por distrito"),
    Limit("inhibe_pct", 50, "%", "parte de los CATD sin señal que ya explica un ritmo bajo", 1, 100),
)
"""What is common to all the rules: `[alertas.general]`."""

INHIBITIONS: tuple[tuple[str, str, str], ...] = (
    (
        "A12 (base de datos)",
        "las que leen la base: A01 a A09",
        "Se quedan como estaban: sin base no se sabe si siguen, y ninguna se levanta por lo que no se ve.",
    ),
    (
        "La operación no empieza o ya cerró",
        "A01 a A06 y A09; A07 antes de empezar",
        "Terminan: no hay qué recibir. Que salga el último corte y que lo público sea lo verificado se "
        "sigue mirando.",
    ),
    (
        "A01 de un CATD",
        "A02 del mismo CATD",
        "Si no hay enlace, que no lleguen actas es lo mismo dicho dos veces.",
    ),
    (
        "A01 en la mitad de los CATD (`inhibe_pct`)",
        "A04",
        "Si callan tantos, que el ritmo baje se sigue de ahí.",
    ),
    (
        "A07 (corte atrasado)",
        "A08 por actas sin publicar",
        "Mientras un corte no sale, lo sin publicar crece solo.",
    ),
)
"""What follows from what: (while this is active, these are not told, why)."""

if __name__ == "__main__":
    from control_room.alerts.document import main

    raise SystemExit(main())
