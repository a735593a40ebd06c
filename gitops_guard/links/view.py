"""The scene as one object sees it: what a rule on references is given."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from gitops_guard.links.outline import Outline, Use
from gitops_guard.links.scene import Absence, Scene
from gitops_guard.model.problem import Problem, Severity
from gitops_guard.model.resource import Json, ResourceId

LISTED = 20
"""References of one rule that may lead out of the repository and are listed; with more of them that is how the
repository is made, and they are only counted."""


class Tally:
    """Counts what leads out of the repository, by rule."""

    def __init__(self, listed: Collection[str] = ()) -> None:
        """Start at nothing.

        Args:
            listed: Rules of which all are listed: somebody gave them a severity.
        """
        self.counts: Counter[str] = Counter()
        self._listed = listed

    def add(self, rule: str) -> bool:
        """Count one and tell whether it may still be worth a word."""
        self.counts[rule] += 1
        return self.is_listed(rule)

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

    def find(self, kind: str, name: str, namespace: str) -> Sequence[Outline]:
        """Return what a name may mean, the nearest: what is deployed with it, else what lies anywhere in the tree."""
        return self._scene.find(kind, name, namespace, self._unit)

    def pods_of(self, selector: Mapping[str, Json], namespace: str) -> Sequence[Outline]:
        """Return what makes pods that a selector matches, the nearest."""
        return self._scene.selected(selector, namespace, self._unit)

    def exists(self, kind: str, name: str, namespace: str = "") -> bool:
        """Tell whether an object is in sight, or may be made by a controller."""
        return self._scene.absence(kind, name, namespace, self._unit) is None

    def resources(self, kind: str, name: str, namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what a name may mean."""
        return [identity(one) for one in self.find(kind, name, namespace)]

    def selected(self, selector: Mapping[str, Json], namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what makes pods that a label selector matches."""
        return [identity(one) for one in self.pods_of(selector, namespace)]

    def missing(self, rule: str, one: Outline, use: Use) -> Absence | None:
        """Say how sure it is that a use leads nowhere; None when there is nothing to say."""
        namespace = use.namespace or one.namespace
        return self._told(rule, self._scene.absence(use.kind, use.name, namespace, self._unit))

    def selects_nothing(self, rule: str, one: Outline) -> Absence | None:
        """Say how sure it is that an object's selector matches no pod; None when there is nothing to say."""
        found = self._scene.selects_nothing(one.selector or {}, one.namespace, self._unit, one.name)
        return self._told(rule, found)

    def _told(self, rule: str, absence: Absence | None) -> Absence | None:
        if absence is None or absence.certain or self._tally.add(rule):
            return absence
        return None


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

    def judge(self, one: Outline, view: View, /) -> Iterator[Problem]:
        """Yield what is wrong with an object's references."""
