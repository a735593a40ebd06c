"""What a run records, and what can be read off the record."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from gitops_guard.model.rollout import Step

MAX_ROUNDS = 10_000
"""Controller rounds at one moment before a run is called a livelock."""

MAX_STEPS = 50_000
"""Moments of one run before it is called capped."""


class LivelockError(Exception):
    """The controllers never come to rest at one moment: a mistake in a simulator, or a bug of the controllers."""


class Moment(NamedTuple):
    """What a run records each time the controllers have come to rest."""

    step: Step
    sizes: tuple[tuple[str, int], ...] = ()
    """spec.replicas of every ReplicaSet, oldest first; empty for workloads without."""

    ready_new: int = 0
    """Ready pods of the new version."""


class Timeline(NamedTuple):
    """One finished run, whatever the workload."""

    moments: tuple[Moment, ...]
    completed_ms: int | None
    """When the rollout was complete; None when it never is."""

    capped: bool = False
    timed_out_ms: int | None = None
    """When the progress deadline passed without progress."""

    ending: str = ""
    """What a rollout that is not complete stands still at, where the controller itself stopped it."""

    waits_for_person: bool = False
    """Whether it stands still by intention, until somebody lets it go on."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps at which a count changed, each with what caused it."""
        kept: list[Step] = []
        for moment in self.moments:
            if not kept or _counts(kept[-1]) != _counts(moment.step):
                kept.append(moment.step)
        return tuple(kept)

    @property
    def least_available(self) -> int:
        """Return the lowest number of available pods."""
        return min((moment.step.available for moment in self.moments), default=0)

    @property
    def peak_pods(self) -> int:
        """Return the highest number of pods that run, without terminating ones."""
        return max((moment.step.old + moment.step.new for moment in self.moments), default=0)

    @property
    def peak_existing(self) -> int:
        """Return the highest number of pods that exist, with terminating ones."""
        return max((existing(moment.step) for moment in self.moments), default=0)

    @property
    def downtime_s(self) -> float | None:
        """Return for how long no pod is available; None when it never ends."""
        return _time_below(self.steps, 1)


def existing(step: Step) -> int:
    """Return the pods that quota and nodes have to hold at a step."""
    return step.old + step.new + step.terminating


def _counts(step: Step) -> tuple[int, int, int, int, int, float | None]:
    return step.old, step.new, step.ready, step.available, step.terminating, step.traffic


def _time_below(steps: Sequence[Step], least: int) -> float | None:
    if not steps:
        return 0.0
    if steps[-1].available < least:
        return None
    return sum(after.t_s - step.t_s for step, after in pairwise(steps) if step.available < least)
