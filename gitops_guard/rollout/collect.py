"""What a snapshot keeps of the objects of a cluster: no Secret, no status that changes by itself, no data."""

from collections.abc import Iterator, Mapping, Sequence

from gitops_guard.model import Body, Json
from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
from gitops_guard.rollout.case import integer, struct, structs

KINDS: Mapping[str, tuple[str, str]] = {
    "Node": ("v1", ""),
    "Pod": ("v1", ""),
    "CSINode": ("storage.k8s.io/v1", ""),
    "Namespace": ("v1", ""),
    "ResourceQuota": ("v1", "spec status"),
    "LimitRange": ("v1", "spec"),
    "PodDisruptionBudget": ("policy/v1", "spec"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "spec"),
    "PersistentVolumeClaim": ("v1", "spec"),
    "PersistentVolume": ("v1", "spec"),
    "StorageClass": ("storage.k8s.io/v1", "volumeBindingMode allowedTopologies"),
    "PriorityClass": ("scheduling.k8s.io/v1", ""),
    "RuntimeClass": ("node.k8s.io/v1", ""),
    "ServiceAccount": ("v1", ""),
    "ConfigMap": ("v1", ""),
}
"""What is listed: apiVersion, and the fields that are kept beside the name. `NAMES_ONLY` needs no body."""

NAMES_ONLY = frozenset({"Namespace", "PriorityClass", "RuntimeClass", "ServiceAccount", "ConfigMap"})
"""Kinds of which metadata lists are enough."""

_APART = frozenset({"Node", "Pod", "CSINode"})
_POD_FIELDS = (
    "affinity",
    "hostNetwork",
    "nodeSelector",
    "overhead",
    "resources",
    "tolerations",
    "topologySpreadConstraints",
)
_ENDED = ("Succeeded", "Failed")


def snapshot_of(
    version: str, lists: Mapping[str, Sequence[Body]], *, served: Sequence[str] = (), unread: Sequence[str] = ()
) -> Snapshot:
    """Reduce lists of objects to a snapshot.

    Args:
        version: The server's.
        lists: By kind, as the API returned them; those of `KINDS`.
        served: What the server serves.
        unread: Kinds that could not be listed.
    """
    limits = {_name(body): _attachable(body) for body in lists.get("CSINode", ())}
    pods = [_pod(body) for body in lists.get("Pod", ()) if _counts(body)]
    nodes = [_node(body, limits.get(_name(body), {})) for body in lists.get("Node", ())]
    return Snapshot(
        kubernetes=version,
        nodes=tuple(sorted(nodes, key=lambda node: node.name)),
        pods=tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name))),
        objects={
            kind: tuple(_reduced(kind, body) for body in sorted(lists[kind], key=_key))
            for kind in sorted(KINDS.keys() - _APART)
            if kind in lists
        },
        served=tuple(sorted(served)),
        unread=tuple(sorted(unread)),
    )


def _name(body: Body) -> str:
    return str(struct(body.get("metadata")).get("name"))


def _key(body: Body) -> tuple[str, str]:
    metadata = struct(body.get("metadata"))
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))


def _labels(body: Body) -> Mapping[str, str]:
    return {key: str(value) for key, value in struct(struct(body.get("metadata")).get("labels")).items()}


def _reduced(kind: str, body: Body) -> Body:
    metadata = struct(body.get("metadata"))
    kept: dict[str, Json] = {key: metadata[key] for key in ("namespace", "name", "labels") if metadata.get(key)}
    fields = [field for field in KINDS[kind][1].split() if body.get(field) is not None]
    return {"metadata": kept, **{field: body[field] for field in fields}}


def _node(body: Body, attachable: Mapping[str, int]) -> Node:
    spec = struct(body.get("spec"))
    taints = structs(spec.get("taints"))
    return Node(
        name=_name(body),
        labels=_labels(body),
        taints=tuple({key: one[key] for key in ("key", "value", "effect") if one.get(key)} for one in taints),
        unschedulable=spec.get("unschedulable") is True,
        allocatable=struct(struct(body.get("status")).get("allocatable")),
        attachable=attachable,
    )


def _attachable(body: Body) -> Mapping[str, int]:
    drivers = structs(struct(body.get("spec")).get("drivers"))
    found = {str(one.get("name")): struct(one.get("allocatable")).get("count") for one in drivers}
    return {name: integer(count, 0) for name, count in sorted(found.items()) if count is not None}


def _counts(body: Body) -> bool:
    """Tell whether a pod still takes room: one that has ended does not."""
    return struct(body.get("status")).get("phase") not in _ENDED


def _pod(body: Body) -> RunningPod:
    metadata, spec = struct(body.get("metadata")), struct(body.get("spec"))
    conditions = structs(struct(body.get("status")).get("conditions"))
    return RunningPod(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name")),
        node=str(spec.get("nodeName") or ""),
        workload=_workload(metadata),
        labels=_labels(body),
        spec=_pod_spec(spec),
        ready=any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions),
        terminating=metadata.get("deletionTimestamp") is not None,
    )


def _workload(metadata: Mapping[str, Json]) -> str:
    """Return what keeps a pod; the name of a ReplicaSet is that of its owner and the hash in the pods' label."""
    owner = next((one for one in structs(metadata.get("ownerReferences")) if one.get("controller") is True), None)
    if owner is None:
        return ""
    kind, name, labels = str(owner.get("kind")), str(owner.get("name")), struct(metadata.get("labels"))
    for label, above in (("rollouts-pod-template-hash", "Rollout"), ("pod-template-hash", "Deployment")):
        if kind == "ReplicaSet" and label in labels and name.endswith(f"-{labels[label]}"):
            return f"{above}/{name.removesuffix(f'-{labels[label]}')}"
    return f"{kind}/{name}"


def _pod_spec(spec: Mapping[str, Json]) -> Body:
    kept: dict[str, Json] = {field: spec[field] for field in _POD_FIELDS if spec.get(field)}
    for field in ("containers", "initContainers"):
        if containers := [_container(one) for one in structs(spec.get(field))]:
            kept[field] = list(containers)
    if volumes := list(_claims(spec)):
        kept["volumes"] = list(volumes)
    return kept


def _container(container: Mapping[str, Json]) -> dict[str, Json]:
    """Keep no image, command or variable: only what takes room."""
    ports = [
        {key: port[key] for key in ("hostIP", "hostPort", "containerPort", "protocol") if port.get(key)}
        for port in structs(container.get("ports"))
    ]
    resources = struct(container.get("resources"))
    kept: dict[str, Json] = {"name": container.get("name")}
    if ports:
        kept["ports"] = list(ports)
    if amounts := {key: resources[key] for key in ("limits", "requests") if resources.get(key)}:
        kept["resources"] = amounts
    if container.get("restartPolicy"):
        kept["restartPolicy"] = container["restartPolicy"]
    return kept


def _claims(spec: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    for volume in structs(spec.get("volumes")):
        claim = struct(volume.get("persistentVolumeClaim")).get("claimName")
        if claim:
            yield {"name": volume.get("name"), "persistentVolumeClaim": {"claimName": claim}}
