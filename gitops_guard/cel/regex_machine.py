"""A simulator of regular expressions that never backtracks: all threads walk the text together, in priority order."""

from typing import NamedTuple

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.regex_syntax import Alternate, Assertion, Chars, Concat, Group, Pattern, Ranges, Regex, Repeat

_MAX_INSTRUCTIONS = 20_000
_STEPS_A_CHARGE = 2
"""Threads moved for one step of the budget."""


class _Instruction(NamedTuple):
    """One instruction: `chars`, `assert`, `save`, `split` (first target preferred), `jump`, `match`."""

    kind: str
    first: int = 0
    second: int = 0
    ranges: Ranges = ()
    assertion: str = ""


_Spans = tuple[tuple[int, int], ...]


class Machine:
    """A pattern's program."""

    def __init__(self, pattern: Pattern) -> None:
        self._program: list[_Instruction] = []
        self._groups = pattern.groups
        self._emit(_Instruction("save", 0))
        self._compile(pattern.root)
        self._emit(_Instruction("save", 1))
        self._emit(_Instruction("match"))

    def _emit(self, instruction: _Instruction) -> int:
        if len(self._program) >= _MAX_INSTRUCTIONS:
            raise CelError("error parsing regexp: expression too large")
        self._program.append(instruction)
        return len(self._program) - 1

    def _compile(self, node: Regex) -> None:
        if isinstance(node, Chars):
            self._emit(_Instruction("chars", ranges=node.ranges))
        elif isinstance(node, Assertion):
            self._emit(_Instruction("assert", assertion=node.kind))
        elif isinstance(node, Concat):
            for part in node.parts:
                self._compile(part)
        elif isinstance(node, Alternate):
            self._alternate(node)
        elif isinstance(node, Group):
            self._emit(_Instruction("save", 2 * node.number))
            self._compile(node.part)
            self._emit(_Instruction("save", 2 * node.number + 1))
        else:
            self._repeat(node)

    def _alternate(self, node: Alternate) -> None:
        jumps: list[int] = []
        for choice in node.choices[:-1]:
            split = self._emit(_Instruction("split"))
            self._compile(choice)
            jumps.append(self._emit(_Instruction("jump")))
            self._program[split] = _Instruction("split", split + 1, len(self._program))
        self._compile(node.choices[-1])
        for jump in jumps:
            self._program[jump] = _Instruction("jump", len(self._program))

    def _repeat(self, node: Repeat) -> None:
        if node.most is None:
            self._repeat_without_end(node)
            return
        for _ in range(node.least):
            self._compile(node.part)
        splits: list[int] = []
        for _ in range(node.most - node.least):
            splits.append(self._emit(_Instruction("split")))
            self._compile(node.part)
        for split in splits:
            self._split(split, len(self._program), greedy=node.greedy)

    def _repeat_without_end(self, node: Repeat) -> None:
        """Compile `x*` as `(x+)?`, as Go does, so that rounds that take nothing end the same way."""
        for _ in range(node.least - 1):
            self._compile(node.part)
        skip = self._emit(_Instruction("split")) if node.least == 0 else -1
        start = len(self._program)
        self._compile(node.part)
        again = self._emit(_Instruction("split"))
        self._program[again] = self._choice(start, again + 1, greedy=node.greedy)
        if skip >= 0:
            self._split(skip, again + 1, greedy=node.greedy)

    def _split(self, split: int, after: int, *, greedy: bool) -> None:
        self._program[split] = self._choice(split + 1, after, greedy=greedy)

    @staticmethod
    def _choice(inside: int, after: int, *, greedy: bool) -> _Instruction:
        return _Instruction("split", inside, after) if greedy else _Instruction("split", after, inside)

    def find(self, text: str, start: int, budget: Budget) -> _Spans | None:
        """Find the leftmost match from a position on, the preferred one of those that start there."""
        threads: list[tuple[int, tuple[int, ...]]] = []
        best: tuple[int, ...] | None = None
        blank = (-1,) * (2 * self._groups + 2)
        work = 0
        for position in range(start, len(text) + 1):
            if best is None:
                threads.append((0, blank))
            moved: list[tuple[int, tuple[int, ...]]] = []
            seen: set[int] = set()
            for counter, saved in threads:
                for place, spans in self._follow(counter, saved, text, position, seen):
                    work += 1
                    instruction = self._program[place]
                    if instruction.kind == "match":
                        best = spans
                        break
                    if position < len(text) and _within(ord(text[position]), instruction.ranges):
                        moved.append((place + 1, spans))
                else:
                    continue
                # threads after the one that matched are of lower priority
                break
            work += len(seen)
            if work >= _STEPS_A_CHARGE:
                budget.spend(work // _STEPS_A_CHARGE)
                work %= _STEPS_A_CHARGE
            threads = moved
            if best is not None and not threads:
                break
        return None if best is None else tuple(zip(best[::2], best[1::2], strict=True))

    def _follow(
        self, counter: int, saved: tuple[int, ...], text: str, position: int, seen: set[int]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Return where a thread comes to rest before it takes a character: at `chars` or `match`, in priority order."""
        resting: list[tuple[int, tuple[int, ...]]] = []
        stack = [(counter, saved)]
        while stack:
            place, spans = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            instruction = self._program[place]
            kind = instruction.kind
            if kind in ("chars", "match"):
                resting.append((place, spans))
            elif kind == "jump":
                stack.append((instruction.first, spans))
            elif kind == "split":
                stack.append((instruction.second, spans))
                stack.append((instruction.first, spans))
            elif kind == "save":
                changed = (*spans[: instruction.first], position, *spans[instruction.first + 1 :])
                stack.append((place + 1, changed))
            elif _holds(instruction.assertion, text, position):
                stack.append((place + 1, spans))
        return resting


def _within(code: int, ranges: Ranges) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _is_word(text: str, position: int) -> bool:
    if not 0 <= position < len(text):
        return False
    character = text[position]
    return character.isascii() and (character.isalnum() or character == "_")


def _holds(assertion: str, text: str, position: int) -> bool:
    if assertion == "text_start":
        return position == 0
    if assertion == "text_end":
        return position == len(text)
    if assertion == "line_start":
        return position == 0 or text[position - 1] == "\n"
    if assertion == "line_end":
        return position == len(text) or text[position] == "\n"
    return (_is_word(text, position - 1) != _is_word(text, position)) == (assertion == "word")
