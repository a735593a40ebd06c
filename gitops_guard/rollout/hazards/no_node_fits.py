"""no-node-fits: no node can take the pods that a rollout needs, however the scheduler chooses."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.capacity import place_of
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.hazards.topology_spread_blocks_rollout import is_spread
from gitops_guard.rollout.workload import POD_SPEC


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads whose new pods stay Pending on the nodes of the snapshot."""
    for pair in change.workloads:
        why = place_of(pair, change).why
        if why and pair.after is not None and not is_spread(why):
            message = f"{why}: new pods stay Pending"
            yield Hazard(pair.after, Problem(rule="no-node-fits", field=POD_SPEC, message=message))
