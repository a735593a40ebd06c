"""What the cluster has of a set, by lists of metadata: a few requests for thousands of objects."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client, ErrorClass, in_parallel
from gitops_guard.model import ResourceId
from gitops_guard.sync.inventory import Inventory
from gitops_guard.sync.objects import PART_OF, Desired, Key, Live, live, metadata_of
from gitops_guard.sync.planning import Sight

_FEW: Final = 3
"""So many objects of one kind and namespace are asked for one by one; more of them by one list."""

_NO_RIGHT: Final = (ErrorClass.FORBIDDEN, ErrorClass.UNSUPPORTED)


@dataclass(slots=True)
class _Found:
    live: dict[Key, Live] = field(default_factory=dict)
    blind: set[tuple[str, str]] = field(default_factory=set)
    unserved: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    kind: str
    resource: ApiResource
    namespaces: tuple[str, ...]
    """Where its objects are; empty for cluster-scoped kinds."""


def scan(
    client: Client,
    wanted: Sequence[Desired],
    known: Inventory,
    *,
    set_id: str,
    planned_kinds: Iterable[tuple[str, str]] = (),
) -> Sight:
    """Look at all objects that carry the set's label, and at those that Git wants and that do not carry it.

    Args:
        client: Of the cluster.
        wanted: All that Git wants.
        known: All that the set remembers.
        set_id: Value of the label.
        planned_kinds: Group and kind that definitions of the set bring: that they are not served yet is no fault.

    Raises:
        ClusterError: The cluster could not be asked; a missing right is not such an error.
    """
    found = _Found()
    kinds = _kinds(client, wanted, known, found, set(planned_kinds))
    selector = f"{PART_OF}={set_id}"
    for kind, listed in zip(kinds, in_parallel(lambda one: _labelled(client, one, selector), kinds), strict=True):
        if listed is None:
            found.blind.add((kind.group, kind.kind))
        for one in listed or ():
            found.live[one.key] = one
    for one in _unlabelled(client, wanted, kinds, found):
        found.live.setdefault(one.key, one)
    return Sight(live=found.live, blind=frozenset(found.blind), unserved=frozenset(found.unserved))


def _kinds(
    client: Client, wanted: Sequence[Desired], known: Inventory, found: _Found, planned: set[tuple[str, str]]
) -> list[_Kind]:
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    versions: dict[tuple[str, str], str] = {}
    for key, entry in known.entries.items():
        places[key.group, key.kind].add(key.namespace)
        versions[key.group, key.kind] = entry.version.rpartition("/")[2]
    for one in wanted:
        places[one.id.group, one.id.kind].add(one.id.namespace)
        versions[one.id.group, one.id.kind] = one.id.version
    resources = client.resources()
    kinds = []
    for (group, kind), namespaces in sorted(places.items()):
        resource = resources.find(group, versions[group, kind], kind) or resources.preferred(group, kind)
        if resource is not None:
            kinds.append(_Kind(group, kind, resource, tuple(sorted(namespaces - {""}))))
        elif any(version.rpartition("/")[0] == group for version in resources.stale):
            found.blind.add((group, kind))  # its backend does not answer: whether it is served is not known
        elif (group, kind) not in planned:
            found.unserved.add((group, kind))
    return kinds


def _labelled(client: Client, kind: _Kind, selector: str) -> list[Live] | None:
    """Return the members of one kind; None when they may not all be listed."""
    if kind.resource.namespaced and len(kind.namespaces) == 1:
        return _list(client, kind.resource, kind.namespaces[0], selector)
    everywhere = _list(client, kind.resource, "", selector)
    if everywhere is not None or not kind.resource.namespaced:
        return everywhere
    found: list[Live] = []
    for namespace in kind.namespaces:
        listed = _list(client, kind.resource, namespace, selector)
        if listed is None:
            return None
        found += listed
    return found


def _list(client: Client, resource: ApiResource, namespace: str, selector: str) -> list[Live] | None:
    try:
        listing = client.list(resource, namespace=namespace, labels=selector, metadata_only=True)
    except ApiError as error:
        if error.error_class in _NO_RIGHT:
            return None
        if error.error_class is ErrorClass.NOT_SERVED:
            return None  # its definition went between discovery and now: nothing is known
        raise
    return [live(resource.api_version, resource.kind, metadata_of(item)) for item in listing.items]


def _unlabelled(client: Client, wanted: Sequence[Desired], kinds: Sequence[_Kind], found: _Found) -> list[Live]:
    """Return the objects that Git wants, that exist, and that do not carry our label."""
    by_kind = {(kind.group, kind.kind): kind.resource for kind in kinds}
    new_spaces = {
        one.key.name for one in wanted if one.key[:2] == ("", "Namespace") and not _exists(client, one, found)
    }
    absent: dict[tuple[str, str, str], list[ResourceId]] = defaultdict(list)
    for one in wanted:
        key = one.key
        if key not in found.live and (key.group, key.kind) in by_kind and key.namespace not in new_spaces:
            absent[key.group, key.kind, key.namespace].append(one.id)
    asked: list[Callable[[], list[Live]]] = []
    for (group, kind, namespace), ids in sorted(absent.items()):
        asked += _questions(client, by_kind[group, kind], namespace, ids)
    return [one for answer in in_parallel(lambda ask: ask(), asked) for one in answer]


def _exists(client: Client, one: Desired, found: _Found) -> bool:
    """Tell whether a namespace of the set is there: in one that is not, there is nothing to look for."""
    if one.key not in found.live:
        for known in _one(client, one.id):
            found.live[known.key] = known
    return one.key in found.live


def _questions(
    client: Client, resource: ApiResource, namespace: str, ids: Sequence[ResourceId]
) -> list[Callable[[], list[Live]]]:
    single: list[Callable[[], list[Live]]] = [partial(_one, client, one) for one in ids]
    if len(ids) <= _FEW:
        return single
    wanted = {one.name for one in ids}

    def by_list() -> list[Live]:
        listed = _list(client, resource, namespace, "")
        if listed is None:
            return [found for ask in single for found in ask()]
        return [found for found in listed if found.key.name in wanted]

    return [by_list]


def _one(client: Client, one: ResourceId) -> list[Live]:
    try:
        body = client.find(one, metadata_only=True)
    except ApiError as error:
        if error.error_class in (*_NO_RIGHT, ErrorClass.NOT_SERVED):
            return []  # it is applied blindly then; the server refuses what is not allowed
        raise
    return [] if body is None else [live(one.api_version, one.kind, metadata_of(body))]
