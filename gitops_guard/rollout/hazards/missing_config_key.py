"""missing-config-key: pods ask for a key that the ConfigMap or Secret does not have, and never start."""

from collections.abc import Iterator

from gitops_guard.links.pods import Reference, content
from gitops_guard.model import Problem, Severity
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.configuration import uses
from gitops_guard.rollout.hazards.hazard import Hazard


def find(change: Change) -> Iterator[Hazard]:
    """Yield keys that are not in the ConfigMap of the same change; either of the two is changed."""
    for workload, reference, config in uses(change):
        if config.after is None or not (workload.changed or config.changed) or workload.after is None:
            continue
        missing = [key for key in reference.keys if key not in content(config.after.body)]
        if missing and not reference.optional and not _is_encrypted(config.after.body):
            message = f"{reference.kind} {reference.name} has no key {missing[0]}: pods {_effect(reference)}"
            problem = Problem(rule="missing-config-key", field=reference.path, message=message, severity=Severity.ERROR)
            yield Hazard(workload.after, problem)


def _effect(reference: Reference) -> str:
    if reference.how == "environment":
        return "wait in CreateContainerConfigError"
    return "wait in ContainerCreating"


def _is_encrypted(body: object) -> bool:
    return isinstance(body, dict) and "sops" in body
