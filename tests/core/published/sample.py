"""A small published file without defects, in any of the layouts, to spoil in one place at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.counters import COUNTER_NAMES

COLUMNS = [
    "CLAVE_CASILLA",
    "CLAVE_ACTA",
    "ID_ENTIDAD",
    "ENTIDAD",
    "ID_DISTRITO",
    "DISTRITO",
    "SECCION",
    "ID_CASILLA",
    "TIPO_CASILLA",
    "EXT_CONTIGUA",
    "UBICACION_CASILLA",
    "TIPO_ACTA",
    "TOTAL_BOLETAS_SOBRANTES",
    "TOTAL_PERSONAS_VOTARON",
    "TOTAL_REP_PARTIDO_CI_VOTARON",
    "TOTAL_VOTOS_SACADOS",
    "PAN",
    "PRI",
    "MORENA",
    "C_PAN_PRI",
    "NO_REGISTRADAS",
    "NULOS",
    "TOTAL_VOTOS_ASENTADO",
    "TOTAL_VOTOS_CALCULADO",
    "LISTA_NOMINAL",
    "REPRESENTANTES_PP_CI",
    "OBSERVACIONES",
    "CONTABILIZADA",
    "MECANISMOS_TRASLADO",
    "CODIGO_INTEGRIDAD",
    "FECHA_HORA_ACOPIO",
    "FECHA_HORA_CAPTURA",
    "FECHA_HORA_VERIFICACION",
    "ORIGEN",
    "DIGITALIZACION",
    "TIPO_DOCUMENTO",
]
VOTES = COLUMNS[16:22]
TOTALS = COLUMNS[12:16]
KEYS = ("CLAVE_CASILLA", "CLAVE_ACTA", "ID_ENTIDAD", "ID_DISTRITO", "SECCION", "ID_CASILLA", "EXT_CONTIGUA")
IMAGE = ("CODIGO_INTEGRIDAD", *COLUMNS[30:36])

Row = dict[str, str]


@dataclass
class Sample:
    """A file to be: change what you want and `write` it."""

    title: str = "GUBERNATURA"
    cut: str = "03/06/2024 20:00 (UTC-6)"
    sep_line: bool = False
    separator: str = ","
    wrapper: str = "'{}"
    newline: str = "\n"
    encoding: str = "utf-8-sig"
    after_date: list[str] = field(default_factory=lambda: [""])
    after_counters: list[str] = field(default_factory=lambda: [""])
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    renames: dict[str, str] = field(default_factory=dict)
    header: Row = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    iso_times: bool = False

    def row(self, section: str, kind: str = "B", number: str = "01") -> Row:
        """The row of a casilla, found by its parts."""
        return next(
            r
            for r in self.rows
            if (r["SECCION"], r["TIPO_CASILLA"], r["ID_CASILLA"]) == (section, kind, number)
        )

    def text(self) -> str:
        """The file as text, before encoding."""
        lines = [f"sep={self.separator}"] if self.sep_line else []
        lines += [self.title, self.cut, *self.after_date]
        lines.append(self.separator.join(self.renames.get(name, name) for name in COUNTER_NAMES))
        lines.append(self.separator.join(self.header[name] for name in COUNTER_NAMES))
        lines += self.after_counters
        lines.append(self.separator.join(self.renames.get(name, name) for name in self.columns))
        for row in self.rows:
            lines.append(self.separator.join(self._cell(name, row[name]) for name in self.columns))
        return self.newline.join(lines) + self.newline

    def _cell(self, name: str, value: str) -> str:
        if self.iso_times and name.startswith("FECHA_HORA_") and value[2:3] == "/":
            return f"{value[6:10]}-{value[3:5]}-{value[:2]}{value[10:]}"
        return self.wrapper.format(value) if name in KEYS and value else value

    def write(self, folder: Path, name: str = "PUE_GUB_2024.csv") -> Path:
        """Write it and return its path."""
        path = folder / name
        path.write_bytes(self.text().encode(self.encoding))
        return path


def acta(section: str, kind: str = "B", number: str = "01", **cells: str) -> Row:
    """A captured acta without observation: 100 votes of a lista nominal of 500."""
    key = f"21{section}{kind}{number}00"
    row = dict.fromkeys(COLUMNS, "0") | {
        "CLAVE_CASILLA": key,
        "CLAVE_ACTA": key + "2",
        "ID_ENTIDAD": "21",
        "ENTIDAD": "PUEBLA",
        "ID_DISTRITO": "001",
        "DISTRITO": "XICOTEPEC",
        "SECCION": section,
        "ID_CASILLA": number,
        "TIPO_CASILLA": kind,
        "EXT_CONTIGUA": "00",
        "UBICACION_CASILLA": "1",
        "TIPO_ACTA": "2",
        "TOTAL_BOLETAS_SOBRANTES": "420",
        "TOTAL_PERSONAS_VOTARON": "97",
        "TOTAL_REP_PARTIDO_CI_VOTARON": "3",
        "TOTAL_VOTOS_SACADOS": "100",
        "PAN": "30",
        "PRI": "20",
        "MORENA": "40",
        "C_PAN_PRI": "5",
        "NO_REGISTRADAS": "1",
        "NULOS": "4",
        "TOTAL_VOTOS_ASENTADO": "100",
        "TOTAL_VOTOS_CALCULADO": "100",
        "LISTA_NOMINAL": "500",
        "REPRESENTANTES_PP_CI": "20",
        "OBSERVACIONES": " - ",
        "CONTABILIZADA": "1",
        "MECANISMOS_TRASLADO": "F",
        "CODIGO_INTEGRIDAD": hashlib.sha256(key.encode()).hexdigest(),
        "FECHA_HORA_ACOPIO": "02/06/2024 21:00:00",
        "FECHA_HORA_CAPTURA": "02/06/2024 21:10:00",
        "FECHA_HORA_VERIFICACION": "02/06/2024 21:15:00",
        "ORIGEN": "CATD",
        "DIGITALIZACION": "ESCANER",
        "TIPO_DOCUMENTO": "ACTA PREP",
    }
    return row | cells


def without_acta(section: str, **cells: str) -> Row:
    """An acta marked sin acta, as the LEEME of 2024 asks."""
    row = acta(section, OBSERVACIONES="SIN ACTA POR PAQUETE NO ENTREGADO", CONTABILIZADA="0")
    row |= dict.fromkeys((*VOTES, *TOTALS, "TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO"), "SIN ACTA")
    return row | dict.fromkeys((*IMAGE, "MECANISMOS_TRASLADO"), "N/A") | cells


def not_captured(section: str, **cells: str) -> Row:
    """An expected acta of which nothing has arrived."""
    row = acta(
        section, OBSERVACIONES="-", CONTABILIZADA="-", MECANISMOS_TRASLADO="-", TOTAL_VOTOS_CALCULADO="0"
    )
    return row | dict.fromkeys((*VOTES, *TOTALS, *IMAGE, "TOTAL_VOTOS_ASENTADO"), "-") | cells


def outside(image: str, **cells: str) -> Row:
    """An acta fuera de catálogo."""
    row = dict.fromkeys(COLUMNS, "") | {
        "ID_ENTIDAD": "21",
        "ENTIDAD": "PUEBLA",
        "UBICACION_CASILLA": "3",
        "OBSERVACIONES": "FUERA DE CATALOGO",
        "CONTABILIZADA": "2",
        "MECANISMOS_TRASLADO": "-",
        "CODIGO_INTEGRIDAD": hashlib.sha256(image.encode()).hexdigest(),
        "FECHA_HORA_ACOPIO": "02/06/2024 22:56:24",
        "ORIGEN": "CASILLA",
        "DIGITALIZACION": "MOVIL",
        "TIPO_DOCUMENTO": "ACTA PREP",
    }
    return row | cells


def clean() -> Sample:
    """Every kind of row once, and the header they ask for."""
    special = acta("0101", "S", LISTA_NOMINAL="0", REPRESENTANTES_PP_CI="1000")
    partial = acta(
        "0102", NULOS="SIN DATO", TOTAL_VOTOS_CALCULADO="96", OBSERVACIONES="ALGUN CAMPO ILEGIBLE O SIN DATO"
    )
    empty = acta(
        "0103", TOTAL_VOTOS_CALCULADO="0", OBSERVACIONES="TODOS ILEGIBLES O SIN DATO", CONTABILIZADA="0"
    )
    empty |= dict.fromkeys(VOTES, "ILEGIBLE") | {"NULOS": "SIN DATO", "C_PAN_PRI": "-"}
    exceeds = acta(
        "0104",
        PAN="451",
        TOTAL_VOTOS_CALCULADO="521",
        OBSERVACIONES="EXCEDE LISTA NOMINAL",
        CONTABILIZADA="0",
    )
    rows = [acta("0101"), acta("0101", "C"), acta("0101", "C", "02"), special, partial, empty, exceeds]
    rows += [without_acta("0105"), not_captured("0106"), outside("una")]
    header = dict(
        zip(
            COUNTER_NAMES,
            # 9 expected, 8 captured, 5 counted; 3 with inconsistencies; 4 × 500 of lista nominal.
            ("9", "9", "1", "8", "88.8888", "5", "55.5555", "33.3333", "3", "2000", "496", "396", "24.8000"),
            strict=True,
        )
    )
    return Sample(header=header, rows=rows)


def pipes() -> Sample:
    """The same night in the layout of 2019."""
    sample = clean()
    sample.title, sample.cut = "DIPUTACIONES LOCALES", "2024/06/03 20:00 (UTC-5)"
    sample.sep_line, sample.separator, sample.wrapper, sample.encoding = True, "|", '="{}"', "utf-8"
    sample.after_date = []
    sample.iso_times = True
    sample.renames = {
        "ID_ENTIDAD": "ID_ESTADO",
        "ENTIDAD": "ESTADO",
        "NO_REGISTRADAS": "NO_REGISTRADOS",
        "CODIGO_INTEGRIDAD": "SHA",
    }
    return sample


def federal() -> Sample:
    """The same night in the federal layout of 2021, with its columns of the urna electrónica."""
    sample = clean()
    sample.title, sample.wrapper = "DIPUTACIONES FEDERALES", "'{}'"
    sample.after_date = []
    at = sample.columns.index("TOTAL_VOTOS_SACADOS") + 1
    codes = ["CODIGOS_ENTREGADOS_PMDC", "CODIGOS_SOBRANTES", "CODIGOS_UTILIZADOS"]
    sample.columns[at:at] = codes
    for row in sample.rows:
        row |= dict.fromkeys(codes, "-")
    sample.renames = {
        "ID_DISTRITO": "ID_DISTRITO_FEDERAL",
        "DISTRITO": "DISTRITO_FEDERAL",
        "TOTAL_VOTOS_CALCULADO": "TOTAL_VOTOS_CALCULADOS",
    }
    return sample
