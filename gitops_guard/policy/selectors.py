"""Label selectors, also on labels of which only some are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_guard.policy.reading import BadPolicyError, as_dict, as_items, as_text, as_texts

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: str
    """One of `OPERATORS`."""

    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, Any]) -> bool:
        """Tell whether labels fulfil it; an absent label fulfils `NotIn`."""
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        return (self.key in labels and labels[self.key] in self.values) == (self.operator == "In")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """All requirements must hold; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Tell whether it selects whatever it is asked about."""
        return not self.requirements

    def matches(self, labels: Mapping[str, Any]) -> bool:
        """Tell whether it selects an object with these labels."""
        return all(requirement.holds(labels) for requirement in self.requirements)

    def matches_partly_known(self, labels: Mapping[str, Any]) -> bool | None:
        """Tell whether it selects an object of which some labels are known and others are not; None: cannot tell."""
        known = [requirement for requirement in self.requirements if requirement.key in labels]
        if not all(requirement.holds(labels) for requirement in known):
            return False
        return True if len(known) == len(self.requirements) else None


EVERYTHING = LabelSelector()


def read_selector(value: object, field: tuple[str | int, ...]) -> LabelSelector:
    """Read a `LabelSelector`; absent and empty ones select everything.

    Raises:
        BadPolicyError: It is malformed.
    """
    body = as_dict(value, field)
    labels = as_dict(body.get("matchLabels"), (*field, "matchLabels"))
    found = [
        Requirement(key=key, operator="In", values=frozenset((as_text(labels[key], (*field, "matchLabels", key)),)))
        for key in labels
    ]
    for place, item in as_items(body.get("matchExpressions"), (*field, "matchExpressions")):
        found.append(_requirement(item, place))
    return LabelSelector(requirements=tuple(found))


def _requirement(value: object, field: tuple[str | int, ...]) -> Requirement:
    body = as_dict(value, field)
    operator = as_text(body.get("operator"), (*field, "operator"))
    if operator not in OPERATORS:
        raise BadPolicyError((*field, "operator"), f'"{operator}" is not a valid label selector operator')
    values = as_texts(body.get("values"), (*field, "values"))
    if bool(values) != (operator in ("In", "NotIn")):
        need, operators = (
            ("", "'In' or 'NotIn'") if operator in ("In", "NotIn") else ("not ", "'Exists' or 'DoesNotExist'")
        )
        raise BadPolicyError((*field, "values"), f"must {need}be specified when `operator` is {operators}")
    return Requirement(
        key=as_text(body.get("key"), (*field, "key")),
        operator=operator,
        values=frozenset(values),
    )
