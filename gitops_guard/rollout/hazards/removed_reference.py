"""removed-reference: the change removes what its pods still refer to."""

from collections.abc import Iterator

from gitops_guard.links.pods import attachments
from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.configuration import uses
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import POD_SPEC, pod_spec

_ADMITTED_BY = {
    "serviceAccountName": "ServiceAccount",
    "priorityClassName": "PriorityClass",
    "runtimeClassName": "RuntimeClass",
}
"""Fields whose object has to be there when a pod is created."""


_EFFECTS = {
    "PersistentVolumeClaim": "new pods stay Pending",
    "Secret": "images of new pods are pulled without it",
}
"""What comes of it that a pod is attached to what is gone."""


def find(change: Change) -> Iterator[Hazard]:
    """Yield references to ConfigMaps, Secrets, claims and accounts that were there before and are not after."""
    for workload, reference, config in uses(change):
        if config.after is None and not reference.optional and workload.after is not None:
            message = (
                f"the change removes {reference.kind} {reference.name}: pods that start later wait for it for ever"
            )
            yield Hazard(workload.after, Problem(rule="removed-reference", field=reference.path, message=message))
    for pair in change.workloads:
        if pair.after is not None:
            for removed in _removed(pair, change):
                yield Hazard(pair.after, removed)


def _removed(workload: Pair, change: Change) -> Iterator[Problem]:
    spec, namespace = pod_spec(workload.new or {}), workload.scope
    for one in attachments(spec, POD_SPEC):
        effect = _EFFECTS.get(one.kind)
        if effect is not None and _is_removed(change, one.kind, namespace, one.name):
            message = f"the change removes {one.kind} {one.name}: {effect}"
            yield Problem(rule="removed-reference", field=one.path, message=message)
    for key, kind in _ADMITTED_BY.items():
        name, scope = spec.get(key), namespace if kind == "ServiceAccount" else ""
        if isinstance(name, str) and _is_removed(change, kind, scope, name):
            message = f"the change removes {kind} {name}: every pod is refused (FailedCreate)"
            yield Problem(rule="removed-reference", field=(*POD_SPEC, key), message=message)


def _is_removed(change: Change, kind: str, namespace: str, name: str) -> bool:
    pair = change.find_any(kind, namespace, name)
    return pair is not None and pair.after is None
