"""Workloads whose controller keeps single pods (StatefulSet, DaemonSet) in virtual time."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from gitops_guard.model.rollout import Step
from gitops_guard.rollout.events import NEVER, NOTHING, EventQueue, Happening, tell
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.timeline import MAX_ROUNDS, MAX_STEPS, LivelockError, Moment, Timeline

MAX_PODS = 1_000
"""Pods of one workload; beyond, a rollout one by one takes too long to simulate."""

LONG_AGO_MS = -1_000_000_000_000


class LivePod:
    """One pod from its creation to its end."""

    __slots__ = ("name", "ready_since_ms", "revision", "terminating")

    def __init__(self, name: int, revision: str, ready_since_ms: int | None = None) -> None:
        self.name = name
        self.revision = revision
        self.ready_since_ms = ready_since_ms
        self.terminating = False


class PodSetRun(ABC):
    """The clock, the pods and the record; what the controller does with them is the subclass's.

    The controller acts at once and sees its own writes: expectations and, since v1.36, StaleControllerConsistency.
    """

    def __init__(self, template: str, min_ready_s: int, timing: Mapping[str, PodTiming], pods: int) -> None:
        """Start without pods.

        Args:
            template: The new revision, by name.
            min_ready_s: spec.minReadySeconds.
            timing: How long pods take, by revision.
            pods: The most that it keeps.

        Raises:
            ValueError: There are too many pods.
        """
        self.limit_pods(pods)
        self.queue = EventQueue()
        self.template = template
        self.timing = timing
        self.min_ready_ms = self._until_available_ms(min_ready_s)
        self.pods: dict[int, LivePod] = {}
        self.changed: set[int] = set()
        """Pods that the controller has not looked at since they changed, by name."""

        self.moments: list[Moment] = []
        self.completed_ms: int | None = None
        self.capped = False

    @staticmethod
    def limit_pods(pods: int) -> None:
        """Refuse what would take too long.

        Raises:
            ValueError: There are too many pods.
        """
        if pods > MAX_PODS:
            raise ValueError(f"cannot simulate {pods} pods one by one: the limit is {MAX_PODS}")

    def _until_available_ms(self, min_ready_s: int) -> int:
        timing = self.timing.get(self.template)
        return min_ready_s * 1000 if timing is None else timing.until_available_ms(min_ready_s)

    @abstractmethod
    def sync(self) -> bool:
        """Let the controller act once; returns whether it wrote anything."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether everything is as the object asks for."""

    def settle(self, cause: str = "") -> None:
        """Let the controller act until it has nothing left to write, then record the moment.

        Raises:
            LivelockError: It does not come to rest.
        """
        for _ in range(MAX_ROUNDS):
            if not self.sync():
                break
        else:
            raise LivelockError(f"no rest after {MAX_ROUNDS} rounds at {self.queue.now_ms} ms")
        if self.completed_ms is None and self.complete:
            self.completed_ms = self.queue.now_ms
        serving = [pod for pod in self.pods.values() if pod.ready_since_ms is not None and not pod.terminating]
        ready_new = sum(pod.revision == self.template for pod in serving)
        self.moments.append(Moment(self._step(cause), (), ready_new))

    def advance(self) -> bool:
        """Go on to the next moment; returns whether there was one."""
        if not len(self.queue):
            return False
        self.settle(tell([action() for action in self.queue.pop().actions]))
        return True

    def run(self) -> Timeline:
        """Go on until nothing can change any more."""
        while self.advance():
            if len(self.moments) >= MAX_STEPS:
                self.capped = True
                break
        return Timeline(tuple(self.moments), self.completed_ms, self.capped)

    # Pods

    def is_available(self, pod: LivePod) -> bool:
        """Whether a pod has been ready for minReadySeconds: podutil.IsPodAvailable."""
        since = pod.ready_since_ms
        return since is not None and since + self.min_ready_ms <= self.queue.now_ms

    def create(self, name: int, revision: str) -> None:
        """Create a pod; it becomes ready by itself, if it ever does."""
        pod = LivePod(name, revision)
        self.pods[name] = pod
        self.changed.add(name)
        self._start(pod)

    def _start(self, pod: LivePod) -> None:
        ready_ms = self.timing[pod.revision].ready_ms
        if ready_ms < NEVER:
            self.queue.push(self.queue.now_ms + ready_ms, lambda: self.become_ready(pod))

    def become_ready(self, pod: LivePod) -> Happening:
        """Make a pod ready now, unless it is going."""
        if pod.terminating or pod.ready_since_ms is not None:
            return NOTHING
        pod.ready_since_ms = self.queue.now_ms
        self.changed.add(pod.name)
        if self.min_ready_ms:
            self.queue.push(self.queue.now_ms + self.min_ready_ms, lambda: self._become_available(pod))
        return Happening("became ready", 1)

    def _become_available(self, pod: LivePod) -> Happening:
        self.changed.add(pod.name)
        return NOTHING if pod.terminating else Happening("became available", 1)

    def break_pod(self, name: int) -> None:
        """Make a pod unready for good."""
        self.pods[name].ready_since_ms = None
        self.changed.add(name)

    def delete(self, name: int) -> None:
        """Delete a pod; it goes when its containers have ended."""
        pod = self.pods[name]
        pod.terminating = True
        self.changed.add(name)
        self.queue.push(self.queue.now_ms + self.timing[pod.revision].gone_ms, lambda: self.end(name))

    def end(self, name: int) -> Happening:
        """Remove a pod whose containers have ended."""
        del self.pods[name]
        self.changed.add(name)
        return Happening("ended", 1)

    def _step(self, cause: str) -> Step:
        """Count the pods; a terminating pod is no longer served even while its condition still says Ready."""
        living = [pod for pod in self.pods.values() if not pod.terminating]
        new = sum(pod.revision == self.template for pod in living)
        return Step(
            t_s=self.queue.now_ms / 1000,
            old=len(living) - new,
            new=new,
            ready=sum(pod.ready_since_ms is not None for pod in living),
            available=sum(self.is_available(pod) for pod in living),
            terminating=len(self.pods) - len(living),
            cause=cause,
        )
