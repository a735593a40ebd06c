"""replicas-cut-in-rollout: fewer replicas and a new template in one change may leave no available pod."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import replicas, rolling


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments whose replicas are cut by the same change."""
    for pair in change.workloads:
        if pair.after is None or pair.old is None or not pair.rolls or rolling(pair.after.body) is None:
            continue
        old, new = replicas(pair.old), replicas(pair.after.body)
        if 0 < new < old:
            message = (
                f"replicas fall from {old} to {new} together with a new template: on stale statuses the controller"
                " may retire available pods beyond maxUnavailable"
            )
            hint = "two changes, the second when the first is done"
            problem = Problem(rule="replicas-cut-in-rollout", field=("spec", "replicas"), message=message, hint=hint)
            yield Hazard(pair.after, problem)
