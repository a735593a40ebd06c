"""PersistentVolumeClaim."""

from collections.abc import Mapping
from typing import Any

from gitops_guard.sync.health.verdict import Policy, Verdict, at, current, in_progress, text


def assess(body: Mapping[str, Any], policy: Policy) -> Verdict:
    """Judge a claim by its phase; where only the first consumer lets it be bound, it need not be."""
    phase = text(at(body, "status"), "phase")
    if phase == "Bound":
        return current("the claim is bound")
    if policy.patient_claims and phase == "Pending" and not _has_consumer(body):
        return current("the claim may wait for its first consumer")
    return in_progress("NotBound", f"the claim is not bound: phase {phase or 'unknown'}")


def _has_consumer(body: Mapping[str, Any]) -> bool:
    """Tell whether a node was chosen for the claim, or a volume."""
    chosen = "volume.kubernetes.io/selected-node" in at(body, "metadata", "annotations")
    return chosen or bool(text(at(body, "spec"), "volumeName"))
