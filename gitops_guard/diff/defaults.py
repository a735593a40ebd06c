"""What the API server fills in where built-in kinds leave a field out.

From kubernetes v1.36, `pkg/apis/<group>/<version>/defaults.go`. `replicas` is left out on purpose: a manifest without
it leaves the number to an autoscaler, which is not the same as asking for one.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeAlias

from gitops_guard.diff.lists import is_builtin
from gitops_guard.model import Body, FieldPath, Json, ResourceId


class Absent(Enum):
    """The one value that says that there is none; null is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Defaults: TypeAlias = Callable[[ResourceId, FieldPath, Body], "Json | Absent"]
"""(resource, path of the field that is left out, the struct that lacks it) -> what the server puts there."""

_PROBE: Final[dict[str, Json]] = {
    "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
}  # fmt: skip
_CONTAINER: Final[dict[str, Json]] = {
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": {},
}  # fmt: skip
_BY_STRUCT: Final[Mapping[str, dict[str, Json]]] = {
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "httpGet": {"path": "/", "scheme": "HTTP"},
    "ports": {"protocol": "TCP"},
    "fieldRef": {"apiVersion": "v1"},
    "configMap": {"defaultMode": 420},
    "secret": {"defaultMode": 420},
    "downwardAPI": {"defaultMode": 420},
    "projected": {"defaultMode": 420},
    "serviceAccountToken": {"expirationSeconds": 3600},
}
"""Defaults of a struct in a pod, by the field it stands in, or by that of the list whose item it is."""

_POD: Final[dict[str, Json]] = {
    "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler", "securityContext": {},
}  # fmt: skip
_ROLLING: Final[Mapping[str, dict[str, Json]]] = {
    "Deployment": {"maxSurge": "25%", "maxUnavailable": "25%"},
    "DaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    "StatefulSet": {"partition": 0},
}
_SPEC: Final[Mapping[tuple[str, str], dict[str, Json]]] = {
    ("", "Service"): {
        "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
    },
    ("", "PersistentVolume"): {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"},
    ("", "PersistentVolumeClaim"): {"volumeMode": "Filesystem"},
    ("apps", "Deployment"): {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {**_ROLLING["Deployment"]}},
        "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
    },
    ("apps", "DaemonSet"): {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {**_ROLLING["DaemonSet"]}},
        "revisionHistoryLimit": 10,
    },
    ("apps", "StatefulSet"): {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {**_ROLLING["StatefulSet"]}},
        "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    ("batch", "Job"): {"completionMode": "NonIndexed", "suspend": False, "manualSelector": False},
    ("batch", "CronJob"): {
        "concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
    },
    ("autoscaling", "HorizontalPodAutoscaler"): {"minReplicas": 1},
}  # fmt: skip
_TOP: Final[Mapping[tuple[str, str], dict[str, Json]]] = {
    ("", "Secret"): {"type": "Opaque"},
    ("storage.k8s.io", "StorageClass"): {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    ("scheduling.k8s.io", "PriorityClass"): {"preemptionPolicy": "PreemptLowerPriority"},
}
_WORKLOADS: Final = frozenset(
    ("Pod", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
)


def known_default(owner: ResourceId, path: FieldPath, struct: Body) -> "Json | Absent":
    """Return what the server fills in for a field of a built-in kind that is left out."""
    if not is_builtin(owner) or not path:
        return ABSENT
    field = str(path[-1])
    rows = (_TOP if len(path) == 1 else _SPEC).get((owner.group, owner.kind))
    if rows is not None and field in rows and path[:-1] in ((), ("spec",)):
        return rows[field]
    if owner.kind == "Service":
        return _service_port(path, field, struct)
    if owner.kind in _WORKLOADS:
        return _workload(owner, path, field, struct)
    return ABSENT


def _service_port(path: FieldPath, field: str, struct: Body) -> "Json | Absent":
    if len(path) == 4 and path[:2] == ("spec", "ports"):
        if field == "protocol":
            return "TCP"
        if field == "targetPort":
            return struct.get("port", ABSENT)
    return ABSENT


def _workload(owner: ResourceId, path: FieldPath, field: str, struct: Body) -> "Json | Absent":
    names = [element for element in path[:-1] if isinstance(element, str)]
    if names == ["spec", "strategy"] or names == ["spec", "updateStrategy"]:
        return _strategy(owner, field, struct)
    if names[-1:] == ["rollingUpdate"]:
        return _ROLLING.get(owner.kind, {}).get(field, ABSENT)
    pod = _inside_pod(owner, names)
    if pod is None:
        return ABSENT
    if not pod:
        return _pod(owner, field)
    if pod in (["containers"], ["initContainers"]) and field == "imagePullPolicy":
        return _pull_policy(struct.get("image"))
    in_projection = "sources" in pod and pod[-1] in ("configMap", "secret", "downwardAPI")
    return ABSENT if in_projection else _BY_STRUCT.get(pod[-1], {}).get(field, ABSENT)


def _pod(owner: ResourceId, field: str) -> "Json | Absent":
    if field == "restartPolicy" and owner.kind in ("Job", "CronJob"):
        return ABSENT  # the server refuses the default there, so nobody can have left it out
    return _POD.get(field, ABSENT)


def _strategy(owner: ResourceId, field: str, struct: Body) -> "Json | Absent":
    if field == "type":
        return "RollingUpdate"
    rolling = struct.get("type", "RollingUpdate") == "RollingUpdate"
    return {**_ROLLING.get(owner.kind, {})} if field == "rollingUpdate" and rolling else ABSENT


def _inside_pod(owner: ResourceId, names: list[str]) -> list[str] | None:
    """Return the names below the pod's spec, or None outside of it."""
    prefix = {
        "Pod": ["spec"],
        "CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
    }.get(owner.kind, ["spec", "template", "spec"])
    return names[len(prefix) :] if names[: len(prefix)] == prefix else None


def _pull_policy(image: Json) -> "Json | Absent":
    """Always for the tag latest, which is also that of an image without any; a digest is no tag."""
    if not isinstance(image, str) or not image:
        return ABSENT
    if "@" in image:
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def is_within(value: Json, default: "Json | Absent") -> bool:
    """Tell whether a value that is written out says no more than the default: what it leaves out is filled in."""
    if isinstance(value, dict) and isinstance(default, dict):
        if not value and default:
            return True
        return all(key in default and is_within(item, default[key]) for key, item in value.items())
    return type(value) is type(default) and value == default
