"""A lost inventory, found again: by the set's label, over all kinds that the server serves."""

from dataclasses import dataclass, replace
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client, in_parallel
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.inventory import Entry
from gitops_guard.sync.locking import Stop, locked, run_id
from gitops_guard.sync.managed_fields import owns_label
from gitops_guard.sync.objects import PART_OF, Live, live, meta_hash, metadata_of
from gitops_guard.sync.store import Store

_LEASE_S: Final = 60
_DERIVED: Final = frozenset(("Event", "EndpointSlice", "Endpoints", "PodMetrics", "NodeMetrics"))
"""Kinds that nobody puts into Git, and of which there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was found."""

    members: int
    blind: tuple[str, ...]
    """Kinds that could not be listed."""


def rebuild(client: Client, name: SetName) -> Rebuilt:
    """Rebuild a set's inventory, and let nothing be pruned until a run has gone through healthy.

    Args:
        client: Of the cluster.
        name: Of the set.

    Raises:
        SyncError: The parent is not ours.
        LeaseHeldError: A run is under way.
        ClusterError: The cluster could not be asked.
    """
    store = Store(client, name)
    with locked(client, name, run_id(), Stop(), duration_s=_LEASE_S):
        stored = store.read_leniently()
        kinds = _kinds(client)
        found: list[Live] = []
        blind: list[str] = []
        for resource, listed in zip(kinds, in_parallel(lambda one: _members(client, one, name.id), kinds), strict=True):
            if listed is None:
                blind.append(str(resource))
            found += listed or ()
        entries = {one.key: _entry(one) for one in found}
        inventory = replace(stored.inventory, entries=entries, adopting=True, phase="")
        store.write(stored, inventory, entries)
    return Rebuilt(members=len(entries), blind=tuple(sorted(blind)))


def _kinds(client: Client) -> list[ApiResource]:
    """Return every kind once, in the version that the server prefers."""
    seen: dict[tuple[str, str], ApiResource] = {}
    for one in client.resources().all:
        if "list" in one.verbs and "delete" in one.verbs and one.kind not in _DERIVED:
            seen.setdefault((one.group, one.kind), one)
    return list(seen.values())


def _members(client: Client, resource: ApiResource, set_id: str) -> list[Live] | None:
    try:
        listing = client.list(resource, labels=f"{PART_OF}={set_id}", metadata_only=True)
    except ApiError:
        return None
    found = [live(resource.api_version, resource.kind, metadata_of(item)) for item in listing.items]
    return [one for one in found if owns_label(one.managed_fields, PART_OF)]


def _entry(one: Live) -> Entry:
    return Entry(
        key=one.key,
        version=one.version,
        uid=one.uid,
        resource_version=one.resource_version,
        generation=one.generation,
        meta_hash=meta_hash(one.metadata),
    )
