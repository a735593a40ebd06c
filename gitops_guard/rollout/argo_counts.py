"""How many pods an Argo Rollouts canary wants: the arithmetic of weights.

Rules from argo-rollouts v1.9.0, utils/replicaset/canary.go.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from gitops_guard.rollout.budget import Budget


class CountedSet(NamedTuple):
    """Size of a ReplicaSet, and its pods that are available."""

    spec: int
    available: int


def weighted_counts(replicas: int, weight: int, max_weight: int, surge: int) -> tuple[int, int]:
    """Return (canary, stable) whose ratio is nearest to a weight: approximateWeightedCanaryStableReplicaCounts."""
    if replicas == 0:
        return 0, 0
    high, low = math.ceil(replicas * weight / max_weight), math.floor(replicas * weight / max_weight)
    # Only at the ends, or where one pod has to do, may a side be empty.
    edge = weight in (0, max_weight) or (replicas == 1 and surge == 0)
    options: list[tuple[int, int]] = []
    if high < replicas or edge:
        options.append((high, replicas))
    if not _tied(weight, max_weight, replicas) and (low or edge):
        options.append((low, replicas))
    if surge > 0:
        options.append((high, replicas + 1))
        if not _tied(weight, max_weight, replicas + 1) and (low or edge):
            options.append((low, replicas + 1))
    if not options:
        return 0, replicas
    canary, total = min(options, key=lambda option: abs(option[0] * max_weight / option[1] - weight))
    return canary, total - canary


def _tied(weight: int, max_weight: int, total: int) -> bool:
    """floorCeilingTied: both roundings are as near."""
    return math.modf(total * (weight / max_weight))[0] == 0.5


def basic_counts(
    replicas: int,
    budget: Budget,
    wanted: tuple[int, int],
    canary: CountedSet,
    stable: CountedSet | None,
    others: Sequence[CountedSet],
) -> tuple[int, int]:
    """Return (canary, stable) for the next write without traffic routing: CalculateReplicaCountsForBasicCanary.

    Args:
        replicas: spec.replicas.
        budget: maxSurge and maxUnavailable in pods.
        wanted: (canary, stable) of the current weight.
        canary: The set of the new version.
        stable: The set of the stable version; None when it is the new one.
        others: Sets in between, of versions that were never promoted.
    """
    want_canary, want_stable = wanted if stable is not None else (replicas, 0)
    old_canary, old_stable = canary.spec, stable.spec if stable is not None else 0
    most = replicas + budget.surge
    up = most - old_canary - old_stable - sum(other.spec for other in others)
    new_stable = old_stable
    if stable is not None and old_stable < want_stable and up > 0:
        new_stable = min(old_stable + up, want_stable)
        up -= new_stable - old_stable
    new_canary = old_canary
    if old_canary < want_canary and up > 0:
        new_canary = min(old_canary + up, want_canary)
    if any(other.spec for other in others):
        return new_canary, new_stable
    return _drained(
        replicas - budget.unavailable, most, (want_canary, want_stable), canary, stable, new_canary, new_stable
    )


def _drained(
    least: int,
    most: int,
    wanted: tuple[int, int],
    canary: CountedSet,
    stable: CountedSet | None,
    new_canary: int,
    new_stable: int,
) -> tuple[int, int]:
    """Take pods from the side that shrinks, as far as availability allows."""
    increasing = wanted[0] >= canary.spec
    spare = _countable(canary, ignore_availability=not increasing)
    spare += _countable(stable, ignore_availability=increasing) if stable is not None else 0
    surplus = spare - least
    if surplus <= 0:
        return new_canary, new_stable
    if not increasing:
        if canary.spec > wanted[0]:
            new_canary = max(wanted[0], canary.spec - surplus)
        new_canary, new_stable = _within_limits(canary, stable, new_canary, new_stable, most, least)
    elif stable is not None:
        if stable.spec > wanted[1]:
            new_stable = max(wanted[1], stable.spec - surplus)
        new_stable, new_canary = _within_limits(stable, canary, new_stable, new_canary, most, least)
    return new_canary, new_stable


def _countable(one: CountedSet, *, ignore_availability: bool) -> int:
    """GetReplicasForScaleDown."""
    return one.spec if ignore_availability or one.spec < one.available else one.available


def _within_limits(
    drained: CountedSet, other: CountedSet | None, new_drained: int, new_other: int, most: int, least: int
) -> tuple[int, int]:
    """adjustReplicaWithinLimits; returns (drained, other)."""
    if other is None:
        return new_drained, new_other
    new_other -= max(0, new_other + new_drained - most)
    have = min(drained.available, new_drained) + min(other.available, new_other)
    new_other += min(max(0, other.available - new_other), max(0, least - have))
    return new_drained - max(0, new_other + new_drained - most), new_other


def weight_to_replicas(replicas: int, weight: int, max_weight: int) -> int:
    """Return the pods of a share of the traffic: trafficWeightToReplicas."""
    return math.ceil(weight * replicas / max_weight)
