"""The json format of a preview, `"version": 1`; its JSON Schema is `live.schema.json` beside this file.

Keys come in a fixed order and text is ASCII. Whatever is masked in the preview is masked here.
"""

import json
from typing import Any, TextIO

from gitops_guard.model.live import ClusterPreview, LiveObject, LiveReport
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_json import change_object, resource_object


def write(report: LiveReport, out: TextIO, _options: FormatOptions) -> None:
    """Write the object."""
    json.dump(live_object(report), out, indent=2)
    out.write("\n")


def live_object(report: LiveReport) -> dict[str, Any]:
    """Return the preview as the contract's object."""
    return {
        "version": 1,
        "from": report.before,
        "to": report.after,
        "clusters": [cluster_object(preview) for preview in report.clusters],
        "errors": [
            {"path": error.path, "line": error.line, "column": error.column, "message": error.message}
            for error in report.errors
        ],
        "notes": list(report.notes),
    }


def cluster_object(preview: ClusterPreview) -> dict[str, Any]:
    """Return what one cluster says as an object."""
    return {
        "cluster": preview.cluster,
        "error": preview.error,
        "server": preview.version,
        "effect": [change_object(change) for change in preview.effect],
        "drift": [change_object(change) for change in preview.drift],
        "objects": [_object(one) for one in preview.objects],
        "prunes": [
            {
                "resource": resource_object(one.id),
                "by_merge": one.by_merge,
                "inventory": one.inventory,
                "kept": one.kept,
            }
            for one in preview.prunes
        ],
        "missing_rights": [
            {"verb": one.verb, "resource": one.resource, "namespace": one.namespace, "objects": one.objects}
            for one in preview.rights
        ],
        "notes": list(preview.notes),
        "compared": preview.compared,
        "proved": preview.proved,
        "dry_runs": preview.dry_runs,
    }


def _object(one: LiveObject) -> dict[str, Any]:
    return {
        "resource": resource_object(one.id),
        "path": one.path,
        "line": one.line,
        "preview": str(one.preview),
        "reason": one.reason,
        "recreate": one.recreate,
        "conflicts": [
            {"field": entry.field, "manager": entry.manager, "already": entry.already} for entry in one.conflicts
        ],
    }
