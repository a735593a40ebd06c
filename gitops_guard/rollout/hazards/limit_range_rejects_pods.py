"""limit-range-rejects-pods: a container is outside of its namespace's LimitRange, and every pod is refused."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from gitops_guard.model import FieldPath, Json, Problem
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.template import quantity
from gitops_guard.rollout.workload import containers, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield containers outside of the limits of a LimitRange; either of the two is changed."""
    for limits in change.of_kind("LimitRange"):
        for workload in change.workloads_in(limits.scope):
            if workload.after is None or limits.after is None or not (limits.changed or workload.changed):
                continue
            for problem in _problems(workload, limits):
                yield Hazard(workload.after, problem)


def _problems(workload: Pair, limits: Pair) -> Iterator[Problem]:
    for item in structs(spec_of(limits.new or {}).get("limits")):
        if item.get("type") != "Container":
            continue
        for path, container in containers(workload.new or {}):
            for reason in _reasons(struct(container.get("resources")), item):
                message = f"{reason} of LimitRange {limits.id.name}: every pod is refused (FailedCreate)"
                yield Problem(rule="limit-range-rejects-pods", field=_place(path, container), message=message)


def _place(path: FieldPath, container: Mapping[str, Json]) -> FieldPath:
    return (*path, "resources") if "resources" in container else path


def _reasons(resources: Mapping[str, Json], item: Mapping[str, Json]) -> Iterator[str]:
    limits, requests = _amounts(resources, "limits"), _amounts(resources, "requests")
    asked = set(requests)
    limits = _amounts(item, "default") | limits
    # A request is taken from the container's own limit first, then from defaultRequest, then from the default limit.
    requests = limits | _amounts(item, "defaultRequest") | _amounts(resources, "limits") | requests
    for name, most in sorted(_amounts(item, "max").items()):
        found = limits.get(name)
        if found is None:
            yield f"{name} has no limit, above max"
        elif found > most:
            yield f"limit of {name} is above max"
    for name, least in sorted(_amounts(item, "min").items()):
        found = requests.get(name)
        if found is None or found < least:
            yield f"request of {name} is below min"
    for name, ratio in sorted(_amounts(item, "maxLimitRequestRatio").items()):
        if name in limits and requests.get(name) and limits[name] / requests[name] > ratio:
            yield f"limit to request of {name}{'' if name in asked else ' (defaulted)'} is above maxLimitRequestRatio"


def _amounts(fields: Mapping[str, Json], key: str) -> dict[str, Fraction]:
    found = {name: quantity(value) for name, value in struct(fields.get(key)).items()}
    return {name: amount for name, amount in found.items() if amount is not None}
