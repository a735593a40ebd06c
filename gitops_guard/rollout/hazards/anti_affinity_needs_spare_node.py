"""anti-affinity-needs-spare-node: old and new pods keep each other off their nodes, and no pod may be missing."""

from collections.abc import Iterator, Mapping

from gitops_guard.links.selectors import selects
from gitops_guard.model import Body, FieldPath, Json
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, labels_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.hazards.spare_node import spare_node_problem
from gitops_guard.rollout.workload import POD_SPEC, is_rigid, pod_spec

_HOST = "kubernetes.io/hostname"
_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments whose required anti-affinity by node also matches their old pods."""
    for pair in change.workloads:
        if pair.after is None or not pair.rolls or not is_rigid(pair.after.body):
            continue
        field = _excluding(pair.after.body)
        if field:
            why = "required anti-affinity keeps a new pod off every node with an old one"
            problem = spare_node_problem("anti-affinity-needs-spare-node", field, why, pair.after.body, change)
            if problem is not None:
                yield Hazard(pair.after, problem)


def _excluding(body: Body) -> FieldPath:
    """Return the term by which pods of one workload exclude each other, whatever their version; () for none."""
    anti = struct(struct(pod_spec(body).get("affinity")).get("podAntiAffinity"))
    for index, term in enumerate(structs(anti.get(_TERMS))):
        if term.get("topologyKey") == _HOST and _matches_itself(term, labels_of(body)):
            return (*POD_SPEC, "affinity", "podAntiAffinity", _TERMS, index)
    return ()


def _matches_itself(term: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    selector, keys = term.get("labelSelector"), term.get("matchLabelKeys")
    by_version = isinstance(keys, list) and "pod-template-hash" in keys
    return not by_version and isinstance(selector, dict) and selects(selector, labels)
