"""What a cluster held at one moment, as far as rollouts depend on it: nodes, running pods, quotas, volumes.

`gitops-guard snapshot` writes it, `rollout/` reads it. It holds no Secrets, and of ConfigMaps only their names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_guard.model.resource import Body, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Body, ...] = ()
    """As in spec.taints: key, value, effect."""

    unschedulable: bool = False
    """Whether it is cordoned."""

    allocatable: Mapping[str, Json] = field(default_factory=dict)
    """Quantities by resource: `{"cpu": "3920m", "memory": "14Gi", "pods": "110"}`."""

    attachable: Mapping[str, int] = field(default_factory=dict)
    """The most volumes by CSI driver: `{"ebs.csi.aws.com": 25}`; a driver without a limit is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPod:
    """One pod that has not ended."""

    namespace: str
    name: str
    node: str
    """Empty while it is not scheduled."""

    workload: str
    """What keeps it, `Deployment/web`; empty for a pod of its own."""

    labels: Mapping[str, str]
    spec: Body
    """The part of the pod's spec that the scheduler and quotas read."""

    ready: bool = False
    terminating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All of it. What the account was not allowed to read is named in `unread`, and nothing is concluded from it."""

    kubernetes: str
    """The server's version: `v1.36.3`."""

    nodes: tuple[Node, ...] = ()
    pods: tuple[RunningPod, ...] = ()
    objects: Mapping[str, tuple[Body, ...]] = field(default_factory=dict)
    """By kind, each with metadata (namespace, name, labels) and what of it matters: `ResourceQuota`, `LimitRange`,
    `PodDisruptionBudget`, `HorizontalPodAutoscaler`, `PersistentVolumeClaim`, `PersistentVolume`, `StorageClass`,
    `Namespace`, `PriorityClass`, `RuntimeClass`, `ServiceAccount`, `ConfigMap`."""

    served: tuple[str, ...] = ()
    """What the server serves: `apps/v1/Deployment`, `v1/Pod`; empty when that is not known."""

    unread: tuple[str, ...] = ()
    """Kinds that could not be read: `Node`, `StorageClass`."""
