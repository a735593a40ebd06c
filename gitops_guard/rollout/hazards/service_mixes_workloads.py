"""service-mixes-workloads: a Service whose selector asks for less than before takes in pods of another workload."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import selector


def find(change: Change) -> Iterator[Hazard]:
    """Yield Services that lose a key of their selector and gain workloads by it."""
    for service in change.of_kind("Service"):
        if service.after is None or service.old is None or service.id.group:
            continue
        old, new = selector(service.old), selector(service.after.body)
        if not new or not new.items() < old.items():
            continue
        had = change.labels_before.having(service.scope, old)
        gained = [pair for pair in change.labels_after.having(service.scope, new) if pair not in had]
        if had and gained:
            names = ", ".join(f"{pair.id.kind} {pair.id.name}" for pair in gained[:3])
            message = f"without {', '.join(sorted(old.keys() - new.keys()))} it selects {names} too: traffic is mixed"
            problem = Problem(rule="service-mixes-workloads", field=("spec", "selector"), message=message)
            yield Hazard(service.after, problem)
