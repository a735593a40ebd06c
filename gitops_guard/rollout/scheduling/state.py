"""The nodes of a snapshot with the pods on them, to which pods can be added and from which they can be taken."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gitops_guard.model import Body
from gitops_guard.model.snapshot import Node, Snapshot
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.scheduling.pod import PodView, milli


class Placed(NamedTuple):
    """A pod on a node."""

    node: str
    pod: PodView


class NodeState:
    """One node and what is on it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.allocatable = {name: milli(value) for name, value in node.allocatable.items()}
        self.pods: list[PodView] = []
        self.used: dict[str, int] = {}
        self.ports: list[tuple[str, str, int]] = []

    def add(self, pod: PodView) -> None:
        """Put a pod on the node."""
        self.pods.append(pod)
        self.ports.extend(pod.host_ports)
        for name, amount in pod.requests.items():
            self.used[name] = self.used.get(name, 0) + amount

    def remove(self, pod: PodView) -> None:
        """Take a pod from the node."""
        self.pods.remove(pod)
        for port in pod.host_ports:
            self.ports.remove(port)
        for name, amount in pod.requests.items():
            self.used[name] -= amount


class ClusterState:
    """All nodes. Changes are undone with `remove`, so that what-if questions cost no copy."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Place the scheduled pods of a snapshot."""
        self.snapshot = snapshot
        self.nodes = {node.name: NodeState(node) for node in snapshot.nodes}
        self.workloads: dict[tuple[str, str], list[Placed]] = {}
        """Pods by (namespace, workload)."""

        self._avoiding: list[Placed] = []
        for running in snapshot.pods:
            if running.node in self.nodes:
                pod = PodView(running.namespace, running.labels, running.spec, terminating=running.terminating)
                placed = self.add(running.node, pod)
                self.workloads.setdefault((running.namespace, running.workload), []).append(placed)
        self._objects: dict[str, dict[tuple[str, str], Body]] = {}

    def add(self, node: str, pod: PodView) -> Placed:
        """Put a pod on a node."""
        placed = Placed(node, pod)
        self.nodes[node].add(pod)
        if pod.anti_affinity:
            self._avoiding.append(placed)
        return placed

    def remove(self, placed: Placed) -> None:
        """Take a pod from its node."""
        self.nodes[placed.node].remove(placed.pod)
        if placed.pod.anti_affinity:
            self._avoiding.remove(placed)

    @property
    def avoiding(self) -> Iterable[Placed]:
        """Return the pods that refuse some neighbours."""
        return self._avoiding

    def pods(self) -> Iterator[Placed]:
        """Yield every pod with its node."""
        for name, state in self.nodes.items():
            for pod in state.pods:
                yield Placed(name, pod)

    def find(self, kind: str, namespace: str, name: str) -> Body | None:
        """Return an object of the snapshot; the namespace is empty for those without."""
        if kind not in self._objects:
            bodies = self.snapshot.objects.get(kind, ())
            self._objects[kind] = {_key(body): body for body in bodies}
        return self._objects[kind].get((namespace, name))

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Return the labels of a namespace; its name is one even where the namespace is not known."""
        body = self.find("Namespace", "", name)
        labels = struct((body or {}).get("metadata")).get("labels")
        return {"kubernetes.io/metadata.name": name, **{key: str(value) for key, value in struct(labels).items()}}


def _key(body: Body) -> tuple[str, str]:
    metadata = struct(body.get("metadata"))
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))
