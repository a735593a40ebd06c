"""Deployment."""

from collections.abc import Mapping
from typing import Any, Final

from gitops_guard.sync.health.verdict import Verdict, at, condition, current, failed, in_progress, is_true, number

_NO_DEADLINE: Final = 2147483647


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a Deployment by its counts and conditions."""
    spec, status = at(body, "spec"), at(body, "status")
    progressing = condition(body, "Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        return failed("ProgressDeadlineExceeded", progressing.message or "progress deadline exceeded")
    wanted = number(spec, "replicas", 1)
    replicas, updated = number(status, "replicas"), number(status, "updatedReplicas")
    available, ready = number(status, "availableReplicas"), number(status, "readyReplicas")
    if wanted > replicas:
        return in_progress("LessReplicas", f"replicas: {replicas}/{wanted}")
    if wanted > updated:
        return in_progress("LessUpdated", f"updated: {updated}/{wanted}")
    if replicas > wanted:
        return in_progress("ExtraPods", f"pending termination: {replicas - wanted}")
    if updated > available:
        return in_progress("LessAvailable", f"available: {available}/{updated}")
    if wanted > ready:
        return in_progress("LessReady", f"ready: {ready}/{wanted}")
    return _by_conditions(body, spec)


def _by_conditions(body: Mapping[str, Any], spec: Mapping[str, Any]) -> Verdict:
    progressing = condition(body, "Progressing")
    has_deadline = number(spec, "progressDeadlineSeconds", _NO_DEADLINE) != _NO_DEADLINE
    done = progressing is not None and (progressing.status, progressing.reason) == ("True", "NewReplicaSetAvailable")
    if has_deadline and not done:
        return in_progress("ReplicaSetNotAvailable", "the new ReplicaSet is not available")
    if not is_true(body, "Available"):
        return in_progress("DeploymentNotAvailable", "the Deployment is not available")
    return current(f"replicas: {number(at(body, 'status'), 'replicas')}")
