"""Rules written as functions, in the style of pytest: what a rule needs, it asks for by the name of an argument.

    from gitops_guard.authoring import Problem, rule

    @rule(severity="warning", kinds=["Deployment.apps"], options={"least": 2})
    def too_few_replicas(body, least):
        \"\"\"A Deployment with fewer replicas than it takes to survive a drain.\"\"\"
        if body["spec"].get("replicas", 1) < least:
            yield Problem(field=("spec", "replicas"), message=f"fewer than {least} replicas")

A module with such functions is a plugin as it is, without any hook.
"""

from gitops_guard.authoring.fixtures import fixture
from gitops_guard.authoring.function_rule import FunctionRule, rule
from gitops_guard.authoring.options import Option
from gitops_guard.authoring.repository import Repository
from gitops_guard.model import Problem, Resource, Severity, Unevaluated

__all__ = [
    "FunctionRule",
    "Option",
    "Problem",
    "Repository",
    "Resource",
    "Severity",
    "Unevaluated",
    "fixture",
    "rule",
]
