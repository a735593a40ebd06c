"""Fields that other tools wrote from Git are made ours: what Git gives no more then goes, and that is known before.

Server-side apply removes what its own manager owned and is not sent any more. What kubectl, Flux, Helm or Argo CD own
would stay for ever, so their entries in `managedFields` are merged into ours first. No dry-run of the apply shows what
that removes (the entries are not merged yet), so it is computed here and the server is asked about the result.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gitops_guard.cluster import Client, PatchType, Written, replacements
from gitops_guard.model import Body, Json
from gitops_guard.model.field_managers import APPLIERS, BEFORE_APPLY, OURS
from gitops_guard.sync.managed_fields import Tree, merged, names_item
from gitops_guard.sync.objects import Desired, metadata_of

_CLIENT_SIDE: Final = frozenset((*BEFORE_APPLY, "kubectl-edit"))
_OTHER_APPLIERS: Final = frozenset(APPLIERS) - {OURS}
_ALSO_SCALES: Final = "kubectl"
"""By an update it is `kubectl scale` or an old `kubectl patch`, which is no writing from Git."""

Path = tuple[str, ...]
"""Keys of a FieldsV1 tree."""


def taken_over(
    managed_fields: Sequence[Mapping[str, Any]], api_version: str, *, adopt: bool
) -> list[Mapping[str, Any]]:
    """Return the entries whose fields become ours.

    Args:
        managed_fields: Of the object as it is.
        api_version: That the object is applied in; entries of another version are left alone.
        adopt: Also those of other tools that deploy from Git.
    """
    return [one for one in managed_fields if one.get("apiVersion") == api_version and _is_taken(one, adopt=adopt)]


def _is_taken(entry: Mapping[str, Any], *, adopt: bool) -> bool:
    manager, is_update = entry.get("manager"), entry.get("operation") == "Update"
    if entry.get("subresource"):
        return False
    if is_update and manager in _CLIENT_SIDE:
        return True
    return adopt and manager in _OTHER_APPLIERS and not (is_update and manager == _ALSO_SCALES)


def migrated(
    managed_fields: Sequence[Mapping[str, Any]], api_version: str, *, adopt: bool = False
) -> list[Mapping[str, Any]] | None:
    """Return the entries with those that are taken over merged into ours, which comes last; None without such."""
    taken = taken_over(managed_fields, api_version, adopt=adopt)
    if not taken:
        return None
    ours = [
        entry
        for entry in managed_fields
        if entry.get("manager") == OURS
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and entry.get("apiVersion") == api_version
    ]
    rest = [entry for entry in managed_fields if entry not in taken and entry not in ours]
    return [
        *rest,
        {
            "manager": OURS,
            "operation": "Apply",
            "apiVersion": api_version,
            "time": max(str(entry.get("time", "")) for entry in taken),
            "fieldsType": "FieldsV1",
            "fieldsV1": merged([_tree(entry) for entry in (*ours, *taken)]),
        },
    ]


def migrate(client: Client, one: Desired, live: Body, *, adopt: bool) -> None:
    """Make the fields ours, in one step that fails if the object has changed.

    Raises:
        ApiError: It has changed, or may not be written.
    """
    found = migrated(_managed(live), one.id.api_version, adopt=adopt)
    if found is None:
        return
    patch: Json = [
        {"op": "replace", "path": "/metadata/managedFields", "value": [dict(entry) for entry in found]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata_of(live).get("resourceVersion")},
    ]
    client.patch(one.id, patch, manager=OURS, patch_type=PatchType.JSON)


def after_migration(client: Client, one: Desired, live: Body, applied: Written, *, adopt: bool) -> Written:
    """Return what the object would be if the fields were made ours first.

    Args:
        client: Of the cluster.
        one: The object.
        live: As it is.
        applied: The dry-run of applying it to that.
        adopt: See `taken_over`.

    Raises:
        ApiError: The server refuses the result.
    """
    found = migrated(_managed(live), one.id.api_version, adopt=adopt)
    gone = list(surplus(found, _managed(applied.body), one.id.api_version)) if found is not None else []
    target: Json = applied.body
    for path in gone:
        target = without_path(target, path)
    if target == applied.body or not isinstance(target, dict):
        return applied
    patch: Json = list(replacements(live, target))
    return client.patch(one.id, patch, manager=OURS, patch_type=PatchType.JSON, dry_run=True)


def surplus(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], api_version: str
) -> Iterator[Path]:
    """Yield the highest paths that we would own after the migration, do not send, and nobody else has.

    Args:
        before: Entries as `migrated` makes them.
        after: Entries after a dry-run of applying the object.
        api_version: That the object is applied in.
    """
    *rest, mine = before
    sent = [one for one in after if one.get("manager") == OURS and one.get("apiVersion") == api_version]
    kept = merged([_tree(entry) for entry in (*rest, *sent)])
    yield from _beyond(_tree(mine), kept, ())


def _beyond(owned: Tree, kept: Tree, path: Path) -> Iterator[Path]:
    for key in sorted(owned):
        if key == ".":
            continue
        if key not in kept:
            yield (*path, key)
        elif owned[key] and kept[key]:
            yield from _beyond(owned[key], kept[key], (*path, key))


def without_path(body: Json, path: Path) -> Json:
    """Return an object without what is there; the object itself stays as it is."""
    key, rest = path[0], path[1:]
    if key.startswith("f:"):
        if not isinstance(body, dict) or key[2:] not in body:
            return body
        others = {name: value for name, value in body.items() if name != key[2:]}
        return {**others, key[2:]: without_path(body[key[2:]], rest)} if rest else others
    if not isinstance(body, list):
        return body
    place = (
        int(key[2:]) if key.startswith("i:") else next((n for n, item in enumerate(body) if names_item(key, item)), -1)
    )
    if not 0 <= place < len(body):
        return body
    inner = [without_path(body[place], rest)] if rest else []
    return [*body[:place], *inner, *body[place + 1 :]]


def _tree(entry: Mapping[str, Any]) -> Tree:
    found = entry.get("fieldsV1")
    return found if isinstance(found, dict) else {}


def _managed(body: Body) -> list[Mapping[str, Any]]:
    found = metadata_of(body).get("managedFields")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
