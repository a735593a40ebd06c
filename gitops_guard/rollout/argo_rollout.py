"""The Argo Rollouts controller: one reconcile as a pure function from what its cache shows to what it writes.

Rules from argo-rollouts v1.9.0, rollout/: canary.go, bluegreen.go, trafficrouting.go, replicaset.go, sync.go, pause.go.
Left out: step plugins, header and mirror routes (they move no pods), ping-pong, restartAt, rollbackWindow, workloadRef.
"""

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from gitops_guard.rollout.argo_counts import CountedSet, basic_counts, weight_to_replicas, weighted_counts
from gitops_guard.rollout.budget import Budget, IntOrPercent, rolling_budget


class StepKind(StrEnum):
    """What a canary step does."""

    SET_WEIGHT = "setWeight"
    SET_SCALE = "setCanaryScale"
    PAUSE = "pause"
    ANALYSIS = "analysis"
    OTHER = "other"
    """Moves neither pods nor weight: it is complete at once."""


class CanaryStep(NamedTuple):
    """One step of a canary."""

    kind: StepKind
    weight: int | None = None
    """Of setWeight, or of setCanaryScale by weight."""

    replicas: int | None = None
    """Of setCanaryScale by number."""

    matches_traffic: bool = False
    """setCanaryScale.matchTrafficWeight."""

    duration_ms: int | None = None
    """Of a pause; None waits for a person."""


class RolloutSpec(NamedTuple):
    """The fields of a Rollout that its controller reads, with the defaults filled in."""

    replicas: int = 1
    template: str = "new"
    blue_green: bool = False
    paused: bool = False
    min_ready_s: int = 0
    steps: tuple[CanaryStep, ...] = ()
    routed: bool = False
    """Whether a traffic router sets weights."""

    max_surge: IntOrPercent = "25%"
    max_unavailable: IntOrPercent = "25%"
    max_weight: int = 100
    dynamic_stable: bool = False
    min_pods: int = 0
    """minPodsPerReplicaSet."""

    background_analysis_from: int | None = None
    """Step from which an analysis runs beside the rollout; None for none."""

    scale_down_delay_ms: int = 30_000
    scale_down_limit: int = 1 << 31
    """scaleDownDelayRevisionLimit: so many replaced sets are kept at most."""

    abort_scale_down_delay_ms: int | None = 30_000
    """None: never scale down on abort."""

    abort_delay_given: bool = False
    auto_promotion: bool = True
    auto_promotion_ms: int = 0
    preview_replicas: int | None = None
    pre_promotion_analysis: bool = False
    post_promotion_analysis: bool = False
    scale_down_delay_given: bool = False

    @property
    def budget(self) -> Budget:
        """Return surge and unavailability of a canary in pods: MaxSurge, MaxUnavailable."""
        return rolling_budget(self.max_surge, self.max_unavailable, self.replicas)


class Analysis(StrEnum):
    """Where the analysis of the moment stands."""

    NONE = ""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RolloutStatus(NamedTuple):
    """The stored status."""

    stable: str = ""
    """Template of the stable ReplicaSet; empty before the first rollout is complete."""

    current: str = ""
    """Template that the status was made for: currentPodHash."""

    steps: tuple[CanaryStep, ...] = ()
    """Steps that the status was made for: currentStepHash."""

    step_index: int = 0
    paused_since_ms: int | None = None
    """Start of the pause condition."""

    controller_pause: bool = False
    """The controller paused; without a pause condition a person has resumed."""

    aborted: bool = False
    weight: int = 0
    """Traffic of the canary, as the router has it."""

    analysis: Analysis = Analysis.NONE
    """Of the current step, or before promotion."""

    background: Analysis = Analysis.NONE
    """Beside a canary, or after the promotion of a blue-green."""

    active: str = ""
    """Template that the active Service selects."""

    checkpoint: bool = False
    """scaleUpPreviewCheckPoint."""


class RolloutSet(NamedTuple):
    """One ReplicaSet as the controller's cache shows it."""

    name: str
    created: int
    """Rank by creation and revision, the oldest lowest."""

    spec: int
    replicas: int = 0
    available: int = 0
    deadline_ms: int | None = None
    """Annotation scale-down-deadline."""

    desired: int | None = None
    """Annotation desired-replicas; None when absent."""

    @property
    def counted(self) -> CountedSet:
        """Return what the arithmetic needs."""
        return CountedSet(self.spec, self.available)


class ArgoRollout(NamedTuple):
    """What one reconcile sees."""

    spec: RolloutSpec
    status: RolloutStatus
    sets: tuple[RolloutSet, ...]


class CreateSet(NamedTuple):
    """A new, empty ReplicaSet named after the template."""

    name: str


class ScaleSet(NamedTuple):
    """New spec.replicas of a ReplicaSet, and the annotation desired-replicas."""

    name: str
    replicas: int
    desired: int


class SetDeadline(NamedTuple):
    """A ReplicaSet is to be scaled down at a time, or no longer (None)."""

    name: str
    at_ms: int | None


Write: TypeAlias = CreateSet | ScaleSet | SetDeadline | RolloutStatus


def sync(state: ArgoRollout, now_ms: int) -> tuple[Write, ...]:
    """Return what one reconcile writes."""
    work = _Sync(state, now_ms)
    work.find_new()
    if work.is_scaling_event():
        _resize(work)
    elif work.changed:
        work.reset()
    elif state.spec.blue_green:
        _blue_green(work)
    else:
        _canary(work)
    work.write_status()
    return tuple(work.writes)


def _resize(work: "_Sync") -> None:
    """sync.go:syncReplicasOnly: sizes alone, before anything else."""
    if work.spec.blue_green:
        _resize_blue_green(work)
    elif not work.spec.paused and not work.scale_stable() and not work.scale_new():
        work.scale_others()


def _resize_blue_green(work: "_Sync") -> None:
    """bluegreen.go:reconcileBlueGreenReplicaSets."""
    work.drop_deadlines()
    work.scale_stable()
    work.scale_new()
    work.scale_others()


def _canary(work: "_Sync") -> None:
    """canary.go:rolloutCanary."""
    if work.spec.routed:
        work.route()
    work.analyse_canary()
    if not work.spec.paused:
        scaled = work.scale_stable() or work.scale_new() or work.scale_others()
        if not scaled:
            work.pause_step()
    work.finish_canary()


def _blue_green(work: "_Sync") -> None:
    """bluegreen.go:rolloutBlueGreen."""
    _resize_blue_green(work)
    work.pause_blue_green()
    work.switch_active()
    work.analyse_blue_green()
    work.finish_blue_green()


class _Sync:
    """The scratch pad of one reconcile: `status` is the one being written, `stored` the one read."""

    def __init__(self, state: ArgoRollout, now_ms: int) -> None:
        self.spec = state.spec
        self.stored = state.status
        self.status = state.status
        self.now_ms = now_ms
        self.sets = {one.name: one for one in sorted(state.sets, key=lambda one: one.created)}
        self.read = self.sets
        self.added_pause = False
        self.writes: list[Write] = []

    # The sets

    # The controller's own writes do not reach the objects it goes on with (controller.go:updateReplicaSet): decisions
    # later in the same reconcile rest on what was read. So a step may count as done that is not: a real one did so.

    @property
    def new(self) -> RolloutSet:
        """The set of the current template, as read."""
        return self.read[self.spec.template]

    @property
    def stable(self) -> RolloutSet | None:
        """The stable set, unless it is the new one: CheckStableRSExists."""
        return None if self.stored.stable == self.spec.template else self.read.get(self.stored.stable)

    @property
    def others(self) -> list[RolloutSet]:
        """Sets that are neither, newest first."""
        ours = (self.spec.template, self.stored.stable)
        return [one for one in reversed(self.read.values()) if one.name not in ours]

    def find_new(self) -> None:
        """sync.go:getAllReplicaSetsAndSyncRevision; a created set is empty at first."""
        if self.spec.template not in self.sets:
            created = 1 + max((one.created for one in self.sets.values()), default=0)
            self.writes.append(CreateSet(self.spec.template))
            self.sets[self.spec.template] = RolloutSet(self.spec.template, created, 0)
        self.read = dict(self.sets)

    def scale(self, one: RolloutSet, replicas: int) -> bool:
        """Write size and annotation if they differ; returns whether the size did. An empty set needs no deadline."""
        one = self.sets[one.name]
        if (one.spec, one.desired) == (replicas, self.spec.replicas):
            return False
        self.writes.append(ScaleSet(one.name, replicas, self.spec.replicas))
        deadline = one.deadline_ms if replicas or self._delays_abort() else None
        self.sets[one.name] = one._replace(spec=replicas, desired=self.spec.replicas, deadline_ms=deadline)
        return one.spec != replicas

    def set_deadline(self, one: RolloutSet, at_ms: int | None) -> None:
        """Write a scale-down deadline if it differs."""
        if one.deadline_ms != at_ms:
            self.writes.append(SetDeadline(one.name, at_ms))
            self.sets[one.name] = self.sets[one.name]._replace(deadline_ms=at_ms)

    def is_scaling_event(self) -> bool:
        """sync.go:isScalingEvent: only the new and the stable set are looked at."""
        ours = [self.read.get(name) for name in (self.spec.template, self.stored.stable)]
        return any(one and one.spec and one.desired not in (None, self.spec.replicas) for one in ours)

    # A change of the template or of the steps

    @property
    def changed(self) -> bool:
        """PodTemplateOrStepsChanged."""
        return self.stored.current != self.spec.template or self.stored.steps != self.spec.steps

    def reset(self) -> None:
        """sync.go:resetRolloutStatus; a return to the stable template skips the steps."""
        back = self.stored.stable in ("", self.spec.template)
        self.status = self.stored._replace(
            current=self.spec.template,
            steps=self.spec.steps,
            step_index=len(self.spec.steps) if back else 0,
            paused_since_ms=None,
            controller_pause=False,
            aborted=False,
            analysis=Analysis.NONE,
            background=Analysis.NONE,
            checkpoint=False,
        )

    def write_status(self) -> None:
        """Write the status if it differs."""
        if self.status != self.stored:
            self.writes.append(self.status)

    # Weights of a canary

    @property
    def promoted(self) -> bool:
        """The stable version is the current one: steps no longer count."""
        return self.stored.stable in ("", self.stored.current)

    @property
    def step(self) -> CanaryStep | None:
        """The current step; None after the last."""
        return self.spec.steps[self.stored.step_index] if self.stored.step_index < len(self.spec.steps) else None

    def weight(self) -> int:
        """canary.go:GetDesiredCanaryWeight: what the steps so far ask for."""
        if self.promoted:
            return self.spec.max_weight
        if self.stored.aborted:
            return self._weight_on_abort() if self.spec.dynamic_stable else 0
        if self.step is None:
            return self.spec.max_weight
        return self._weight_before(self.stored.step_index + 1)

    def _weight_before(self, index: int) -> int:
        weights = [step.weight for step in self.spec.steps[:index] if step.kind is StepKind.SET_WEIGHT]
        return weights[-1] or 0 if weights else 0

    def _weight_on_abort(self) -> int:
        """Walk back through the weights as the stable set comes up again."""
        stable = self.stable
        have = max(self.spec.replicas - (stable.available if stable else 0), self.new.available)
        for step in reversed(self.spec.steps):
            weight = step.weight or 0
            is_lower = weight_to_replicas(self.spec.replicas, weight, self.spec.max_weight) < have
            if step.kind is StepKind.SET_WEIGHT and is_lower:
                return weight
        return 0

    def counts(self, traffic: int | None) -> tuple[int, int]:
        """Return how many pods canary and stable should have now; `traffic` is the router's weight, if it counts."""
        if self.spec.routed:
            return self._routed_counts(traffic)
        spec = self.spec
        wanted = weighted_counts(spec.replicas, self.weight(), spec.max_weight, spec.budget.surge)
        stable = self.stable
        others = [other.counted for other in self.others]
        return basic_counts(spec.replicas, spec.budget, wanted, self.new.counted, stable and stable.counted, others)

    def _routed_counts(self, traffic: int | None) -> tuple[int, int]:
        """canary.go:CalculateReplicaCountsForTrafficRoutedCanary."""
        spec, weight = self.spec, self.weight()
        scale = self._canary_scale()
        if scale is not None and scale.replicas is not None:
            canary, weight = scale.replicas, 0
        else:
            weight = scale.weight if scale is not None and scale.weight is not None else weight
            canary = self._at_least_min(weight_to_replicas(spec.replicas, weight, spec.max_weight))
        if not spec.dynamic_stable:
            return canary, spec.replicas
        stable = weight_to_replicas(spec.replicas, spec.max_weight - weight, spec.max_weight)
        if traffic is not None:
            stable = max(stable, weight_to_replicas(spec.replicas, spec.max_weight - traffic, spec.max_weight))
            if self.stored.aborted:
                canary = max(canary, weight_to_replicas(spec.replicas, traffic, spec.max_weight))
        return self._at_least_min(canary), self._at_least_min(stable)

    def _at_least_min(self, count: int) -> int:
        return max(count, self.spec.min_pods) if count else 0

    def _canary_scale(self) -> CanaryStep | None:
        """canary.go:UseSetCanaryScale: the last setCanaryScale so far."""
        aborted = self.stored.aborted and self.spec.abort_scale_down_delay_ms is not None
        if self.promoted or aborted or self.step is None:
            return None
        scales = [step for step in self.spec.steps[: self.stored.step_index + 1] if step.kind is StepKind.SET_SCALE]
        return scales[-1] if scales and not scales[-1].matches_traffic else None

    def at_counts(self, traffic: int | None) -> bool:
        """canary.go:AtDesiredReplicaCountsForCanary."""
        canary, stable = self.counts(traffic)
        if not self.new.spec == self.new.available == canary:
            return False
        old = self.stable
        if not (self.spec.routed and self.spec.dynamic_stable) and (
            old is None or not old.spec == old.replicas == stable
        ):
            return False
        return self.spec.routed or not any(other.available for other in self.others)

    def route(self) -> None:
        """trafficrouting.go:reconcileTrafficRouting; a weight is set only when the stable set can carry the rest."""
        weight = self._routed_weight()
        stable = self.read.get(self.stored.stable)
        rest = (self.spec.max_weight - weight) * self.spec.replicas // self.spec.max_weight
        if stable is not None and stable.available >= rest:
            self.status = self.status._replace(weight=weight)

    def _routed_weight(self) -> int:
        if self.promoted:
            return 0
        if self.stored.aborted:
            return self._weight_of_abort()
        if self.new.available == 0 or not self.spec.steps:
            return 0
        if not self.at_counts(None):
            return self._weight_before(self.stored.step_index)
        return self.spec.max_weight if self.step is None else self._weight_before(self.stored.step_index + 1)

    def _weight_of_abort(self) -> int:
        """As trafficrouting.go:calculateDesiredWeightOnAbortOrStableRollback."""
        stable = self.stable
        if not self.spec.dynamic_stable or stable is None or not self.spec.replicas:
            return 0
        carried = self.spec.max_weight * stable.available // self.spec.replicas
        return min(max(0, self.spec.max_weight - carried), self.stored.weight)

    # Sizes

    def drop_deadlines(self) -> None:
        """replicaset.go:removeScaleDownDeadlines: new and stable set are wanted."""
        if not self._delays_abort():
            self.set_deadline(self.new, None)
        if self.stable is not None:
            self.set_deadline(self.stable, None)

    def scale_stable(self) -> bool:
        """reconcileCanaryStableReplicaSet, reconcileBlueGreenStableReplicaSet."""
        if self.spec.blue_green:
            stable = self.read.get(self.stored.stable)
            return stable is not None and self.scale(stable, self.spec.replicas)
        self.drop_deadlines()
        return self.stable is not None and self.scale(self.stable, self.counts(self.stored.weight)[1])

    def _delays_abort(self) -> bool:
        """replicaset.go:shouldDelayScaleDownOnAbort."""
        spec = self.spec
        if not self.status.aborted or self.stable is None or (not spec.blue_green and not spec.routed):
            return False
        if spec.abort_scale_down_delay_ms is None:
            return False
        return not spec.dynamic_stable or spec.abort_delay_given

    def scale_new(self) -> bool:
        """replicaset.go:reconcileNewReplicaSet."""
        replicas = self._preview_count() if self.spec.blue_green else self.counts(self.status.weight)[0]
        if self._delays_abort():
            deadline = self.new.deadline_ms
            if deadline is None or deadline > self.now_ms:
                self._delay_abort(deadline)
                return False
            replicas = 0
        return self.scale(self.new, replicas)

    def _delay_abort(self, deadline: int | None) -> None:
        stable, delay = self.stable, self.spec.abort_scale_down_delay_ms
        if deadline is None and delay is not None and stable is not None and stable.available == self.spec.replicas:
            self.set_deadline(self.new, self.now_ms + delay)

    def _preview_count(self) -> int:
        """utils/replicaset/replicaset.go:NewRSNewReplicas, the half for blue-green."""
        preview = self.spec.preview_replicas
        if preview is None or self.stored.active in ("", self.spec.template):
            return self.spec.replicas
        passed = self.stored.checkpoint and self.stored.paused_since_ms is None and not self.spec.paused
        return self.spec.replicas if passed else preview

    def scale_others(self) -> bool:
        """replicaset.go:reconcileOtherReplicaSets."""
        others = [other for other in self.others if other.spec]
        if self.spec.blue_green:
            return self._retire_delayed([other for other in others if other.name != self.stored.active])
        cleaned = self._scale_all({other: other.available for other in others if other.available < other.spec})
        others = [self.sets[other.name] for other in others if self.sets[other.name].spec]
        room = sum(one.available for one in self.sets.values()) - self.spec.replicas + self.spec.budget.unavailable
        if room <= 0:
            return cleaned
        if self.spec.routed:
            return self._retire_routed(others) or cleaned
        return self._retire_within(others, room) or cleaned

    def _retire_within(self, others: list[RolloutSet], room: int) -> bool:
        scaled = False
        for other in others:
            number = min(other.spec, room)
            scaled = (number > 0 and self.scale(other, other.spec - number)) or scaled
            room -= number
        return scaled

    def _retire_routed(self, others: list[RolloutSet]) -> bool:
        delayed = [one for one in others if self.promoted or one.deadline_ms is not None]
        if self.spec.dynamic_stable:
            return self._scale_all(dict.fromkeys(others, 0))
        scaled = self._scale_all({one: 0 for one in others if one not in delayed})
        return self._retire_delayed(delayed) or scaled

    def _scale_all(self, sizes: dict[RolloutSet, int]) -> bool:
        changed = [self.scale(one, size) for one, size in sizes.items()]
        return any(changed)

    def _retire_delayed(self, others: list[RolloutSet]) -> bool:
        """replicaset.go:scaleDownDelayHelper: a deadline first, then nothing until it passes."""
        analysed = self.spec.post_promotion_analysis and not self.spec.scale_down_delay_given
        if analysed and not self.promoted and self.status.background is not Analysis.SUCCEEDED:
            return False
        sizes = {other: self._delayed_size(other, rank) for rank, other in enumerate(others)}
        return self._scale_all({other: size for other, size in sizes.items() if other.spec != size})

    def _delayed_size(self, other: RolloutSet, rank: int) -> int:
        if rank >= self.spec.scale_down_limit:
            return 0
        if other.deadline_ms is None:
            self.set_deadline(other, self.now_ms + self.spec.scale_down_delay_ms)
            return other.spec
        if other.deadline_ms <= self.now_ms:
            return 0
        return self.spec.replicas if self.spec.blue_green else other.spec

    # Analyses: how long they take and how they end is not the controller's to say

    def analyse_canary(self) -> None:
        """Start the analysis of the step and the one beside the rollout; a failed one aborts."""
        if self.promoted or self.stored.aborted:
            return
        step = self.step
        if step is not None and step.kind is StepKind.ANALYSIS and self.stored.analysis is Analysis.NONE:
            self.status = self.status._replace(analysis=Analysis.RUNNING)
        start = self.spec.background_analysis_from
        if start is not None and self.stored.step_index >= start and self.stored.background is Analysis.NONE:
            self.status = self.status._replace(background=Analysis.RUNNING)
        self._abort_if_failed()

    def analyse_blue_green(self) -> None:
        """Before the promotion once the preview is ready, after it once the Service has switched."""
        if self.promoted or self.stored.aborted:
            return
        if self.spec.pre_promotion_analysis and self._is_ready() and self.stored.analysis is Analysis.NONE:
            self.status = self.status._replace(analysis=Analysis.RUNNING)
        switched = self.status.active == self.spec.template
        if self.spec.post_promotion_analysis and switched and self.stored.background is Analysis.NONE:
            self.status = self.status._replace(background=Analysis.RUNNING)
        self._abort_if_failed()

    def _abort_if_failed(self) -> None:
        if Analysis.FAILED in (self.stored.analysis, self.stored.background):
            self.status = self.status._replace(aborted=True, paused_since_ms=None, controller_pause=False)

    # Pauses and the end of a canary

    def pause_step(self) -> None:
        """canary.go:reconcileCanaryPause."""
        step = self.step
        if step is None or step.kind is not StepKind.PAUSE or self.promoted or self.status.aborted:
            return
        if self.stored.paused_since_ms is None and not self.stored.controller_pause:
            self.status = self.status._replace(paused_since_ms=self.now_ms, controller_pause=True)
            self.added_pause = True

    def finish_canary(self) -> None:
        """canary.go:syncRolloutStatusCanary: promote, abort, or go on to the next step."""
        if not self.stored.stable or self._completes_canary():
            # promoteStable
            self.status = self.status._replace(stable=self.spec.template, weight=0)
        elif self.status.aborted:
            self.status = self.status._replace(step_index=0)
        elif not self.spec.paused and self._step_is_done():
            self.status = self.status._replace(
                step_index=self.stored.step_index + 1,
                analysis=Analysis.NONE,
                paused_since_ms=None,
                controller_pause=False,
            )

    def _completes_canary(self) -> bool:
        """sync.go:shouldFullPromote."""
        done = self.stored.step_index >= len(self.spec.steps) and not self.status.aborted
        return not self.promoted and done and self.new.available >= self.spec.replicas

    def _step_is_done(self) -> bool:
        """canary.go:completedCurrentCanaryStep."""
        step = self.step
        if step is None:
            return False
        if step.kind is StepKind.PAUSE:
            return self._pause_is_over(step.duration_ms)
        if step.kind in (StepKind.SET_WEIGHT, StepKind.SET_SCALE):
            return self.at_counts(self.status.weight)
        if step.kind is StepKind.ANALYSIS:
            return self.stored.analysis is Analysis.SUCCEEDED
        return True

    def _pause_is_over(self, duration_ms: int | None) -> bool:
        """pause.go:CompletedCanaryPauseStep."""
        since = self.stored.paused_since_ms
        if self.added_pause or since is None:
            return not self.added_pause and self.stored.controller_pause
        return duration_ms is not None and self.now_ms > since + duration_ms

    # Pauses and the end of a blue-green

    def _is_ready(self) -> bool:
        """utils/replicaset/replicaset.go:ReadyForPause."""
        return self.new.spec == self.new.available == self._preview_count() and self.new.available > 0

    def _fast_tracked(self) -> bool:
        """bluegreen.go:isBlueGreenFastTracked."""
        return self.new.deadline_ms is not None or self.stored.active in ("", self.spec.template)

    def _pre_analysed(self) -> bool:
        return not self.spec.pre_promotion_analysis or self.stored.analysis is Analysis.SUCCEEDED

    def pause_blue_green(self) -> None:
        """bluegreen.go:reconcileBlueGreenPause."""
        if self.stored.aborted or self.spec.paused or not self._is_ready():
            return
        needed = not self.spec.auto_promotion or self.spec.auto_promotion_ms > 0
        if self._fast_tracked() or self.stored.checkpoint or not needed:
            self.status = self.status._replace(paused_since_ms=None)
        elif self._pre_analysed() and self.stored.paused_since_ms is None and not self.stored.controller_pause:
            self.status = self.status._replace(paused_since_ms=self.now_ms, controller_pause=True)
            self.added_pause = True
        elif self.stored.paused_since_ms is not None and self._pause_done():
            self.status = self.status._replace(paused_since_ms=None)

    def _pause_done(self) -> bool:
        """pause.go:CompletedBlueGreenPause."""
        if self.added_pause:
            return False
        if self.stored.checkpoint:
            return True
        since = self.stored.paused_since_ms
        if not self.spec.auto_promotion:
            return self.stored.controller_pause and since is None
        if self.spec.auto_promotion_ms == 0:
            return True
        return since is not None and self.now_ms > since + self.spec.auto_promotion_ms

    def switch_active(self) -> None:
        """service.go:reconcileActiveService: only a set at full size takes over."""
        full = self.new.spec == self.new.available == self.spec.replicas
        if self.spec.paused or not self._is_ready() or not full:
            return
        active = self.stored.active
        if self._fast_tracked() or (self._pause_done() and self._pre_analysed()):
            active = self.spec.template
        if self.stored.aborted:
            active = self.stored.stable
        self.status = self.status._replace(active=active)

    def finish_blue_green(self) -> None:
        """bluegreen.go:syncRolloutStatusBlueGreen."""
        if self._completes_blue_green():
            self.status = self.status._replace(
                stable=self.spec.template, checkpoint=False, controller_pause=False, paused_since_ms=None
            )
        elif self.spec.preview_replicas is not None and not self.stored.checkpoint:
            passed = self._pre_analysed() and self._pause_done()
            self.status = self.status._replace(checkpoint=passed and self.new.available == self.spec.preview_replicas)

    def _completes_blue_green(self) -> bool:
        """sync.go:shouldFullPromote."""
        if self.promoted and self.stored.stable:
            return False
        if not self.status.active:
            return True
        if self.status.active != self.spec.template or self.status.aborted:
            return False
        return not self.spec.post_promotion_analysis or self.stored.background is Analysis.SUCCEEDED
