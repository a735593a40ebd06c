"""What a change is about, by kind and field: the words under which a reviewer looks for danger."""

from collections.abc import Mapping
from typing import Final

from gitops_guard.diff.secrets import is_secret
from gitops_guard.model import Body, ChangeClass, FieldPath, ResourceId

_RBAC_KINDS: Final = frozenset(("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"))
_NETWORK_KINDS: Final = frozenset(
    ("Service", "Ingress", "IngressClass", "NetworkPolicy", "Endpoints", "EndpointSlice", "Gateway", "GatewayClass",
     "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "ReferenceGrant", "CiliumNetworkPolicy",
     "VirtualService", "DestinationRule", "IngressRoute")
)  # fmt: skip
_STORAGE_KINDS: Final = frozenset(
    ("PersistentVolume", "PersistentVolumeClaim", "StorageClass", "VolumeSnapshot", "VolumeSnapshotClass",
     "VolumeAttributesClass", "CSIDriver", "CSIStorageCapacity")
)  # fmt: skip
_BY_KIND: Final[Mapping[str, ChangeClass]] = {
    "CustomResourceDefinition": ChangeClass.CRD,
    **dict.fromkeys(_RBAC_KINDS, ChangeClass.RBAC),
    **dict.fromkeys(_NETWORK_KINDS, ChangeClass.NETWORK),
    **dict.fromkeys(_STORAGE_KINDS, ChangeClass.STORAGE),
    **dict.fromkeys(("HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject", "PodDisruptionBudget"),
                    ChangeClass.SCALING),
    **dict.fromkeys(("ResourceQuota", "LimitRange"), ChangeClass.RESOURCES),
    "Secret": ChangeClass.SECRET,
    **dict.fromkeys(
        ("ConfigMap", "Pod", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job",
         "CronJob", "Rollout"),
        ChangeClass.CONFIG,
    ),
}  # fmt: skip
_POD_KINDS: Final = frozenset(
    (
        "Pod",
        "Deployment",
        "DaemonSet",
        "StatefulSet",
        "ReplicaSet",
        "ReplicationController",
        "Job",
        "CronJob",
        "Rollout",
    )
)
_BY_FIELD: Final[Mapping[str, ChangeClass]] = {
    **dict.fromkeys(("image", "imagePullPolicy", "imagePullSecrets"), ChangeClass.IMAGE),
    **dict.fromkeys(("replicas", "minReplicas", "maxReplicas", "parallelism", "completions"), ChangeClass.SCALING),
    "resources": ChangeClass.RESOURCES,
    **dict.fromkeys(
        ("volumes", "volumeMounts", "volumeDevices", "volumeClaimTemplates", "persistentVolumeClaimRetentionPolicy"),
        ChangeClass.STORAGE,
    ),
    **dict.fromkeys(("ports", "hostNetwork", "hostAliases", "dnsPolicy", "dnsConfig", "hostname", "subdomain"),
                    ChangeClass.NETWORK),
    **dict.fromkeys(("serviceAccountName", "serviceAccount", "automountServiceAccountToken"), ChangeClass.RBAC),
}  # fmt: skip

_IMMUTABLE: Final[Mapping[str, tuple[FieldPath, ...]]] = {
    "Deployment": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"), ("spec", "serviceName"), ("spec", "podManagementPolicy"),
        ("spec", "volumeClaimTemplates"),
    ),
    "Job": (("spec", "selector"), ("spec", "template"), ("spec", "completionMode")),
    "PersistentVolumeClaim": (
        ("spec", "storageClassName"), ("spec", "accessModes"), ("spec", "volumeName"), ("spec", "volumeMode"),
        ("spec", "selector"), ("spec", "dataSource"), ("spec", "dataSourceRef"),
    ),
    "PersistentVolume": (
        ("spec", "volumeMode"), ("spec", "csi"), ("spec", "hostPath"), ("spec", "nfs"), ("spec", "local"),
    ),
    "Service": (("spec", "clusterIP"),),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "Secret": (("type",),),
    "IngressClass": (("spec", "controller"),),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
    "RuntimeClass": (("handler",),),
    "CustomResourceDefinition": (("spec", "scope"), ("spec", "group"), ("spec", "names", "kind")),
}  # fmt: skip
"""Fields that the API server does not let an update change; see pkg/apis/*/validation of kubernetes v1.36."""


def class_of_kind(owner: ResourceId) -> ChangeClass:
    """Return the class of an object that comes or goes as a whole."""
    return _BY_KIND.get("Secret" if is_secret(owner) else owner.kind, ChangeClass.OTHER)


def class_of_field(owner: ResourceId, path: FieldPath, before: Body | None) -> ChangeClass:
    """Return the class of a changed field.

    Args:
        owner: The object's new identity.
        path: The field.
        before: The old object: an immutable ConfigMap stays one. None when the new one does not replace it.
    """
    if before is not None and _is_immutable(owner, path, before):
        return ChangeClass.IMMUTABLE
    if path[:1] == ("apiVersion",):
        return ChangeClass.API_VERSION
    if path[:1] == ("metadata",):
        return ChangeClass.METADATA
    if owner.kind in _POD_KINDS or owner.kind not in _BY_KIND:
        named = _by_field(path)
        if named is not None:
            return named
    return class_of_kind(owner)


def _is_immutable(owner: ResourceId, path: FieldPath, before: Body) -> bool:
    if any(path[: len(prefix)] == prefix for prefix in _IMMUTABLE.get(owner.kind, ())):
        return True
    sealed = before.get("immutable") is True and (owner.kind == "ConfigMap" or is_secret(owner))
    return sealed and path[:1] != ("metadata",) and path[:1] != ("apiVersion",)


def _by_field(path: FieldPath) -> ChangeClass | None:
    """Return the class of the innermost field that has one."""
    for index in range(len(path) - 1, -1, -1):
        element = path[index]
        if isinstance(element, str) and element in _BY_FIELD:
            return _BY_FIELD[element]
    return None
