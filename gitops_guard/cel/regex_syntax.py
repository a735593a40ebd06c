"""RE2's syntax: a pattern to a tree, refusing whatever RE2 refuses, so that no verdict hangs on Python's dialect.

Character classes are sorted ranges of code points; flags are resolved while parsing, so the tree has none.
"""

import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, TypeAlias

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.regex_scripts import SCRIPTS, script_ranges

Ranges: TypeAlias = tuple[tuple[int, int], ...]

MAX_REPEAT = 1000
"""RE2 refuses larger counts."""

MAX_PATTERN = 10_000
"""Longer patterns are refused."""

MAX_NESTING = 100
"""Deeper groups are refused; keeps the recursion over trees well within Python's."""

MAX_CODE_POINT = 0x10FFFF


class Chars(NamedTuple):
    """One character out of some ranges."""

    ranges: Ranges


class Assertion(NamedTuple):
    """A place: `text_start`, `text_end`, `line_start`, `line_end`, `word`, `no_word`."""

    kind: str


class Concat(NamedTuple):
    """Parts one after another."""

    parts: "tuple[Regex, ...]"


class Alternate(NamedTuple):
    """One of several, the first that lets the whole match."""

    choices: "tuple[Regex, ...]"


class Repeat(NamedTuple):
    """A part several times; `most` is None without a bound."""

    part: "Regex"
    least: int
    most: int | None
    greedy: bool


class Group(NamedTuple):
    """A capturing group, numbered from 1."""

    part: "Regex"
    number: int


Regex: TypeAlias = Chars | Assertion | Concat | Alternate | Repeat | Group


class Pattern(NamedTuple):
    """A parsed pattern."""

    root: Regex
    groups: int


_DIGIT: Ranges = ((0x30, 0x39),)
_SPACE: Ranges = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_PERL = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_POSIX: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": _DIGIT,
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": _WORD,
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
_CONTROL = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_EVERYTHING: Ranges = ((0, MAX_CODE_POINT),)
_NOT_NEWLINE: Ranges = ((0, 9), (11, MAX_CODE_POINT))
_CATEGORIES = frozenset(
    (
        *("C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs"),
    )
)


def normalized(ranges: list[tuple[int, int]]) -> Ranges:
    """Sort ranges and merge those that touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def negated(ranges: Ranges) -> Ranges:
    """Return every code point outside normalized ranges."""
    outside: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            outside.append((start, low - 1))
        start = high + 1
    if start <= MAX_CODE_POINT:
        outside.append((start, MAX_CODE_POINT))
    return tuple(outside)


@lru_cache(maxsize=1)
def _category_runs() -> tuple[tuple[str, int, int], ...]:
    """Return runs of code points of one general category; beyond these planes all is private or unassigned."""
    runs: list[tuple[str, int, int]] = [("Co", 0xF0000, 0xFFFFD), ("Co", 0x100000, 0x10FFFD)]
    for start, end in ((0, 0x40000), (0xE0000, 0xE1000)):
        position = start
        for category, group in groupby(map(unicodedata.category, map(chr, range(start, end)))):
            length = sum(1 for _ in group)
            runs.append((category, position, position + length - 1))
            position += length
    return tuple(run for run in runs if run[0] != "Cn")


@lru_cache(maxsize=64)
def _category(name: str) -> Ranges:
    return normalized([(low, high) for category, low, high in _category_runs() if category.startswith(name)])


@lru_cache(maxsize=1)
def _fold_orbits() -> dict[int, tuple[int, ...]]:
    """Map every code point that has other cases to all of them; dotted and dotless i have none to RE2."""
    orbits: dict[str, set[int]] = {}
    for code in range(0x1E944):
        character = chr(code)
        if code in (0x130, 0x131):
            continue
        lower = character.lower()
        folded = lower.upper().lower() if len(lower.upper()) == 1 else lower
        if len(folded) == 1:
            orbits.setdefault(folded, set()).add(code)
    return {code: tuple(sorted(orbit)) for orbit in orbits.values() if len(orbit) > 1 for code in orbit}


_MAX_FOLDED = 0x3000
"""Wider ranges hold both cases of what policies ask for already."""


def _folded(ranges: Ranges) -> Ranges:
    wider = list(ranges)
    if sum(high - low + 1 for low, high in ranges) > _MAX_FOLDED:
        return ranges
    orbits = _fold_orbits()
    for low, high in ranges:
        for code in range(low, high + 1):
            wider.extend((other, other) for other in orbits.get(code, ()))
    return normalized(wider)


class _Flags(NamedTuple):
    fold: bool = False
    lines: bool = False
    dot_all: bool = False
    swap_greed: bool = False


def _error(what: str, text: str) -> CelError:
    return CelError(f"error parsing regexp: {what}: `{text}`")


@lru_cache(maxsize=1024)
def parse_regex(pattern: str) -> Pattern:
    """Parse a pattern.

    Raises:
        CelError: RE2 would refuse it, or it is longer or deeper than we take.
    """
    if len(pattern) > MAX_PATTERN:
        raise CelError(f"error parsing regexp: pattern longer than {MAX_PATTERN} characters")
    parser = _Parser(pattern)
    root = parser.alternation()
    if not parser.at_end():
        raise _error("unexpected )", pattern)
    return Pattern(root, parser.groups)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._flags = _Flags()
        self._depth = 0
        self.groups = 0

    def at_end(self) -> bool:
        return self._position >= len(self._text)

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._position)

    def _accept(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self._position += len(text)
        return True

    def _next(self) -> str:
        character = self._text[self._position]
        self._position += 1
        return character

    def alternation(self) -> Regex:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise _error("expression nests too deeply", self._text)
        outer = self._flags
        choices = [self._concatenation()]
        while self._accept("|"):
            choices.append(self._concatenation())
        self._flags = outer
        self._depth -= 1
        return choices[0] if len(choices) == 1 else Alternate(tuple(choices))

    def _concatenation(self) -> Regex:
        parts: list[Regex] = []
        while not self.at_end() and not self._peek("|") and not self._peek(")"):
            if self._accept("\\Q"):
                parts.extend(self._quoted())
                continue
            start = self._position
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
            elif self._repetition() is not None:
                raise _error("missing argument to repetition operator", self._text[start : self._position])
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def _quoted(self) -> list[Regex]:
        end = self._text.find("\\E", self._position)
        stop = len(self._text) if end < 0 else end
        literal = self._text[self._position : stop]
        self._position = stop + (2 if end >= 0 else 0)
        parts: list[Regex] = [self._literal(ord(character)) for character in literal]
        if parts:
            parts[-1] = self._repeated(parts[-1])
        return parts

    def _literal(self, code: int) -> Regex:
        return self._chars(((code, code),))

    def _chars(self, ranges: Ranges) -> Regex:
        return Chars(_folded(ranges) if self._flags.fold else ranges)

    def _atom(self) -> Regex | None:
        """Parse one element; None for a change of flags, which is no element."""
        start = self._position
        character = self._next()
        if character == "(":
            return self._group(start)
        if character == "[":
            return self._chars(self._class(start))
        if character == ".":
            return Chars(_EVERYTHING if self._flags.dot_all else _NOT_NEWLINE)
        if character == "^":
            return Assertion("line_start" if self._flags.lines else "text_start")
        if character == "$":
            return Assertion("line_end" if self._flags.lines else "text_end")
        if character == "\\":
            return self._escape(start)
        if character in "*+?":
            raise _error("missing argument to repetition operator", character)
        return self._literal(ord(character))

    def _group(self, start: int) -> Regex | None:
        if not self._peek("?"):
            return self._capture(start)
        if self._peek("?P<") or self._peek("?<"):
            return self._named(start)
        end = self._position + 1
        flags, sign, seen = dict(self._flags._asdict()), True, False
        names = {"i": "fold", "m": "lines", "s": "dot_all", "U": "swap_greed"}
        while end < len(self._text):
            character = self._text[end]
            end += 1
            if character in names:
                flags[names[character]], seen = sign, True
            elif character == "-" and sign:
                sign, seen = False, False
            elif character in ":)" and (sign or seen):
                return self._scoped(_Flags(**flags), end, start, scoped=character == ":")
            else:
                break
        raise _error("invalid or unsupported Perl syntax", self._text[start:end])

    def _scoped(self, flags: _Flags, end: int, start: int, *, scoped: bool) -> Regex | None:
        self._position = end
        if not scoped:
            self._flags = flags
            return None
        outer, self._flags = self._flags, flags
        part = self._closed(start)
        self._flags = outer
        return part

    def _closed(self, start: int) -> Regex:
        part = self.alternation()
        if not self._accept(")"):
            raise _error("missing closing )", self._text[start:])
        return part

    def _capture(self, start: int) -> Regex:
        self.groups += 1
        number = self.groups
        return Group(self._closed(start), number)

    def _named(self, start: int) -> Regex:
        opening = self._text.index("<", self._position)
        end = self._text.find(">", opening)
        name = self._text[opening + 1 : end] if end > 0 else ""
        if not name or not all(character == "_" or (character.isascii() and character.isalnum()) for character in name):
            # `(?<=` and `(?<!` end here as well: RE2 has no lookbehind
            what = (
                "invalid named capture"
                if end > 0 and name[:1] not in ("=", "!")
                else "invalid or unsupported Perl syntax"
            )
            raise _error(what, self._text[start : end + 1 if end > 0 else None])
        self._position = end + 1
        return self._capture(start)

    def _repetition(self) -> tuple[int, int | None] | None:
        for operator, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._accept(operator):
                return bounds
        return self._counts() if self._peek("{") else None

    def _counts(self) -> tuple[int, int | None] | None:
        """Parse `{n}`, `{n,}`, `{n,m}`; anything else after a brace is literal text."""
        end = self._text.find("}", self._position)
        body = self._text[self._position + 1 : end] if end > 0 else ""
        low, comma, high = body.partition(",")
        if not _is_count(low) or (high and not _is_count(high)):
            return None
        least, most = int(low[:9]), (int(high[:9]) if high else None) if comma else int(low[:9])
        if least > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or least > most)):
            raise _error("invalid repeat count", "{" + body + "}")
        self._position = end + 1
        return least, most

    def _repeated(self, part: Regex) -> Regex:
        start = self._position
        bounds = self._repetition()
        if bounds is None:
            return part
        greedy = self._accept("?") == self._flags.swap_greed
        after = self._position
        if self._repetition() is not None:
            raise _error("invalid nested repetition operator", self._text[start : self._position])
        self._position = after
        if _repeat_size(part) * max(bounds[0], bounds[1] or 0, 1) > MAX_REPEAT:
            raise _error("invalid repeat count", self._text[start:after])
        return Repeat(part, bounds[0], bounds[1], greedy)

    def _escape(self, start: int) -> Regex:
        if self.at_end():
            raise _error("trailing backslash at end of expression", "")
        character = self._text[self._position]
        simple = {"A": "text_start", "z": "text_end", "b": "word", "B": "no_word"}.get(character)
        if simple:
            self._position += 1
            return Assertion(simple)
        if character == "C":
            raise _error("invalid escape sequence", "\\C")
        ranges = self._class_escape(start)
        if ranges is not None:
            return self._chars(ranges) if character in "pP" else Chars(ranges)
        return self._literal(self._escaped_code(start))

    def _class_escape(self, start: int) -> Ranges | None:
        r"""Parse `\d`, `\W`, `\pL`, `\P{Lu}` after the backslash; None for other escapes."""
        character = self._text[self._position]
        if character.lower() in _PERL:
            self._position += 1
            ranges = _PERL[character.lower()]
            return negated(ranges) if character.isupper() else ranges
        if character not in "pP":
            return None
        self._position += 1
        name = self._property_name(start)
        negative = (character == "P") != name.startswith("^")
        name = name.removeprefix("^")
        if name in SCRIPTS:
            ranges = script_ranges(name)
        elif name == "Any" or name in _CATEGORIES:
            ranges = _EVERYTHING if name == "Any" else _category(name)
        else:
            raise _error("invalid or unsupported character class range", self._text[start : self._position])
        return negated(ranges) if negative else ranges

    def _property_name(self, start: int) -> str:
        if self.at_end():
            raise _error("invalid character class range", self._text[start:])
        if not self._accept("{"):
            return self._next()
        end = self._text.find("}", self._position)
        if end < 0:
            raise _error("invalid character class range", self._text[start:])
        name = self._text[self._position : end]
        self._position = end + 1
        return name

    def _escaped_code(self, start: int) -> int:
        character = self._next()
        if character in _CONTROL:
            return _CONTROL[character]
        if character == "x":
            return self._hex_code(start)
        if character in "01234567":
            return self._octal_code(character, start)
        if character.isascii() and not character.isalnum():
            return ord(character)
        raise _error("invalid escape sequence", self._text[start : self._position])

    def _octal_code(self, first: str, start: int) -> int:
        # a digit from 1 on would be a backreference unless more octal digits follow
        digits = first
        while len(digits) < 3 and not self.at_end() and self._text[self._position] in "01234567":
            digits += self._next()
        if first != "0" and len(digits) == 1:
            raise _error("invalid escape sequence", self._text[start : self._position])
        return int(digits, 8)

    def _hex_code(self, start: int) -> int:
        if self._accept("{"):
            end = self._text.find("}", self._position)
            digits = self._text[self._position : end] if end > 0 else ""
            self._position = end + 1 if end > 0 else len(self._text)
        else:
            digits = self._text[self._position : self._position + 2]
            self._position += 2
            digits = digits if len(digits) == 2 else ""
        if digits and all(digit in "0123456789abcdefABCDEF" for digit in digits) and len(digits) <= 8:
            code = int(digits, 16)
            if code <= MAX_CODE_POINT:
                return code
        raise _error("invalid escape sequence", self._text[start : self._position])

    def _class(self, start: int) -> Ranges:
        negative = self._accept("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self._peek("]"):
            if self.at_end():
                raise _error("missing closing ]", self._text[start:])
            first = False
            named = self._class_member(start)
            if named is not None:
                ranges.extend(named)
                continue
            low = self._class_code(start)
            ranges.append((low, self._class_end(low, start)))
        self._position += 1
        merged = normalized(ranges)
        if self._flags.fold:
            merged = _folded(merged)
        return negated(merged) if negative else merged

    def _class_end(self, low: int, start: int) -> int:
        if not self._peek("-") or self._text[self._position + 1 : self._position + 2] in ("]", ""):
            return low
        range_start = self._position
        self._position += 1
        high = self._class_code(start)
        if high < low:
            raise _error("invalid character class range", chr(low) + self._text[range_start : self._position])
        return high

    def _class_member(self, start: int) -> Ranges | None:
        """Parse `[:alpha:]` or an escape for a class inside brackets; None for a single character."""
        if self._peek("[:"):
            end = self._text.find(":]", self._position + 2)
            if end < 0:
                return None
            name = self._text[self._position + 2 : end]
            ranges = _POSIX.get(name.removeprefix("^"))
            if ranges is None:
                raise _error("invalid character class range", self._text[self._position : end + 2])
            self._position = end + 2
            return negated(ranges) if name.startswith("^") else ranges
        if not self._peek("\\") or self._position + 1 >= len(self._text):
            return None
        self._position += 1
        found = self._class_escape(start)
        if found is None:
            self._position -= 1
        return found

    def _class_code(self, start: int) -> int:
        if self.at_end():
            raise _error("missing closing ]", self._text[start:])
        escape = self._position
        character = self._next()
        if character != "\\":
            return ord(character)
        if self.at_end():
            raise _error("trailing backslash at end of expression", "")
        return self._escaped_code(escape)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and (len(text) == 1 or text[0] != "0")


def _repeat_size(part: Regex) -> int:
    """Return how often the innermost part of nested counted repeats would be copied."""
    if isinstance(part, Repeat):
        return _repeat_size(part.part) * max(part.least, part.most or 0, 1)
    if isinstance(part, Group):
        return _repeat_size(part.part)
    if isinstance(part, Concat):
        return max((_repeat_size(inner) for inner in part.parts), default=1)
    if isinstance(part, Alternate):
        return max(_repeat_size(inner) for inner in part.choices)
    return 1
