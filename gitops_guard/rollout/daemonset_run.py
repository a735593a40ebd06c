"""A DaemonSet, its nodes and its pods together in virtual time."""

from collections.abc import Mapping, Sequence

from gitops_guard.rollout import daemonset
from gitops_guard.rollout.daemonset import DaemonNode, DaemonPod, DaemonSet, DaemonSetSpec
from gitops_guard.rollout.events import Happening
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.podset_run import LONG_AGO_MS, LivePod, PodSetRun


class DaemonSetRun(PodSetRun):
    """One trajectory of a DaemonSet on nodes that stay."""

    def __init__(
        self,
        before: DaemonSetSpec | None,
        nodes: Sequence[str],
        timing: Mapping[str, PodTiming],
        *,
        shares_node: bool = True,
    ) -> None:
        """Start at rest with `before` rolled out on all nodes, or without any pod.

        Args:
            before: The DaemonSet before the merge; None when the merge creates it.
            nodes: Names of the nodes that want a pod.
            timing: How long pods take, by revision.
            shares_node: Whether an old and a new pod fit on a node together: not with a host port.
        """
        super().__init__(before.template if before else "", before.min_ready_s if before else 0, timing, len(nodes))
        self.spec = before or DaemonSetSpec("")
        self.shares_node = shares_node
        self._next = 0
        self._on_node: dict[str, list[int]] = {node: [] for node in nodes}
        self._node_of: dict[int, str] = {}
        self._seen = {node: DaemonNode(node) for node in nodes}
        self._waiting: set[int] = set()
        if before is not None:
            for node in nodes:
                self._place(node, LivePod(self._name(), before.template, LONG_AGO_MS))

    def _name(self) -> int:
        self._next += 1
        return self._next

    def _place(self, node: str, pod: LivePod) -> None:
        self.pods[pod.name] = pod
        self._node_of[pod.name] = node
        self._on_node[node].append(pod.name)
        self.changed.add(pod.name)

    def edit(self, spec: DaemonSetSpec) -> None:
        """Change the DaemonSet, as a merge or a person does, and let the controller act."""
        self.spec = spec
        self.template = spec.template
        self.min_ready_ms = self._until_available_ms(spec.min_ready_s)
        self.completed_ms = None
        self.changed.update(self.pods)
        self.settle("the DaemonSet changed")

    def sync(self) -> bool:
        """Let the controller act once; returns whether it wrote anything."""
        self._look()
        writes = daemonset.sync(DaemonSet(self.spec, tuple(self._seen.values())))
        for name in writes.delete:
            self.delete(name)
        for node in writes.create:
            self._create_on(node)
        return bool(writes.create or writes.delete)

    def _create_on(self, node: str) -> None:
        name = self._name()
        self._node_of[name] = node
        neighbours = self._on_node[node]
        neighbours.append(name)
        if self.shares_node or len(neighbours) == 1:
            self.create(name, self.template)
        else:
            # Pending until the port is free, which a surging DaemonSet never brings about by itself.
            self.pods[name] = LivePod(name, self.template)
            self._waiting.add(name)
            self.changed.add(name)

    def end(self, name: int) -> Happening:
        """Remove a pod whose containers have ended; another may have waited for its port."""
        node = self._on_node[self._node_of[name]]
        node.remove(name)
        happening = super().end(name)
        if len(node) == 1 and node[0] in self._waiting:
            self._waiting.remove(node[0])
            # The port is free: the pod that waited for it starts.
            self._start(self.pods[node[0]])
        return happening

    def _look(self) -> None:
        """Refresh what the controller's cache shows of the nodes whose pods changed."""
        for node in {self._node_of[name] for name in self.changed}:
            self._seen[node] = DaemonNode(node, tuple(self._pod(self.pods[name]) for name in self._on_node[node]))
        for name in self.changed - self.pods.keys():
            del self._node_of[name]
        self.changed.clear()

    def _pod(self, pod: LivePod) -> DaemonPod:
        ready = pod.ready_since_ms is not None
        return DaemonPod(pod.name, pod.revision, ready, self.is_available(pod), pod.terminating)

    @property
    def complete(self) -> bool:
        """Whether every node has one pod, available and, unless OnDelete, of the new revision."""
        living = [pod for pod in self.pods.values() if not pod.terminating]
        return len(living) == len(self._on_node) and all(
            self.is_available(pod) and (self.spec.on_delete or pod.revision == self.template) for pod in living
        )
