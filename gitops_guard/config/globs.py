r"""Globs over repository paths and names, as `.gitignore` users know them, in linear time.

A pattern is compiled to a list of segments and matched by the greedy two-pointer walk, which goes back to the last star
only: the cost is at most pattern times path, whatever a repository's configuration says. Regular expressions are not
used, since `*a*a*a*b` would make them backtrack for ever.

| pattern | matches |
|---|---|
| `*.yaml` | no slash inside: a name at any depth |
| `apps/*.yaml`, `/web.yaml` | a slash inside or in front: from the root |
| `apps/` | everything below a directory of that name |
| `apps` | the file `apps`, or everything below a directory of that name |
| `**` | any number of directories, none included |
| `*`, `?` | any run, any one character, never `/` |
| `[a-z]`, `[!a-z]`, `[^a-z]` | one character of the set, or not of it |
| `!pattern` | takes out again what an earlier pattern matched; the last match decides |
| `\x` | the character itself |

One difference from git: a `!pattern` may take out a file below a directory that an earlier pattern matched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class _Set:
    """A bracket expression: inclusive ranges of characters."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def has(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self.ranges) != self.negated


class _Star:
    """Any run of characters."""


class _AnyOne:
    """Any one character."""


_STAR: Final = _Star()
_ANY_ONE: Final = _AnyOne()
_Unit: TypeAlias = "str | _Set | _Star | _AnyOne"
_Segment: TypeAlias = "str | tuple[_Unit, ...] | None"
"""A literal, a glob, or None for `**`."""


class PathSet:
    """Paths named by patterns in order; the last pattern that matches decides.

    Example:
        `PathSet(["apps/", "!apps/legacy/"]).matches("apps/legacy/web.yaml")` is False.
    """

    __slots__ = ("_rows", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile the patterns.

        Raises:
            ValueError: A pattern is empty, ends in a lone backslash or has an unclosed bracket.
        """
        self.patterns = tuple(patterns)
        self._rows = tuple(_compile(pattern) for pattern in self.patterns)

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def matches(self, path: str) -> bool:
        """Tell whether a repository path (`apps/web.yaml`) is in the set."""
        parts = path.split("/")
        for negated, segments in reversed(self._rows):
            if _matches_segments(segments, parts):
                return not negated
        return False


class NameGlob:
    """A glob over a name, in which `/` is a character like others: `web-*`, `dev-?`, `[ab]*`."""

    __slots__ = ("_tokens", "pattern")

    def __init__(self, pattern: str) -> None:
        """Compile the pattern.

        Raises:
            ValueError: It is empty, ends in a lone backslash or has an unclosed bracket.
        """
        if not pattern:
            raise ValueError("an empty pattern matches nothing")
        self.pattern = pattern
        self._tokens = _tokens(pattern)

    def matches(self, name: str) -> bool:
        """Tell whether the whole name matches."""
        return _matches_tokens(self._tokens, name)


class FieldGlob:
    """A glob over a printed field path, in which only `*` is special: `spec.template.spec.containers[*].image`.

    Brackets belong to field paths, so they stand for themselves; `*` stands for any run of characters, dots included.
    A glob also covers what lies below the fields it names: `spec.template` covers `spec.template.spec.hostPID`.
    """

    __slots__ = ("_tokens", "pattern")

    def __init__(self, pattern: str) -> None:
        """Compile the pattern.

        Raises:
            ValueError: It is empty.
        """
        if not pattern:
            raise ValueError("an empty pattern matches nothing")
        self.pattern = pattern
        self._tokens: tuple[_Unit, ...] = tuple(_STAR if char == "*" else char for char in pattern)

    def matches(self, field: str) -> bool:
        """Tell whether the field or one that holds it matches."""
        ends = [index for index, char in enumerate(field) if char in ".["]
        return any(_matches_tokens(self._tokens, field[:end]) for end in (*ends, len(field)))


def _compile(pattern: str) -> tuple[bool, tuple[_Segment, ...]]:
    text = pattern.rstrip()
    negated = text.startswith("!")
    text = text[negated:]
    parts = text.strip("/").split("/")
    if parts == [""]:
        raise ValueError(f"the pattern {pattern!r} names nothing")
    segments = [_segment(part) for part in parts if part]
    if "/" not in text.rstrip("/"):
        segments.insert(0, None)
    # A slash at the end and a `**` at the end each want something inside: the name itself does not match.
    inside = (segments[-1] is None) + text.endswith("/")
    segments.extend([(_STAR,)] * inside)
    return negated, (*segments, None)


def _segment(part: str) -> _Segment:
    if part == "**":
        return None
    tokens = _tokens(part)
    literal = [token for token in tokens if isinstance(token, str)]
    return "".join(literal) if len(literal) == len(tokens) else tokens


def _tokens(text: str) -> tuple[_Unit, ...]:
    tokens: list[_Unit] = []
    at = 0
    while at < len(text):
        token, at = _token(text, at)
        tokens.append(token)
    return tuple(tokens)


def _token(text: str, at: int) -> tuple[_Unit, int]:
    char = text[at]
    if char == "*":
        return _STAR, at + 1
    if char == "?":
        return _ANY_ONE, at + 1
    if char == "[":
        return _bracket(text, at + 1)
    if char == "\\":
        if at + 1 == len(text):
            raise ValueError(f"the pattern {text!r} ends in a lone backslash")
        return text[at + 1], at + 2
    return char, at + 1


def _bracket(text: str, at: int) -> tuple[_Unit, int]:
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    # A closing bracket in first place is a member: []a].
    end = text.find("]", at + 1)
    if end < 0:
        raise ValueError(f"the pattern {text!r} has an unclosed bracket; write \\[ for the character")
    ranges: list[tuple[str, str]] = []
    while at < end:
        if text[at + 1 : at + 2] == "-" and at + 2 < end:
            ranges.append((text[at], text[at + 2]))
            at += 3
        else:
            ranges.append((text[at], text[at]))
            at += 1
    return _Set(tuple(ranges), negated), end + 1


def _matches_segments(segments: Sequence[_Segment], parts: Sequence[str]) -> bool:
    """Walk both lists; on a mismatch let the last `**` take one part more (no earlier one can do better)."""
    at = part = 0
    star = resume = -1
    while part < len(parts):
        if at < len(segments) and segments[at] is None:
            star, resume = at, part
            at += 1
        elif at < len(segments) and _matches_segment(segments[at], parts[part]):
            at += 1
            part += 1
        elif star >= 0:
            resume += 1
            at, part = star + 1, resume
        else:
            return False
    return all(segment is None for segment in segments[at:])


def _matches_segment(segment: _Segment, part: str) -> bool:
    if segment is None or isinstance(segment, str):
        return segment == part
    return _matches_tokens(segment, part)


def _matches_tokens(tokens: Sequence[_Unit], text: str) -> bool:
    """Do the same walk over characters, with `*` in the place of `**`."""
    at = char = 0
    star = resume = -1
    while char < len(text):
        if at < len(tokens) and tokens[at] is _STAR:
            star, resume = at, char
            at += 1
        elif at < len(tokens) and _matches_token(tokens[at], text[char]):
            at += 1
            char += 1
        elif star >= 0:
            resume += 1
            at, char = star + 1, resume
        else:
            return False
    return all(token is _STAR for token in tokens[at:])


def _matches_token(token: _Unit, char: str) -> bool:
    if isinstance(token, str):
        return token == char
    return token.has(char) if isinstance(token, _Set) else token is _ANY_ONE
