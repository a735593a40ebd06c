"""The json format: the contract for programs, `"version": 1`; its JSON Schema is `sync.schema.json` beside this.

Keys come in a fixed order and text is ASCII. Unchanged objects are counted, not listed.
"""

import json
from typing import Any, TextIO

from gitops_guard.model import FieldChange, ResourceId
from gitops_guard.model.sync import Drift, ObjectChange, ObjectHealth, SyncAction, SyncReport
from gitops_guard.report import FormatOptions


def write(report: SyncReport, out: TextIO, _options: FormatOptions) -> None:
    """Write the sync object."""
    json.dump(sync_object(report), out, indent=2)
    out.write("\n")


def sync_object(report: SyncReport) -> dict[str, Any]:
    """Return the report as the contract's object."""
    return {
        "version": 1,
        "set": report.set_name,
        "revision": report.revision,
        "verdict": str(report.verdict),
        "dry_run": report.dry_run or report.read_only,
        "changes": [_change(change) for change in report.changes if change.action is not SyncAction.UNCHANGED],
        "drift": [_drift(drift) for drift in report.drift],
        "health": [_health(one) for one in report.health],
        "guards": [{"name": one.name, "message": one.message, "stops": one.stops} for one in report.guards],
        "notes": list(report.notes),
        "counts": report.counts,
        "requests": report.requests,
        "duration_s": report.duration_s,
    }


def _resource(one: ResourceId) -> dict[str, str]:
    return {"apiVersion": one.api_version, "kind": one.kind, "namespace": one.namespace, "name": one.name}


def _change(change: ObjectChange) -> dict[str, Any]:
    return {
        "action": str(change.action),
        "resource": _resource(change.id),
        "reason": change.reason,
        "fields": [_field(field) for field in change.fields],
    }


def _field(change: FieldChange) -> dict[str, Any]:
    return {
        "field": change.field,
        "op": str(change.op),
        "old": change.old,
        "new": change.new,
        "masked": change.masked,
    }


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "resource": _resource(drift.id),
        "class": str(drift.drift_class),
        "field": drift.field,
        "want": drift.want,
        "have": drift.have,
        "manager": drift.manager,
        "time": drift.time,
        "operation": drift.operation,
        "message": drift.message,
        "corrected": drift.is_corrected,
    }


def _health(one: ObjectHealth) -> dict[str, Any]:
    return {"resource": _resource(one.id), "status": str(one.status), "message": one.message, "reason": one.reason}
