"""replicas-removed: a workload whose spec.replicas leaves Git falls to one pod."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import replicas, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads of several pods whose spec.replicas is removed."""
    for pair in change.workloads:
        if pair.after is None or pair.old is None or pair.id.kind == "DaemonSet" or replicas(pair.old) <= 1:
            continue
        if spec_of(pair.old).get("replicas") is not None and spec_of(pair.after.body).get("replicas") is None:
            message = (
                f"spec.replicas {replicas(pair.old)} is removed: the API server sets 1 when the owner of the field"
                " gives it up, until an autoscaler reacts"
            )
            hint = "hand the field over first: kubectl apply --server-side --field-manager=... --force-conflicts"
            yield Hazard(pair.after, Problem(rule="replicas-removed", field=("spec",), message=message, hint=hint))
