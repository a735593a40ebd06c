"""The StatefulSet controller: one sync as a pure function from what its cache shows to what it writes.

Rules from kubernetes v1.36.3, pkg/controller/statefulset/stateful_set_control.go; the model knows what versions change.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from gitops_guard.rollout.budget import IntOrPercent, scaled
from gitops_guard.rollout.versions import KubernetesModel


class UpdateStrategy(StrEnum):
    """spec.updateStrategy.type."""

    ROLLING = "RollingUpdate"
    ON_DELETE = "OnDelete"
    RECREATE = "Recreate"


class StatefulSetSpec(NamedTuple):
    """The fields of a StatefulSet that its controller reads, with the API's defaults filled in."""

    replicas: int = 1
    template: str = "new"
    """Names the revision: equal templates have equal names."""

    parallel: bool = False
    """podManagementPolicy Parallel rather than OrderedReady."""

    strategy: UpdateStrategy = UpdateStrategy.ROLLING
    partition: int = 0
    max_unavailable: IntOrPercent = 1
    min_ready_s: int = 0
    start: int = 0
    """spec.ordinals.start."""

    @property
    def unavailable(self) -> int:
        """Return how many pods an update with the gate may miss: stateful_set_utils.go:getStatefulSetMaxUnavailable."""
        return max(1, scaled(self.max_unavailable, self.replicas, round_up=False))


class StatefulPod(NamedTuple):
    """One pod as the controller's cache shows it."""

    ordinal: int
    revision: str
    running: bool = True
    """Phase Running."""

    ready: bool = True
    available: bool = True
    """Ready for at least minReadySeconds."""

    terminating: bool = False
    ended: bool = False
    """Phase Failed or Succeeded."""

    created: bool = True
    """Whether it exists; False only for one that this sync is about to create."""

    @property
    def unavailable(self) -> bool:
        """stateful_set_utils.go:isUnavailable."""
        return self.terminating or not self.available


class StatefulSet(NamedTuple):
    """What one sync sees."""

    spec: StatefulSetSpec
    current: str
    """status.currentRevision."""

    pods: tuple[StatefulPod, ...]


class CreatePod(NamedTuple):
    """A pod of a revision."""

    ordinal: int
    revision: str


class DeletePod(NamedTuple):
    """A pod goes, by ordinal."""

    ordinal: int


class SetCurrent(NamedTuple):
    """The rolling update is complete: the new revision is the current one."""

    revision: str


Write: TypeAlias = CreatePod | DeletePod | SetCurrent


def sync(state: StatefulSet, model: KubernetesModel) -> tuple[Write, ...]:
    """Return what one work-queue item writes: stateful_set_control.go:updateStatefulSet."""
    work = _Sync(state, model)
    if work.recreating() or work.fill() or work.shrink():
        return work.finish()
    if state.spec.strategy is UpdateStrategy.ROLLING:
        work.update()
    return work.finish()


def replacements(state: StatefulSet, model: KubernetesModel) -> tuple[Write, ...]:
    """Return what the update phase alone deletes, as if everything before it were settled."""
    work = _Sync(state, model)
    work.update()
    return tuple(work.writes)


class _Sync:
    """The scratch pad of one sync."""

    def __init__(self, state: StatefulSet, model: KubernetesModel) -> None:
        self.spec = state.spec
        self.state = state
        self.model = model
        self.ordered = not state.spec.parallel
        self.writes: list[Write] = []
        end = state.spec.start + state.spec.replicas
        by_ordinal = {pod.ordinal: pod for pod in state.pods}
        self.replicas = [by_ordinal.get(ordinal) or self._missing(ordinal) for ordinal in range(state.spec.start, end)]
        outside = (pod for pod in state.pods if not state.spec.start <= pod.ordinal < end)
        self.condemned = sorted(outside, key=lambda pod: -pod.ordinal)

    def _missing(self, ordinal: int) -> StatefulPod:
        """stateful_set_utils.go:newVersionedStatefulSetPod."""
        spec = self.spec
        keeps_current = spec.strategy is UpdateStrategy.ROLLING and ordinal < spec.start + spec.partition
        revision = self.state.current if keeps_current else spec.template
        return StatefulPod(ordinal, revision, running=False, ready=False, available=False, created=False)

    def _delete(self, pods: Iterable[StatefulPod]) -> None:
        self.writes.extend(DeletePod(pod.ordinal) for pod in pods)

    def recreating(self) -> bool:
        """stateful_set_control.go:recreateDeleteAndWait (v1.37.0): no new pod before the last old one is gone."""
        if self.spec.strategy is not UpdateStrategy.RECREATE:
            return False
        if not self.model.statefulset_recreate:
            return True
        pods = [*self.replicas, *self.condemned]
        old = [pod for pod in pods if pod.created and pod.revision != self.spec.template]
        self._delete(pod for pod in old if not pod.terminating)
        return bool(old)

    def fill(self) -> bool:
        """stateful_set_control.go:processReplica for every ordinal; returns whether the sync ends here."""
        for pod in self.replicas:
            if pod.available and not pod.terminating and pod.running and not pod.ended:
                continue
            if pod.ended and not pod.terminating:
                self._delete([pod])
            elif not pod.created:
                self.writes.append(CreatePod(pod.ordinal, pod.revision))
            if self.ordered:
                return True
        return False

    def shrink(self) -> bool:
        """stateful_set_control.go:processCondemned, highest ordinal first; returns whether the sync ends here."""
        for pod in self.condemned:
            blocked = pod.terminating or (not pod.available and pod is not self._first_unhealthy())
            if self.ordered and blocked:
                return True
            if not pod.terminating:
                self._delete([pod])
                if self.ordered:
                    return True
        return False

    def _first_unhealthy(self) -> StatefulPod | None:
        return next((pod for pod in (*self.replicas, *reversed(self.condemned)) if pod.unavailable), None)

    def update(self) -> None:
        """The second half of updateStatefulSet: replace pods of other revisions, highest ordinal first."""
        if not self.model.statefulset_max_unavailable:
            self._update_one()
        elif self.model.statefulset_replaces_broken_pods and self.spec.parallel:
            self._update_window_and_broken()
        else:
            self._update_window(self.spec.unavailable - self._unavailable())

    def _targets(self) -> list[StatefulPod]:
        return self.replicas[self.spec.partition :][::-1]

    def _unavailable(self) -> int:
        """Every ordinal counts, also those below the partition."""
        return sum(pod.unavailable for pod in self.replicas)

    def _is_stale(self, pod: StatefulPod) -> bool:
        return pod.revision != self.spec.template and not pod.terminating

    def _update_one(self) -> None:
        """Without the gate: one pod at a time, and none while the pod above is not back."""
        for pod in self._targets():
            if self._is_stale(pod):
                self._delete([pod])
                return
            waits = pod.unavailable if self.model.statefulset_waits_for_availability else not _is_healthy(pod)
            if waits:
                return

    def _update_window(self, budget: int) -> None:
        """stateful_set_control.go:updateStatefulSetAfterInvariantEstablished before v1.37, and OrderedReady since."""
        stale = [pod for pod in self._targets() if self._is_stale(pod)]
        self._delete(stale[: max(0, budget)])

    def _update_window_and_broken(self) -> None:
        """The same since v1.37.0 for Parallel: broken old pods first, whatever the budget, then good ones within it."""
        stale = [pod for pod in self._targets() if self._is_stale(pod)]
        budget = max(0, self.spec.unavailable - self._unavailable())
        self._delete(pod for pod in stale if not pod.available)
        self._delete([pod for pod in stale if pod.available][:budget])

    def finish(self) -> tuple[Write, ...]:
        """stateful_set_utils.go:completeRollingUpdate, with counts from before this sync's writes."""
        if self.writes or self.state.current == self.spec.template:
            return tuple(self.writes)
        created = [pod for pod in (*self.replicas, *self.condemned) if pod.created]
        updated = sum(pod.revision == self.spec.template and not pod.terminating for pod in created)
        ready = sum(pod.running and pod.ready for pod in created)
        done = updated == ready == len(created) == self.spec.replicas
        counts = self.spec.strategy is UpdateStrategy.ROLLING or self.model.statefulset_completes_any_strategy
        if done and counts:
            self.writes.append(SetCurrent(self.spec.template))
        return tuple(self.writes)


def _is_healthy(pod: StatefulPod) -> bool:
    """stateful_set_utils.go:isHealthy of v1.33."""
    return pod.running and pod.ready and not pod.terminating
