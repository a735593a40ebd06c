"""What all rules on references have in common: how sure they are, and how they say it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from gitops_guard.links.outline import Outline, Use, outline
from gitops_guard.links.scene import Absence
from gitops_guard.links.view import Found, View
from gitops_guard.model import Problem, Resource, RuleContext, Severity


class ReferenceRule(ABC):
    """A rule that asks who answers to an object's references."""

    id: str
    severity = Severity.WARNING
    kinds: tuple[str, ...]
    summary: str
    targets: frozenset[str] = frozenset()
    """Kinds of references that it looks at; empty when it does not go by them."""

    needs_references = True

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem]:
        """Judge one resource; without the objects around it there is nothing to say."""
        one = outline(resource.body)
        if one is not None and isinstance(context.references, View):
            yield from self.judge(one, context.references)

    @abstractmethod
    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield what is wrong with an object's references."""


class MissingTarget(ReferenceRule):
    """Says of every use of its targets that nothing answers to it."""

    effect: str
    """What happens then: `pods wait in ContainerCreating`."""

    in_own_namespace = True
    """Whether targets lie in the namespace of the object itself."""

    known: frozenset[str] = frozenset()
    """Names that every cluster has."""

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield every name that leads nowhere, once."""
        if self.in_own_namespace and view.has_nothing_to_say(self.id, self.targets, one.namespace):
            return
        seen: set[tuple[str, str]] = set()
        for use in one.uses:
            if use.kind not in self.targets or use.optional or use.name in self.known or self.is_known(use):
                continue
            absence = None if (use.kind, use.name) in seen else view.missing(self.id, one, use)
            if absence is not None:
                seen.add((use.kind, use.name))
                yield missing(use, absence, self.effect_of(use))

    def is_known(self, use: Use) -> bool:
        """Tell whether a target is the cluster's own, or not this rule's."""
        del use
        return False

    def effect_of(self, use: Use) -> str:
        """Say what happens when the target is not there."""
        del use
        return self.effect


def missing(use: Use, absence: Absence, effect: str) -> Problem:
    """Say that nothing answers to a use."""
    place = f" in namespace {use.namespace}" if use.namespace else ""
    if absence.certain:
        message = f"there is no {use.kind} {use.name}{place}: {effect}"
    else:
        message = f"{use.kind} {use.name}{place} is nowhere in this repository; without it {effect}"
    severity = Severity.WARNING if absence.certain else Severity.NOTE
    return Problem(field=use.path, message=message, hint=absence.hint, severity=severity)


def certainty(found: Found) -> Severity | None:
    """Return a lesser severity where it may be others of that name that are there; None keeps the rule's own."""
    return None if found.sure else Severity.WARNING


class SelectsNothing(ReferenceRule):
    """Says of an object with a selector that it matches no pod."""

    field: tuple[str, ...] = ("spec", "selector")
    effect: str

    def judge(self, one: Outline, view: View) -> Iterator[Problem]:
        """Yield the selector when no pod has its labels."""
        if not one.selector or not (one.selector.get("matchLabels") or one.selector.get("matchExpressions")):
            return
        absence = view.selects_nothing(self.id, one)
        if absence is None:
            return
        where = "has these labels" if absence.certain else "of this repository has these labels"
        message = f"no pod {where}: {self.effect}"
        severity = Severity.WARNING if absence.certain else Severity.NOTE
        yield Problem(field=self.field, message=message, hint=absence.hint, severity=severity)
