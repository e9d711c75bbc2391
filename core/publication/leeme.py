"""The LEEME.txt of a package: what it holds and what each counter, column and code means.

Written from the contest, its dialect and the rule catalogue, so that it cannot describe another
file than the one beside it. Wording is the project's own; definitions follow Anexo 13.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.catalog import Catalog, Scope
from core.domain.contenders import Contender, ContenderKind
from core.domain.counters import COUNTER_NAMES
from core.domain.rules import RULE_BY_CODE, SITUATION_BY_CODE, Severity
from core.publication.dialects import Dialect
from core.publication.dialects.dialect import PUBLISHED_CODES
from core.published.layout import human_format

COUNTERS: dict[str, str] = {
    "ACTAS_ESPERADAS": "Actas PREP de todas las casillas aprobadas para esta elección. No cambia en la "
    "noche.",
    "ACTAS_REGISTRADAS": "Actas capturadas más actas fuera de catálogo.",
    "ACTAS_FUERA_CATALOGO": "Actas registradas que no se pueden asociar a una casilla aprobada.",
    "ACTAS_CAPTURADAS": "Actas del catálogo que ya están en el sistema, se contabilicen o no.",
    "PORCENTAJE_ACTAS_CAPTURADAS": "ACTAS_CAPTURADAS entre ACTAS_ESPERADAS.",
    "ACTAS_CONTABILIZADAS": "Actas capturadas cuyos votos se suman: tienen al menos un dato legible y su "
    "suma no excede la lista nominal más las representaciones acreditadas (en casilla especial, las "
    "boletas aprobadas más las representaciones).",
    "PORCENTAJE_ACTAS_CONTABILIZADAS": "ACTAS_CONTABILIZADAS entre ACTAS_ESPERADAS.",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS": "Actas con alguna de las inconsistencias que la norma cuenta "
    "(excede lista nominal, campos ilegibles, campos sin dato) entre ACTAS_ESPERADAS. No cuenta las "
    "fuera de catálogo ni las sin acta.",
    "ACTAS_NO_CONTABILIZADAS": "ACTAS_CAPTURADAS menos ACTAS_CONTABILIZADAS. No incluye las fuera de "
    "catálogo.",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": "Suma de la lista nominal de las actas contabilizadas.",
    "TOTAL_VOTOS_C_CS": "Votos de las actas contabilizadas, con las casillas especiales.",
    "TOTAL_VOTOS_S_CS": "Votos de las actas contabilizadas, sin las casillas especiales.",
    "PORCENTAJE_PARTICIPACION_CIUDADANA": "Durante la operación, TOTAL_VOTOS_S_CS entre la lista nominal "
    "de las actas contabilizadas; en el último corte, TOTAL_VOTOS_C_CS (Anexo 13, numeral 29).",
}
"""What each header counter is."""

COLUMNS: dict[str, str] = {
    "CLAVE_CASILLA": "Clave de la casilla: entidad (2 dígitos), sección (4), tipo (1), número (2) y "
    "extensión contigua (2). Vacía o con guion en las actas fuera de catálogo.",
    "CLAVE_ACTA": "CLAVE_CASILLA seguida de TIPO_ACTA.",
    "ID_ENTIDAD": "Número de la entidad (Anexo 18.10 del Reglamento de Elecciones).",
    "ENTIDAD": "Nombre de la entidad.",
    "ID_DISTRITO": "Número del distrito.",
    "DISTRITO": "Nombre del distrito.",
    "ID_MUNICIPIO": "Número del municipio.",
    "MUNICIPIO": "Nombre del municipio.",
    "SECCION": "Sección electoral. No aplica en las casillas que no pertenecen a una.",
    "ID_CASILLA": "Número de la casilla.",
    "TIPO_CASILLA": "B básica, C contigua, E extraordinaria, S especial, A voto anticipado, M mesa del "
    "voto en el extranjero, P (V en 2021) prisión preventiva, U urna electrónica.",
    "EXT_CONTIGUA": "Número de la contigua a una extraordinaria.",
    "UBICACION_CASILLA": "1 urbana, 2 no urbana, 3 fuera de catálogo.",
    "TIPO_ACTA": "Número impreso en el formato del acta.",
    "TOTAL_BOLETAS_SOBRANTES": "Boletas que no se usaron y se cancelaron.",
    "TOTAL_PERSONAS_VOTARON": "Personas que votaron.",
    "TOTAL_REP_PARTIDO_CI_VOTARON": "Representaciones de partidos y candidaturas independientes que votaron.",
    "TOTAL_VOTOS_SACADOS": "Votos sacados de la urna.",
    "NO_REGISTRADAS": "Votos para candidaturas no registradas.",
    "NULOS": "Votos nulos.",
    "TOTAL_VOTOS_ASENTADO": "Total escrito en el acta. Es informativo: no se usa en ninguna suma.",
    "TOTAL_VOTOS_CALCULADO": "Suma que hace el sistema con los votos del acta.",
    "LISTA_NOMINAL": "Personas con derecho a votar en la casilla. Cero en las especiales.",
    "REPRESENTANTES_PP_CI": "Representaciones acreditadas ante la casilla.",
    "OBSERVACIONES": "Inconsistencias o situación del acta; sus textos están en la parte D.",
    "CONTABILIZADA": "1 contabilizada, 0 no contabilizada, 2 fuera de catálogo, - todavía no capturada.",
    "MECANISMOS_TRASLADO": "D dispositivo de apoyo, F centro de recepción y traslado fijo, I itinerante; "
    "vacío si no se usó ninguno.",
    "CODIGO_INTEGRIDAD": "SHA-256 de la imagen publicada del acta.",
    "FECHA_HORA_ACOPIO": "Recepción del acta en el CATD, o momento de la toma en la casilla.",
    "FECHA_HORA_CAPTURA": "Primera captura de los datos.",
    "FECHA_HORA_VERIFICACION": "Verificación de los datos.",
    "ORIGEN": "CASILLA o CATD: dónde se digitalizó.",
    "DIGITALIZACION": "Con qué se digitalizó: teléfono móvil, escáner o urna electrónica.",
    "TIPO_DOCUMENTO": "ACTA PREP; RPP copia de representaciones; CC copia del consejo; PPC copia de "
    "partido obtenida en el consejo; ACTA VMRE extranjero; ACTA VA voto anticipado; ACTA VPPP prisión "
    "preventiva; ACTA UE urna electrónica.",
    "COTEJADA": "0 sin cotejar, 1 cotejada y aceptada, 2 cotejada después de modificarse, 3 cotejada sin "
    "aceptar.",
}
"""What each fixed column is."""

_EFFECT = {
    Severity.NOT_COUNTED: "no se contabiliza",
    Severity.OBSERVED: "se contabiliza",
    Severity.NOTICE: "",
}


def leeme(
    catalog: Catalog,
    contest_id: str,
    dialect: Dialect,
    *,
    columns: Sequence[str],
    canonical: Sequence[str],
    results: str,
    candidaturas: str,
    simulacro: bool,
) -> bytes:
    """The LEEME of one contest: `columns` are the written names and `canonical` what they are."""
    contest = catalog.contests[contest_id]
    zone = "la hora oficial de la entidad"
    lines = [
        "PROGRAMA DE RESULTADOS ELECTORALES PRELIMINARES",
        f"{catalog.election} - {contest.name}",
        "",
        *_simulacro(simulacro),
        "A. QUÉ CONTIENE EL PAQUETE",
        "",
        f"   {results}: una fila por acta esperada y, al final, una por acta fuera de catálogo.",
        f"   {candidaturas}: candidaturas por partido, coalición y candidatura independiente.",
        "   LEEME.txt: este archivo.",
        "",
        "B. CÓMO SE LLAMAN LOS ARCHIVOS",
        "",
        "   AAAAMMDD_HHMM_PREP_<ENTIDAD>.zip: el paquete de todas las elecciones de un corte.",
        "   AAAAMMDD_HHMM_PREP_<ELECCIÓN>_<ENTIDAD>.zip: el de una elección. AAAAMMDD_HHMM es el corte, en "
        f"{zone}.",
        f"   Los valores se separan con «{dialect.file.separator}»; el texto está en "
        f"{dialect.file.encoding.upper()}{' con BOM' if dialect.file.bom else ''}.",
        "",
        "C. EL ENCABEZADO",
        "",
        "   Nombre de la elección, fecha y hora del corte con su huso, trece contadores y sus valores. Los",
        "   porcentajes llevan siempre cuatro decimales, truncados, nunca redondeados.",
        "",
        *(f"   {number}. {name}: {COUNTERS[name]}" for number, name in enumerate(COUNTER_NAMES, start=1)),
        "",
        "D. LAS FILAS",
        "",
        *_rows(contest.columns, columns, canonical),
        "",
        f"   Las horas se escriben {human_format(dialect.file.time_format)}, en {zone}.",
        f"   En los campos del acta: «{dialect.ilegible}» no se puede leer ni en letra ni en número; "
        f"«{dialect.sin_dato}» no tiene nada escrito; ambos suman cero.",
        f"   «{dialect.no_compite}» en votos: esa opción no está en la boleta de ese lugar, o el acta no se "
        f"ha capturado. «{dialect.no_aplica}»: el dato no existe en ese tipo de acta.",
        "",
        "   Textos de OBSERVACIONES:",
        "",
        *_observations(dialect),
        "",
        *_coalitions(contest.columns),
        "E. NOTAS",
        "",
        "   Los resultados son preliminares, no definitivos, y tienen carácter informativo.",
        "   Si la cantidad en letra y en número no coinciden se captura la letra; si solo hay una, esa.",
        "   La vista por partido reparte los votos de cada combinación en partes iguales sobre el total "
        "del "
        f"{'municipio' if contest.scope is Scope.MUNICIPIO else 'distrito'};",
        "   lo que sobra va a los partidos con más votos propios. No sirve para asignar cargos.",
        "   El acta que excede el límite muestra sus votos, pero no entra en las sumas.",
        "",
    ]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode()


def outer_leeme(catalog: Catalog, members: Sequence[str], *, simulacro: bool) -> bytes:
    """The LEEME of the ZIP that holds those of every contest."""
    lines = [
        "PROGRAMA DE RESULTADOS ELECTORALES PRELIMINARES",
        catalog.election,
        "",
        *_simulacro(simulacro),
        "Este paquete contiene uno por elección:",
        "",
        *(f"   {name}" for name in members),
        "",
        "Cada uno trae sus resultados, sus candidaturas y un LEEME.txt que explica cada columna.",
        "Los resultados son preliminares, no definitivos, y tienen carácter informativo.",
        "",
    ]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode()


def _simulacro(simulacro: bool) -> list[str]:
    if not simulacro:
        return []
    return ["*** SIMULACRO: LOS DATOS SON FICTICIOS Y NO SON RESULTADOS DE NINGUNA ELECCIÓN ***", ""]


def _rows(contenders: Sequence[Contender], columns: Sequence[str], canonical: Sequence[str]) -> list[str]:
    by_code = {contender.code: contender for contender in contenders}
    lines = []
    for number, (written, name) in enumerate(zip(columns, canonical, strict=True), start=1):
        told = COLUMNS.get(name) or _contender(by_code.get(name))
        lines.append(f"   {number}. {written}: {told}")
    return lines


def _contender(contender: Contender | None) -> str:
    if contender is None:
        return "Dato que esta elección no usa."
    if contender.kind is ContenderKind.COMBINACION:
        return f"Votos marcados a la vez por {_listed(contender.parties)}, en coalición."
    if contender.kind is ContenderKind.COMUN:
        return f"Votos de la candidatura común de {_listed(contender.parties)}."
    if contender.kind is ContenderKind.INDEPENDIENTE:
        return "Votos de la candidatura independiente."
    name = contender.name if contender.name and contender.name != contender.code else contender.code
    return f"Votos de {name}."


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} y {names[-1]}"


def _observations(dialect: Dialect) -> list[str]:
    """Each text of the dialect with what its codes mean, texts that several codes share once."""
    meaning: dict[str, list[str]] = {}
    for code in PUBLISHED_CODES:
        text = dialect.observations.text((code,))
        if code in RULE_BY_CODE:
            rule = RULE_BY_CODE[code]
            # That an equal sum is counted would read, here, as if this acta were.
            seen = rule.text_supervisor.removesuffix(" Igual se contabiliza.")
            told = f"{seen} El acta {_EFFECT[rule.severity]}."
        else:
            situation = SITUATION_BY_CODE[code]
            told = f"{situation.text} CONTABILIZADA vale {situation.contabilizada}."
        meaning.setdefault(text, []).append(told)
    lines = [
        f"   «{dialect.observations.none}»: capturada sin observaciones.",
        f"   «{dialect.observations.not_captured}»: todavía no capturada.",
    ]
    lines.extend(f"   «{text}»: {' / '.join(texts)}" for text, texts in meaning.items())
    joined = [text for codes, text in dialect.observations.combinations if len(codes) > 1 and ", " in text]
    if joined:
        lines.append("   Cuando hay varias se escriben juntas, separadas con coma.")
    else:
        lines.append("   Cuando hay varias se escribe la primera de esta lista: prevalece sobre las demás.")
    return lines


def _coalitions(contenders: Sequence[Contender]) -> list[str]:
    """The combinations of each coalition, so that nobody has to infer them from the columns."""
    combos = [c for c in contenders if c.kind is ContenderKind.COMBINACION]
    whole = [c for c in combos if not any(set(c.parties) < set(other.parties) for other in combos)]
    if not whole:
        return []
    lines = ["   Coaliciones y sus combinaciones:", ""]
    for coalition in whole:
        parts = [c.code for c in combos if set(c.parties) <= set(coalition.parties)]
        lines.append(f"   {_listed(coalition.parties)}: {', '.join(parts)}")
    return [*lines, ""]
