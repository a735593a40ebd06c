"""topology-spread-blocks-rollout: a constraint that forbids counts old pods too and leaves no place for new ones."""

from collections.abc import Iterator

from gitops_guard.links.selectors import selects
from gitops_guard.model import FieldPath, Problem
from gitops_guard.rollout.capacity import place_of
from gitops_guard.rollout.case import integer, structs
from gitops_guard.rollout.change import Change, Pair, labels_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import POD_SPEC, is_rigid, pod_spec, replicas

RULE = "topology-spread-blocks-rollout"
_FIELD: FieldPath = (*POD_SPEC, "topologySpreadConstraints")


def is_spread(why: str) -> bool:
    """Tell whether spread is among what the nodes lack."""
    return "topology spread" in why


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads whose spread constraints leave their new pods Pending."""
    for pair in change.workloads:
        if pair.after is None or not pair.changed:
            continue
        why = place_of(pair, change).why
        if why and is_spread(why):
            message = f"{why}: old pods, and nodes that the pod may not use, count too"
            hint = "nodeTaintsPolicy: Honor, and matchLabelKeys: [pod-template-hash]"
            yield Hazard(pair.after, Problem(rule=RULE, field=_FIELD, message=message, hint=hint))
        elif not why:
            yield from _too_few_domains(pair, change)


def _too_few_domains(pair: Pair, change: Change) -> Iterator[Hazard]:
    """With fewer nodes than minDomains each takes maxSkew pods at most: filtering.go:minMatchNum."""
    body = pair.new or {}
    constraints = structs(pod_spec(body).get("topologySpreadConstraints"))
    nodes = change.nodes_for(body) if constraints else None
    for index, one in enumerate(constraints):
        by_node = one.get("topologyKey") == "kubernetes.io/hostname" and one.get("whenUnsatisfiable") == "DoNotSchedule"
        least, selector, keys = integer(one.get("minDomains"), 1), one.get("labelSelector"), one.get("matchLabelKeys")
        if not by_node or nodes is None or nodes >= least or not isinstance(selector, dict) or pair.after is None:
            continue
        versioned = isinstance(keys, list) and "pod-template-hash" in keys
        extra = int(pair.rolls and is_rigid(body) and not versioned)
        room = nodes * integer(one.get("maxSkew"), 1)
        if selects(selector, labels_of(body)) and replicas(body) + extra > room:
            message = (
                f"there are {nodes} nodes, fewer than minDomains {least}: they take {room} pods together,"
                f" {replicas(body) + extra} are needed"
            )
            yield Hazard(pair.after, Problem(rule=RULE, field=(*_FIELD, index, "minDomains"), message=message))
