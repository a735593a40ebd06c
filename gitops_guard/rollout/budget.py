"""How many pods may be extra or missing during a rollout: percentages, rounding and their pitfalls."""

from functools import lru_cache
from typing import NamedTuple, TypeAlias

IntOrPercent: TypeAlias = int | str
"""`3` or `"25%"`, as manifests write it."""


def scaled(value: IntOrPercent, total: int, *, round_up: bool) -> int:
    """Return how many of `total` pods a number or percentage means.

    As k8s.io/apimachinery/pkg/util/intstr intstr.go:GetScaledValueFromIntOrPercent.

    Raises:
        ValueError: The text is no percentage; the API server would have refused it.
    """
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%")
    if digits == value or not digits.isdecimal() or not digits.isascii():
        raise ValueError(f"{value!r} is neither a number of pods nor a percentage")
    product = int(digits) * total
    return -(-product // 100) if round_up else product // 100


class Budget(NamedTuple):
    """What a rolling update may do at once."""

    surge: int
    """Pods beyond the wanted number."""

    unavailable: int
    """Pods missing from the wanted number."""


def resolve_fenceposts(max_surge: IntOrPercent, max_unavailable: IntOrPercent, replicas: int) -> Budget:
    """Return both limits in pods: pkg/controller/deployment/util/deployment_util.go:ResolveFenceposts (v1.36.3).

    Surge rounds up, unavailability down, and where both come out as 0 one pod may be missing, so that rounding alone
    stops no rollout.
    """
    surge = scaled(max_surge, replicas, round_up=True)
    unavailable = scaled(max_unavailable, replicas, round_up=False)
    return Budget(surge, unavailable if surge or unavailable else 1)


@lru_cache(maxsize=1024)
def rolling_budget(max_surge: IntOrPercent, max_unavailable: IntOrPercent, replicas: int) -> Budget:
    """Return the surge and the unavailability that a rolling update of a Deployment may use.

    As util/deployment_util.go:MaxSurge and MaxUnavailable.
    """
    budget = resolve_fenceposts(max_surge, max_unavailable, replicas)
    return Budget(budget.surge, min(budget.unavailable, replicas))


def quiescent_counts(replicas: int, budget: Budget, available_new: int) -> tuple[int, int]:
    """Return the sizes (old, new) at which a rolling update rests with so many new pods available.

    The closed form of the event simulation when all old pods are healthy and the wanted number does not change: a
    cross-check for tests and a quick answer for callers that need no times.
    """
    old = max(0, replicas - budget.unavailable - available_new)
    return old, min(replicas, replicas + budget.surge - old)
