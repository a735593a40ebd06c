"""How many pods a workload wants and how many of them are ready, for people who wait."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gitops_guard.sync.health.verdict import at, number

_REPLICATED: Final = frozenset(("Deployment", "StatefulSet", "ReplicaSet", "Rollout"))


class Pods(NamedTuple):
    """Pods of one workload, or of many."""

    ready: int = 0
    wanted: int = 0

    def plus(self, other: "Pods") -> "Pods":
        """Return both together."""
        return Pods(self.ready + other.ready, self.wanted + other.wanted)


def pods_of(body: Mapping[str, Any]) -> Pods:
    """Return the pods of a workload as its status has them; none for anything else."""
    kind, status = body.get("kind"), at(body, "status")
    if kind in _REPLICATED:
        return Pods(number(status, "readyReplicas"), number(at(body, "spec"), "replicas", 1))
    if kind == "DaemonSet":
        return Pods(number(status, "numberReady"), number(status, "desiredNumberScheduled"))
    return Pods()
