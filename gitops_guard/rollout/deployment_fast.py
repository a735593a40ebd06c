"""The likely way of a plain rolling update, without asking the controllers at every step: the closed form, in time.

Where all old pods are healthy, nobody changes the Deployment meanwhile and nothing limits it, the controllers rest at
`budget.quiescent_counts` whenever a pod becomes available. So their syncs need not be simulated: what is left are the
pods' own times. A property test holds this to the simulation of the controllers.
"""

import heapq
from collections.abc import Mapping
from typing import NamedTuple

from gitops_guard.model.rollout import Step
from gitops_guard.rollout.budget import quiescent_counts
from gitops_guard.rollout.deployment import DeploymentSpec
from gitops_guard.rollout.events import Happening, tell
from gitops_guard.rollout.pods import UNLIMITED, PodTiming
from gitops_guard.rollout.timeline import MAX_STEPS, Moment, Timeline

READY, AVAILABLE, ENDED = "became ready", "became available", "ended"


def is_plain(before: DeploymentSpec, after: DeploymentSpec, timing: Mapping[str, PodTiming]) -> bool:
    """Tell whether the closed form holds for a change."""
    new, old = timing[after.template], timing[before.template]
    deadline_ms = after.deadline_s * 1000
    rolls = not (after.recreate or after.paused or before.paused) and before.template != after.template
    timely = 0 < new.ready_ms < deadline_ms and new.until_available_ms(after.min_ready_s) < deadline_ms
    return (
        rolls
        and timely
        and 0 < before.replicas == after.replicas
        and old.gone_ms > 0
        and new.places == old.places == UNLIMITED
        and after.history_limit > 0
    )


class _Event(NamedTuple):
    at_ms: int
    sequence: int
    what: str
    pods: int


class _Rolling:
    """The counts while a rolling update goes on."""

    def __init__(self, before: DeploymentSpec, after: DeploymentSpec, timing: Mapping[str, PodTiming]) -> None:
        self.spec = after
        self.names = (before.template, after.template)
        self.ready_ms = timing[after.template].ready_ms
        self.available_ms = timing[after.template].until_available_ms(after.min_ready_s)
        self.gone_ms = timing[before.template].gone_ms
        self.now_ms = 0
        self.old, self.new = after.replicas, 0
        self.ready = self.available = self.terminating = 0
        self.moments: list[Moment] = []
        self.completed_ms: int | None = None
        self._events: list[_Event] = []
        self._sequence = 0

    def run(self) -> Timeline | None:
        """Go on to the end; None where that takes too many steps."""
        self._follow()
        self._record("the Deployment changed")
        while self._events:
            self._record(self._happen())
            if len(self.moments) >= MAX_STEPS:
                return None
        return Timeline(tuple(self.moments), self.completed_ms)

    def _push(self, after_ms: int, what: str, pods: int) -> None:
        if pods:
            self._sequence += 1
            heapq.heappush(self._events, _Event(self.now_ms + after_ms, self._sequence, what, pods))

    def _create(self, pods: int) -> None:
        self.new += pods
        self._push(self.ready_ms, READY, pods)

    def _follow(self) -> None:
        """Bring the ReplicaSets to where the controllers rest: old pods go first, then new ones come."""
        old, new = quiescent_counts(self.spec.replicas, self.spec.budget, self.available)
        retired = self.old - old
        self.old = old
        self.terminating += retired
        self._push(self.gone_ms, ENDED, retired)
        self._create(new - self.new)

    def _happen(self) -> str:
        """Let everything of the next moment happen, and put it into words."""
        self.now_ms = self._events[0].at_ms
        happened = []
        while self._events and self._events[0].at_ms == self.now_ms:
            event = heapq.heappop(self._events)
            happened.append(Happening(event.what, event.pods))
            self._apply(event)
        self._follow()
        if self.completed_ms is None and self.available == self.spec.replicas:
            self.completed_ms = self.now_ms
        return tell(happened)

    def _apply(self, event: _Event) -> None:
        if event.what is ENDED:
            self.terminating -= event.pods
        elif event.what is READY:
            self.ready += event.pods
            if self.available_ms:
                self._push(self.available_ms, AVAILABLE, event.pods)
            else:
                self.available += event.pods
        else:
            self.available += event.pods

    def _record(self, cause: str) -> None:
        step = Step(
            t_s=self.now_ms / 1000,
            old=self.old,
            new=self.new,
            ready=self.old + self.ready,
            available=self.old + self.available,
            terminating=self.terminating,
            cause=cause,
        )
        sizes = ((self.names[0], self.old), (self.names[1], self.new))
        self.moments.append(Moment(step, sizes, self.ready))


def rolling_timeline(before: DeploymentSpec, after: DeploymentSpec, timing: Mapping[str, PodTiming]) -> Timeline | None:
    """Return the likely way of a plain rolling update; None where only the simulation knows it.

    Args:
        before: The Deployment at rest.
        after: The Deployment as merged.
        timing: How long pods take, by name of template.
    """
    return _Rolling(before, after, timing).run() if is_plain(before, after, timing) else None
