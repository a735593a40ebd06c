"""namespace-missing: objects are created in a namespace that there is neither in the cluster nor in the change."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard


def find(change: Change) -> Iterator[Hazard]:
    """Yield the first object of every such namespace."""
    view = change.view
    if view is None or not view.knows("Namespace") or "Namespace" not in view.snapshot.objects:
        return
    there = {pair.id.name for pair in change.of_kind("Namespace") if pair.after is not None}
    seen: set[str] = set()
    for pair in change.pairs:
        namespace = pair.id.namespace
        if pair.after is None or pair.before is not None or not namespace or namespace in there | seen:
            continue
        if view.find("Namespace", "", namespace) is None:
            seen.add(namespace)
            message = f"namespace {namespace} is neither in the cluster nor in the change: the apply fails"
            problem = Problem(rule="namespace-missing", field=("metadata", "namespace"), message=message)
            yield Hazard(pair.after, problem)
