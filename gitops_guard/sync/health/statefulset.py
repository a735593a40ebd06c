"""StatefulSet."""

from collections.abc import Mapping
from typing import Any

from gitops_guard.sync.health.verdict import Verdict, at, current, in_progress, number, text


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a StatefulSet by its counts; it never fails."""
    spec, status = at(body, "spec"), at(body, "status")
    if text(at(spec, "updateStrategy"), "type") == "OnDelete":
        return current("its update strategy is OnDelete")
    wanted = number(spec, "replicas", 1)
    replicas, ready = number(status, "replicas"), number(status, "readyReplicas")
    if wanted > replicas:
        return in_progress("LessReplicas", f"replicas: {replicas}/{wanted}")
    if wanted > ready:
        return in_progress("LessReady", f"ready: {ready}/{wanted}")
    if replicas > wanted:
        return in_progress("ExtraPods", f"pending termination: {replicas - wanted}")
    rolling = at(spec, "updateStrategy", "rollingUpdate")
    partition = number(rolling, "partition", -1)
    if partition > 0 or "partition" in rolling:
        return _partitioned(wanted, max(partition, 0), number(status, "updatedReplicas"))
    if wanted > number(status, "currentReplicas"):
        return in_progress("LessCurrent", f"current: {number(status, 'currentReplicas')}/{wanted}")
    if text(status, "currentRevision") != text(status, "updateRevision"):
        return in_progress("RevisionMismatch", "waiting for the update revision to become the current one")
    return current(f"all replicas are of the current revision: {replicas}")


def _partitioned(wanted: int, partition: int, updated: int) -> Verdict:
    if updated < wanted - partition:
        return in_progress("PartitionRollout", f"updated: {updated}/{wanted - partition}")
    return current(f"partition rollout complete, updated: {updated}")
