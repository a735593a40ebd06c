"""The markdown format of a preview: all that comes from content or a cluster stands in a code span or a fence."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from gitops_guard.model.live import ClusterPreview, LiveReport
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_markdown import change_lines
from gitops_guard.report.live_words import (
    conflict,
    coverage_lines,
    drift_summary,
    judged,
    prune,
    right,
    summary,
)
from gitops_guard.report.markdown import code
from gitops_guard.report.words import place


def write(report: LiveReport, out: TextIO, options: FormatOptions) -> None:
    """Write a chapter a cluster: effect, drift, conflicts, prunes, rights."""
    out.writelines(f"{line}\n" for line in _lines(report, options))


def _lines(report: LiveReport, options: FormatOptions) -> Iterator[str]:
    if report.errors:
        yield "### Could not compare"
        yield ""
        yield from _limited((f"- {code(place(one))}: {code(one.message)}" for one in report.errors), options)
        yield ""
    for preview in report.clusters:
        yield from cluster_lines(preview, options)
    yield f"Compared: {code(report.before)} with {code(report.after)}"
    yield from (f"- {code(note)}" for note in report.notes)


def cluster_lines(preview: ClusterPreview, options: FormatOptions) -> Iterator[str]:
    """Yield the chapter of one cluster, as a comment on a merge holds it."""
    yield f"### Cluster {code(preview.cluster)}"
    yield ""
    if preview.error:
        yield f"Could not be asked: {code(preview.error)}"
        yield ""
        return
    yield f"**The merge changes: {summary(preview.effect)}.**"
    yield ""
    yield from change_lines(preview.effect, options)
    yield from _drift(preview, options)
    refused = (f"{code(str(one.id))}: {code(judged(one))}" for one in preview.objects if one.reason)
    yield from _section("Not as planned", refused, options)
    owned = (f"{code(str(one.id))}: {code(conflict(entry))}" for one in preview.objects for entry in one.conflicts)
    yield from _section("Owned by others", owned, options)
    yield from _section(
        "In Git no more", (f"{code(str(one.id))}: {code(prune(one))}" for one in preview.prunes), options
    )
    yield from _section("Rights that are missing", (code(right(one)) for one in preview.rights), options)
    yield from (f"- {code(line)}" for line in coverage_lines(preview))
    yield ""


def _drift(preview: ClusterPreview, options: FormatOptions) -> Iterator[str]:
    if not preview.drift:
        return
    yield f"<details><summary>Drift, not caused by the merge: {drift_summary(preview.drift)}</summary>"
    yield ""
    yield from change_lines(preview.drift, options)
    yield "</details>"
    yield ""


def _section(title: str, lines: Iterable[str], options: FormatOptions) -> Iterator[str]:
    told = list(_limited((f"- {line}" for line in lines), options))
    if told:
        yield f"#### {title}"
        yield ""
        yield from told
        yield ""


def _limited(lines: Iterable[str], options: FormatOptions) -> Iterator[str]:
    told = list(lines)
    yield from told[: options.limit]
    if len(told) > options.limit:
        yield f"- and {len(told) - options.limit} more"
