"""What a hazard is: a rule's problem with one object of a change."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from gitops_guard.model import Problem
from gitops_guard.model.resource import Resource
from gitops_guard.rollout.change import Change


class Hazard(NamedTuple):
    """One thing that will go wrong, at one place of one object after the change."""

    resource: Resource
    problem: Problem
    """Its `rule` names the hazard."""


class Detector(Protocol):
    """Looks through a change for one kind of hazard; a pure function."""

    def __call__(self, change: Change, /) -> Iterator[Hazard]:
        """Yield the hazards of the objects that the change touches."""
