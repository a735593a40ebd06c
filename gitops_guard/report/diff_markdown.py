"""The markdown format of a comparison, for comments and job summaries.

Everything that comes from content stands in a code span or a fence that is longer than any run of back-ticks in it.
The verdict and the headings hold our own words only. What is dangerous comes first, so that a limit cuts the harmless.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from gitops_guard.model import Action, Change, ChangeReport, FieldChange
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_words import (
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
from gitops_guard.report.markdown import code
from gitops_guard.report.words import count, place

_MOST_LINES: Final = 200
"""Lines of one hunk or object that are shown; the rest is counted."""

_MOST_FIELDS: Final = 100
_ACTION_ORDER: Final = (Action.DELETED, Action.CONFIGURED, Action.CREATED, Action.UNCHANGED)


def write(report: ChangeReport, out: TextIO, options: FormatOptions) -> None:
    """Write verdict, errors, changes by danger, coverage."""
    out.writelines(f"{line}\n" for line in _lines(report, options))


def _lines(report: ChangeReport, options: FormatOptions) -> Iterator[str]:
    yield f"### gitops-guard diff: {verdict(report)}"
    yield ""
    if report.errors:
        yield "#### Could not compare"
        yield ""
        yield from (f"- {code(place(error))}: {code(error.message)}" for error in report.errors[: options.limit])
        if len(report.errors) > options.limit:
            yield f"- and {len(report.errors) - options.limit} more"
        yield ""
    ordered = sorted(told(report, verbose=options.verbose), key=_danger)
    for change in ordered[: options.limit]:
        yield from _change(change, verbose=options.verbose)
    if len(ordered) > options.limit:
        yield f"{count(len(ordered) - options.limit, 'more change')}, none more dangerous, left out here."
        yield ""
    yield "#### Coverage"
    yield ""
    yield from (f"- {code(line)}" for line in coverage_lines(report))


def _danger(change: Change) -> tuple[int, int, object]:
    rank = min((one.rank for one in change.classes), default=len(_ACTION_ORDER) + 100)
    return (_ACTION_ORDER.index(change.action), rank, change.sort_key)


def _change(change: Change, *, verbose: bool) -> Iterator[str]:
    yield f"#### {change.action}: {code(headline(change))}"
    yield ""
    about = f" ({classes(change)})" if change.classes else ""
    unit = f", deployed by {code(change.unit.label)}" if change.unit else ""
    yield f"{code(written_at(change))}{about}{unit}"
    yield ""
    if change.action in (Action.CREATED, Action.DELETED):
        yield from fenced(object_lines(change))
    for field in change.fields[:_MOST_FIELDS]:
        yield from field_lines(field)
    if len(change.fields) > _MOST_FIELDS:
        yield f"- and {len(change.fields) - _MOST_FIELDS} more fields"
    if verbose:
        yield from (f"- folded {code(field.field or 'file')}: {field.reason}" for field in change.folded)
    yield ""


def field_lines(change: FieldChange) -> Iterator[str]:
    """Yield the list item of a changed field, with the hunk of one that takes several lines."""
    head = f"- {change.op} {code(change.field)} ({remark(change)})"
    if looks_same(change):
        yield head
    elif is_block(change):
        yield head
        yield ""
        yield from fenced(hunk(change))
    else:
        shown = [code(text) for text in sides(change) if text]
        yield f"{head}: {' → '.join(shown)}"


def fenced(lines: Sequence[str], *, language: str = "diff") -> Iterator[str]:
    """Yield lines in a fence that nothing in them can close."""
    kept = lines[:_MOST_LINES]
    longest = max((len(run) for line in kept for run in re.findall("`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    yield f"{fence}{language}"
    yield from kept
    yield fence
    if len(lines) > _MOST_LINES:
        yield ""
        yield f"{count(len(lines) - _MOST_LINES, 'more line')} left out here."
    yield ""


def change_lines(changes: Sequence[Change], options: FormatOptions) -> Iterator[str]:
    """Yield the blocks of changes, the most dangerous first, as many as the limit allows."""
    ordered = sorted(changes, key=_danger)
    for change in ordered[: options.limit]:
        yield from _change(change, verbose=options.verbose)
    if len(ordered) > options.limit:
        yield f"{count(len(ordered) - options.limit, 'more change')}, none more dangerous, left out here."
        yield ""
