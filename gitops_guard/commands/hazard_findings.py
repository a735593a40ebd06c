"""From hazards to findings: with a line, a severity in force, and without what somebody accepted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.markers import may_suppress
from gitops_guard.check.selector import LabelsOf
from gitops_guard.check.suppress import suppress
from gitops_guard.commands.manifests import Manifests
from gitops_guard.commands.waivers import labels_of
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.model import Finding, fingerprint, format_field_path
from gitops_guard.rollout.hazards.hazard import Hazard


class Reported(NamedTuple):
    """The hazards of a change."""

    kept: tuple[Finding, ...]
    silenced: int


def findings_of(hazards: Iterable[Hazard], manifests: Manifests, workspace: Workspace, today: date) -> Reported:
    """Locate hazards, and apply severities and suppressions.

    Args:
        hazards: Of resources in `manifests`.
        manifests: The side after the change.
        workspace: Its configuration decides.
        today: Decides which suppressions have expired.
    """
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    found = [_finding(hazard, manifests) for hazard in hazards]
    settled: list[Finding] = []
    for finding in found:
        severity = scopes.at(finding.location.path).severity_of(finding.rule, finding.severity)
        if severity is not None:
            settled.append(replace(finding, severity=severity))
    settled.sort(key=lambda finding: finding.sort_key)
    return _accepted(_told_apart(settled), manifests, workspace, today)


def _finding(hazard: Hazard, manifests: Manifests) -> Finding:
    resource, problem = hazard
    return Finding(
        rule=problem.rule,
        severity=problem.severity or ENGINE_RULES[problem.rule].severity,
        message=problem.message,
        resource=resource.id,
        field=format_field_path(problem.field),
        location=manifests.locate(resource, problem.field),
        hint=problem.hint,
        fingerprint=fingerprint(problem.rule, resource.origin.path, resource.id, problem.field),
    )


def _told_apart(findings: Iterable[Finding]) -> list[Finding]:
    """Give equal findings of one place fingerprints of their own."""
    seen: Counter[str] = Counter()
    told: list[Finding] = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        number = seen[finding.fingerprint]
        told.append(replace(finding, fingerprint=f"{finding.fingerprint}-{number}") if number > 1 else finding)
    return told


def _accepted(findings: list[Finding], manifests: Manifests, workspace: Workspace, today: date) -> Reported:
    texts = {path: data.decode("utf-8", "replace") for path, data in manifests.texts.items() if may_suppress(data)}
    waivers = () if workspace.waivers is None else workspace.waivers.found
    if not findings or not (texts or workspace.config.suppressions or waivers):
        return Reported(tuple(findings), 0)
    sorted_out = suppress(
        findings,
        sources=texts,
        resources=[resource for resource in manifests.resources if resource.origin.path in texts],
        config=workspace.config,
        today=today,
        known_rules={*ENGINE_RULES, *(rule.id for _, rule in workspace.extensions.rules)},
        whole_tree=False,
        waivers=waivers,
        labels_of=_labels_in(manifests),
    )
    # What is wrong with suppressions themselves is for `check` to say, which knows all rules' findings.
    return Reported(sorted_out.kept, len(sorted_out.silenced))


def _labels_in(manifests: Manifests) -> LabelsOf:
    known = {resource.id: labels_of(resource.body) for resource in manifests.resources}
    return lambda finding: {} if finding.resource is None else known.get(finding.resource, {})
