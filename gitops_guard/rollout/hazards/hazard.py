"""What a hazard is: a rule's problem with one object of a change."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from gitops_guard.model import Problem
from gitops_guard.model.resource import Resource
from gitops_guard.rollout.change import Change, Pair


class Hazard(NamedTuple):
    """One thing that will go wrong, at one place of one object after the change."""

    resource: Resource
    problem: Problem
    """Its `rule` names the hazard."""


def at(pair: Pair, workload: Pair, problem: Problem) -> Hazard:
    """Return a hazard of an object, told of a workload where the object is only in the cluster and has no line.

    Args:
        pair: The object, after the change.
        workload: One that it concerns.
        problem: With a path into the object.
    """
    if pair.is_live:
        assert workload.after is not None
        message = f"{pair.id.kind} {pair.id.name} of the cluster: {problem.message}"
        return Hazard(workload.after, replace(problem, field=("spec",), message=message))
    assert pair.after is not None
    return Hazard(pair.after, problem)


class Detector(Protocol):
    """Looks through a change for one kind of hazard; a pure function."""

    def __call__(self, change: Change, /) -> Iterator[Hazard]:
        """Yield the hazards of the objects that the change touches."""
