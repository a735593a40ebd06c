"""overlapping-selectors: two workloads take each other's pods for their own."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import selected, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed workloads whose selector matches the pods of another workload of the namespace."""
    for pair in change.workloads:
        if pair.after is None:
            continue
        selector = spec_of(pair.after.body).get("selector")
        for other in selected(change, pair.id.namespace, selector) if selector else ():
            if other is pair or not (pair.changed or other.changed):
                continue
            message = (
                f"matches the pods of {other.id.kind} {other.id.name} too: counts, Services and budgets of the two"
                " get mixed up"
            )
            field = ("spec", "selector")
            yield Hazard(pair.after, Problem(rule="overlapping-selectors", field=field, message=message))
