"""service-selects-nothing: after the change no pod stands behind a Service that had some."""

from collections.abc import Iterator

from gitops_guard.model import Problem, Severity
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import selector


def find(change: Change) -> Iterator[Hazard]:
    """Yield Services that select a workload before the change and none after it."""
    for service in change.of_kind("Service"):
        if service.after is None or service.old is None or not selector(service.after.body) or service.id.group:
            continue
        before, after = selector(service.old), selector(service.after.body)
        had = change.labels_before.having(service.scope, before) if before else []
        if had and not change.labels_after.having(service.scope, after):
            message = "selects the pods of no workload after the change: it is left without endpoints"
            field = ("spec", "selector")
            problem = Problem(rule="service-selects-nothing", field=field, message=message, severity=Severity.ERROR)
            yield Hazard(service.after, problem)
