"""A snapshot beside a change: what is live, with the objects of the change in the place of their live versions."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from gitops_guard.model import Body, Json
from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.scheduling.filters import selected, tolerates
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.state import ClusterState

_DAEMON_TOLERATIONS: list[Json] = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
    for name, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
]
"""What the DaemonSet controller adds: daemon/util/daemonset_util.go:AddOrUpdateDaemonPodTolerations."""


class ClusterView:
    """What hazards and capacity ask a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @cached_property
    def state(self) -> ClusterState:
        """Return the nodes with their pods; whoever changes it undoes the change."""
        return ClusterState(self.snapshot)

    def knows(self, kind: str) -> bool:
        """Tell whether all objects of a kind were read, so that one that is not there does not exist."""
        return kind not in self.snapshot.unread

    @property
    def knows_nodes(self) -> bool:
        """Tell whether there is anything to judge capacity by."""
        return self.knows("Node") and bool(self.snapshot.nodes)

    def of_kind(self, kind: str, namespace: str) -> Iterator[Body]:
        """Yield the live objects of a kind in a namespace."""
        for body in self.snapshot.objects.get(kind, ()):
            if str(struct(body.get("metadata")).get("namespace") or "") == namespace:
                yield body

    def find(self, kind: str, namespace: str, name: str) -> Body | None:
        """Return a live object."""
        return self.state.find(kind, namespace, name)

    def pods_of(self, namespace: str, workload: str) -> list[RunningPod]:
        """Return the pods of a workload such as `Deployment/web`."""
        return self._by_workload.get((namespace, workload), [])

    def workloads_in(self, namespace: str) -> list[tuple[str, Mapping[str, str]]]:
        """Return the workloads of a namespace that have pods, each with the labels of one of them."""
        return self._by_namespace.get(namespace, [])

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[tuple[str, Mapping[str, str]]]]:
        found: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
        for (namespace, workload), pods in sorted(self._by_workload.items()):
            if workload:
                found.setdefault(namespace, []).append((workload, pods[0].labels))
        return found

    @cached_property
    def _by_workload(self) -> Mapping[tuple[str, str], list[RunningPod]]:
        found: dict[tuple[str, str], list[RunningPod]] = {}
        for pod in self.snapshot.pods:
            found.setdefault((pod.namespace, pod.workload), []).append(pod)
        return found

    def pod_of(self, body: Body, namespace: str) -> PodView:
        """Return a pod of a workload's template as the API server would store it."""
        template = struct(struct(body.get("spec")).get("template"))
        labels = struct(struct(template.get("metadata")).get("labels"))
        # Labels that tell versions apart have a value that no live pod has.
        versioned = dict.fromkeys(("pod-template-hash", "controller-revision-hash"), "the new version")
        spec = self._defaulted(struct(template.get("spec")), namespace)
        if body.get("kind") == "DaemonSet":
            own: list[Json] = [dict(one) for one in structs(spec.get("tolerations"))]
            spec = {**spec, "tolerations": [*own, *_DAEMON_TOLERATIONS]}
        return PodView(namespace, {**labels, **versioned}, spec)

    def _defaulted(self, spec: Body, namespace: str) -> Body:
        """Fill in what a LimitRange does: plugin/pkg/admission/limitranger mergePodResourceRequirements."""
        items = [
            item
            for limits in self.of_kind("LimitRange", namespace)
            for item in structs(struct(limits.get("spec")).get("limits"))
            if item.get("type") == "Container"
        ]
        if not items:
            return spec
        filled: dict[str, Json] = dict(spec)
        for field in ("containers", "initContainers"):
            filled[field] = [{**one, "resources": _merged(one, items)} for one in structs(spec.get(field))]
        return filled

    def eligible(self, pod: PodView) -> list[Node]:
        """Return the nodes that a pod may run on at all, whatever is on them already."""
        return [
            node
            for node in self.snapshot.nodes
            if selected(pod, node) and tolerates(pod, node) and not (node.unschedulable and not _is_daemon(pod))
        ]


def namespace_of(body: Body) -> str:
    """Return the namespace of an object; a manifest without one is applied to `default`."""
    return str(struct(body.get("metadata")).get("namespace") or "default")


def _is_daemon(pod: PodView) -> bool:
    return any(one.get("key") == "node.kubernetes.io/unschedulable" for one in pod.tolerations)


def _merged(container: Mapping[str, Json], items: list[Mapping[str, Json]]) -> dict[str, Json]:
    resources = struct(container.get("resources"))
    limits, requests = dict(struct(resources.get("limits"))), dict(struct(resources.get("requests")))
    requests = limits | requests
    for item in items:
        limits = {**struct(item.get("default")), **limits}
        requests = {**struct(item.get("defaultRequest")), **requests}
    return {"limits": limits, "requests": {**limits, **requests}}
