"""How one object differs from what Git wants, and who did it: the answer of a dry-run against the object as it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gitops_guard.model import Body, Change, FieldChange, FieldOp, Json, Origin, Resource, ResourceId
from gitops_guard.model.sync import Drift, DriftClass
from gitops_guard.sync.ignoring import Ignoring
from gitops_guard.sync.managed_fields import Addition, Owner, additions, last_writer, owners, value_at
from gitops_guard.sync.objects import Desired, key_of, metadata_of

if TYPE_CHECKING:
    from gitops_guard.diff.secrets import Mask

_SERVER_OWNED: Final = frozenset(("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"))
_NOWHERE: Final = Origin(path="", document=0, line=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An object as it is, and as applying what Git wants would make it."""

    desired: Desired
    live: Body
    applied: Body


def bare(body: Body) -> dict[str, Any]:
    """Return an object without what the server writes by itself."""
    found: dict[str, Any] = {key: value for key, value in body.items() if key != "status"}
    found["metadata"] = {key: value for key, value in metadata_of(body).items() if key not in _SERVER_OWNED}
    return found


def differs(pair: Pair) -> bool:
    """Tell whether applying would change the object."""
    return bare(pair.live) != bare(pair.applied)


def changes_of(pairs: Sequence[Pair], *, secrets: Sequence[Resource] = ()) -> tuple[Change, ...]:
    """Return what applying would change in each object, masked.

    Args:
        pairs: Objects that differ.
        secrets: More Secrets whose values must not be seen.
    """
    from gitops_guard.diff import Conventions, compare  # a cluster without drift needs neither

    before = [Resource(id=pair.desired.id, body=bare(pair.live), origin=_NOWHERE) for pair in pairs]
    after = [Resource(id=pair.desired.id, body=bare(pair.applied), origin=_NOWHERE) for pair in pairs]
    # nothing is a default here: both sides come from the server, which has filled in all of them
    conventions = Conventions(default_of=lambda _one, _path, _struct: None)
    return compare(before, after, conventions, secrets=secrets)


def drift_of(changes: Sequence[Change], pairs: Sequence[Pair], ignoring: Ignoring) -> list[Drift]:
    """Return what differs in each object, with who wrote it; what is left to others is left out.

    Args:
        changes: As `changes_of` tells them.
        pairs: The objects.
        ignoring: What is left to others.
    """
    by_id = {pair.desired.id: pair for pair in pairs}
    found: list[Drift] = []
    for change in changes:
        found += _of_change(change, by_id[change.id], ignoring)
    return sorted(found, key=lambda one: one.sort_key)


def _of_change(change: Change, pair: Pair, ignoring: Ignoring) -> Iterator[Drift]:
    entries = owners(_managed(pair.live))
    for field in change.fields or change.folded:
        writer = _writer(entries, pair, field)
        if writer is not None and ignoring.is_ignored(key_of(change.id), writer.manager):
            continue
        yield _drift(change.id, field, writer)
    if not change.fields and not change.folded:
        yield Drift(id=change.id, drift_class=DriftClass.CHANGED, message="it differs where no field can be named")


def _drift(one: ResourceId, field: FieldChange, writer: Owner | None) -> Drift:
    drift = Drift(id=one, drift_class=DriftClass.CHANGED, field=field.field, want=field.new, have=field.old)
    if writer is None:
        return drift
    return replace(drift, manager=writer.manager, operation=writer.operation, time=writer.time)


def _writer(entries: Sequence[Owner], pair: Pair, field: FieldChange) -> Owner | None:
    """Return who wrote what is there; of a field that is gone, nobody owns anything."""
    body = pair.live if field.op is FieldOp.REMOVED else pair.applied
    return last_writer(entries, body, field.path)


def _managed(body: Body) -> list[Mapping[str, Any]]:
    found = metadata_of(body).get("managedFields")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def foreign_of(one: Desired, live: Body, ignoring: Ignoring, mask: "Mask") -> list[Drift]:
    """Return what others added below what we own: applying does not change it, so no dry-run shows it.

    Args:
        one: The object.
        live: As it is, whole.
        ignoring: Managers whose business it is.
        mask: Hides values of Secrets.
    """
    found = additions(owners(_managed(live)))
    return [_foreign(one, live, add, mask) for add in found if not ignoring.is_ignored(one.key, add.owner.manager)]


def has_additions(managed_fields: Sequence[Mapping[str, Any]]) -> bool:
    """Tell from metadata alone whether somebody added something below what we own."""
    return bool(additions(owners(managed_fields)))


def _foreign(one: Desired, live: Body, add: Addition, mask: "Mask") -> Drift:
    have: Json = value_at(live, add.path)
    path = tuple(key.partition(":")[2] for key in add.path)
    return Drift(
        id=one.id,
        drift_class=DriftClass.FOREIGN,
        field=add.printed(),
        have=mask.value(one.id, path, have).value if path else have,
        manager=add.owner.manager,
        operation=add.owner.operation,
        time=add.owner.time,
    )
