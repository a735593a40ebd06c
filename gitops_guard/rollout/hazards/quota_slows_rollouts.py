"""quota-slows-rollouts: the rollouts of one change together want more extra pods than the quota has room for."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard, at
from gitops_guard.rollout.hazards.quota_usage import claims, elsewhere, hard_limits


def find(change: Change) -> Iterator[Hazard]:
    """Yield quotas that the extra pods of all rollouts at once do not fit into, although each alone would."""
    for quota in change.of_kind("ResourceQuota"):
        for name, hard in hard_limits(quota).items():
            found = list(claims(change, quota.scope, name))
            rolling = [claim for claim in found if claim.surge and claim.pod]
            steady = sum(claim.steady for claim in found) + elsewhere(change, quota, name, found)
            extra = sum(claim.surge * claim.pod for claim in rolling)
            alone = all(steady + claim.surge * claim.pod <= hard for claim in rolling)
            if quota.after is None or len(rolling) < 2 or not alone or steady + extra <= hard:
                continue
            message = (
                f"{len(rolling)} rollouts at once want {float(steady + extra):g} {name}, {float(hard):g} are allowed:"
                " refused pods are tried again after up to 16 minutes"
            )
            field = ("spec", "hard", name)
            yield at(quota, rolling[0].pair, Problem(rule="quota-slows-rollouts", field=field, message=message))
