"""overlapping-pdbs: two budgets cover one pod, and the eviction API refuses such a pod always."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard, at
from gitops_guard.rollout.workload import selected, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield the second budget of a workload; something of the three is changed."""
    covering: dict[Pair, list[Pair]] = {}
    for budget in change.of_kind("PodDisruptionBudget"):
        for workload in selected(change, budget.scope, spec_of(budget.new or {}).get("selector")):
            covering.setdefault(workload, []).append(budget)
    for workload, budgets in covering.items():
        last = budgets[-1]
        if len(budgets) > 1 and last.after is not None and any(pair.changed for pair in (workload, *budgets)):
            message = (
                f"pods of {workload.id.kind} {workload.id.name} are covered by {budgets[0].id.name} too: the eviction"
                " API refuses pods with two budgets"
            )
            yield at(last, workload, Problem(rule="overlapping-pdbs", field=("spec", "selector"), message=message))
