"""What a change brings in findings: those of the head that the base does not have."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from gitops_guard.check import baseline
from gitops_guard.commands.acceptance import sort_out
from gitops_guard.commands.check import CheckRequest, check_side
from gitops_guard.commands.policy_run import BaseReader, read_base_of
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import CheckError, Finding
from gitops_guard.model.finding import WaiverUse
from gitops_guard.model.pull import Accepted
from gitops_guard.repo.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFindings:
    """The head's findings and errors, sorted out by the base's."""

    findings: tuple[Finding, ...]
    known: int
    silenced: int
    accepted: tuple[Accepted, ...]
    errors: tuple[CheckError, ...]
    """What can no longer be checked."""

    known_errors: int
    versions: tuple[str, ...]


def new_findings(
    workspace: Workspace,
    before: Tree,
    request: CheckRequest,
    environment: Mapping[str, str],
    *,
    base: str,
    head: str,
    today: date,
) -> NewFindings:
    """Check both sides by the configuration of the head.

    Args:
        workspace: Of the head.
        before: The base's tree.
        request: How to check: policies, cache, processes.
        environment: The process's variables.
        base: The base's commit.
        head: The head's commit.
        today: Decides which suppressions have expired.
    """
    reader = read_base_of(workspace, staged=False, from_rev=base, to_rev=head)
    after = check_side(workspace, workspace.tree, request, environment, None, base=reader)
    kept = sort_out(workspace, workspace.tree, after, today, whole=True)
    earlier = check_side(workspace, before, request, environment, None, base=BaseReader())
    known = sort_out(workspace, before, earlier, today, whole=True)
    found = baseline.new_findings(kept.reported, known.reported)
    errors = _new_errors(after.errors, earlier.errors)
    plugins = [CheckError(path="", line=0, column=0, message=text) for text in workspace.extensions.problems]
    return NewFindings(
        findings=tuple(sorted(found, key=lambda finding: finding.sort_key)),
        known=len(kept.reported) - len(found),
        silenced=kept.silenced,
        accepted=tuple(sorted(_accepted(use) for use in kept.waivers if use.findings)),
        errors=tuple(sorted((*plugins, *errors), key=lambda error: error.sort_key)),
        known_errors=len(after.errors) - len(errors),
        versions=after.coverage.versions,
    )


def _accepted(use: WaiverUse) -> Accepted:
    return Accepted(
        rules=use.rules,
        reason=use.reason,
        owner=use.owner,
        expires=use.expires,
        path=use.path,
        line=use.line,
        findings=len(use.findings),
    )


def _new_errors(after: Iterable[CheckError], before: Iterable[CheckError]) -> list[CheckError]:
    """Leave out what could not be checked in the base for the same reason, wherever in the file it stood."""
    known = Counter((error.path, error.rule, error.message) for error in before)
    found: list[CheckError] = []
    for error in after:
        key = (error.path, error.rule, error.message)
        if known[key]:
            known[key] -= 1
        else:
            found.append(error)
    return found
