"""quota-blocks-rollout: a rollout that needs an extra pod has no room for one, or the change as a whole has none."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard, at
from gitops_guard.rollout.hazards.quota_usage import Claim, claims, elsewhere, hard_limits


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads that a ResourceQuota of the same change stops for good."""
    for quota in change.of_kind("ResourceQuota"):
        for name, hard in hard_limits(quota).items():
            found = list(claims(change, quota.scope, name))
            hard -= elsewhere(change, quota, name, found)
            yield from _too_large(quota, name, hard, found)
            yield from _no_room(quota, name, hard, found)


def _too_large(quota: Pair, name: str, hard: Fraction, found: Sequence[Claim]) -> Iterator[Hazard]:
    """What the workloads want when all is done does not fit."""
    total = sum(claim.after for claim in found)
    touched = quota.changed or any(claim.after > claim.before for claim in found)
    if quota.after is not None and total > hard and touched:
        message = f"the workloads of the namespace want {_shown(total)} {name}, {_shown(hard)} are allowed"
        problem = Problem(rule="quota-blocks-rollout", field=("spec", "hard", name), message=message)
        yield at(quota, max(found, key=lambda claim: claim.after - claim.before).pair, problem)


def _no_room(quota: Pair, name: str, hard: Fraction, found: Sequence[Claim]) -> Iterator[Hazard]:
    """An extra pod does not fit beside what is there, so no old pod ever goes."""
    if sum(claim.after for claim in found) > hard:
        return
    for claim in found:
        others = sum(other.after for other in found if other is not claim)
        used = others + claim.before
        if claim.rigid and claim.pod and used + claim.pod > hard and claim.pair.after is not None:
            message = (
                f"maxUnavailable is 0 and one extra pod ({_shown(claim.pod)} {name}) does not fit into ResourceQuota"
                f" {quota.id.name}: {_shown(used)} of {_shown(hard)} are taken"
            )
            field = ("spec", "strategy")
            yield Hazard(claim.pair.after, Problem(rule="quota-blocks-rollout", field=field, message=message))


def _shown(amount: Fraction | int) -> str:
    return f"{float(amount):g}"
