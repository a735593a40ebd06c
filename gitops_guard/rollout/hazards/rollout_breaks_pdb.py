"""rollout-breaks-pdb: a rollout takes more pods away than the PodDisruptionBudget lets anyone else."""

from collections.abc import Iterator

from gitops_guard.model import Body, Problem
from gitops_guard.rollout.budget import scaled
from gitops_guard.rollout.case import int_or_percent
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import rolling, selected, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments whose maxUnavailable is beyond a budget that lets some pods go."""
    for budget in change.of_kind("PodDisruptionBudget"):
        for pair in selected(change, budget.scope, spec_of(budget.new or {}).get("selector")):
            spec = rolling(pair.new or {})
            if pair.after is None or spec is None or not (pair.rolls or budget.changed):
                continue
            allowed = _allowed(budget.new or {}, spec.replicas)
            if 0 < allowed < spec.budget.unavailable:
                message = (
                    f"a rollout takes {spec.budget.unavailable} pods away at once, PodDisruptionBudget"
                    f" {budget.id.name} allows {allowed}: rollouts do not ask it"
                )
                field = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
                yield Hazard(pair.after, Problem(rule="rollout-breaks-pdb", field=field, message=message))


def _allowed(budget: Body, size: int) -> int:
    """Return how many pods may be missing; percentages round up, as the disruption controller does it."""
    spec = spec_of(budget)
    least, most = (int_or_percent(spec.get(field), -1) for field in ("minAvailable", "maxUnavailable"))
    if least != -1:
        return size - scaled(least, size, round_up=True)
    return scaled(most, size, round_up=True) if most != -1 else size
