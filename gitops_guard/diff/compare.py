"""Two sets of resources -> changes, sorted: the one door of this part."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_guard.diff.classes import class_of_kind
from gitops_guard.diff.defaults import Defaults, known_default
from gitops_guard.diff.embedded import ReadYaml
from gitops_guard.diff.lists import ListKeys, known_list_keys
from gitops_guard.diff.pairing import Pair, pair
from gitops_guard.diff.secrets import Mask
from gitops_guard.diff.walk import Knowledge, Walk, identical
from gitops_guard.model import (
    Action,
    Change,
    ChangeClass,
    FieldChange,
    FieldOp,
    FoldReason,
    Resource,
)


def _is_whole(_resource: Resource) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """What only the caller knows; without it the tables of the built-in kinds decide."""

    list_keys: ListKeys = known_list_keys
    """(resource, path of the list) -> its keys, `()` for a set, None for a list whose order counts."""

    default_of: Defaults = known_default
    """(resource, path of a field that is left out, the struct that lacks it) -> what the server fills in."""

    read_yaml: ReadYaml | None = None
    """Reads YAML inside of ConfigMaps; without it such values are compared as text."""

    is_whole: Callable[[Resource], bool] = _is_whole
    """Whether a resource is whole; of a patch, what is left out does not mean its default."""


def compare(
    before: Iterable[Resource],
    after: Iterable[Resource],
    conventions: Conventions | None = None,
    *,
    secrets: Iterable[Resource] = (),
    in_full: bool = False,
) -> tuple[Change, ...]:
    """Compare two sets of resources, object by object and field by field.

    Args:
        before: The old state.
        after: The new state.
        conventions: Keys of lists, defaults and such.
        secrets: More Secrets, which are not compared; what they hold is hidden as well.
        in_full: Give `shown_before` and `shown_after` of configured objects, too; masking them takes time.

    Returns:
        A change for every object, the unchanged ones included, sorted by namespace, kind and name. What it shows is
        masked.
    """
    old, new = list(before), list(after)
    comparison = _Comparison(conventions or Conventions(), Mask([*old, *new, *secrets]), in_full=in_full)
    changes = [comparison.change(one) for one in pair(old, new)]
    return tuple(sorted(changes, key=lambda change: change.sort_key))


class _Comparison:
    def __init__(self, conventions: Conventions, mask: Mask, *, in_full: bool) -> None:
        self._conventions = conventions
        self._in_full = in_full
        self._mask = mask
        self._knowledge = Knowledge(
            list_keys=conventions.list_keys, default_of=conventions.default_of, read_yaml=conventions.read_yaml
        )

    def change(self, pair: Pair) -> Change:
        if pair.before is not None and pair.after is not None:
            return self._both(pair.before, pair.after, renamed=pair.renamed)
        return self._one(pair.before, pair.after)

    def _one(self, before: Resource | None, after: Resource | None) -> Change:
        resource = after or before
        assert resource is not None
        shown = self._mask.body(resource.id, resource.body)
        return Change(
            action=Action.CREATED if after is not None else Action.DELETED,
            id=resource.id,
            before=before,
            after=after,
            classes=(class_of_kind(resource.id),),
            shown_before=shown if before is not None else None,
            shown_after=shown if after is not None else None,
        )

    def _both(self, before: Resource, after: Resource, *, renamed: bool) -> Change:
        moved = _moved(before, after)
        if not renamed and identical(before.body, after.body):
            return Change(action=Action.UNCHANGED, id=after.id, before=before, after=after, folded=moved)
        is_whole = self._conventions.is_whole(before) and self._conventions.is_whole(after)
        walk = Walk(after.id, knowledge=self._knowledge, mask=self._mask, is_whole=is_whole, renamed=renamed)
        walk.run(before.body, after.body)
        folded = (*moved, *walk.folded)
        if not renamed and not walk.shown:
            return Change(action=Action.UNCHANGED, id=after.id, before=before, after=after, folded=folded)
        return Change(
            action=Action.CONFIGURED,
            id=after.id,
            before=before,
            after=after,
            fields=tuple(walk.shown),
            folded=folded,
            classes=_classes(after, walk.shown),
            renamed_from=before.id if renamed else None,
            shown_before=self._mask.body(before.id, before.body) if self._in_full else None,
            shown_after=self._mask.body(after.id, after.body) if self._in_full else None,
        )


def _classes(resource: Resource, fields: list[FieldChange]) -> tuple[ChangeClass, ...]:
    found = {change.change_class for change in fields} or {class_of_kind(resource.id)}
    return tuple(sorted(found, key=lambda one: one.rank))


def _moved(before: Resource, after: Resource) -> tuple[FieldChange, ...]:
    if before.origin.path == after.origin.path:
        return ()
    moved = FieldChange(
        path=(),
        field="",
        op=FieldOp.CHANGED,
        old=before.origin.path,
        new=after.origin.path,
        change_class=ChangeClass.METADATA,
        reason=FoldReason.MOVED,
    )
    return (moved,)
