"""Findings known before: a baseline file, and the comparison with another revision.

Both go by fingerprint, which holds no line, so moved code is not new. Both count: of two equal findings with one known
before, one is new. A finding known in the same file goes first. One known elsewhere may have moved, but only from a
file that is looked at or gone: the same resource in another cluster's folder, untouched, still has it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from gitops_guard.errors import BaselineError
from gitops_guard.model import Finding, Report

_VERSION: Final = 1
_MAX_SIZE: Final = 64 * 1024 * 1024

_Known = tuple[str, str]
"""(fingerprint, path)."""

_Key = TypeVar("_Key")


def anywhere(_path: str) -> bool:
    """Say of every path that it is looked at: nothing is left out of the run."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How often each fingerprint was known, and where."""

    counts: "Counter[_Known]"


def write(report: Report) -> bytes:
    """Return the baseline file of a report: sorted, so that it makes small diffs.

    Rule and resource stand there for people who review it; fingerprints and paths are compared.
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
    return Baseline(counts=Counter(_known(content.get("findings"))))


def apply(report: Report, baseline: Baseline, *, looked_at: Callable[[str], bool] = anywhere) -> Report:
    """Leave out the findings that the baseline knows and count them as suppressed.

    Args:
        report: Of this run.
        baseline: What was known before.
        looked_at: Tells of a path whether this run would show its findings, if it has any.
    """
    new = _unknown(report.findings, baseline.counts, looked_at)
    known = len(report.findings) - len(new)
    return replace(report, findings=new, suppressed=report.suppressed + known)


def new_findings(
    head: Iterable[Finding], base: Iterable[Finding], *, looked_at: Callable[[str], bool] = anywhere
) -> tuple[Finding, ...]:
    """Return the findings of the head that the base does not have, in the order given.

    Of equal findings in one file the later ones count as new: which of them it is, nobody can say.

    Args:
        head: Findings of this run.
        base: Findings of the whole other revision.
        looked_at: Tells of a path whether this run would show its findings, if it has any.
    """
    return _unknown(head, Counter(_place(finding) for finding in base), looked_at)


def _unknown(
    findings: Iterable[Finding], known: "Counter[_Known]", looked_at: Callable[[str], bool]
) -> tuple[Finding, ...]:
    here = Counter(known)
    elsewhere = [finding for finding in findings if not _take(here, _place(finding))]
    moved: Counter[str] = Counter()
    for (name, path), count in here.items():
        if count and looked_at(path):
            moved[name] += count
    return tuple(finding for finding in elsewhere if not _take(moved, finding.fingerprint))


def _take(left: "Counter[_Key]", key: _Key) -> bool:
    there = left[key] > 0
    left[key] -= there
    return there


def _place(finding: Finding) -> _Known:
    return finding.fingerprint, finding.location.path


def _row(finding: Finding) -> dict[str, str]:
    return {
        "path": finding.location.path,
        "rule": finding.rule,
        "resource": str(finding.resource) if finding.resource is not None else "",
        "field": finding.field,
        "fingerprint": finding.fingerprint,
    }


def _known(rows: Any) -> list[_Known]:
    if not isinstance(rows, list):
        raise BaselineError('the baseline has no list "findings"; write it anew with --write-baseline')
    found: list[_Known] = []
    for number, row in enumerate(rows):
        name = row.get("fingerprint") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            raise BaselineError(f"findings[{number}] of the baseline has no fingerprint")
        path = row.get("path")
        found.append((name, path if isinstance(path, str) else ""))
    return found
