"""overlapping-selectors: two workloads take each other's pods for their own."""

from collections.abc import Iterator

from gitops_guard.links.selectors import selects
from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.cluster_view import namespace_of
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
        if not others and pair.after is not None and pair.changed and (stranger := _live_stranger(pair, change)):
            message = f"matches pods of {stranger} of the cluster too: counts, Services and budgets get mixed up"
            problem = Problem(rule="overlapping-selectors", field=("spec", "selector"), message=message)
            yield Hazard(pair.after, problem)
        if others and pair.after is not None:
            message = f"matches the pods of {_named(others)} too: counts, Services and budgets get mixed up"
            field = ("spec", "selector")
            yield Hazard(pair.after, Problem(rule="overlapping-selectors", field=field, message=message))


def _live_stranger(pair: Pair, change: Change) -> str:
    """Return a workload of the cluster whose pods the selector matches and that the change does not know."""
    selector = spec_of(pair.new or {}).get("selector")
    if change.view is None or not isinstance(selector, dict):
        return ""
    namespace = namespace_of(pair.new or {})
    for workload, labels in change.view.workloads_in(namespace):
        kind, _, name = workload.partition("/")
        if change.find_any(kind, pair.scope, name) is None and selects(selector, labels):
            return f"{kind} {name}"
    return ""


def _named(others: list[Pair]) -> str:
    names = ", ".join(f"{other.id.kind} {other.id.name}" for other in others[:_MOST])
    return f"{names} and {len(others) - _MOST} more" if len(others) > _MOST else names
