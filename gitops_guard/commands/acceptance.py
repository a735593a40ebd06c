"""What of a tree's findings counts: the configuration's severities, and what somebody accepted for a reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.markers import may_suppress
from gitops_guard.check.run import Outcome
from gitops_guard.check.skip_reasons import WAIVER
from gitops_guard.commands.pack_policies import dormant_policies
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.model import Finding, Resource, WaiverUse
from gitops_guard.repo.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Findings, sorted out."""

    reported: tuple[Finding, ...]
    """Those that nobody accepted, and those about the suppressions themselves."""

    silenced: int = 0
    """How many were accepted."""

    waivers: tuple[WaiverUse, ...] = ()
    """All waivers that were seen, sorted by place."""


def sort_out(workspace: Workspace, tree: Tree, outcome: Outcome, today: date, *, whole: bool) -> Acceptance:
    """Apply severities and suppressions.

    Args:
        workspace: Its configuration decides.
        tree: What was checked; comments and annotations are read from it.
        outcome: What was found there.
        today: Decides which suppressions have expired.
        whole: Everything was checked, so a selector that silenced nothing is unused.
    """
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    findings = _with_severities(outcome.findings, scopes)
    strays = {entry.path for entry in outcome.coverage.skipped if entry.reason == WAIVER}
    waivers = () if workspace.waivers is None else workspace.waivers.found
    if not (outcome.mentioning or workspace.config.suppressions or waivers or strays):
        return Acceptance(reported=tuple(findings))
    from gitops_guard.check.judge import resources_of  # heavy, and not needed where nothing is suppressed
    from gitops_guard.check.suppress import suppress
    from gitops_guard.commands.waivers import elsewhere, labels_in

    texts: dict[str, str] = {}
    resources: list[Resource] = []
    for path in outcome.mentioning:
        data = tree.read(path)
        if may_suppress(data):
            texts[path] = data.decode("utf-8", "replace")
            resources.extend(resources_of(path, data))
    suppressed = suppress(
        findings,
        sources=texts,
        resources=resources,
        config=workspace.config,
        today=today,
        known_rules={*ENGINE_RULES, *(rule.id for _, rule in workspace.extensions.rules)},
        dormant=dormant_policies(workspace.extensions.policies, workspace.config) | outcome.not_asked,
        unread={*outcome.partly, *(error.path for error in outcome.errors)},
        whole_tree=whole,
        waivers=waivers,
        labels_of=labels_in(tree),
    )
    outside = list(elsewhere(tree, strays, frozenset() if workspace.waivers is None else workspace.waivers.paths))
    misplaced = _with_severities([finding for _, finding in outside], scopes)
    return Acceptance(
        reported=(*suppressed.kept, *suppressed.extra, *misplaced),
        silenced=len(suppressed.silenced),
        waivers=tuple(sorted((*suppressed.waivers, *(use for use, _ in outside)), key=_place)),
    )


def _place(use: WaiverUse) -> tuple[str, int]:
    return use.path, use.line


def _with_severities(findings: Sequence[Finding], scopes: Scopes) -> list[Finding]:
    """Apply the configuration's severities; a rule that is off is not reported."""
    settled: list[Finding] = []
    for finding in findings:
        severity = scopes.at(finding.location.path).severity_of(finding.rule, finding.severity)
        if severity is not None:
            settled.append(finding if severity is finding.severity else replace(finding, severity=severity))
    return settled
