"""The source line under a finding, cut around the place and marked with carets.

A Secret's lines are never shown: the value stands on them.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitops_guard.model import Finding
from gitops_guard.report.visible import visible_character, width

_CUT: Final = "..."
_SECRET_KIND: Final = re.compile(r"""["']?kind["']?\s*:\s*["']?Secret\b""")


class Excerpt(NamedTuple):
    """What is shown of a source line."""

    line: str
    """Harmless text, cut to the width."""

    marks: str
    """Spaces and carets to stand below it."""


class _Cell(NamedTuple):
    """One character of the source as it is shown."""

    text: str
    columns: int


def excerpt(finding: Finding, lines: Sequence[str], columns: int) -> Excerpt | None:
    """Cut a finding's source line around its place.

    Args:
        finding: Its location says which line and columns.
        lines: The file's lines; empty when they are not at hand.
        columns: Width of the terminal.

    Returns:
        None when there is no such line or it must not be shown.
    """
    at = finding.location
    if not 1 <= at.line <= len(lines) or _may_show_a_secret(finding, lines):
        return None
    source = lines[at.line - 1].rstrip("\r\n")
    start = min(max(at.column - 1, 0), len(source))
    end = at.end_column - 1 if at.end_line == at.line else len(source)
    budget = max(columns - len(str(at.line)) - 6, 20)
    return _cut(source, start, max(end, start + 1), budget)


def _may_show_a_secret(finding: Finding, lines: Sequence[str]) -> bool:
    if finding.resource is not None:
        return finding.resource.kind == "Secret"
    # A finding about the file itself may stand on any line of it.
    return any("Secret" in line and _SECRET_KIND.search(line) for line in lines)


def _cut(source: str, start: int, end: int, budget: int) -> Excerpt:
    # A line may be megabytes long: look only at what could be shown.
    first = max(start - budget, 0)
    cells = [_cell(char) for char in source[first : start + budget]]
    place = start - first
    marked = max(_columns(cells[place : end - first]), 1)
    whole = len(cells) == len(source) and _columns(cells) <= budget
    room = budget if whole else budget - 2 * len(_CUT)
    left = place if whole else _fit(cells[:place][::-1], max((room - marked) * 2 // 3, room // 3))
    before = cells[place - left : place]
    room -= _columns(before)
    right = _fit(cells[place:], room)
    head = _CUT if first or left < place else ""
    tail = _CUT if start + right < len(source) else ""
    text = "".join(cell.text for cell in (*before, *cells[place : place + right]))
    indent = " " * (len(head) + _columns(before))
    return Excerpt(f"{head}{text}{tail}".rstrip(), indent + "^" * min(marked, max(room, 1)))


def _columns(cells: Sequence[_Cell]) -> int:
    return sum(cell.columns for cell in cells)


def _fit(cells: Sequence[_Cell], budget: int) -> int:
    """Return how many cells fit into so many columns."""
    used = 0
    for number, cell in enumerate(cells):
        used += cell.columns
        if used > budget:
            return number
    return len(cells)


def _cell(char: str) -> _Cell:
    text = visible_character(char)
    return _Cell(text, width(text))
