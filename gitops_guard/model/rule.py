"""What a rule is: a named test of one resource. Built-in rules, plugins and policies all satisfy this Protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gitops_guard.model.problem import Problem, Severity, Unevaluated
from gitops_guard.model.resource import Json, Resource, ResourceId


class References(Protocol):
    """Who answers to a name or a selector.

    Objects that are deployed together with the one that is judged come first, else any of the same namespace in the
    repository. What is written without a namespace may be in any.
    """

    def exists(self, kind: str, name: str, namespace: str = "") -> bool:
        """Tell whether an object is in the repository, or made by a controller that is."""

    def resources(self, kind: str, name: str, namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what a name may mean."""

    def selected(self, selector: Mapping[str, Json], namespace: str = "") -> Sequence[ResourceId]:
        """Return the identities of what makes pods that a label selector (matchLabels, matchExpressions) matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What a rule may know beside the resource. Everything in it is part of the verdict cache's key."""

    kubernetes_versions: tuple[str, ...]
    """Target minor versions, oldest first: `("1.34", "1.37")`."""

    options: Mapping[str, Json] = field(default_factory=dict)
    """This rule's own section of the configuration; empty when there is none."""

    references: References | None = None
    """Given to rules with a true attribute `needs_references`, when the whole tree is looked at; None otherwise."""


class Rule(Protocol):
    """A named test of a resource: a pure function of the resource and the context, without state.

    `id` is kebab-case, names the pattern and reads well after "allow ...": `privileged-container`.
    """

    @property
    def id(self) -> str:
        """Return the rule's id."""

    @property
    def severity(self) -> Severity:
        """Return the severity of a problem that names none itself."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds it looks at, as `Kind` or `Kind.group`; `("*",)` for all."""

    @property
    def summary(self) -> str:
        """Return one sentence that says what it flags."""

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem | Unevaluated]:
        """Yield what is wrong with the resource, or that this cannot be told here."""
