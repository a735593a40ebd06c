"""How long a backtracking matcher may take: a bound on the ways in which a pattern can match a prefix of a text.

A pattern is turned into the graph of its characters, an edge from each to those that may follow it. If two different
walks lead from one character back to itself over the same text, the number of ways doubles with every round and nothing
bounds it. Otherwise the time is at most the text's length to the power of one more than the number of times that, on
one way through the pattern, a loop hands over to another while both could take the text between.
(The notions are those of exponential and infinite degree of ambiguity of automata: Weber and Seidl, 1991.)
"""

from typing import NamedTuple

from gitops_guard.cel.regex_syntax import Alternate, Assertion, Chars, Concat, Group, Ranges, Regex, Repeat

EXPONENTIAL = 99
"""Degree of a pattern that nothing bounds, that is too large to tell, or that Python may read in its own way."""

_MAX_CHARACTERS = 400
_MAX_LOOP = 40
"""Characters in one loop up to which we look; larger loops count as exponential unless each step is determined."""


class _Ends(NamedTuple):
    """Where a part may begin and end, and whether it may be empty."""

    first: frozenset[int]
    last: frozenset[int]
    empty: bool


_NOTHING = _Ends(frozenset(), frozenset(), True)


class _Undecided(Exception):  # noqa: N818 - leaves the construction early, never the module
    pass


def degree(root: Regex) -> int:
    """Return the power of a text's length that bounds the matching time from one start, or `EXPONENTIAL`."""
    graph = _Graph()
    try:
        graph.add(root)
    except _Undecided:
        return EXPONENTIAL
    loops = graph.loops()
    if any(graph.is_ambiguous(loop) for loop in loops):
        return EXPONENTIAL
    return graph.longest_chain(loops)


class _Graph:
    def __init__(self) -> None:
        self._ranges: list[Ranges] = []
        self._next: list[set[int]] = []
        self._double: set[tuple[int, int]] = set()
        """Edges that exist for two reasons: two ways to go on with the same text."""

    def add(self, node: Regex) -> _Ends:
        """Add a part's characters and the edges between them."""
        if isinstance(node, Chars):
            return self._character(node.ranges)
        if isinstance(node, Assertion):
            return _NOTHING
        if isinstance(node, Group):
            return self.add(node.part)
        if isinstance(node, Concat):
            ends = _NOTHING
            for part in node.parts:
                ends = self._joined(ends, self.add(part))
            return ends
        if isinstance(node, Alternate):
            choices = [self.add(choice) for choice in node.choices]
            first = frozenset().union(*(choice.first for choice in choices))
            last = frozenset().union(*(choice.last for choice in choices))
            return _Ends(first, last, any(choice.empty for choice in choices))
        return self._repeated(node)

    def _character(self, ranges: Ranges) -> _Ends:
        if len(self._ranges) >= _MAX_CHARACTERS:
            raise _Undecided
        here = frozenset({len(self._ranges)})
        self._ranges.append(ranges)
        self._next.append(set())
        return _Ends(here, here, False)

    def _joined(self, left: _Ends, right: _Ends) -> _Ends:
        self._connect(left.last, right.first)
        first = left.first | right.first if left.empty else left.first
        last = right.last | left.last if right.empty else right.last
        return _Ends(first, last, left.empty and right.empty)

    def _repeated(self, node: Repeat) -> _Ends:
        ends = self.add(node.part)
        if ends.empty and node.most is None:
            # rounds that take nothing: dialects differ in what they do then, so Python's matcher shall not decide
            raise _Undecided
        if node.most is None or node.most > 1:
            # a bounded count is taken for an unbounded one, which has more ways
            self._connect(ends.last, ends.first)
        return ends._replace(empty=ends.empty or node.least == 0)

    def _connect(self, sources: frozenset[int], targets: frozenset[int]) -> None:
        for source in sources:
            for target in targets:
                if target in self._next[source]:
                    self._double.add((source, target))
                self._next[source].add(target)

    def loops(self) -> list[frozenset[int]]:
        """Return the groups of characters that lie on common cycles."""
        reach = [self._reachable(source) for source in range(len(self._next))]
        loops = {
            frozenset({source, *(target for target in reach[source] if source in reach[target])})
            for source in range(len(self._next))
            if source in reach[source]
        }
        return list(loops)

    def _reachable(self, source: int) -> set[int]:
        seen: set[int] = set()
        waiting = [source]
        while waiting:
            for target in self._next[waiting.pop()] - seen:
                seen.add(target)
                waiting.append(target)
        return seen

    def longest_chain(self, loops: list[frozenset[int]]) -> int:
        """Return one more than the number of times that loops hand over to others on one way; 0 without loops."""
        reach = [self._reachable(next(iter(loop))) for loop in loops]
        steps = [
            (source, target, 1 if self._hands_over(loops[source], loops[target]) else 0)
            for source in range(len(loops))
            for target in range(len(loops))
            if source != target and loops[target] & reach[source]
        ]
        chain = [1] * len(loops)
        for _ in loops:
            for source, target, weight in steps:
                chain[source] = max(chain[source], weight + chain[target])
        return max(chain, default=0)

    def _hands_over(self, loop: frozenset[int], other: frozenset[int]) -> bool:
        """Tell whether a walk can leave a loop and reach another over characters that both could take."""
        mine = tuple(pair for position in loop for pair in self._ranges[position])
        theirs = tuple(pair for position in other for pair in self._ranges[position])
        waiting, seen = list(loop), set(loop)
        while waiting:
            for target in self._next[waiting.pop()] - seen:
                seen.add(target)
                if _overlap(self._ranges[target], mine) and _overlap(self._ranges[target], theirs):
                    if target in other:
                        return True
                    waiting.append(target)
        return False

    def is_ambiguous(self, loop: frozenset[int]) -> bool:
        """Tell whether two walks over the same text lead from a character of a loop back to it."""
        inside = {source: sorted(self._next[source] & loop) for source in loop}
        if any(source in loop and target in loop for source, target in self._double):
            return True
        if all(self._is_determined(targets) for targets in inside.values()):
            return False
        if len(loop) > _MAX_LOOP:
            return True
        pairs = self._pairs(inside)
        return any(self._parts_and_meets(pairs, (start, start)) for start in loop)

    def _is_determined(self, targets: list[int]) -> bool:
        return not any(
            _overlap(self._ranges[one], self._ranges[other])
            for position, one in enumerate(targets)
            for other in targets[position + 1 :]
        )

    def _pairs(self, inside: dict[int, list[int]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Return the steps that two walks can take together."""
        return {
            (one, other): [
                (next_one, next_other)
                for next_one in inside[one]
                for next_other in inside[other]
                if _overlap(self._ranges[next_one], self._ranges[next_other])
            ]
            for one in inside
            for other in inside
        }

    @staticmethod
    def _parts_and_meets(pairs: dict[tuple[int, int], list[tuple[int, int]]], start: tuple[int, int]) -> bool:
        """Tell whether two walks from one character can part and meet there again."""
        waiting: list[tuple[tuple[int, int], bool]] = [(start, False)]
        seen: set[tuple[tuple[int, int], bool]] = set()
        while waiting:
            pair, parted = waiting.pop()
            for following in pairs[pair]:
                state = (following, parted or following[0] != following[1])
                if state == (start, True):
                    return True
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
        return False


def _overlap(left: Ranges, right: Ranges) -> bool:
    return any(low <= other_high and other_low <= high for low, high in left for other_low, other_high in right)
