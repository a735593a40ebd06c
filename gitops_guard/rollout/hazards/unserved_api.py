"""unserved-api: the cluster serves no such kind in this version, and the change brings no definition of it."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed objects of kinds that the snapshot's server does not serve."""
    served = set(change.view.snapshot.served) if change.view is not None else set()
    if not served:
        return
    served |= set(_defined(change))
    for pair in change.pairs:
        if pair.after is None or not pair.changed:
            continue
        version = pair.after.id.api_version
        if f"{version}/{pair.id.kind}" not in served:
            message = f"the cluster serves no {pair.id.kind} in {version}: the apply fails"
            yield Hazard(pair.after, Problem(rule="unserved-api", field=("apiVersion",), message=message))


def _defined(change: Change) -> Iterator[str]:
    """Yield what the definitions of the change serve."""
    for pair in change.of_kind("CustomResourceDefinition"):
        spec = spec_of(pair.new or {})
        for version in structs(spec.get("versions")):
            if version.get("served") is True:
                yield f"{spec.get('group')}/{version.get('name')}/{struct(spec.get('names')).get('kind')}"
