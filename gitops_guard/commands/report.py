"""`gitops-guard report`: tell one or several plans, written by jobs that may not post themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from gitops_guard.commands.telling import Telling, gate_of, tell
from gitops_guard.errors import PlanError, UsageError
from gitops_guard.forge.surroundings import surroundings
from gitops_guard.model import CheckError, Finding, Severity
from gitops_guard.model.pull import PullPlan, UnitChanges
from gitops_guard.report.pull.plan_json import MAX_BYTES
from gitops_guard.report.pull.plan_reader import read_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """The command line of `report`."""

    plans: tuple[str, ...]
    fail_on: Severity = Severity.ERROR
    fail_on_rollout: str = "stuck"
    unseen_passes: bool = False
    repository: str | None = None
    telling: Telling = field(default_factory=Telling)


def run(request: ReportRequest, environment: Mapping[str, str]) -> int:
    """Read, join and tell the plans; the gate is the stricter one of ours and theirs.

    Args:
        request: The command line.
        environment: The process's variables.

    Raises:
        PlanError: A plan is not to be trusted, or belongs to another pull request.
        ForgeError: The host refuses.
    """
    around = surroundings(environment)
    if request.repository is not None:
        around = replace(around, repository=request.repository)
    plan = join([_read(path) for path in request.plans])
    plan = replace(plan, is_fork=plan.is_fork or around.is_fork)
    ours = gate_of(request.fail_on, request.fail_on_rollout, unseen_passes=request.unseen_passes)
    return tell(plan, replace(request.telling, verify=True), environment, around, gate=ours.stricter(plan.gate))


def severity_of(text: str | None) -> Severity:
    """Read `--fail-on`; the mildest gate is the default, since the plan's own is never loosened.

    Raises:
        UsageError: It is no severity.
    """
    if text is None:
        return Severity.ERROR
    try:
        return Severity(text)
    except ValueError:
        raise UsageError(f"--fail-on: {text} is no severity; error, warning or note") from None


def _read(path: str) -> PullPlan:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return read_plan(data)
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from None


def join(plans: Sequence[PullPlan]) -> PullPlan:
    """Join the plans of one change: its shards, or one plan a cluster.

    A shard that is missing is something that could not be checked.

    Raises:
        PlanError: They are of different changes, or the same shard comes twice.
    """
    first = plans[0]
    for other in plans[1:]:
        if _about(other) != _about(first):
            raise PlanError("the plans are not all of the same repository, pull request, head and base")
    gate = first.gate
    for other in plans[1:]:
        gate = gate.stricter(other.gate)
    return replace(
        first,
        is_merged=all(plan.is_merged for plan in plans),
        is_fork=any(plan.is_fork for plan in plans),
        run=max(plan.run for plan in plans),
        duration_s=max(plan.duration_s for plan in plans),
        gate=gate,
        units=_units(plans),
        findings=_findings(plans),
        known=sum(plan.known for plan in plans),
        silenced=sum(plan.silenced for plan in plans),
        accepted=tuple(sorted({one for plan in plans for one in plan.accepted})),
        errors=(*chain.from_iterable(plan.errors for plan in plans), *_missing(plans)),
        known_errors=sum(plan.known_errors for plan in plans),
        unseen=tuple(sorted({entry for plan in plans for entry in plan.unseen})),
        drift=_drift(plans),
        versions=tuple(sorted({version for plan in plans for version in plan.versions})),
        shard=None,
        notes=tuple(sorted({note for plan in plans for note in plan.notes})),
    )


def _about(plan: PullPlan) -> tuple[object, ...]:
    return (plan.repository, plan.number, plan.head, plan.base)


def _units(plans: Sequence[PullPlan]) -> tuple[UnitChanges, ...]:
    found: dict[tuple[str, str, str], UnitChanges] = {}
    for unit in chain.from_iterable(plan.units for plan in plans):
        key = (unit.cluster, unit.name, unit.kind)
        if key in found:
            raise PlanError("two plans tell of the same unit on the same cluster; give each plan once")
        found[key] = unit
    return tuple(found[key] for key in sorted(found))


def _findings(plans: Sequence[PullPlan]) -> tuple[Finding, ...] | None:
    """Join the findings; those of one plan that was not checked are missing in all."""
    known = [plan.findings for plan in plans if plan.findings is not None]
    return tuple(chain.from_iterable(known)) if len(known) == len(plans) else None


def _drift(plans: Sequence[PullPlan]) -> tuple[UnitChanges, ...] | None:
    known = [plan.drift for plan in plans if plan.drift is not None]
    return tuple(chain.from_iterable(known)) if known else None


def _missing(plans: Sequence[PullPlan]) -> list[CheckError]:
    """Name the shards that nobody brought."""
    totals = {plan.shard.total for plan in plans if plan.shard is not None}
    if len(totals) > 1 or (totals and any(plan.shard is None for plan in plans)):
        raise PlanError("the plans are of different divisions into shards")
    there = [plan.shard.index for plan in plans if plan.shard is not None]
    if len(there) != len(set(there)):
        raise PlanError("the same shard comes twice; give each plan once")
    missing = [index for total in totals for index in range(total) if index not in there]
    return [
        CheckError(path="", line=0, column=0, message=f"shard {index} of {len(there) + len(missing)} brought no plan")
        for index in missing
    ]
