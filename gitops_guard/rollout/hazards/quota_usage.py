"""What workloads take from a ResourceQuota: pods, and their requests and limits."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.cluster_view import ClusterView, namespace_of
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


def elsewhere(change: Change, quota: Pair, name: str, found: Sequence[Claim]) -> Fraction:
    """Return what pods that the change does not know take, by the live quota; 0 where there is no snapshot."""
    if change.view is None:
        return Fraction(0)
    namespace = namespace_of(quota.new or {})
    live = change.view.find("ResourceQuota", namespace, quota.id.name)
    used = quantity(struct(struct((live or {}).get("status")).get("used")).get(name))
    if used is None:
        return Fraction(0)
    own = sum((_live_amount(change.view, namespace, claim.pair, name) for claim in found), Fraction(0))
    return max(Fraction(0), used - own)


def most_pods(change: Change, workload: Pair) -> int | None:
    """Return how many pods of a workload the live quotas let exist; None where none binds it.

    Other workloads of the change are taken to keep what they have before or after it, whichever is more.
    """
    found: list[int] = []
    for quota in change.of_kind("ResourceQuota") if change.view is not None else ():
        if quota.scope != workload.scope:
            continue
        for name, hard in hard_limits(quota).items():
            known = list(claims(change, quota.scope, name))
            pod = max(pod_amount(body, name) for body in (workload.old, workload.new) if body is not None)
            others = sum(claim.steady for claim in known if claim.pair is not workload)
            if pod:
                found.append(max(0, int((hard - elsewhere(change, quota, name, known) - others) // pod)))
    return min(found, default=None)


def _live_amount(view: ClusterView, namespace: str, pair: Pair, name: str) -> Fraction:
    pods = view.pods_of(namespace, f"{pair.id.kind}/{pair.id.name}")
    return sum((pod_amount({"spec": {"template": {"spec": dict(pod.spec)}}}, name) for pod in pods), Fraction(0))


def _wanted_pods(body: Body, change: Change) -> int:
    """Return how many pods a workload wants; a DaemonSet one a node, none where nobody knows the nodes."""
    if body.get("kind") == "DaemonSet":
        return change.nodes_for(body) or 0
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
