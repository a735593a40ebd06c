"""crd-with-its-objects: a kind is defined and used in one change, which one pass of kubectl apply may refuse."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.waves import wave_of
from gitops_guard.rollout.workload import spec_of

CRD = "CustomResourceDefinition"


def find(change: Change) -> Iterator[Hazard]:
    """Yield the first object of each kind that the change defines, unless a sync wave puts it after its definition."""
    defined = {}
    for pair in change.of_kind(CRD):
        if pair.before is None and pair.new is not None:
            spec = spec_of(pair.new)
            defined[str(spec.get("group")), str(struct(spec.get("names")).get("kind"))] = pair
    for (group, kind), definition in sorted(defined.items()):
        of_group = (pair for pair in change.of_kind(kind) if pair.id.group == group and pair.new is not None)
        first = next(of_group, None)
        if first is None or first.after is None or wave_of(first.after.body) > wave_of(definition.new or {}):
            continue
        message = (
            f"CustomResourceDefinition {definition.id.name} is created by the same change: kubectl apply needs a second"
            " pass (Flux and Argo CD put definitions first)"
        )
        yield Hazard(first.after, Problem(rule="crd-with-its-objects", field=("kind",), message=message))
