"""unprobed-rollout: pods behind a Service count as ready as soon as they run."""

from collections.abc import Iterable, Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import selector
from gitops_guard.rollout.workload import POD_SPEC, containers


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling workloads behind a Service of the same change without any readiness probe."""
    for pair in _served(change):
        if pair.after is None or not pair.rolls:
            continue
        if not any(container.get("readinessProbe") for _, container in containers(pair.after.body)):
            message = (
                "no container has a readinessProbe: new pods get traffic, and old ones go, before the application"
                " answers"
            )
            field = (*POD_SPEC, "containers")
            yield Hazard(pair.after, Problem(rule="unprobed-rollout", field=field, message=message))


def _served(change: Change) -> Iterable[Pair]:
    """Return the workloads behind Services, each once."""
    found: dict[Pair, None] = {}
    for service in change.of_kind("Service"):
        if service.new is not None and (wanted := selector(service.new)):
            found.update(dict.fromkeys(change.labels_after.having(service.scope, wanted)))
    return found
