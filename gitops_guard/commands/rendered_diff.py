"""What a change changes in what is deployed: two trees as rendered, compared cluster by cluster and unit by unit.

The one function behind `diff`, `simulate` and the status of pull requests. Only units that differ in what they read, or
in how they are rendered, are rendered at all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_guard.diff import Conventions, compare
from gitops_guard.diff.secrets import is_secret
from gitops_guard.model import Action, Change, ChangeClass, CheckError, FieldChange, FieldOp, FoldReason, Resource
from gitops_guard.model.unit import NOT_RENDERED, RenderedUnit, Unit, UnitKind
from gitops_guard.render import Units

_Identity = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPair:
    """One unit in both trees, rendered; a side is None where there is no such unit."""

    before: RenderedUnit | None
    after: RenderedUnit | None

    @property
    def unit(self) -> Unit:
        """Return the unit as it is now, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found.unit

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing failed on either side: otherwise what is missing on one may be deployed all the same."""
        return not any(side.errors for side in (self.before, self.after) if side is not None)

    def resources(self) -> tuple[list[Resource], list[Resource]]:
        """Return the objects before and after."""
        return _resources(self.before), _resources(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPairs:
    """What two trees deploy, as far as that may differ."""

    pairs: tuple[UnitPair, ...] = ()
    """Sorted by unit; plain directories that no controller deploys are not among them."""

    identical: int = 0
    """Units that are certainly the same on both sides."""

    errors: tuple[CheckError, ...] = ()
    unrendered: tuple[CheckError, ...] = ()
    """Why units that differ were not compared: a tool is missing, or what they need is elsewhere."""

    consumed: frozenset[str] = frozenset()
    """Files that the units compared are made of: what they are rendered to is compared instead of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChanges:
    """What changes in one unit."""

    unit: Unit
    changes: tuple[Change, ...]
    """Sorted; with the unchanged ones."""


def render_both(
    before: Units, after: Units, wanted: Callable[[Units, Unit], bool] = lambda _units, _unit: True
) -> RenderedPairs:
    """Render what differs between two trees.

    Args:
        before: The units of the old one.
        after: Those of the new one.
        wanted: Which units count, asked of each tree.
    """
    old, new = (_by_identity(units, wanted) for units in (before, after))
    differing = [
        identity
        for identity in sorted(old.keys() | new.keys())
        if identity not in old or identity not in new or before.stamp(old[identity]) != after.stamp(new[identity])
    ]
    was = _rendered(before, [old[identity] for identity in differing if identity in old])
    now = _rendered(after, [new[identity] for identity in differing if identity in new])
    pairs = tuple(
        sorted(
            (UnitPair(before=was.get(identity), after=now.get(identity)) for identity in differing),
            key=lambda pair: pair.unit,
        )
    )
    failed = {error: None for pair in pairs for side in (pair.after, pair.before) if side for error in side.errors}
    whole = [pair for pair in pairs if pair.is_whole]
    return RenderedPairs(
        pairs=pairs,
        identical=len(old.keys() | new.keys()) - len(differing),
        errors=tuple(error for error in failed if not error.message.startswith(NOT_RENDERED)),
        unrendered=tuple(error for error in failed if error.message.startswith(NOT_RENDERED)),
        consumed=frozenset(
            path
            for pair in whole
            for units, side in ((before, pair.before), (after, pair.after))
            if side is not None
            for path in units.reads(side.unit)
        ),
    )


def _by_identity(units: Units, wanted: Callable[[Units, Unit], bool]) -> dict[_Identity, Unit]:
    return {
        unit.identity: unit
        for unit in reversed(units.all)
        if unit.kind is not UnitKind.DIRECTORY and wanted(units, unit)
    }


def _rendered(units: Units, wanted: Sequence[Unit]) -> dict[_Identity, RenderedUnit]:
    return {one.unit.identity: one for one in units.render(wanted)}


def _resources(side: RenderedUnit | None) -> list[Resource]:
    return [] if side is None else [one.resource for one in side.objects]


def changes_by_unit(
    pairs: Iterable[UnitPair],
    conventions: Conventions,
    *,
    secrets: Iterable[Resource] = (),
    in_full: bool = False,
) -> tuple[UnitChanges, ...]:
    """Compare units, object by object and field by field.

    An object that leaves one unit and comes in another of the same cluster has moved; it is told where it is now.

    Args:
        pairs: The units of both trees; those that are not whole are left out.
        conventions: Keys of lists, defaults and such.
        secrets: More Secrets, whose values are hidden as well.
        in_full: Give whole objects of those that change, too.

    Returns:
        For every unit what changes, sorted by cluster and unit.
    """
    whole = [pair for pair in pairs if pair.is_whole]
    sides = [(pair.unit, *pair.resources()) for pair in whole]
    hidden = [*secrets, *(one for _, *both in sides for side in both for one in side if is_secret(one.id))]
    moves = _moves(sides)

    def compared(old: Iterable[Resource], new: Iterable[Resource]) -> tuple[Change, ...]:
        return compare(old, new, conventions, secrets=hidden, in_full=in_full)

    found: list[UnitChanges] = []
    for unit, old, new in sides:
        gone: Collection[int] = moves.left.get(unit.identity, ())
        come = moves.come.get(unit.identity, {})
        changes = [
            *compared((one for one in old if id(one) not in gone), (one for one in new if id(one) not in come)),
            *(
                _moved(change, unit, before_unit)
                for one in new
                if id(one) in come
                for before, before_unit in [come[id(one)]]
                for change in compared([before], [one])
            ),
        ]
        placed = (change if change.unit else replace(change, unit=unit) for change in changes)
        found.append(UnitChanges(unit=unit, changes=tuple(sorted(placed, key=lambda change: change.sort_key))))
    return tuple(sorted(found, key=lambda one: (one.unit.clusters, one.unit)))


@dataclass(frozen=True, slots=True)
class _Moves:
    """Objects that change their unit, by the identity of Python's own: equal ones may be in several units."""

    left: Mapping[_Identity, set[int]]
    come: Mapping[_Identity, dict[int, tuple[Resource, Unit]]]


def _moves(sides: Sequence[tuple[Unit, list[Resource], list[Resource]]]) -> _Moves:
    left: dict[_Identity, set[int]] = {}
    come: dict[_Identity, dict[int, tuple[Resource, Unit]]] = {}
    leaving: dict[tuple[object, ...], list[tuple[Resource, Unit]]] = {}
    coming: dict[tuple[object, ...], list[tuple[Resource, Unit]]] = {}
    for unit, old, new in sides:
        was, now = {_object(one) for one in old}, {_object(one) for one in new}
        for one in old:
            if _object(one) not in now:
                leaving.setdefault((unit.clusters, *_object(one)), []).append((one, unit))
        for one in new:
            if _object(one) not in was:
                coming.setdefault((unit.clusters, *_object(one)), []).append((one, unit))
    for key, news in coming.items():
        olds = leaving.get(key, [])
        if len(olds) == len(news) == 1:  # several: which is which cannot be told
            left.setdefault(olds[0][1].identity, set()).add(id(olds[0][0]))
            come.setdefault(news[0][1].identity, {})[id(news[0][0])] = olds[0]
    return _Moves(left, come)


def _object(resource: Resource) -> tuple[str, str, str, str]:
    one = resource.id
    return (one.group, one.kind, one.namespace, one.name)


def _moved(change: Change, unit: Unit, before: Unit) -> Change:
    moved = FieldChange(
        path=(),
        field="",
        op=FieldOp.CHANGED,
        old=before.label,
        new=unit.label,
        change_class=ChangeClass.METADATA,
        reason=FoldReason.MOVED_UNIT,
    )
    return replace(change, unit=unit, unit_before=before, folded=(moved, *change.folded))


def effective(found: Iterable[UnitChanges]) -> Iterator[Change]:
    """Yield the changes that change something."""
    return (change for one in found for change in one.changes if change.action is not Action.UNCHANGED)
