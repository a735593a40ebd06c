"""Patterns of CRDs, which are Go's RE2, read by Python's `re` where both mean the same.

What RE2 refuses is an error of the CRD; what only Python cannot do is "not evaluated", never guessed.
"""

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_SAME_ESCAPES = set("dDwWbBAafnrtv")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_MOST_REPEATS = 1000


class BadPatternError(Exception):
    """RE2 refuses the pattern: the server would not take the CRD."""


class ForeignPatternError(Exception):
    """RE2 takes the pattern, but Python would read it otherwise or not at all."""


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> "re.Pattern[str]":
    """Compile an RE2 pattern so that `search` gives the server's verdict.

    Raises:
        BadPatternError: RE2 refuses it.
        ForeignPatternError: It cannot be evaluated here.
    """
    translated = _Translation(pattern).run()
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPatternError(str(error)) from error


class _Translation:
    """One pass over a pattern, character by character."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._repeated = False
        """The last thing read was a repetition: another one is an error in RE2, but possessive in Python."""

    def run(self) -> str:
        parts = []
        while self._at < len(self._text):
            parts.append(self._next())
        return "".join(parts)

    def _take(self, count: int = 1) -> str:
        taken = self._text[self._at : self._at + count]
        self._at += count
        return taken

    def _next(self) -> str:
        char = self._text[self._at]
        if char in "*+?{":
            return self._repetition(char)
        self._repeated = False
        if char == "\\":
            return self._escape(in_class=False)
        if char == "[":
            return self._char_class()
        if char == "(" and self._text.startswith("(?", self._at):
            return self._group()
        self._take()
        return r"\Z" if char == "$" else char

    def _repetition(self, char: str) -> str:
        if char == "{":
            match = _REPEAT.match(self._text, self._at)
            if match is None:
                if re.match(r"\{,\d+\}", self._text[self._at :]):
                    raise ForeignPatternError("{,n} is literal in RE2")
                self._take()
                return r"\{"
            if any(int(bound) > _MOST_REPEATS for bound in match.groups() if bound):
                raise BadPatternError("invalid repeat count")
            token = self._take(len(match[0]))
        else:
            token = self._take()
        if self._repeated:
            raise BadPatternError("invalid nested repetition operator")
        if self._text.startswith("?", self._at):
            token += self._take()
        self._repeated = True
        return token

    def _escape(self, *, in_class: bool) -> str:
        token = self._take(2)
        char = token[1:]
        if not char:
            raise BadPatternError("trailing backslash at end of expression")
        if not char.isalnum():
            return token
        if char == "s":
            return r"\t\n\f\r " if in_class else r"[\t\n\f\r ]"  # Python's \s has \v as well
        if char == "S" and not in_class:
            return r"[^\t\n\f\r ]"
        if char == "z" and not in_class:
            return r"\Z"
        if char == "x" and re.match(r"[0-9A-Fa-f]{2}", self._text[self._at :]):
            return token + self._take(2)
        if char in _SAME_ESCAPES:
            return token
        if char in "pPQECUx0123S":
            if char in "123":
                raise BadPatternError("invalid escape sequence: back-references are not supported")
            raise ForeignPatternError(token)
        raise BadPatternError(f"invalid escape sequence: `{token}`")

    def _group(self) -> str:
        rest = self._text[self._at :]
        if rest.startswith(("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?P=", "(?#")):
            raise BadPatternError("invalid or unsupported Perl syntax")
        for start in ("(?:", "(?P<"):
            if rest.startswith(start):
                return self._take(len(start))
        if rest.startswith("(?<"):
            self._take(3)
            return "(?P<"
        flags = re.match(r"\(\?([is]+)\)", rest)
        if flags and self._at == 0:
            return self._take(len(flags[0]))
        scoped = re.match(r"\(\?([is]+):", rest)
        if scoped:
            return self._take(len(scoped[0]))
        raise ForeignPatternError("flags inside the pattern")

    def _char_class(self) -> str:
        parts = [self._take()]
        if self._text.startswith("^", self._at):
            parts.append(self._take())
        first = True
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "]" and not first:
                return "".join([*parts, self._take()])
            first = False
            parts.append(self._class_member(char))
        raise BadPatternError("missing closing ]")

    def _class_member(self, char: str) -> str:
        if char == "\\":
            return self._escape(in_class=True)
        posix = re.match(r"\[:(\^?)(\w+):\]", self._text[self._at :])
        if posix:
            if posix[1] or posix[2] not in _CLASSES:
                raise ForeignPatternError(posix[0])
            self._take(len(posix[0]))
            return _CLASSES[posix[2]]
        self._take()
        return f"\\{char}" if char in "[]&~|" else char
