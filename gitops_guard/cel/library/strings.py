"""The strings extension. Positions count code points."""

import re
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.functions import Library

STRINGS_V0 = Library("strings.v0")
STRINGS_V2 = Library("strings.v2")
STRINGS_V3 = Library("strings.v3")

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
# Unicode's White_Space; Python's strip() would take U+001C to U+001F as well
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)


def _out_of_range(position: int) -> CelError:
    return CelError(f"index out of range: {position}")


@STRINGS_V0.method("charAt", str, int)
def _char_at(text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise _out_of_range(position)
    return text[position : position + 1]


@STRINGS_V0.method("indexOf", str, str)
def _index_of(text: str, part: str) -> int:
    return text.find(part)


@STRINGS_V0.method("indexOf", str, str, int)
def _index_of_from(text: str, part: str, start: int) -> int:
    # an empty part is found wherever it is looked for, even outside the text
    if not part:
        return start
    if start < 0:
        raise _out_of_range(start)
    return text.find(part, start)


@STRINGS_V0.method("lastIndexOf", str, str)
def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


@STRINGS_V0.method("lastIndexOf", str, str, int)
def _last_index_of_before(text: str, part: str, last: int) -> int:
    if not part:
        return last
    if last < 0:
        raise _out_of_range(last)
    if last >= len(text):
        return -1
    return text.rfind(part, 0, last + len(part))


@STRINGS_V0.method("lowerAscii", str, budgeted=True)
def _lower_ascii(budget: Budget, text: str) -> str:
    budget.spend_text(len(text))
    return text.translate(_LOWER)


@STRINGS_V0.method("upperAscii", str, budgeted=True)
def _upper_ascii(budget: Budget, text: str) -> str:
    budget.spend_text(len(text))
    return text.translate(_UPPER)


@STRINGS_V0.method("replace", str, str, str, budgeted=True)
def _replace(budget: Budget, text: str, old: str, new: str) -> str:
    return _replace_first(budget, text, old, new, -1)


@STRINGS_V0.method("replace", str, str, str, int, budgeted=True)
def _replace_first(budget: Budget, text: str, old: str, new: str, count: int) -> str:
    budget.spend_text(len(text))
    found = text.count(old) if count < 0 else min(count, text.count(old))
    budget.spend_text(len(text) + found * len(new))
    return text.replace(old, new, found)


@STRINGS_V0.method("split", str, str, budgeted=True)
def _split(budget: Budget, text: str, separator: str) -> list[str]:
    return _split_first(budget, text, separator, -1)


@STRINGS_V0.method("split", str, str, int, budgeted=True)
def _split_first(budget: Budget, text: str, separator: str, count: int) -> list[str]:
    budget.spend_text(2 * len(text))
    if count == 0:
        return []
    if separator:
        return text.split(separator, count - 1 if count > 0 else -1)
    if count < 0 or count >= len(text):
        return list(text)
    return [*text[: count - 1], text[count - 1 :]]


@STRINGS_V0.method("substring", str, int)
def _substring_from(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text[start:]


@STRINGS_V0.method("substring", str, int, int)
def _substring(text: str, start: int, end: int) -> str:
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    if start < 0:
        raise _out_of_range(start)
    if end > len(text):
        raise _out_of_range(end)
    return text[start:end]


@STRINGS_V0.method("trim", str)
def _trim(text: str) -> str:
    return text.strip(_SPACE)


@STRINGS_V0.method("join", list, budgeted=True)
def _join(budget: Budget, items: list[Any]) -> str:
    return _join_with(budget, items, "")


@STRINGS_V0.method("join", list, str, budgeted=True)
def _join_with(budget: Budget, items: list[Any], separator: str) -> str:
    if not all(isinstance(item, str) for item in items):
        raise no_overload("join")
    budget.spend_text(sum(len(item) + len(separator) for item in items))
    return separator.join(items)


_QUOTED = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_TO_QUOTE = re.compile(r'[\a\b\f\n\r\t\v\\"]')


@STRINGS_V2.function("strings.quote", str, budgeted=True)
def _quote(budget: Budget, text: str) -> str:
    budget.spend_text(2 * len(text))
    body = _TO_QUOTE.sub(lambda match: _QUOTED[match.group()], text)
    return f'"{body}"'


@STRINGS_V3.method("reverse", str, budgeted=True)
def _reverse(budget: Budget, text: str) -> str:
    budget.spend_text(len(text))
    return text[::-1]
