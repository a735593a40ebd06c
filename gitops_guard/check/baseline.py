"""Findings known before: a baseline file, and the comparison with another revision.

Both go by fingerprint, which holds no line, so moved code is not new. Both count: of two equal findings with one known
before, one is new.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from gitops_guard.errors import BaselineError
from gitops_guard.model import Finding, Report

_VERSION: Final = 1
_MAX_SIZE: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How often each fingerprint was known."""

    counts: "Counter[str]"


def write(report: Report) -> bytes:
    """Return the baseline file of a report: sorted, so that it makes small diffs.

    Rule, path and resource stand there for people who review it; only fingerprints are compared.
    """
    rows = sorted(
        (_row(finding) for finding in report.findings), key=lambda row: [str(value) for value in row.values()]
    )
    text = json.dumps({"version": _VERSION, "findings": rows}, indent=2)
    return f"{text}\n".encode("ascii")


def read(data: bytes) -> Baseline:
    """Read a baseline file.

    Raises:
        BaselineError: It is none, or of a version that this program does not know.
    """
    if len(data) > _MAX_SIZE:
        raise BaselineError(f"the baseline is larger than {_MAX_SIZE} bytes")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise BaselineError("the baseline is no JSON; write it anew with --write-baseline") from None
    if not isinstance(content, dict) or "version" not in content:
        raise BaselineError('the baseline has no "version"; write it anew with --write-baseline')
    if content["version"] != _VERSION or isinstance(content["version"], bool):
        raise BaselineError(f"the baseline has another version than {_VERSION}; write it anew with --write-baseline")
    return Baseline(counts=Counter(_fingerprints(content.get("findings"))))


def apply(report: Report, baseline: Baseline) -> Report:
    """Leave out the findings that the baseline knows and count them as suppressed."""
    new = _unknown(report.findings, baseline.counts)
    known = len(report.findings) - len(new)
    return replace(report, findings=new, suppressed=report.suppressed + known)


def new_findings(head: Iterable[Finding], base: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of the head that the base does not have, in the order given.

    Of equal findings the later ones count as new: which of them it is, nobody can say.
    """
    return _unknown(head, Counter(finding.fingerprint for finding in base))


def _unknown(findings: Iterable[Finding], known: "Counter[str]") -> tuple[Finding, ...]:
    left = Counter(known)
    new: list[Finding] = []
    for finding in findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
        else:
            new.append(finding)
    return tuple(new)


def _row(finding: Finding) -> dict[str, str]:
    return {
        "path": finding.location.path,
        "rule": finding.rule,
        "resource": str(finding.resource) if finding.resource is not None else "",
        "field": finding.field,
        "fingerprint": finding.fingerprint,
    }


def _fingerprints(rows: Any) -> list[str]:
    if not isinstance(rows, list):
        raise BaselineError('the baseline has no list "findings"; write it anew with --write-baseline')
    found: list[str] = []
    for number, row in enumerate(rows):
        name = row.get("fingerprint") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            raise BaselineError(f"findings[{number}] of the baseline has no fingerprint")
        found.append(name)
    return found
