"""What would be deleted: objects that carry the mark of what is deployed from Git and are in Git no more.

The mark is that of an ApplySet, of Flux or of Argo CD. Where no object carries one, only what the merge takes out of
Git can be told. Children that copied the labels of their owner are none of ours: they have a controller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client, ErrorClass
from gitops_guard.live.managed import entries
from gitops_guard.live.states import Wanted, key_of
from gitops_guard.model import Body, Json, ResourceId
from gitops_guard.model.live import Prune
from gitops_guard.model.resource import resource_id

_FLUX: Final = "kustomize.toolkit.fluxcd.io"
_HELM: Final = "helm.toolkit.fluxcd.io"
_APPLY_SET: Final = "applyset.kubernetes.io/part-of"
_ARGO: Final = "argocd.argoproj.io/tracking-id"
_INSTANCE: Final = "app.kubernetes.io/instance"
_PROTECTIONS: Final = (
    (f"{_FLUX}/prune", "disabled"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("kapp.k14s.io/delete-strategy", "orphan"),
    ("kluctl.io/skip-delete", "true"),
    ("helm.sh/resource-policy", "keep"),
)
_OPTIONS: Final = "argocd.argoproj.io/sync-options"
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Inventory:
    """What deploys an object, by the marks that it left on it."""

    name: str
    """`Flux Kustomization flux-system/shop`."""

    selector: str = ""
    """Label selector of all its objects; empty when its mark is an annotation."""

    declared_by: tuple[str, str] = ("", "")
    """(namespace, name) of the Flux Kustomization that lists its objects."""


def inventory_of(live: Body) -> Inventory | None:
    """Return what deploys a live object; None when nothing says."""
    labels, annotations = _map(live, "labels"), _map(live, "annotations")
    for prefix, title in ((_FLUX, "Flux Kustomization"), (_HELM, "Flux HelmRelease")):
        name, namespace = labels.get(f"{prefix}/name"), labels.get(f"{prefix}/namespace")
        if isinstance(name, str) and isinstance(namespace, str):
            return Inventory(
                name=f"{title} {namespace}/{name}",
                selector=f"{prefix}/name={name},{prefix}/namespace={namespace}",
                declared_by=(namespace, name) if prefix == _FLUX else ("", ""),
            )
    if isinstance(part_of := labels.get(_APPLY_SET), str):
        return Inventory(name=f"ApplySet {part_of}", selector=f"{_APPLY_SET}={part_of}")
    return _of_argo(live, labels, annotations)


def _of_argo(live: Body, labels: Mapping[str, Json], annotations: Mapping[str, Json]) -> Inventory | None:
    tracking = annotations.get(_ARGO)
    if isinstance(tracking, str):
        application, _, rest = tracking.partition(":")
        one = resource_id(live)
        if rest == f"{one.group}/{one.kind}:{one.namespace}/{one.name}":  # else it was copied with a template
            return Inventory(name=f"Argo CD Application {application}")
        return None
    instance = labels.get(_INSTANCE)
    if isinstance(instance, str) and any(entry.manager == "argocd-controller" for entry in entries(live)):
        return Inventory(name=f"Argo CD Application {instance}", selector=f"{_INSTANCE}={instance}")
    return None


def protection_of(live: Body) -> str:
    """Return the annotation that keeps an object from being deleted; empty when there is none."""
    annotations = _map(live, "annotations")
    for key, value in _PROTECTIONS:
        given = annotations.get(key)
        if isinstance(given, str) and given.lower() == value:
            return f"{key}: {value}"
    options = annotations.get(_OPTIONS)
    if isinstance(options, str):
        for option in (one.strip() for one in options.split(",")):
            if option in ("Prune=false", "Prune=confirm"):
                return f"{_OPTIONS}: {option}"
    return ""


def removed_by_merge(
    wanted: list[Wanted], live: Mapping[Key, Body], inventories: Mapping[Inventory, list[Wanted]]
) -> Iterator[Prune]:
    """Yield what the merge takes out of Git, as far as it is there."""
    for one in wanted:
        found = live.get(key_of(one.id))
        if one.head is not None or found is None:
            continue
        inventory = inventory_of(found)
        kept = protection_of(found)
        if inventories and inventory is None:
            kept = kept or "no inventory lists it"
        yield Prune(id=one.id, by_merge=True, inventory=inventory.name if inventory else "", kept=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was found of objects that were gone from Git before."""

    prunes: tuple[Prune, ...]
    errors: tuple[ApiError, ...]
    """Kinds that could not be listed: of these nothing is known."""


def left_over(client: Client, known: set[Key], inventories: Mapping[Inventory, list[Wanted]]) -> Left:
    """Find the objects of the inventories that are neither in the base nor in the head.

    Args:
        client: Of the cluster.
        known: Keys of all objects of both sides.
        inventories: With the objects of Git that carry their mark.
    """
    prunes: list[Prune] = []
    errors: list[ApiError] = []
    for inventory, members in sorted(inventories.items()):
        declared = _declared(client, inventory)
        if declared is not None:
            prunes += _of_declared(client, declared, inventory, known, errors)
            continue
        for resource in sorted({client.resource_of(one.id) for one in members}):
            namespaces = sorted({one.id.namespace for one in members if client.resource_of(one.id) == resource})
            for item in _marked(client, resource, namespaces, inventory, errors):
                found = _with_namespace(resource_id(item), resource)
                if key_of(found) not in known and inventory_of(item) == inventory and not _has_controller(item):
                    prunes.append(Prune(id=found, by_merge=False, inventory=inventory.name, kept=protection_of(item)))
    return Left(prunes=tuple(sorted(set(prunes))), errors=tuple(errors))


def _marked(
    client: Client, resource: ApiResource, namespaces: list[str], inventory: Inventory, errors: list[ApiError]
) -> Iterator[Body]:
    """Yield what carries the mark: in all namespaces if we may look there, else in those that we know of."""
    # a mark that is no label would have to be looked for in every object of the cluster
    places = [""] if inventory.selector and resource.namespaced else []
    for namespace in [*places, *namespaces]:
        try:
            listed = client.list(resource, namespace=namespace, labels=inventory.selector, metadata_only=True)
        except ApiError as error:
            if namespace or not places:
                errors.append(error)
            continue
        yield from listed.items
        if namespace == "" and places:
            return


def _declared(client: Client, inventory: Inventory) -> list[ResourceId] | None:
    """Return what a Flux Kustomization lists as its own; None when it does not tell."""
    namespace, name = inventory.declared_by
    resource = client.resources().preferred(_FLUX, "Kustomization")
    if not name or resource is None:
        return None
    wanted = ResourceId(group=_FLUX, version=resource.version, kind="Kustomization", namespace=namespace, name=name)
    try:
        found = client.find(wanted)
    except ApiError:
        return None
    status = (found or {}).get("status")
    listed = status.get("inventory") if isinstance(status, dict) else None
    listed = listed.get("entries") if isinstance(listed, dict) else None
    return list(_flux_ids(listed)) if isinstance(listed, list) else None


def _flux_ids(listed: list[Json]) -> Iterator[ResourceId]:
    for entry in listed:
        parts = str(entry.get("id") or "").split("_") if isinstance(entry, dict) else []
        if isinstance(entry, dict) and len(parts) >= 4:
            # <namespace>_<name>_<group>_<kind>; a colon in the name of an RBAC object is written as __
            namespace, group, kind = parts[0], parts[-2], parts[-1]
            name = "_".join(parts[1:-2]).replace("__", ":")
            version = str(entry.get("v") or "")
            yield ResourceId(group=group, version=version, kind=kind, namespace=namespace, name=name)


def _of_declared(
    client: Client, declared: list[ResourceId], inventory: Inventory, known: set[Key], errors: list[ApiError]
) -> Iterator[Prune]:
    for one in declared:
        if key_of(one) in known:
            continue
        try:
            found = client.find(one, metadata_only=True)
        except ApiError as error:
            if error.error_class is not ErrorClass.NOT_SERVED:
                errors.append(error)
            continue
        if found is not None:
            yield Prune(id=one, by_merge=False, inventory=inventory.name, kept=protection_of(found))


def _with_namespace(one: ResourceId, resource: ApiResource) -> ResourceId:
    return ResourceId(
        group=resource.group,
        version=resource.version,
        kind=resource.kind,
        namespace=one.namespace if resource.namespaced else "",
        name=one.name,
    )


def _has_controller(live: Body) -> bool:
    metadata = live.get("metadata")
    owners = metadata.get("ownerReferences") if isinstance(metadata, dict) else None
    listed = owners if isinstance(owners, list) else []
    return any(isinstance(one, dict) and one.get("controller") is True for one in listed)


def _map(live: Body, key: str) -> Mapping[str, Json]:
    metadata = live.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, dict) else {}
