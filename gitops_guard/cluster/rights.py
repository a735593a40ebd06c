"""What we may do in a namespace, as the server lists it."""

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_guard.cluster.discovery import ApiResource
from gitops_guard.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; `*` stands for all."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    """`deployments`, `deployments/scale`, `*/scale`."""

    names: frozenset[str]
    """Empty: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules that hold for us in a namespace."""

    rules: tuple[Rule, ...]
    incomplete: bool
    """An authorizer could not list its rules: what is not allowed here may be allowed all the same."""

    def allows(self, verb: str, resource: ApiResource, *, name: str = "", subresource: str = "") -> bool:
        """Tell whether some rule allows it; without a name, for all names."""
        plurals = (
            {"*", f"{resource.plural}/{subresource}", f"*/{subresource}"} if subresource else {"*", resource.plural}
        )
        return any(
            not rule.verbs.isdisjoint((verb, "*"))
            and not rule.groups.isdisjoint((resource.group, "*"))
            and not rule.resources.isdisjoint(plurals)
            and (not rule.names or name in rule.names)
            for rule in self.rules
        )


def read_rules(status: Mapping[str, Json]) -> Rules:
    """Read the status of a SelfSubjectRulesReview."""
    listed = status.get("resourceRules")
    rules = [
        Rule(
            verbs=_texts(one.get("verbs")),
            groups=_texts(one.get("apiGroups")),
            resources=_texts(one.get("resources")),
            names=_texts(one.get("resourceNames")),
        )
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    ]
    return Rules(rules=tuple(rules), incomplete=status.get("incomplete") is True)


def _texts(value: Json) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
