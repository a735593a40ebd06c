"""Label selectors, as the API server evaluates them."""

from collections.abc import Mapping

from gitops_guard.links.shapes import struct, structs
from gitops_guard.model.resource import Json


def selects(selector: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    """Tell whether a label selector (matchLabels, matchExpressions) matches; an empty one matches everything."""
    equal = all(labels.get(key) == value for key, value in struct(selector.get("matchLabels")).items())
    return equal and all(_expression(one, labels) for one in structs(selector.get("matchExpressions")))


def _expression(expression: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    values = expression.get("values")
    values = values if isinstance(values, list) else []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) is (operator == "Exists")
