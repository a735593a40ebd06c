"""The pods of one ReplicaSet as they come and go, kept as counts of pods that are alike."""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_guard.rollout import replicaset
from gitops_guard.rollout.events import NEVER, NOTHING, EventQueue, Happening

UNLIMITED = 1 << 31
"""Admits as many pods as a ReplicaSet can ask for."""


class PodTiming(NamedTuple):
    """How long one version's pods take, in one scenario."""

    ready_ms: int
    """Creation to Ready; NEVER for a version that does not become ready."""

    gone_ms: int
    """Deletion to the end of the last container."""

    starts: bool = True
    """Whether the containers run at all, ready or not: phase Running."""

    early_ms: int = 0
    """How much sooner than minReadySeconds a pod counts as available.

    lastTransitionTime is cut to whole seconds, so a pod that became ready late in a second has less to wait: real
    controllers were measured to be up to a second early.
    """

    places: int = UNLIMITED
    """How many of the pods the nodes can hold at all; those beyond stay Pending."""

    def until_available_ms(self, min_ready_s: int) -> int:
        """Return the time from ready to available."""
        return max(0, min_ready_s * 1000 - self.early_ms)


class Counts(NamedTuple):
    """What a ReplicaSet's status says."""

    replicas: int = 0
    ready: int = 0
    available: int = 0


class _Group:
    """Active pods that are alike; `count` falls as they are deleted."""

    __slots__ = ("count", "created_ms", "ready_since_ms")

    def __init__(self, count: int, created_ms: int, ready_since_ms: int | None) -> None:
        self.count = count
        self.created_ms = created_ms
        self.ready_since_ms = ready_since_ms


class PodPool:
    """All pods of one ReplicaSet."""

    __slots__ = ("_fresh", "_groups", "_queue", "_settled", "dirty", "min_ready_ms", "terminating", "timing")

    def __init__(self, queue: EventQueue, timing: PodTiming, min_ready_s: int, available: int = 0) -> None:
        """Start with pods that have been available for long."""
        self._queue = queue
        self.timing = timing
        self.min_ready_ms = timing.until_available_ms(min_ready_s)
        self.terminating = 0
        self.dirty = True
        """Whether something happened that wakes the ReplicaSet's controller."""
        long_ago = queue.now_ms - 100 * replicaset.DAY_MS
        self._settled = _Group(available, long_ago, long_ago)
        self._groups: list[_Group] = []
        self._fresh: _Group | None = None
        """The group created last, to which pods of the same moment belong."""

    @property
    def active(self) -> int:
        """Pods that are not being deleted."""
        return self._settled.count + sum(group.count for group in self._groups)

    @property
    def existing(self) -> int:
        """Pods that quota and nodes have to hold."""
        return self.active + self.terminating

    @property
    def counts(self) -> Counts:
        """What the status would say now: replica_set_utils.go:calculateStatus."""
        self._merge_available()
        ready = self._settled.count + sum(group.count for group in self._groups if group.ready_since_ms is not None)
        return Counts(self.active, ready, self._settled.count)

    def _is_available(self, group: _Group) -> bool:
        since = group.ready_since_ms
        return since is not None and since + self.min_ready_ms <= self._queue.now_ms

    def _merge_available(self) -> None:
        """Put available pods together: which of them is deleted makes no difference to any count."""
        waiting: list[_Group] = []
        for group in self._groups:
            if not self._is_available(group):
                if group.count:
                    waiting.append(group)
                continue
            self._settled.count += group.count
            assert group.ready_since_ms is not None
            assert self._settled.ready_since_ms is not None
            self._settled.ready_since_ms = max(self._settled.ready_since_ms, group.ready_since_ms)
            group.count = 0
        self._groups = waiting

    def change_min_ready(self, min_ready_s: int) -> None:
        """Judge availability by another minReadySeconds from now on."""
        min_ready_ms = self.timing.until_available_ms(min_ready_s)
        if min_ready_ms == self.min_ready_ms:
            return
        self._merge_available()
        self.min_ready_ms = min_ready_ms
        self.dirty = True
        since = self._settled.ready_since_ms
        assert since is not None
        if not self._is_available(self._settled):
            self._groups.append(_Group(self._settled.count, self._settled.created_ms, since))
            self._settled.count = 0
        for group in self._groups:
            if group.ready_since_ms is not None and not self._is_available(group):
                self._await_availability(group)

    def _await_availability(self, group: _Group) -> None:
        assert group.ready_since_ms is not None
        self._queue.push(group.ready_since_ms + self.min_ready_ms, lambda: self._become_available(group))

    def create(self, count: int) -> None:
        """Add pods; they become ready by themselves after `timing.ready_ms`, as far as there is a place for them."""
        placed = min(count, max(0, self.timing.places - self.active))
        if placed < count:
            self._groups.append(_Group(count - placed, self._queue.now_ms, None))
        if placed:
            self._start(placed)

    def _start(self, count: int) -> None:
        last = self._fresh
        if last is not None and last.count and last.created_ms == self._queue.now_ms and last.ready_since_ms is None:
            last.count += count
            return
        self._fresh = group = _Group(count, self._queue.now_ms, None)
        self._groups.append(group)
        if self.timing.ready_ms < NEVER:
            self._queue.push(self._queue.now_ms + self.timing.ready_ms, lambda: self._become_ready(group))

    def _become_ready(self, group: _Group) -> Happening:
        if not group.count or group.ready_since_ms is not None:
            return NOTHING
        group.ready_since_ms = self._queue.now_ms
        self.dirty = True
        if self.min_ready_ms:
            self._await_availability(group)
        return Happening("became ready", group.count)

    def _become_available(self, group: _Group) -> Happening:
        if not group.count:
            return NOTHING
        self.dirty = True
        return Happening("became available", group.count)

    def make_ready(self, count: int) -> int:
        """Make so many waiting pods ready now, oldest first, to replay a real cluster. Returns how many."""
        done = 0
        for group in [group for group in self._groups if group.ready_since_ms is None and group.count]:
            take = min(count - done, group.count)
            if take == 0:
                break
            group.count -= take
            ready = _Group(take, group.created_ms, None)
            self._groups.append(ready)
            self._become_ready(ready)
            done += take
        return done

    def break_pods(self, count: int) -> int:
        """Make so many ready pods unready for good, available ones first. Returns how many."""
        self._merge_available()
        done = 0
        for group in (self._settled, *self._groups):
            if group.ready_since_ms is not None and done < count:
                take = min(count - done, group.count)
                group.count -= take
                done += take
        if done:
            self._groups.append(_Group(done, self._settled.created_ms, None))
            self.dirty = True
        return done

    def cohorts(self) -> Iterator[replicaset.Cohort]:
        """Yield the groups as the ReplicaSet controller sees them; the first is the available one."""
        self._merge_available()
        yield self._cohort(self._settled, available=True)
        for group in self._groups:
            yield self._cohort(group, available=False)

    def _cohort(self, group: _Group, *, available: bool) -> replicaset.Cohort:
        running = self.timing.starts or group.ready_since_ms is not None
        return replicaset.Cohort(group.count, running, group.ready_since_ms, group.created_ms, available)

    def follow(self, spec: int, admitted: int, *, unlucky: bool = False) -> bool:
        """Let the ReplicaSet's controller act until `spec` pods exist; returns whether a create was refused."""
        while self.active != spec:
            cohorts = tuple(self.cohorts())
            state = replicaset.ReplicaSetPods(spec, cohorts, self._queue.now_ms, admitted, UNLIMITED, unlucky)
            writes = replicaset.sync(state)
            if writes.create:
                self.create(writes.create)
                admitted -= writes.create
            self.delete(writes.delete)
            if writes.failed:
                return True
        return False

    def delete(self, victims: tuple[tuple[int, int], ...]) -> int:
        """Delete pods by index of cohort; they go after `timing.gone_ms`. Returns how many."""
        groups = [self._settled, *self._groups]
        for index, count in victims:
            groups[index].count -= count
        total = sum(count for _, count in victims)
        if total:
            self.terminating += total
            self._queue.push(self._queue.now_ms + self.timing.gone_ms, lambda: self._go(total))
        return total

    def _go(self, count: int) -> Happening:
        self.terminating -= count
        self.dirty = True
        return Happening("ended", count)
