"""single-replica-downtime: the only pod may be missing while it is replaced."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import replicas, rolling


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments of one replica whose maxUnavailable comes to 1."""
    for pair in change.workloads:
        if pair.after is None or pair.old is None or not pair.rolls or not replicas(pair.old):
            continue
        spec = rolling(pair.after.body)
        if spec is not None and spec.replicas == 1 and spec.budget.unavailable == 1:
            message = "the only pod may go before its successor is ready: maxUnavailable comes to 1 of 1 replicas"
            hint = "maxSurge: 1 and maxUnavailable: 0"
            field = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
            yield Hazard(pair.after, Problem(rule="single-replica-downtime", field=field, message=message, hint=hint))
