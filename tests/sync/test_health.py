"""How objects are, state by state, as kstatus judges them and as we do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_guard.errors import SyncError
from gitops_guard.sync.health import STRICT, Expressions, Policy, assess, compile_checks

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def made(api_version: str, kind: str, *, spec: Any = None, status: Any = None, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec or {}, "status": status or {}}


def conditions(*said: tuple[str, ...]) -> list[dict[str, str]]:
    return [dict(zip(("type", "status", "reason", "message"), one, strict=False)) for one in said]


DONE = (("Progressing", "True", "NewReplicaSetAvailable"), ("Available", "True"))


def deployment(spec: Any, status: Any, *said: tuple[str, ...], **metadata: Any) -> dict[str, Any]:
    full = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, **status}
    return made("apps/v1", "Deployment", spec={"replicas": 2, "progressDeadlineSeconds": 600, **spec},
                status={**full, "conditions": conditions(*(said or DONE))}, **metadata)  # fmt: skip


def stateful(spec: Any, status: Any) -> dict[str, Any]:
    full = {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
    return made("apps/v1", "StatefulSet", spec={"replicas": 2, **spec}, status={**full, **status})


def daemon(status: Any, **metadata: Any) -> dict[str, Any]:
    full = {"observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
            "updatedNumberScheduled": 2, "numberAvailable": 2, "numberReady": 2, **status}  # fmt: skip
    return made("apps/v1", "DaemonSet", status=full, **{"generation": 1, **metadata})


def replica(status: Any, *said: tuple[str, ...]) -> dict[str, Any]:
    full = {"replicas": 2, "fullyLabeledReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, **status}
    return made("apps/v1", "ReplicaSet", spec={"replicas": 2}, status={**full, "conditions": conditions(*said)})


def pod(status: Any, *said: tuple[str, ...], created: str = "2026-11-25T11:00:00Z") -> dict[str, Any]:
    return made("v1", "Pod", status={**status, "conditions": conditions(*said)}, creationTimestamp=created)


def job(spec: Any, status: Any, *said: tuple[str, ...]) -> dict[str, Any]:
    return made("batch/v1", "Job", spec=spec, status={**status, "conditions": conditions(*said)})


def definition(*said: tuple[str, ...]) -> dict[str, Any]:
    return made("apiextensions.k8s.io/v1", "CustomResourceDefinition", status={"conditions": conditions(*said)})


def custom(*said: tuple[str, ...], **metadata: Any) -> dict[str, Any]:
    return made("example.com/v1", "Widget", status={"conditions": conditions(*said)} if said else {}, **metadata)


def rollout(status: Any, **metadata: Any) -> dict[str, Any]:
    return made("argoproj.io/v1alpha1", "Rollout", status={"observedGeneration": "2", **status}, generation=2)


def canary(phase: str) -> dict[str, Any]:
    return made("flagger.app/v1beta1", "Canary", status={"phase": phase})


STATES = [
    ("deployment", deployment({}, {}), "Current", ""),
    ("deployment-without-status", made("apps/v1", "Deployment"), "InProgress", "LessReplicas"),
    ("deployment-scaled-to-0", deployment({"replicas": 0}, {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0, "readyReplicas": 0}), "Current", ""),
    ("deployment-fewer", deployment({}, {"replicas": 1}), "InProgress", "LessReplicas"),
    ("deployment-not-updated", deployment({}, {"updatedReplicas": 1}), "InProgress", "LessUpdated"),
    ("deployment-old-pods", deployment({}, {"replicas": 3}), "InProgress", "ExtraPods"),
    ("deployment-not-available", deployment({}, {"availableReplicas": 1}), "InProgress", "LessAvailable"),
    ("deployment-not-ready", deployment({}, {"readyReplicas": 1}), "InProgress", "LessReady"),
    ("deployment-deadline", deployment({}, {}, ("Progressing", "Unknown", "ProgressDeadlineExceeded")), "Failed", "ProgressDeadlineExceeded"),
    ("deployment-set-not-available", deployment({}, {}, ("Progressing", "True", "ReplicaSetUpdated"), ("Available", "True")), "InProgress", "ReplicaSetNotAvailable"),
    ("deployment-without-deadline", deployment({"progressDeadlineSeconds": 2147483647}, {}, ("Available", "True")), "Current", ""),
    ("deployment-unavailable", deployment({}, {}, DONE[0], ("Available", "False")), "InProgress", "DeploymentNotAvailable"),
    ("deployment-not-observed", deployment({}, {"observedGeneration": 1}, generation=2), "InProgress", "LatestGenerationNotObserved"),
    ("deployment-wrong-types", deployment({"replicas": "many"}, {"replicas": True, "updatedReplicas": [], "availableReplicas": None, "readyReplicas": 1}), "InProgress", "LessReplicas"),
    ("deleted", deployment({}, {}, deletionTimestamp="2026-01-01T00:00:00Z"), "Terminating", "Terminating"),
    ("stateful", stateful({}, {}), "Current", ""),
    ("stateful-on-delete", stateful({"updateStrategy": {"type": "OnDelete"}}, {"readyReplicas": 0}), "Current", ""),
    ("stateful-fewer", stateful({}, {"replicas": 1}), "InProgress", "LessReplicas"),
    ("stateful-not-ready", stateful({}, {"readyReplicas": 1}), "InProgress", "LessReady"),
    ("stateful-more", stateful({}, {"replicas": 3, "readyReplicas": 3}), "InProgress", "ExtraPods"),
    ("stateful-partition", stateful({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, {"updatedReplicas": 0}), "InProgress", "PartitionRollout"),
    ("stateful-partition-done", stateful({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, {"updatedReplicas": 1, "updateRevision": "b"}), "Current", ""),
    ("stateful-less-current", stateful({}, {"currentReplicas": 1}), "InProgress", "LessCurrent"),
    ("stateful-revision", stateful({}, {"updateRevision": "b"}), "InProgress", "RevisionMismatch"),
    ("daemon", daemon({}), "Current", ""),
    ("daemon-no-generation", made("apps/v1", "DaemonSet"), "InProgress", "NoGeneration"),
    ("daemon-not-observed", made("apps/v1", "DaemonSet", generation=1), "InProgress", "NoObservedGeneration"),
    ("daemon-not-counted", made("apps/v1", "DaemonSet", status={"observedGeneration": 1}, generation=1), "InProgress", "NoDesiredNumber"),
    ("daemon-less-current", daemon({"currentNumberScheduled": 1}), "InProgress", "LessCurrent"),
    ("daemon-less-updated", daemon({"updatedNumberScheduled": 1}), "InProgress", "LessUpdated"),
    ("daemon-less-available", daemon({"numberAvailable": 1}), "InProgress", "LessAvailable"),
    ("daemon-less-ready", daemon({"numberReady": 1}), "InProgress", "LessReady"),
    ("replicas", replica({}), "Current", ""),
    ("replicas-failure", replica({}, ("ReplicaFailure", "True")), "InProgress", "ReplicaFailure"),
    ("replicas-less-labelled", replica({"fullyLabeledReplicas": 1}), "InProgress", "LessLabelled"),
    ("replicas-less-available", replica({"availableReplicas": 1}), "InProgress", "LessAvailable"),
    ("replicas-less-ready", replica({"readyReplicas": 1}), "InProgress", "LessReady"),
    ("replicas-more", replica({"replicas": 3}), "InProgress", "ExtraPods"),
    ("pod-succeeded", pod({"phase": "Succeeded"}), "Current", ""),
    ("pod-failed", pod({"phase": "Failed"}), "Current", ""),
    ("pod-ready", pod({"phase": "Running"}, ("Ready", "True")), "Current", ""),
    ("pod-not-ready", pod({"phase": "Running"}, ("Ready", "False")), "InProgress", "PodRunningNotReady"),
    ("pod-crashing", pod({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}), "Failed", "ContainerCrashLooping"),
    ("pod-pending", pod({"phase": "Pending"}), "InProgress", "PodPending"),
    ("pod-not-scheduled", pod({"phase": "Pending"}, ("PodScheduled", "False", "Unschedulable"), created="2026-11-25T11:59:50Z"), "InProgress", "PodNotScheduled"),
    ("pod-unschedulable", pod({"phase": "Pending"}, ("PodScheduled", "False", "Unschedulable")), "Failed", "PodUnschedulable"),
    ("pod-without-phase", pod({}), "InProgress", "PodNotObserved"),
    ("pod-unknown-phase", pod({"phase": "Dreaming"}), "Unknown", "MalformedStatus"),
    ("job-complete", job({}, {}, ("Complete", "True")), "Current", ""),
    ("job-failed", job({}, {}, ("Failed", "True", "", "backoff limit")), "Failed", "JobFailed"),
    ("job-suspended", job({"suspend": True}, {}), "Current", ""),
    ("job-not-started", job({}, {}), "InProgress", "JobNotStarted"),
    ("job-running", job({}, {"startTime": "x"}), "InProgress", "JobInProgress"),
    ("definition", definition(("NamesAccepted", "True"), ("Established", "True")), "Current", ""),
    ("definition-names", definition(("NamesAccepted", "False", "MultipleNamesNotAllowed")), "Failed", "MultipleNamesNotAllowed"),
    ("definition-not-established", definition(("Established", "False", "NotAccepted")), "Failed", "NotAccepted"),
    ("definition-installing", definition(("Established", "False", "Installing")), "InProgress", "Installing"),
    ("definition-new", definition(), "InProgress", "Installing"),
    ("claim-bound", made("v1", "PersistentVolumeClaim", status={"phase": "Bound"}), "Current", ""),
    ("claim-lost", made("v1", "PersistentVolumeClaim", status={"phase": "Lost"}), "InProgress", "NotBound"),
    ("claim-waiting", made("v1", "PersistentVolumeClaim", status={"phase": "Pending"}), "Current", ""),
    ("service", made("v1", "Service", spec={"type": "ClusterIP"}), "Current", ""),
    ("service-balancer", made("v1", "Service", spec={"type": "LoadBalancer"}), "InProgress", "NoIPAssigned"),
    ("service-balancer-address", made("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"}), "Current", ""),
    ("budget", made("policy/v1", "PodDisruptionBudget"), "Current", ""),
    ("budget-not-observed", made("policy/v1", "PodDisruptionBudget", status={"observedGeneration": 1}, generation=2), "InProgress", "LatestGenerationNotObserved"),
    ("config-map", made("v1", "ConfigMap"), "Current", ""),
    ("custom-ready", custom(("Ready", "True")), "Current", ""),
    ("custom-not-ready", custom(("Ready", "False", "Waiting")), "InProgress", "Waiting"),
    ("custom-terminal", custom(("Ready", "False", "InstallFailed")), "Failed", "InstallFailed"),
    ("custom-unknown", custom(("Ready", "Unknown")), "InProgress", "NotReady"),
    ("custom-stalled", custom(("Stalled", "True", "Broken"), ("Ready", "True")), "Failed", "Broken"),
    ("custom-reconciling", custom(("Reconciling", "True", "Working"), ("Ready", "True")), "InProgress", "Working"),
    ("custom-bare", custom(), "NoSignal", "NoConditions"),
    ("custom-malformed", made("example.com/v1", "Widget", status={"conditions": "yes"}), "Unknown", "MalformedStatus"),
    ("custom-malformed-entry", made("example.com/v1", "Widget", status={"conditions": [{"type": 1}]}), "Unknown", "MalformedStatus"),
    ("namespace", made("v1", "Namespace", status={"phase": "Active"}), "Current", ""),
    ("namespace-new", made("v1", "Namespace"), "InProgress", "NotActive"),
    ("autoscaler", made("autoscaling/v2", "HorizontalPodAutoscaler", status={"conditions": conditions(("ScalingActive", "False", "FailedGetMetrics"))}), "InProgress", "FailedGetMetrics"),
    ("api-service", made("apiregistration.k8s.io/v1", "APIService", status={"conditions": conditions(("Available", "False", "MissingEndpoints"))}), "InProgress", "MissingEndpoints"),
    ("rollout", rollout({"phase": "Healthy"}), "Current", ""),
    ("rollout-degraded", rollout({"phase": "Degraded", "message": "aborted"}), "Failed", "RolloutDegraded"),
    ("rollout-paused", rollout({"phase": "Paused"}), "InProgress", "RolloutPaused"),
    ("rollout-progressing", rollout({"phase": "Progressing"}), "InProgress", "RolloutProgressing"),
    ("rollout-not-observed", rollout({"phase": "Healthy", "observedGeneration": "1"}), "InProgress", "LatestGenerationNotObserved"),
    ("canary", canary("Succeeded"), "Current", ""),
    ("canary-first", canary("Initialized"), "Current", ""),
    ("canary-failed", canary("Failed"), "Failed", "CanaryFailed"),
    ("canary-progressing", canary("Progressing"), "InProgress", "CanaryProgressing"),
    ("canary-new", canary(""), "InProgress", "CanaryNotObserved"),
    ("canary-unknown", canary("Dancing"), "Unknown", "UnknownPhase"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "reason"), [pytest.param(*rest, id=name) for name, *rest in STATES])
def test_health_when_judged_then_it_is(body, status, reason):
    verdict = assess(body, NOW)

    assert (status, reason) == (verdict.status, verdict.reason)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(made("v1", "PersistentVolumeClaim", status={"phase": "Pending"}), "InProgress", id="claim"),
        pytest.param(custom(), "Current", id="bare"),
        pytest.param(custom(("Ready", "False", "InstallFailed")), "InProgress", id="terminal"),
        pytest.param(made("v1", "Namespace"), "Current", id="namespace"),
    ],
)
def test_health_when_strict_then_as_kstatus(body, status):
    assert status == assess(body, NOW, policy=STRICT).status


def test_health_when_ingress_is_waited_for_then_an_address_is_needed():
    body = made("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"})

    assert "InProgress" == assess(body, NOW, policy=Policy(wait_for_ingress=True)).status


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"state": "up"}, ("Current", "ExpressionCurrent"), id="current"),
        pytest.param({"state": "down"}, ("Failed", "ExpressionFailed"), id="failed"),
        pytest.param({"state": "moving"}, ("InProgress", "ExpressionInProgress"), id="in-progress"),
        pytest.param({"state": "odd"}, ("InProgress", "ExpressionFalse"), id="none"),
        pytest.param({}, ("InProgress", "ExpressionNotEvaluated"), id="not-evaluated"),
    ],
)
def test_health_when_expressions_are_given_then_they_decide(status, expected):
    said = Expressions(
        group="example.com", kind="Widget", current="status.state == 'up'", failed="status.state == 'down'",
        in_progress="status.state == 'moving'",
    )  # fmt: skip

    verdict = assess(made("example.com/v1", "Widget", status=status), NOW, checks=compile_checks([said]))

    assert expected == (verdict.status, verdict.reason)


def test_expression_when_wrong_then_the_error_names_it():
    with pytest.raises(SyncError, match=r"health expression `current` of Widget\.example\.com"):
        compile_checks([Expressions(group="example.com", kind="Widget", current="status.state ==")])
