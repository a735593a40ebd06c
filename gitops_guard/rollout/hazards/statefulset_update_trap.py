"""statefulset-update-trap: an ordered StatefulSet waits for a pod that cannot become ready, even after a revert."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards import (
    limit_range_rejects_pods,
    liveness_kills_slow_start,
    missing_config_key,
    missing_reference,
    no_node_fits,
    quota_needs_requests,
    removed_reference,
    topology_spread_blocks_rollout,
    unserved_readiness_gate,
)
from gitops_guard.rollout.hazards.hazard import Detector, Hazard
from gitops_guard.rollout.workload import replicas, spec_of

_BREAK_PODS: tuple[Detector, ...] = (
    limit_range_rejects_pods.find,
    liveness_kills_slow_start.find,
    missing_config_key.find,
    missing_reference.find,
    no_node_fits.find,
    quota_needs_requests.find,
    removed_reference.find,
    topology_spread_blocks_rollout.find,
    unserved_readiness_gate.find,
)
"""Hazards by which a pod never becomes ready."""


def find(change: Change) -> Iterator[Hazard]:
    """Yield ordered StatefulSets that roll into one of these hazards."""
    trapped = [pair for pair in change.of_kind("StatefulSet") if _is_ordered(pair)]
    if not trapped:
        return
    broken = {hazard.resource.id: hazard.problem.rule for detect in _BREAK_PODS for hazard in detect(change)}
    for pair in trapped:
        if pair.after is not None and pair.id in broken:
            message = (
                f"{broken[pair.id]} keeps the first updated pod from becoming ready, and the controller waits for it:"
                " a revert does not help until somebody deletes that pod"
            )
            hint = "podManagementPolicy: Parallel (for a new StatefulSet), or kubectl delete pod after the revert"
            field = ("spec", "template")
            yield Hazard(pair.after, Problem(rule="statefulset-update-trap", field=field, message=message, hint=hint))


def _is_ordered(pair: Pair) -> bool:
    if pair.new is None or not pair.rolls or not replicas(pair.new):
        return False
    spec = spec_of(pair.new)
    rolls = struct(spec.get("updateStrategy")).get("type", "RollingUpdate") == "RollingUpdate"
    return rolls and spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
