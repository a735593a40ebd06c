"""overlapping-pdbs: two budgets cover one pod, and the eviction API refuses such a pod always."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import labels_of, selects, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield the second budget of a workload; something of the three is changed."""
    budgets = [pair for pair in change.of_kind("PodDisruptionBudget") if pair.after is not None]
    for workload in change.workloads:
        covering = [budget for budget in budgets if _covers(budget, workload)]
        if len(covering) > 1 and any(pair.changed for pair in (workload, *covering)):
            last = covering[-1]
            assert last.after is not None
            message = (
                f"pods of {workload.id.kind} {workload.id.name} are covered by {covering[0].id.name} too: the eviction"
                " API refuses pods with two budgets"
            )
            yield Hazard(last.after, Problem(rule="overlapping-pdbs", field=("spec", "selector"), message=message))


def _covers(budget: Pair, workload: Pair) -> bool:
    selector = spec_of(budget.new or {}).get("selector")
    same = budget.id.namespace == workload.id.namespace
    return same and isinstance(selector, dict) and selects(struct(selector), labels_of(workload.new or {}))
