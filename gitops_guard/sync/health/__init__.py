"""How an object is, by kstatus's rules and ours: one file a family of kinds.

The first decision wins: being deleted, a generation that nobody has seen yet, the conditions Reconciling and Stalled,
the user's own expressions, the rules of the kind, the condition Ready, and else current.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from gitops_guard.model.sync import HealthStatus
from gitops_guard.sync.health import (
    daemonset,
    definition,
    deployment,
    job,
    network,
    pod,
    replicaset,
    rollout,
    statefulset,
    storage,
)
from gitops_guard.sync.health.custom import Check, Expressions, compile_checks
from gitops_guard.sync.health.verdict import (
    STRICT,
    MalformedStatusError,
    Policy,
    Verdict,
    at,
    conditions,
    current,
    failed,
    in_progress,
    text,
)

__all__ = ["STRICT", "Check", "Expressions", "Policy", "Verdict", "assess", "compile_checks", "has_state"]

_Rule = Callable[[Mapping[str, Any], Policy, datetime], Verdict]


def _plain(rule: Callable[[Mapping[str, Any]], Verdict]) -> _Rule:
    return lambda body, _policy, _now: rule(body)


def _with_policy(rule: Callable[[Mapping[str, Any], Policy], Verdict]) -> _Rule:
    return lambda body, policy, _now: rule(body, policy)


_ALWAYS: Final[_Rule] = lambda _body, _policy, _now: current()  # noqa: E731 - a row of the table below
_RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("apps", "Deployment"): _plain(deployment.assess),
    ("extensions", "Deployment"): _plain(deployment.assess),
    ("apps", "StatefulSet"): _plain(statefulset.assess),
    ("apps", "DaemonSet"): _plain(daemonset.assess),
    ("extensions", "DaemonSet"): _plain(daemonset.assess),
    ("apps", "ReplicaSet"): _plain(replicaset.assess),
    ("extensions", "ReplicaSet"): _plain(replicaset.assess),
    ("", "Pod"): lambda body, _policy, now: pod.assess(body, now),
    ("batch", "Job"): _plain(job.assess),
    ("batch", "CronJob"): _ALWAYS,
    ("", "Secret"): _ALWAYS,
    ("", "ConfigMap"): _ALWAYS,
    ("policy", "PodDisruptionBudget"): _ALWAYS,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _plain(definition.assess),
    ("", "PersistentVolumeClaim"): _with_policy(storage.assess),
    ("", "Service"): _with_policy(network.assess_service),
}
_BEYOND: Final[Mapping[tuple[str, str], _Rule]] = {
    ("autoscaling", "HorizontalPodAutoscaler"): _with_policy(network.assess_autoscaler),
    ("apiregistration.k8s.io", "APIService"): _plain(network.assess_api_service),
    ("", "Namespace"): _plain(network.assess_namespace),
    ("argoproj.io", "Rollout"): _plain(rollout.assess_rollout),
    ("flagger.app", "Canary"): _plain(rollout.assess_canary),
}
"""Kinds about which kstatus has no rule of its own; left out where its word alone counts."""

_STATELESS: Final = frozenset(
    (
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "ServiceAccount"),
        ("batch", "CronJob"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("networking.k8s.io", "IngressClass"),
        ("storage.k8s.io", "StorageClass"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("", "ResourceQuota"),
        ("", "LimitRange"),
    )
)


def has_state(group: str, kind: str) -> bool:
    """Tell whether the objects of a kind can be anything but current once they are applied."""
    return (group, kind) not in _STATELESS


def assess(
    body: Mapping[str, Any],
    now: datetime,
    *,
    checks: Mapping[tuple[str, str], Check] | None = None,
    policy: Policy | None = None,
) -> Verdict:
    """Judge an object by its status.

    Args:
        body: The object as the API server gives it.
        now: With a time zone.
        checks: The user's own expressions, by group and kind.
        policy: Where we deviate from kstatus; None for our defaults, `STRICT` for none.
    """
    try:
        return _assess(body, now, checks or {}, policy or Policy())
    except MalformedStatusError as error:
        return Verdict(HealthStatus.UNKNOWN, "MalformedStatus", str(error))


def _assess(body: Mapping[str, Any], now: datetime, checks: Mapping[tuple[str, str], Check], policy: Policy) -> Verdict:
    group, kind = text(body, "apiVersion").rpartition("/")[0], text(body, "kind")
    if at(body, "metadata").get("deletionTimestamp"):
        return Verdict(HealthStatus.TERMINATING, "Terminating", "the object is being deleted")
    early = _generic(body)
    if early is not None:
        return early
    if (group, kind) in checks:
        return checks[group, kind].assess(body)
    rule = _RULES.get((group, kind)) or (None if policy == STRICT else _BEYOND.get((group, kind)))
    return rule(body, policy, now) if rule is not None else _by_ready(body, policy, is_custom=_is_custom(group))


def _generic(body: Mapping[str, Any]) -> Verdict | None:
    generation, observed = at(body, "metadata").get("generation"), at(body, "status").get("observedGeneration")
    numbers = isinstance(generation, int) and isinstance(observed, int)  # Argo Rollouts writes a text there
    if numbers and generation != observed:
        return in_progress("LatestGenerationNotObserved", f"generation {generation}, observed {observed}")
    for one in conditions(body):
        if one.type == "Reconciling" and one.status == "True":
            return in_progress(one.reason, one.message)
        if one.type == "Stalled" and one.status == "True":
            return failed(one.reason, one.message)
    return None


def _is_custom(group: str) -> bool:
    return "." in group and not group.endswith(".k8s.io")


def _by_ready(body: Mapping[str, Any], policy: Policy, *, is_custom: bool) -> Verdict:
    for one in conditions(body):
        if one.type != "Ready":
            continue
        if one.status == "True":
            return current(one.message)
        if one.status == "False" and one.reason in policy.terminal_reasons:
            return failed(one.reason, one.message)
        return in_progress(one.reason or "NotReady", one.message)
    if policy.bare_is_no_signal and is_custom and not conditions(body):
        return Verdict(HealthStatus.NO_SIGNAL, "NoConditions", "it has no conditions that would tell")
    return current()
