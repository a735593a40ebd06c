"""The verdict on a pull request: worked out from its plan by whoever tells it, so that no plan can claim one."""

from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.model.finding import CheckError, Finding, Skipped
from gitops_guard.model.pull import Gate, PullPlan
from gitops_guard.model.rollout import Rollout


class Outcome(StrEnum):
    """What a plan comes to; the order is that of precedence."""

    BLOCKED = "blocked"
    """Something stops the merge."""

    UNCHECKED = "could not check"
    UNSEEN = "not all previewed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on a plan, worked out by whoever tells it."""

    outcome: Outcome
    blocking: tuple[Finding, ...]
    """New findings and hazards that stop the merge; the worst first."""

    stopped: tuple[tuple[str, Rollout], ...]
    """(cluster, prediction) that stops the merge."""

    warnings: tuple[Finding, ...]
    """New findings and hazards that do not."""

    errors: tuple[CheckError, ...]
    unseen: tuple[Skipped, ...]

    @property
    def exit_code(self) -> int:
        """Return the gate's exit code."""
        return {Outcome.PASSED: 0, Outcome.BLOCKED: 1, Outcome.UNCHECKED: 2, Outcome.UNSEEN: 2}[self.outcome]


def judge(plan: PullPlan, gate: Gate) -> Judgement:
    """Work out what a plan comes to.

    Args:
        plan: The whole of it: all shards together.
        gate: The one in force.
    """
    found = _findings(plan)
    blocking = tuple(one for one in found if one.severity.rank <= gate.fail_on.rank)
    errors = _errors(plan)
    stopped = tuple(
        (unit.cluster, rollout)
        for unit in plan.units
        for rollout in unit.rollouts or ()
        if gate.rollout.stops(rollout.verdict)
    )
    outcome = Outcome.PASSED
    if plan.unseen and not gate.unseen_passes:
        outcome = Outcome.UNSEEN
    if errors:
        outcome = Outcome.UNCHECKED
    if blocking or stopped:
        outcome = Outcome.BLOCKED
    return Judgement(
        outcome=outcome,
        blocking=blocking,
        stopped=stopped,
        warnings=tuple(one for one in found if one.severity.rank > gate.fail_on.rank),
        errors=errors,
        unseen=plan.unseen,
    )


def _findings(plan: PullPlan) -> list[Finding]:
    """Return findings and hazards, the worst first; the same hazard on several clusters once."""
    seen: dict[tuple[str, str], Finding] = {}
    for finding in (*(plan.findings or ()), *(hazard for unit in plan.units for hazard in unit.hazards)):
        seen.setdefault((finding.fingerprint, finding.location.path), finding)
    return sorted(seen.values(), key=lambda finding: (finding.severity.rank, finding.sort_key))


def _errors(plan: PullPlan) -> tuple[CheckError, ...]:
    errors = [*plan.errors, *(error for unit in plan.units for error in unit.errors)]
    if plan.findings is None:
        errors.append(CheckError(path="", line=0, column=0, message="the manifests were not checked"))
    if any(unit.rollouts is None for unit in plan.units):
        errors.append(CheckError(path="", line=0, column=0, message="rollouts were not simulated"))
    return tuple(sorted(set(errors), key=lambda error: error.sort_key))
