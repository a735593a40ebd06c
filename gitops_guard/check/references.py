"""Follow the references of a whole tree: rules see every object among those that it may have to do with.

Outlines answer for tens of thousands of objects; only files in which something is wrong are read again, to say where.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops_guard.check.circumstances import digest
from gitops_guard.links.outline import Outline, unpacked
from gitops_guard.links.scene import Member, Scene
from gitops_guard.links.view import ReferenceRule, Tally, View
from gitops_guard.model import Problem, Severity

_SCHEME = b"references 1"


class Suspect(NamedTuple):
    """What is wrong with one object, before it is known on which line."""

    path: str
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


def follow(groups: Sequence[Group], rules: Iterable[ReferenceRule], *, listed: Collection[str] = ()) -> Followed:
    """Judge the references of all groups, each against its own unit first and then against all others.

    Args:
        groups: Everything that the tree deploys; of one unit there may be several.
        rules: Those that are on.
        listed: Ids of rules of which everything is reported, however much leads out of the repository.
    """
    scene = Scene(Member(one, group.unit, group.path) for group in groups for one in group.outlines)
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
    for one in group.outlines:
        for rule in by_kind.of(one):
            for problem in rule.judge(one, view):
                yield Suspect(group.path, one, rule, problem)


class _ByKind:
    """Which rules look at a kind."""

    def __init__(self, rules: Iterable[ReferenceRule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[tuple[str, str], tuple[ReferenceRule, ...]] = {}

    def of(self, one: Outline) -> tuple[ReferenceRule, ...]:
        if not (one.uses or one.selector or one.allows_all):
            return ()
        key = (one.kind, one.group)
        if key not in self._known:
            names = {"*", one.kind, f"{one.kind}.{one.group}"}
            self._known[key] = tuple(rule for rule in self._rules if names.intersection(rule.kinds))
        return self._known[key]


def plain_groups(by_path: Mapping[str, bytes], judged: Callable[[str], bool]) -> list[Group]:
    """Return the groups of files that are deployed as they are: those of one directory together.

    Args:
        by_path: Packed outlines by repository path.
        judged: Tells of a path whether its own references are judged.
    """
    return [
        Group(unit=posixpath.dirname(path), path=path, outlines=found, judged=judged(path))
        for path, data in sorted(by_path.items())
        if (found := unpacked(data))
    ]


def tree_name(files: Iterable[tuple[str, bytes]], chosen: Iterable[str]) -> bytes:
    """Return what names the state of a tree whose references are fine.

    Args:
        files: Path and blob id of everything that may take part.
        chosen: Paths that are judged.
    """
    parts = [part for path, blob in files for part in (path.encode("utf-8", "surrogateescape"), blob)]
    picked = "\0".join(chosen).encode("utf-8", "surrogateescape")
    return digest(_SCHEME, b"\0".join(parts), picked)
