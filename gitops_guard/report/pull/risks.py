"""What a reviewer must not overlook, by class, the most dangerous first; each entry names what gives it away."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from gitops_guard.model import Action, Change, ChangeClass, FieldChange, FieldOp, Finding, Json
from gitops_guard.model.pull import UnitChanges
from gitops_guard.model.rollout import Rollout, RolloutVerdict
from gitops_guard.report.pull.images import Bump, bumps


class Risk(StrEnum):
    """A class of risk; the order is that of danger."""

    DELETES = "deletes what holds data or others"
    IMMUTABLE = "has to be created anew"
    SECURITY = "security"
    AVAILABILITY = "availability"
    REMOVES = "deletes"
    MAJOR = "major version"
    REMOVED_API = "API that is gone or going"

    @property
    def rank(self) -> int:
        """Return the place in the order of danger; 0 is the most dangerous."""
        return tuple(Risk).index(self)


class Evidence(NamedTuple):
    """One reason to look."""

    risk: Risk
    what: str
    """From content: to be escaped."""

    why: str
    """In our own words; empty where the risk's name says it all."""


HOLDERS: Final = frozenset(
    (
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Namespace",
        "CustomResourceDefinition",
        "StatefulSet",
        "HelmRelease",
        "HelmChart",
        "Kustomization",
        "Application",
        "ApplicationSet",
    )
)
"""Kinds whose deletion takes data, or other objects, with it; those that deploy others take these."""

_APIS: Final = frozenset(("deprecated-api", "removed-api"))
_BOUND: Final = frozenset(("ClusterRoleBinding", "RoleBinding", "ClusterRole", "Role"))
_DANGEROUS: Final = frozenset(
    ("privileged", "hostPath", "hostNetwork", "hostPID", "hostIPC", "allowPrivilegeEscalation", "capabilities")
)
_ROLLOUTS: Final = {
    RolloutVerdict.STUCK: "the rollout never ends by itself",
    RolloutVerdict.DOWNTIME: "no pod is available for some time",
    RolloutVerdict.DEGRADED: "fewer pods are available than wanted",
}


def evidence(unit: UnitChanges) -> tuple[Evidence, ...]:
    """Return the reasons to look at a unit, the most dangerous first."""
    found = [one for change in unit.effective for one in _of_change(change)]
    found += [_of_bump(bump) for bump in bumps(unit.changes) if bump.is_major]
    found += [one for rollout in unit.rollouts or () for one in _of_rollout(rollout)]
    return tuple(sorted(set(found), key=lambda one: (one.risk.rank, one.what, one.why)))


def of_findings(findings: tuple[Finding, ...]) -> tuple[Evidence, ...]:
    """Return the reasons to look that findings give."""
    return tuple(Evidence(Risk.REMOVED_API, _subject(one), "") for one in findings if one.rule in _APIS)


def _subject(finding: Finding) -> str:
    return str(finding.resource) if finding.resource is not None else finding.location.path


def _of_change(change: Change) -> Iterator[Evidence]:
    name = str(change.id)
    if change.action is Action.DELETED:
        yield Evidence(Risk.DELETES if change.id.kind in HOLDERS else Risk.REMOVES, name, "")
        if change.id.kind == "NetworkPolicy":
            yield Evidence(Risk.SECURITY, name, "traffic that it kept out gets in")
        if change.id.kind == "PodDisruptionBudget":
            yield Evidence(Risk.AVAILABILITY, name, "a drain may take all pods at once")
        return
    if ChangeClass.IMMUTABLE in change.classes:
        yield Evidence(Risk.IMMUTABLE, name, "the API server refuses to change it in place")
    if change.id.kind in _BOUND:
        yield Evidence(Risk.SECURITY, name, "who may do what changes")
    if change.action is Action.CREATED:
        shown = change.shown_after or {}
        if any(_holds(shown, key) for key in sorted(_DANGEROUS)):
            yield Evidence(Risk.SECURITY, name, "reaches beyond its container")
    for field in change.fields:
        yield from _of_field(name, change, field)


def _of_field(name: str, change: Change, field: FieldChange) -> Iterator[Evidence]:
    added = field.op is not FieldOp.REMOVED
    if added and (not _DANGEROUS.isdisjoint(field.path) or any(_holds(field.new, key) for key in sorted(_DANGEROUS))):
        yield Evidence(Risk.SECURITY, name, "reaches beyond its container")
    if field.path == ("spec", "replicas") and field.new == 0 and added:
        yield Evidence(Risk.AVAILABILITY, name, "scaled to no pods")
    if change.id.kind == "PodDisruptionBudget" and field.path[:1] == ("spec",):
        yield Evidence(Risk.AVAILABILITY, name, "how many pods may go at a time changes")


def _holds(value: object, key: str) -> bool:
    """Tell whether a tree sets something to another value than false."""
    if isinstance(value, dict):
        return any((name == key and _is_on(item)) or _holds(item, key) for name, item in value.items())
    return isinstance(value, list) and any(_holds(item, key) for item in value)


def _is_on(value: Json) -> bool:
    adds = value.get("add") if isinstance(value, dict) and ("add" in value or "drop" in value) else value
    return bool(adds)


def _of_bump(bump: Bump) -> Evidence:
    return Evidence(Risk.MAJOR, bump.name, f"{bump.kind} changes its major version")


def _of_rollout(rollout: Rollout) -> Iterator[Evidence]:
    if rollout.verdict in _ROLLOUTS:
        yield Evidence(Risk.AVAILABILITY, str(rollout.resource), _ROLLOUTS[rollout.verdict])
