"""stale-config: a ConfigMap or Secret changes under its name, and the pods that read it go on as before."""

from collections.abc import Iterator

from gitops_guard.model import Problem, Severity
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.configuration import stale_references, stale_text
from gitops_guard.rollout.hazards.hazard import Hazard


def find(change: Change) -> Iterator[Hazard]:
    """Yield uses of changed configuration by workloads that do not roll."""
    for pair in change.workloads:
        for stale in stale_references(pair, change):
            if pair.after is None:
                continue
            reference = stale.reference
            problem = Problem(
                rule="stale-config",
                field=reference.path,
                message=stale_text(reference),
                hint="change a template annotation with it, or put a hash into its name as kustomize does",
                severity=Severity.NOTE if reference.how == "file" else None,
            )
            yield Hazard(pair.after, problem)
