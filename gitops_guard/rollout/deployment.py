"""The Deployment controller: one sync as a pure function from what its cache shows to what it writes.

Rules from kubernetes v1.36.3, pkg/controller/deployment; v1.37.0 decides the same. Nothing here knows pods, or time
beyond `now_ms`: ReplicaSets follow their spec elsewhere, and their statuses may be as stale as the caller likes.
"""

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from gitops_guard.rollout.budget import Budget, IntOrPercent, rolling_budget

NO_DEADLINE = 2_147_483_647
"""progressDeadlineSeconds that switches the deadline off: util/deployment_util.go:HasProgressDeadline."""


class Progress(StrEnum):
    """Reason of the condition Progressing: util/deployment_util.go."""

    NONE = ""
    NEW_SET = "NewReplicaSetCreated"
    FOUND_SET = "FoundNewReplicaSet"
    UPDATED = "ReplicaSetUpdated"
    AVAILABLE = "NewReplicaSetAvailable"
    TIMED_OUT = "ProgressDeadlineExceeded"
    PAUSED = "DeploymentPaused"
    RESUMED = "DeploymentResumed"


class DeploymentSpec(NamedTuple):
    """The fields of a Deployment that its controller reads, with the API's defaults filled in."""

    replicas: int = 1
    template: str = "new"
    """Names the pod template: equal templates have equal names."""

    recreate: bool = False
    max_surge: IntOrPercent = "25%"
    max_unavailable: IntOrPercent = "25%"
    paused: bool = False
    min_ready_s: int = 0
    deadline_s: int = 600
    history_limit: int = 10

    @property
    def budget(self) -> Budget:
        """Return surge and unavailability in pods; none with Recreate: MaxSurge and MaxUnavailable."""
        if self.recreate:
            return Budget(0, 0)
        return rolling_budget(self.max_surge, self.max_unavailable, self.replicas)

    @property
    def has_deadline(self) -> bool:
        """Return whether progress is watched at all."""
        return self.deadline_s != NO_DEADLINE


class DeploymentStatus(NamedTuple):
    """The stored status as far as later decisions depend on it."""

    observed: bool = True
    """observedGeneration >= generation."""

    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    progress: Progress = Progress.NONE
    progress_since_ms: int = 0
    """lastUpdateTime of the condition Progressing."""

    failing: bool = False
    """Condition ReplicaFailure."""


class OwnedSet(NamedTuple):
    """One ReplicaSet of the Deployment, as the Deployment controller's cache shows it."""

    name: str
    created: int
    """Rank by creation time, the oldest lowest."""

    template: str
    spec: int
    desired: int | None = None
    """Annotation deployment.kubernetes.io/desired-replicas; None when absent."""

    maximum: int | None = None
    """Annotation deployment.kubernetes.io/max-replicas; None when absent."""

    revision: int = 1
    min_ready_s: int = 0
    replicas: int = 0
    """This and the next two from the ReplicaSet's status, stale or not."""

    ready: int = 0
    available: int = 0
    existing: int = 0
    """Pods in the Deployment controller's pod cache that are not Failed or Succeeded, the terminating ones included."""

    failing: bool = False
    """Condition ReplicaFailure."""


class Deployment(NamedTuple):
    """What one sync sees."""

    spec: DeploymentSpec
    status: DeploymentStatus
    sets: tuple[OwnedSet, ...]


class CreateSet(NamedTuple):
    """A new ReplicaSet for the current template, named after it."""

    template: str
    replicas: int
    desired: int
    maximum: int
    revision: int
    min_ready_s: int


class ScaleSet(NamedTuple):
    """New spec.replicas and annotations of a ReplicaSet."""

    name: str
    replicas: int
    desired: int
    maximum: int


class AnnotateSet(NamedTuple):
    """New revision and minReadySeconds of the ReplicaSet that is the new one."""

    name: str
    revision: int
    min_ready_s: int


class DeleteSet(NamedTuple):
    """A ReplicaSet beyond the history limit goes."""

    name: str


Write: TypeAlias = CreateSet | ScaleSet | AnnotateSet | DeleteSet | DeploymentStatus


def sync(deployment: Deployment, now_ms: int) -> tuple[Write, ...]:
    """Return what one work-queue item writes: deployment_controller.go:syncDeployment."""
    work = _Sync(deployment, now_ms)
    work.note_pause()
    if deployment.spec.paused:
        work.find_new(create=False)
        work.resize()
        work.trim_history()
        work.write_status(estimate_progress=False)
    elif work.is_scaling_event():
        work.resize()
        work.write_status(estimate_progress=False)
    elif deployment.spec.recreate:
        _recreate(work)
    else:
        _rolling(work)
    return tuple(work.writes)


def _rolling(work: "_Sync") -> None:
    """rolling.go:rolloutRolling: at most one direction in one sync."""
    if work.new is None or work.writes:  # otherwise it was found a moment ago, with nothing to adopt
        work.find_new(create=True)
    scaled = work.grow_new() or work.shrink_old()
    if not scaled and work.is_complete(work.status):
        work.trim_history()
    work.write_status(estimate_progress=True)


def _recreate(work: "_Sync") -> None:
    """recreate.go:rolloutRecreate: no new pod before the last old one is gone."""
    work.find_new(create=False)
    active = [old for old in work.old if old.spec]
    for old in active:
        work.scale(old, 0)
    if active or work.old_pods_running():
        work.write_status(estimate_progress=True)
        return
    work.find_new(create=True)
    assert work.new is not None
    work.scale(work.new, work.spec.replicas)
    if work.is_complete(work.status):
        work.trim_history()
    work.write_status(estimate_progress=True)


class _Sync:
    """The scratch pad of one sync: what was read, changed by what has been written so far."""

    def __init__(self, deployment: Deployment, now_ms: int) -> None:
        self.spec = deployment.spec
        self.budget = deployment.spec.budget
        self.status = deployment.status
        self.now_ms = now_ms
        self.sets = sorted(deployment.sets, key=_created)
        self._read = {owned.name: owned.spec for owned in deployment.sets}
        self.new: OwnedSet | None = None
        self.writes: list[Write] = []

    @property
    def old(self) -> list[OwnedSet]:
        """All sets but the new one, oldest first."""
        new = self.new
        return [owned for owned in self.sets if new is None or owned.name != new.name]

    def note_pause(self) -> None:
        """deployment_controller.go via sync.go:checkPausedConditions."""
        reason = self.status.progress
        if not self.spec.has_deadline or reason is Progress.TIMED_OUT:
            return
        if self.spec.paused and reason is not Progress.PAUSED:
            self._set_progress(Progress.PAUSED)
        elif not self.spec.paused and reason is Progress.PAUSED:
            self._set_progress(Progress.RESUMED)

    def _set_progress(self, reason: Progress) -> None:
        self.status = self.status._replace(progress=reason, progress_since_ms=self.now_ms)
        self.writes.append(self.status)

    def find_new(self, *, create: bool) -> None:
        """sync.go:getNewReplicaSet: the oldest set with the Deployment's template, or a new one."""
        self.new = next((owned for owned in self.sets if owned.template == self.spec.template), None)
        revision = 1 + max((owned.revision for owned in self.old), default=0)
        if self.new is not None:
            self._adopt_new(self.new, revision)
        elif create:
            self._create_new(revision)

    def _adopt_new(self, new: OwnedSet, revision: int) -> None:
        revision = max(new.revision, revision)
        if revision != new.revision or new.min_ready_s != self.spec.min_ready_s:
            self.writes.append(AnnotateSet(new.name, revision, self.spec.min_ready_s))
            self._keep(new._replace(revision=revision, min_ready_s=self.spec.min_ready_s))
        elif self.spec.has_deadline and self.status.progress is Progress.NONE:
            self._set_progress(Progress.FOUND_SET)

    def _create_new(self, revision: int) -> None:
        replicas = self.new_count(0)
        created = 1 + max((owned.created for owned in self.sets), default=0)
        write = CreateSet(
            self.spec.template, replicas, self.spec.replicas, self._maximum, revision, self.spec.min_ready_s
        )
        self.writes.append(write)
        name = self.spec.template
        self.new = OwnedSet(name, created, name, replicas, self.spec.replicas, self._maximum, revision)
        self.sets.append(self.new)
        if self.spec.has_deadline:
            self._set_progress(Progress.NEW_SET)

    @property
    def _maximum(self) -> int:
        return self.spec.replicas + self.budget.surge

    def _keep(self, changed: OwnedSet) -> None:
        self.sets = [changed if owned.name == changed.name else owned for owned in self.sets]
        if self.new is not None and self.new.name == changed.name:
            self.new = changed

    def new_count(self, current: int) -> int:
        """util/deployment_util.go:NewRSNewReplicas: how large the new set may be now."""
        if self.spec.recreate:
            return self.spec.replicas
        total = _total(self.sets)
        if total >= self._maximum:
            return current
        return current + min(self._maximum - total, self.spec.replicas - current)

    def scale(self, owned: OwnedSet, replicas: int, *, force: bool = False) -> bool:
        """sync.go:scaleReplicaSet; `force` also writes annotations alone. Returns whether the size changed."""
        desired, maximum = self.spec.replicas, self._maximum
        resized = owned.spec != replicas
        if resized or (force and (owned.desired, owned.maximum) != (desired, maximum)):
            self.writes.append(ScaleSet(owned.name, replicas, desired, maximum))
            self._keep(owned._replace(spec=replicas, desired=desired, maximum=maximum))
        return resized

    # Rolling update

    def grow_new(self) -> bool:
        """rolling.go:reconcileNewReplicaSet; a new set that is too large shrinks at once."""
        assert self.new is not None
        wanted = self.spec.replicas
        if self.new.spec == wanted:
            return False
        return self.scale(self.new, wanted if self.new.spec > wanted else self.new_count(self.new.spec))

    def shrink_old(self) -> bool:
        """rolling.go:reconcileOldReplicaSets: broken old pods first, then as many as availability allows."""
        assert self.new is not None
        if not any(old.spec for old in self.old):
            return False
        least = self.spec.replicas - self.budget.unavailable
        room = _total(self.sets) - least - (self.new.spec - self.new.available)
        if room <= 0:
            return False
        cleaned = self._clean_broken(room)
        if cleaned is None:
            return False
        return cleaned + self._retire_healthy(least) > 0

    def _clean_broken(self, room: int) -> int | None:
        """rolling.go:cleanupUnhealthyReplicas; None when a stale status shows too many available pods."""
        cleaned = 0
        for old in self.old:
            if cleaned >= room:
                break
            if old.spec == 0 or old.spec == old.available:
                continue
            broken = min(room - cleaned, old.spec - old.available)
            if broken < 0:
                return None
            self.scale(old, old.spec - broken)
            cleaned += broken
        return cleaned

    def _retire_healthy(self, least: int) -> int:
        """rolling.go:scaleDownOldReplicaSetsForRollingUpdate."""
        limit = sum(owned.available for owned in self.sets) - least
        retired = 0
        for old in self.old:
            if retired >= limit:
                break
            if old.spec:
                number = min(old.spec, limit - retired)
                self.scale(old, old.spec - number)
                retired += number
        return retired

    # Recreate

    def old_pods_running(self) -> bool:
        """recreate.go:oldPodsRunning; terminating pods still run."""
        return any(old.replicas or old.existing for old in self.old)

    # A change of spec.replicas

    def is_scaling_event(self) -> bool:
        """sync.go:isScalingEvent: an active set was sized for another number of replicas."""
        self.find_new(create=False)
        return any(owned.spec and owned.desired not in (None, self.spec.replicas) for owned in self.sets)

    def resize(self) -> None:
        """sync.go:scale."""
        active = [owned for owned in self.sets if owned.spec]
        if len(active) <= 1:
            only = active[0] if active else self.new or (self.sets[-1] if self.sets else None)
            if only is not None:
                self.scale(only, self.spec.replicas)
        elif self._saturated():
            for old in self.old:
                self.scale(old, 0)
        elif not self.spec.recreate:
            self._resize_proportionally(active)

    def _saturated(self) -> bool:
        """util/deployment_util.go:IsSaturated."""
        wanted = self.spec.replicas
        return self.new is not None and self.new.spec == self.new.desired == self.new.available == wanted

    def _resize_proportionally(self, active: list[OwnedSet]) -> None:
        allowed = self._maximum if self.spec.replicas else 0
        change = allowed - _total(active)
        # Larger sets first; of equals the newer when growing, the older when shrinking.
        active.sort(key=lambda owned: (-owned.spec, -owned.created if change > 0 else owned.created))
        sizes, used = [], 0
        for owned in active:
            share = self._share(owned, change, used)
            sizes.append(owned.spec + share)
            used += share
        if change:
            sizes[0] = max(0, sizes[0] + change - used)
        for owned, size in zip(active, sizes, strict=True):
            self.scale(owned, size, force=True)

    def _share(self, owned: OwnedSet, change: int, used: int) -> int:
        """util/deployment_util.go:GetReplicaSetProportion."""
        if change in (0, used):
            return 0
        share = self._fraction(owned)
        return min(share, change - used) if change > 0 else max(share, change - used)

    def _fraction(self, owned: OwnedSet) -> int:
        """util/deployment_util.go:getReplicaSetFraction."""
        if self.spec.replicas == 0:
            return -owned.spec
        before = owned.maximum or self.status.replicas
        if not before:
            return 0
        return _round_half_away(owned.spec * self._maximum / before) - owned.spec

    # Status

    def is_complete(self, status: DeploymentStatus) -> bool:
        """util/deployment_util.go:DeploymentComplete."""
        return status.observed and status.updated == status.replicas == status.available == self.spec.replicas

    def write_status(self, *, estimate_progress: bool) -> None:
        """sync.go:syncDeploymentStatus, or progress.go:syncRolloutStatus with the estimate."""
        status = self._counted()
        if not self.spec.has_deadline:
            status = status._replace(progress=Progress.NONE, progress_since_ms=0) if estimate_progress else status
        elif estimate_progress:
            status = self._with_progress(status)
        failing = any(owned.failing for owned in self.sets)
        if estimate_progress and failing != status.failing:
            status = status._replace(failing=failing)
        if status != self.status:
            self.status = status
            self.writes.append(status)

    def _counted(self) -> DeploymentStatus:
        """sync.go:calculateStatus."""
        replicas = ready = available = 0
        for owned in self.sets:
            replicas += owned.replicas
            ready += owned.ready
            available += owned.available
        updated = self.new.replicas if self.new is not None else 0
        before = self.status
        if before.observed and (replicas, updated, ready, available) == before[1:5]:
            return before
        return before._replace(observed=True, replicas=replicas, updated=updated, ready=ready, available=available)

    def _with_progress(self, status: DeploymentStatus) -> DeploymentStatus:
        before = self.status
        if status.replicas == status.updated and before.progress is Progress.AVAILABLE:
            return status
        if self.is_complete(status):
            return self._moved(status, Progress.AVAILABLE)
        if _progressed(before, status):
            return status._replace(progress=Progress.UPDATED, progress_since_ms=self.now_ms)
        if self._timed_out(before):
            return self._moved(status, Progress.TIMED_OUT)
        return status

    def _moved(self, status: DeploymentStatus, reason: Progress) -> DeploymentStatus:
        if status.progress is reason:
            return status
        return status._replace(progress=reason, progress_since_ms=self.now_ms)

    def _timed_out(self, status: DeploymentStatus) -> bool:
        """util/deployment_util.go:DeploymentTimedOut."""
        if status.progress in (Progress.NONE, Progress.AVAILABLE):
            return False
        if status.progress is Progress.TIMED_OUT:
            return True
        return status.progress_since_ms + self.spec.deadline_s * 1000 < self.now_ms

    def trim_history(self) -> None:
        """sync.go:cleanupDeployment: the lowest revisions beyond the limit, if they were empty when read."""
        if self.spec.history_limit == NO_DEADLINE:
            return
        old = sorted(self.old, key=lambda owned: (owned.revision, owned.created))
        for owned in old[: max(0, len(old) - self.spec.history_limit)]:
            if self._read[owned.name] == 0 and owned.replicas == 0:
                self.writes.append(DeleteSet(owned.name))
                self.sets = [kept for kept in self.sets if kept.name != owned.name]


def _progressed(before: DeploymentStatus, now: DeploymentStatus) -> bool:
    """util/deployment_util.go:DeploymentProgressing."""
    return (
        now.updated > before.updated
        or now.replicas - now.updated < before.replicas - before.updated
        or now.ready > before.ready
        or now.available > before.available
    )


def _created(owned: OwnedSet) -> int:
    return owned.created


def _total(sets: Iterable[OwnedSet]) -> int:
    return sum(owned.spec for owned in sets)


def _round_half_away(value: float) -> int:
    """integer.go:RoundToInt32, which cuts towards zero after adding half."""
    return math.trunc(value - 0.5 if value < 0 else value + 0.5)
