"""What a rule is: a named test of one resource. Built-in rules, plugins and policies all satisfy this Protocol."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gitops_guard.model.problem import Problem, Severity, Unevaluated
from gitops_guard.model.resource import Json, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What a rule may know beside the resource. Everything in it is part of the verdict cache's key."""

    kubernetes_versions: tuple[str, ...]
    """Target minor versions, oldest first: `("1.34", "1.37")`."""

    options: Mapping[str, Json] = field(default_factory=dict)
    """This rule's own section of the configuration; empty when there is none."""


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
