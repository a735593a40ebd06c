"""A Deployment, its ReplicaSets and their pods together in virtual time."""

from collections.abc import Callable, Mapping

from gitops_guard.model.rollout import Step
from gitops_guard.rollout import deployment, replicaset
from gitops_guard.rollout.choices import Choices
from gitops_guard.rollout.deployment import (
    AnnotateSet,
    CreateSet,
    DeleteSet,
    DeploymentSpec,
    DeploymentStatus,
    OwnedSet,
    Progress,
    ScaleSet,
    Write,
)
from gitops_guard.rollout.events import NOTHING, EventQueue, Happening, tell
from gitops_guard.rollout.pods import UNLIMITED, Counts, PodPool, PodTiming
from gitops_guard.rollout.timeline import MAX_ROUNDS, MAX_STEPS, LivelockError, Moment, Timeline


class _Set:
    """One ReplicaSet: its object, and the pods that its controller keeps."""

    __slots__ = ("_seen", "_seen_by", "failures", "owned", "pods", "retry_ms", "stored")

    def __init__(self, owned: OwnedSet, pods: PodPool) -> None:
        self.owned = owned
        self.pods = pods
        self.stored = pods.counts
        """The status as the Deployment controller has it."""
        self.failures = 0
        self.retry_ms = 0
        self._seen = owned
        self._seen_by: tuple[object, ...] = ()

    def seen(self, counts: Counts) -> OwnedSet:
        """The set as the Deployment controller sees it with such a status; made anew only where something differs."""
        existing, failing = self.pods.existing, self.failures > 0
        by = (self.owned, counts, existing, failing)
        if by != self._seen_by:
            self._seen_by = by
            self._seen = self.owned._replace(
                replicas=counts.replicas,
                ready=counts.ready,
                available=counts.available,
                existing=existing,
                failing=failing,
            )
        return self._seen


class DeploymentRun:
    """One trajectory of a Deployment.

    Controllers act at once and in an instant: API latency is far below the time that pods take. What may differ between
    clusters is in which order they see each other's writes; `choices` decides.
    """

    def __init__(
        self,
        before: DeploymentSpec,
        timing: Mapping[str, PodTiming],
        *,
        choices: Choices | None = None,
        quota_pods: int | None = None,
        broken: int = 0,
    ) -> None:
        """Start at rest with `before` rolled out.

        Args:
            before: The Deployment before the merge.
            timing: How long pods take, by name of template.
            choices: Decides where real controllers may go different ways; without it the likely way.
            quota_pods: The most pods that may exist, terminating ones included; None for no limit.
            broken: Old pods that are not available from the start.
        """
        self.queue = EventQueue()
        self.spec = before
        self.timing = timing
        self.choices = choices or Choices()
        self.quota_pods = quota_pods
        self.moments: list[Moment] = []
        self.capped = False
        self.timed_out_ms: int | None = None
        self.completed_ms: int | None = 0
        self._checks = False
        self._quiet: tuple[object, ...] | None = None
        self._sets: dict[str, _Set] = {}
        self._deleted: list[_Set] = []
        """ReplicaSets beyond the history limit: their last pods still terminate."""
        counts = self._first_set(before, broken)
        self.status = DeploymentStatus(True, *counts[:1], *counts, Progress.AVAILABLE)

    def _first_set(self, spec: DeploymentSpec, broken: int) -> Counts:
        maximum = spec.replicas + spec.budget.surge
        owned = OwnedSet(spec.template, 1, spec.template, spec.replicas, spec.replicas, maximum, 1, spec.min_ready_s)
        pods = PodPool(self.queue, self.timing[spec.template], spec.min_ready_s, spec.replicas)
        pods.break_pods(broken)
        self._sets[owned.name] = _Set(owned, pods)
        return pods.counts

    @classmethod
    def fresh(
        cls,
        after: DeploymentSpec,
        timing: Mapping[str, PodTiming],
        *,
        choices: Choices | None = None,
        quota_pods: int | None = None,
    ) -> "DeploymentRun":
        """Start from nothing: the merge creates the Deployment."""
        run = cls(after._replace(replicas=0), timing, choices=choices, quota_pods=quota_pods)
        run._sets.clear()
        run.status = DeploymentStatus()
        return run

    # What happens to it

    def edit(self, spec: DeploymentSpec) -> None:
        """Change the Deployment, as a merge, a person or an autoscaler does, and let the controllers act."""
        self._replace_spec(spec)
        self.settle("the Deployment changed")

    def edit_later(self, at_ms: int, change: Callable[[DeploymentSpec], DeploymentSpec], cause: str) -> None:
        """Change the Deployment at a later time."""

        def act() -> Happening:
            self._replace_spec(change(self.spec))
            return Happening(cause)

        self.queue.push(at_ms, act)

    def scale_later(self, at_ms: int, replicas: int) -> None:
        """Change spec.replicas at a later time."""
        self.edit_later(at_ms, lambda spec: spec._replace(replicas=replicas), f"replicas set to {replicas}")

    def _replace_spec(self, spec: DeploymentSpec) -> None:
        self.spec = spec
        self.status = self.status._replace(observed=False)
        self.completed_ms = None

    def make_ready(self, count: int) -> int:
        """Make pods of the newest ReplicaSet ready, one cohort, and let the controllers act. Returns how many."""
        done = self._newest().pods.make_ready(count)
        self.settle("pods became ready")
        return done

    def break_pods(self, name: str, count: int) -> None:
        """Make pods of a ReplicaSet unready for good and let the controllers act."""
        self._sets[name].pods.break_pods(count)
        self.settle("pods broke")

    def _newest(self) -> _Set:
        return max(self._sets.values(), key=lambda one: one.owned.created)

    def advance(self) -> bool:
        """Go on to the next moment; returns whether there was one that can still change something."""
        if not len(self.queue) or (self.queue.only_idle and self._is_idle()):
            return False
        self.settle(tell([action() for action in self.queue.pop().actions]))
        return True

    def run(self) -> None:
        """Go on until nothing can change any more."""
        while self.advance():
            if len(self.moments) >= MAX_STEPS:
                self.capped = True
                return

    def _is_idle(self) -> bool:
        """Whether waiting alone changes nothing: no deadline is still to pass, and no retry can succeed."""
        # What was complete before, as under a mere scaling, never times out: deployment_util.go:DeploymentTimedOut.
        times_out = self._watches_deadline() and self.status.progress is not Progress.AVAILABLE
        waits_for_deadline = self.completed_ms is None and self.timed_out_ms is None and times_out
        room = self._room()
        waiting = any(one.failures and one.owned.spec > one.pods.active for one in self._sets.values())
        return not waits_for_deadline and not (waiting and room)

    def _watches_deadline(self) -> bool:
        paused = self.status.progress in (Progress.NONE, Progress.PAUSED)
        return self.spec.has_deadline and not self.spec.paused and not paused

    def _room(self) -> int:
        if self.quota_pods is None:
            return UNLIMITED
        return max(0, self.quota_pods - sum(one.pods.existing for one in (*self._sets.values(), *self._deleted)))

    # The controllers

    def settle(self, cause: str = "") -> None:
        """Let all controllers act until none has anything left to write, then record the moment.

        Raises:
            LivelockError: They do not come to rest.
        """
        for _ in range(MAX_ROUNDS):
            self._sync_sets()
            writes = self._sync_deployment()
            if not writes:
                break
            for write in writes:
                self._apply(write)
        else:
            raise LivelockError(f"no rest after {MAX_ROUNDS} rounds at {self.queue.now_ms} ms")
        self._watch_progress()
        self._record(cause)

    def _sync_sets(self) -> None:
        for one in self._sets.values():
            if one.pods.dirty:
                one.pods.dirty = False
                self._sync_set(one)

    def _sync_set(self, one: _Set) -> None:
        """One sync of the ReplicaSet controller: replica_set.go:syncReplicaSet."""
        if one.pods.follow(one.owned.spec, self._room(), unlucky=self.choices.unlucky):
            self._retry_later(one)
        else:
            one.failures = 0

    def _retry_later(self, one: _Set) -> None:
        one.retry_ms = self.queue.now_ms + replicaset.retry_delay_ms(one.failures)
        one.failures += 1

        def retry() -> Happening:
            one.pods.dirty = True
            return NOTHING

        self.queue.push(one.retry_ms, retry, idle=True)

    def _sync_deployment(self) -> tuple[Write, ...]:
        """One sync of the Deployment controller, on fresh statuses or, where it matters, on a stale one.

        Only a status that shows more available pods than there are makes a difference; one that shows fewer only puts
        off what the next sync does. rolling.go has no guard against it for the new set, and its guard for old sets
        fails when the broken pods of another old set use up the room first: a real controller did so, see
        tests/rollout/test_traces.py.
        """
        fresh = {name: one.pods.counts for name, one in self._sets.items()}
        inputs = self._inputs(fresh, self.status)
        if inputs == self._quiet:
            return ()
        writes = self._decide(fresh)
        for name, one in self._sets.items():
            if one.stored.available > fresh[name].available:
                stale = self._decide({**fresh, name: one.stored})
                if _sizes(stale) != _sizes(writes) and self.choices.take():
                    writes = stale
                    break
        for name, one in self._sets.items():
            one.stored = fresh[name]
        self._quiet = self._rest_after(writes, fresh, inputs)
        return writes

    def _rest_after(
        self, writes: tuple[Write, ...], counts: Mapping[str, Counts], inputs: tuple[object, ...]
    ) -> tuple[object, ...] | None:
        """Return the inputs under which the next sync is known to write nothing.

        One that wrote nothing repeats itself. One that only noted progress in the status would next find that status:
        with the reason UPDATED it is neither complete nor paused nor overdue, so nothing is left to write.
        """
        if not writes:
            return inputs
        only = writes[0]
        if len(writes) == 1 and isinstance(only, DeploymentStatus) and only.progress is Progress.UPDATED:
            return None if self.spec.paused else self._inputs(counts, only)
        return None

    def _inputs(self, counts: Mapping[str, Counts], status: DeploymentStatus) -> tuple[object, ...]:
        """Everything that a sync depends on: where it is as at the last sync that wrote nothing, none is needed."""
        overdue = status.progress_since_ms + self.spec.deadline_s * 1000 < self.queue.now_ms
        sets = [
            (one.owned, counts[name], one.failures > 0, self.spec.recreate and one.pods.existing)
            for name, one in self._sets.items()
        ]
        return self.spec, status, overdue, sets

    def _decide(self, counts: Mapping[str, Counts]) -> tuple[Write, ...]:
        sets = tuple(one.seen(counts[name]) for name, one in self._sets.items())
        return deployment.sync(deployment.Deployment(self.spec, self.status, sets), self.queue.now_ms)

    def _apply(self, write: Write) -> None:
        match write:
            case DeploymentStatus():
                self.status = write
            case ScaleSet():
                one = self._sets[write.name]
                one.owned = one.owned._replace(spec=write.replicas, desired=write.desired, maximum=write.maximum)
                one.pods.dirty = True
            case CreateSet():
                self._create(write)
            case AnnotateSet():
                one = self._sets[write.name]
                one.owned = one.owned._replace(revision=write.revision, min_ready_s=write.min_ready_s)
                one.pods.change_min_ready(write.min_ready_s)
            case DeleteSet():
                self._deleted.append(self._sets.pop(write.name))

    def _create(self, write: CreateSet) -> None:
        created = 1 + max((one.owned.created for one in self._sets.values()), default=0)
        name = write.template
        owned = OwnedSet(
            name, created, name, write.replicas, write.desired, write.maximum, write.revision, write.min_ready_s
        )
        self._sets[name] = _Set(owned, PodPool(self.queue, self.timing[name], write.min_ready_s))

    def _watch_progress(self) -> None:
        """progress.go:requeueStuckDeployment, and note when the rollout is complete."""
        if self.completed_ms is None and self._is_complete():
            self.completed_ms = self.queue.now_ms
        if self.status.progress is Progress.TIMED_OUT:
            if self.timed_out_ms is None:
                self.timed_out_ms = self.queue.now_ms
            return
        if self.completed_ms is None and self._watches_deadline():
            self._check_later(self.status.progress_since_ms + self.spec.deadline_s * 1000 + 1000)

    def _check_later(self, at_ms: int) -> None:
        """One timer at a time: where progress was made meanwhile, it is set anew when it goes off."""
        if self._checks or at_ms <= self.queue.now_ms:
            return
        self._checks = True

        def check() -> Happening:
            self._checks = False
            return NOTHING

        self.queue.push(at_ms, check, idle=True)

    def _is_complete(self) -> bool:
        status, wanted = self.status, self.spec.replicas
        new = self._sets.get(self.spec.template)
        updated = new is not None and new.owned.spec == wanted
        return updated and status.observed and status.updated == status.replicas == status.available == wanted

    # What is recorded

    @property
    def timeline(self) -> Timeline:
        """The record so far."""
        return Timeline(tuple(self.moments), self.completed_ms, self.capped, self.timed_out_ms)

    def _record(self, cause: str) -> None:
        old = new = ready = ready_new = available = 0
        terminating = sum(one.pods.terminating for one in self._deleted)
        for name, one in self._sets.items():
            counts = one.pods.counts
            if name == self.spec.template:
                new, ready_new = counts.replicas, counts.ready
            else:
                old += counts.replicas
            ready += counts.ready
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
        )
        self.moments.append(Moment(step, tuple((name, one.owned.spec) for name, one in self._sets.items()), ready_new))

    @property
    def revisions(self) -> tuple[tuple[str, int], ...]:
        """(template, revision) of every ReplicaSet kept, the lowest revision first."""
        return tuple(
            sorted(((one.owned.template, one.owned.revision) for one in self._sets.values()), key=_by_revision)
        )


def _by_revision(pair: tuple[str, int]) -> tuple[int, str]:
    return pair[1], pair[0]


def _sizes(writes: tuple[Write, ...]) -> tuple[Write, ...]:
    return tuple(write for write in writes if isinstance(write, ScaleSet | CreateSet))
