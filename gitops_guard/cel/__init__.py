"""The Common Expression Language with Kubernetes' function library. Knows nothing of manifests.

    environment = profile("vap", "1.36")
    program = compile_expression("object.spec.replicas <= 5", environment=environment, result="bool")
    program.evaluate({"object": {"spec": {"replicas": 3}}})    -> True

Values are plain Python values read in place; what is not plain is in `values`.
"""

from gitops_guard.cel.budget import DEFAULT_STEPS, Budget
from gitops_guard.cel.errors import CelBudgetError, CelCompileError, CelError, CelUnknown
from gitops_guard.cel.profiles import DEFAULT_VERSION, PROFILE_NAMES, Profile, profile
from gitops_guard.cel.program import Program, compile_expression
from gitops_guard.cel.values import (
    NONE,
    Duration,
    LazyMap,
    Message,
    Opt,
    Timestamp,
    TypeValue,
    UInt,
    Unknown,
    to_plain,
    type_name,
)

__all__ = [
    "DEFAULT_STEPS",
    "DEFAULT_VERSION",
    "NONE",
    "PROFILE_NAMES",
    "Budget",
    "CelBudgetError",
    "CelCompileError",
    "CelError",
    "CelUnknown",
    "Duration",
    "LazyMap",
    "Message",
    "Opt",
    "Profile",
    "Program",
    "Timestamp",
    "TypeValue",
    "UInt",
    "Unknown",
    "compile_expression",
    "profile",
    "to_plain",
    "type_name",
]
