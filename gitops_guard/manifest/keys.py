"""A mapping's key as kubectl sends it: resolved first, then made a string."""

import math
import struct

from gitops_guard.manifest.scalars import to_json


def key_text(value: object) -> str | None:
    """Return the string that a resolved scalar becomes as a key, or None when kubectl takes no such key."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if isinstance(to_json(value), int) else None
    return _float_text(value) if isinstance(value, float) else None


def _float_text(value: float) -> str:
    """Write a float as Go's `strconv.FormatFloat(value, 'g', -1, 32)`."""
    if math.isnan(value):
        return ".nan"
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = math.copysign(math.inf, value)
    if math.isinf(single):
        return ".inf" if value > 0 else "-.inf"
    digits = next(text for text in (f"{single:.{count}e}" for count in range(9)) if _same_single(text, single))
    mantissa, _, exponent = digits.partition("e")
    power = int(exponent)
    if not -4 <= power < 6:
        return f"{mantissa}e{power:+03}"
    return f"{float(digits):.{max(len(mantissa.lstrip('-').replace('.', '')) - 1 - power, 0)}f}"


def _same_single(text: str, single: float) -> bool:
    return bool(struct.unpack("f", struct.pack("f", float(text)))[0] == single)
