"""Pod."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gitops_guard.sync.health.verdict import (
    MalformedStatusError,
    Verdict,
    at,
    condition,
    current,
    failed,
    in_progress,
    is_true,
    text,
)

_SCHEDULING: Final = timedelta(seconds=15)
"""An unschedulable pod gets so long after its creation before it counts as failed."""


def assess(body: Mapping[str, Any], now: datetime) -> Verdict:
    """Judge a Pod by its phase; a failed one is current, since nothing more will happen to it."""
    phase = text(at(body, "status"), "phase")
    if phase == "Succeeded":
        return current("the pod has completed")
    if phase == "Failed":
        return current("the pod has completed, but not with success")
    if phase == "Running":
        return _running(body)
    if phase == "Pending":
        return _pending(body, now)
    if not phase:
        return in_progress("PodNotObserved", "the pod has no phase yet")
    raise MalformedStatusError(f"unknown phase {phase[:40]!r}")


def _running(body: Mapping[str, Any]) -> Verdict:
    if is_true(body, "Ready"):
        return current("the pod is ready")
    statuses = at(body, "status").get("containerStatuses")
    for one in statuses if isinstance(statuses, list) else []:
        waiting = at(one, "state", "waiting")
        if text(waiting, "reason") == "CrashLoopBackOff":
            return failed("ContainerCrashLooping", f"container {text(one, 'name')} is crash looping")
    return in_progress("PodRunningNotReady", "the pod is running and not ready")


def _pending(body: Mapping[str, Any], now: datetime) -> Verdict:
    scheduled = condition(body, "PodScheduled")
    if scheduled is None or (scheduled.status, scheduled.reason) != ("False", "Unschedulable"):
        return in_progress("PodPending", "the pod is pending")
    if now < _created(body) + _SCHEDULING:
        return in_progress("PodNotScheduled", "the pod has not been scheduled")
    return failed("PodUnschedulable", scheduled.message or "the pod could not be scheduled")


def _created(body: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(text(at(body, "metadata"), "creationTimestamp"))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
