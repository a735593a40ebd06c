"""service-selects-nothing: after the change no pod stands behind a Service that had some."""

from collections.abc import Iterator

from gitops_guard.model import Body, Problem
from gitops_guard.rollout.change import Change, template_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import matches, selector
from gitops_guard.rollout.simulate import can_simulate


def find(change: Change) -> Iterator[Hazard]:
    """Yield Services that select a workload before the change and none after it."""
    for service in change.of_kind("Service"):
        if service.after is None or service.old is None or not selector(service.after.body) or service.id.group:
            continue
        around = [pair for pair in change.pairs if pair.id.namespace == service.id.namespace]
        before = _selected(service.old, [pair.old for pair in around])
        if before and not _selected(service.after.body, [pair.new for pair in around]):
            message = "selects the pods of no workload after the change: it is left without endpoints"
            yield Hazard(
                service.after, Problem(rule="service-selects-nothing", field=("spec", "selector"), message=message)
            )


def _selected(service: Body, bodies: list[Body | None]) -> bool:
    wanted = selector(service)
    return any(body is not None and can_simulate(body) and matches(wanted, template_of(body)) for body in bodies)
