"""What a plain scalar means where every YAML reader agrees; doubt is raised.

Shared by the quick readers, `lines` and `plain`. It is on the way of every hook run: it imports nothing but `re`.
"""

import re

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,8}\Z")
# What some YAML reader takes for a number, a date, a time or infinity, without its underscores. Broader than needed, so
# that doubt ends in None.
_ODD = re.compile(
    r"[-+]?[0-9]+(?::[0-9]+)+(?:\.[0-9]*)?\Z"
    r"|[-+]?0[xXoObB][-+0-9a-fA-F]*\Z"
    r"|[-+]?[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]*)?\Z"
    r"|[-+]?\.(?:inf|nan)\Z"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    re.IGNORECASE,
)
_NUMERIC = frozenset("+-.0123456789")
_DOUBTFUL = frozenset(
    ("y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "<<", "=")
)
_WORDS: "dict[str, object]" = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
MODES = frozenset(("mode", "defaultMode"))
MEMO_SIZE = 20_000
LONGEST_REMEMBERED = 120


class NotSureError(Exception):
    """The file holds something that only the loader can judge."""


def _resolve(text: str) -> object:
    """Read a plain scalar as kubectl does, where every YAML reader would agree."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _DOUBTFUL or text.endswith("---"):
        raise NotSureError
    if text[0] not in _NUMERIC:
        return text
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        # Go writes an integral float as an integer: 3.0 reaches the server as 3.
        return int(number) if number.is_integer() else number
    # Go drops underscores wherever they stand: 0_b11 is 3.
    if _ODD.match(text.replace("_", "")):
        raise NotSureError
    return text


def mode_of(text: str) -> object:
    """Read the plain scalar of a key that holds a file mode, for which octal is no accident."""
    return int(text, 8) if re.match(r"0[0-7]{1,6}\Z", text) else VALUES[text]


class _Values(dict[str, object]):
    """Text of a plain scalar -> its value; filled as texts are met, since manifests repeat themselves."""

    __slots__ = ()

    def __missing__(self, text: str) -> object:
        value = _resolve(text)
        if len(text) <= LONGEST_REMEMBERED:
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[text] = value
        return value


class _Keys(dict[str, str]):
    """Text of a key -> the same text, for texts that are a string whether they are quoted or not."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        if _resolve(text) != text:
            raise NotSureError
        if len(text) <= LONGEST_REMEMBERED:
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[text] = text
        return text


VALUES = _Values()
KEYS = _Keys()
