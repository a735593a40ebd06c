"""Filters that look at one node alone: cordon, taints, selectors, ports and resources."""

from collections.abc import Iterator, Mapping, Sequence

from gitops_guard.model import Json
from gitops_guard.model.snapshot import Node
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.scheduling.pod import REQUIRED, PodView
from gitops_guard.rollout.scheduling.selectors import node_selector
from gitops_guard.rollout.scheduling.state import NodeState

_CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_FORBIDDING = ("NoSchedule", "NoExecute")
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # no bind: the API's word for every address


def cordoned(pod: PodView, state: NodeState) -> Iterator[str]:
    """Plugin NodeUnschedulable."""
    if state.node.unschedulable and not _tolerated(_CORDON, pod.tolerations):
        yield "node(s) were unschedulable"


def tainted(pod: PodView, state: NodeState) -> Iterator[str]:
    """Plugin TaintToleration; PreferNoSchedule only scores."""
    if not tolerates(pod, state.node):
        yield "node(s) had untolerated taint(s)"


def tolerates(pod: PodView, node: Node) -> bool:
    """Tell whether a pod tolerates all taints of a node that forbid."""
    return all(taint.get("effect") not in _FORBIDDING or _tolerated(taint, pod.tolerations) for taint in node.taints)


def _tolerated(taint: Mapping[str, Json], tolerations: Sequence[Mapping[str, Json]]) -> bool:
    return any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Mapping[str, Json], taint: Mapping[str, Json]) -> bool:
    """k8s.io/api/core/v1 toleration.go:ToleratesTaint."""
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def selected(pod: PodView, node: Node) -> bool:
    """Tell whether nodeSelector and required node affinity let a pod on a node; nodeaffinity.go:Match."""
    wanted = struct(pod.spec.get("nodeSelector"))
    if any(node.labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = struct(struct(pod.spec.get("affinity")).get("nodeAffinity")).get(REQUIRED)
    return affinity is None or node_selector(affinity, node.name, node.labels)


def selects(pod: PodView, state: NodeState) -> Iterator[str]:
    """Plugin NodeAffinity."""
    if not selected(pod, state.node):
        yield "node(s) didn't match Pod's node affinity/selector"


def free_ports(pod: PodView, state: NodeState) -> Iterator[str]:
    """Plugin NodePorts: a port is taken on one address or, by 0.0.0.0, on all of them."""
    if pod.host_ports and any(_clash(one, other) for one in pod.host_ports for other in state.ports):
        yield "node(s) didn't have free ports for the requested pod ports"


def _clash(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or _ANY_ADDRESS in (one[0], other[0]))


def has_room(pod: PodView, state: NodeState) -> Iterator[str]:
    """Plugin NodeResourcesFit: fit.go:fitsRequest."""
    if (len(state.pods) + 1) * 1000 > state.allocatable.get("pods", 0):
        yield "Too many pods"
    for name, amount in pod.requests.items():
        if amount > state.allocatable.get(name, 0) - state.used.get(name, 0):
            yield f"Insufficient {name}"
