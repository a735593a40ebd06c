"""The scene as one object sees it: what a rule on references is given."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from gitops_guard.links.outline import Outline, Use
from gitops_guard.links.scene import Absence, Member, Scene
from gitops_guard.model.problem import Problem, Severity
from gitops_guard.model.resource import Json, ResourceId

LISTED = 20
"""References of one rule that may lead out of the repository and are listed; with more of them that is how the
repository is made, and they are only counted."""


class Found(NamedTuple):
    """What a name or a selector may mean."""

    objects: Sequence[Outline]
    near: bool
    """They are deployed with what asks."""

    sure: bool
    """They are, or both name their namespace; otherwise they may be others of that name."""


class Tally:
    """Counts what leads out of the repository, by rule."""

    def __init__(self, listed: Collection[str] = ()) -> None:
        """Start at nothing.

        Args:
            listed: Rules of which all are listed: somebody gave them a severity.
        """
        self.counts: Counter[str] = Counter()
        self._listed = listed

    def add(self, rule: str) -> None:
        """Count one; beyond what is listed nobody counts any more."""
        self.counts[rule] += 1

    def is_listed(self, rule: str) -> bool:
        """Tell whether what was counted for a rule is reported one by one."""
        return rule in self._listed or self.counts[rule] <= LISTED


class View:
    """Answers for the objects of one unit."""

    def __init__(self, scene: Scene, unit: str, tally: Tally) -> None:
        """Take the scene.

        Args:
            scene: Everything.
            unit: What the objects are deployed with.
            tally: Shared by all views of a run.
        """
        self._scene = scene
        self._unit = unit
        self._tally = tally

    def holds(self, kind: str, name: str) -> bool:
        """Tell whether there is an object of that name in any namespace."""
        return self._scene.holds(kind, name)

    def has_nothing_to_say(self, rule: str, kinds: Iterable[str], namespace: str) -> bool:
        """Tell whether whatever a rule finds missing may be elsewhere, and too much of that was found already."""
        return not self._tally.is_listed(rule) and not self._scene.may_be_certain(kinds, namespace, self._unit)

    def find(self, kind: str, name: str, namespace: str) -> Found:
        """Return what a name may mean, the nearest: what is deployed with it, else what lies anywhere in the tree."""
        return self._found(self._scene.find(kind, name, namespace, self._unit), namespace)

    def pods_of(self, selector: Mapping[str, Json], namespace: str) -> Found:
        """Return what makes pods that a selector matches, the nearest."""
        return self._found(self._scene.selected(selector, namespace, self._unit), namespace)

    def _found(self, members: Sequence[Member], namespace: str) -> Found:
        near = all(one.unit == self._unit for one in members)
        sure = near or (bool(namespace) and all(one.outline.namespace == namespace for one in members))
        return Found([one.outline for one in members], near, sure)

    def exists(self, kind: str, name: str, namespace: str = "") -> bool:
        """Tell whether an object is in sight, or may be made by a controller."""
        return self._scene.absence(kind, name, namespace, self._unit) is None

    def resources(self, kind: str, name: str, namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what a name may mean."""
        return [identity(one) for one in self.find(kind, name, namespace).objects]

    def selected(self, selector: Mapping[str, Json], namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what makes pods that a label selector matches."""
        return [identity(one) for one in self.pods_of(selector, namespace).objects]

    def missing(self, rule: str, one: Outline, use: Use) -> Absence | None:
        """Say how sure it is that a use leads nowhere; None when there is nothing to say."""
        namespace = use.namespace or one.namespace
        kind, name, unit = use.kind, use.name, self._unit
        only_certain = not self._tally.is_listed(rule)
        return self._told(rule, self._scene.absence(kind, name, namespace, unit, only_certain=only_certain))

    def selects_nothing(self, rule: str, one: Outline) -> Absence | None:
        """Say how sure it is that an object's selector matches no pod; None when there is nothing to say."""
        only_certain, selector = not self._tally.is_listed(rule), one.selector or {}
        if only_certain and not self._scene.may_be_sure_of_pods(one.namespace, self._unit):
            return None
        found = self._scene.selects_nothing(selector, one.namespace, self._unit, one.name, only_certain=only_certain)
        return self._told(rule, found)

    def _told(self, rule: str, absence: Absence | None) -> Absence | None:
        if absence is not None and not absence.certain:
            self._tally.add(rule)
        return absence


def identity(one: Outline) -> ResourceId:
    """Return an outline's identity; its version is not kept."""
    return ResourceId(group=one.group, version="", kind=one.kind, namespace=one.namespace, name=one.name)


class ReferenceRule(Protocol):
    """A rule on references: beside `check` it judges outlines, of which there may be tens of thousands."""

    @property
    def id(self) -> str:
        """Return the rule's id."""

    @property
    def severity(self) -> Severity:
        """Return the severity of a problem that names none itself."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds it looks at; `("*",)` for whatever makes pods."""

    @property
    def targets(self) -> frozenset[str]:
        """Return the kinds of references that it looks at; empty when it does not go by them."""

    def judge(self, one: Outline, view: View, /) -> Iterator[Problem]:
        """Yield what is wrong with an object's references."""
