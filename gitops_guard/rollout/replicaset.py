"""The ReplicaSet controller: how many pods it creates, and which it deletes first.

Pods that no rule can tell apart are kept together in a cohort: 10,000 pods cost no more than 10.
Rules from kubernetes v1.36.3, pkg/controller/replicaset/replica_set.go and pkg/controller/controller_utils.go.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

BURST_REPLICAS = 500
"""The most pods one sync creates or deletes: replica_set.go:BurstReplicas."""

BACKOFF_BASE_MS = 5
BACKOFF_CAP_MS = 1_000_000
"""Limits of the retry delay: client-go util/workqueue default_rate_limiters.go:DefaultTypedControllerRateLimiter."""

DAY_MS = 86_400_000


class Cohort(NamedTuple):
    """Active pods of one ReplicaSet that are alike, as its controller's cache shows them."""

    size: int
    running: bool
    """Phase Running rather than Pending."""

    ready_since_ms: int | None
    """None while not ready."""

    created_ms: int = 0
    available: bool = False
    """Only breaks ties that the controller breaks by UID, that is, by chance."""

    assigned: bool = True
    """Bound to a node."""

    deletion_cost: int = 0
    """Annotation controller.kubernetes.io/pod-deletion-cost."""

    neighbours: int = 0
    """Active pods of the same Deployment on the same node."""

    restarts: int = 0


class ReplicaSetPods(NamedTuple):
    """What one sync of the controller sees."""

    spec: int
    cohorts: Sequence[Cohort]
    now_ms: int
    admitted: int
    """How many more pods the API server would let in (quota); a limit that others use up at the same time."""

    burst: int = BURST_REPLICAS
    """The most pods to create or delete; more where the next sync follows in the same moment anyway."""

    unlucky: bool = False
    """Whether chance picks the most useful pod (the worst way) or the youngest (the likely way)."""


class PodWrites(NamedTuple):
    """What one sync does."""

    create: int
    """Pods created."""

    delete: tuple[tuple[int, int], ...]
    """(index of a cohort, pods deleted from it)."""

    failed: bool
    """A create was refused: condition ReplicaFailure, and a retry after `retry_delay_ms`."""


def sync(state: ReplicaSetPods) -> PodWrites:
    """Return what the controller does to reach `spec`: replica_set.go:manageReplicas."""
    diff = sum(cohort.size for cohort in state.cohorts) - state.spec
    if diff < 0:
        wanted = min(-diff, state.burst)
        created = slow_start(wanted, state.admitted)
        return PodWrites(created, (), created < wanted)
    if diff > 0:
        return PodWrites(0, _victims(state, min(diff, state.burst)), failed=False)
    return PodWrites(0, (), failed=False)


def slow_start(wanted: int, admitted: int) -> int:
    """Return how many creates succeed in batches of 1, 2, 4 .. up to a failure: replica_set.go:slowStartBatch.

    The calls of a batch are made together, so those that still fit succeed even in the batch that fails.
    """
    done, batch = 0, min(1, wanted)
    while batch > 0:
        succeeded = min(batch, max(0, admitted - done))
        done += succeeded
        if succeeded < batch:
            break
        batch = min(2 * batch, wanted - done)
    return done


def retry_delay_ms(failures: int) -> int:
    """Return the delay before the next try after so many failures in a row; 0 is the first."""
    return min(BACKOFF_BASE_MS << min(failures, 40), BACKOFF_CAP_MS)


def _victims(state: ReplicaSetPods, number: int) -> tuple[tuple[int, int], ...]:
    order = sorted(range(len(state.cohorts)), key=lambda index: _rank(state.cohorts[index], state))
    chosen: list[tuple[int, int]] = []
    for index in order:
        take = min(number, state.cohorts[index].size)
        if take:
            chosen.append((index, take))
            number -= take
    return tuple(chosen)


def _rank(pod: Cohort, state: ReplicaSetPods) -> tuple[int, ...]:
    """Return what orders pods for deletion, lowest first: controller_utils.go:ActivePodsWithRanks.Less.

    Times have whole seconds in the API. Ages of one power of two are equal to the controller, which then asks the UID.
    """
    ready = pod.ready_since_ms is not None
    ready_age = _age_bucket(state.now_ms, pod.ready_since_ms) if pod.ready_since_ms is not None else 0
    luck = pod.available if state.unlucky else not pod.available
    youngest = 0 if state.unlucky else -(pod.ready_since_ms or pod.created_ms)
    return (
        int(pod.assigned),
        int(pod.running),
        int(ready),
        pod.deletion_cost,
        -pod.neighbours,
        ready_age,
        -pod.restarts if not ready else 0,
        _age_bucket(state.now_ms, pod.created_ms) if not ready else 0,
        0 if luck else 1,
        youngest,
    )


def _age_bucket(now_ms: int, since_ms: int) -> int:
    """Return controller_utils.go:logarithmicRankDiff's power of two, of whole seconds in nanoseconds."""
    seconds = now_ms // 1000 - since_ms // 1000
    return int(math.log2(seconds * 1_000_000_000)) if seconds > 0 else -1
