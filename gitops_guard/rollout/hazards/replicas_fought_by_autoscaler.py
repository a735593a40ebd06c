"""replicas-fought-by-autoscaler: Git sets a number of replicas that an autoscaler sets too."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import spec_of

AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def find(change: Change) -> Iterator[Hazard]:
    """Yield spec.replicas of workloads that an autoscaler of the same change targets."""
    for scaler in change.of_kind(*AUTOSCALERS):
        for workload in change.workloads_in(scaler.scope):
            if workload.after is None or scaler.after is None or not is_target(scaler, workload):
                continue
            if (scaler.changed or workload.changed) and spec_of(workload.after.body).get("replicas") is not None:
                message = (
                    f"{scaler.id.kind} {scaler.id.name} sets the replicas too: every sync resets them to Git's number,"
                    " and capacity is lost until the autoscaler reacts"
                )
                hint = "leave spec.replicas out of Git, or let the sync ignore it"
                problem = Problem(
                    rule="replicas-fought-by-autoscaler", field=("spec", "replicas"), message=message, hint=hint
                )
                yield Hazard(workload.after, problem)


def is_target(scaler: Pair, workload: Pair) -> bool:
    """Tell whether an autoscaler scales a workload; KEDA's kind is a Deployment where it names none."""
    target = struct(spec_of(scaler.new or {}).get("scaleTargetRef"))
    return target.get("name") == workload.id.name and target.get("kind", "Deployment") == workload.id.kind
