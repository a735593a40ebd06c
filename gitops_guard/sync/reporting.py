"""What a run says of itself: every object once, drift, health, guards, and one verdict."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from gitops_guard.cluster import Client
from gitops_guard.errors import GuardError
from gitops_guard.model import ResourceId
from gitops_guard.model.sync import (
    Drift,
    DriftClass,
    GuardTrip,
    HealthStatus,
    ObjectChange,
    ObjectHealth,
    SyncAction,
    SyncReport,
    SyncVerdict,
)
from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.objects import Key
from gitops_guard.sync.planning import Item, Step
from gitops_guard.sync.preparing import Prepared
from gitops_guard.sync.request import Request

_MOST_WARNINGS = 20
_WELL = (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL)


@dataclass(slots=True, kw_only=True)
class Facts:
    """What a run has gathered."""

    request: Request
    prepared: Prepared | None = None
    """None when it ended before there was a plan."""

    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    health: tuple[ObjectHealth, ...] = ()
    guards: list[GuardTrip] = field(default_factory=list)
    """Those that tripped after the plan."""

    notes: list[str] = field(default_factory=list)
    verdict: SyncVerdict | None = None
    """Given where it does not follow from the rest."""

    stopped: str = ""
    fatal: GuardError | None = None
    read_only: bool = False
    started_s: float = field(default_factory=time.monotonic)


def report_of(facts: Facts, client: Client) -> SyncReport:
    """Make the report."""
    changes = tuple(sorted(_changes(facts), key=lambda one: one.sort_key))
    guards = (*(facts.prepared.guards if facts.prepared is not None else ()), *facts.guards)
    drift = tuple(sorted([*facts.drift, *_found_by_plan(facts)], key=lambda one: one.sort_key))
    return SyncReport(
        set_name=facts.request.name.name,
        revision=facts.request.rendered.revision,
        verdict=facts.verdict or _verdict(facts, changes, guards, drift),
        dry_run=facts.request.dry_run,
        read_only=facts.read_only,
        changes=changes,
        drift=drift,
        health=facts.health,
        guards=guards,
        notes=_all_notes(facts, client),
        requests=sum(client.counts.values()),
        duration_s=round(time.monotonic() - facts.started_s, 3),
    )


def _all_notes(facts: Facts, client: Client) -> tuple[str, ...]:
    stopped = [facts.stopped] if facts.stopped else []
    return (*stopped, *facts.request.rendered.notes, *facts.notes, *_notes(facts), *_warnings(client))


def _changes(facts: Facts) -> Iterator[ObjectChange]:
    if facts.prepared is None:
        return
    for item in facts.prepared.plan.items:
        outcome = facts.outcomes.get(item.key)
        if outcome is not None:
            yield ObjectChange(action=outcome.action, id=id_of(item), reason=outcome.reason, fields=outcome.fields)
        else:
            yield _without_outcome(item, facts)
    yield from _hooks(facts.prepared, facts)
    for out in facts.prepared.left_out:
        action = SyncAction.BLOCKED if out.is_wrong else SyncAction.SKIPPED
        yield ObjectChange(action=action, id=out.wanted.id, reason=out.reason)


def _hooks(prepared: Prepared, facts: Facts) -> Iterator[ObjectChange]:
    """Yield what became of the hooks, and which would run."""
    due = {one.desired.key: one for one in prepared.due_hooks}
    for one in due.values():
        outcome = facts.outcomes.get(one.desired.key)
        if outcome is not None:
            yield ObjectChange(action=outcome.action, id=one.desired.id, reason=outcome.reason)
        else:
            looks = facts.read_only or facts.request.dry_run
            why = "the next sync runs it" if looks else "the run ended before it was its turn"
            yield ObjectChange(action=SyncAction.SKIPPED, id=one.desired.id, reason=f"hook ({one.word}): {why}")
    memories = {one.memory for one in due.values()}
    for one in prepared.hooks:
        if one.memory not in memories:
            reason = f"hook ({one.word}): it ran for what Git wants"
            yield ObjectChange(action=SyncAction.UNCHANGED, id=one.desired.id, reason=reason)


def _without_outcome(item: Item, facts: Facts) -> ObjectChange:
    one = id_of(item)
    if item.step is Step.CLEAN:
        return ObjectChange(action=SyncAction.UNCHANGED, id=one)
    if item.step is Step.BLOCK:
        return ObjectChange(action=SyncAction.BLOCKED, id=one, reason=item.reason)
    if item.step is Step.PRUNE:
        return ObjectChange(action=SyncAction.SKIPPED, id=one, reason=_why_kept(facts))
    reason = item.reason or "the run ended before it was its turn"
    return ObjectChange(action=SyncAction.SKIPPED, id=one, reason=reason)


def _why_kept(facts: Facts) -> str:
    if not facts.request.prune:
        return "it left Git; --prune deletes it"
    return "it left Git, and a guard keeps it"


def id_of(item: Item) -> ResourceId:
    """Return an item's name, with the version that is known of it."""
    if item.desired is not None:
        return item.desired.id
    version = item.live.version if item.live is not None else item.entry.version if item.entry is not None else ""
    key = item.key
    return ResourceId(
        group=key.group, version=version.rpartition("/")[2], kind=key.kind, namespace=key.namespace, name=key.name
    )


def _found_by_plan(facts: Facts) -> Iterator[Drift]:
    """Yield what the lists alone tell: what is gone, and what another set has taken."""
    for item in facts.prepared.plan.items if facts.prepared is not None else ():
        if item.is_missing:
            outcome = facts.outcomes.get(item.key)
            is_back = outcome is not None and outcome.body is not None
            message = "made anew" if is_back else ""
            yield Drift(id=id_of(item), drift_class=DriftClass.MISSING, message=message, is_corrected=is_back)
        elif item.stolen_by:
            message = f"it is in the set {item.stolen_by} now"
            yield Drift(id=id_of(item), drift_class=DriftClass.STOLEN, have=item.stolen_by, message=message)


def _notes(facts: Facts) -> Iterator[str]:
    if facts.prepared is None:
        return
    ignoring = facts.prepared.ignoring
    for rule in ignoring.expired:
        yield f"the rule to ignore {rule} has expired on {rule.until}"
    for rule in ignoring.unused:
        yield f"the rule to ignore {rule} is of no use: nothing is met that it is about"
    for group, kind in sorted(facts.prepared.sight.blind):
        yield f"{kind}{'.' if group else ''}{group} cannot be listed everywhere: nothing of it is deleted"


def _warnings(client: Client) -> list[str]:
    return [f"the server warns: {text}" for text in client.warnings[:_MOST_WARNINGS]]


def _verdict(
    facts: Facts, changes: tuple[ObjectChange, ...], guards: tuple[GuardTrip, ...], drift: tuple[Drift, ...]
) -> SyncVerdict:
    if facts.stopped:
        return SyncVerdict.UNAVAILABLE if "does not answer" in facts.stopped else SyncVerdict.INTERRUPTED
    if facts.fatal is not None:
        return SyncVerdict.UNAVAILABLE
    if any(one.is_unknown for one in facts.outcomes.values()):
        return SyncVerdict.UNAVAILABLE
    if any(one.action is SyncAction.BLOCKED for one in changes):
        return SyncVerdict.FAILED
    if facts.request.wait and any(one.status not in _WELL for one in facts.health):
        return SyncVerdict.UNHEALTHY
    if any(one.is_held for one in facts.outcomes.values()):
        return SyncVerdict.UNHEALTHY
    if any(one.status is HealthStatus.FAILED for one in facts.health):
        return SyncVerdict.UNHEALTHY
    if guards:
        return SyncVerdict.GUARDED
    return _drift_or_done(facts, changes, drift)


def _drift_or_done(facts: Facts, changes: tuple[ObjectChange, ...], drift: tuple[Drift, ...]) -> SyncVerdict:
    looks = facts.read_only or facts.request.dry_run
    if any(not one.is_corrected for one in drift):
        return SyncVerdict.DRIFTED
    did = (SyncAction.CREATED, SyncAction.CONFIGURED, SyncAction.DELETED)
    if looks and any(one.action in did for one in changes):
        return SyncVerdict.PENDING
    leaves = facts.read_only and facts.prepared is not None and facts.prepared.plan.of(Step.PRUNE)
    if leaves and not facts.request.dry_run:
        return SyncVerdict.PENDING  # what left Git is there still
    return SyncVerdict.SYNCED
