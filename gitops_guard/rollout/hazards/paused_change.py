"""paused-change: a new template is merged into a Deployment that is paused."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield Deployments and Rollouts whose template changes while spec.paused is true."""
    for pair in change.workloads:
        if pair.after is not None and pair.rolls and spec_of(pair.after.body).get("paused") is True:
            message = "the pod template changes but the workload is paused: nothing rolls until somebody resumes it"
            problem = Problem(rule="paused-change", field=("spec", "paused"), message=message, hint="remove paused")
            yield Hazard(pair.after, problem)
