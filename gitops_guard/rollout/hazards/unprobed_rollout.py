"""unprobed-rollout: pods behind a Service count as ready as soon as they run."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair, rolls, template_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import matches, selector
from gitops_guard.rollout.workload import POD_SPEC, containers


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling workloads behind a Service of the same change without any readiness probe."""
    for pair in change.workloads:
        if pair.after is None or not rolls(pair) or not _serves(pair, change):
            continue
        if not any(container.get("readinessProbe") for _, container in containers(pair.after.body)):
            message = (
                "no container has a readinessProbe: new pods get traffic, and old ones go, before the application"
                " answers"
            )
            field = (*POD_SPEC, "containers")
            yield Hazard(pair.after, Problem(rule="unprobed-rollout", field=field, message=message))


def _serves(workload: Pair, change: Change) -> bool:
    template = template_of(workload.new or {})
    return any(
        service.id.namespace == workload.id.namespace and service.new and matches(selector(service.new), template)
        for service in change.of_kind("Service")
    )
