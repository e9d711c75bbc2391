"""The 32 entidades federativas by code (Anexo 18.10 of the Reglamento de Elecciones).

Code, name and the abbreviation public files use. Nothing else is known of them here.
"""

from __future__ import annotations

ENTIDADES: dict[int, tuple[str, str]] = {
    1: ("AGUASCALIENTES", "AGS"),
    2: ("BAJA CALIFORNIA", "BC"),
    3: ("BAJA CALIFORNIA SUR", "BCS"),
    4: ("CAMPECHE", "CAMP"),
    5: ("COAHUILA", "COAH"),
    6: ("COLIMA", "COL"),
    7: ("CHIAPAS", "CHIS"),
    8: ("CHIHUAHUA", "CHIH"),
    9: ("CIUDAD DE MÉXICO", "CDMX"),
    10: ("DURANGO", "DGO"),
    11: ("GUANAJUATO", "GTO"),
    12: ("GUERRERO", "GRO"),
    13: ("HIDALGO", "HGO"),
    14: ("JALISCO", "JAL"),
    15: ("MÉXICO", "MEX"),
    16: ("MICHOACÁN", "MICH"),
    17: ("MORELOS", "MOR"),
    18: ("NAYARIT", "NAY"),
    19: ("NUEVO LEÓN", "NL"),
    20: ("OAXACA", "OAX"),
    21: ("PUEBLA", "PUE"),
    22: ("QUERÉTARO", "QRO"),
    23: ("QUINTANA ROO", "QROO"),
    24: ("SAN LUIS POTOSÍ", "SLP"),
    25: ("SINALOA", "SIN"),
    26: ("SONORA", "SON"),
    27: ("TABASCO", "TAB"),
    28: ("TAMAULIPAS", "TAMS"),
    29: ("TLAXCALA", "TLAX"),
    30: ("VERACRUZ", "VER"),
    31: ("YUCATÁN", "YUC"),
    32: ("ZACATECAS", "ZAC"),
}


def abbreviation_of(entidad: int) -> str:
    """The abbreviation used in file names; the two-digit code when the entidad is not one of the 32."""
    return ENTIDADES[entidad][1] if entidad in ENTIDADES else f"{entidad:02d}"
