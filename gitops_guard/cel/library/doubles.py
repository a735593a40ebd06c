"""How doubles read, in Go's way."""

import math


def format_double(value: float) -> str:
    """Write a double as `string()` does: shortest digits, an exponent below 1e-4 and from 1e+06 on."""
    special = _special(value)
    if special:
        return special
    digits, exponent = _shortest(value)
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if exponent < -4 or exponent >= 6:
        return sign + _scientific(digits, exponent)
    return sign + _positional(digits, exponent)


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return ""


def _shortest(value: float) -> tuple[str, int]:
    """Return the digits that name the double and the exponent of the first of them."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    shift = len(whole) - 1 - (len(whole + fraction) - len(digits) if digits else 0)
    digits = digits.rstrip("0") or "0"
    return digits, (shift + int(exponent or 0)) if digits != "0" else 0


def _scientific(digits: str, exponent: int) -> str:
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
