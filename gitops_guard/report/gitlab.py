"""The gitlab format: a Code Quality report, a JSON array. Coverage has no place in it; the json format has it."""

import hashlib
import json
from collections import Counter
from typing import Any, Final, TextIO

from gitops_guard.model import CheckError, Finding, Report, Severity, WaiverUse
from gitops_guard.report import FormatOptions
from gitops_guard.report.visible import visible
from gitops_guard.report.words import COULD_NOT_CHECK, place, sentence, subject, waiver_line

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def write(report: Report, out: TextIO, _options: FormatOptions) -> None:
    """Write the array: what could not be checked first, as blockers; waivers last, so that a new one shows as new."""
    entries = [_error(error) for error in report.errors] + [_finding(finding) for finding in report.findings]
    entries += [_waiver(use) for use in report.waivers]
    json.dump(_with_unique_fingerprints(entries), out, indent=2)
    out.write("\n")


def _finding(finding: Finding) -> dict[str, Any]:
    parts = [subject(finding), sentence(finding), finding.hint]
    description = ": ".join(visible(part) for part in parts if part)
    at = finding.location
    return _entry(description, finding.rule, finding.fingerprint, _SEVERITIES[finding.severity], at.path, at.line)


def _error(error: CheckError) -> dict[str, Any]:
    text = f"{COULD_NOT_CHECK}: {error.message}"
    digest = hashlib.sha256(f"{place(error)}\0{error.message}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return _entry(visible(text), error.rule or "could-not-check", digest, "blocker", error.path, error.line)


def _waiver(use: WaiverUse) -> dict[str, Any]:
    digest = hashlib.sha256(f"waiver\0{use.path}\0{use.name}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return _entry(visible(waiver_line(use)), "waiver", digest, "info", use.path, use.line)


def _entry(description: str, rule: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": visible(rule),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path or ".", "lines": {"begin": max(line, 1)}},
    }


def _with_unique_fingerprints(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell equal fingerprints apart by their order: GitLab drops entries that share one."""
    seen: Counter[str] = Counter()
    for entry in entries:
        name = entry["fingerprint"]
        seen[name] += 1
        if seen[name] > 1:
            entry["fingerprint"] = f"{name}-{seen[name]}"
    return entries
