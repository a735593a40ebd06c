"""The github format: workflow commands that GitHub Actions turns into annotations on the lines of a pull request.

Every value is escaped twice over: made visible, so that no content can start a command of its own, then by the rules
of workflow commands (`%`, CR, LF; in properties also `:` and `,`).
"""

from typing import Final, TextIO

from gitops_guard.model import CheckError, Finding, Report, Severity
from gitops_guard.report import FormatOptions
from gitops_guard.report.visible import visible
from gitops_guard.report.words import COULD_NOT_CHECK, coverage_lines, sentence, subject

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def write(report: Report, out: TextIO, options: FormatOptions) -> None:
    """Write one command a line, then the coverage as plain lines of the job's log."""
    out.writelines(f"{_error(error)}\n" for error in report.errors)
    out.writelines(f"{_finding(finding)}\n" for finding in report.findings)
    out.writelines(f"gitops-guard: {visible(line)}\n" for line in coverage_lines(report, verbose=options.verbose))


def _error(error: CheckError) -> str:
    properties: dict[str, str | int] = {"file": error.path, "line": error.line, "col": error.column}
    title = f"{COULD_NOT_CHECK}: {error.rule}" if error.rule else COULD_NOT_CHECK
    return _command("error", properties | {"title": title}, error.message)


def _finding(finding: Finding) -> str:
    at = finding.location
    properties: dict[str, str | int] = {"file": at.path, "line": at.line}
    # Columns belong to annotations of one line only, and GitHub counts the last one in.
    if at.end_line <= at.line:
        properties |= {"col": at.column, "endLine": at.line, "endColumn": max(at.end_column - 1, at.column)}
    else:
        properties |= {"endLine": at.end_line}
    parts = [sentence(finding), subject(finding), finding.hint, finding.doc_url]
    message = "\n".join(visible(part) for part in parts if part)
    return _command(_COMMANDS[finding.severity], properties | {"title": finding.rule}, message)


def _command(name: str, properties: dict[str, str | int], message: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    text = "\n".join(visible(line) for line in message.split("\n"))
    return f"::{name} {said}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str | int) -> str:
    return _data(visible(str(value))).replace(":", "%3A").replace(",", "%2C")
