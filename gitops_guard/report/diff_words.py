"""What the formats of a comparison share: sentences, and how a changed value is put on a line or in a hunk."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import Final, NamedTuple

from gitops_guard.model import Action, Change, ChangeReport, FieldChange, FieldOp, Json
from gitops_guard.model.unit import NOT_RENDERED, Unit
from gitops_guard.report.visible import visible
from gitops_guard.report.words import count, place
from gitops_guard.report.yaml_lines import yaml_lines

_LONGEST: Final = 400
"""Characters of a value that are shown on one line; the place where the two sides part is always among them."""

_LEAD: Final = 40
_MOST_MATCHES: Final = 1_000_000
"""Beyond this many pairs of equal lines two texts are shown one after the other: each pair costs time."""

_FEW_LINES: Final = 200
"""From this many lines on, difflib passes over those that make up more than a hundredth of the text."""

_MOST_SKIPPED: Final = 20

SIGNS: Final = {
    Action.CREATED: "+", Action.CONFIGURED: "~", Action.DELETED: "-", Action.UNCHANGED: "=",
}  # fmt: skip
OP_SIGNS: Final = {FieldOp.ADDED: "+", FieldOp.REMOVED: "-", FieldOp.CHANGED: "~", FieldOp.REORDERED: "%"}


class Sides(NamedTuple):
    """Both values of a changed field on one line each; empty where there is none."""

    old: str
    new: str


def by_unit(changes: Iterable[Change]) -> Iterator[tuple[Unit | None, list[Change]]]:
    """Yield changes in groups: first those of files that no unit is made of, then those of each unit, by cluster."""
    groups: dict[Unit | None, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.unit, []).append(change)
    if None in groups:
        yield None, groups.pop(None)
    for unit in sorted((unit for unit in groups if unit is not None), key=lambda unit: (unit.clusters, unit)):
        yield unit, groups[unit]


def verdict(report: ChangeReport) -> str:
    """Say the outcome in one line: `1 created, 2 configured; 1 thing could not be compared`."""
    counts = report.counts
    told = [f"{counts[action]} {action}" for action in Action if counts[action] and action is not Action.UNCHANGED]
    unsure = report.skipped or report.unrendered
    line = ", ".join(told) or ("no change in what was compared" if unsure else "no change")
    return f"{line}; {count(len(report.errors), 'thing')} could not be compared" if report.errors else line


def coverage_lines(report: ChangeReport) -> Iterator[str]:
    """Say what was compared, what was folded and why, what was left out."""
    if report.before:
        yield f"compared: {report.before} with {report.after}"
    unchanged = count(report.counts[Action.UNCHANGED], "object")
    same = count(report.identical_files, "file")
    units = f", {count(report.identical_units, 'unit')}" if report.identical_units else ""
    yield f"unchanged: {unchanged}; identical, so not looked into: {same}{units}"
    folded = report.folded
    if folded:
        reasons = ", ".join(f"{reason}: {number}" for reason, number in folded.items())
        yield f"folded: {count(sum(folded.values()), 'difference')} ({reasons})"
    for entry in report.skipped[:_MOST_SKIPPED]:
        yield f"changed, but not compared: {entry.path} ({entry.reason})"
    if len(report.skipped) > _MOST_SKIPPED:
        yield f"changed, but not compared: {len(report.skipped) - _MOST_SKIPPED} more"
    for error in report.unrendered[:_MOST_SKIPPED]:
        yield f"changed, but not rendered: {place(error)} ({error.message.removeprefix(NOT_RENDERED)})"
    if len(report.unrendered) > _MOST_SKIPPED:
        yield f"changed, but not rendered: {len(report.unrendered) - _MOST_SKIPPED} more"
    yield from (f"note: {note}" for note in report.notes)


def headline(change: Change) -> str:
    """Name a changed object: its identity, the one it had before, where it is written."""
    renamed = f" (was {change.renamed_from.name})" if change.renamed_from else ""
    return f"{change.id}{renamed}"


def written_at(change: Change) -> str:
    """Return `apps/web.yaml:3`, and where it stood before."""
    place = f"{change.path}:{change.line}" if change.line else change.path
    unit = f" (was in {change.unit_before.label})" if change.unit_before else ""
    return f"{place} (moved from {change.moved_from}){unit}" if change.moved_from else f"{place}{unit}"


def classes(change: Change) -> str:
    """Return `image, scaling`."""
    return ", ".join(change.classes)


def told(report: ChangeReport, *, verbose: bool) -> list[Change]:
    """Return the changes worth a block of their own; with `verbose` also the objects where something was folded."""
    return [change for change in report.changes if change.action is not Action.UNCHANGED or (verbose and change.folded)]


def is_block(change: FieldChange) -> bool:
    """Tell whether a field's change takes several lines: texts of several lines, and whole trees."""
    return any(_is_long(value) for value in (change.old, change.new)) and not looks_same(change)


def looks_same(change: FieldChange) -> bool:
    """Tell whether masking has left nothing to tell the two sides apart."""
    both = change.op in (FieldOp.CHANGED, FieldOp.REORDERED)
    return both and change.masked and change.old == change.new


def sides(change: FieldChange) -> Sides:
    """Put both values on one line each, cut so that the place where they part can be seen."""
    old = "" if change.op is FieldOp.ADDED else _one_line(change.old)
    new = "" if change.op is FieldOp.REMOVED else _one_line(change.new)
    start = max(_common_prefix(old, new) - _LEAD, 0) if max(len(old), len(new)) > _LONGEST else 0
    return Sides(_cut(old, start), _cut(new, start))


def remark(change: FieldChange) -> str:
    """Return what stands behind a change: its class, the document's format, that something is masked."""
    parts = [str(change.change_class), *([change.document] if change.document else [])]
    return ", ".join([*parts, *(["masked"] if change.masked else [])])


def hunk(change: FieldChange) -> list[str]:
    """Return the lines of a change of several lines, each with its sign, harmless to look at."""
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and old.endswith("\n") and new.endswith("\n"):
        old, new = old[:-1], new[:-1]  # only a line break that one side lacks is worth an empty line
    return unified(_lines(old, change.op is FieldOp.ADDED), _lines(new, change.op is FieldOp.REMOVED))


def unified(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the unified diff of two texts' lines without its two head lines, harmless to look at."""
    if not old or not new or _matches(old, new) > _MOST_MATCHES:
        removed, added = [f"-{visible(line)}" for line in old], [f"+{visible(line)}" for line in new]
        return [*removed, *added]
    found = list(unified_diff([visible(line) for line in old], [visible(line) for line in new], lineterm="", n=3))
    return found[2:]


def _matches(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many pairs of equal lines difflib would look at."""
    counted = Counter(new)
    most = len(new) // 100 + 1 if len(new) >= _FEW_LINES else len(new)
    return sum(number for line in old if (number := counted[line]) <= most)


def object_lines(change: Change) -> list[str]:
    """Return the lines of an object that comes or goes, each with its sign, harmless to look at."""
    shown = change.shown_after if change.action is Action.CREATED else change.shown_before
    sign = SIGNS[change.action]
    return [] if shown is None else [f"{sign}{visible(line)}" for line in yaml_lines(shown)]


def _is_long(value: Json) -> bool:
    return bool(value) if isinstance(value, dict | list) else isinstance(value, str) and "\n" in value


def _lines(value: Json, is_absent: bool) -> list[str]:
    if is_absent:
        return []
    return value.split("\n") if isinstance(value, str) else list(yaml_lines(value))


def _one_line(value: Json) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _common_prefix(one: str, other: str) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _cut(text: str, start: int) -> str:
    lead = "..." if start else ""
    rest = text[start : start + _LONGEST]
    return f"{lead}{rest}{'...' if len(text) > start + _LONGEST else ''}"
