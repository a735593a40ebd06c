"""quota-needs-requests: a quota on requests or limits refuses pods that name none."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.hazards.quota_usage import NAMES, hard_limits
from gitops_guard.rollout.workload import containers, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield containers without what a quota of the same change counts, where no LimitRange gives a default."""
    for quota in change.of_kind("ResourceQuota"):
        for name in hard_limits(quota):
            field, resource = NAMES[name]
            if not field or _has_default(change, quota.scope, field, resource):
                continue
            for workload in change.workloads_in(quota.scope):
                if workload.after is not None and (quota.changed or workload.changed):
                    for problem in _problems(workload, quota, field, resource):
                        yield Hazard(workload.after, problem)


def _problems(workload: Pair, quota: Pair, field: str, resource: str) -> Iterator[Problem]:
    for path, container in containers(workload.new or {}):
        resources = struct(container.get("resources"))
        fields = (field, "limits") if field == "requests" else (field,)
        if all(resource not in struct(resources.get(one)) for one in fields):
            message = (
                f"has no {field}.{resource}, which ResourceQuota {quota.id.name} counts: every pod is refused"
                " (FailedCreate)"
            )
            yield Problem(rule="quota-needs-requests", field=path, message=message)


def _has_default(change: Change, scope: str, field: str, resource: str) -> bool:
    """A LimitRange fills in what a container leaves out; its default limit stands for the request too."""
    keys = ("defaultRequest", "default") if field == "requests" else ("default",)
    ranges = [pair for pair in change.of_kind("LimitRange") if pair.scope == scope and pair.new]
    items = [item for pair in ranges for item in structs(spec_of(pair.new or {}).get("limits"))]
    return any(resource in struct(item.get(key)) for item in items for key in keys)
