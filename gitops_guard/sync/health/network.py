"""Service, HorizontalPodAutoscaler, APIService and Namespace: kinds about which kstatus says little."""

from collections.abc import Mapping
from typing import Any

from gitops_guard.sync.health.verdict import Policy, Verdict, at, condition, current, in_progress, text


def assess_service(body: Mapping[str, Any], policy: Policy) -> Verdict:
    """Judge a Service: one of type LoadBalancer needs an address."""
    spec = at(body, "spec")
    if text(spec, "type") != "LoadBalancer":
        return current("the service is ready")
    if not text(spec, "clusterIP"):
        return in_progress("NoIPAssigned", "the service has no cluster address")
    if policy.wait_for_ingress and not at(body, "status", "loadBalancer").get("ingress"):
        return in_progress("NoIngress", "the load balancer has no address")
    return current("the service is ready")


def assess_autoscaler(body: Mapping[str, Any], policy: Policy) -> Verdict:
    """Judge a HorizontalPodAutoscaler: it must be able to scale."""
    found = condition(body, "ScalingActive")
    disabled = found is not None and found.reason == "ScalingDisabled"
    if policy.scaling_must_be_active and found is not None and found.status == "False" and not disabled:
        return in_progress(found.reason, found.message)
    return current("the autoscaler is ready")


def assess_api_service(body: Mapping[str, Any]) -> Verdict:
    """Judge an APIService: it must be available."""
    found = condition(body, "Available")
    if found is None:
        return in_progress("NotObserved", "its availability is not known yet")
    return current(found.message) if found.status == "True" else in_progress(found.reason, found.message)


def assess_namespace(body: Mapping[str, Any]) -> Verdict:
    """Judge a Namespace: it must be active."""
    phase = text(at(body, "status"), "phase")
    return current("the namespace is active") if phase == "Active" else in_progress("NotActive", f"phase {phase}")
