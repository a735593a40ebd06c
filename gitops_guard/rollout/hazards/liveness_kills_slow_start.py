"""liveness-kills-slow-start: the liveness probe gives up before the readiness probe even begins."""

from collections.abc import Iterator, Mapping

from gitops_guard.model import Json, Problem
from gitops_guard.rollout.case import integer, struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import containers


def find(change: Change) -> Iterator[Hazard]:
    """Yield containers of changed workloads that are killed before the time at which they are expected to be ready."""
    for pair in change.workloads:
        if pair.after is None or not pair.changed:
            continue
        for path, container in containers(pair.after.body):
            if (budget_s := _budget_s(container)) is not None and budget_s < _expected_s(container):
                message = (
                    f"the livenessProbe kills the container after {budget_s} s, the readinessProbe expects it after"
                    f" {_expected_s(container)} s"
                )
                hint = "a startupProbe, which holds the livenessProbe back"
                field = (*path, "livenessProbe")
                yield Hazard(
                    pair.after, Problem(rule="liveness-kills-slow-start", field=field, message=message, hint=hint)
                )


def _budget_s(container: Mapping[str, Json]) -> int | None:
    probe = struct(container.get("livenessProbe"))
    if not probe or container.get("startupProbe") is not None:
        return None
    period_s, failures = integer(probe.get("periodSeconds"), 0) or 10, integer(probe.get("failureThreshold"), 0) or 3
    return integer(probe.get("initialDelaySeconds"), 0) + period_s * failures


def _expected_s(container: Mapping[str, Json]) -> int:
    return integer(struct(container.get("readinessProbe")).get("initialDelaySeconds"), 0)
