"""overlapping-selectors: two workloads take each other's pods for their own."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import labels_of, selects, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed workloads whose selector matches the pods of another workload of the namespace."""
    for pair in change.workloads:
        if pair.after is None:
            continue
        for other in change.workloads_in(pair.id.namespace):
            if other is pair or not (pair.changed or other.changed) or not _takes(pair, other):
                continue
            message = (
                f"matches the pods of {other.id.kind} {other.id.name} too: counts, Services and budgets of the two"
                " get mixed up"
            )
            field = ("spec", "selector")
            yield Hazard(pair.after, Problem(rule="overlapping-selectors", field=field, message=message))


def _takes(pair: Pair, other: Pair) -> bool:
    selector = spec_of(pair.new or {}).get("selector")
    return isinstance(selector, dict) and bool(selector) and selects(struct(selector), labels_of(other.new or {}))
