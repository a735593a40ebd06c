"""The words that the formats of a sync share."""

import json
from collections.abc import Iterator
from typing import Final

from gitops_guard.model import FieldChange, Json
from gitops_guard.model.sync import Drift, DriftClass, HealthStatus, SyncAction, SyncReport, SyncVerdict
from gitops_guard.wording import count

_LONGEST: Final = 120
_VERDICTS: Final = {
    SyncVerdict.LOCKED: "another run holds the lock; nothing was done",
    SyncVerdict.INTERRUPTED: "interrupted: what was begun is finished, nothing was deleted after that",
    SyncVerdict.REJECTED: "the manifests have errors; nothing was written",
    SyncVerdict.UNAVAILABLE: "the cluster did not answer for all objects; nothing was deleted after that",
    SyncVerdict.FAILED: "not everything could be applied",
    SyncVerdict.UNHEALTHY: "everything is applied, and something is not healthy",
    SyncVerdict.ROLLED_BACK: "rolled back to the last healthy revision",
    SyncVerdict.GUARDED: "a guard stopped a part of it",
    SyncVerdict.SUSPENDED: "not written: suspended, or outside of the sync windows",
    SyncVerdict.DRIFTED: "the cluster has drifted",
    SyncVerdict.PENDING: "the cluster is not what Git wants",
    SyncVerdict.SYNCED: "the cluster is what Git wants",
}


def headline(report: SyncReport) -> str:
    """Return the verdict in words."""
    where = f" {report.revision[:12]}" if report.revision else ""
    return f"set {report.set_name}{where}: {report.verdict}: {_VERDICTS[report.verdict]}"


def tally(report: SyncReport) -> str:
    """Return how many objects of each action there are, in one line."""
    told = [f"{number} {name}" for name, number in report.counts.items() if number]
    drift = f"; {count(len(report.drift), 'difference')}" if report.drift else ""
    times = f"{count(report.requests, 'request')}, {report.duration_s:.2f} s"
    return f"{', '.join(told) or 'no objects'}{drift} ({times})"


def effective(report: SyncReport) -> Iterator[tuple[SyncAction, str, str]]:
    """Yield action, object and reason of all that is not unchanged."""
    for change in report.changes:
        if change.action is not SyncAction.UNCHANGED:
            yield change.action, str(change.id), change.reason


def edit(change: FieldChange) -> str:
    """Return what would happen to a field, in one line: `~ spec.replicas: 2 -> 3`."""
    from gitops_guard.report import diff_words  # most reports need none of it

    old, new = diff_words.sides(change)
    value = "changed, and masked" if diff_words.looks_same(change) else " -> ".join(one for one in (old, new) if one)
    return f"{diff_words.OP_SIGNS[change.op]} {change.field}: {value}"


def unwell(report: SyncReport) -> Iterator[tuple[HealthStatus, str, str]]:
    """Yield status, object and reason of what is not healthy."""
    for one in report.health:
        if one.status not in (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL):
            yield one.status, str(one.id), f"{one.reason}: {one.message}".strip(": ")


def difference(drift: Drift) -> str:
    """Return what differs, in one line: the field, what Git wants and what is there."""
    if drift.drift_class is DriftClass.CHANGED and drift.field:
        return f"{drift.field}: wants {shown(drift.want)}, has {shown(drift.have)}"
    if drift.field:
        return f"{drift.field}: has {shown(drift.have)}"
    return ""


def blame(drift: Drift) -> str:
    """Return who did it, and when."""
    if not drift.manager:
        return ""
    at = f" at {drift.time}" if drift.time else ""
    return f"by {drift.manager} ({drift.operation}){at}"


def shown(value: Json) -> str:
    """Return a value as it is written in JSON, cut short; nothing for what is not there."""
    if value is None:
        return "nothing"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
