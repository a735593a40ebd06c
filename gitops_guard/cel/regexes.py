"""Regular expressions with RE2's meaning and bounded time.

A parsed pattern becomes a Python pattern, which is fast, and where Python's backtracking could take long on the text at
hand, a program for our own simulator, whose time is proportional to the text. Both match leftmost-first, as RE2 does.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.regex_machine import Machine
from gitops_guard.cel.regex_risk import EXPONENTIAL, degree
from gitops_guard.cel.regex_syntax import (
    Alternate,
    Assertion,
    Chars,
    Concat,
    Group,
    Pattern,
    Ranges,
    Regex,
    parse_regex,
)

_MAX_BACKTRACKING = 5_000_000
"""Steps of Python's matcher, at worst, up to which it may run: some 20 ms. Mostly it takes a thousandth of them."""

_BACKTRACKING_A_STEP = 5_000
"""Steps of Python's matcher, at worst, that cost one step of the budget."""


class Match(NamedTuple):
    """Where a pattern matched: (start, end) of the whole and of each group, (-1, -1) for a group that took no part."""

    spans: tuple[tuple[int, int], ...]


class Expression:
    """A compiled pattern."""

    __slots__ = ("_degree", "_fast", "_machine", "_pattern", "groups")

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self.groups = pattern.groups
        self._degree = -1
        self._machine: Machine | None = None
        try:
            self._fast = re.compile(_python(pattern.root))
        except (re.error, OverflowError, RecursionError) as error:
            raise CelError(f"error parsing regexp: {error}") from None

    @property
    def python(self) -> str:
        """Return the pattern as Python's `re` takes it; on long texts Python may need much time for it."""
        return self._fast.pattern

    def search(self, text: str, budget: Budget) -> bool:
        """Tell whether the pattern matches somewhere in the text."""
        if self._is_cheap(len(text), budget):
            return self._fast.search(text) is not None
        return self._slow(text, 0, budget) is not None

    def find(self, text: str, budget: Budget, start: int = 0) -> Match | None:
        """Find the first match from a position on."""
        if not self._is_cheap(len(text) - start, budget):
            return self._slow(text, start, budget)
        found = self._fast.search(text, start)
        return None if found is None else Match(tuple(found.span(group) for group in range(self.groups + 1)))

    def find_all(self, text: str, budget: Budget) -> Iterator[Match]:
        """Find all matches; an empty one that touches the one before is none, as in Go."""
        position, previous = 0, -1
        while position <= len(text):
            match = self.find(text, budget, position)
            if match is None:
                return
            budget.spend(1)
            start, end = match.spans[0]
            position = end if end > position or start > position else position + 1
            if start == end:
                position = end + 1
            if start != end or start != previous:
                yield match
            previous = end

    def _is_cheap(self, length: int, budget: Budget) -> bool:
        """Tell whether Python's matcher is quick enough on such a text, and charge for it."""
        if self._degree < 0:
            self._degree = min(EXPONENTIAL, degree(self._pattern.root) + (0 if _anchored(self._pattern.root) else 1))
        worst = length if self._degree < 2 else length**self._degree
        if worst > _MAX_BACKTRACKING and self._degree > 1:
            return False
        if worst > _BACKTRACKING_A_STEP:
            budget.spend(worst // _BACKTRACKING_A_STEP)
        return True

    def _slow(self, text: str, start: int, budget: Budget) -> Match | None:
        if self._machine is None:
            self._machine = Machine(self._pattern)
        spans = self._machine.find(text, start, budget)
        return None if spans is None else Match(spans)


@lru_cache(maxsize=4096)
def compile_regex(pattern: str) -> Expression:
    """Compile a pattern.

    Raises:
        CelError: RE2 would refuse it.
    """
    return Expression(parse_regex(pattern))


_ASSERTIONS = {
    "text_start": r"\A",
    "text_end": r"\Z",
    "line_start": "(?m:^)",
    "line_end": "(?m:$)",
    "word": r"(?a:\b)",
    # Python's own \B does not match an empty text before 3.14
    "no_word": r"(?a:(?!\b))",
}


def _python(node: Regex) -> str:
    if isinstance(node, Chars):
        return _python_chars(node.ranges)
    if isinstance(node, Assertion):
        return _ASSERTIONS[node.kind]
    if isinstance(node, Concat):
        return "".join(_python(part) for part in node.parts)
    if isinstance(node, Alternate):
        return "(?:" + "|".join(_python(choice) for choice in node.choices) + ")"
    if isinstance(node, Group):
        return f"({_python(node.part)})"
    inner = _python(node.part)
    if not isinstance(node.part, (Chars, Group)):
        inner = f"(?:{inner})"
    bounds = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.least, node.most))
    if bounds is None:
        bounds = f"{{{node.least},{'' if node.most is None else node.most}}}"
    return f"{inner}{bounds}{'' if node.greedy else '?'}"


def _python_chars(ranges: Ranges) -> str:
    if not ranges:
        return "(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    body = "".join(_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges)
    return f"[{body}]"


def _code(code: int) -> str:
    return f"\\U{code:08x}"


def _anchored(node: Regex) -> bool:
    if isinstance(node, Concat):
        return bool(node.parts) and _anchored(node.parts[0])
    if isinstance(node, Group):
        return _anchored(node.part)
    if isinstance(node, Alternate):
        return all(_anchored(choice) for choice in node.choices)
    return isinstance(node, Assertion) and node.kind == "text_start"
