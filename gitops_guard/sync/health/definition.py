"""CustomResourceDefinition."""

from collections.abc import Mapping
from typing import Any

from gitops_guard.sync.health.verdict import Verdict, conditions, current, failed, in_progress


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a CustomResourceDefinition by its conditions, in their order."""
    for one in conditions(body):
        if one.type == "NamesAccepted" and one.status == "False":
            return failed(one.reason, one.message)
        if one.type == "Established":
            if one.status == "False" and one.reason != "Installing":
                return failed(one.reason, one.message)
            if one.status == "True":
                return current("the definition is established")
    return in_progress("Installing", "the definition is being installed")
