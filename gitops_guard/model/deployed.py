"""What is deployed together and what it meets in its cluster: what a rule about several objects looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from gitops_guard.model.problem import Problem, Severity, Unevaluated
from gitops_guard.model.resource import Resource
from gitops_guard.model.rule import RuleContext
from gitops_guard.model.unit import Unit


def _nothing() -> "tuple[Deployed, ...]":
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A unit as rendered, with a way to those beside it."""

    unit: Unit
    resources: tuple[Resource, ...]
    """Its objects, in the order of the tool's output; the origin of each is its source file and line."""

    is_whole: bool = True
    """False where a part of the unit could not be rendered: what is missing here may well be deployed."""

    others: "Callable[[], tuple[Deployed, ...]]" = field(default=_nothing, repr=False, compare=False)
    """Returns the other units whose objects may meet these: those that share a cluster (`unit.clusters`), and those of
    which nothing says where they go. They are rendered when this is first called, so ask only when needed."""

    @property
    def is_surely_in_one_cluster(self) -> bool:
        """Tell whether the cluster is known."""
        return bool(self.unit.clusters)


class UnitRule(Protocol):
    """A named test of what is deployed together; a pure function like a `Rule`."""

    @property
    def id(self) -> str:
        """Return the rule's id."""

    @property
    def severity(self) -> Severity:
        """Return the severity of a problem that names none itself."""

    @property
    def summary(self) -> str:
        """Return one sentence that says what it flags."""

    def check_unit(self, deployed: Deployed, context: RuleContext) -> Iterator[tuple[Resource, Problem | Unevaluated]]:
        """Yield what is wrong, each with the object of `deployed.resources` that it is about."""
