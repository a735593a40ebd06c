"""What workloads take from a ResourceQuota: pods, and their requests and limits."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.template import quantity
from gitops_guard.rollout.workload import pod_spec, replicas, rolling, spec_of

NAMES = {
    "pods": ("", ""),
    "count/pods": ("", ""),
    "cpu": ("requests", "cpu"),
    "requests.cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
"""Names under spec.hard: which amounts of a container each adds up."""


class Claim(NamedTuple):
    """What one workload takes of one name of a quota."""

    pair: Pair
    before: Fraction
    after: Fraction
    pod: Fraction
    """One pod of the new version."""

    surge: int
    """Extra pods that its rollout may create."""

    rigid: bool
    """Whether the rollout needs at least one of them."""

    @property
    def steady(self) -> Fraction:
        """Return what is taken beside the rollout: before or after it, whichever is more."""
        return max(self.before, self.after)


def hard_limits(quota: Pair) -> dict[str, Fraction]:
    """Return the limits of a quota that apply to every pod; one with scopes is about some pods only."""
    spec = spec_of(quota.new or {})
    if spec.get("scopes") or spec.get("scopeSelector"):
        return {}
    found = {name: quantity(value) for name, value in struct(spec.get("hard")).items() if name in NAMES}
    return {name: amount for name, amount in sorted(found.items()) if amount is not None}


def claims(change: Change, scope: str, name: str) -> Iterator[Claim]:
    """Yield what the workloads of a namespace take of one name of a quota."""
    for pair in change.workloads_in(scope):
        assert pair.new is not None
        spec = rolling(pair.new) if pair.rolls else None
        budget = None if spec is None or not spec.replicas else spec.budget
        pod = pod_amount(pair.new, name)
        before = _wanted_pods(pair.old, change) * pod_amount(pair.old, name) if pair.old is not None else Fraction(0)
        surge = budget.surge if budget is not None else 0
        rigid = budget is not None and budget.unavailable == 0 and surge > 0
        yield Claim(pair, before, _wanted_pods(pair.new, change) * pod, pod, surge, rigid)


def _wanted_pods(body: Body, change: Change) -> int:
    """Return how many pods a workload wants; a DaemonSet one a node, none where nobody knows the nodes."""
    if body.get("kind") == "DaemonSet":
        return change.nodes or 0
    return replicas(body)


def pod_amount(body: Body, name: str) -> Fraction:
    """Return what one pod takes."""
    field, resource = NAMES[name]
    if not field:
        return Fraction(1)
    spec = pod_spec(body)
    return sum((_amount(struct(one.get("resources")), field, resource) for one in structs(spec.get("containers"))),
               Fraction(0))  # fmt: skip


def _amount(resources: Mapping[str, Json], field: str, resource: str) -> Fraction:
    fields = (field, "limits") if field == "requests" else (field,)
    for one in fields:
        found = quantity(struct(resources.get(one)).get(resource))
        if found is not None:
            return found
    return Fraction(0)
