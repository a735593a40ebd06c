"""The json format of a comparison, `"version": 1`; its JSON Schema is `diff.schema.json` beside this file.

Keys come in a fixed order and text is ASCII, so that equal comparisons are equal bytes whatever the locale. Whatever is
masked in the comparison is masked here.
"""

import json
from typing import Any, TextIO

from gitops_guard.model import Action, Change, ChangeReport, FieldChange, ResourceId
from gitops_guard.model.unit import Unit
from gitops_guard.report import FormatOptions
from gitops_guard.report.json_report import error_object


def write(report: ChangeReport, out: TextIO, _options: FormatOptions) -> None:
    """Write the diff object."""
    json.dump(diff_object(report), out, indent=2)
    out.write("\n")


def diff_object(report: ChangeReport) -> dict[str, Any]:
    """Return the comparison as the contract's object; unchanged objects are there when something was folded."""
    told = [change for change in report.changes if change.action is not Action.UNCHANGED or change.folded]
    return {
        "version": 1,
        "from": report.before,
        "to": report.after,
        "changes": [_change(change) for change in told],
        "counts": {str(action): number for action, number in report.counts.items()},
        "folded": {str(reason): number for reason, number in report.folded.items()},
        "identical_files": report.identical_files,
        "identical_units": report.identical_units,
        "skipped": [
            {"path": entry.path, "resource": entry.resource, "reason": entry.reason} for entry in report.skipped
        ],
        "errors": [error_object(error) for error in report.errors],
        "unrendered": [error_object(error) for error in report.unrendered],
        "notes": list(report.notes),
    }


def _change(change: Change) -> dict[str, Any]:
    shown = change.shown_after if change.action is Action.CREATED else change.shown_before
    return {
        "action": str(change.action),
        "resource": _resource(change.id),
        "renamed_from": None if change.renamed_from is None else _resource(change.renamed_from),
        "path": change.path,
        "line": change.line,
        "moved_from": change.moved_from,
        "classes": [str(one) for one in change.classes],
        "fields": [_field(field) for field in change.fields],
        "folded": [{**_field(field), "reason": str(field.reason)} for field in change.folded],
        "object": shown if change.action in (Action.CREATED, Action.DELETED) else None,
        "clusters": [] if change.unit is None else list(change.unit.clusters),
        "unit": _unit(change.unit),
        "unit_before": _unit(change.unit_before),
    }


def _unit(unit: Unit | None) -> dict[str, Any] | None:
    if unit is None:
        return None
    return {"kind": str(unit.kind), "name": unit.name, "path": unit.path, "clusters": list(unit.clusters)}


def _resource(resource: ResourceId) -> dict[str, str]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
    }


def _field(change: FieldChange) -> dict[str, Any]:
    return {
        "op": str(change.op),
        "field": change.field,
        "path": [element if isinstance(element, int) else str(element) for element in change.path],
        "old": change.old,
        "new": change.new,
        "masked": change.masked,
        "class": str(change.change_class),
        "document": change.document,
    }


def change_object(change: Change) -> dict[str, Any]:
    """Return one change as the contract's object."""
    return _change(change)


def resource_object(resource: ResourceId) -> dict[str, str]:
    """Return an identity as the contract's object."""
    return _resource(resource)
