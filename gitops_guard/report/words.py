"""The sentences that formats for people share: counts, and what a run covered."""

from collections import Counter
from collections.abc import Iterator

from gitops_guard.model import CheckError, Counts, Coverage, Finding, Report, WaiverState, WaiverUse
from gitops_guard.model.unit import NOT_RENDERED
from gitops_guard.wording import rendered_line

COULD_NOT_CHECK = "could not check"
"""How every format calls an error: it is no finding and no pass."""


_MOST_UNRENDERED = 5


def count(number: int, noun: str, several: str = "") -> str:
    """Return `1 file`, `2 files`; `several` where the plural does not end in an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or f'{noun}s'}"


def verdict(report: Report) -> str:
    """Say the outcome in one line: `1 thing could not be checked; 2 errors, 1 warning`."""
    found = ", ".join(_counts(report.counts)) or "no findings"
    if report.errors:
        return f"{count(len(report.errors), 'thing')} could not be checked; {found}"
    return found


def coverage_lines(report: Report, *, verbose: bool = False) -> list[str]:
    """Say what was validated, by which versions, what was skipped and why, what was silenced, and by which waivers."""
    coverage = report.coverage
    lines = [_validated(coverage)]
    if coverage.schema_only:
        lines.append(f"schema only, rules that belong to it not evaluated: {count(coverage.schema_only, 'resource')}")
    if coverage.units:
        lines.append(rendered_line(objects=coverage.rendered, units=coverage.units))
    lines.extend(_unrendered(coverage, verbose=verbose))
    if verbose and not coverage.references_followed:
        lines.append("references between files: not followed in a hook on single files")
    if coverage.skipped:
        lines.append(f"skipped: {len(coverage.skipped)} ({_reasons(coverage)})")
        if verbose:
            lines.extend(
                f"  {entry.path}: {entry.resource or 'whole file'}: {entry.reason}" for entry in coverage.skipped
            )
    if report.suppressed:
        lines.append(f"silenced by suppressions or the baseline: {count(report.suppressed, 'finding')}")
    lines.extend(waiver_line(use) for use in report.waivers)
    return lines


def _unrendered(coverage: Coverage, *, verbose: bool) -> Iterator[str]:
    """Name what was not judged as rendered: few of them, and how many more there are."""
    if not coverage.unrendered:
        return
    yield f"not judged as rendered: {count(len(coverage.unrendered), 'unit or part of one', 'units or parts of them')}"
    shown = coverage.unrendered if verbose else coverage.unrendered[:_MOST_UNRENDERED]
    yield from (f"  {place(entry)}: {entry.message.removeprefix(NOT_RENDERED)}" for entry in shown)
    if len(shown) < len(coverage.unrendered):
        yield f"  {len(coverage.unrendered) - len(shown)} more; -v names them"


def subject(finding: Finding) -> str:
    """Return the printed id of the resource that a finding is about; empty when it is about a file."""
    return str(finding.resource) if finding.resource is not None else ""


def sentence(finding: Finding) -> str:
    """Return `field: message`, or the message alone at the root."""
    return f"{finding.field}: {finding.message}" if finding.field else finding.message


def place(entry: CheckError) -> str:
    """Return as much of `path:line:column` as is known."""
    parts = [entry.path or "gitops-guard"]
    if entry.line:
        parts.append(str(entry.line))
        if entry.column:
            parts.append(str(entry.column))
    return ":".join(parts)


def reasons(coverage: Coverage) -> list[tuple[str, int]]:
    """Count what was skipped by reason, most frequent first."""
    counted = Counter(entry.reason for entry in coverage.skipped)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def waiver_line(use: WaiverUse) -> str:
    """Say what a waiver silenced, until when, by whom and why."""
    became = f"{count(len(use.findings), 'finding')} accepted" if use.state is WaiverState.IN_FORCE else str(use.state)
    terms = [became, *([f"until {use.expires}"] if use.expires else ()), *([f"by {use.owner}"] if use.owner else ())]
    about = f"waiver {use.name} ({use.path}:{use.line}) of {', '.join(use.rules)}"
    return f"{about}: {', '.join(terms)}: {use.reason or 'no reason given'}"


def _validated(coverage: Coverage) -> str:
    versions = ", ".join(coverage.versions)
    against = f" against Kubernetes {versions}" if versions else ""
    resources = f"{coverage.validated} of {count(coverage.resources, 'resource')}"
    return f"validated: {resources} in {count(coverage.files, 'file')}{against}"


def _reasons(coverage: Coverage) -> str:
    return ", ".join(f"{reason}: {number}" for reason, number in reasons(coverage))


def _counts(counts: Counts) -> list[str]:
    rows = ((counts.error, "error"), (counts.warning, "warning"), (counts.note, "note"))
    return [count(number, noun) for number, noun in rows if number]
