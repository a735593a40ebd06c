"""The filters together: which nodes can take a pod, and what the others lack."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops_guard.rollout.scheduling import filters
from gitops_guard.rollout.scheduling.neighbours import Affinity, Spread
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.state import ClusterState, NodeState, Placed
from gitops_guard.rollout.scheduling.volumes import Volumes


class Fit(NamedTuple):
    """The answer for one pod."""

    nodes: tuple[str, ...]
    """Those that can take it."""

    lacking: Counter[str]
    """What the others lack, with their number, in the scheduler's words."""

    total: int
    """How many nodes there are."""

    @property
    def why(self) -> str:
        """Return `3 nodes: 2 Insufficient cpu, 1 node(s) were unschedulable`."""
        parts = [
            f"{number} {reason}" for reason, number in sorted(self.lacking.items(), key=lambda one: (-one[1], one[0]))
        ]
        return f"{self.total} {'node' if self.total == 1 else 'nodes'}: {', '.join(parts)}"


class Filters:
    """All filters for one pod on one state of the cluster."""

    def __init__(self, pod: PodView, cluster: ClusterState) -> None:
        """Look at everything that does not depend on the node."""
        self._pod = pod
        self._volumes = Volumes(pod, cluster) if pod.claims else None
        self._spread = Spread(pod, cluster) if pod.spread else None
        self._affinity = Affinity(pod, cluster)

    def refusals(self, state: NodeState) -> list[str]:
        """Return what the first filter that refuses the node says; nothing where none does."""
        return next((found for reasons in self._reasons(state) if (found := list(reasons))), [])

    def _reasons(self, state: NodeState) -> Iterator[Iterable[str]]:
        """Yield the filters in the order of the default profile."""
        if self._volumes is not None and self._volumes.never:
            yield (self._volumes.never,)
        yield filters.cordoned(self._pod, state)
        yield filters.tainted(self._pod, state)
        yield filters.selects(self._pod, state)
        yield filters.free_ports(self._pod, state)
        yield filters.has_room(self._pod, state)
        if self._volumes is not None:
            yield self._volumes.check(state)
        if self._spread is not None:
            yield self._spread.check(state)
        yield self._affinity.check(state)


def fits_somewhere(pod: PodView, cluster: ClusterState) -> bool:
    """Tell whether any node can take a pod; the first one ends the search."""
    ask = Filters(pod, cluster)
    return any(not ask.refusals(state) for state in cluster.nodes.values())


def fit(pod: PodView, cluster: ClusterState) -> Fit:
    """Ask every node whether it can take a pod."""
    found, lacking, ask = [], Counter[str](), Filters(pod, cluster)
    for name, state in cluster.nodes.items():
        refusals = ask.refusals(state)
        if refusals:
            lacking.update(refusals)
        else:
            found.append(name)
    return Fit(tuple(found), lacking, len(cluster.nodes))


def place(pod: PodView, count: int, cluster: ClusterState) -> list[Placed]:
    """Put pods that are alike on the first nodes that take them, as many as fit; the caller removes them again.

    Where each goes is not what the scheduler would choose, but how many fit does not depend on it as long as all are
    alike: without constraints on neighbours a node takes as many whatever the others do, and with them a pod more in
    one domain never makes less room in another.
    """
    placed: list[Placed] = []
    whole = bool(pod.spread or pod.affinity or pod.anti_affinity or pod.claims)
    ask = Filters(pod, cluster)
    for name in cluster.nodes:
        while len(placed) < count and not ask.refusals(cluster.nodes[name]):
            placed.append(cluster.add(name, pod))
            if whole:
                ask = Filters(pod, cluster)
    # A pod more in one domain may let another take one, as spread allows so many more than in the emptiest.
    if whole and placed and len(placed) < count:
        more = place(pod, count - len(placed), cluster)
        return [*placed, *more]
    return placed
