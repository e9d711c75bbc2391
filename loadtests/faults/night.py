"""The night of the rehearsal: an invented catalogue and its scenario, written to a folder, of the size asked.

Small but whole: two contests, four CATDs, PREP Casilla, captures with mistakes, inconsistencies, actas that
do not come. It has no outage of its own: what fails is what the rehearsal breaks.
"""

from __future__ import annotations

from pathlib import Path

HOURS = 8
EVERY_MIN = 5
"""Minutes between cuts."""

_CATALOG = """\
formato = 1

[entidad]
id = 14
nombre = "JALISCO"
abreviatura = "JAL"
utc_minutos = -360

[eleccion]
nombre = "Elección inventada para el presupuesto de fallas"
procedencia = "Inventado."

[[contienda]]
id = "DIP_LOC"
nombre = "DIPUTACIONES LOCALES"
ambito = "distrito"
acta = "3"
acta_especial = "3EMR"
acta_especial_rp = "3ERP"
partidos = ["ROJO", "AZUL", "VERDE"]

[[contienda.coalicion]]
partidos = ["ROJO", "VERDE"]
territorios = [1]

[[contienda]]
id = "AYUN"
nombre = "MUNÍCIPES"
ambito = "municipio"
acta = "4"
acta_especial = "4E"
partidos = ["ROJO", "AZUL", "VERDE"]

[[contienda.independiente]]
codigo = "CAND_IND_1"
nombre = "Candidatura independiente 1"
territorios = [2]
"""

_SCENARIO = """\
formato = 1
nombre = "fallas"
titulo = "Noche del presupuesto de fallas"
catalogo = "catalogo"
zona_metropolitana = [1]

[calendario]
inicio = 2027-06-06T18:00:00-06:00
fin = 2027-06-07T{end:02d}:00:00-06:00
cortes_por_hora = {cuts}

[votacion]
preferencias = {{ ROJO = 40.0, AZUL = 35.0, VERDE = 10.0, CAND_IND_1 = 5.0 }}

[prep_casilla]
adopcion = 0.3
reescaneo = 0.5

[llegadas]
conteo_base_min = 5
conteo_por_boleta_min = 5
traslado_urbana_min = 60
traslado_no_urbana_min = 120
tardias = 0.1
tardias_min = 90

[sobres]
sin_sobre = {{ DIP_LOC = 0.02, AYUN = 0.03 }}
paquete_no_entregado = 0.01
no_entregados_antes_del_fin_min = 40

[personal]
actas_por_acopiador = 20
actas_por_digitalizador = 20
resolutores = 2
cotejadores = 1

[[personal.capturistas]]
personas = {people}

[captura_errores]
por_captura = 0.1
lectura_comun = 0.02
marcas = 0.2
intentos_misma_persona = 2

[inconsistencias]
algun_ilegible = 0.03
algun_sin_dato = 0.1
excede_lista = 0.02
fuera_de_catalogo = 2
"""

_PLACES = (("a", 1, 1), ("b", 1, 2), ("c", 2, 3), ("d", 2, 2))
"""CATD, distrito, municipio."""


def write_night(folder: Path, secciones: int) -> Path:
    """Write the catalogue of so many secciones and the scenario in a new folder; returns the scenario."""
    catalog = folder / "catalogo"
    catalog.mkdir(parents=True)
    _write(catalog / "catalogo.toml", _CATALOG)
    _write(catalog / "distritos.csv", "id,nombre\n1,DISTRITO 01\n2,DISTRITO 02\n")
    _write(catalog / "municipios.csv", "id,nombre\n1,UNO\n2,DOS\n3,TRES\n")
    _write(
        catalog / "catds.csv",
        "catd,nombre,distrito,municipio\n"
        + "".join(f"{name},CATD {name.upper()},{distrito},{place}\n" for name, distrito, place in _PLACES),
    )
    _write(catalog / "casillas.csv", "\n".join(_casillas(secciones)) + "\n")
    scenario = folder / "fallas.toml"
    _write(
        scenario,
        _SCENARIO.format(end=(18 + HOURS) % 24, cuts=3, people=max(4, secciones // 12)),
    )
    return scenario


def _casillas(secciones: int) -> list[str]:
    rows = ["seccion,tipo,numero,lista_nominal,catd,distrito,municipio,ubicacion"]
    for seccion in range(1, secciones + 1):
        catd, distrito, municipio = _PLACES[seccion % len(_PLACES)]
        tail = f"{catd},{distrito},{municipio},{1 + seccion % 2}"
        lista = 400 + 9 * (seccion % 30)
        rows.append(f"{seccion},B,1,{lista},{tail}")
        rows += [f"{seccion},C,{number},{lista - 11},{tail}" for number in range(1, 1 + seccion % 3)]
        if seccion % 40 == 7:
            rows.append(f"{seccion},S,1,0,{tail}")
    return rows


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
