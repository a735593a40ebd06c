"""recreate-downtime: all old pods go before the first new one starts."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import replicas, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments whose strategy is Recreate."""
    for pair in change.workloads:
        if pair.after is None or pair.old is None or pair.id.kind != "Deployment" or not pair.rolls:
            continue
        recreate = struct(spec_of(pair.after.body).get("strategy")).get("type") == "Recreate"
        if recreate and replicas(pair.after.body) and replicas(pair.old):
            message = "Recreate ends all old pods before it creates new ones: nothing serves meanwhile"
            hint = "RollingUpdate, if two versions may run side by side"
            problem = Problem(rule="recreate-downtime", field=("spec", "strategy", "type"), message=message, hint=hint)
            yield Hazard(pair.after, problem)
