"""prestop-exceeds-grace: the preStop hook uses up the grace period, and the process is killed at once."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import integer, struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.lifecycle import hook_sleep_s
from gitops_guard.rollout.workload import containers, pod_spec


def find(change: Change) -> Iterator[Hazard]:
    """Yield containers of changed workloads whose preStop sleeps at least as long as the grace period."""
    for pair in change.workloads:
        if pair.after is None or not pair.changed:
            continue
        grace_s = integer(pod_spec(pair.after.body).get("terminationGracePeriodSeconds"), 30)
        for path, container in containers(pair.after.body):
            hook = struct(struct(container.get("lifecycle")).get("preStop"))
            sleep_s = hook_sleep_s(hook)
            if sleep_s is not None and sleep_s >= grace_s:
                message = (
                    f"preStop sleeps {sleep_s:g} s, the grace period is {grace_s} s: the process is killed about 2 s"
                    " after the hook, requests are cut"
                )
                field = (*path, "lifecycle", "preStop")
                hint = "terminationGracePeriodSeconds above the sleep and the time to stop"
                yield Hazard(pair.after, Problem(rule="prestop-exceeds-grace", field=field, message=message, hint=hint))
