"""Reads what is live: whole lists where many objects of a kind are wanted, single objects else, Secrets one by one."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client, ErrorClass, in_parallel
from gitops_guard.live.states import Wanted, key_of
from gitops_guard.model import Json, ResourceId

_MANY: Final = 8
Key = tuple[str, str, str, str]


def look(client: Client, wanted: list[Wanted]) -> Mapping[Key, "dict[str, Json] | ApiError | None"]:
    """Read the live objects.

    Args:
        client: Of the cluster.
        wanted: The objects; their kinds are served.

    Returns:
        By key: the object, None where there is none, or the error that says why nobody knows.

    Raises:
        ClusterError: The cluster cannot be asked at all.
    """
    groups: dict[tuple[ApiResource, str], list[ResourceId]] = defaultdict(list)
    for one in wanted:
        groups[client.resource_of(one.id), one.id.namespace].append(one.id)
    tasks: list[list[ResourceId]] = []
    for (resource, _), ids in groups.items():
        is_listed = len(ids) >= _MANY and resource.kind != "Secret"  # a list of Secrets is a right nobody should need
        tasks += [ids] if is_listed else [[one] for one in ids]
    found: dict[Key, dict[str, Json] | ApiError | None] = {}
    for part in in_parallel(lambda ids: _read(client, ids), tasks):
        found.update(part)
    return found


def _read(client: Client, ids: list[ResourceId]) -> dict[Key, "dict[str, Json] | ApiError | None"]:
    if len(ids) > 1:
        try:
            listed = client.list(client.resource_of(ids[0]), namespace=ids[0].namespace)
        except ApiError as error:
            if error.error_class not in (ErrorClass.FORBIDDEN, ErrorClass.UNSETTLED, ErrorClass.UNSUPPORTED):
                return dict.fromkeys(map(key_of, ids), error)
        else:
            by_name = {_name(item): item for item in listed.items}
            return {key_of(one): by_name.get(one.name) for one in ids}
    return {key_of(one): _get(client, one) for one in ids}


def _get(client: Client, wanted: ResourceId) -> "dict[str, Json] | ApiError | None":
    try:
        return client.find(wanted)
    except ApiError as error:
        if error.error_class is ErrorClass.UNAUTHENTICATED:
            raise
        return error


def _name(item: Mapping[str, Json]) -> str:
    metadata = item.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
