"""Follow the references of a whole tree: rules see every object among those that it may have to do with.

Outlines answer for tens of thousands of objects; only files in which something is wrong are read again, to say where.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops_guard.links.outline import Outline, unpacked
from gitops_guard.links.scene import Member, Scene
from gitops_guard.links.view import ReferenceRule, Tally, View
from gitops_guard.model import FieldPath, Problem, Severity


class Suspect(NamedTuple):
    """What is wrong with one object, before it is known on which line."""

    path: str
    position: int
    """Which of the file's outlines it is about; its document may be counted in another way by the quick reader."""

    outline: Outline
    rule: ReferenceRule
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Objects that are deployed together."""

    unit: str
    """Names what they are deployed as: a directory, `Flux Kustomization apps/web`."""

    path: str
    """File that they are written in; for rendered ones each has its own."""

    outlines: Sequence[Outline]
    judged: bool = True
    """False for what only answers to others: bases and patches of kustomizations, files that were not chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What following references came to."""

    suspects: tuple[Suspect, ...] = ()
    """Sorted by file and place."""

    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """By rule: references that lead out of the repository, listed or not."""


def scene_of(groups: Iterable[Group]) -> Scene:
    """Return everything that groups of objects amount to."""
    return Scene(Member(one, group.unit, group.path) for group in groups for one in group.outlines)


def follow(
    groups: Sequence[Group], scene: Scene, rules: Iterable[ReferenceRule], *, listed: Collection[str] = ()
) -> Followed:
    """Judge the references of all groups, each against its own unit first and then against all others.

    Args:
        groups: Everything that the tree deploys; of one unit there may be several.
        scene: All of it.
        rules: Those that are on.
        listed: Ids of rules of which everything is reported, however much leads out of the repository.
    """
    tally = Tally(listed)
    by_kind = _ByKind(rules)
    found: list[Suspect] = []
    for group in groups:
        if group.judged:
            view = View(scene, group.unit, tally)
            found.extend(_judge(group, view, by_kind))
    kept = [one for one in found if one.problem.severity is not Severity.NOTE or tally.is_listed(one.rule.id)]
    return Followed(suspects=tuple(kept), elsewhere=dict(sorted(tally.counts.items())))


def _judge(group: Group, view: View, by_kind: "_ByKind") -> Iterator[Suspect]:
    for position, one in enumerate(group.outlines):
        for rule in by_kind.of(one):
            for problem in rule.judge(one, view):
                yield Suspect(group.path, position, one, rule, problem)


class _ByKind:
    """Which rules look at an object: by its kind, and by what it refers to."""

    def __init__(self, rules: Iterable[ReferenceRule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[object, tuple[ReferenceRule, ...]] = {}

    def of(self, one: Outline) -> tuple[ReferenceRule, ...]:
        if not (one.uses or one.selector or one.allows_all):
            return ()
        key = (one.kind, one.group, *dict.fromkeys([use.kind for use in one.uses]))
        if key not in self._known:
            self._known[key] = tuple(rule for rule in self._rules if self._wants(rule, one))
        return self._known[key]

    @staticmethod
    def _wants(rule: ReferenceRule, one: Outline) -> bool:
        names = {"*", one.kind, f"{one.kind}.{one.group}"}
        targets = rule.targets
        return not names.isdisjoint(rule.kinds) and (not targets or any(use.kind in targets for use in one.uses))


def plain_groups(by_path: Mapping[str, bytes], judged: Callable[[str], bool]) -> list[Group]:
    """Return the groups of files that are deployed as they are: those of one directory together.

    Args:
        by_path: Packed outlines by repository path.
        judged: Tells of a path whether its own references are judged.
    """
    paths: dict[FieldPath, FieldPath] = {}
    return [
        Group(unit=posixpath.dirname(path), path=path, outlines=found, judged=judged(path))
        for path, data in sorted(by_path.items())
        if (found := unpacked(data, paths))
    ]
