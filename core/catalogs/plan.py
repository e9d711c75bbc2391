"""catalogo.toml: the entidad, the election and its contests, as people write them.

Reads and checks the document; territories are checked later, when their tables are known. It makes
no casilla and no acta.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from dataclasses import field as make

from core.catalogs.assembly import Allowance
from core.catalogs.columns import Coalition, Common, Field, Independent
from core.catalogs.toml_file import TomlFile, TomlTable
from core.domain.catalog import Contest, Entidad, Scope
from core.domain.contenders import MAX_COLUMNS, Contender, ContenderKind
from core.domain.spreadsheet import unfit

FORMAT = 1
"""The version of the folder form; a folder of another one is refused."""

_CODE = re.compile(r"[A-Z0-9ÁÉÍÓÚÜÑ_]+")
_CONTEST = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass
class PlannedContest:
    """A contest as written. `field` is None when its columns are listed one by one."""

    contest: Contest
    acta: str
    acta_especial: str
    acta_especial_rp: str | None
    field: Field | None
    place: TomlTable
    territories_at: list[tuple[TomlTable, frozenset[int]]] = make(default_factory=list)
    """Every list of territories written for it, to be checked against the tables."""

    @property
    def by_municipio(self) -> bool:
        """True when it is published by municipio, false when by distrito."""
        return self.contest.scope is Scope.MUNICIPIO


@dataclass
class Plan:
    """What catalogo.toml says."""

    entidad: Entidad
    election: str
    provenance: str
    allowance: Allowance
    contests: list[PlannedContest]


def read_plan(file: TomlFile) -> Plan | None:
    """The plan of a catalogue; None when something essential is missing (noted among the problems)."""
    root = file.root
    if root is None:
        return None
    root.only("formato", "entidad", "eleccion", "contienda")
    version = root.whole("formato", 1, 999)
    if version is not None and version != FORMAT:
        root.fault("formato", str(FORMAT), version)
        return None
    _fit(root)
    entidad = _entidad(root.table("entidad"))
    election = root.table("eleccion")
    election.only("nombre", "procedencia", "representantes_por_contendiente", "boletas_especial")
    name = election.text("nombre")
    provenance = election.text("procedencia", "")
    each = election.whole("representantes_por_contendiente", 0, 99, Allowance().per_contender)
    ballots = election.whole("boletas_especial", 0, 99_999, Allowance().special_ballots)
    contests: list[PlannedContest] = []
    tables = root.tables("contienda")
    if not tables:
        root.fault(None, message="no hay ninguna [[contienda]]")
    for table in tables:
        planned = _contest(table)
        if planned is None:
            continue
        if any(other.contest.id == planned.contest.id for other in contests):
            table.fault("id", message=f"la contienda {planned.contest.id} está repetida")
            continue
        contests.append(planned)
    if entidad is None or name is None or each is None or ballots is None or not contests:
        return None
    return Plan(entidad, name, provenance or "", Allowance(each, ballots), contests)


def _fit(table: TomlTable) -> None:
    """Every text of the document will be published: none may be a formula, nor hold control characters."""
    for key, value in table.data.items():
        if isinstance(value, str):
            expected = unfit(value.replace("\n", " "))
            if expected is not None:
                table.fault(key, expected, value)
        elif isinstance(value, dict):
            _fit(table.table(key))
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for one in table.tables(key):
                _fit(one)


def _entidad(table: TomlTable) -> Entidad | None:
    table.only("id", "nombre", "abreviatura", "utc_minutos")
    number = table.whole("id", 0, 99)
    name = table.text("nombre")
    abbreviation = table.text("abreviatura")
    offset = table.whole("utc_minutos", -720, 840)
    if number is None or name is None or abbreviation is None or offset is None:
        return None
    return Entidad(number, name, abbreviation, offset)


def _contest(table: TomlTable) -> PlannedContest | None:
    table.only(
        "id",
        "nombre",
        "ambito",
        "acta",
        "acta_especial",
        "acta_especial_rp",
        "partidos",
        "nombres",
        "independientes",
        "coalicion",
        "candidatura_comun",
        "independiente",
        "columnas",
    )
    code, name, scope_name = table.text("id"), table.text("nombre"), table.text("ambito")
    acta = table.text("acta", "1")
    special = table.text("acta_especial", acta or "1")
    rp = table.text("acta_especial_rp", "")
    if code is not None and not _CONTEST.fullmatch(code):
        table.fault("id", "mayúsculas, números y _, como DIP_LOC", code)
        code = None
    scopes = {scope.value: scope for scope in Scope}
    if scope_name is not None and scope_name not in scopes:
        table.fault("ambito", "entidad, distrito o municipio", scope_name)
        scope_name = None
    found: list[tuple[TomlTable, frozenset[int]]] = []
    if "columnas" in table.data:
        who, columns = None, _listed_columns(table)
    else:
        who = _field(table, found)
        columns = who.columns() if who is not None else None
    if code is None or name is None or scope_name is None or columns is None:
        return None
    if acta is None or special is None or rp is None or not _columns_are_good(table, columns):
        return None
    contest = Contest(code, name, scopes[scope_name], columns)
    return PlannedContest(contest, acta, special, rp or None, who, table, found)


def _columns_are_good(table: TomlTable, columns: tuple[Contender, ...]) -> bool:
    codes = [column.code for column in columns]
    for repeated in sorted({code for code in codes if codes.count(code) > 1}):
        table.fault(
            "columnas" if "columnas" in table.data else "partidos", message=f"{repeated} está repetido"
        )
        return False
    if len(columns) > MAX_COLUMNS:
        table.fault(None, message=f"tiene {len(columns)} columnas de votos; se aceptan hasta {MAX_COLUMNS}")
        return False
    return True


def _field(table: TomlTable, found: list[tuple[TomlTable, frozenset[int]]]) -> Field | None:
    """Who runs, from the lists of parties, coalitions, comunes and independents."""
    faults = len(table.file.problems.found)
    parties = table.texts("partidos")
    if parties is None:
        return None
    if not parties:
        table.fault("partidos", message="no hay ningún partido")
    for code in parties:
        _good_code(table, "partidos", code)
    names = table.table("nombres", required=False)
    for code in names.data:
        names.text(code)
    coalitions: list[Coalition] = []
    for item in table.tables("coalicion"):
        item.only("partidos", "territorios")
        members = _members(item, parties, 2)
        coalitions.append(Coalition(members, _territories(item, found)))
    commons: list[Common] = []
    for item in table.tables("candidatura_comun"):
        item.only("codigo", "nombre", "partidos", "territorios", "lineas_propias")
        members = _members(item, parties, 2)
        code = item.text("codigo", "CC_" + "_".join(members)) or ""
        _good_code(item, "codigo", code)
        own = item.flag("lineas_propias", True)
        commons.append(
            Common(code, item.text("nombre", code) or code, members, _territories(item, found), own)
        )
    independents: list[Independent] = []
    for item in table.tables("independiente"):
        item.only("codigo", "nombre", "territorios")
        code = item.text("codigo") or ""
        _good_code(item, "codigo", code)
        independents.append(Independent(code, item.text("nombre", code) or code, _territories(item, found)))
    order = table.text("independientes", "antes")
    if order not in ("antes", "despues", None):
        table.fault("independientes", "antes o despues (de las combinaciones)", order)
    if len(table.file.problems.found) > faults:
        return None
    labels = {str(code): str(name) for code, name in names.data.items()}
    return Field(
        tuple(parties), labels, tuple(coalitions), tuple(commons), tuple(independents), order == "antes"
    )


def _good_code(table: TomlTable, key: str, code: str) -> None:
    if code and not _CODE.fullmatch(code):
        table.fault(key, "un código en mayúsculas, sin espacios", code)
    elif code in ("NO_REGISTRADAS", "NULOS"):
        table.fault(key, message=f"{code} se agrega solo; no se escribe")


def _members(table: TomlTable, parties: list[str], least: int) -> tuple[str, ...]:
    """Parties of a coalition in registration order; unknown and repeated ones are noted."""
    written = table.texts("partidos") or []
    for code in written:
        if code not in parties:
            table.fault("partidos", message=f"el partido {code} no está en los partidos de la contienda")
    if len(set(written)) < least or len(set(written)) < len(written):
        table.fault("partidos", message=f"se esperaban al menos {least} partidos, sin repetir")
    return tuple(party for party in parties if party in written)


def _territories(table: TomlTable, found: list[tuple[TomlTable, frozenset[int]]]) -> frozenset[int] | None:
    numbers = table.wholes("territorios")
    if numbers is None:
        return None
    territories = frozenset(numbers)
    if not territories:
        table.fault("territorios", message="está vacío; quite la llave si corre en todos")
    found.append((table, territories))
    return territories


def _listed_columns(table: TomlTable) -> tuple[Contender, ...] | None:
    """Columns written one by one: code, kind, name, parties. This is what importing writes."""
    for key in ("partidos", "coalicion", "candidatura_comun", "independiente"):
        if key in table.data:
            table.fault(key, message="no va junto con «columnas»")
            return None
    columns: list[Contender] = []
    kinds = {kind.value: kind for kind in ContenderKind}
    expected = "[código, clase, nombre, [partidos]] en cada columna"
    written = table.data["columnas"]
    if not isinstance(written, list) or not written:
        table.fault("columnas", expected, written)
        return None
    for item in written:
        match item:
            case [str(code), str(kind), str(name), list(parties)] if (
                kind in kinds and code and all(isinstance(party, str) for party in parties)
            ):
                columns.append(Contender(code, kinds[kind], name, tuple(parties)))
            case _:
                table.fault("columnas", expected, item)
                return None
    for code in ("NO_REGISTRADAS", "NULOS"):
        if sum(column.kind.name == code for column in columns) != 1:
            table.fault("columnas", message=f"falta la columna {code}, o hay más de una")
            return None
    return tuple(columns)


def restrict(planned: PlannedContest, only: dict[str, frozenset[int]]) -> PlannedContest:
    """The contest with some contenders running only in some territories (contendientes.csv)."""
    if planned.field is None:
        return planned
    return replace(planned, field=replace(planned.field, only=only))
