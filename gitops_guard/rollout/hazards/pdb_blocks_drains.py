"""pdb-blocks-drains: a PodDisruptionBudget that lets no pod be evicted. It stops drains, never a rollout."""

from collections.abc import Iterator

from gitops_guard.model import Body, Problem
from gitops_guard.rollout.budget import scaled
from gitops_guard.rollout.case import int_or_percent
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard, at
from gitops_guard.rollout.workload import replicas, selected, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield budgets that leave no disruption to a workload; either of the two is changed."""
    for budget in change.of_kind("PodDisruptionBudget"):
        if budget.after is None:
            continue
        for workload in selected(change, budget.scope, spec_of(budget.after.body).get("selector")):
            if not (budget.changed or workload.changed) or workload.new is None:
                continue
            field = _blocking_field(budget.after.body, workload.new)
            if field:
                message = (
                    f"{field} lets no pod of {workload.id.kind} {workload.id.name} be evicted: node drains and"
                    " upgrades stop there (the rollout itself does not)"
                )
                yield at(budget, workload, Problem(rule="pdb-blocks-drains", field=("spec", field), message=message))


def _blocking_field(budget: Body, workload: Body) -> str:
    """Return the field that leaves no disruption, or nothing. Percentages round up, to the safe side."""
    size, spec = replicas(workload), spec_of(budget)
    if not size or workload.get("kind") == "DaemonSet":
        return ""
    for field, blocks in (("minAvailable", size), ("maxUnavailable", 0)):
        value = int_or_percent(spec.get(field), -1)
        pods = scaled(value, size, round_up=True)
        if value != -1 and (pods >= blocks if field == "minAvailable" else pods <= blocks):
            return field
    return ""
