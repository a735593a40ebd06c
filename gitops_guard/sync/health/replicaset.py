"""ReplicaSet."""

from collections.abc import Mapping
from typing import Any, Final

from gitops_guard.sync.health.verdict import Verdict, at, condition, current, in_progress, is_true, number

_COUNTS: Final = (
    ("fullyLabeledReplicas", "LessLabelled", "labelled"),
    ("availableReplicas", "LessAvailable", "available"),
    ("readyReplicas", "LessReady", "ready"),
)


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a ReplicaSet by its counts; it never fails."""
    if is_true(body, "ReplicaFailure"):
        found = condition(body, "ReplicaFailure")
        return in_progress("ReplicaFailure", found.message if found else "")
    status, wanted = at(body, "status"), number(at(body, "spec"), "replicas", 1)
    for field, reason, word in _COUNTS:
        if wanted > number(status, field):
            return in_progress(reason, f"{word}: {number(status, field)}/{wanted}")
    replicas = number(status, "replicas")
    if replicas > wanted:
        return in_progress("ExtraPods", f"pending termination: {replicas - wanted}")
    return current(f"replicas: {replicas}")
