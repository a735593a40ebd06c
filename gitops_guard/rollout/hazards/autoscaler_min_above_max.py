"""autoscaler-min-above-max: an autoscaler whose least is more than its most is refused."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import integer
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import spec_of

_FIELDS = {
    "HorizontalPodAutoscaler": ("minReplicas", 1, "maxReplicas", 0),
    "ScaledObject": ("minReplicaCount", 0, "maxReplicaCount", 100),
}
"""Names of both numbers with their defaults."""


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed autoscalers with such limits."""
    for scaler in change.of_kind(*_FIELDS):
        if scaler.after is None or not scaler.changed:
            continue
        low, low_default, high, high_default = _FIELDS[scaler.id.kind]
        spec = spec_of(scaler.after.body)
        least, most = integer(spec.get(low), low_default), integer(spec.get(high), high_default)
        if most and least > most:
            message = f"{low} {least} is above {high} {most}: the autoscaler is refused or does nothing"
            problem = Problem(rule="autoscaler-min-above-max", field=("spec", low), message=message)
            yield Hazard(scaler.after, problem)
