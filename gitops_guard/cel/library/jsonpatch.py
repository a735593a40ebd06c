"""JSON patches for mutating policies."""

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.functions import Library

JSON_PATCH = Library("jsonpatch")


@JSON_PATCH.function("jsonpatch.escapeKey", str, budgeted=True)
def _escape_key(budget: Budget, key: str) -> str:
    budget.spend_text(2 * len(key))
    return key.replace("~", "~0").replace("/", "~1")
