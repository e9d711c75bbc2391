"""Whole numbers in Spanish words, as the people of a casilla write them in an acta: without accents."""

from __future__ import annotations

_FIRST = (
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
    "trece", "catorce", "quince", "dieciseis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno",
    "veintidos", "veintitres", "veinticuatro", "veinticinco", "veintiseis", "veintisiete", "veintiocho",
    "veintinueve",
)  # fmt: skip
_TENS = ("treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_HUNDREDS = (
    "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos",
    "ochocientos", "novecientos",
)  # fmt: skip


def in_words(number: int) -> list[str]:
    """The words of a number from 0 to 999,999.

    >>> " ".join(in_words(1_231))
    'mil doscientos treinta y uno'
    """
    thousands, rest = divmod(number, 1_000)
    if not thousands:
        return _below_thousand(rest)
    said = [] if thousands == 1 else _below_thousand(thousands)
    if said and said[-1].endswith("uno"):
        said[-1] = said[-1].removesuffix("o")
    return [*said, "mil", *(_below_thousand(rest) if rest else [])]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    if number == 100:
        return ["cien"]
    return [_HUNDREDS[hundreds - 1], *(_below_hundred(rest) if rest else [])]


def _below_hundred(number: int) -> list[str]:
    if number < len(_FIRST):
        return [_FIRST[number]]
    tens, units = divmod(number, 10)
    return [_TENS[tens - 3], *(["y", _FIRST[units]] if units else [])]
