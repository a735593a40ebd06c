"""The DaemonSet controller: one sync as a pure function from what its cache shows to what it writes.

Rules from kubernetes v1.36.3, pkg/controller/daemon; v1.37.0 decides the same. The controller walks the nodes in random
order, which decides on which nodes pods are replaced first but never on how many; here the order is that of the input.
"""

from typing import NamedTuple

from gitops_guard.rollout.budget import IntOrPercent, scaled

BURST_REPLICAS = 250
"""daemon_controller.go:BurstReplicas."""


class DaemonSetSpec(NamedTuple):
    """The fields of a DaemonSet that its controller reads, with the API's defaults filled in."""

    template: str = "new"
    """Names the revision: equal templates have equal names."""

    on_delete: bool = False
    max_unavailable: IntOrPercent = 1
    max_surge: IntOrPercent = 0
    min_ready_s: int = 0

    def limits(self, desired: int) -> tuple[int, int]:
        """Return (surge, unavailable) in pods: update.go:updatedDesiredNodeCounts; both round up."""
        surge = scaled(self.max_surge, desired, round_up=True)
        unavailable = scaled(self.max_unavailable, desired, round_up=True)
        return surge, unavailable if surge or unavailable or not desired else 1


class DaemonPod(NamedTuple):
    """One pod as the controller's cache shows it."""

    name: int
    """Unique; the lower, the older."""

    revision: str
    ready: bool = True
    available: bool = True
    """Ready for at least minReadySeconds."""

    terminating: bool = False
    failed: bool = False
    """Phase Failed or Succeeded."""


class DaemonNode(NamedTuple):
    """One node and the pods of the DaemonSet there."""

    name: str
    pods: tuple[DaemonPod, ...] = ()
    should_run: bool = True
    """daemon_controller.go:NodeShouldRunDaemonPod, both results."""

    should_continue: bool = True


class DaemonSet(NamedTuple):
    """What one sync sees."""

    spec: DaemonSetSpec
    nodes: tuple[DaemonNode, ...]


class DaemonWrites(NamedTuple):
    """What one sync does."""

    create: tuple[str, ...] = ()
    """Nodes that get a pod of the current revision."""

    delete: tuple[int, ...] = ()
    """Pods that go, by name."""


def sync(state: DaemonSet) -> DaemonWrites:
    """Return what one work-queue item writes: daemon_controller.go:updateDaemonSet.

    A sync that creates or deletes in its first half does not go on to the update: its expectations are open.
    """
    managed = _manage(state)
    if managed.create or managed.delete or state.spec.on_delete:
        return managed
    surge, unavailable = state.spec.limits(sum(node.should_run for node in state.nodes))
    return _surge(state, surge) if surge else _replace(state, unavailable)


def _writes(create: list[str], delete: list[int]) -> DaemonWrites:
    return DaemonWrites(tuple(create[:BURST_REPLICAS]), tuple(delete[:BURST_REPLICAS]))


def _manage(state: DaemonSet) -> DaemonWrites:
    """daemon_controller.go:manage and podsShouldBeOnNode."""
    create: list[str] = []
    delete: list[int] = []
    surging = not state.spec.on_delete and state.spec.max_surge not in (0, "0%")
    for node in state.nodes:
        if len(node.pods) == 1 and node.should_continue and _is_settled(node.pods[0]):
            continue
        if node.should_run and not node.pods:
            create.append(node.name)
        elif node.should_continue:
            _manage_running(node, state.spec.template, create, delete, surging=surging)
        else:
            delete.extend(pod.name for pod in node.pods if not pod.terminating)
    return _writes(create, delete)


def _is_settled(pod: DaemonPod) -> bool:
    return not (pod.terminating or pod.failed)


def _manage_running(node: DaemonNode, revision: str, create: list[str], delete: list[int], *, surging: bool) -> None:
    living = [pod for pod in node.pods if not pod.terminating]
    delete.extend(pod.name for pod in living if pod.failed)
    running = sorted(pod for pod in living if not pod.failed)
    if not surging:
        # A terminating pod still holds its node: nothing is created beside it.
        delete.extend(pod.name for pod in running[1:])
    elif len(running) > 1:
        delete.extend(_surplus(running, revision))
    elif not running and node.should_run:
        create.append(node.name)


def _surplus(running: list[DaemonPod], revision: str) -> list[int]:
    """Of several pods on a node keep the oldest new one, and the oldest old one while it is needed."""
    new = [pod for pod in running if pod.revision == revision]
    old = [pod for pod in running if pod.revision != revision]
    surplus = [pod.name for pod in running if pod in new[1:] or pod in old[1:]]
    if new and old and (not old[0].ready or new[0].available):
        surplus.append(old[0].name)
    return surplus


def _pair(node: DaemonNode, revision: str) -> tuple[DaemonPod | None, DaemonPod | None] | None:
    """update.go:findUpdatedPodsOnNode: the (new, old) pod; None when there are several of a kind."""
    if len(node.pods) == 1 and not node.pods[0].terminating:
        only = node.pods[0]
        return (only, None) if only.revision == revision else (None, only)
    living = [pod for pod in node.pods if not pod.terminating]
    new = [pod for pod in living if pod.revision == revision]
    old = [pod for pod in living if pod.revision != revision]
    if len(new) > 1 or len(old) > 1:
        return None
    return (new[0] if new else None), (old[0] if old else None)


def _considered(state: DaemonSet) -> list[DaemonNode]:
    """Nodes that the update looks at: those that want a pod and those that have one."""
    return [node for node in state.nodes if node.should_run or node.pods]


def _replace(state: DaemonSet, max_unavailable: int) -> DaemonWrites:
    """update.go:rollingUpdate without surge: delete old pods, the next sync creates new ones."""
    unavailable = 0
    allowed: list[int] = []
    candidates: list[int] = []
    for node in _considered(state):
        pair = _pair(node, state.spec.template)
        new, old = pair or (None, None)
        if (new is None) == (old is None):
            unavailable += 1
        elif new is not None:
            unavailable += not new.available
        elif old is not None and not old.available:
            allowed.append(old.name)
            unavailable += 1
        elif old is not None and unavailable < max_unavailable:
            candidates.append(old.name)
    budget = max(0, max_unavailable - unavailable)
    return _writes([], [*allowed, *candidates[:budget]])


def _surge(state: DaemonSet, max_surge: int) -> DaemonWrites:
    """update.go:rollingUpdate with surge: create new pods beside old ones, delete these when the new are available."""
    walk = _SurgeWalk(max_surge)
    for node in _considered(state):
        walk.visit(node, _pair(node, state.spec.template))
    desired = sum(node.should_run for node in state.nodes)
    sunset = walk.sunset[: max(0, walk.available - desired)]
    created = [*walk.allowed, *walk.candidates[: max(0, max_surge - walk.surging)]]
    return _writes(created, [*walk.replaced, *sunset])


class _SurgeWalk:
    """What a walk over the nodes finds."""

    def __init__(self, max_surge: int) -> None:
        self.max_surge = max_surge
        self.surging = 0
        self.available = 0
        self.replaced: list[int] = []
        self.sunset: list[int] = []
        """Available old pods on nodes that no longer want one."""

        self.allowed: list[str] = []
        self.candidates: list[str] = []

    def visit(self, node: DaemonNode, pair: tuple[DaemonPod | None, DaemonPod | None] | None) -> None:
        """Look at one node."""
        if pair is None:
            self.surging += 1
            return
        new, old = pair
        served = old or new
        self.available += served is not None and served.available
        if old is None:
            return
        if new is None:
            self._old_only(node, old)
        elif new.available:
            self.replaced.append(old.name)
        else:
            self.surging += 1

    def _old_only(self, node: DaemonNode, old: DaemonPod) -> None:
        if not old.available and not node.should_run:
            self.replaced.append(old.name)
        elif not old.available:
            self.allowed.append(node.name)
        elif not node.should_run:
            self.sunset.append(old.name)
        elif self.surging < self.max_surge:
            self.candidates.append(node.name)
