"""The constancias as documents: the same facts as the signed JSON, laid out to be read and signed by hand.

Adds no fact. What is too long for paper is cut short and says so; the signed JSON has all of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from core.documents.document import BANNER, Block, Cell, Document, Heading, Status, Table, Text, facts
from core.evidence.common import CLOSING, HASHES, TITLES, ZEROS, Constancia
from core.publication.times import iso

SHOWN = 400
"""Rows of a table that go to paper."""
_NONE = "—"
_RULE = "_" * 42


def paper(made: Constancia, digest: str, vkey: str) -> Document:
    """The document of a constancia. `digest` and `vkey` tie the paper to the signed JSON."""
    build = {ZEROS: _zeros, HASHES: _hashes, CLOSING: _closing}[made["clase"]]
    zone = timezone(timedelta(minutes=made["minutos_utc"]))
    subtitle = f"{made['eleccion']} · {made['entidad']['nombre']} · levantada {_when(made['levantada'])}"
    return Document(
        TITLES[made["clase"]],
        subtitle,
        datetime.fromtimestamp(made["levantada_ms"] // 1000, tz=zone),
        (*build(made), *_seal(made, digest, vkey)),
        banner=BANNER if made["modo"] == "simulacro" else "",
    )


def _when(moment: str | None) -> str:
    return f"{moment[:10]} {moment[11:19]}" if moment else _NONE


def _number(value: int) -> str:
    return f"{value:,}"


def _answer(good: bool, yes: str, no: str) -> Status:
    return Status(yes if good else no, good)


def _general(made: Constancia) -> list[tuple[str, Cell]]:
    return [
        ("Modo", "Simulacro" if made["modo"] == "simulacro" else "Oficial"),
        ("Proceso", made["eleccion"]),
        ("Entidad", f"{made['entidad']['nombre']} ({made['entidad']['id']})"),
        ("Hora en que se levantó", _when(made["levantada"])),
        ("Motor de base de datos", made["motor_de_base"]),
        ("Huella del catálogo", made["catalogo_sha256"]),
        ("Huella recalculada", made["catalogo_recalculado_sha256"]),
    ]


def _short(rows: list[tuple[Cell, ...]], what: str) -> tuple[tuple[tuple[Cell, ...], ...], list[Block]]:
    if len(rows) <= SHOWN:
        return tuple(rows), []
    said = f"Se muestran {SHOWN:,} de {len(rows):,} {what}; el archivo firmado los tiene todos."
    return tuple(rows[:SHOWN]), [Text(said)]


def _seal(made: Constancia, digest: str, vkey: str) -> list[Block]:
    return [
        Heading("Firma"),
        Text(
            "Este documento dice lo que dice el archivo JSON firmado que lo acompaña. La huella es la "
            "del objeto «constancia» de ese archivo; «prep constancia verificar» la recalcula y comprueba "
            "la firma."
        ),
        facts((("SHA-256 de la constancia", digest), ("Llave pública", vkey))),
        *(Text(f"{_RULE}   {_RULE}") for _ in range(3)),
        Text("Nombre y cargo, y firma, de quienes dan fe."),
    ]


def _reasons(title: str, reasons: list[str]) -> list[Block]:
    if not reasons:
        return []
    return [Heading(title, 2), Table(("motivo",), tuple((one,) for one in reasons), (1,))]


# -- ceros -----------------------------------------------------------------------------------------


def _zeros(made: Constancia) -> list[Block]:
    opening = made["apertura"]
    at_zero = made["en_ceros"]
    rows: list[tuple[str, Cell]] = [
        ("La base está en ceros", _answer(at_zero, "sí", "no")),
        *_general(made),
        ("Actas esperadas", _number(made["actas_esperadas"])),
        ("Eventos en la bitácora", _number(made["eventos"])),
        ("Último eslabón de la bitácora", f"evento {made['bitacora']['evento']}"),
        ("Huella del último eslabón", made["bitacora"]["sha256"]),
        ("Versión de la base", str(made["esquema"])),
    ]
    blocks: list[Block] = [facts(rows), *_reasons("Por qué no está en ceros", made["motivos"])]
    blocks.append(Heading("Apertura"))
    if opening is None:
        blocks.append(Text("La operación no se ha abierto: la bitácora no tiene ese evento."))
    else:
        blocks.append(
            facts(
                (
                    ("Abierta", _when(opening["instante"])),
                    ("La abrió", opening["quien"]),
                    ("Periodo", f"{_when(opening['periodo_desde'])} a {_when(opening['periodo_hasta'])}"),
                    ("Eventos anteriores a la apertura", _number(opening["eventos_antes"])),
                    ("Primera acta", _when(opening["primera_acta"])),
                    ("En ceros al abrirse", _answer(opening["en_ceros_al_abrir"], "sí", "no")),
                )
            )
        )
    blocks += [
        Heading("Actas esperadas por elección"),
        Table(
            ("elección", "clave", "esperadas", "territorios"),
            tuple(
                (one["nombre"], one["id"], _number(one["esperadas"]), _number(len(one["territorios"])))
                for one in made["contiendas"]
            ),
            (5, 2, 2, 2),
            frozenset({2, 3}),
        ),
        Heading("Filas de cada tabla de la base"),
        Table(
            ("tabla", "filas"),
            tuple((name, _number(rows_)) for name, rows_ in made["tablas"].items()),
            (3, 1),
            frozenset({1}),
            small=True,
        ),
    ]
    for one in made["contiendas"]:
        found, more = _short(
            [
                (
                    "" if place["id"] is None else str(place["id"]),
                    place["nombre"],
                    _number(place["esperadas"]),
                )
                for place in one["territorios"]
            ],
            "territorios",
        )
        blocks += [
            Heading(f"{one['nombre']}: actas esperadas por {one['ambito']}", 2),
            Table(("número", one["ambito"], "esperadas"), found, (1, 5, 1), frozenset({0, 2}), small=True),
            *more,
        ]
    found, more = _short(
        [(str(one["id"]), one["nombre"], _number(one["esperadas"])) for one in made["catd"]], "CATD"
    )
    titles = ("número", "CATD", "esperadas")
    blocks += [
        Heading("Actas esperadas por CATD", 2),
        Table(titles, found, (1, 5, 1), frozenset({0, 2}), small=True),
        *more,
    ]
    return blocks


# -- hashes ----------------------------------------------------------------------------------------


def _hashes(made: Constancia) -> list[Block]:
    compared = made.get("comparacion")
    build, python, base = made["compilacion"], made["python"], made["base"]
    head: list[tuple[str, Cell]] = []
    if compared is not None:
        same = not compared["diferencias"]
        words = "sin cambios" if same else f"{len(compared['diferencias']):,} diferencias"
        head.append((f"Contra el acta de {_when(compared['contra'])}", Status(words, same)))
    rows = [
        *head,
        *_general(made),
        ("Componentes", f"{_number(len(made['componentes']))} archivos"),
        ("Huella de la lista de componentes", made["componentes_sha256"]),
        ("Versión", build["version"] or "desconocida"),
        ("Confirmación del repositorio", build["confirmacion"] or "desconocida"),
        (
            "Python",
            f"{python['implementacion']} {python['version']} ({python['sistema']} {python['maquina']})",
        ),
        ("Versión de la base", f"{base['version']}, {base['piezas']} piezas"),
        ("Huella del esquema", base["esquema_sha256"]),
        ("Huella de las reglas", made["reglas"]["sha256"] or "desconocida"),
        ("Llave pública", made["llave"]),
    ]
    blocks: list[Block] = [facts(rows)]
    if compared is not None:
        blocks.append(Heading("Comparación con el acta anterior"))
        if compared["diferencias"]:
            found, more = _short(
                [(one["que"], one["clase"], one["antes"], one["ahora"]) for one in compared["diferencias"]],
                "diferencias",
            )
            blocks += [Table(("qué", "clase", "antes", "ahora"), found, (4, 1.2, 4, 4), small=True), *more]
        else:
            blocks.append(Text("Sin cambios: todo lo comparado es igual.", strong=True))
    apart = [
        one for one in made["dependencias"] if one["en_candado"] and one["version"] not in one["en_candado"]
    ]
    if apart:
        blocks += [
            Heading("Dependencias con otra versión que la del candado"),
            Table(
                ("dependencia", "instalada", "en el candado"),
                tuple((one["nombre"], one["version"], ", ".join(one["en_candado"])) for one in apart),
                (3, 1, 1),
            ),
        ]
    blocks += [
        Heading("Dependencias"),
        Table(
            ("dependencia", "versión", "SHA-256 de su registro"),
            tuple(
                (one["nombre"], one["version"], one["registro_sha256"] or _NONE)
                for one in made["dependencias"]
            ),
            (2.2, 1.1, 6),
            small=True,
        ),
        Heading("Componentes"),
        Table(
            ("archivo", "SHA-256"),
            # Every file goes to paper: it is what the acta is for.
            tuple((one["ruta"], one["sha256"]) for one in made["componentes"]),
            (4, 6),
            small=True,
        ),
    ]
    return blocks


# -- cierre ----------------------------------------------------------------------------------------


def _closing(made: Constancia) -> list[Block]:
    opening, closed, cuts = made["apertura"], made["cierre"], made["cortes"]
    checked = made["comprobacion"]
    words = (
        "la base es lo que dice su bitácora" if checked["correcta"] else f"{checked['hallazgos']:,} hallazgos"
    )
    blocks: list[Block] = [
        facts(
            (
                ("Conforme", _answer(made["conforme"], "sí", "no")),
                *_general(made),
                ("Abierta", f"{_when(opening['instante'])}, por {opening['quien']}"),
                ("Cerrada", f"{_when(closed['instante'])}, por {closed['quien']}"),
                ("Periodo", f"{_when(opening['periodo_desde'])} a {_when(opening['periodo_hasta'])}"),
                ("Actas sin registrar al cierre", _number(closed["pendientes"])),
                ("Cortes publicados", _number(len(cuts))),
                ("Comprobación completa", Status(words, checked["correcta"])),
                ("Último eslabón de la bitácora", f"evento {_number(made['bitacora']['evento'])}"),
                ("Huella del último eslabón", made["bitacora"]["sha256"]),
            )
        ),
        *_reasons("Faltas", made["faltas"]),
        Heading("Contadores finales"),
        _final(made),
        Heading("Imágenes y actas fuera de catálogo"),
        _images(made),
        Text(
            f"Actas fuera de catálogo: {made['fuera_de_catalogo']['recibidas']:,} recibidas, "
            f"{made['fuera_de_catalogo']['identificadas']:,} identificadas después."
        ),
        Heading("Cortes"),
        *_cuts(made),
        Heading("Avisos y cortes que no salieron"),
        *_notices(made),
        Heading("Incidentes y medidas de continuidad"),
        *_incidents(made),
        Heading("Actas sin acta"),
        *_sin_acta(made),
        Heading("Publicación"),
        *_publication(made),
    ]
    return blocks


def _final(made: Constancia) -> Table:
    contests = list(made["contadores_finales"])
    names = list(next(iter(made["contadores_finales"].values())))
    return Table(
        ("contador", *contests),
        tuple((name, *(made["contadores_finales"][one][name] for one in contests)) for name in names),
        (4, *(1.6 for _ in contests)),
        frozenset(range(1, len(contests) + 1)),
    )


def _images(made: Constancia) -> Table:
    return Table(
        ("elección", "capturadas", "con código de imagen", "sin acta", "con datos y sin código"),
        tuple(
            (name, *(_number(one[key]) for key in ("capturadas", "con_codigo", "sin_acta", "sin_codigo")))
            for name, one in made["imagenes"].items()
        ),
        (2, 1.3, 1.3, 1.3, 1.6),
        frozenset({1, 2, 3, 4}),
    )


def _cuts(made: Constancia) -> list[Block]:
    contests = list(made["contadores_finales"])
    rows: list[tuple[Cell, ...]] = [
        (
            f"{cut['corte']}{' (último)' if cut['ultimo'] else ''}",
            _when(cut["instante"]),
            _number(cut["hasta_evento"]),
            *(
                f"{_number(int(cut['contadores'][one]['ACTAS_CAPTURADAS']))} / "
                f"{_number(int(cut['contadores'][one]['ACTAS_CONTABILIZADAS']))}"
                for one in contests
            ),
        )
        for cut in made["cortes"]
    ]
    manifests: list[tuple[Cell, ...]] = [
        (str(cut["corte"]), cut["manifiesto_sha256"]) for cut in made["cortes"]
    ]
    found, more = _short(rows, "cortes")
    titles = ("corte", "hora", "hasta el evento", *(f"{one}: capt. / contab." for one in contests))
    blocks: list[Block] = [
        Table(
            titles, found, (1.2, 2, 1.4, *(2 for _ in contests)), frozenset(range(2, len(titles))), small=True
        ),
        *more,
        Heading("Huella del manifiesto de cada corte", 2),
        Table(("corte", "SHA-256 del manifiesto"), _short(manifests, "cortes")[0], (1, 6), small=True),
    ]
    thin = made["horas_con_menos_cortes"]
    if thin:
        said = "; ".join(f"desde {_when(one['desde'])}: {one['cortes']}" for one in thin)
        blocks.append(Text(f"Horas completas con menos de tres cortes: {said}."))
    else:
        blocks.append(Text("Ninguna hora completa tuvo menos de tres cortes."))
    return blocks


_NOTICE_WORDS = {
    "cut_refused": "corte rechazado",
    "cut_missed": "corte que no salió",
    "notice_issued": "aviso publicado",
    "hold_proposed": "se propuso detener",
    "hold_authorised": "publicación detenida",
    "hold_dismissed": "no se detuvo",
    "release_proposed": "se propuso reanudar",
    "release_authorised": "publicación reanudada",
    "release_dismissed": "siguió detenida",
}
_DATA_WORDS = {
    "number": "número", "reason": "motivo", "slot": "hora debida", "slots": "horas debidas", "type": "clase",
    "since": "desde", "until": "hasta", "detail": "detalle", "hold": "clave",
}  # fmt: skip


def _notices(made: Constancia) -> list[Block]:
    if not made["avisos"]:
        return [Text("La bitácora no registra ninguno.")]
    minutes = made["minutos_utc"]
    rows: list[tuple[Cell, ...]] = [
        (
            _when(one["instante"]),
            _NOTICE_WORDS.get(one["clase"], one["clase"]),
            one["quien"],
            "; ".join(
                f"{_DATA_WORDS.get(key, key)}: {_value(key, value, minutes)}"
                for key, value in one["datos"].items()
                if value not in ("", "{}", None, [])
            ),
        )
        for one in made["avisos"]
    ]
    found, more = _short(rows, "avisos")
    return [Table(("hora", "clase", "quién", "qué dice"), found, (1.8, 1.6, 1.4, 5), small=True), *more]


def _value(key: str, value: object, minutes: int) -> str:
    if key in ("slot", "since", "until") and isinstance(value, int):
        return _when(iso(value, minutes))
    if key == "slots" and isinstance(value, list):
        return ", ".join(_when(iso(int(one), minutes)) for one in value)
    return str(value)


def _incidents(made: Constancia) -> list[Block]:
    blocks: list[Block] = []
    if made["incidentes"]:
        opened: list[tuple[Cell, ...]] = [
            (
                one["incidente"],
                _when(one["detectado"]),
                _when(one["terminado"]),
                f"{one['titulo']}. {one['causa']}".strip(". "),
                _number(len(one["catd"])) if one["catd"] else "todos",
            )
            for one in made["incidentes"]
        ]
        found, more = _short(opened, "incidentes")
        titles = ("incidente", "detectado", "terminado", "qué", "CATD")
        blocks += [Table(titles, found, (1.4, 1.6, 1.6, 5, 0.8), frozenset({4}), small=True), *more]
    else:
        blocks.append(Text("La bitácora no registra incidentes."))
    if made["medidas"]:
        measures: list[tuple[Cell, ...]] = [
            (
                one["medida"],
                one["incidente"] or _NONE,
                f"{_when(one['autorizada'])}, {one['autorizo']}",
                _when(one["surte_efecto"]),
                one["efecto"],
                _number(len(one["catd"])) if one["catd"] else "todos",
            )
            for one in made["medidas"]
        ]
        found, more = _short(measures, "medidas")
        names = ("medida", "incidente", "autorizada", "surte efecto", "efecto", "CATD")
        blocks += [
            Heading("Medidas del plan de continuidad", 2),
            Table(names, found, (1.8, 1.2, 2, 1.5, 3, 0.7), frozenset({5}), small=True),
            *more,
        ]
    else:
        blocks.append(Text("No se aplicó ninguna medida del plan de continuidad."))
    return blocks


def _sin_acta(made: Constancia) -> list[Block]:
    if not made["sin_acta"]:
        return [Text("Ninguna.")]
    found: dict[tuple[str, str], int] = {}
    for one in made["sin_acta"]:
        key = (one["contienda"], one["motivo"])
        found[key] = found.get(key, 0) + 1
    rows: list[tuple[Cell, ...]] = [
        (one["acta"], one["contienda"], one["motivo"], _when(one["instante"]), one["autorizo"] or _NONE)
        for one in made["sin_acta"]
    ]
    listed, more = _short(rows, "actas")
    return [
        Table(
            ("elección", "motivo", "actas"),
            tuple((contest, reason, _number(total)) for (contest, reason), total in sorted(found.items())),
            (2, 4, 1),
            frozenset({2}),
        ),
        Table(("acta", "elección", "motivo", "hora", "autorizó"), listed, (2.4, 1.4, 3, 2, 1.6), small=True),
        *more,
    ]


def _publication(made: Constancia) -> list[Block]:
    said = made["publicado"]
    if said is None:
        return [Text("No se dio la carpeta de publicación: lo publicado no se comparó.")]
    rows: list[tuple[str, Cell]] = [
        ("Lo publicado es lo que la bitácora registró", _answer(not said["faltas"], "sí", "no")),
        ("Imágenes publicadas (archivos)", _number(said["imagenes"])),
        *(
            (label, _number(said[key]))
            for label, key in (
                ("Actas capturadas con su imagen en el último corte", "actas_con_imagen"),
                ("Actas capturadas sin su imagen en el último corte", "actas_sin_su_imagen"),
            )
            if said[key] is not None
        ),
        ("Avisos publicados", _number(len(said["avisos"]))),
    ]
    blocks: list[Block] = [facts(rows)]
    if said["checkpoint"]:
        blocks.append(Heading("Último checkpoint de la bitácora pública", 2))
        blocks.append(
            Table(("checkpoint",), tuple((line or " ",) for line in said["checkpoint"].splitlines()), (1,))
        )
    else:
        blocks.append(Text("La carpeta no tiene checkpoint."))
    return blocks
