"""The text format of a preview: a chapter a cluster, in it the effect first, then drift, conflicts, prunes, rights."""

from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from gitops_guard.model import Change
from gitops_guard.model.live import ClusterPreview, LiveReport
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_text import change_lines
from gitops_guard.report.live_words import (
    conflict,
    coverage_lines,
    drift_summary,
    judged,
    prune,
    right,
    summary,
)
from gitops_guard.report.visible import visible
from gitops_guard.report.words import place

_BOLD: Final = "1"
_RED: Final = "31"


def write(report: LiveReport, out: TextIO, options: FormatOptions) -> None:
    """Write errors, then a chapter a cluster."""
    out.writelines(f"{line}\n" for line in _lines(report, options))


def _lines(report: LiveReport, options: FormatOptions) -> Iterator[str]:
    for error in report.errors:
        yield f"{visible(place(error))}: {_paint('could not compare', _RED, options)}: {visible(error.message)}"
    for preview in report.clusters:
        yield from _cluster(preview, options)
        yield ""
    yield visible(f"compared: {report.before} with {report.after}")
    yield from (visible(f"note: {note}") for note in report.notes)


def _cluster(preview: ClusterPreview, options: FormatOptions) -> Iterator[str]:
    version = f" ({visible(preview.version)})" if preview.version else ""
    yield _paint(f"cluster {visible(preview.cluster)}{version}", _BOLD, options)
    if preview.error:
        yield f"  {_paint('could not ask', _RED, options)}: {visible(preview.error)}"
        return
    yield from _changes("the merge changes", summary(preview.effect), preview.effect, options)
    if preview.drift:
        title = "drift, not caused by the merge: Git -> cluster"
        yield from _changes(title, drift_summary(preview.drift), preview.drift, options)
    yield from _section("not as planned", _judged(preview))
    yield from _section("owned by others", _conflicts(preview))
    yield from _section("in Git no more", (f"{one.id}: {prune(one)}" for one in preview.prunes))
    yield from _section("rights that are missing", map(right, preview.rights))
    yield from (visible(line) for line in coverage_lines(preview))


def _changes(title: str, told: str, changes: tuple[Change, ...], options: FormatOptions) -> Iterator[str]:
    yield _paint(f"{title}: {told}", _BOLD, options)
    for change in changes:
        yield from (f"  {line}" for line in change_lines(change, options))


def _judged(preview: ClusterPreview) -> Iterator[str]:
    for one in preview.objects:
        if one.reason:
            yield f"{one.path}:{one.line}: {one.id}: {judged(one)}"


def _conflicts(preview: ClusterPreview) -> Iterator[str]:
    for one in preview.objects:
        for entry in one.conflicts:
            yield f"{one.path}:{one.line}: {one.id}: {conflict(entry)}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = [f"  {visible(line)}" for line in lines]
    if told:
        yield f"{title}:"
        yield from told


def _paint(text: str, code: str, options: FormatOptions) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if options.colour else text
