"""Whether the nodes of a snapshot hold what a rollout needs: it fits, it does not, or it fits only if.

Where the scheduler puts a pod is not known, so nothing here depends on it: a rollout does not fit if no choice lets it,
and it surely fits if the filters pass whatever else the change does.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.rollout.argo_case import rollout_spec
from gitops_guard.rollout.case import Place, integer, struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.cluster_view import ClusterView, namespace_of
from gitops_guard.rollout.daemonset_case import daemonset_spec
from gitops_guard.rollout.scheduling.fit import Filters, fit, fits_somewhere, place
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.state import ClusterState, Placed
from gitops_guard.rollout.workload import replicas, rolling

NOWHERE = "no node can take a pod of the new version"


class Need(NamedTuple):
    """What a workload asks of the nodes while it rolls."""

    pod: PodView
    beside: int
    """Extra pods that may run beside all old ones."""

    freed: int
    """Old pods that go before any new one runs."""

    total: int
    """Pods of the new version at the end."""


def need_of(pair: Pair, view: ClusterView, live: int) -> Need | None:
    """Return what a changed workload asks for; None where it asks for no new pod.

    Args:
        pair: A workload that exists after the change.
        view: The cluster.
        live: Its pods that run now.
    """
    body = pair.new
    if body is None or not pair.changed or not (pair.rolls or _wanted(body) > live):
        return None
    pod, wanted = _with_known_claims(view.pod_of(body, namespace_of(body)), view), _wanted(body)
    if not pair.rolls:
        return Need(pod, wanted - live, 0, wanted)
    beside, freed = _moves(body, wanted)
    return Need(pod, min(beside, wanted), min(freed, live), wanted)


def _with_known_claims(pod: PodView, view: ClusterView) -> PodView:
    """Leave out claims that the snapshot does not have: the change may create them, or missing-reference tells."""
    unknown = {claim for claim in pod.claims if view.find("PersistentVolumeClaim", pod.namespace, claim) is None}
    if not unknown:
        return pod
    volumes: list[Json] = [
        dict(volume)
        for volume in structs(pod.spec.get("volumes"))
        if struct(volume.get("persistentVolumeClaim")).get("claimName") not in unknown
    ]
    return PodView(pod.namespace, pod.labels, {**pod.spec, "volumes": volumes})


def _wanted(body: Body) -> int:
    return 0 if body.get("kind") == "DaemonSet" else replicas(body)


def _moves(body: Body, wanted: int) -> tuple[int, int]:
    """Return how many pods come before any goes, and how many go before any comes."""
    if (spec := rolling(body)) is not None:
        return spec.budget.surge, spec.budget.unavailable
    if body.get("kind") == "Rollout":
        rollout = rollout_spec(body, "new", 1)
        if rollout.blue_green:
            return wanted, 0
        return rollout.budget.surge, rollout.budget.unavailable
    if body.get("kind") == "StatefulSet":
        return 0, 1
    return 0, wanted  # Recreate


def place_of(pair: Pair, change: Change) -> Place:
    """Return what the nodes of the change's snapshot hold of a workload's new version."""
    view = change.view
    if view is None or not view.knows_nodes or pair.new is None:
        return Place()
    if pair.id.kind == "DaemonSet":
        return _daemons(pair, view)
    workload = f"{pair.id.kind}/{pair.id.name}"
    own = view.state.workloads.get((namespace_of(pair.new or {}), workload), [])
    need = need_of(pair, view, len(own))
    if need is None or need.total == 0:
        return Place()
    with_claims = pair.id.kind == "StatefulSet" and structs(struct(pair.new.get("spec")).get("volumeClaimTemplates"))
    if with_claims:
        return _ordinals(pair, need, own, view)
    return _judge(need, own, lambda: _others(pair, change, view), view.state)


def _judge(need: Need, own: Sequence[Placed], others: Callable[[], Sequence[Placed]], state: ClusterState) -> Place:
    if first := _first(need, own, state):
        with Without(others(), state):
            helps = not _first(need, own, state)
        if helps:
            return Place(note=f"fits only if pods of other workloads of the change go first ({first})")
        return Place(why=f"{NOWHERE} ({first})")
    held = _held(need, own, state)
    if held < need.total:
        with Without(others(), state):
            helps = _held(need, own, state) >= need.total
        if helps:
            return Place(note=f"all {need.total} pods fit only if pods of other workloads of the change go first")
        return Place(pods=held, why=f"the nodes hold {held} of {need.total} pods of the new version")
    return Place(note=_slow(need, state))


def _first(need: Need, own: Sequence[Placed], state: ClusterState) -> str:
    """Return why not even the first new pod fits, whichever old pods go before it; empty where it may fit."""
    if fits_somewhere(need.pod, state):
        return ""
    why = fit(need.pod, state).why
    if not need.freed or not own:
        return why
    by_node: dict[str, list[Placed]] = {}
    for placed in own:
        by_node.setdefault(placed.node, []).append(placed)
    tries = [leaving[: need.freed] for leaving in by_node.values()]
    tries += [list(own[: need.freed])] if need.freed > 1 else []
    return "" if any(_fits_after(leaving, need.pod, state) for leaving in tries) else why


def _fits_after(leaving: Sequence[Placed], pod: PodView, state: ClusterState) -> bool:
    """Tell whether a pod fits once others are gone: on their nodes, or on any where neighbours decide."""
    neighbours = pod.spread or pod.affinity or pod.anti_affinity or any(one.pod.anti_affinity for one in leaving)
    with Without(leaving, state):
        if neighbours or pod.claims:
            return fits_somewhere(pod, state)
        ask = Filters(pod, state)
        return any(not ask.refusals(state.nodes[name]) for name in {one.node for one in leaving})


def _held(need: Need, own: Sequence[Placed], state: ClusterState) -> int:
    """Return how many pods of the new version fit when all old ones are gone."""
    with Without(own, state):
        placed = place(need.pod, need.total, state)
        for one in placed:
            state.remove(one)
    return len(placed)


def _slow(need: Need, state: ClusterState) -> str:
    """Say where fewer extra pods fit at first than the strategy allows."""
    if need.beside < 2:
        return ""
    placed = place(need.pod, need.beside, state)
    for one in placed:
        state.remove(one)
    if len(placed) >= need.beside:
        return ""
    return f"only {len(placed)} of {need.beside} extra pods fit at first: the others wait until old pods are gone"


class Without:
    """Takes pods off their nodes for a while."""

    def __init__(self, placed: Sequence[Placed], state: ClusterState) -> None:
        self._placed = placed
        self._state = state

    def __enter__(self) -> None:
        for one in self._placed:
            self._state.remove(one)

    def __exit__(self, *_: object) -> None:
        for one in self._placed:
            self._state.add(one.node, one.pod)


def _others(pair: Pair, change: Change, view: ClusterView) -> list[Placed]:
    """Return the pods that other changed workloads of the change may take away."""
    gone = [one for one in change.pairs if one is not pair and one.changed and one.old is not None]
    keys = [(namespace_of(one.old or {}), f"{one.id.kind}/{one.id.name}") for one in gone]
    return [placed for key in keys for placed in view.state.workloads.get(key, [])]


def _ordinals(pair: Pair, need: Need, own: Sequence[Placed], view: ClusterView) -> Place:
    """Each pod of a StatefulSet keeps its claims, which hold it to nodes."""
    spec = struct((pair.new or {}).get("spec"))
    first = integer(struct(spec.get("ordinals")).get("start"), 0)
    templates = [str(struct(one.get("metadata")).get("name")) for one in structs(spec.get("volumeClaimTemplates"))]
    for ordinal in reversed(range(first, first + need.total)):
        claims = [f"{template}-{pair.id.name}-{ordinal}" for template in templates]
        there = all(view.find("PersistentVolumeClaim", need.pod.namespace, claim) is not None for claim in claims)
        pod = _with_claims(need.pod, claims) if there else need.pod
        old = [placed for placed in own if set(claims) & set(placed.pod.claims)]
        with Without(old, view.state):
            found = fit(pod, view.state)
        if not found.nodes:
            return Place(why=f"no node can take pod {pair.id.name}-{ordinal} of the new version ({found.why})")
    return Place()


def _with_claims(pod: PodView, claims: Sequence[str]) -> PodView:
    volumes: list[Json] = [dict(one) for one in structs(pod.spec.get("volumes"))]
    volumes += [{"persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    return PodView(pod.namespace, pod.labels, {**pod.spec, "volumes": volumes})


def _daemons(pair: Pair, view: ClusterView) -> Place:
    """A DaemonSet's pod goes to its node or nowhere."""
    body, namespace = pair.new or {}, namespace_of(pair.new or {})
    if not pair.rolls:
        return Place()
    pod = view.pod_of(body, namespace)
    surges = bool(daemonset_spec(body, "new").limits(len(view.snapshot.nodes))[0])
    own = {placed.node: placed for placed in view.state.workloads.get((namespace, f"DaemonSet/{pair.id.name}"), [])}
    full: list[str] = []
    lacking = ""
    for node in view.eligible(pod):
        leaving = [own[node.name]] if node.name in own and not surges else []
        with Without(leaving, view.state):
            found = Filters(pod, view.state).refusals(view.state.nodes[node.name])
        if found:
            full.append(node.name)
            lacking = lacking or ", ".join(found)
    if not full:
        return Place()
    return Place(why=f"node {full[0]} cannot take a pod of the new version ({lacking}){_more(full)}")


def _more(nodes: Sequence[str]) -> str:
    return f", nor can {len(nodes) - 1} more" if len(nodes) > 1 else ""
