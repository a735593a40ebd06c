"""A StatefulSet and its pods together in virtual time."""

from collections.abc import Mapping

from gitops_guard.rollout import statefulset
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.podset_run import LONG_AGO_MS, LivePod, PodSetRun
from gitops_guard.rollout.statefulset import (
    CreatePod,
    DeletePod,
    SetCurrent,
    StatefulPod,
    StatefulSet,
    StatefulSetSpec,
    UpdateStrategy,
)
from gitops_guard.rollout.versions import KubernetesModel


class StatefulSetRun(PodSetRun):
    """One trajectory of a StatefulSet; pods are named by ordinal."""

    def __init__(
        self,
        before: StatefulSetSpec | None,
        timing: Mapping[str, PodTiming],
        model: KubernetesModel,
    ) -> None:
        """Start at rest with `before` rolled out, or without any pod."""
        super().__init__(
            before.template if before else "",
            before.min_ready_s if before else 0,
            timing,
            before.replicas if before else 0,
        )
        self.spec = before or StatefulSetSpec(0, "")
        self.current = self.spec.template
        self.model = model
        self._seen: dict[int, StatefulPod] = {}
        for ordinal in range(self.spec.start, self.spec.start + self.spec.replicas):
            self.pods[ordinal] = LivePod(ordinal, self.spec.template, LONG_AGO_MS)
            self.changed.add(ordinal)

    def edit(self, spec: StatefulSetSpec) -> None:
        """Change the StatefulSet, as a merge or a person does, and let the controller act."""
        self.limit_pods(spec.replicas)
        self.spec = spec
        self.template = spec.template
        self.min_ready_ms = self._until_available_ms(spec.min_ready_s)
        self.current = self.current or spec.template
        self.completed_ms = None
        self.changed.update(self.pods)
        self.settle("the StatefulSet changed")

    def sync(self) -> bool:
        """Let the controller act once; returns whether it wrote anything."""
        self._look()
        pods = tuple(self._seen.values())
        writes = statefulset.sync(StatefulSet(self.spec, self.current, pods), self.model)
        for write in writes:
            match write:
                case CreatePod():
                    self.create(write.ordinal, write.revision)
                case DeletePod():
                    self.delete(write.ordinal)
                case SetCurrent():
                    self.current = write.revision
        return bool(writes)

    def _look(self) -> None:
        """Refresh what the controller's cache shows of the pods that changed."""
        for name in self.changed:
            if name in self.pods:
                self._seen[name] = self._view(self.pods[name])
            else:
                self._seen.pop(name, None)
        self.changed.clear()

    def _view(self, pod: LivePod) -> StatefulPod:
        ready = pod.ready_since_ms is not None
        running = ready or self.timing[pod.revision].starts
        return StatefulPod(pod.name, pod.revision, running, ready, self.is_available(pod), pod.terminating)

    @property
    def complete(self) -> bool:
        """Whether as many pods as wanted are available, those that roll all of the new revision."""
        rolls = self.spec.strategy is not UpdateStrategy.ON_DELETE
        first = self.spec.start + (self.spec.partition if rolls else self.spec.replicas)
        return len(self.pods) == self.spec.replicas and all(
            self.is_available(pod) and not pod.terminating and (pod.name < first or pod.revision == self.template)
            for pod in self.pods.values()
        )

    @property
    def blocking(self) -> int | None:
        """The lowest ordinal that is not available, which OrderedReady waits for; None when all are."""
        wanted = range(self.spec.start, self.spec.start + self.spec.replicas)
        return next((o for o in wanted if o not in self.pods or not self.is_available(self.pods[o])), None)
