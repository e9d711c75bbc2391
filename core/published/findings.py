"""The catalogue of what the linter can find in a published file.

One entry per finding code: its severity, what it means and where the rule comes from. The checks
(`check_*`) only name codes; the words shown with each occurrence are theirs. `docs/revisar.md`
has the same table, and a test holds them together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

ERROR = "error"
"""What the file says is not so, or contradicts itself."""
AVISO = "aviso"
"""It departs from the structure, or someone has to look at it; no figure is wrong by it."""
NOTA = "nota"
"""A known habit of some institutes that the LEEME does not allow."""

SEVERITIES = (ERROR, AVISO, NOTA)


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One code of the catalogue."""

    code: str
    severity: str
    text: str
    source: str


_OPL = "LEEME OPL 2024"

KINDS: tuple[FindingKind, ...] = (
    # E: estructura del archivo
    FindingKind("E01", ERROR, "La fila no tiene tantas celdas como columnas hay", _OPL),
    FindingKind("E02", AVISO, "Línea en blanco entre las filas", _OPL),
    FindingKind("E03", AVISO, "Falta una columna de la estructura", "Estructura de los CSV del INE, 2024"),
    FindingKind("E04", NOTA, "Nombre de contador distinto del de la estructura", "LEEME INE 2021"),
    # H: encabezado
    FindingKind("H01", ERROR, "El contador no es un número", f"{_OPL}, variables 3 a 15"),
    FindingKind(
        "H02", ERROR, "Entero escrito con decimales (fuga de coma flotante)", f"{_OPL}, variables 3 a 14"
    ),
    FindingKind("H03", ERROR, "Porcentaje sin sus cuatro decimales", f"{_OPL}, variables 7, 9, 10 y 15"),
    FindingKind(
        "H04", ERROR, "Porcentaje con el signo % dentro del valor", f"{_OPL}, variables 7, 9, 10 y 15"
    ),
    FindingKind("H05", ERROR, "El contador no coincide con las filas", f"{_OPL}, variables 3 a 14"),
    FindingKind("H06", ERROR, "Los contadores no cuadran entre sí", f"{_OPL}, variables 4 a 14"),
    FindingKind(
        "H07", ERROR, "El porcentaje no sale de los contadores del encabezado", "Anexo 13 num. 28; " + _OPL
    ),
    FindingKind(
        "H08", ERROR, "La participación no sale ni con casillas especiales ni sin ellas", "Anexo 13 num. 29"
    ),
    # K: claves
    FindingKind("K01", ERROR, "CLAVE_CASILLA no se forma con sus partes", f"{_OPL}, campo 1"),
    FindingKind("K02", ERROR, "CLAVE_ACTA no se forma con CLAVE_CASILLA y TIPO_ACTA", f"{_OPL}, campo 2"),
    FindingKind("K03", ERROR, "CLAVE_ACTA repetida", f"{_OPL}, campo 2"),
    FindingKind(
        "K04", ERROR, "Contigua 10 o posterior escrita C01: clave repetida", f"{_OPL}, campos 1, 2 y 8"
    ),
    FindingKind(
        "K05", NOTA, "Clave compartida por actas sin sección (voto anticipado, extranjero, prisión)", _OPL
    ),
    FindingKind(
        "K06", AVISO, "Clave sin los ceros a la izquierda que llevan las demás", f"{_OPL}, campos 3 a 10"
    ),
    FindingKind("K07", AVISO, "Clave sin la envoltura que llevan las demás", "Estructura de los CSV del INE"),
    # T: horas
    FindingKind(
        "T01", ERROR, "La hora no se entiende o no tiene el formato del archivo", f"{_OPL}, campos 40 a 42"
    ),
    FindingKind("T02", ERROR, "Hora anterior a la operación del PREP", f"{_OPL}, campos 40 a 42"),
    FindingKind(
        "T03", ERROR, "Acopio un día antes (fecha sin cambiar después de medianoche)", f"{_OPL}, campo 40"
    ),
    FindingKind("T04", ERROR, "Acopio doce horas antes (mañana por tarde)", f"{_OPL}, campo 40"),
    FindingKind("T05", ERROR, "Acopio doce horas después (tarde por mañana)", f"{_OPL}, campo 40"),
    FindingKind("T06", AVISO, "Captura anterior al acopio", "Anexo 13 num. 15; LEEME INE 2021"),
    FindingKind("T07", AVISO, "Verificación anterior a la captura", "Anexo 13 num. 15; LEEME INE 2021"),
    FindingKind("T08", ERROR, "Hora posterior al corte", f"{_OPL}, variable 2"),
    FindingKind(
        "T09", AVISO, "Acta contabilizada sin hora de captura o de verificación", f"{_OPL}, campos 41 y 42"
    ),
    # O: observaciones contra números
    FindingKind("O01", ERROR, "La suma excede el límite y no se observó", "Anexo 13 nums. 26 y 31; " + _OPL),
    FindingKind(
        "O02", AVISO, "Parece exceder, pero la columna trae los representantes que votaron", "LEEME QROO 2019"
    ),
    FindingKind(
        "O03", ERROR, "Dice que excede y la suma no excede el límite", "Anexo 13 nums. 26 y 31; " + _OPL
    ),
    FindingKind(
        "O04",
        ERROR,
        "Dice que algún campo no tiene dato y todos lo tienen",
        f"Anexo 13 num. 31; {_OPL}, campo 36",
    ),
    FindingKind(
        "O05", ERROR, "Hay campos ilegibles o sin dato y no se observó", f"Anexo 13 num. 31; {_OPL}, campo 36"
    ),
    FindingKind(
        "O06",
        ERROR,
        "Dice que ningún campo tiene dato y alguno lo tiene",
        f"Anexo 13 num. 31; {_OPL}, campo 36",
    ),
    FindingKind(
        "O07", ERROR, "Ningún campo tiene dato y no se observó así", f"Anexo 13 num. 31; {_OPL}, campo 36"
    ),
    FindingKind(
        "O08", ERROR, "CONTABILIZADA contradice la observación", f"Anexo 13 num. 26; {_OPL}, campo 37"
    ),
    FindingKind("O09", ERROR, "TOTAL_VOTOS_CALCULADO no es la suma de los votos", f"{_OPL}, campo 33"),
    FindingKind(
        "O10", ERROR, "Cantidad escrita con decimales (fuga de coma flotante)", f"{_OPL}, campos 13 a 35"
    ),
    FindingKind("O11", AVISO, "Marca escrita de otro modo (sin_dato, ilegible)", "Regulación §6.4"),
    FindingKind("O12", ERROR, "Campo de votos vacío en un acta capturada", "Regulación §6.4"),
    FindingKind("O13", ERROR, "Cantidad que no es número ni marca conocida", f"{_OPL}, campos 13 a 35"),
    FindingKind("O14", AVISO, "Observación desconocida", f"{_OPL}, campo 36"),
    FindingKind("O15", ERROR, "Acta sin capturar con votos", f"{_OPL}, campos 17 a 31"),
    FindingKind(
        "O16",
        AVISO,
        "REPRESENTANTES_PP_CI trae el límite del acta y no los representantes",
        f"{_OPL}, campo 35",
    ),
    # C: códigos e imágenes
    FindingKind(
        "C01", ERROR, "CODIGO_INTEGRIDAD repetido: la misma imagen en dos actas", f"{_OPL}, campo 39"
    ),
    FindingKind(
        "C02", ERROR, "CODIGO_INTEGRIDAD que no es SHA-256", f"Anexo 13 num. 1.VII; {_OPL}, campo 39"
    ),
    FindingKind("C03", ERROR, "Imagen con código y sin hora de acopio", f"{_OPL}, campos 39 y 40"),
    FindingKind("C04", ERROR, "Código desconocido", f"{_OPL}, campos 9 a 11, 37, 38 y 43 a 45"),
    FindingKind(
        "C05", NOTA, "Acta sin acta con datos donde se pide N/A o SIN ACTA", f"{_OPL}, campos 33 y 39 a 45"
    ),
    FindingKind("C06", AVISO, "ORIGEN y DIGITALIZACION no concuerdan", f"{_OPL}, campos 43 y 44"),
    FindingKind(
        "C07", ERROR, "Acta contabilizada sin CODIGO_INTEGRIDAD", f"Anexo 13 num. 30; {_OPL}, campo 39"
    ),
    FindingKind("C08", ERROR, "LISTA_NOMINAL que no es un número", f"{_OPL}, campo 34"),
    FindingKind("C09", AVISO, "Casilla especial con lista nominal", f"{_OPL}, campo 34"),
    # R: orden de las filas
    FindingKind(
        "R01", AVISO, "Fila fuera de orden (entidad, distrito o municipio, sección, tipo, número)", "INE 2024"
    ),
    FindingKind("R02", AVISO, "Acta fuera de catálogo antes del final del archivo", "Estructura OPL 2024"),
)
"""Every code, in the order in which they are documented."""

KIND_BY_CODE: dict[str, FindingKind] = {kind.code: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where it is and what is wrong there. `line` is physical, from 1."""

    code: str
    message: str
    line: int | None = None
    column: str | None = None

    @property
    def severity(self) -> str:
        """Severity of its code."""
        return KIND_BY_CODE[self.code].severity

    def as_data(self) -> dict[str, object]:
        """The finding as `prep revisar --json` writes it."""
        return {
            "codigo": self.code,
            "severidad": self.severity,
            "linea": self.line,
            "columna": self.column,
            "mensaje": self.message,
        }


@dataclass(slots=True)
class Findings:
    """Collects findings; the checks write here."""

    items: list[Finding] = field(default_factory=list)

    def add(self, code: str, message: str, line: int | None = None, column: str | None = None) -> None:
        """Record one finding. Raises KeyError for a code that is not in the catalogue."""
        KIND_BY_CODE[code]
        self.items.append(Finding(code, message, line, column))

    def sorted(self) -> list[Finding]:
        """By line (those of the whole file first), then in catalogue order."""
        order = {kind.code: number for number, kind in enumerate(KINDS)}
        return sorted(self.items, key=lambda finding: (finding.line or 0, order[finding.code]))

    def counts(self) -> dict[str, int]:
        """How many of each code there are, in catalogue order."""
        found = Counter(finding.code for finding in self.items)
        return {kind.code: found[kind.code] for kind in KINDS if found[kind.code]}

    def by_severity(self) -> dict[str, int]:
        """How many of each severity there are, all of them named."""
        found = Counter(finding.severity for finding in self.items)
        return {severity: found[severity] for severity in SEVERITIES}
