"""The json format: the contract for programs, `"version": 1`; its JSON Schema is `check.schema.json` beside this file.

Keys come in a fixed order and text is ASCII, so that equal reports are equal bytes whatever the locale.
"""

import json
from typing import Any, TextIO

from gitops_guard.model import CheckError, Coverage, Finding, Report, ResourceId, WaiverUse
from gitops_guard.report import FormatOptions


def write(report: Report, out: TextIO, _options: FormatOptions) -> None:
    """Write the check object."""
    json.dump(check_object(report), out, indent=2)
    out.write("\n")


def check_object(report: Report) -> dict[str, Any]:
    """Return the report as the contract's object."""
    counts = report.counts
    return {
        "version": 1,
        "findings": [finding_object(finding) for finding in report.findings],
        "errors": [error_object(error) for error in report.errors],
        "coverage": _coverage(report.coverage),
        "suppressed": report.suppressed,
        "counts": {"error": counts.error, "warning": counts.warning, "note": counts.note},
        "waivers": [_waiver(use) for use in report.waivers],
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """Return a finding as every contract writes it."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "resource": _resource(finding.resource),
        "field": finding.field,
        "path": finding.location.path,
        "line": finding.location.line,
        "column": finding.location.column,
        "fingerprint": finding.fingerprint,
        "hint": finding.hint,
        "doc": finding.doc_url,
    }


def _waiver(use: WaiverUse) -> dict[str, Any]:
    return {
        "name": use.name,
        "path": use.path,
        "line": use.line,
        "rules": list(use.rules),
        "reason": use.reason,
        "owner": use.owner,
        "expires": use.expires,
        "state": str(use.state),
        "findings": [finding_object(finding) for finding in use.findings],
    }


def _resource(resource: ResourceId | None) -> dict[str, str] | None:
    if resource is None:
        return None
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
    }


def error_object(error: CheckError) -> dict[str, Any]:
    """Return an error as every contract writes it."""
    return {
        "path": error.path,
        "line": error.line,
        "column": error.column,
        "rule": error.rule,
        "message": error.message,
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "files": coverage.files,
        "resources": coverage.resources,
        "validated": coverage.validated,
        "schema_only": coverage.schema_only,
        **({} if coverage.references_followed else {"references": "not followed"}),
        "skipped": [
            {"path": entry.path, "resource": entry.resource, "reason": entry.reason} for entry in coverage.skipped
        ],
        "versions": list(coverage.versions),
        "units": coverage.units,
        "rendered": coverage.rendered,
        "unrendered": [error_object(error) for error in coverage.unrendered],
    }
