"""Filters for volumes: they hold a pod to nodes and zones, some to one pod alone, and drivers attach so many a node."""

from collections.abc import Iterator, Mapping

from gitops_guard.model import Body, Json
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.selectors import node_selector
from gitops_guard.rollout.scheduling.state import ClusterState, NodeState

_ZONES = {
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels of volumes, and those of nodes that may stand for them."""


class Volumes:
    """Plugins VolumeRestrictions, NodeVolumeLimits, VolumeBinding and VolumeZone for one pod."""

    def __init__(self, pod: PodView, cluster: ClusterState) -> None:
        """Look the claims up."""
        self._pod = pod
        self._cluster = cluster
        self._claims = [(name, cluster.find("PersistentVolumeClaim", pod.namespace, name)) for name in pod.claims]
        self.never = next(self._refusals(), "")
        """Why no node at all can take the pod; empty where one may."""

        self._bound = [volume for _, claim in self._claims if (volume := self._volume(claim)) is not None]
        self._taken = any(_modes(claim) == ["ReadWriteOncePod"] and self._is_used(name) for name, claim in self._claims)
        self._unbound = [claim for _, claim in self._claims if claim is not None and not _volume_name(claim)]

    def _refusals(self) -> Iterator[str]:
        for name, claim in self._claims:
            if claim is None:
                yield f'persistentvolumeclaim "{name}" not found'
            elif not _volume_name(claim) and not self._waits(claim):
                yield "pod has unbound immediate PersistentVolumeClaims"

    def _is_used(self, claim: str) -> bool:
        namespace = self._pod.namespace
        return any(placed.pod.namespace == namespace and claim in placed.pod.claims for placed in self._cluster.pods())

    def _volume(self, claim: Body | None) -> Body | None:
        name = _volume_name(claim or {})
        return self._cluster.find("PersistentVolume", "", name) if name else None

    def _class(self, claim: Body) -> Body | None:
        name = struct(claim.get("spec")).get("storageClassName")
        return self._cluster.find("StorageClass", "", name) if isinstance(name, str) else None

    def _waits(self, claim: Body) -> bool:
        """Tell whether a volume is made for the claim when its pod is scheduled, or nobody could read the classes."""
        if "StorageClass" not in self._cluster.snapshot.objects:
            return True
        return (self._class(claim) or {}).get("volumeBindingMode") == "WaitForFirstConsumer"

    def check(self, state: NodeState) -> Iterator[str]:
        """Yield why the node is refused."""
        if self._taken:
            yield (
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by"
                " another pod"
            )
        elif self._full_driver(state):
            yield "node(s) exceed max volume count"
        elif not all(_affine(volume, state) for volume in self._bound):
            yield "node(s) didn't match PersistentVolume's node affinity"
        elif not all(self._can_make(claim, state) for claim in self._unbound):
            yield "node(s) didn't find available persistent volumes to bind"
        elif not all(_in_zone(volume, state) for volume in self._bound):
            yield "node(s) had no available volume zone"

    def _can_make(self, claim: Body, state: NodeState) -> bool:
        """Tell whether the class may make a volume for a node: allowedTopologies."""
        terms = structs((self._class(claim) or {}).get("allowedTopologies"))
        return not terms or any(_allows(term, state.node.labels) for term in terms)

    def _full_driver(self, state: NodeState) -> bool:
        """csi.go:Filter: volumes are counted once, whichever pods share them."""
        for driver, most in state.node.attachable.items():
            new = self._handles(self._pod, driver)
            if new:
                there = {handle for pod in state.pods for handle in self._handles(pod, driver)}
                if len(there | new) > most:
                    return True
        return False

    def _handles(self, pod: PodView, driver: str) -> set[str]:
        found = set()
        for name in pod.claims:
            volume = self._volume(self._cluster.find("PersistentVolumeClaim", pod.namespace, name))
            csi = struct(struct((volume or {}).get("spec")).get("csi"))
            if csi.get("driver") == driver:
                found.add(str(csi.get("volumeHandle")))
        return found


def _volume_name(claim: Body) -> str:
    return str(struct(claim.get("spec")).get("volumeName") or "")


def _modes(claim: Body | None) -> Json:
    return struct((claim or {}).get("spec")).get("accessModes")


def _affine(volume: Body, state: NodeState) -> bool:
    required = struct(struct(volume.get("spec")).get("nodeAffinity")).get("required")
    return required is None or node_selector(required, state.node.name, state.node.labels)


def _in_zone(volume: Body, state: NodeState) -> bool:
    """volume_zone.go:Filter; a node without any zone is taken to be in the only one."""
    labels, node = struct(struct(volume.get("metadata")).get("labels")), state.node.labels
    if not any(key in node for key in _ZONES):
        return True
    for key, general in _ZONES.items():
        if key in labels:
            values = str(labels[key]).split("__")  # a volume of several zones
            if node.get(key, node.get(general)) not in values:
                return False
    return True


def _allows(term: Mapping[str, Json], labels: Mapping[str, str]) -> bool:
    return all(
        labels.get(str(one.get("key"))) in (one.get("values") or ())  # type: ignore[operator]  # a list, by the schema
        for one in structs(term.get("matchLabelExpressions"))
    )
