"""The junit format, as test viewers of CI systems read it: a suite a file, a case a finding.

Errors and warnings are failures, notes pass with their text as output, what could not be checked is an error. What was
skipped is one skipped case a reason, and a waiver is a skipped case of its own. The coverage is a case, too, so that a
clean run is not an empty one.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple, TextIO
from xml.sax.saxutils import escape, quoteattr

from gitops_guard.model import CheckError, Finding, Report, Severity
from gitops_guard.report import FormatOptions
from gitops_guard.report.visible import visible
from gitops_guard.report.words import COULD_NOT_CHECK, coverage_lines, place, reasons, sentence, subject, waiver_line

_PASSED: Final = "passed"
_FAILURE: Final = "failure"
_ERROR: Final = "error"
_SKIPPED: Final = "skipped"


class _Case(NamedTuple):
    """One test case, in plain text."""

    suite: str
    name: str
    outcome: str
    kind: str
    message: str
    lines: list[str]


def write(report: Report, out: TextIO, options: FormatOptions) -> None:
    """Write one `testsuites` element."""
    cases = [*_cases(report), *_coverage_cases(report, options)]
    suites = [(name, list(group)) for name, group in groupby(cases, key=lambda case: case.suite)]
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name="gitops-guard" {_numbers(cases)}>\n')
    for name, members in suites:
        out.write(f'  <testsuite name={_attribute(name)} {_numbers(members)} time="0">\n')
        for case in members:
            out.writelines(f"    {line}\n" for line in _element(case))
        out.write("  </testsuite>\n")
    out.write("</testsuites>\n")


def _cases(report: Report) -> list[_Case]:
    found = [(error.path, 0, _error_case(error)) for error in report.errors]
    found += [(finding.location.path, 1, _finding_case(finding)) for finding in report.findings]
    return [case for _, _, case in sorted(found, key=lambda row: row[:2])]


def _error_case(error: CheckError) -> _Case:
    name = f"{COULD_NOT_CHECK}: {place(error)}"
    kind = error.rule or COULD_NOT_CHECK
    return _Case(error.path or "gitops-guard", name, _ERROR, kind, error.message, [f"{place(error)}: {error.message}"])


def _finding_case(finding: Finding) -> _Case:
    at = finding.location
    where = f"{at.path}:{at.line}:{at.column}"
    outcome = _PASSED if finding.severity is Severity.NOTE else _FAILURE
    lines = [where, f"{finding.severity} {finding.rule}: {sentence(finding)}"]
    lines += [text for text in (subject(finding), finding.hint, finding.doc_url) if text]
    name = f"{finding.rule}: {finding.field or 'file'} ({at.line}:{at.column})"
    return _Case(at.path, name, outcome, str(finding.severity), sentence(finding), lines)


def _coverage_cases(report: Report, options: FormatOptions) -> Iterator[_Case]:
    lines = coverage_lines(report, verbose=options.verbose)
    yield _Case("coverage", "coverage", _PASSED, "", "", lines)
    for use in report.waivers:
        yield _Case("coverage", f"waiver: {use.name} ({use.path}:{use.line})", _SKIPPED, "", waiver_line(use), [])
    for reason, number in reasons(report.coverage):
        yield _Case("coverage", f"skipped: {reason}", _SKIPPED, "", f"{number} skipped", [])


def _element(case: _Case) -> Iterator[str]:
    yield f'<testcase classname={_attribute(case.suite)} name={_attribute(case.name)} time="0">'
    text = "\n".join(escape(visible(line)) for line in case.lines)
    if case.outcome == _PASSED:
        yield f"  <system-out>{text}</system-out>"
    elif case.outcome == _SKIPPED:
        yield f"  <skipped message={_attribute(case.message)}/>"
    else:
        kind, message = _attribute(case.kind), _attribute(case.message)
        yield f"  <{case.outcome} type={kind} message={message}>{text}</{case.outcome}>"
    yield "</testcase>"


def _numbers(cases: Iterable[_Case]) -> str:
    outcomes = [case.outcome for case in cases]
    return (
        f'tests="{len(outcomes)}" failures="{outcomes.count(_FAILURE)}" errors="{outcomes.count(_ERROR)}" '
        f'skipped="{outcomes.count(_SKIPPED)}"'
    )


def _attribute(text: str) -> str:
    # What XML 1.0 cannot hold at all is shown as an escape, like everything invisible.
    return quoteattr(visible(text))
