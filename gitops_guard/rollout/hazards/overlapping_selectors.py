"""overlapping-selectors: two workloads take each other's pods for their own."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import selected, spec_of

_MOST = 3


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads whose selector matches the pods of others of the namespace; something of them is changed."""
    for pair in change.workloads:
        selector = spec_of(pair.new or {}).get("selector")
        taken = selected(change, pair.scope, selector) if selector else []
        # The same object in a second file is one for another cluster, or a mistake of another kind.
        others = [other for other in taken if other.id != pair.id and (pair.changed or other.changed)]
        if others and pair.after is not None:
            message = f"matches the pods of {_named(others)} too: counts, Services and budgets get mixed up"
            field = ("spec", "selector")
            yield Hazard(pair.after, Problem(rule="overlapping-selectors", field=field, message=message))


def _named(others: list[Pair]) -> str:
    names = ", ".join(f"{other.id.kind} {other.id.name}" for other in others[:_MOST])
    return f"{names} and {len(others) - _MOST} more" if len(others) > _MOST else names
