"""deadline-shorter-than-start: the rollout is reported as failed although it succeeds."""

from collections.abc import Iterator, Mapping

from gitops_guard.model import Json, Problem
from gitops_guard.rollout.case import integer, struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import containers, replicas, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed Deployments whose probes alone take longer than progressDeadlineSeconds."""
    for pair in change.workloads:
        if pair.after is None or pair.id.kind != "Deployment" or not pair.changed or not replicas(pair.after.body):
            continue
        deadline_s = integer(spec_of(pair.after.body).get("progressDeadlineSeconds"), 600)
        least_s = max((_least_s(container) for _, container in containers(pair.after.body)), default=0)
        if least_s >= deadline_s:
            message = (
                f"probes let no pod become ready before {least_s} s, but after {deadline_s} s without progress the"
                " rollout is reported as failed"
            )
            field = ("spec", "progressDeadlineSeconds")
            yield Hazard(pair.after, Problem(rule="deadline-shorter-than-start", field=field, message=message))


def _least_s(container: Mapping[str, Json]) -> int:
    """Return the soonest moment at which the probes let a container be ready."""
    startup, readiness = struct(container.get("startupProbe")), struct(container.get("readinessProbe"))
    successes = max(0, integer(readiness.get("successThreshold"), 1) - 1)
    more = successes * integer(readiness.get("periodSeconds"), 10)
    delays = [integer(probe.get("initialDelaySeconds"), 0) for probe in (startup, readiness)]
    return max(delays) + more
