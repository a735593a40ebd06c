"""Label selectors and node selector terms, as k8s.io/component-helpers and apimachinery match them."""

from collections.abc import Mapping

from gitops_guard.model import Json
from gitops_guard.rollout.case import struct, structs


def label_selector(selector: Json, labels: Mapping[str, Json]) -> bool:
    """Tell whether a label selector matches; a null one matches nothing, an empty one everything."""
    if not isinstance(selector, dict):
        return False
    equal = all(labels.get(key) == value for key, value in struct(selector.get("matchLabels")).items())
    return equal and all(_requirement(one, labels) for one in structs(selector.get("matchExpressions")))


def node_selector(selector: Json, name: str, labels: Mapping[str, Json]) -> bool:
    """Tell whether a node selector (a list of terms, of which one has to hold) matches a node."""
    terms = structs(struct(selector).get("nodeSelectorTerms"))
    return any(_term(term, name, labels) for term in terms)


def _term(term: Mapping[str, Json], name: str, labels: Mapping[str, Json]) -> bool:
    expressions, fields = structs(term.get("matchExpressions")), structs(term.get("matchFields"))
    if not expressions and not fields:
        return False  # a term without requirements matches no node
    return all(_requirement(one, labels) for one in expressions) and all(
        _requirement(one, {"metadata.name": name}) for one in fields
    )


def _requirement(one: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    key, operator, listed = str(one.get("key")), one.get("operator"), one.get("values")
    values = listed if isinstance(listed, list) else []
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values or key not in labels
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    return operator in ("Gt", "Lt") and _compares(labels.get(key), values, greater=operator == "Gt")


def _compares(have: Json, values: list[Json], *, greater: bool) -> bool:
    try:
        label, limit = int(str(have)), int(str(values[0]))
    except (ValueError, IndexError):
        return False
    return label > limit if greater else label < limit
