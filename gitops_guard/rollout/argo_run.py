"""An Argo Rollout, its ReplicaSets and their pods together in virtual time."""

from collections.abc import Mapping
from typing import NamedTuple

from gitops_guard.model.rollout import Step
from gitops_guard.rollout import argo_rollout
from gitops_guard.rollout.argo_rollout import (
    Analysis,
    ArgoRollout,
    CreateSet,
    RolloutSet,
    RolloutSpec,
    RolloutStatus,
    ScaleSet,
    SetDeadline,
    Write,
)
from gitops_guard.rollout.events import NOTHING, EventQueue, Happening, tell
from gitops_guard.rollout.pods import UNLIMITED, PodPool, PodTiming
from gitops_guard.rollout.timeline import MAX_ROUNDS, MAX_STEPS, LivelockError, Moment, Timeline


class Outside(NamedTuple):
    """What people and analyses do, which the controller only waits for."""

    analysis_ms: int
    analysis_succeeds: bool = True
    promotes_after_ms: int | None = None
    """None: nobody resumes a pause that has no duration."""


class _Set:
    """One ReplicaSet: its object, and the pods that its controller keeps."""

    __slots__ = ("created", "deadline_ms", "desired", "pods", "spec")

    def __init__(self, created: int, pods: PodPool, spec: int, desired: int) -> None:
        self.desired = desired
        self.created = created
        self.pods = pods
        self.spec = spec
        self.deadline_ms: int | None = None


class ArgoRun:
    """One trajectory of a Rollout. Controllers act at once and see each other's writes."""

    def __init__(self, before: RolloutSpec | None, timing: Mapping[str, PodTiming], outside: Outside) -> None:
        """Start at rest with `before` promoted, or from nothing.

        Args:
            before: The Rollout before the merge; None when the merge creates it.
            timing: How long pods take, by name of template.
            outside: What the controller waits for.
        """
        self.queue = EventQueue()
        self.timing = timing
        self.outside = outside
        self.spec = before or RolloutSpec()
        self.status = RolloutStatus()
        self.moments: list[Moment] = []
        self.completed_ms: int | None = None
        self.capped = False
        self._sets: dict[str, _Set] = {}
        if before is not None:
            name = before.template
            self._sets[name] = _Set(
                1,
                PodPool(self.queue, timing[name], before.min_ready_s, before.replicas),
                before.replicas,
                before.replicas,
            )
            done = len(before.steps)
            self.status = RolloutStatus(name, name, before.steps, done, active=name if before.blue_green else "")

    def edit(self, spec: RolloutSpec) -> None:
        """Change the Rollout, as a merge or a person does, and let the controllers act."""
        self.spec = spec
        self.completed_ms = None
        self.settle("the Rollout changed")

    def abort(self) -> None:
        """Abort, as a person does, and let the controllers act."""
        self.status = self.status._replace(aborted=True, paused_since_ms=None, controller_pause=False)
        self.settle("aborted")

    def promote(self) -> None:
        """Resume a pause, as a person does, and let the controllers act."""
        self.status = self.status._replace(paused_since_ms=None)
        self.settle("promoted")

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
        waits = self.status.paused_since_ms is not None
        return Timeline(tuple(self.moments), self.completed_ms, self.capped, None, self._ending(), waits)

    def _ending(self) -> str:
        if self.status.aborted:
            return "aborted: the stable version serves, and the Rollout is degraded until somebody retries"
        if self.status.paused_since_ms is None:
            return ""
        if self.spec.blue_green:
            return "waits for somebody to promote the preview"
        return f"waits at step {self.status.step_index + 1} of {len(self.spec.steps)} for somebody to promote it"

    def settle(self, cause: str = "") -> None:
        """Let the controllers act until none has anything left to write, then record the moment.

        Raises:
            LivelockError: They do not come to rest.
        """
        for _ in range(MAX_ROUNDS):
            for one in self._sets.values():
                one.pods.follow(one.spec, UNLIMITED)
            state = ArgoRollout(self.spec, self.status, tuple(self._seen(name) for name in self._sets))
            writes = argo_rollout.sync(state, self.queue.now_ms)
            if not writes:
                break
            for write in writes:
                self._apply(write)
        else:
            raise LivelockError(f"no rest after {MAX_ROUNDS} rounds at {self.queue.now_ms} ms")
        if self.completed_ms is None and self.complete:
            self.completed_ms = self.queue.now_ms
        self._record(cause)

    @property
    def complete(self) -> bool:
        """Whether the version of the spec is stable and at full size."""
        one = self._sets.get(self.spec.template)
        promoted = self.status.stable == self.status.current == self.spec.template
        return promoted and one is not None and one.spec == one.pods.counts.available == self.spec.replicas

    def _seen(self, name: str) -> RolloutSet:
        one = self._sets[name]
        counts = one.pods.counts
        return RolloutSet(name, one.created, one.spec, *counts[::2], one.deadline_ms, one.desired)

    def _apply(self, write: Write) -> None:
        match write:
            case CreateSet():
                created = 1 + max((one.created for one in self._sets.values()), default=0)
                pods = PodPool(self.queue, self.timing[write.name], self.spec.min_ready_s)
                self._sets[write.name] = _Set(created, pods, 0, self.spec.replicas)
            case ScaleSet():
                self._resize(write)
            case SetDeadline():
                self._sets[write.name].deadline_ms = write.at_ms
                if write.at_ms is not None:
                    self._wake_at(write.at_ms)
            case RolloutStatus():
                before, self.status = self.status, write
                self._wait_for(before, write)

    def _resize(self, write: ScaleSet) -> None:
        one = self._sets[write.name]
        one.spec, one.desired = write.replicas, write.desired
        if not write.replicas and not self.status.aborted:
            one.deadline_ms = None

    def _wake_at(self, at_ms: int) -> None:
        self.queue.push(at_ms, lambda: NOTHING)

    def _wait_for(self, before: RolloutStatus, now: RolloutStatus) -> None:
        """Start what the controller waits for: the end of a pause, of an analysis."""
        if now.paused_since_ms is not None and before.paused_since_ms is None:
            self._end_pause(now)
        if now.analysis is Analysis.RUNNING and before.analysis is not Analysis.RUNNING:
            self._end_analysis("analysis", now.current)
        if now.background is Analysis.RUNNING and before.background is not Analysis.RUNNING:
            self._end_analysis("background", now.current)

    def _end_pause(self, status: RolloutStatus) -> None:
        since = self.queue.now_ms
        duration = self._pause_ms(status)
        if duration is not None:
            # metav1.Time has whole seconds and the controller asks for a time after it; a millisecond stands for that.
            self._wake_at(since + duration + 1)
        elif self.outside.promotes_after_ms is not None:
            self.queue.push(since + self.outside.promotes_after_ms, lambda: self._resume(since))

    def _pause_ms(self, status: RolloutStatus) -> int | None:
        if self.spec.blue_green:
            return self.spec.auto_promotion_ms if self.spec.auto_promotion and self.spec.auto_promotion_ms else None
        return self.spec.steps[status.step_index].duration_ms

    def _resume(self, since: int) -> Happening:
        if self.status.paused_since_ms != since:
            return NOTHING
        self.status = self.status._replace(paused_since_ms=None)
        return Happening("promoted by a person")

    def _end_analysis(self, which: str, version: str) -> None:
        def end() -> Happening:
            if self.status.current != version:
                return NOTHING
            result = Analysis.SUCCEEDED if self.outside.analysis_succeeds else Analysis.FAILED
            if which == "analysis":
                self.status = self.status._replace(analysis=result)
            else:
                self.status = self.status._replace(background=result)
            return Happening(f"an analysis {result.value}")

        self.queue.push(self.queue.now_ms + self.outside.analysis_ms, end)

    def _record(self, cause: str) -> None:
        old = new = ready = ready_new = available = terminating = 0
        for name, one in self._sets.items():
            counts = one.pods.counts
            if name == self.spec.template:
                new, ready_new = counts.replicas, counts.ready
            else:
                old += counts.replicas
            ready += counts.ready
            if not self.spec.blue_green or name == self.status.active:
                available += counts.available
            terminating += one.pods.terminating
        step = Step(
            t_s=self.queue.now_ms / 1000,
            old=old,
            new=new,
            ready=ready,
            available=available,
            terminating=terminating,
            cause=cause,
            traffic=self._traffic(available),
        )
        self.moments.append(Moment(step, tuple((name, one.spec) for name, one in self._sets.items()), ready_new))

    def _traffic(self, available: int) -> float:
        """Return the share of the traffic that reaches the new version."""
        if self.status.stable == self.spec.template:
            return 1.0
        if self.spec.blue_green:
            return float(self.status.active == self.spec.template)
        if self.spec.routed:
            return self.status.weight / self.spec.max_weight
        one = self._sets.get(self.spec.template)
        return round(one.pods.counts.available / available, 4) if one is not None and available else 0.0
