"""DaemonSet."""

from collections.abc import Mapping
from typing import Any, Final

from gitops_guard.sync.health.verdict import Verdict, at, current, in_progress, number

_COUNTS: Final = (
    ("currentNumberScheduled", "LessCurrent", "current"),
    ("updatedNumberScheduled", "LessUpdated", "updated"),
    ("numberAvailable", "LessAvailable", "available"),
    ("numberReady", "LessReady", "ready"),
)


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a DaemonSet by its counts; it never fails."""
    status = at(body, "status")
    if "generation" not in at(body, "metadata"):
        return in_progress("NoGeneration", "it has no generation yet")
    if "observedGeneration" not in status:
        return in_progress("NoObservedGeneration", "its controller has not seen it yet")
    if "desiredNumberScheduled" not in status:
        return in_progress("NoDesiredNumber", "its controller has not counted the nodes yet")
    wanted = number(status, "desiredNumberScheduled")
    for field, reason, word in _COUNTS:
        if wanted > number(status, field):
            return in_progress(reason, f"{word}: {number(status, field)}/{wanted}")
    return current(f"all replicas are scheduled as expected: {wanted}")
