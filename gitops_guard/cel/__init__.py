"""The Common Expression Language with Kubernetes' function library. Knows nothing of manifests.

    environment = profile("vap", "1.36")
    program = compile_expression("object.spec.replicas <= 5", environment=environment, result="bool")
    program.evaluate({"object": {"spec": {"replicas": 3}}})    -> True

Values are plain Python values read in place; what is not plain is in `values`.
"""

from gitops_guard.cel.budget import DEFAULT_STEPS, Budget
from gitops_guard.cel.errors import CelBudgetError, CelCompileError, CelError, CelUnknown
from gitops_guard.cel.field_names import escape_field, unescape_field
from gitops_guard.cel.functions import ANY, Library
from gitops_guard.cel.library.authorizer import Authorizer, ResourceCheck
from gitops_guard.cel.profiles import DEFAULT_VERSION, PROFILE_NAMES, Profile, extended, profile
from gitops_guard.cel.program import Program, compile_expression
from gitops_guard.cel.values import (
    NONE,
    Duration,
    KeyedList,
    LazyMap,
    Message,
    Opt,
    SetList,
    Timestamp,
    TypeValue,
    UInt,
    Unknown,
    to_plain,
    type_name,
)

__all__ = [
    "ANY",
    "DEFAULT_STEPS",
    "DEFAULT_VERSION",
    "NONE",
    "PROFILE_NAMES",
    "Authorizer",
    "Budget",
    "CelBudgetError",
    "CelCompileError",
    "CelError",
    "CelUnknown",
    "Duration",
    "KeyedList",
    "LazyMap",
    "Library",
    "Message",
    "Opt",
    "Profile",
    "Program",
    "ResourceCheck",
    "SetList",
    "Timestamp",
    "TypeValue",
    "UInt",
    "Unknown",
    "compile_expression",
    "escape_field",
    "extended",
    "profile",
    "to_plain",
    "type_name",
    "unescape_field",
]
