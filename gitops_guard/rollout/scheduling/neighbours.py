"""Filters that look at other pods: required (anti-)affinity and topology spread.

What they count does not depend on the node that is asked about, so it is counted once for all nodes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gitops_guard.model import Json
from gitops_guard.rollout.case import integer, struct
from gitops_guard.rollout.scheduling.filters import selected, tolerates
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.selectors import label_selector
from gitops_guard.rollout.scheduling.state import ClusterState, NodeState

Domain = tuple[str, str]
"""A topology key and its value: `("topology.kubernetes.io/zone", "a")`."""


class Affinity:
    """Plugin InterPodAffinity for one pod."""

    def __init__(self, pod: PodView, cluster: ClusterState) -> None:
        """Count the neighbours."""
        self._pod = pod
        self._forbidden = {
            domain
            for placed in cluster.avoiding
            for term in placed.pod.anti_affinity
            if matches(term, placed.pod, pod, cluster)
            for domain in _domain(cluster.nodes[placed.node], term)
        }
        self._avoided = self._of_terms(pod.anti_affinity, cluster)
        self._wanted = self._domains_wanted(cluster)
        self._is_first = not self._wanted and all(matches(term, pod, pod, cluster) for term in pod.affinity)

    def _of_terms(self, terms: Sequence[Mapping[str, Json]], cluster: ClusterState) -> set[Domain]:
        if not terms:
            return set()
        return {
            domain
            for placed in cluster.pods()
            for term in terms
            if matches(term, self._pod, placed.pod, cluster)
            for domain in _domain(cluster.nodes[placed.node], term)
        }

    def _domains_wanted(self, cluster: ClusterState) -> set[Domain]:
        """Return the domains of pods that match all affinity terms; filtering.go:podMatchesAllAffinityTerms."""
        terms = self._pod.affinity
        if not terms:
            return set()
        return {
            domain
            for placed in cluster.pods()
            if all(matches(term, self._pod, placed.pod, cluster) for term in terms)
            for term in terms
            for domain in _domain(cluster.nodes[placed.node], term)
        }

    def check(self, state: NodeState) -> Iterator[str]:
        """Yield why the node is refused."""
        if self._pod.affinity and not self._satisfied(state):
            yield "node(s) didn't match pod affinity rules"
        elif any(domain in self._avoided for term in self._pod.anti_affinity for domain in _domain(state, term)):
            yield "node(s) didn't match pod anti-affinity rules"
        elif self._forbidden and any(state.node.labels.get(key) == value for key, value in self._forbidden):
            yield "node(s) didn't satisfy existing pods anti-affinity rules"

    def _satisfied(self, state: NodeState) -> bool:
        """filtering.go:satisfyPodAffinity; the first pod of a group that wants its own company may go anywhere."""
        for term in self._pod.affinity:
            domains = _domain(state, term)
            if not domains or (domains[0] not in self._wanted and not self._is_first):
                return False
        return True


def _domain(state: NodeState, term: Mapping[str, Json]) -> list[Domain]:
    key = str(term.get("topologyKey"))
    value = state.node.labels.get(key)
    return [] if value is None else [(key, value)]


def matches(term: Mapping[str, Json], owner: PodView, other: PodView, cluster: ClusterState) -> bool:
    """Tell whether a pod affinity term of `owner` speaks of `other`."""
    return _in_namespaces(term, owner, other, cluster) and label_selector(_selector(term, owner), other.labels)


def _in_namespaces(term: Mapping[str, Json], owner: PodView, other: PodView, cluster: ClusterState) -> bool:
    listed, selector = term.get("namespaces"), term.get("namespaceSelector")
    names = listed if isinstance(listed, list) else []
    if other.namespace in names:
        return True
    if isinstance(selector, dict):
        return label_selector(selector, cluster.namespace_labels(other.namespace))
    return not names and other.namespace == owner.namespace


def _selector(term: Mapping[str, Json], owner: PodView) -> Json:
    """Return the selector with matchLabelKeys: pkg/registry/core/pod strategy.go merges them when a pod is created."""
    keys = _keys(term, "matchLabelKeys", owner), _keys(term, "mismatchLabelKeys", owner)
    selector = term.get("labelSelector")
    if not isinstance(selector, dict) or not (keys[0] or keys[1]):
        return selector
    more: list[Json] = [
        {"key": key, "operator": operator, "values": [owner.labels[key]]}
        for operator, found in zip(("In", "NotIn"), keys, strict=True)
        for key in found
    ]
    listed = selector.get("matchExpressions")
    return {**selector, "matchExpressions": [*(listed if isinstance(listed, list) else []), *more]}


def _keys(term: Mapping[str, Json], field: str, owner: PodView) -> list[str]:
    listed = term.get(field)
    return [str(key) for key in listed if str(key) in owner.labels] if isinstance(listed, list) else []


class _Constraint(NamedTuple):
    """One topology spread constraint, with the pods counted by domain."""

    key: str
    most: int
    """maxSkew."""

    itself: int
    counts: Mapping[str, int]
    least: int


class Spread:
    """Plugin PodTopologySpread for one pod."""

    def __init__(self, pod: PodView, cluster: ClusterState) -> None:
        """Count the pods of every domain."""
        keys = [str(one.get("topologyKey")) for one in pod.spread]
        whole = [state for state in cluster.nodes.values() if all(key in state.node.labels for key in keys)]
        self._constraints = [_constraint(one, pod, whole if keys else []) for one in pod.spread]

    def check(self, state: NodeState) -> Iterator[str]:
        """Yield why the node is refused: filtering.go:Filter."""
        for one in self._constraints:
            value = state.node.labels.get(one.key)
            if value is None:
                yield "node(s) didn't match pod topology spread constraints (missing required label)"
                return
            if one.counts.get(value, 0) + one.itself - one.least > one.most:
                yield "node(s) didn't match pod topology spread constraints"
                return


def _constraint(body: Mapping[str, Json], pod: PodView, nodes: Sequence[NodeState]) -> _Constraint:
    key, selector = str(body.get("topologyKey")), _selector(body, pod)
    counts: dict[str, int] = {}
    for state in nodes:
        if _is_counted(body, pod, state):
            value = state.node.labels[key]
            counts[value] = counts.get(value, 0) + _matching(selector, pod.namespace, state)
    # Too few domains for minDomains: the least is taken to be 0.
    least = min(counts.values(), default=0) if len(counts) >= integer(body.get("minDomains"), 1) else 0
    return _Constraint(key, integer(body.get("maxSkew"), 1), int(label_selector(selector, pod.labels)), counts, least)


def _is_counted(body: Mapping[str, Json], pod: PodView, state: NodeState) -> bool:
    """common.go:matchNodeInclusionPolicies."""
    affine = body.get("nodeAffinityPolicy") == "Ignore" or selected(pod, state.node)
    return affine and (body.get("nodeTaintsPolicy") != "Honor" or tolerates(pod, state.node))


def _matching(selector: Json, namespace: str, state: NodeState) -> int:
    """common.go:countPodsMatchSelector; an empty selector counts nothing."""
    if not any(struct(selector).values()):
        return 0
    return sum(
        not pod.terminating and pod.namespace == namespace and label_selector(selector, pod.labels)
        for pod in state.pods
    )
