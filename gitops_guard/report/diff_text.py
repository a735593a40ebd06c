"""The text format of a comparison: a block an object; on a wide terminal old and new stand side by side.

~ apps/v1 Deployment shop/web  apps/web.yaml:1  [image]
  ~ spec.template.spec.containers[name=web].image: "web:1" -> "web:2"  [image]
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, TextIO

from gitops_guard.model import Action, Change, ChangeReport, FieldChange, FieldOp
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_words import (
    OP_SIGNS,
    SIGNS,
    by_unit,
    classes,
    coverage_lines,
    headline,
    hunk,
    is_block,
    looks_same,
    object_lines,
    remark,
    sides,
    told,
    verdict,
    written_at,
)
from gitops_guard.report.visible import visible, width
from gitops_guard.report.words import place

_RED: Final = "31"
_GREEN: Final = "32"
_YELLOW: Final = "33"
_BOLD: Final = "1"
_DIM: Final = "2"
_BY_SIGN: Final = {"+": _GREEN, "-": _RED, "~": _YELLOW, "%": _YELLOW, "@": _DIM}
_WIDE: Final = 140
"""From this many columns on, old and new stand side by side."""


def write(report: ChangeReport, out: TextIO, options: FormatOptions) -> None:
    """Write errors, a block an object, and what was folded."""
    out.writelines(f"{line}\n" for line in _Writer(options).lines(report))


class _Writer:
    def __init__(self, options: FormatOptions) -> None:
        self._options = options
        self._side_by_side = options.terminal and options.width >= _WIDE

    def lines(self, report: ChangeReport) -> Iterator[str]:
        for error in report.errors:
            yield f"{visible(place(error))}: {self._paint('could not compare', _RED)}: {visible(error.message)}"
        for unit, changes in by_unit(told(report, verbose=self._options.verbose)):
            if unit is not None:
                yield self._paint(visible(f"# {unit.label}"), _BOLD)
            for change in changes:
                yield from self._change(change)
                yield ""
        yield self._paint(verdict(report), _BOLD)
        yield from (visible(line) for line in coverage_lines(report))

    def _change(self, change: Change) -> Iterator[str]:
        sign = SIGNS[change.action]
        name = self._paint(f"{sign} {visible(headline(change))}", _BY_SIGN.get(sign, _DIM))
        about = f"  [{classes(change)}]" if change.classes else ""
        yield f"{name}  {self._paint(visible(written_at(change)), _DIM)}{about}"
        if change.action in (Action.CREATED, Action.DELETED):
            yield from (self._signed(line, "  ") for line in object_lines(change))
        for field in change.fields:
            yield from self._field(field)
        if self._options.verbose:
            yield from (self._folded(field) for field in change.folded)

    def _field(self, change: FieldChange) -> Iterator[str]:
        sign = OP_SIGNS[change.op]
        head = f"  {self._paint(sign, _BY_SIGN[sign])} {visible(change.field)}"
        about = self._paint(f"[{remark(change)}]", _DIM)
        if looks_same(change):
            yield f"{head}: changed  {about}"
        elif is_block(change):
            yield f"{head}:  {about}"
            yield from (self._columns(hunk(change)) if self._side_by_side else self._stacked(hunk(change)))
        elif self._side_by_side and change.op is FieldOp.CHANGED:
            yield f"{head}:  {about}"
            both = sides(change)
            yield from self._row(f"-{both.old}", f"+{both.new}")
        else:
            yield f"{head}: {self._value(change)}  {about}"

    def _value(self, change: FieldChange) -> str:
        old, new = sides(change)
        if old and new:
            return f"{self._paint(old, _RED)} -> {self._paint(new, _GREEN)}"
        return self._paint(new, _GREEN) if new else self._paint(old, _RED)

    def _folded(self, change: FieldChange) -> str:
        old, new = sides(change)
        both = "" if change.masked and old == new else f": {old or '-'} -> {new or '-'}"
        return self._paint(f"  . {visible(change.field) or 'file'}{both}  [folded: {change.reason}]", _DIM)

    def _stacked(self, lines: list[str]) -> Iterator[str]:
        return (self._signed(line, "      ") for line in lines)

    def _signed(self, line: str, indent: str) -> str:
        return f"{indent}{self._paint(line, _BY_SIGN.get(line[:1], ''))}"

    def _columns(self, lines: list[str]) -> Iterator[str]:
        """Put what was removed beside what was added in its place."""
        removed: list[str] = []
        added: list[str] = []
        for line in [*lines, "@"]:
            if line.startswith("-"):
                removed.append(line)
            elif line.startswith("+"):
                added.append(line)
            else:
                for left, right in zip_longest(removed, added, fillvalue=""):
                    yield from self._row(left, right)
                removed, added = [], []
                if line.startswith("@"):
                    yield from ([self._signed(line, "      ")] if line != "@" else [])
                else:
                    yield from self._row(line, line)

    def _row(self, left: str, right: str) -> Iterator[str]:
        """Yield one row of two columns, as many lines high as the longer text needs."""
        half = (self._options.width - 9) // 2
        colours = (_BY_SIGN.get(left[:1], ""), _BY_SIGN.get(right[:1], ""))
        for one, other in zip_longest(_folded_text(left, half), _folded_text(right, half), fillvalue=""):
            gap = " " * (half - width(one))
            yield f"      {self._paint(one, colours[0])}{gap} | {self._paint(other, colours[1])}".rstrip()

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._options.colour and code and text else text


def _folded_text(text: str, columns: int) -> Iterator[str]:
    """Break a text into pieces of at most so many columns."""
    piece, used = "", 0
    for char in text:
        wide = width(char)
        if used + wide > columns:
            yield piece
            piece, used = "", 0
        piece += char
        used += wide
    yield piece


def change_lines(change: Change, options: FormatOptions) -> Iterator[str]:
    """Yield the block of one change."""
    yield from _Writer(options)._change(change)
