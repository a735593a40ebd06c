"""What tools call themselves in `metadata.managedFields`, as far as they write what stands in Git."""

from typing import Final

OURS: Final = "gitops-guard"
"""Field manager that we apply as."""

APPLIERS: Final = (
    "kustomize-controller",
    "argocd-controller",
    "argocd-application-controller",
    "helm-controller",
    "helm",
    OURS,
    "kubectl",
    "flux",
)
"""What deploys from Git, in the order in which it is believed; before server-side apply some wrote by updates."""

BEFORE_APPLY: Final = (
    "kubectl-client-side-apply",
    "flux-client-side-apply",
    "before-first-apply",
    "kubectl-create",
    "kubectl-replace",
)
"""What an applier called itself before it applied server-side: its fields are those of Git."""
