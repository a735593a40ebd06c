"""The markdown format, for job summaries and comments.

Everything that comes from content stands in a code span whose fence is longer than any run of back-ticks in it: no
mention, image, link, HTML or heading of a manifest becomes live. The verdict and the table hold our own words only.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final, TextIO

from gitops_guard.model import CheckError, Finding, Report
from gitops_guard.report import FormatOptions
from gitops_guard.report.visible import visible
from gitops_guard.report.words import COULD_NOT_CHECK, coverage_lines, place, subject, verdict

_LONGEST: Final = 400
_URL: Final = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9._/#-]*")


def write(report: Report, out: TextIO, options: FormatOptions) -> None:
    """Write verdict, table, errors, findings by file, coverage."""
    out.writelines(f"{line}\n" for line in _lines(report, options))


def code(text: str) -> str:
    """Return a code span that shows the text, cut to a sane length, whatever is in it."""
    shown = visible(text)
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]}..."
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if not shown or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def _lines(report: Report, options: FormatOptions) -> Iterator[str]:
    counts = report.counts
    yield f"### gitops-guard: {verdict(report)}"
    yield ""
    yield "| could not check | errors | warnings | notes | silenced |"
    yield "|---:|---:|---:|---:|---:|"
    yield f"| {len(report.errors)} | {counts.error} | {counts.warning} | {counts.note} | {report.suppressed} |"
    yield ""
    if report.errors:
        yield f"#### {COULD_NOT_CHECK.capitalize()}"
        yield ""
        yield from (_error(error) for error in report.errors[: options.limit])
        yield from _left_out(len(report.errors), options.limit)
        yield ""
    yield from _findings(report, options)
    yield "#### Coverage"
    yield ""
    yield from (f"- {code(line)}" for line in coverage_lines(report, verbose=options.verbose))


def _findings(report: Report, options: FormatOptions) -> Iterator[str]:
    worst_first = sorted(report.findings, key=lambda finding: finding.severity.rank)
    shown = sorted(worst_first[: options.limit], key=lambda finding: finding.sort_key)
    for path, group in groupby(shown, key=lambda finding: finding.location.path):
        yield f"#### {code(path)}"
        yield ""
        for finding in group:
            yield from _finding(finding)
        yield ""
    if len(report.findings) > options.limit:
        yield from _left_out(len(report.findings), options.limit)
        yield ""


def _left_out(total: int, limit: int) -> Iterator[str]:
    if total > limit:
        yield f"{total - limit} more are left out here, none worse than those shown."


def _error(error: CheckError) -> str:
    rule = f" {code(error.rule)}" if error.rule else ""
    return f"- {code(place(error))}{rule}: {code(error.message)}"


def _finding(finding: Finding) -> Iterator[str]:
    at = finding.location
    docs = f" ([docs]({finding.doc_url}))" if _URL.fullmatch(finding.doc_url) else ""
    yield f"- **{finding.severity}** {code(finding.rule)} line {at.line}, column {at.column}{docs}"
    where = [code(text) for text in (subject(finding), finding.field) if text]
    yield f"  <br>{' '.join(where)}{': ' if where else ''}{code(finding.message)}"
    if finding.hint:
        yield f"  <br>Hint: {code(finding.hint)}"
