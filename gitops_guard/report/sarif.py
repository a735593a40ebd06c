"""The sarif format: SARIF 2.1.0, for code scanning.

What a waiver accepted is a result with a suppression, so that viewers which know these can show it as accepted.

Errors ("could not check") are tool notifications of the invocation, not results: no baseline may hide them. Source
text is never embedded, since it may be a Secret's.
"""

import json
from typing import Any, Final, TextIO
from urllib.parse import quote

from gitops_guard import __version__
from gitops_guard.model import CheckError, Finding, Location, Report, WaiverUse
from gitops_guard.report import FormatOptions
from gitops_guard.report.json_report import check_object
from gitops_guard.report.words import place, sentence, subject

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "SRCROOT"


def write(report: Report, out: TextIO, options: FormatOptions) -> None:
    """Write one run."""
    json.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, options)]}, out, indent=2)
    out.write("\n")


def _run(report: Report, options: FormatOptions) -> dict[str, Any]:
    waived = [(finding, use) for use in report.waivers for finding in use.findings]
    everything = [*report.findings, *(finding for finding, _ in waived)]
    rules = sorted({finding.rule for finding in everything})
    index = {rule: number for number, rule in enumerate(rules)}
    urls = {finding.rule: finding.doc_url for finding in everything if _is_url(finding.doc_url)}
    driver = {
        "name": "gitops-guard",
        "semanticVersion": __version__,
        "rules": [_rule(rule, urls.get(rule, ""), options) for rule in rules],
    }
    check = check_object(report)
    return {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(report)],
        "results": [
            *(_result(finding, index[finding.rule]) for finding in report.findings),
            *(_waived(_result(finding, index[finding.rule]), use) for finding, use in waived),
        ],
        "properties": {
            "coverage": check["coverage"],
            "suppressed": check["suppressed"],
            "waivers": [{**waiver, "findings": len(waiver["findings"])} for waiver in check["waivers"]],
        },
    }


def _rule(rule: str, url: str, options: FormatOptions) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": rule, "shortDescription": {"text": options.summaries.get(rule, rule)}}
    if url:
        entry["helpUri"] = url
    return entry


def _is_url(text: str) -> bool:
    return text.startswith("https://") and quote(text, safe="/:?#[]@!$&'()*+,;=%-._~") == text


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = sentence(finding)
    hint = f" ({finding.hint})" if finding.hint else ""
    location: dict[str, Any] = {"physicalLocation": _physical(finding.location)}
    if name := subject(finding):
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": {"text": f"{text}{hint}"},
        "locations": [location],
        "partialFingerprints": {"gitopsGuard/v1": finding.fingerprint},
    }


def _waived(result: dict[str, Any], use: WaiverUse) -> dict[str, Any]:
    """Mark a result as suppressed, by whom and why."""
    at = Location(path=use.path, line=use.line, column=1, end_line=use.line, end_column=1)
    suppression = {
        "kind": "external",
        "status": "accepted",
        "justification": use.reason,
        "location": {"physicalLocation": _physical(at)},
        "properties": {"waiver": use.name, "owner": use.owner, "expires": use.expires},
    }
    return {**result, "suppressions": [suppression]}


def _physical(at: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(at.path)}
    if at.line >= 1:
        column = max(at.column, 1)
        end_line = max(at.end_line, at.line)
        # A region on one line must not end before it starts.
        end_column = max(at.end_column, column if end_line == at.line else 1)
        physical["region"] = {
            "startLine": at.line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        }
    return physical


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.encode("utf-8", "surrogatepass")), "uriBaseId": _ROOT}


def _invocation(report: Report) -> dict[str, Any]:
    return {
        "executionSuccessful": not report.errors,
        "toolExecutionNotifications": [_notification(error) for error in report.errors],
    }


def _notification(error: CheckError) -> dict[str, Any]:
    entry: dict[str, Any] = {"level": "error", "message": {"text": f"could not check {place(error)}: {error.message}"}}
    if error.path:
        at = Location(
            path=error.path, line=error.line, column=error.column, end_line=error.line, end_column=error.column
        )
        entry["locations"] = [{"physicalLocation": _physical(at)}]
    if error.rule:
        entry["descriptor"] = {"id": error.rule}
    return entry
