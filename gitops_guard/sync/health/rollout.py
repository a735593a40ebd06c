"""Rollout of Argo Rollouts, and Canary of Flagger."""

from collections.abc import Mapping
from typing import Any, Final

from gitops_guard.model.sync import HealthStatus
from gitops_guard.sync.health.verdict import Verdict, at, condition, current, failed, in_progress, number, text

_CANARY_PROGRESS: Final = (
    "Initializing",
    "Progressing",
    "Waiting",
    "WaitingPromotion",
    "Promoting",
    "Finalising",
    "Terminating",
)


def assess_rollout(body: Mapping[str, Any]) -> Verdict:
    """Judge a Rollout by the phase that its controller gives, for the generation that it has seen."""
    status = at(body, "status")
    observed, generation = status.get("observedGeneration"), at(body, "metadata").get("generation")
    if observed is None or str(observed) != str(generation):  # the controller writes a text
        return in_progress("LatestGenerationNotObserved", "its controller has not seen the last change yet")
    phase, message = text(status, "phase"), text(status, "message")
    if phase == "Healthy":
        return current(message or "the rollout is healthy")
    if phase == "Degraded":
        return failed("RolloutDegraded", message or _why(body))
    if phase == "Paused":
        return in_progress("RolloutPaused", message or "the rollout is paused")
    return in_progress("RolloutProgressing", message or _counts(body))


def assess_canary(body: Mapping[str, Any]) -> Verdict:
    """Judge a Canary of Flagger by its phase."""
    phase = text(at(body, "status"), "phase")
    found = condition(body, "Promoted")
    message = found.message if found is not None else ""
    if phase in ("Initialized", "Succeeded"):
        return current(message or phase)
    if phase == "Failed":
        return failed("CanaryFailed", message or "the canary was rolled back")
    if not phase or phase in _CANARY_PROGRESS:
        return in_progress(f"Canary{phase or 'NotObserved'}", message)
    return Verdict(HealthStatus.UNKNOWN, "UnknownPhase", f"phase {phase[:40]!r} is not known")


def _why(body: Mapping[str, Any]) -> str:
    found = condition(body, "InvalidSpec") or condition(body, "Progressing")
    return found.message if found is not None else "the rollout is degraded"


def _counts(body: Mapping[str, Any]) -> str:
    status, wanted = at(body, "status"), number(at(body, "spec"), "replicas", 1)
    return f"updated: {number(status, 'updatedReplicas')}/{wanted}, available: {number(status, 'availableReplicas')}"
