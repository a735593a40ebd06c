"""The closed set of reasons for which a whole file is skipped, numbered for the clean store.

The order is part of the store's format: new reasons go to the end. Imports nothing.
"""

SKIP_REASONS = (
    "not a Kubernetes manifest",
    "Helm template",
    "Helm values",
    "Helm chart metadata",
    "kustomization",
    "kustomize patch",
    "CI configuration",
    "empty",
    "Git LFS pointer",
    "git-crypt file",
)

WAIVER = "waiver"
"""Reason for which a document of ours is no resource of the cluster's; not remembered, since the file is looked at."""


def reason_number(reason: str) -> int | None:
    """Return the 1-based number of a reason, or None for one that is not remembered."""
    return SKIP_REASONS.index(reason) + 1 if reason in SKIP_REASONS else None


def reason_text(number: int) -> str:
    """Return the reason of a 1-based number."""
    return SKIP_REASONS[number - 1]
