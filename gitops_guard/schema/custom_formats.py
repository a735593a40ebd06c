"""String formats that the API server enforces in custom resources (strfmt's); unknown ones are ignored there."""

import ipaddress
import re
from collections.abc import Callable

from gitops_guard.schema.formats import is_base64, is_time

_HEX = "[0-9a-fA-F]"
_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_LOOSE_DURATION = re.compile(r"[0-9]+\s*([A-Za-zµ]+)")
_UNITS = {"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"}
_UNIT_STARTS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+|.*<[^@\s]+@[^@\s]+>")
_SHORT_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LONG_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


def _uuid(version: str = _HEX, variant: str = _HEX) -> Callable[[str], bool]:
    pattern = re.compile(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{version}{_HEX}{{3}}-?{variant}{_HEX}{{3}}-?{_HEX}{{12}}")
    return lambda text: pattern.fullmatch(text) is not None


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        return True
    units = (unit.lower() for unit in _LOOSE_DURATION.findall(text))
    return any(unit in _UNITS or unit.startswith(_UNIT_STARTS) for unit in units)


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


def _is_ipv6(text: str) -> bool:
    return "%" not in text and _parses(ipaddress.IPv6Address)(text)


def _is_cidr(text: str) -> bool:
    return text.rpartition("/")[2].isdecimal() and "%" not in text and _parses(ipaddress.ip_interface)(text)


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and is_time(f"{text}T00:00:00Z")


FORMATS: dict[str, Callable[[str], bool]] = {
    "byte": is_base64,
    "cidr": _is_cidr,
    "date": _is_date,
    "date-time": is_time,
    "datetime": is_time,
    "duration": _is_duration,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hexcolor": lambda text: re.fullmatch(f"#?(?:{_HEX}{{3}}|{_HEX}{{6}})", text) is not None,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _is_ipv6,
    "k8s-long-name": lambda text: len(text) <= 253 and _LONG_NAME.fullmatch(text) is not None,
    "k8s-short-name": lambda text: _SHORT_NAME.fullmatch(text) is not None,
    "password": lambda _: True,
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
}

NOT_EVALUATED = frozenset(
    ("bsonobjectid", "creditcard", "hostname", "isbn", "isbn10", "isbn13", "mac", "rgbcolor", "ssn", "uri")
)
"""Formats that the server enforces and we do not: a schema with one is not complete."""
