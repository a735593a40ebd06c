"""Named formats: what a text must look like, with apimachinery's messages."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.functions import Library
from gitops_guard.cel.library.urls import url_problem
from gitops_guard.cel.values import NONE, Opaque, Opt

_Check = Callable[[str], list[str]]


class Format(Opaque):
    """A named format."""

    __slots__ = ("check", "name")
    type_name = "kubernetes.NamedFormat"

    def __init__(self, name: str, check: _Check) -> None:
        self.name = name
        self.check = check

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Format) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


FORMATS = Library("format", types=(Format,))

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"

_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{_LABEL_1035}')"
)
_QUALIFIED_MESSAGE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{_LABEL_VALUE}')"
)
_LABEL_LENGTH = 63
_SUBDOMAIN_LENGTH = 253


_IS_SUBDOMAIN = re.compile(_SUBDOMAIN).fullmatch


def _patterned(pattern: str, length: int, message: str, *, unit: str = "characters", prefix: bool = False) -> _Check:
    dotless = pattern == _LABEL
    matches = re.compile(pattern).fullmatch

    def check(text: str) -> list[str]:
        if prefix and len(text) > 1 and text.endswith("-"):
            # what is generated gets more characters, so a trailing dash will not be the last
            text = f"{text[:-2]}a"
        problems: list[str] = []
        if len(text.encode("utf-8", "surrogatepass")) > length:
            problems.append(f"must be no more than {length} {unit}")
        if not matches(text):
            problems.append("must not contain dots" if dotless and _IS_SUBDOMAIN(text) else message)
        return problems

    return check


def _check_qualified(text: str) -> list[str]:
    parts = text.split("/")
    if len(parts) > 2:
        prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_QUALIFIED_MESSAGE} {prefixed}"]
    problems: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            problems.append("prefix part must be non-empty")
        else:
            problems += [f"prefix part {problem}" for problem in _SUBDOMAIN_CHECK(parts[0])]
    name = parts[-1]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name.encode("utf-8", "surrogatepass")) > _LABEL_LENGTH:
        problems.append(f"name part must be no more than {_LABEL_LENGTH} bytes")
    if not re.fullmatch(_QUALIFIED, name):
        problems.append(f"name part {_QUALIFIED_MESSAGE}")
    return problems


def _check_uri(text: str) -> list[str]:
    problem = url_problem(text)
    return [problem] if problem else []


_UUID = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})([.,][0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def _check_uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _check_byte(text: str) -> list[str]:
    try:
        if len(text) % 4 == 0 and _BASE64.fullmatch(text):
            base64.b64decode(text, validate=True)
            return []
    except binascii.Error:
        pass
    return ["invalid base64"]


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _check_date(text: str) -> list[str]:
    return [] if _is_date(text) else ["invalid date"]


def _check_datetime(text: str) -> list[str]:
    match = _TIME.fullmatch(text[11:])
    if (
        match
        and text[10] in "Tt"
        and _is_date(text[:10])
        and int(match[1]) < 24
        and int(match[2]) < 60
        and int(match[3]) < 60
    ):
        return []
    return ["invalid datetime"]


_SUBDOMAIN_CHECK = _patterned(_SUBDOMAIN, _SUBDOMAIN_LENGTH, _SUBDOMAIN_MESSAGE)

NAMED_FORMATS: dict[str, Format] = {
    name: Format(name, check)
    for name, check in {
        "dns1123Label": _patterned(_LABEL, _LABEL_LENGTH, _LABEL_MESSAGE),
        "dns1123Subdomain": _SUBDOMAIN_CHECK,
        "dns1035Label": _patterned(_LABEL_1035, _LABEL_LENGTH, _LABEL_1035_MESSAGE),
        "qualifiedName": _check_qualified,
        "labelValue": _patterned(_LABEL_VALUE, _LABEL_LENGTH, _LABEL_VALUE_MESSAGE, unit="bytes"),
        "dns1123LabelPrefix": _patterned(_LABEL, _LABEL_LENGTH, _LABEL_MESSAGE, prefix=True),
        "dns1123SubdomainPrefix": _patterned(_SUBDOMAIN, _SUBDOMAIN_LENGTH, _SUBDOMAIN_MESSAGE, prefix=True),
        "dns1035LabelPrefix": _patterned(_LABEL_1035, _LABEL_LENGTH, _LABEL_1035_MESSAGE, prefix=True),
        "uri": _check_uri,
        "uuid": _check_uuid,
        "byte": _check_byte,
        "date": _check_date,
        "datetime": _check_datetime,
    }.items()
}


def _declare(name: str, named: Format) -> None:
    FORMATS.function(f"format.{name}")(lambda: named)


for _name, _format in NAMED_FORMATS.items():
    _declare(_name, _format)


@FORMATS.function("format.named", str)
def _named(name: str) -> Opt:
    return Opt(NAMED_FORMATS[name]) if name in NAMED_FORMATS else NONE


@FORMATS.method("validate", Format, str, budgeted=True)
def _validate(budget: Budget, named: Format, text: str) -> Opt:
    budget.spend_text(len(text))
    problems = named.check(text)
    return Opt(problems) if problems else NONE
