"""The yaml format of a comparison: a unified diff of the objects as YAML, masked; `#` lines say what a diff cannot.

It needs a comparison that was made `in_full`.
"""

from collections.abc import Iterator
from typing import TextIO

from gitops_guard.model import Action, Change, ChangeReport
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_words import (
    by_unit,
    classes,
    coverage_lines,
    headline,
    object_lines,
    told,
    unified,
    verdict,
    written_at,
)
from gitops_guard.report.visible import visible
from gitops_guard.report.words import place
from gitops_guard.report.yaml_lines import yaml_lines

_NOTHING = "/dev/null"


def write(report: ChangeReport, out: TextIO, options: FormatOptions) -> None:
    """Write a patch an object."""
    out.writelines(f"{line}\n" for line in _lines(report, options))


def _lines(report: ChangeReport, options: FormatOptions) -> Iterator[str]:
    for error in report.errors:
        yield visible(f"# could not compare {place(error)}: {error.message}")
    for unit, changes in by_unit(told(report, verbose=options.verbose)):
        if unit is not None:
            yield visible(f"# {unit.label}")
        for change in changes:
            yield from _change(change, verbose=options.verbose)
    yield f"# {verdict(report)}"
    yield from (visible(f"# {line}") for line in coverage_lines(report))


def _change(change: Change, *, verbose: bool) -> Iterator[str]:
    yield visible(f"# {change.action}: {headline(change)}, {written_at(change)} [{classes(change)}]")
    hidden = [field for field in change.fields if field.masked]
    yield from (visible(f"# {field.op}, masked: {field.field}") for field in hidden)
    if verbose:
        yield from (visible(f"# folded, {field.reason}: {field.field or 'file'}") for field in change.folded)
    if change.action is Action.UNCHANGED:
        return
    old_name = change.renamed_from or change.id
    yield visible(f"--- {_NOTHING if change.action is Action.CREATED else old_name}")
    yield visible(f"+++ {_NOTHING if change.action is Action.DELETED else change.id}")
    yield from _body(change)


def _body(change: Change) -> Iterator[str]:
    if change.action in (Action.CREATED, Action.DELETED):
        lines = object_lines(change)
        old, new = (0, len(lines)) if change.action is Action.CREATED else (len(lines), 0)
        yield f"@@ -{min(old, 1)},{old} +{min(new, 1)},{new} @@"
        yield from lines
    elif change.shown_before is not None and change.shown_after is not None:
        yield from unified(list(yaml_lines(change.shown_before)), list(yaml_lines(change.shown_after)))
