"""The types that flow between stages: data only, standard library only.

A stage takes these and gives these; none of them knows where it came from or where it goes.
"""

from gitops_guard.model.change import (
    MASK,
    Action,
    Change,
    ChangeClass,
    ChangeReport,
    FieldChange,
    FieldOp,
    FoldReason,
)
from gitops_guard.model.field_path import FieldPath, MapKey, format_field_path, resolve_field_path
from gitops_guard.model.finding import (
    CheckError,
    Counts,
    Coverage,
    Finding,
    Report,
    Skipped,
    WaiverState,
    WaiverUse,
    fingerprint,
)
from gitops_guard.model.problem import Problem, Severity, Unevaluated
from gitops_guard.model.resource import Body, Json, Location, Origin, Resource, ResourceId, Span
from gitops_guard.model.rule import References, Rule, RuleContext

__all__ = [
    "MASK",
    "Action",
    "Body",
    "Change",
    "ChangeClass",
    "ChangeReport",
    "CheckError",
    "Counts",
    "Coverage",
    "FieldChange",
    "FieldOp",
    "FieldPath",
    "Finding",
    "FoldReason",
    "Json",
    "Location",
    "MapKey",
    "Origin",
    "Problem",
    "References",
    "Report",
    "Resource",
    "ResourceId",
    "Rule",
    "RuleContext",
    "Severity",
    "Skipped",
    "Span",
    "Unevaluated",
    "WaiverState",
    "WaiverUse",
    "fingerprint",
    "format_field_path",
    "resolve_field_path",
]
