"""removed-reference: the change removes what its pods still refer to."""

from collections.abc import Iterator

from gitops_guard.links.pods import attachments
from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.configuration import uses
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import POD_SPEC, pod_spec

_EFFECTS = {
    "PersistentVolumeClaim": "new pods stay Pending",
    "ServiceAccount": "every pod is refused (FailedCreate)",
}


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
    for one in attachments(pod_spec(workload.new or {}), POD_SPEC):
        pair = change.find(one.kind, workload.scope, one.name)
        if one.kind in _EFFECTS and pair is not None and pair.after is None:
            message = f"the change removes {one.kind} {one.name}: {_EFFECTS[one.kind]}"
            yield Problem(rule="removed-reference", field=one.path, message=message)
