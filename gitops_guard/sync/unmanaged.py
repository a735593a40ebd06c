"""Objects in our namespaces that are in nobody's set and not in Git: made by hand, or left behind."""

from typing import Any, Final

from gitops_guard.cluster import ApiError, ApiResource, Client, in_parallel
from gitops_guard.model.sync import Drift, DriftClass
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.managed_fields import owners
from gitops_guard.sync.objects import Live, live, metadata_of
from gitops_guard.sync.planning import Item, Step
from gitops_guard.sync.preparing import Prepared
from gitops_guard.sync.reporting import id_of

_SYSTEM: Final = frozenset(
    (
        ("ConfigMap", "kube-root-ca.crt"),
        ("ConfigMap", "istio-ca-root-cert"),
        ("ServiceAccount", "default"),
        ("Service", "kubernetes"),
    )
)


def unmanaged(client: Client, prepared: Prepared, name: SetName) -> list[Drift]:
    """Return the objects of our kinds, in our namespaces, that nobody answers for.

    Args:
        client: Of the cluster.
        prepared: With what Git wants.
        name: Of the set, whose own objects are left out.

    Raises:
        ClusterError: The cluster could not be asked; a missing right is not such an error.
    """
    places = sorted(
        {
            (found, one.namespace)
            for one in prepared.objects
            if one.namespace and (found := client.resources().preferred(one.group, one.kind)) is not None
        }
    )
    own = {(kind, name.parent) for kind in ("ConfigMap", "Secret", "Lease")}
    seen = [one for listed in in_parallel(lambda place: _listed(client, *place), places) for one in listed]
    return [
        _drift(one)
        for one in sorted(seen, key=lambda one: one.key)
        if one.key not in prepared.objects and (one.key.kind, one.key.name) not in _SYSTEM | own and _is_alone(one)
    ]


def _listed(client: Client, resource: ApiResource, namespace: str) -> list[Live]:
    try:
        listing = client.list(resource, namespace=namespace, metadata_only=True)
    except ApiError:
        return []  # what may not be listed is not reported; nothing depends on it
    return [live(resource.api_version, resource.kind, metadata_of(item)) for item in listing.items]


def _is_alone(one: Live) -> bool:
    """Tell whether no set, no owner and no other GitOps tool answers for an object."""
    tools = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name", "app.kubernetes.io/managed-by")
    has_tool = any(one.labels.get(tool) for tool in tools) or "argocd.argoproj.io/tracking-id" in one.annotations
    return not one.part_of and not one.owners and not has_tool and not one.is_terminating


def _drift(one: Live) -> Drift:
    latest = max(owners(one.managed_fields), key=lambda entry: entry.time, default=None)
    said: dict[str, Any] = (
        {"manager": latest.manager, "operation": latest.operation, "time": latest.time} if latest is not None else {}
    )
    item = Item(key=one.key, step=Step.SKIP, live=one)
    return Drift(id=id_of(item), drift_class=DriftClass.UNMANAGED, **said)
