"""Quantities as the API server writes them after reading: `1000m` is `1`, `0.5` is `500m`, `1024Ki` is `1Mi`."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,2})?", re.ASCII)
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_EXPONENTS = {suffix: exponent for exponent, suffix in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def canonical(text: str) -> str:
    """Return a quantity's canonical form; what is none stays as it is."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or len(text) > 40:
        return text
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY[1:]:
        value = number * 1024 ** _BINARY.index(suffix)
        return _decimal(value, "") if abs(value) < 1024 else _binary(value)
    if suffix in _EXPONENTS:
        return _decimal(number.scaleb(_EXPONENTS[suffix]), "")
    return _decimal(number.scaleb(int(suffix[1:])), "e")


def _binary(value: Decimal) -> str:
    whole, power = _rounded_up(value), 0
    while whole % 1024 == 0 and power < len(_BINARY) - 1:
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _decimal(value: Decimal, mark: str) -> str:
    """Write as few digits as the next lower power of 1000 takes; nothing is finer than a billionth."""
    whole, exponent = _rounded_up(value.scaleb(9)), -9
    if whole == 0:
        return "0"
    while whole % 1000 == 0 and exponent < 18:
        whole, exponent = whole // 1000, exponent + 3
    if mark:
        return f"{whole}{mark}{exponent}" if exponent else str(whole)
    return f"{whole}{_DECIMAL[exponent]}"


def _rounded_up(value: Decimal) -> int:
    """Round away from zero, as the API server does."""
    whole = int(value)
    return whole if whole == value else whole + (1 if value > 0 else -1)
